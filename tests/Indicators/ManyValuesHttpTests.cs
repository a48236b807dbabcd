using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Indicators;

/// <summary>Several indicators in one call.</summary>
public sealed class ManyValuesHttpTests(HubFixture hub) : IClassFixture<HubFixture>
{
    private static readonly TableSchema s_schema = Contracts.Schema(
        ["station", "time"],
        Contracts.Field("station", FieldType.String, FieldRole.Series),
        Contracts.Field("time", FieldType.DateTime, FieldRole.Time),
        Contracts.Field("kind", FieldType.String, FieldRole.Dimension),
        Contracts.Field("count", FieldType.String, FieldRole.Dimension),
        Contracts.Field("no2", FieldType.Number, FieldRole.Measure));

    [Fact]
    public async Task Each_indicator_answers_as_on_its_own_route_in_the_order_asked_for()
    {
        await CityAsync("together");
        using var answer = await hub.Anonymous.GetAsync("api/v1/values?indicator=together-sum,together-max&from=2026-03-02");
        var each = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("indicators").EnumerateArray().ToArray();
        var watermarks = new List<string>();
        foreach (var (id, index) in new[] { ("together-sum", 0), ("together-max", 1) })
        {
            using var alone = await hub.Anonymous.GetAsync($"api/v1/indicators/{id}/values?from=2026-03-02");
            Assert.Equal(await alone.Content.ReadAsStringAsync(), each[index].GetRawText());
            watermarks.Add($"{id}={alone.Headers.GetValues("DataHub-Watermark").Single()}");
        }

        Assert.Equal(string.Join(", ", watermarks), answer.Headers.GetValues("DataHub-Watermark").Single());
        var latest = (await OkAsync(hub.Anonymous.GetAsync("api/v1/values?indicator=together-sum&latest=true"))).RootElement.GetProperty("indicators")[0];
        Assert.Equal("""[{"from":"2026-03-02T09:00:00Z","to":"2026-03-02T10:00:00Z","value":4,"count":1,"state":"ok","coverage":{"series":1,"before":2}}]""", latest.GetProperty("rows").GetRawText());
    }

    [Fact]
    public async Task One_tag_stands_for_all_of_them()
    {
        var agency = await CityAsync("tagged");
        const string Path = "api/v1/values?indicator=tagged-sum,tagged-max";
        using var first = await hub.Anonymous.GetAsync(Path);
        using var same = await hub.Anonymous.SendAsync(new(HttpMethod.Get, Path) { Headers = { IfNoneMatch = { first.Headers.ETag! } } });
        Assert.Equal(HttpStatusCode.NotModified, same.StatusCode);
        using var head = await hub.Anonymous.SendAsync(new(HttpMethod.Head, Path));
        Assert.Equal((first.Headers.ETag, first.Content.Headers.ContentLength), (head.Headers.ETag, head.Content.Headers.ContentLength));

        var watermark = await PushAsync(agency, "tagged", """{"station":"z","time":"2026-03-02T08:00:00Z","no2":100}""");
        foreach (var id in new[] { "tagged-sum", "tagged-max" }) await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/{id}/values?watermark={watermark}"));
        using var changed = await hub.Anonymous.SendAsync(new(HttpMethod.Get, Path) { Headers = { IfNoneMatch = { first.Headers.ETag! } } });
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        Assert.NotEqual(first.Headers.ETag, changed.Headers.ETag);
    }

