using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

using DataHub.Catalog;
using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Sharing;

/// <summary>Rows that are not open, read by another agency through an agreement: what it says, and nothing beside it.</summary>
public sealed class DoorHttpTests : IAsyncLifetime
{
    private const string Rows = """
        [ {"station":"a","time":"2026-11-01T01:00:00Z","kind":"verkehr","value":1,"note":"geheim 1"}, {"station":"a","time":"2026-11-01T02:00:00Z","kind":"verkehr","value":2,"note":"geheim 2"},
          {"station":"a","time":"2026-11-01T03:00:00Z","kind":"stille","value":3,"note":"geheim 3"}, {"station":"b","time":"2026-11-02T01:00:00Z","kind":"verkehr","value":4,"note":"geheim 4"} ]
        """;

    private HubFixture _hub = null!;
    private HttpClient _amt = null!, _bezirk = null!;
    private string _watermark = "", _key = "";

    public async Task InitializeAsync()
    {
        _hub = await HubFixture.StartAsync();
        (_amt, _key) = (await _hub.AgencyAsync("amt", KeyRole.Admin), await _hub.KeyAsync("bezirk", KeyRole.Admin));
        _bezirk = _hub.With(_key);
        await OkAsync(_amt.PutAsJsonAsync("api/v1/datasets/luft", new
        {
            title = "Luft",
            publisher = "amt",
            license = "dl-de/by-2-0",
            kind = "observations",
            access = "internal",
            schema = new
            {
                primaryKey = new[] { "station", "time" },
                fields = new object[]
                {
                    new { name = "station", type = "string", role = "series" }, new { name = "time", type = "datetime", role = "time" }, new { name = "kind", type = "string", role = "dimension" },
                    new { name = "value", type = "number", role = "measure" }, new { name = "note", type = "string" },
                },
            },
        }));
        await OkAsync(_amt.PutAsJsonAsync("api/v1/indicators/luft-summe", new { title = "Summe", dataset = "luft", measure = new { function = "sum", field = "value" }, window = "PT1H" }));
        var receipt = await OkAsync(_amt.PostAsync("api/v1/datasets/luft/feeds/default/records", new StringContent(Rows, Encoding.UTF8, "application/json")));
        _watermark = Uri.EscapeDataString(receipt.RootElement.GetProperty("watermark").GetString()!);
    }

    public async Task DisposeAsync() => await _hub.DisposeAsync();

    [Fact]
    public async Task Without_an_agreement_in_force_nothing_is_given()
    {
        await RefusedAsync(ReadAsync(_bezirk, "planung"), 403);
        await AgreeAsync(Terms(), activate: false);
        await RefusedAsync(ReadAsync(_bezirk, "planung"), 403);
        await OkAsync(ActAsync(_bezirk, "agree"));
        Assert.Equal(4, await CountAsync("planung"));
    }

