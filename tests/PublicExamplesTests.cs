using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

using DataHub.Catalog;
using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Tests;

/// <summary>The examples of <c>/openapi/v1.json</c>, sent to a hub as they stand there.</summary>
public sealed class PublicExamplesTests(HubFixture hub) : IClassFixture<HubFixture>
{
    /// <summary>What must be there before what; everything else follows in the document's order.</summary>
    private static readonly string[] s_order =
    [
        "put /api/v1/agencies/{agency}", "post /api/v1/agencies/{agency}/keys", "put /api/v1/agencies/{agency}/groups/{group}", "put /api/v1/dataspaces/{dataspace}", "post /api/v1/dataspaces/{dataspace}/grants", "put /api/v1/areas/{system}", "put /api/v1/datasets/{dataset}",
        "post /api/v1/agencies/{agency}/pseudonym-keys/{purpose}/rotation",
        "put /api/v1/datasets/{dataset}/feeds/{feed}", "put /api/v1/indicators/{indicator}", "post /api/v1/datasets/{dataset}/feeds/{feed}/records",
        "post /api/v1/files", "patch /api/v1/files/{file}", "put /api/v1/jobs/{job}", "post /api/v1/jobs/{job}/runs",
        "put /api/v1/agreements/{agreement}", "post /api/v1/agreements/{agreement}/acts",
    ];

    [Fact]
    public async Task Every_request_example_is_taken_and_every_read_answered()
    {
        var document = (await OkAsync(hub.Anonymous.GetAsync("openapi/v1.json"))).RootElement;
        var operations = document.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(operation => (Name: $"{operation.Name} {path.Name}", Path: path.Name, Method: operation.Name, Operation: operation.Value))).ToArray();
        var names = new Dictionary<string, string> { ["agency"] = "senumvk", ["system"] = "demo", ["dataset"] = "air-quality", ["feed"] = "default", ["indicator"] = "no2-hourly", ["group"] = "auswertung", ["person"] = "oidc:8f3c0a52", ["dataspace"] = "umwelt", ["agreement"] = "luft-pankow", ["job"] = "luft", ["step"] = "mittel", ["namespace"] = "senumvk.airflow", ["name"] = "messnetz.laden", ["purpose"] = "ausleihe", ["version"] = "1", ["key"] = "nachbar" };
        await hub.AgencyAsync("bezirk-pankow");
        var sent = 0;

        // Writes first, so that reads find what they ask for; a key is revoked last of all.
        var writes = operations.Where(o => o.Method is "put" or "post" or "patch").OrderBy(o => Array.IndexOf(s_order, o.Name) is >= 0 and var rank ? rank : s_order.Length).ToArray();
        foreach (var (name, path, method, operation) in writes)
        {
            if (!operation.TryGetProperty("requestBody", out var taken))
            {
                // The act is all that is asked for.
                await OkAsync(hub.Admin.PostAsync(Fill(path, names), null));
                continue;
            }

            foreach (var media in taken.GetProperty("content").EnumerateObject())
            {
                Assert.True(media.Value.TryGetProperty("example", out var example), $"{name}: {media.Name} has no example");
                // The feed of the example has a CSV profile of its own; rows are pushed to one without.
                var place = Fill(path, path.EndsWith("/feeds/{feed}", StringComparison.Ordinal) ? new(names) { ["feed"] = "messnetz" } : names);
                if (path == "/api/v1/files") place += "?agency=senumvk&name=luft.csv";
                if (method == "patch") await AnnounceAsync();
                if (path == "/api/v1/runs/{run}/acts") await Pipelines.Pipes.EndAsync(hub.Admin, names["run"]);
                using var request = new HttpRequestMessage(new(method), method == "patch" ? Fill(path, names) : place) { Content = Body(media.Name, example) };
                if (path.EndsWith("/evidence", StringComparison.Ordinal)) request.Headers.Add("DataHub-Purpose", "sondernutzung");
                if (method == "patch") request.Headers.Add("Upload-Offset", "0");
                using var answer = await hub.Admin.SendAsync(request);
                if (path == "/api/v1/runs/{run}/acts")
                {
                    // The run of the examples has ended by then: that is all that is in the way.
                    Assert.Equal(System.Net.HttpStatusCode.Conflict, answer.StatusCode);
                    sent++;
                    continue;
                }

                var text = await answer.Content.ReadAsStringAsync();
                if (path.EndsWith("/derived/{dataset}", StringComparison.Ordinal))
                {
                    // The agreement of the examples does not run yet: that is all that is in the way.
                    Assert.Equal(System.Net.HttpStatusCode.Conflict, answer.StatusCode);
                    sent++;
                    continue;
                }

                Assert.True(answer.IsSuccessStatusCode, $"{name} {media.Name} → {(int)answer.StatusCode} {text}");
                Assert.True(operation.GetProperty("responses").TryGetProperty(((int)answer.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture), out _), $"{name} does not tell of {(int)answer.StatusCode}");
                sent++;
                if (text.Length > 0) Learn(name, JsonNode.Parse(text)!.AsObject());
            }
        }

