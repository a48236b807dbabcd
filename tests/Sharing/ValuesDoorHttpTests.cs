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

/// <summary>Values that are not open, read by another agency through an agreement: what it says, and nothing beside it.</summary>
public sealed class ValuesDoorHttpTests : IAsyncLifetime
{
    private const string Areas = "id,parent,name,level\n1,,Eins,0\n2,,Zwei,0\n11,1,Eins-eins,1\n12,1,Eins-zwei,1\n21,2,Zwei-eins,1\n";

    private static readonly string[] s_ways = ["values", "latest", "changes", "explain", "diff", "many"];

    /// <summary>Station, hour of 1 November, area, kind and value.</summary>
    private static readonly (string Station, int Hour, string Area, string Kind, int Value)[] s_rows =
    [
        .. from hour in Enumerable.Range(0, 6) from area in new[] { "11", "12", "21" } from number in Enumerable.Range(0, 1 + ((hour + area[0]) % 3))
           select ($"s{area}{number}", hour, area, (hour + number) % 2 == 0 ? "verkehr" : "stille", (hour * 100) + (area[0] * 10) + number),
    ];

    private HubFixture _hub = null!;
    private HttpClient _amt = null!, _bezirk = null!;
    private string _watermark = "";

    public async Task InitializeAsync()
    {
        _hub = await HubFixture.StartAsync(new Dictionary<string, string?> { ["DataHub:Sharing:Allowance"] = "00:00:01" });
        (_amt, _bezirk) = (await _hub.AgencyAsync("amt", KeyRole.Admin), await _hub.AgencyAsync("bezirk", KeyRole.Admin));
        await OkAsync(_hub.Admin.PutAsync("api/v1/areas/orte", new StringContent(Areas, Encoding.UTF8, "text/csv")));
        await OkAsync(_amt.PutAsJsonAsync("api/v1/datasets/laerm", new
        {
            title = "Lärm",
            publisher = "amt",
            license = "dl-de/by-2-0",
            kind = "observations",
            access = "internal",
            areaSystem = "orte",
            schema = new
            {
                primaryKey = new[] { "station", "time" },
                fields = new object[]
                {
                    new { name = "station", type = "string", role = "series" }, new { name = "time", type = "datetime", role = "time" }, new { name = "area", type = "string", role = "area" },
                    new { name = "kind", type = "string", role = "dimension" }, new { name = "value", type = "number", role = "measure" }, new { name = "note", type = "string" },
                },
            },
        }));
        await IndicatorAsync("summe", new { function = "sum", field = "value" });
        await IndicatorAsync("verkehr", new { function = "sum", field = "value" }, "value >= 0 AND kind = 'verkehr'");
        await IndicatorAsync("stadt", new { function = "sum", field = "value" }, byArea: false);
        await IndicatorAsync("notizen", new { function = "distinct", field = "note" });
        await OkAsync(_amt.PutAsJsonAsync("api/v1/indicators/anteil", new { title = "Anteil", dataset = "laerm", formula = "share(summe)" }));
        await OkAsync(_amt.PutAsJsonAsync("api/v1/indicators/veraenderung", new { title = "Veränderung", dataset = "laerm", formula = "change(summe)" }));
        var receipt = await OkAsync(_amt.PostAsJsonAsync("api/v1/datasets/laerm/feeds/default/records", s_rows.Select(row => new { station = row.Station, time = At(row.Hour), area = row.Area, kind = row.Kind, value = row.Value, note = "geheim" })));
        _watermark = receipt.RootElement.GetProperty("watermark").GetString()!;
    }

    public async Task DisposeAsync() => await _hub.DisposeAsync();

