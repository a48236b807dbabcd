using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Support;

using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

using static DataHub.Support.HubFixture;

namespace DataHub.Sharing;

/// <summary>
/// Every route that can be read, as the hub itself lists them, on a dataset that is not open: whatever tells something of
/// its rows leaves a record, and tells nobody who has neither a right nor an agreement. A new route is in this test without being
/// named; if it has a parameter that is not known here, the test says so.
/// </summary>
public sealed class DoorRoutesTests
{
    /// <summary>Stand in rows only: a text, a number, and what its sum and mean come to.</summary>
    private static readonly string[] s_secrets = ["zeile-7919", "7919.25", "7919,25"];

    private static readonly string[] s_records = ["rows.read", "agreement.used", "values.read", "evidence.given"];

    [Fact]
    public async Task Whatever_route_tells_of_rows_that_are_not_open_leaves_a_record_and_tells_nobody_else()
    {
        await using var issuer = await SignInIssuer.StartAsync();
        var settings = issuer.Settings();
        settings["DataHub:Catalog:MaxKeys"] = "1000";
        settings["DataHub:Sharing:Allowance"] = settings["DataHub:Sharing:AllowanceByRight"] = "00:00:01";
        await using var hub = await HubFixture.StartAsync(settings);
        var amt = await hub.AgencyAsync("amt", KeyRole.Admin);
        var ids = await DescribeAsync(hub, amt);
        var routes = hub.Services.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods.Contains("GET") is not false)
            .Select(endpoint => endpoint.RoutePattern).DistinctBy(pattern => pattern.RawText).ToArray();
        Assert.True(routes.Length > 60, $"{routes.Length} routes");

        var telling = new Dictionary<string, HashSet<string>>();
        var expected = new List<(string Subject, string Route, string Who)>();
        foreach (var pattern in routes)
        {
            var route = "/" + pattern.RawText!.Trim('/');
            var path = route;
            foreach (var parameter in pattern.Parameters)
            {
                Assert.True(ids.TryGetValue(parameter.Name, out var id) || parameter.IsCatchAll || parameter.IsOptional, $"{route}: the parameter {parameter.Name} is not known to this test");
                path = System.Text.RegularExpressions.Regex.Replace(path, "\\{\\*{0,2}" + parameter.Name + "[^}]*\\}", id ?? "");
            }

            foreach (var (who, agency, role, purpose) in new[]
            {
                ("publisher", "amt", KeyRole.Admin, ""), ("reader of the publisher", "amt", KeyRole.Read, ""), ("the other side", "bezirk", KeyRole.Read, "planung"),
                ("the other side for something else", "bezirk", KeyRole.Read, "werbung"), ("the other side for nothing", "bezirk", KeyRole.Admin, ""), ("somebody else", "dritte", KeyRole.Admin, "planung"), ("nobody", "", KeyRole.None, "planung"),
            })
            {
                // A key of its own for each, so that its records are its own.
                var key = agency.Length == 0 ? null : await hub.KeyAsync(agency, role);
                foreach (var parameters in Parameters(route))
                {
                    var (status, text) = await ReadAsync(hub, key, path.TrimStart('/') + parameters, purpose);
                    Assert.True((int)status < 500, $"{route} by {who}: {(int)status} {text}");
                    if (!s_secrets.Any(secret => text.Contains(secret, StringComparison.Ordinal))) continue;
                    var may = who is "publisher" or "reader of the publisher" or "the other side" || (who == "the other side for nothing" && parameters.Contains("purpose=planung", StringComparison.Ordinal));
                    Assert.True(may, $"{route}{parameters} told {who} of a row: {text}");
                    if (!telling.TryGetValue(who, out var told)) telling[who] = told = [];
                    told.Add(route);
                    expected.Add(($"key:{agency}.{ApiKeyId(key!)}", route + parameters, who));
                }
            }
        }

        // What tells of rows is known to: else this test would see nothing.
        foreach (var who in new[] { "publisher", "the other side" })
        {
            foreach (var word in new[] { "/records", "/values", "/latest", "/changes", "/explain", "/diff", "/v1/values" }) Assert.Contains(telling[who], route => route.EndsWith(word, StringComparison.Ordinal));
        }