        Assert.Equal(operations.Where(o => o.Operation.TryGetProperty("requestBody", out _)).Sum(o => o.Operation.GetProperty("requestBody").GetProperty("content").EnumerateObject().Count()), sent);
        var second = (await Pipelines.Pipes.RunAsync(hub.Admin, names["job"], new { repeats = names["run"] })).GetProperty("id").GetString();
        foreach (var (name, path, method, operation) in operations.Where(o => o.Method is "get" or "head").Concat(operations.Where(o => o.Method == "delete")))
        {
            // Parameters that must be there: which indicators, which number, since when.
            var query = path switch
            {
                "/api/v1/values" => "?indicator=no2-hourly",
                "/api/v1/indicators/{indicator}/explain" => "?from=2026-11-23T08:00:00Z",
                "/api/v1/runs/{run}/differences" => $"?with={second}&key=station",
                "/api/v1/access" => "?object=dataset:air-quality",
                "/api/v1/indicators/{indicator}/diff" => "?since=2026-01-01",
                _ => "",
            };
            using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            using var answer = await hub.Admin.SendAsync(new(new(method), Fill(path, names) + query), HttpCompletionOption.ResponseHeadersRead, stop.Token);
            Assert.True(answer.IsSuccessStatusCode, $"{name} → {(int)answer.StatusCode}");
        }

        Assert.Equal(operations.Length, writes.Length + operations.Count(o => o.Method is "get" or "head" or "delete"));

        async Task AnnounceAsync()
        {
            using var begin = new HttpRequestMessage(HttpMethod.Post, "api/v1/files?agency=senumvk") { Headers = { { "Upload-Length", "32" } } };
            names["file"] = (await OkAsync(hub.Admin.SendAsync(begin))).RootElement.GetProperty("id").GetString()!;
        }

        void Learn(string name, JsonObject answer)
        {
            if (name.EndsWith("/keys", StringComparison.Ordinal)) names["id"] = answer["id"]!.GetValue<string>();
            if (name.EndsWith("/grants", StringComparison.Ordinal)) names["grant"] = answer["id"]!.GetValue<string>();
            if (name.EndsWith("/records", StringComparison.Ordinal)) names["receipt"] = answer["receipt"]!.GetValue<string>();
            if (name.EndsWith("/runs", StringComparison.Ordinal)) names["run"] = answer["id"]!.GetValue<string>();
            if (name == "post /api/v1/files") names["file"] = answer["id"]!.GetValue<string>();
            if (name.EndsWith("/erasures", StringComparison.Ordinal)) names["erasure"] = (answer["erasure"] ?? answer["id"])!.GetValue<string>();
        }
    }

    private static string Fill(string path, Dictionary<string, string> names)
    {
        foreach (var (name, value) in names) path = path.Replace($"{{{name}}}", value, StringComparison.Ordinal);
        Assert.DoesNotContain('{', path);
        return path[1..];
    }

    private static ByteArrayContent Body(string type, JsonElement example)
    {
        var bytes = type.Contains("msgpack", StringComparison.Ordinal) ? Convert.FromBase64String(example.GetString()!)
            : Encoding.UTF8.GetBytes(example.ValueKind == JsonValueKind.String ? example.GetString()! : example.GetRawText());
        return new(bytes) { Headers = { ContentType = MediaTypeHeaderValue.Parse(type) } };
    }
}