    [Fact]
    public async Task The_long_form_has_a_row_per_indicator_window_and_dimension()
    {
        await CityAsync("long");
        var version = new Dictionary<string, long>();
        foreach (var id in new[] { "long-sum", "long-max" }) version[id] = (await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/{id}/values"))).RootElement.GetProperty("version").GetInt64();
        var (sum, max) = (version["long-sum"], version["long-max"]);
        Assert.Equal(
            "indicator,from,to,kind,dimensions.count,value,count,state,series,seriesBefore,unit,definition,version\r\n"
            + $"long-sum,2026-03-02T08:00:00Z,2026-03-02T09:00:00Z,,,3.75,2,ok,2,0,,1,{sum}\r\n"
            + $"long-sum,2026-03-02T09:00:00Z,2026-03-02T10:00:00Z,,,4,1,ok,1,2,,1,{sum}\r\n"
            + $"long-max,2026-03-02T08:00:00Z,2026-03-02T09:00:00Z,a,x,1.5,1,ok,1,0,ug/m3,1,{max}\r\n"
            + $"long-max,2026-03-02T08:00:00Z,2026-03-02T09:00:00Z,b,,2.25,1,ok,1,0,ug/m3,1,{max}\r\n"
            + $"long-max,2026-03-02T09:00:00Z,2026-03-02T10:00:00Z,a,,4,1,ok,1,0,ug/m3,1,{max}\r\n",
            await hub.Anonymous.GetStringAsync("api/v1/values?indicator=long-sum,long-max&format=csv"));
        Assert.Contains(";3,75;2;", await hub.Anonymous.GetStringAsync("api/v1/values?indicator=long-sum,long-max&format=csv-de"), StringComparison.Ordinal);
        var lines = (await hub.Anonymous.GetStringAsync("api/v1/values?indicator=long-sum,long-max&format=ndjson")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal($$"""{"indicator":"long-max","from":"2026-03-02T08:00:00Z","to":"2026-03-02T09:00:00Z","dimensions":{"kind":"a","count":"x"},"value":1.5,"count":1,"state":"ok","coverage":{"series":1,"before":0},"unit":"ug/m3","definition":1,"version":{{max}}}""", lines[2]);
    }

    [Fact]
    public async Task An_indicator_with_more_rows_leads_to_its_own_route()
    {
        await CityAsync("more");
        var each = (await OkAsync(hub.Anonymous.GetAsync("api/v1/values?indicator=more-sum,more-max&limit=2"))).RootElement.GetProperty("indicators");
        Assert.Equal(JsonValueKind.Null, each[0].GetProperty("next").ValueKind);
        var next = each[1].GetProperty("next").GetString()!;
        Assert.StartsWith("/api/v1/indicators/more-max/values?limit=2&after=", next, StringComparison.Ordinal);
        Assert.Single((await OkAsync(hub.Anonymous.GetAsync(next))).RootElement.GetProperty("rows").EnumerateArray());
        using var csv = await hub.Anonymous.GetAsync("api/v1/values?indicator=more-sum,more-max&limit=2&format=csv");
        var link = Assert.Single(csv.Headers.GetValues("Link"), link => link.Contains("rel=\"next\"", StringComparison.Ordinal));
        Assert.EndsWith("; rel=\"next\"; title=\"more-max\"", link, StringComparison.Ordinal);
        Assert.Contains("format=csv", link, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Indicators_of_one_dataset_are_of_one_moment_while_rows_stream_in()
    {
        var agency = await hub.AgencyAsync("moment-agency", KeyRole.Admin);
        await hub.PutDatasetAsync("moment", "moment-agency", DatasetKind.Observations, s_schema, partitions: 3);
        foreach (var (suffix, measure) in new (string, object)[] { ("count", new { function = "count" }), ("ones", new { function = "sum", field = "no2" }), ("kinds", new { function = "count" }) })
        {
            await OkAsync(agency.PutAsJsonAsync($"api/v1/indicators/moment-{suffix}", new
            {
                title = new { de = suffix },
                dataset = "moment",
                measure,
                window = "P1D",
                groupBy = suffix == "kinds" ? new[] { "kind" } : [],
                access = "open",
            }));
        }

        await OkAsync(agency.PutAsJsonAsync("api/v1/indicators/moment-mean", new { title = new { de = "f" }, dataset = "moment", formula = "\"moment-ones\" / \"moment-count\"", access = "open" }));
        await PushAsync(agency, "moment", Ones(0));
        using var stop = new CancellationTokenSource();
        var last = "";
        var pushing = Task.Run(async () =>
        {
            for (var i = 1; !stop.IsCancellationRequested; i++) last = await PushAsync(agency, "moment", Ones(i));
        });
        var asked = 0;
        var watermarks = new HashSet<string>();
        try
        {
            for (; asked < 120 || (watermarks.Count <= 5 && asked < 5_000); asked++)
            {
                var latest = asked % 3 == 1 ? "&latest=true" : "";
                using var answer = await hub.Anonymous.GetAsync("api/v1/values?indicator=moment-count,moment-ones,moment-kinds,moment-mean" + latest);
                var text = await answer.Content.ReadAsStringAsync();
                Assert.True(answer.IsSuccessStatusCode, text);
                var each = JsonDocument.Parse(text).RootElement.GetProperty("indicators").EnumerateArray().ToArray();
                var watermark = Assert.Single(each.Select(one => one.GetProperty("watermark").GetString()).Distinct());
                Assert.Single(answer.Headers.GetValues("DataHub-Watermark").Single().Split(", ").Select(one => one[(one.IndexOf('=', StringComparison.Ordinal) + 1)..]).Distinct());
                var counts = Array.ConvertAll(each, one => one.GetProperty("rows").EnumerateArray().Sum(row => row.GetProperty("count").GetInt64()));
                Assert.Equal(counts[0], counts[1]);
                Assert.Equal(counts[0], counts[2]);
                Assert.Equal(counts[0], each[1].GetProperty("rows")[0].GetProperty("value").GetInt64());
                Assert.Equal(1, each[3].GetProperty("rows")[0].GetProperty("value").GetDouble());
                watermarks.Add(watermark!);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await pushing;
        }

        Assert.True(watermarks.Count > 5, $"{watermarks.Count} watermarks in {asked} answers");

        // One reads what one wrote, in every format; and what did not change is 304.
        using var own = await hub.Anonymous.GetAsync($"api/v1/values?indicator=moment-count,moment-ones&watermark={last}");
        var all = JsonDocument.Parse(await own.Content.ReadAsStringAsync()).RootElement.GetProperty("indicators");
        Assert.True(DataHub.Feeds.Watermark.TryParse(last, out var mine) && DataHub.Feeds.Watermark.TryParse(all[0].GetProperty("watermark").GetString()!, out var told)
            && mine!.Sequences.Zip(told!.Sequences, (least, sequence) => least <= sequence).All(holds => holds));
        Assert.Equal(all[0].GetProperty("watermark").GetString(), all[1].GetProperty("watermark").GetString());
        using var same = await hub.Anonymous.SendAsync(new(HttpMethod.Get, "api/v1/values?indicator=moment-count,moment-ones") { Headers = { IfNoneMatch = { own.Headers.ETag! } } });
        Assert.Equal(HttpStatusCode.NotModified, same.StatusCode);
        var lines = (await hub.Anonymous.GetStringAsync($"api/v1/values?indicator=moment-count,moment-ones&format=csv&watermark={last}")).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, lines.Length);
        Assert.Equal(lines[1].Split(',')[4], lines[2].Split(',')[4]);

        static string Ones(int push) => string.Join('\n', Enumerable.Range(0, 3).Select(i =>
            JsonSerializer.Serialize(new { station = $"s{(push * 7) + i}", time = "2026-03-02T08:00:00Z", kind = $"k{i % 2}", no2 = 1 })));
    }

    [Fact]
    public async Task A_watermark_is_of_the_dataset_of_one_of_them()
    {
        var agency = await CityAsync("mine");
        await CityAsync("other");
        var watermark = await PushAsync(agency, "mine", """{"station":"z","time":"2026-03-02T08:00:00Z","no2":100}""");
        var each = (await OkAsync(hub.Anonymous.GetAsync($"api/v1/values?indicator=other-sum,mine-sum&watermark={watermark}"))).RootElement.GetProperty("indicators");
        Assert.Equal(watermark, each[1].GetProperty("watermark").GetString());
        var refused = await RefusedAsync(hub.Anonymous.GetAsync($"api/v1/values?indicator=other-sum&watermark={watermark}"), 400, "invalid-parameter");
        Assert.Equal("watermark", refused.RootElement.GetProperty("parameter").GetString());
    }

    [Fact]
    public async Task Who_asks_wrongly_is_told_which_indicator_or_parameter()
    {
        await CityAsync("wrong");
        var unknown = await RefusedAsync(hub.Anonymous.GetAsync("api/v1/values?indicator=wrong-sum,nobody"), 404, "not-found");
        Assert.Equal("nobody", unknown.RootElement.GetProperty("id").GetString());
        await RefusedAsync(hub.Anonymous.GetAsync("api/v1/values?indicator=wrong-sum,NO%20BODY"), 404, "not-found");
        var closed = await RefusedAsync(hub.Anonymous.GetAsync("api/v1/values?indicator=wrong-sum,wrong-closed&format=csv"), 401);
        Assert.Contains("wrong-closed", closed.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
        foreach (var (query, parameter) in new[]
        {
            ("", "indicator"), ("indicator=", "indicator"), ("indicator=wrong-sum,wrong-sum", "indicator"), ("indicator=wrong-sum&latest=ja", "latest"), ("indicator=wrong-sum&watermark=w1.x", "watermark"),
            ("indicator=wrong-sum,wrong-max,nobody&limit=7000", "limit"), ("indicator=wrong-sum&format=parquet", "format"), ("indicator=" + string.Join(',', Enumerable.Range(0, 21).Select(i => $"i{i}")), "indicator"),
        })
        {
            var refused = await RefusedAsync(hub.Anonymous.GetAsync($"api/v1/values?{query}"), 400, "invalid-parameter");
            Assert.Equal(parameter, refused.RootElement.GetProperty("parameter").GetString());
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, "api/v1/values?indicator=wrong-sum") { Headers = { { "Accept", "application/geo+json" } } };
        await RefusedAsync(hub.Anonymous.SendAsync(request), 406, "not-acceptable");
    }

    /// <summary>A dataset with a sum over everything, a maximum by dimensions and a sum that is not open, all up to date.</summary>
    private async Task<HttpClient> CityAsync(string name)
    {
        var agency = await hub.AgencyAsync($"{name}-agency", KeyRole.Admin);
        await hub.PutDatasetAsync(name, $"{name}-agency", DatasetKind.Observations, s_schema);
        await PutAsync("sum", "sum", [], null, "open");
        await PutAsync("max", "max", ["kind", "count"], "ug/m3", "open");
        await PutAsync("closed", "sum", [], null, "internal");
        var watermark = await PushAsync(agency, name, """
            {"station":"a","time":"2026-03-02T08:00:00Z","kind":"a","count":"x","no2":1.5}
            {"station":"b","time":"2026-03-02T08:00:00Z","kind":"b","no2":2.25}
            {"station":"a","time":"2026-03-02T09:00:00Z","kind":"a","no2":4}
            """);
        foreach (var kind in new[] { "sum", "max" }) await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/{name}-{kind}/values?watermark={watermark}"));
        return agency;

        async Task PutAsync(string suffix, string function, string[] groupBy, string? unit, string access) => await OkAsync(agency.PutAsJsonAsync(
            $"api/v1/indicators/{name}-{suffix}",
            new { title = new { de = suffix }, dataset = name, measure = new { function, field = "no2" }, window = "PT1H", groupBy, unit, access }));
    }

    private static async Task<string> PushAsync(HttpClient client, string dataset, string rows) =>
        (await OkAsync(client.PostAsync($"api/v1/datasets/{dataset}/feeds/default/records", new StringContent(rows, Encoding.UTF8, "application/x-ndjson")))).RootElement.GetProperty("watermark").GetString()!;
}