    [Fact]
    public async Task The_agreements_rows_and_fields_are_given_for_its_purpose_and_nothing_else_to_nobody_else()
    {
        await AgreeAsync(Terms(data: new JsonObject { ["fields"] = new JsonArray("station", "time", "value"), ["to"] = "2026-11-02T00:00:00Z", ["filter"] = "kind = 'verkehr'" }));
        var missing = (await RefusedAsync(ReadAsync(_bezirk, null), 403)).RootElement.GetProperty("detail").GetString();
        Assert.Contains("DataHub-Purpose", missing, StringComparison.Ordinal);
        Assert.Contains("planung", missing, StringComparison.Ordinal);
        Assert.Contains("werbung", (await RefusedAsync(ReadAsync(_bezirk, "werbung"), 403)).RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);

        var rows = (await OkAsync(ReadAsync(_bezirk, "planung"))).RootElement.GetProperty("rows").EnumerateArray().ToArray();
        Assert.Equal([1, 2], rows.Select(row => row.GetProperty("value").GetInt32()));
        Assert.All(rows, row => Assert.True(!row.TryGetProperty("kind", out var kind) || kind.ValueKind == JsonValueKind.Null));
        foreach (var format in new[] { "csv", "csv-de", "ndjson", "geojson", "parquet" })
        {
            using var answer = await ReadAsync(_bezirk, "planung", "&format=" + format);
            Assert.DoesNotContain("geheim", Encoding.UTF8.GetString(await answer.Content.ReadAsByteArrayAsync()), StringComparison.Ordinal);
        }

        // What is not given is not asked about either; a page goes on where it ended.
        await RefusedAsync(ReadAsync(_bezirk, "planung", "&filter.kind=stille"), 403);
        await RefusedAsync(ReadAsync(_bezirk, "planung", "&filter.note=geheim 1"), 403);
        Assert.Equal(0, await CountAsync("planung", "&from=2026-11-02T00:00:00Z"));
        var first = (await OkAsync(ReadAsync(_bezirk, "planung", "&limit=1"))).RootElement;
        using var next = new HttpRequestMessage(HttpMethod.Get, first.GetProperty("next").GetString()) { Headers = { { "DataHub-Purpose", "planung" } } };
        Assert.Equal(2, (await OkAsync(_bezirk.SendAsync(next))).RootElement.GetProperty("rows")[0].GetProperty("value").GetInt32());

        // Nobody else, and no other way.
        await RefusedAsync(ReadAsync(_hub.With(await _hub.KeyAsync("bezirk", KeyRole.Push)), "planung"), 403);
        await RefusedAsync(ReadAsync(await _hub.AgencyAsync("dritte", KeyRole.Admin), "planung"), 403);
        await RefusedAsync(ReadAsync(_hub.Anonymous, "planung"), 401);
        foreach (var path in new[] { "indicators/luft-summe/values", "indicators/luft-summe/latest", "indicators/luft-summe/explain?from=2026-11-01T01:00:00Z", "datasets/luft/quarantine", "datasets/luft/conservation", "datasets/luft/feeds/default/receipts" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "api/v1/" + path) { Headers = { { "DataHub-Purpose", "planung" } } };
            using var answer = await _bezirk.SendAsync(request);
            Assert.True(answer.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.NotFound, $"{path}: {(int)answer.StatusCode}");
        }

        var why = (await OkAsync(_bezirk.GetAsync("api/v1/access?object=dataset:luft&right=read-rows"))).RootElement.GetProperty("rights")[0];
        Assert.Equal((true, "agreement", "v v1"), (why.GetProperty("allowed").GetBoolean(), why.GetProperty("because").GetString(), why.GetProperty("reference").GetString()));

        // Both sides see what was read, for what and by what.
        foreach (var side in new[] { _amt, _bezirk })
        {
            var noted = (await OkAsync(side.GetAsync("api/v1/audit?action=rows.read&limit=1000"))).RootElement.GetProperty("entries").EnumerateArray().Where(entry => entry.GetProperty("actor").GetString()!.StartsWith("key:bezirk.", StringComparison.Ordinal)).ToArray();
            Assert.True(noted.Length >= 8);
            Assert.All(noted, entry => Assert.Equal(("agreement", "v v1", "planung"), (Detail(entry, "because"), Detail(entry, "reference"), Detail(entry, "purpose"))));
        }

        Assert.Empty((await OkAsync((await _hub.AgencyAsync("dritte", KeyRole.Admin)).GetAsync("api/v1/audit?action=rows.read"))).RootElement.GetProperty("entries").EnumerateArray());
    }