    [Fact]
    public async Task Without_an_agreement_and_without_its_purpose_no_way_gives_a_value()
    {
        foreach (var way in s_ways) Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync(way, "summe", "planung")).Status);
        await AgreeAsync("v", new());
        foreach (var way in s_ways)
        {
            Assert.Equal(HttpStatusCode.OK, (await SoonAsync(way, "summe", "planung")).Status);
            Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync(way, "summe", null)).Status);
            Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync(way, "summe", "werbung")).Status);
            Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync(way, "summe", "planung", await _hub.AgencyAsync("dritte", KeyRole.Admin))).Status);
            Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync(way, "summe", "planung", _hub.With(await _hub.KeyAsync("bezirk", KeyRole.Push)))).Status);
            Assert.Equal(HttpStatusCode.Unauthorized, (await GetAsync(way, "summe", "planung", _hub.Anonymous)).Status);
        }

        await OkAsync(ActAsync(_amt, "suspend", "v", "Probe"));
        await Task.Delay(900);
        foreach (var way in s_ways) Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync(way, "summe", "planung")).Status);
        await OkAsync(ActAsync(_amt, "resume", "v"));
        Assert.Equal(HttpStatusCode.OK, (await SoonAsync("values", "summe", "planung")).Status);
    }

    [Fact]
    public async Task Whole_windows_of_the_period_are_given_and_what_is_computed_from_earlier_ones_only_where_these_are_given_too()
    {
        await AgreeAsync("v", new() { ["from"] = At(1).AddMinutes(30), ["to"] = At(4).AddMinutes(30) });
        Assert.Equal(Sums(row => row.Hour is 2 or 3), await ValuesAsync("summe"));
        Assert.Equal(Sums(row => row.Hour is 3), await ValuesAsync("summe", "&from=2026-11-01T03:00:00Z"));
        Assert.Equal(Sums(row => row.Hour is 2), await ValuesAsync("summe", "&to=2026-11-01T03:00:00Z"));
        Assert.Empty(await ValuesAsync("summe", "&from=2026-11-01T04:00:00Z"));
        Assert.Equal(Sums(row => row.Hour == 3), await ValuesAsync("summe", "", "latest"));
        Assert.Equal([3], (await ValuesAsync("veraenderung")).Keys.Select(key => key.Hour).Distinct());

        // How many series reported before the period is no part of it.
        var rows = (await SoonAsync("values", "summe", "planung")).Rows;
        Assert.All(rows, row => Assert.Equal(row.GetProperty("from").GetDateTimeOffset() > At(2), row.TryGetProperty("coverage", out var coverage) && coverage.ValueKind != JsonValueKind.Null));

        Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync("explain", "summe", "planung", parameters: "&from=2026-11-01T01:00:00Z&area=11")).Status);
        var explained = await SoonAsync("explain", "summe", "planung", "&from=2026-11-01T02:00:00Z&area=11");
        Assert.Equal(explained.Root.GetProperty("value").GetDouble(), explained.Root.GetProperty("recomputed").GetDouble());
    }

    [Fact]
    public async Task Only_the_agreed_areas_are_given_and_nothing_that_others_are_part_of()
    {
        await AgreeAsync("v", new() { ["areas"] = new JsonArray("11", "2") });
        Assert.Equal(Sums(row => row.Area is "11" or "21"), await ValuesAsync("summe"));
        Assert.Equal(Sums(row => row.Area == "21", area => area[..1]), await ValuesAsync("summe", "&level=0"));
        Assert.Equal(Sums(row => row.Area == "11"), await ValuesAsync("summe", "&area=1&level=1"));
        Assert.Empty(await ValuesAsync("summe", "&area=12"));
        foreach (var (indicator, parameters) in new[] { ("summe", "&whole=true"), ("stadt", ""), ("anteil", "") }) Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync("values", indicator, "planung", parameters: parameters)).Status);
        foreach (var area in new[] { "&area=12", "&area=1", "", "&whole=true" }) Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync("explain", "summe", "planung", parameters: "&from=2026-11-01T02:00:00Z" + area)).Status);
        Assert.Equal(["11", "21"], (await SoonAsync("diff", "summe", "planung")).Root.GetProperty("cells").EnumerateArray().Select(cell => cell.GetProperty("area").GetString()!).Distinct().Order());
        Assert.Equal(["11", "21"], (await SoonAsync("changes", "summe", "planung")).Rows.Select(row => row.GetProperty("area").GetString()!).Distinct().Order());
    }

    [Fact]
    public async Task No_area_below_the_level_and_no_group_smaller_than_agreed_is_given()
    {
        await AgreeAsync("v", new() { ["finestLevel"] = 0, ["smallestGroup"] = 3 });
        var counts = s_rows.GroupBy(row => (row.Hour, row.Area[..1])).ToDictionary(group => group.Key, group => group.Count());
        var rows = (await SoonAsync("values", "summe", "planung")).Rows;
        Assert.Equal(counts.Count, rows.Length);
        Assert.Contains(counts.Values, count => count < 3);
        foreach (var row in rows)
        {
            var key = (row.GetProperty("from").GetDateTimeOffset().UtcDateTime.Hour, row.GetProperty("area").GetString()!);
            Assert.Equal(counts[key] < 3 ? "suppressed" : "ok", row.GetProperty("state").GetString());
            Assert.Equal(counts[key] < 3, row.GetProperty("value").ValueKind == JsonValueKind.Null);
        }

        Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync("values", "summe", "planung", parameters: "&level=1")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync("values", "summe", "planung", parameters: "&area=11")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync("diff", "summe", "planung")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync("rows", "summe", "planung")).Status);

        // An explanation of what is suppressed says no more than that, of another not one row.
        var (small, large) = (counts.First(count => count.Value < 3).Key, counts.First(count => count.Value >= 3).Key);
        var hidden = (await SoonAsync("explain", "summe", "planung", $"&from=2026-11-01T0{small.Hour}:00:00Z&area={small.Item2}")).Root;
        Assert.Equal((JsonValueKind.Null, JsonValueKind.Null), (hidden.GetProperty("value").ValueKind, hidden.GetProperty("recomputed").ValueKind));
        Assert.DoesNotContain("s1", hidden.ToString(), StringComparison.Ordinal);
        var shown = (await SoonAsync("explain", "summe", "planung", $"&from=2026-11-01T0{large.Hour}:00:00Z&area={large.Item2}")).Root;
        Assert.Equal(shown.GetProperty("value").GetDouble(), shown.GetProperty("recomputed").GetDouble());
        Assert.DoesNotContain("verkehr", shown.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_value_is_given_where_all_it_is_made_of_is_and_an_explanation_shows_the_agreed_fields_only()
    {
        await AgreeAsync("v", new() { ["fields"] = new JsonArray("station", "time", "area", "value", "kind"), ["filter"] = "kind = 'verkehr'" });
        Assert.Equal(Sums(row => row.Kind == "verkehr"), await ValuesAsync("verkehr"));
        foreach (var indicator in new[] { "summe", "notizen", "anteil", "stadt" })
        {
            var refused = await GetAsync("values", indicator, "planung");
            Assert.Equal(HttpStatusCode.Forbidden, refused.Status);
        }

        Assert.Contains("note", (await GetAsync("values", "notizen", "planung")).Text, StringComparison.Ordinal);
        Assert.Contains("kind = 'verkehr'", (await GetAsync("values", "summe", "planung")).Text, StringComparison.Ordinal);
        var first = s_rows.First(row => row.Kind == "verkehr");
        var explained = await SoonAsync("explain", "verkehr", "planung", $"&from=2026-11-01T0{first.Hour}:00:00Z&area={first.Area}");
        Assert.Equal(s_rows.Count(row => row.Kind == "verkehr" && row.Hour == first.Hour && row.Area == first.Area), explained.Root.GetProperty("rows").GetArrayLength());
        Assert.DoesNotContain("geheim", explained.Text, StringComparison.Ordinal);
        Assert.Contains(first.Station, explained.Text, StringComparison.Ordinal);

        // What stood before under a key is not told: it may be what the agreement does not give.
        var other = s_rows.First(row => row.Kind == "stille");
        await OkAsync(_amt.PostAsJsonAsync("api/v1/datasets/laerm/feeds/default/records", new[] { new { station = other.Station, time = At(other.Hour), area = other.Area, kind = "verkehr", value = 9_999, note = "geheim" } }));
        await WaitAsync(async () => (await GetAsync("explain", "verkehr", "planung", parameters: $"&from=2026-11-01T0{other.Hour}:00:00Z&area={other.Area}")).Text.Contains("9999", StringComparison.Ordinal));
        Assert.DoesNotContain("stille", (await GetAsync("explain", "verkehr", "planung", parameters: $"&from=2026-11-01T0{other.Hour}:00:00Z&area={other.Area}")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Past_states_and_earlier_definitions_are_narrowed_too()
    {
        await AgreeAsync("v", new() { ["areas"] = new JsonArray("11"), ["filter"] = "kind = 'verkehr'" });
        var now = Uri.EscapeDataString(_watermark);
        Assert.Equal(Sums(row => row is { Area: "11", Kind: "verkehr" }), await ValuesAsync("verkehr", "&asOf=" + now));

        // Once it counted everything: by that definition it gives nothing.
        await IndicatorAsync("wandel", new { function = "sum", field = "value" });
        await WaitAsync(async () => await GetAsync("values", "wandel", "planung", _amt) is { Status: HttpStatusCode.OK, Rows.Length: > 0 });
        await IndicatorAsync("wandel", new { function = "sum", field = "value" }, "kind = 'verkehr'");
        await WaitAsync(async () => await GetAsync("values", "wandel", "planung") is { Status: HttpStatusCode.OK, Rows.Length: > 0 });
        var definitions = (await OkAsync(_amt.GetAsync("api/v1/indicators/wandel/definitions"))).RootElement.GetProperty("definitions").EnumerateArray().Select(one => one.GetProperty("version").GetInt32()).Order().ToArray();
        Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync("values", "wandel", "planung", parameters: $"&definition={definitions[0]}")).Status);
        Assert.Equal(Sums(row => row is { Area: "11", Kind: "verkehr" }), await ValuesAsync("wandel", $"&definition={definitions[^1]}"));
    }

    [Fact]
    public async Task Both_sides_see_the_same_report_of_what_was_read_and_the_volume_of_a_day_is_kept()
    {
        await AgreeAsync("v", new());
        var all = Sums(_ => true).Count;
        for (var i = 0; i < 5; i++) Assert.Equal(all, (await ValuesAsync("summe")).Count);
        await SoonAsync("latest", "summe", "planung");
        await SoonAsync("rows", "summe", "planung");
        await WaitAsync(async () => (await ReportAsync(_amt, "v")).GetProperty("open").GetArrayLength() == 0);
        var (ours, theirs) = (await ReportAsync(_amt, "v"), await ReportAsync(_bezirk, "v"));
        Assert.Equal(ours.ToString(), theirs.ToString());
        var entries = ours.GetProperty("entries").EnumerateArray().ToDictionary(entry => entry.GetProperty("operation").GetString()!);
        Assert.Equal(["latest", "rows", "values"], entries.Keys.Order());
        Assert.Equal((5, 5 * all), (entries["values"].GetProperty("requests").GetInt32(), entries["values"].GetProperty("rows").GetInt32()));
        Assert.Equal(("planung", "indicator:summe", "dataset:laerm"), (entries["values"].GetProperty("purpose").GetString(), entries["values"].GetProperty("object").GetString(), entries["rows"].GetProperty("object").GetString()));
        Assert.Equal((1, s_rows.Length), (entries["rows"].GetProperty("requests").GetInt32(), entries["rows"].GetProperty("rows").GetInt32()));
        foreach (var side in new[] { _amt, _bezirk })
        {
            JsonElement[] noted = [];
            await WaitAsync(async () => (noted = [.. (await OkAsync(side.GetAsync("api/v1/audit?action=agreement.used&limit=1000"))).RootElement.GetProperty("entries").EnumerateArray().Select(entry => entry.GetProperty("detail"))])
                .Count(entry => entry.GetProperty("operation").GetString() is "rows" or "latest") >= 2);
            Assert.Equal(5, noted.Where(entry => entry.GetProperty("operation").GetString() == "values").Sum(entry => int.Parse(entry.GetProperty("requests").GetString()!, CultureInfo.InvariantCulture)));
            Assert.All(noted, entry => Assert.Equal(("v v1", "planung"), (entry.GetProperty("reference").GetString(), entry.GetProperty("purpose").GetString())));
        }

        await RefusedAsync((await _hub.AgencyAsync("dritte", KeyRole.Admin)).GetAsync("api/v1/agreements/v/usage"), 404);
        await RefusedAsync(_amt.GetAsync("api/v1/agreements/v/usage?month=November"), 400);
        await OkAsync(ActAsync(_amt, "revoke", "v", "Probe"));

        // An answer is refused whole where it does not fit.
        await AgreeAsync("w", new(), new JsonObject { ["rowsPerDay"] = all + 3 });
        Assert.Equal(all, (await ValuesAsync("summe")).Count);
        var refused = await GetAsync("values", "summe", "planung", parameters: "&level=0");
        Assert.Equal(HttpStatusCode.Forbidden, refused.Status);
        Assert.Contains("3 sind noch übrig", refused.Text, StringComparison.Ordinal);
        Assert.Equal(3, (await SoonAsync("values", "summe", "planung", "&limit=3")).Rows.Length);
        await _hub.RestartAsync();
        (_amt, _bezirk) = (_hub.With(await _hub.KeyAsync("amt", KeyRole.Admin)), _hub.With(await _hub.KeyAsync("bezirk", KeyRole.Admin)));
        Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync("values", "summe", "planung", parameters: "&limit=1")).Status);
    }

    [Fact]
    public async Task A_running_stream_ends_with_the_reason_within_a_second_and_cannot_be_resumed()
    {
        await AgreeAsync("v", new() { ["areas"] = new JsonArray("11") });
        await SoonAsync("changes", "summe", "planung");
        using var request = Request("api/v1/indicators/summe/changes", "planung");
        using var answer = await _bezirk.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var stream = new StreamReader(await answer.Content.ReadAsStreamAsync());
        var id = "";
        while (await stream.ReadLineAsync() is { } line && !line.StartsWith("event: state", StringComparison.Ordinal))
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal)) id = line[4..];
        }

        await OkAsync(ActAsync(_amt, "revoke", "v", "Probe"));
        var revoked = DateTimeOffset.UtcNow;
        var rest = await stream.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(5));
        Assert.True(DateTimeOffset.UtcNow - revoked < TimeSpan.FromSeconds(1.5));
        Assert.Contains("event: end", rest, StringComparison.Ordinal);
        Assert.Contains("/problems/forbidden", rest, StringComparison.Ordinal);
        using var again = Request("api/v1/indicators/summe/changes", "planung");
        again.Headers.Add("Last-Event-ID", id);
        Assert.Equal(HttpStatusCode.Forbidden, (await _bezirk.SendAsync(again)).StatusCode);

        // Under another agreement what was seen is not continued: it may give something else.
        await AgreeAsync("w", new() { ["areas"] = new JsonArray("12") });
        await SoonAsync("changes", "summe", "planung");
        using var other = Request("api/v1/indicators/summe/changes?lastEventId=" + Uri.EscapeDataString(id), "planung");
        using var fresh = await _bezirk.SendAsync(other, HttpCompletionOption.ResponseHeadersRead);
        using var events = new StreamReader(await fresh.Content.ReadAsStreamAsync());
        string? first;
        while ((first = await events.ReadLineAsync()) is not null && !first.StartsWith("event: ", StringComparison.Ordinal))
        {
        }

        Assert.Equal("event: reset", first);
    }

    private static DateTimeOffset At(int hour) => new(2026, 11, 1, hour, 0, 0, TimeSpan.Zero);

    /// <summary>What the values are, computed from the rows one by one.</summary>
    private static Dictionary<(int Hour, string Area), double> Sums(Func<(string Station, int Hour, string Area, string Kind, int Value), bool> where, Func<string, string>? area = null)
    {
        var sums = new Dictionary<(int, string), double>();
        foreach (var row in s_rows.Where(where))
        {
            var key = (row.Hour, area is null ? row.Area : area(row.Area));
            sums[key] = sums.GetValueOrDefault(key) + row.Value;
        }

        return sums;
    }

    private Task<JsonDocument> IndicatorAsync(string id, object measure, string? filter = null, bool byArea = true) => OkAsync(_amt.PutAsJsonAsync($"api/v1/indicators/{id}", new
    {
        title = id,
        dataset = "laerm",
        measure,
        window = "PT1H",
        timeZone = "Etc/UTC",
        groupBy = byArea ? new[] { "area" } : [],
        filter,
    }));

    private async Task<Dictionary<(int Hour, string Area), double>> ValuesAsync(string indicator, string parameters = "", string way = "values") =>
        (await SoonAsync(way, indicator, "planung", parameters)).Rows.ToDictionary(row => (row.GetProperty("from").GetDateTimeOffset().UtcDateTime.Hour, row.GetProperty("area").GetString()!), row => row.GetProperty("value").GetDouble());

    /// <summary>The answer once the agreement that was just made is known, and the indicator has been filled.</summary>
    private async Task<Answer> SoonAsync(string way, string indicator, string purpose, string parameters = "")
    {
        for (var tries = 0; ; tries++, await Task.Delay(50))
        {
            var answer = await GetAsync(way, indicator, purpose, parameters: parameters);
            if (answer.Status == HttpStatusCode.OK) return answer;
            Assert.True(tries < 100 && answer.Status is HttpStatusCode.Forbidden or HttpStatusCode.ServiceUnavailable, $"{way} {indicator}{parameters}: {answer.Text}");
        }
    }

    private async Task<Answer> GetAsync(string way, string indicator, string? purpose, HttpClient? client = null, string parameters = "")
    {
        var now = Uri.EscapeDataString(_watermark);
        var cell = parameters.Contains("from=", StringComparison.Ordinal) ? "" : "&from=2026-11-01T02:00:00Z&area=11";
        var path = way switch
        {
            "explain" => $"indicators/{indicator}/explain?watermark={now}{cell}",
            "diff" => $"indicators/{indicator}/diff?since=2026-11-01&watermark={now}",
            "changes" => $"indicators/{indicator}/changes?from=2026-11-01",
            "many" => $"values?indicator={indicator}&watermark={now}",
            "rows" => $"datasets/laerm/records?watermark={now}",
            _ when parameters.Contains("asOf", StringComparison.Ordinal) => $"indicators/{indicator}/{way}?limit=1000",
            _ => $"indicators/{indicator}/{way}?watermark={now}",
        };
        using var request = Request("api/v1/" + path + parameters, purpose);
        using var answer = await (client ?? _bezirk).SendAsync(request, way == "changes" ? HttpCompletionOption.ResponseHeadersRead : HttpCompletionOption.ResponseContentRead);
        if (way != "changes" || !answer.IsSuccessStatusCode) return new(answer.StatusCode, await answer.Content.ReadAsStringAsync());
        using var stream = new StreamReader(await answer.Content.ReadAsStreamAsync());
        while (await stream.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("data: {\"indicator\"", StringComparison.Ordinal)) return new(answer.StatusCode, line[6..]);
        }

        return new(HttpStatusCode.ServiceUnavailable, "");
    }

    private static HttpRequestMessage Request(string path, string? purpose)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (purpose is not null) request.Headers.Add("DataHub-Purpose", purpose);
        return request;
    }

    private static async Task<JsonElement> ReportAsync(HttpClient client, string id) => (await OkAsync(client.GetAsync($"api/v1/agreements/{id}/usage"))).RootElement;

    private static async Task WaitAsync(Func<Task<bool>> until)
    {
        for (var tries = 0; !await until(); tries++, await Task.Delay(100)) Assert.True(tries < 150, "it did not come about");
    }

    private async Task AgreeAsync(string id, JsonObject data, JsonObject? delivery = null)
    {
        var terms = JsonNode.Parse($$"""
            { "title": "Lärm für die Planung", "provider": "amt", "recipient": "bezirk", "dataset": "laerm", "purposes": [ { "id": "planung", "text": "Bauleitplanung" } ],
              "forbiddenPurposes": [ { "id": "werbung", "text": "Werbung" } ], "legalBasis": "§ 12 EGovG", "use": { "onwardTransfer": "none", "publication": "aggregatesOnly" },
              "duties": [ { "id": "bericht", "kind": "report", "text": "Bericht über die Nutzung", "every": "P30D", "missed": "notice" } ],
              "term": { "from": "{{DateTimeOffset.UtcNow.AddMinutes(-5):yyyy-MM-dd'T'HH:mm:ss'Z'}}", "until": "{{DateTimeOffset.UtcNow.AddYears(1):yyyy-MM-dd'T'HH:mm:ss'Z'}}", "notice": "P1M" } }
            """)!.AsObject();
        terms["data"] = data;
        if (delivery is not null) terms["delivery"] = delivery;
        await OkAsync(_amt.PutAsJsonAsync($"api/v1/agreements/{id}", terms));
        foreach (var (client, act) in new[] { (_amt, "acknowledge-charter"), (_amt, "offer"), (_bezirk, "acknowledge-charter"), (_amt, "agree"), (_bezirk, "agree") }) await OkAsync(ActAsync(client, act, id));
    }

    private static Task<HttpResponseMessage> ActAsync(HttpClient client, string act, string id, string? reason = null) => client.PostAsJsonAsync($"api/v1/agreements/{id}/acts", new { act, reason });

    private sealed record Answer(HttpStatusCode Status, string Text)
    {
        public JsonElement Root => JsonDocument.Parse(Text).RootElement;

        public JsonElement[] Rows => Root.TryGetProperty("rows", out var rows) ? [.. rows.EnumerateArray()] : [.. Root.GetProperty("indicators")[0].GetProperty("rows").EnumerateArray()];
    }
}
