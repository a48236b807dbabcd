using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;

using Xunit.Abstractions;

using static DataHub.Support.HubFixture;

namespace DataHub.Indicators;

/// <summary>The past through the public door: as of an instant, by an earlier definition, explained, compared.</summary>
public sealed class ExplainHttpTests(HubFixture hub, ITestOutputHelper output) : IClassFixture<HubFixture>
{
    private static readonly TableSchema s_schema = Contracts.Schema(
        ["station", "time"],
        Contracts.Field("station", FieldType.String, FieldRole.Series), Contracts.Field("time", FieldType.DateTime, FieldRole.Time),
        Contracts.Field("kind", FieldType.String, FieldRole.Dimension), Contracts.Field("no2", FieldType.Number, FieldRole.Measure),
        Contracts.Field("person", FieldType.String, FieldRole.Personal), Contracts.Field("receipt", FieldType.String));

    [Fact]
    public async Task A_published_figure_comes_again_after_ten_thousand_corrections_and_another_definition()
    {
        var agency = await CityAsync("published", "mean");
        var first = await PushAsync(agency, "published", Rows(10_000, i => i / 7.0));
        var published = (await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/published/values?watermark={first}"))).RootElement;
        Assert.Equal(10_000, published.GetProperty("rows")[0].GetProperty("count").GetInt64());

        var second = await PushAsync(agency, "published", Rows(10_000, i => -i));
        await PutAsync(agency, "published", "max", "open");
        await UntilAsync("published", definition: 2, second);

        using var answer = await hub.Anonymous.GetAsync($"api/v1/indicators/published/values?asOf={first}&definition=1");
        var again = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal(published.GetProperty("rows").GetRawText(), again.GetProperty("rows").GetRawText());
        Assert.Equal((first, 1, published.GetProperty("asOf").GetString()), (again.GetProperty("watermark").GetString(), again.GetProperty("definition").GetInt32(), again.GetProperty("asOf").GetString()));
        Assert.Equal(first, answer.Headers.GetValues("DataHub-Watermark").Single());
        using var same = new HttpRequestMessage(HttpMethod.Get, $"api/v1/indicators/published/values?asOf={first}&definition=1") { Headers = { IfNoneMatch = { answer.Headers.ETag! } } };
        using var known = await hub.Anonymous.SendAsync(same);
        Assert.Equal(HttpStatusCode.NotModified, known.StatusCode);

        var versions = (await OkAsync(hub.Anonymous.GetAsync("api/v1/indicators/published/definitions?limit=1"))).RootElement;
        Assert.Equal((2, 1, "mean"), (versions.GetProperty("present").GetInt32(), versions.GetProperty("definitions")[0].GetProperty("version").GetInt32(),
            versions.GetProperty("definitions")[0].GetProperty("measure").GetProperty("function").GetString()));
        var rest = (await OkAsync(hub.Anonymous.GetAsync(versions.GetProperty("next").GetString()))).RootElement;
        Assert.Equal((2, JsonValueKind.Null), (rest.GetProperty("definitions")[0].GetProperty("version").GetInt32(), rest.GetProperty("next").ValueKind));

        // The old figure is explained too: every row as it was then, nothing of what came later.
        var explained = (await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/published/explain?from=2026-03-02&dim.kind=a&asOf={first}&definition=1&limit=3"))).RootElement;
        Assert.Equal(published.GetProperty("rows")[0].GetProperty("value").GetRawText(), explained.GetProperty("recomputed").GetRawText());
        Assert.All(explained.GetProperty("rows").EnumerateArray(), row => Assert.Empty(row.GetProperty("corrections").EnumerateArray()));
        Assert.Equal(1, explained.GetProperty("definition").GetProperty("version").GetInt32());
        var present = (await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/published/explain?from=2026-03-02&dim.kind=a&limit=3"))).RootElement;
        Assert.Equal((0.0, 0.0), (present.GetProperty("value").GetDouble(), present.GetProperty("recomputed").GetDouble()));

        var times = new List<double>();
        for (var i = 0; i < 30; i++)
        {
            var clock = Stopwatch.StartNew();
            await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/published/explain?from=2026-03-02&dim.kind=a&limit={100 + i}&asOf={(i % 2 == 0 ? first : second)}"));
            times.Add(clock.Elapsed.TotalMilliseconds);
        }

        output.WriteLine($"explain of 10,000 rows: {string.Join(' ', times.Select(t => t.ToString("F0", CultureInfo.InvariantCulture)))} ms");
    }

    [Fact]
    public async Task An_explanation_names_rows_pushes_and_what_stood_before_and_pages_stay_at_one_watermark()
    {
        var agency = await CityAsync("told", "sum");
        await PushAsync(agency, "told", """{"station":"a","time":"2026-03-02T08:00:00Z","kind":"a","no2":1,"person":"Frau Muster","receipt":"own"}""");
        await PushAsync(agency, "told", """{"station":"a","time":"2026-03-02T08:00:00Z","kind":"a","no2":2,"person":"Frau Muster"}""");
        var third = await PushAsync(agency, "told", """{"station":"b","time":"2026-03-02T08:30:00Z","kind":"a","no2":5}""");
        using var answer = await hub.Anonymous.GetAsync($"api/v1/indicators/told/explain?from=2026-03-02T09:15:00Z&dim.kind=a&limit=1&watermark={third}");
        var text = await answer.Content.ReadAsStringAsync();
        var page = JsonDocument.Parse(text).RootElement;
        Assert.Equal(("2026-03-01T23:00:00Z", 7.0, 7.0, 2, "ok"), (page.GetProperty("from").GetString(), page.GetProperty("value").GetDouble(), page.GetProperty("recomputed").GetDouble(),
            page.GetProperty("rowCount").GetInt32(), page.GetProperty("state").GetString()));
        Assert.DoesNotContain("Muster", text, StringComparison.Ordinal);
        var row = Assert.Single(page.GetProperty("rows").EnumerateArray());
        Assert.Equal(("a", 2.0, "default"), (row.GetProperty("station").GetString(), row.GetProperty("no2").GetDouble(), row.GetProperty("feed").GetString()));
        var before = Assert.Single(row.GetProperty("corrections").EnumerateArray());
        Assert.Equal((1.0, "own"), (before.GetProperty("no2").GetDouble(), before.GetProperty("fields.receipt").GetString()));
        Assert.NotEqual(row.GetProperty("receipt").GetString(), before.GetProperty("receipt").GetString());
        Assert.True(before.GetProperty("receivedAt").GetDateTimeOffset() < row.GetProperty("receivedAt").GetDateTimeOffset());

        // What comes between two pages is on neither.
        await PushAsync(agency, "told", """{"station":"c","time":"2026-03-02T08:45:00Z","kind":"a","no2":100}""");
        var next = (await OkAsync(hub.Anonymous.GetAsync(page.GetProperty("next").GetString()))).RootElement;
        Assert.Equal(("b", 7.0, third), (next.GetProperty("rows")[0].GetProperty("station").GetString(), next.GetProperty("value").GetDouble(), next.GetProperty("watermark").GetString()));
        Assert.Equal(JsonValueKind.Null, next.GetProperty("next").ValueKind);

        using var head = await hub.Anonymous.SendAsync(new(HttpMethod.Head, $"api/v1/indicators/told/explain?from=2026-03-02&dim.kind=a&limit=1&asOf={third}"));
        Assert.Equal((HttpStatusCode.OK, third), (head.StatusCode, head.Headers.GetValues("DataHub-Watermark").Single()));
        using var cors = new HttpRequestMessage(HttpMethod.Get, $"api/v1/indicators/told/explain?from=2026-03-02&dim.kind=a") { Headers = { { "Origin", "https://example.org" } } };
        using var crossed = await hub.Anonymous.SendAsync(cors);
        Assert.Equal("*", crossed.Headers.GetValues("Access-Control-Allow-Origin").Single());

        var empty = (await OkAsync(hub.Anonymous.GetAsync("api/v1/indicators/told/explain?from=2020-01-01&dim.kind="))).RootElement;
        Assert.Equal((JsonValueKind.Null, 0, 0), (empty.GetProperty("value").ValueKind, empty.GetProperty("count").GetInt32(), empty.GetProperty("rows").GetArrayLength()));
    }

    [Fact]
    public async Task A_difference_says_what_was_new_corrected_and_retracted()
    {
        var agency = await CityAsync("moved", "sum");
        var since = await PushAsync(agency, "moved", """
            {"station":"a","time":"2026-03-02T08:00:00Z","kind":"a","no2":1,"person":"x"}
            {"station":"b","time":"2026-03-02T08:00:00Z","kind":"a","no2":2}
            {"station":"c","time":"2026-03-02T08:00:00Z","kind":"b","no2":4}
            {"station":"d","time":"2026-03-02T08:00:00Z","kind":"b","no2":8}
            """);
        await PushAsync(agency, "moved", """{"station":"b","time":"2026-03-02T08:00:00Z","@delete":true}""");
        await PushAsync(agency, "moved", """{"station":"a","time":"2026-03-02T08:00:00Z","kind":"b","no2":1}""");
        // The first changes what is not measured, so no number moved by it.
        var until = await PushAsync(agency, "moved", """
            {"station":"d","time":"2026-03-02T08:00:00Z","kind":"b","no2":8,"person":"y"}
            {"station":"e","time":"2026-03-03T08:00:00Z","kind":"b","no2":16}
            """);
        var page = (await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/moved/diff?since={since}&until={until}"))).RootElement;
        Assert.Equal("a 3→ corrected:a retracted:b ; b 12→13 corrected:a ; b →16 new:e", string.Join(" ; ", page.GetProperty("cells").EnumerateArray().Select(Line)));
        Assert.Equal((since, until), (page.GetProperty("since").GetString(), page.GetProperty("until").GetString()));
        var retracted = page.GetProperty("cells")[0].GetProperty("rows").EnumerateArray().Single(row => row.GetProperty("change").GetString() == "retracted");
        var before = retracted.GetProperty("before");
        Assert.NotEqual(retracted.GetProperty("receipt").GetString(), before.GetProperty("receipt").GetString());
        Assert.True(retracted.GetProperty("receivedAt").GetDateTimeOffset() > before.GetProperty("receivedAt").GetDateTimeOffset());

        var lines = new List<string>();
        for (var next = $"api/v1/indicators/moved/diff?since={since}&limit=1&whole=true"; next is not null;)
        {
            var one = (await OkAsync(hub.Anonymous.GetAsync(next))).RootElement;
            lines.AddRange(one.GetProperty("cells").EnumerateArray().Select(Line));
            next = one.GetProperty("next").GetString();
        }

        Assert.Equal(["a 3→ corrected:a", "a 3→ retracted:b", "b 12→13 corrected:a", "b →16 new:e"], lines);
        var narrow = (await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/moved/diff?since={since}&from=2026-03-03&dim.kind=b"))).RootElement;
        Assert.Equal("b →16 new:e", Line(Assert.Single(narrow.GetProperty("cells").EnumerateArray())));
        await RefusedAsync(hub.Anonymous.GetAsync($"api/v1/indicators/moved/diff?since={until}&until={since}"), 400, "invalid-parameter");

        static string Line(JsonElement cell) =>
            $"{cell.GetProperty("dimensions").GetProperty("kind").GetString()} {Value(cell.GetProperty("before"))}→{Value(cell.GetProperty("after"))} "
            + string.Join(' ', cell.GetProperty("rows").EnumerateArray().Select(row => $"{row.GetProperty("change").GetString()}:{row.GetProperty("station").GetString()}"));

        static string Value(JsonElement side) => side.ValueKind == JsonValueKind.Null ? "" : side.GetProperty("value").GetRawText();
    }

    [Fact]
    public async Task What_is_not_open_or_suppressed_is_not_told_by_an_explanation_either()
    {
        var agency = await CityAsync("secret", "sum", AccessClass.Internal);
        var since = await PushAsync(agency, "secret", """{"station":"a","time":"2026-03-02T08:00:00Z","kind":"a","no2":41.5}""");
        var watermark = await PushAsync(agency, "secret", """{"station":"b","time":"2026-03-02T08:00:00Z","kind":"a","no2":0.25}""");

        // An open indicator over rows that are not: the number and how many rows, not the rows.
        var open = (await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/secret/explain?from=2026-03-02&dim.kind=a&watermark={watermark}"))).RootElement;
        Assert.Equal((41.75, 41.75, 2), (open.GetProperty("value").GetDouble(), open.GetProperty("recomputed").GetDouble(), open.GetProperty("rowCount").GetInt32()));
        Assert.False(open.TryGetProperty("rows", out _));
        var moved = (await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/secret/diff?since={since}"))).RootElement.GetProperty("cells")[0];
        Assert.Equal(1, moved.GetProperty("moved").GetInt32());
        Assert.False(moved.TryGetProperty("rows", out _));
        Assert.Equal(2, (await OkAsync(agency.GetAsync($"api/v1/indicators/secret/explain?from=2026-03-02&dim.kind=a"))).RootElement.GetProperty("rows").GetArrayLength());

        await PutAsync(agency, "secret", "sum", "open", minimumCount: 3);
        await UntilAsync("secret", 2, watermark);
        foreach (var path in new[] { "explain?from=2026-03-02&dim.kind=a", $"explain?from=2026-03-02&dim.kind=a&definition=1&asOf={watermark}", $"diff?since={since}", $"diff?since={since}&definition=1", $"values?definition=1&asOf={since}" })
        {
            var text = await hub.Anonymous.GetStringAsync("api/v1/indicators/secret/" + path);
            Assert.DoesNotContain("41.", text, StringComparison.Ordinal);
            Assert.DoesNotContain("\"count\":2", text, StringComparison.Ordinal);
            Assert.DoesNotContain("\"count\":1", text, StringComparison.Ordinal);
            Assert.DoesNotContain("\"rowCount\":2", text, StringComparison.Ordinal);
            Assert.DoesNotContain("\"station\"", text, StringComparison.Ordinal);
            Assert.Contains("suppressed", text, StringComparison.Ordinal);
        }

        var mine = (await OkAsync(agency.GetAsync("api/v1/indicators/secret/explain?from=2026-03-02&dim.kind=a"))).RootElement;
        Assert.Equal((JsonValueKind.Null, 41.75, 2), (mine.GetProperty("value").ValueKind, mine.GetProperty("recomputed").GetDouble(), mine.GetProperty("rows").GetArrayLength()));

        await PutAsync(agency, "secret", "sum", "internal");
        await RefusedAsync(hub.Anonymous.GetAsync("api/v1/indicators/secret/explain?from=2026-03-02&dim.kind=a"), 401, "unauthorized");
        await RefusedAsync(hub.Anonymous.GetAsync($"api/v1/indicators/secret/diff?since={since}"), 401, "unauthorized");
        await RefusedAsync(hub.Anonymous.GetAsync($"api/v1/indicators/secret/values?asOf={since}&definition=1"), 401, "unauthorized");
        var others = await hub.AgencyAsync("secret-others", KeyRole.Admin);
        await RefusedAsync(others.GetAsync("api/v1/indicators/secret/explain?from=2026-03-02&dim.kind=a"), 403, "forbidden");
    }

    [Fact]
    public async Task Moments_and_cells_that_there_are_not_are_refused_with_the_parameter()
    {
        var agency = await CityAsync("refusing", "sum");
        var watermark = await PushAsync(agency, "refusing", """{"station":"a","time":"2026-03-02T08:00:00Z","kind":"a","no2":1}""");
        var incarnation = await hub.Services.GetRequiredService<ILogStore>().IncarnationAsync(CancellationToken.None);
        var ahead = new Watermark(incarnation, "refusing", [1_000_000]).ToString();
        foreach (var (path, parameter) in new[]
        {
            ("values?asOf=2026-03-02T08:00:00", "asOf"), ("values?asOf=gestern", "asOf"), ("values?asOf=w1.x", "asOf"), ("values?definition=x", "definition"),
            ("explain?dim.kind=a", "from"), ("explain?from=x", "from"), ("explain?from=2026-03-02", "dim.kind"), ("explain?from=2026-03-02&dim.kind=a&dim.colour=b", "dim.colour"),
            ("explain?from=2026-03-02&dim.kind=a&limit=0", "limit"), ("explain?from=2026-03-02&dim.kind=a&after=c1.x", "after"), ("explain?from=2026-03-02&dim.kind=a&level=0", "level"),
            ("explain?from=2026-03-02&dim.kind=a&asof=2026-03-02", "asof"), ("explain?from=2026-03-02&dim.kind=a&definition=7", "definition"), ("explain?to=2026-03-02", "to"),
            ("diff", "since"), ("diff?since=x", "since"), ("diff?since=2026-03-02&until=x", "until"), ("diff?since=2026-03-02&limit=1001", "limit"), ("diff?since=2026-03-02&after=d1.x", "after"),
            ("diff?since=2999-01-01", "since"), ($"diff?since=2026-03-02&until={ahead}", "until"), ("diff?since=2026-03-02&dim.colour=", "dim.colour"), ("definitions?after=x", "after"),
        })
        {
            var refused = await RefusedAsync(hub.Anonymous.GetAsync("api/v1/indicators/refusing/" + path), 400, "invalid-parameter");
            Assert.Equal(parameter, refused.RootElement.GetProperty("parameter").GetString());
        }

        foreach (var path in new[] { "values?asOf=2999-01-01", "latest?asOf=2999-01-01T00:00:00Z", $"values?asOf={ahead}", "values?definition=7", $"values?asOf=2020-01-01&watermark={watermark}", $"explain?from=2026-03-02&dim.kind=a&asOf={ahead}" })
        {
            var refused = await RefusedAsync(hub.Anonymous.GetAsync("api/v1/indicators/refusing/" + path), 400, "invalid-parameter");
            Assert.DoesNotContain("w1.", refused.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        var gone = new Watermark(Guid.NewGuid(), "refusing", [1]).ToString();
        foreach (var path in new[] { $"values?asOf={gone}", $"explain?from=2026-03-02&dim.kind=a&watermark={gone}", $"diff?since={gone}", $"diff?since=2026-03-02&watermark={gone}" })
            await RefusedAsync(hub.Anonymous.GetAsync("api/v1/indicators/refusing/" + path), 410, "watermark-gone");
        foreach (var path in new[] { "explain?from=2026-03-02", "diff?since=2026-03-02", "definitions" })
            await RefusedAsync(hub.Anonymous.GetAsync("api/v1/indicators/refusing-not/" + path), 404, "not-found");

        using var english = new HttpRequestMessage(HttpMethod.Get, "api/v1/indicators/refusing/values?asOf=2999-01-01") { Headers = { { "Accept-Language", "en" } } };
        Assert.Contains("lies in the future", (await RefusedAsync(hub.Anonymous.SendAsync(english), 400)).RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answers_about_the_past_are_bounded_and_a_watermark_to_come_is_waited_for_in_bounds()
    {
        await using var own = await StartAsync(new Dictionary<string, string?> { ["DataHub:Read:MaxPastRows"] = "1000", ["DataHub:Read:MaxWait"] = "00:00:00.300" });
        var agency = await CityAsync("bounded", "sum", own: own);
        var watermark = await PushAsync(agency, "bounded", Rows(1_001, i => i));
        await OkAsync(own.Anonymous.GetAsync($"api/v1/indicators/bounded/values?watermark={watermark}"));
        foreach (var path in new[] { $"values?asOf={watermark}", "explain?from=2026-03-02&dim.kind=a", "diff?since=2026-01-01" })
        {
            var refused = await RefusedAsync(own.Anonymous.GetAsync("api/v1/indicators/bounded/" + path), 422, "too-many-cells");
            Assert.Contains("1000", refused.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        await OkAsync(own.Anonymous.GetAsync($"api/v1/indicators/bounded/values?asOf={watermark}&from=2026-03-04"));
        var incarnation = await own.Services.GetRequiredService<ILogStore>().IncarnationAsync(CancellationToken.None);
        var ahead = new Watermark(incarnation, "bounded", [1_000_000]).ToString();
        foreach (var path in new[] { "explain?from=2026-03-03&dim.kind=a", "diff?since=2026-03-01", "values?definition=1" })
        {
            using var later = await own.Anonymous.GetAsync($"api/v1/indicators/bounded/{path}&watermark={ahead}");
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "1"), (later.StatusCode, later.Headers.RetryAfter?.ToString()));
        }

        using var records = await own.Anonymous.GetAsync($"api/v1/datasets/bounded/records?watermark={ahead}");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, records.StatusCode);
    }

    [Fact]
    public async Task What_was_known_at_an_instant_is_answered_by_every_route_of_values_and_next_pages_stay_there()
    {
        var agency = await CityAsync("then", "sum");
        var first = await PushAsync(agency, "then", """
            {"station":"a","time":"2026-03-02T08:00:00Z","kind":"a","no2":1}
            {"station":"a","time":"2026-03-03T08:00:00Z","kind":"b","no2":2}
            """);
        var asOf = (await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/then/values?watermark={first}"))).RootElement.GetProperty("asOf").GetString()!;
        var last = await PushAsync(agency, "then", """{"station":"b","time":"2026-03-04T08:00:00Z","kind":"a","no2":4}""");
        Assert.Equal("1 2", await ValuesAsync($"api/v1/indicators/then/values?asOf={asOf}"));
        Assert.Equal("1 2", await ValuesAsync($"api/v1/indicators/then/latest?asOf={asOf}"));
        Assert.Equal("1 2 4", await ValuesAsync($"api/v1/indicators/then/values?asOf={last}"));
        Assert.Equal("", await ValuesAsync("api/v1/indicators/then/values?asOf=2020-01-01"));
        var many = (await OkAsync(hub.Anonymous.GetAsync($"api/v1/values?indicator=then&asOf={first}"))).RootElement.GetProperty("indicators")[0];
        Assert.Equal((first, 2), (many.GetProperty("watermark").GetString(), many.GetProperty("rows").GetArrayLength()));
        Assert.Equal(2, (await hub.Anonymous.GetStringAsync($"api/v1/indicators/then/values?asOf={first}&format=csv")).Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Length - 1);

        var page = (await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/then/values?asOf={asOf}&limit=1"))).RootElement;
        await PushAsync(agency, "then", """{"station":"c","time":"2026-03-03T09:00:00Z","kind":"b","no2":8}""");
        Assert.Equal("2", await ValuesAsync(page.GetProperty("next").GetString()!));

        async Task<string> ValuesAsync(string path) => string.Join(' ', (await OkAsync(hub.Anonymous.GetAsync(path))).RootElement.GetProperty("rows").EnumerateArray().Select(row => row.GetProperty("value").GetRawText()));
    }

    [Fact]
    public async Task Open_records_and_how_long_they_took_are_explained_and_remembered()
    {
        var agency = await hub.AgencyAsync("cases-agency", KeyRole.Admin);
        await hub.PutDatasetAsync("cases", "cases-agency", DatasetKind.Records, Contracts.Schema(
            ["id"], Contracts.Field("id", FieldType.String), Contracts.Field("opened", FieldType.DateTime, FieldRole.Opened), Contracts.Field("closed", FieldType.DateTime, FieldRole.Closed)));
        foreach (var (id, function, field) in new[] { ("cases-open", MeasureFunction.Open, (string?)null), ("cases-took", MeasureFunction.Mean, IndicatorSpec.DurationField) })
        {
            var put = await hub.Grains.GetGrain<IIndicatorGrain>(id).PutAsync(Caller.Hub, new(new(id, null), "cases", function, field, "PT1H", "Europe/Berlin", false, [], null, null, AccessClass.Open));
            Assert.True(put.Refusal == CatalogRefusal.None, put.Detail?.De);
        }

        var first = await PushAsync(agency, "cases", """
            {"id":"a","opened":"2026-03-02T08:10:00Z"}
            {"id":"b","opened":"2026-03-02T08:20:00Z","closed":"2026-03-02T08:50:00Z"}
            {"id":"c","opened":"2026-03-02T09:20:00Z"}
            """);
        var second = await PushAsync(agency, "cases", """
            {"id":"a","opened":"2026-03-02T08:10:00Z","closed":"2026-03-02T10:10:00Z"}
            {"id":"c","@delete":true}
            """);
        foreach (var (mark, wanted) in new[] { (first, "1 2 2 2"), (second, "1 1 0 0") })
        {
            var values = (await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/cases-open/values?asOf={mark}&to=2026-03-02T12:00:00Z"))).RootElement.GetProperty("rows");
            Assert.Equal(wanted, string.Join(' ', values.EnumerateArray().Select(row => row.GetProperty("value").GetRawText())));
            foreach (var (hour, value) in wanted.Split(' ').Select((value, i) => (8 + i, double.Parse(value, CultureInfo.InvariantCulture))))
            {
                var page = (await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/cases-open/explain?from=2026-03-02T{hour:D2}:00:00Z&asOf={mark}"))).RootElement;
                Assert.Equal((value, value, (int)value), (page.GetProperty("value").GetDouble(), page.GetProperty("recomputed").GetDouble(), page.GetProperty("rows").GetArrayLength()));
            }
        }

        foreach (var id in new[] { "cases-open", "cases-took" })
        {
            var present = (await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/{id}/values?watermark={second}&from=2026-03-02T09:00:00Z&to=2026-03-03"))).RootElement;
            var past = (await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/{id}/values?asOf={second}&from=2026-03-02T09:00:00Z&to=2026-03-03"))).RootElement;
            Assert.Equal(present.GetProperty("rows").GetRawText(), past.GetProperty("rows").GetRawText());
        }

        var took = (await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/cases-took/explain?from=2026-03-02T10:00:00Z&watermark={second}"))).RootElement;
        Assert.Equal((7_200.0, 7_200.0, "a"), (took.GetProperty("value").GetDouble(), took.GetProperty("recomputed").GetDouble(), took.GetProperty("rows")[0].GetProperty("id").GetString()));
        var moved = (await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/cases-open/diff?since={first}&until={second}"))).RootElement.GetProperty("cells");
        Assert.Equal("09:2→1:retracted:c 10:2→0:corrected:a", string.Join(' ', moved.EnumerateArray().Select(cell =>
            $"{cell.GetProperty("from").GetString()![11..13]}:{cell.GetProperty("before").GetProperty("value").GetRawText()}→{cell.GetProperty("after").GetProperty("value").GetRawText()}:"
            + string.Join(',', cell.GetProperty("rows").EnumerateArray().Select(row => $"{row.GetProperty("change").GetString()}:{row.GetProperty("id").GetString()}")))));
    }

    [Fact]
    public async Task Rows_of_before_a_field_was_added_have_no_value_in_it()
    {
        var agency = await CityAsync("grown", "count");
        await PushAsync(agency, "grown", """{"station":"a","time":"2026-03-02T08:00:00Z","kind":"a","no2":1}""");
        await hub.PutDatasetAsync("grown", "grown-agency", DatasetKind.Observations, s_schema with { Fields = [.. s_schema.Fields, Contracts.Field("pm10", FieldType.Number, FieldRole.Measure)] });
        await OkAsync(agency.PutAsJsonAsync("api/v1/indicators/grown-pm10", new { title = new { de = "x" }, dataset = "grown", measure = new { function = "count", field = "pm10" }, window = "P1D", access = "open" }));
        var last = await PushAsync(agency, "grown", """{"station":"b","time":"2026-03-02T08:00:00Z","kind":"a","pm10":3}""");
        foreach (var path in new[] { $"watermark={last}", $"asOf={last}" })
        {
            var values = (await OkAsync(hub.Anonymous.GetAsync("api/v1/indicators/grown-pm10/values?" + path))).RootElement.GetProperty("rows");
            Assert.Equal(1, Assert.Single(values.EnumerateArray()).GetProperty("value").GetInt32());
        }
    }

    /// <summary>One push of rows of a day, each of its own station.</summary>
    private static string Rows(int count, Func<int, double> value) => string.Join('\n', Enumerable.Range(0, count).Select(i => string.Create(
        CultureInfo.InvariantCulture, $$"""{"station":"s{{i:D5}}","time":"2026-03-02T{{8 + (i % 10):D2}}:00:00Z","kind":"a","no2":{{value(i):R}}}""")));

    private async Task<HttpClient> CityAsync(string name, string function, AccessClass access = AccessClass.Open, HubFixture? own = null)
    {
        var at = own ?? hub;
        var agency = await at.AgencyAsync($"{name}-agency", KeyRole.Admin);
        await at.PutDatasetAsync(name, $"{name}-agency", DatasetKind.Observations, s_schema, access: access);
        await PutAsync(agency, name, function, "open");
        return agency;
    }

    private static async Task PutAsync(HttpClient agency, string name, string function, string access, int minimumCount = 0) => await OkAsync(agency.PutAsJsonAsync(
        $"api/v1/indicators/{name}",
        new { title = new { de = name }, dataset = name, measure = new { function, field = "no2" }, window = "P1D", groupBy = new[] { "kind" }, access, disclosure = new { minimumCount } }));

    private async Task UntilAsync(string indicator, int definition, string watermark)
    {
        for (var tries = 0; (await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/{indicator}/values?watermark={watermark}"))).RootElement.GetProperty("definition").GetInt32() != definition; tries++)
        {
            Assert.True(tries < 500, "the new definition never answered");
            await Task.Delay(20);
        }
    }

    private static async Task<string> PushAsync(HttpClient client, string dataset, string rows) =>
        (await OkAsync(client.PostAsync($"api/v1/datasets/{dataset}/feeds/default/records", new StringContent(rows, Encoding.UTF8, "application/x-ndjson")))).RootElement.GetProperty("watermark").GetString()!;
}