    [Fact]
    public async Task Volume_keys_networks_and_the_finest_level_are_kept()
    {
        await AgreeAsync(Terms(rowsPerDay: 6));
        Assert.Equal(4, await CountAsync("planung"));
        Assert.Contains("2 sind noch übrig", (await RefusedAsync(ReadAsync(_bezirk, "planung"), 403)).RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(2, await CountAsync("planung", "&limit=2"));
        await _hub.RestartAsync();
        (_amt, _bezirk) = (_hub.With(await _hub.KeyAsync("amt", KeyRole.Admin)), _hub.With(_key));
        await RefusedAsync(ReadAsync(_bezirk, "planung", "&limit=1"), 403);
        await OkAsync(ActAsync(_amt, "revoke", "Probe"));

        foreach (var (use, data, allowed) in new[]
        {
            (new JsonObject { ["keys"] = new JsonArray(_key.Split('.')[1]) }, new JsonObject(), true), (new JsonObject { ["keys"] = new JsonArray("zzzzzzzz") }, new JsonObject(), false),
            (new JsonObject { ["networks"] = new JsonArray("127.0.0.0/8") }, new JsonObject(), true), (new JsonObject { ["networks"] = new JsonArray("192.0.2.0/24") }, new JsonObject(), false),
            (new JsonObject { ["groups"] = new JsonArray("bezirk/planung") }, new JsonObject(), false), (new JsonObject(), new JsonObject { ["smallestGroup"] = 5 }, false),
            (new JsonObject(), new JsonObject { ["fields"] = new JsonArray("value") }, false),
        })
        {
            var id = $"w{Guid.NewGuid():N}"[..10];
            await AgreeAsync(Terms(use: use, data: data), id: id);
            if (allowed) Assert.Equal(4, await CountAsync("planung"));
            else await RefusedAsync(ReadAsync(_bezirk, "planung"), 403);
            await OkAsync(ActAsync(_amt, "revoke", "Probe", id));
            await Task.Delay(300);
        }
    }

    [Fact]
    public async Task A_page_never_goes_on_at_a_row_that_the_agreement_does_not_give_and_its_end_ends_it()
    {
        await _hub.RestartAsync(new Dictionary<string, string?> { ["DataHub:Read:MaxScannedRows"] = "1000" });
        (_amt, _bezirk) = (_hub.With(await _hub.KeyAsync("amt", KeyRole.Admin)), _hub.With(_key));
        var hidden = JsonContent.Create(Enumerable.Range(0, 2_500).Select(i => new { station = "x", time = DateTimeOffset.Parse("2026-11-01T02:30:00Z", CultureInfo.InvariantCulture).AddMilliseconds(i), kind = "stille", value = 9 }));
        _watermark = Uri.EscapeDataString((await OkAsync(_amt.PostAsync("api/v1/datasets/luft/feeds/default/records", hidden))).RootElement.GetProperty("watermark").GetString()!);
        var until = DateTimeOffset.UtcNow.AddSeconds(6);
        var terms = Terms(data: new JsonObject { ["filter"] = "kind = 'verkehr'" });
        terms["term"]!["until"] = until.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        terms["term"]!["notice"] = "PT1M";
        terms["duties"] = new JsonArray(new JsonObject { ["id"] = "bericht", ["kind"] = "report", ["text"] = "Bericht", ["due"] = terms["term"]!["until"]!.DeepClone(), ["missed"] = "notice" });
        await AgreeAsync(terms);
        Assert.Equal(2, await CountAsync("planung"));
        var page = (await OkAsync(ReadAsync(_bezirk, "planung"))).RootElement;
        Assert.Contains(new DateTime(2026, 11, 1, 2, 0, 0, DateTimeKind.Utc).Ticks.ToString(CultureInfo.InvariantCulture), page.GetProperty("next").GetString(), StringComparison.Ordinal);
        using var next = new HttpRequestMessage(HttpMethod.Get, page.GetProperty("next").GetString()) { Headers = { { "DataHub-Purpose", "planung" } } };
        Assert.Contains("MaxScannedRows", (await RefusedAsync(_bezirk.SendAsync(next), 422)).RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(1, await CountAsync("planung", "&from=2026-11-02"));

        if (until > DateTimeOffset.UtcNow) await Task.Delay(until - DateTimeOffset.UtcNow + TimeSpan.FromMilliseconds(500));
        await RefusedAsync(ReadAsync(_bezirk, "planung"), 403);
    }

    [Theory]
    [InlineData("suspend")]
    [InlineData("revoke")]
    public async Task A_second_after_it_was_stopped_nothing_is_given_any_more(string act)
    {
        await AgreeAsync(Terms());
        using var enough = new CancellationTokenSource();
        var (last, given, refused) = (0L, 0, 0);
        var readers = Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (!enough.IsCancellationRequested)
            {
                using var answer = await ReadAsync(_bezirk, "planung");
                if (answer.IsSuccessStatusCode)
                {
                    Interlocked.Increment(ref given);
                    Interlocked.Exchange(ref last, Stopwatch.GetTimestamp());
                }
                else
                {
                    Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
                    Interlocked.Increment(ref refused);
                }
            }
        })).ToArray();
        while (Volatile.Read(ref given) < 50) await Task.Delay(20);
        await OkAsync(ActAsync(_amt, act, "Probe"));
        var stopped = Stopwatch.GetTimestamp();
        await Task.Delay(2_000);
        await enough.CancelAsync();
        await Task.WhenAll(readers);
        Assert.True(Stopwatch.GetElapsedTime(stopped, last) < TimeSpan.FromSeconds(1), $"rows were given {Stopwatch.GetElapsedTime(stopped, last)} after");
        Assert.True(refused > 0);
    }

    private async Task AgreeAsync(JsonObject terms, bool activate = true, string id = "v")
    {
        await OkAsync(_amt.PutAsJsonAsync($"api/v1/agreements/{id}", terms));
        foreach (var (client, act) in new[] { (_amt, "acknowledge-charter"), (_amt, "offer"), (_bezirk, "acknowledge-charter"), (_amt, "agree") }) await OkAsync(ActAsync(client, act, null, id));
        if (activate) await OkAsync(ActAsync(_bezirk, "agree", null, id));
    }

    private Task<HttpResponseMessage> ReadAsync(HttpClient client, string? purpose, string parameters = "")
    {
        var request = new HttpRequestMessage(HttpMethod.Get, $"api/v1/datasets/luft/records?watermark={_watermark}{parameters}");
        if (purpose is not null) request.Headers.Add("DataHub-Purpose", purpose);
        return client.SendAsync(request);
    }

    /// <summary>How many rows the recipient is given, once the agreement that was just made is known.</summary>
    private async Task<int> CountAsync(string purpose, string parameters = "")
    {
        for (var tries = 0; ; tries++, await Task.Delay(50))
        {
            using var answer = await ReadAsync(_bezirk, purpose, parameters);
            if (answer.StatusCode == HttpStatusCode.Forbidden && tries < 20) continue;
            var text = await answer.Content.ReadAsStringAsync();
            Assert.True(answer.IsSuccessStatusCode, text);
            return JsonDocument.Parse(text).RootElement.GetProperty("rows").GetArrayLength();
        }
    }

    private static Task<HttpResponseMessage> ActAsync(HttpClient client, string act, string? reason = null, string id = "v") => client.PostAsJsonAsync($"api/v1/agreements/{id}/acts", new { act, reason });

    private static string? Detail(JsonElement entry, string name) => entry.GetProperty("detail").TryGetProperty(name, out var text) ? text.GetString() : null;

    private static JsonObject Terms(JsonObject? data = null, JsonObject? use = null, long? rowsPerDay = null)
    {
        var terms = JsonNode.Parse($$"""
            { "title": "Luft für die Planung", "provider": "amt", "recipient": "bezirk", "dataset": "luft", "purposes": [ { "id": "planung", "text": "Bauleitplanung" } ],
              "forbiddenPurposes": [ { "id": "werbung", "text": "Werbung" } ], "legalBasis": "§ 12 EGovG", "use": { "onwardTransfer": "none", "publication": "aggregatesOnly" },
              "duties": [ { "id": "bericht", "kind": "report", "text": "Bericht über die Nutzung", "every": "P30D", "missed": "notice" } ],
              "term": { "from": "{{DateTimeOffset.UtcNow.AddMinutes(-5):yyyy-MM-dd'T'HH:mm:ss'Z'}}", "until": "{{DateTimeOffset.UtcNow.AddYears(1):yyyy-MM-dd'T'HH:mm:ss'Z'}}", "notice": "P1M" } }
            """)!.AsObject();
        if (data is not null) terms["data"] = data;
        if (rowsPerDay is not null) terms["delivery"] = new JsonObject { ["rowsPerDay"] = rowsPerDay };
        foreach (var (name, value) in (use ?? []).ToArray())
        {
            use!.Remove(name);
            terms["use"]![name] = value;
        }

        return terms;
    }
}