        Assert.Contains(telling["publisher"], route => route.EndsWith("/table", StringComparison.Ordinal));
        Assert.Contains(telling["publisher"], route => route.EndsWith("/quarantine", StringComparison.Ordinal));
        Assert.DoesNotContain(telling["the other side"], route => route.Contains("quarantine", StringComparison.Ordinal) || route.Contains("receipt", StringComparison.Ordinal));

        var missing = expected.ToList();
        for (var tries = 0; missing.Count > 0 && tries < 40; tries++, await Task.Delay(250))
        {
            var noted = await NotedAsync(hub);
            missing.RemoveAll(one => noted.Contains(one.Subject));
        }

        Assert.True(missing.Count == 0, "no record of: " + string.Join('\n', missing.Select(one => $"{one.Route} by {one.Who}")));
    }

    /// <summary>Ways to ask a route, so that it has something to tell.</summary>
    private static string[] Parameters(string route) => route switch
    {
        _ when route.EndsWith("/explain", StringComparison.Ordinal) || route.EndsWith("/explained", StringComparison.Ordinal) => ["?from=2026-11-01T01:00:00Z", "?from=2026-11-01T01:00:00Z&purpose=planung"],
        _ when route.EndsWith("/diff", StringComparison.Ordinal) => ["?since=2026-11-01"],
        _ when route.EndsWith("/v1/values", StringComparison.Ordinal) => ["?indicator=geheim-summe"],
        _ when route.EndsWith("/access", StringComparison.Ordinal) => ["?object=dataset:geheim"],
        _ when route.EndsWith("/evidence", StringComparison.Ordinal) => [""],
        _ when route.EndsWith("/changes", StringComparison.Ordinal) => ["", "?purpose=planung"],
        _ => ["", "?format=csv"],
    };

    private static async Task<(HttpStatusCode Status, string Text)> ReadAsync(HubFixture hub, string? key, string path, string purpose)
    {
        using var client = new HttpClient { BaseAddress = hub.Address, Timeout = TimeSpan.FromSeconds(20) };
        if (key is not null) client.DefaultRequestHeaders.Authorization = new("Bearer", key);
        if (purpose.Length > 0) client.DefaultRequestHeaders.Add("DataHub-Purpose", purpose);
        using var answer = await client.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);
        if (answer.Content.Headers.ContentType?.MediaType != "text/event-stream") return (answer.StatusCode, Encoding.UTF8.GetString(await answer.Content.ReadAsByteArrayAsync()));

        // The first state is enough.
        using var stream = new StreamReader(await answer.Content.ReadAsStreamAsync());
        var text = new StringBuilder();
        while (await stream.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(10)) is { } line)
        {
            text.Append(line).Append('\n');
            if (line.StartsWith("data: {\"indicator\"", StringComparison.Ordinal)) break;
        }

        return (answer.StatusCode, text.ToString());
    }

    /// <summary>Everybody of whom the audit log says that he was given something.</summary>
    private static async Task<HashSet<string>> NotedAsync(HubFixture hub)
    {
        var noted = new HashSet<string>(StringComparer.Ordinal);
        foreach (var action in s_records)
        {
            var next = $"api/v1/audit?action={action}&limit=1000";
            while (next is not null)
            {
                var page = (await OkAsync(hub.Admin.GetAsync(next))).RootElement;
                foreach (var entry in page.GetProperty("entries").EnumerateArray()) noted.Add(entry.GetProperty("actor").GetString()!);
                next = page.GetProperty("next").GetString();
            }
        }

        return noted;
    }

    private static string ApiKeyId(string key) => key.Split('.')[1];

    /// <summary>A dataset that is not open with everything that stands around it.</summary>
    private static async Task<Dictionary<string, string>> DescribeAsync(HubFixture hub, HttpClient amt)
    {
        await OkAsync(hub.Admin.PutAsync("api/v1/areas/orte", new StringContent("id,parent,name,level\n1,,Eins,0\n", Encoding.UTF8, "text/csv")));
        await OkAsync(amt.PutAsJsonAsync("api/v1/dataspaces/raum", new { title = "Raum", owner = "amt" }));
        await OkAsync(amt.PutAsJsonAsync("api/v1/agencies/amt/groups/leser", new { name = "Leser" }));
        await OkAsync(amt.PutAsJsonAsync("api/v1/datasets/geheim", new
        {
            title = "Geheim",
            publisher = "amt",
            license = "dl-de/by-2-0",
            dataspace = "raum",
            kind = "observations",
            access = "internal",
            schema = new
            {
                primaryKey = new[] { "station", "time" },
                fields = new object[] { new { name = "station", type = "string", role = "series" }, new { name = "time", type = "datetime", role = "time" }, new { name = "value", type = "number", role = "measure", constraints = new { maximum = 8000 } } },
            },
        }));
        await OkAsync(amt.PutAsJsonAsync("api/v1/indicators/geheim-summe", new { title = "Summe", dataset = "geheim", measure = new { function = "sum", field = "value" }, window = "PT1H" }));
        var pushed = await OkAsync(amt.PostAsJsonAsync("api/v1/datasets/geheim/feeds/default/records", new object[]
        {
            new { station = "zeile-7919", time = "2026-11-01T01:00:00Z", value = 7919.25 }, new { station = "zeile-7919", time = "2026-11-01T02:00:00Z", value = 9999 },
        }));
        var erasure = await amt.PostAsJsonAsync("api/v1/datasets/geheim/erasures", new { where = new { station = "niemand" }, reason = "Probe", authority = "Art. 17 DSGVO" });
        var erased = JsonDocument.Parse(await erasure.Content.ReadAsStringAsync()).RootElement;
        await hub.KeyAsync("bezirk", KeyRole.Admin);
        var grant = await OkAsync(amt.PostAsJsonAsync("api/v1/dataspaces/raum/grants", new { group = "amt/leser", role = "reader", why = "Probe" }));
        var bezirk = hub.With(await hub.KeyAsync("bezirk", KeyRole.Admin));
        await OkAsync(amt.PutAsJsonAsync("api/v1/agreements/v", new
        {
            title = "Probe",
            provider = "amt",
            recipient = "bezirk",
            dataset = "geheim",
            purposes = new[] { new { id = "planung", text = "Planung" } },
            legalBasis = "§ 12 EGovG",
            use = new { publication = "aggregatesOnly" },
            duties = new[] { new { id = "bericht", kind = "report", text = "Bericht", every = "P30D", missed = "notice" } },
            term = new { from = DateTimeOffset.UtcNow.AddMinutes(-5), until = DateTimeOffset.UtcNow.AddYears(1), notice = "P1M" },
        }));
        foreach (var (client, act) in new[] { (amt, "acknowledge-charter"), (amt, "offer"), (bezirk, "acknowledge-charter"), (amt, "agree"), (bezirk, "agree") })
            await OkAsync(client.PostAsJsonAsync("api/v1/agreements/v/acts", new { act }));
        for (var tries = 0; !(await amt.GetStringAsync("api/v1/indicators/geheim-summe/values")).Contains("7919", StringComparison.Ordinal); tries++, await Task.Delay(100)) Assert.True(tries < 100);
        await Pipelines.Pipes.PutJobAsync(amt, "abzug", """{ "title": "Abzug", "agency": "amt", "dataspace": "raum", "steps": [ { "id": "zeilen", "read": { "dataset": "geheim" } } ] }""");
        return new(StringComparer.OrdinalIgnoreCase)
        {
            ["job"] = "abzug",
            ["key"] = "nachbar",
            ["run"] = (await Pipelines.Pipes.RunAsync(amt, "abzug", new { })).GetProperty("id").GetString()!,
            ["step"] = "zeilen",
            ["namespace"] = "amt",
            ["file"] = await Pipelines.Pipes.UploadAsync(amt, "a.csv", "a\n1\n"),
            ["dataset"] = "geheim",
            ["indicator"] = "geheim-summe",
            ["agency"] = "amt",
            ["agreement"] = "v",
            ["feed"] = "default",
            ["receipt"] = pushed.RootElement.GetProperty("receipt").GetString()!,
            ["erasure"] = erased.TryGetProperty("id", out var id) ? id.ToString() : erased.TryGetProperty("erasure", out id) ? id.ToString() : "1",
            ["system"] = "orte",
            ["dataspace"] = "raum",
            ["group"] = "leser",
            ["grant"] = grant.RootElement.GetProperty("id").GetString()!,
            ["person"] = "oidc:ada",
            ["word"] = "forbidden",
            ["hash"] = "0",
            ["documentName"] = "v1",
            ["name"] = "datahub.css",
            ["id"] = "1",
        };
    }
}
