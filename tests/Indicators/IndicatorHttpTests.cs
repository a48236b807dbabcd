using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

using static DataHub.Support.HubFixture;

namespace DataHub.Indicators;

public sealed class IndicatorHttpTests(HubFixture hub) : IClassFixture<HubFixture>
{
    private static readonly DateTimeOffset Eight = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task A_push_becomes_a_number_of_the_shape_the_design_shows()
    {
        var air = await AirAsync(hub, "air-shape");
        using var created = await air.Admin.PutAsJsonAsync("api/v1/indicators/shape", Definition("air-shape"));
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        Assert.Equal("/api/v1/indicators/shape", created.Headers.Location?.ToString());

        await air.PushAsync(("a", Eight, "010101", 20.5), ("b", Eight.AddMinutes(59), "010102", 26.5));
        var watermark = await air.PushAsync(("a", Eight.AddHours(1), "020101", 7), ("c", Eight, null, 1));

        using var answer = await hub.Anonymous.GetAsync($"api/v1/indicators/shape/values?level=0&from=2026-03-02T08:00:00Z&to=2026-03-03T08:00:00%2B01:00&watermark={watermark}");
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        var json = JsonDocument.Parse(text).RootElement;
        var version = json.GetProperty("version").GetInt64();
        var asOf = json.GetProperty("asOf").GetString();
        Assert.Equal(
            $$"""{"indicator":"shape","version":{{version}},"watermark":"{{watermark}}","definition":1,"unit":"ug/m3","license":"dl-de/by-2-0","asOf":"{{asOf}}","""
            + "\"title\":" + """{"de":"Stickstoffdioxid","en":"Nitrogen dioxide"},"publisher":"senumvk","timeZone":"Europe/Berlin","describedBy":"/api/v1/indicators/shape",""" + $"\"explainedBy\":\"/api/v1/indicators/shape/explain?asOf={watermark}&definition=1\",\"rows\":["
            + """{"area":null,"from":"2026-03-02T08:00:00Z","to":"2026-03-02T09:00:00Z","value":1,"count":1,"state":"ok","coverage":{"series":1,"before":0}},"""
            + """{"area":"01","from":"2026-03-02T08:00:00Z","to":"2026-03-02T09:00:00Z","value":23.5,"count":2,"state":"ok","coverage":{"series":2,"before":0}},"""
            + """{"area":"02","from":"2026-03-02T09:00:00Z","to":"2026-03-02T10:00:00Z","value":7,"count":1,"state":"ok","coverage":{"series":1,"before":0}}],"next":null}""",
            text);
        Assert.EndsWith("Z", asOf, StringComparison.Ordinal);
        Assert.Equal("application/json; charset=utf-8", answer.Content.Headers.ContentType?.ToString());
        Assert.Equal($"\"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16))}\"", answer.Headers.ETag?.ToString());
        Assert.Equal("no-cache", answer.Headers.CacheControl?.ToString());
        Assert.Equal(watermark, Watermark(answer));

        var stored = await OkAsync(hub.Anonymous.GetAsync("api/v1/indicators/shape"));
        Assert.Equal("mean", stored.RootElement.GetProperty("measure").GetProperty("function").GetString());
        var list = await OkAsync(hub.Anonymous.GetAsync("api/v1/indicators?limit=1000"));
        Assert.Contains(list.RootElement.GetProperty("indicators").EnumerateArray(), item => item.GetProperty("id").GetString() == "shape");
    }

    [Fact]
    public async Task Who_has_the_answer_gets_304_until_something_changes()
    {
        var air = await AirAsync(hub, "air-etag");
        await OkAsync(air.Admin.PutAsJsonAsync("api/v1/indicators/etag", Definition("air-etag")));
        var first = await air.PushAsync(("a", Eight, "010101", 20));
        using var one = await hub.Anonymous.GetAsync($"api/v1/indicators/etag/values?watermark={first}");
        var tag = one.Headers.ETag!;
        for (var i = 0; i < 3; i++)
        {
            using var same = await AskAsync(hub, "api/v1/indicators/etag/values", tag.ToString());
            Assert.Equal(HttpStatusCode.NotModified, same.StatusCode);
            Assert.Equal(first, Watermark(same));
            Assert.Equal(tag, same.Headers.ETag);
        }

        using var weak = await AskAsync(hub, "api/v1/indicators/etag/values", "\"x\", W/" + tag);
        Assert.Equal(HttpStatusCode.NotModified, weak.StatusCode);

        using var head = await hub.Anonymous.SendAsync(new(HttpMethod.Head, "api/v1/indicators/etag/values"));
        Assert.Equal((HttpStatusCode.OK, tag, one.Content.Headers.ContentLength), (head.StatusCode, head.Headers.ETag, head.Content.Headers.ContentLength));

        var second = await air.PushAsync(("a", Eight, "010101", 21));
        using var changed = await AskAsync(hub, $"api/v1/indicators/etag/values?watermark={second}", tag.ToString());
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        Assert.NotEqual(tag, changed.Headers.ETag);
        Assert.Contains("\"value\":21", await changed.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_answer_as_csv_has_its_own_tag()
    {
        var air = await AirAsync(hub, "air-csv");
        await OkAsync(air.Admin.PutAsJsonAsync("api/v1/indicators/csv", Definition("air-csv", dimensions: ["area", "kind"])));
        var watermark = await air.PushAsync(("a", Eight, "010101", 20.25), ("b,\"ü\"", Eight, null, -3));
        var path = $"api/v1/indicators/csv/values?watermark={watermark}";
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "Accept", "text/csv, application/json;q=0.5" } } };
        using var csv = await hub.Anonymous.SendAsync(request);
        Assert.Equal("text/csv", csv.Content.Headers.ContentType?.MediaType);
        Assert.Equal(
            "area,from,to,kind,value,count,state,series,seriesBefore\r\n"
            + ",2026-03-02T08:00:00Z,2026-03-02T09:00:00Z,\"b,\"\"ü\"\"\",-3,1,ok,1,0\r\n"
            + "010101,2026-03-02T08:00:00Z,2026-03-02T09:00:00Z,a,20.3,1,ok,1,0\r\n",
            await csv.Content.ReadAsStringAsync());
        using var json = await hub.Anonymous.GetAsync(path);
        Assert.NotEqual(json.Headers.ETag, csv.Headers.ETag);
        Assert.Contains("\"dimensions\":{\"kind\":\"a\"}", await json.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var named = await hub.Anonymous.GetAsync(path + "&format=csv");
        Assert.Equal(csv.Headers.ETag, named.Headers.ETag);

        using var pictures = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "Accept", "image/png" } } };
        await RefusedAsync(hub.Anonymous.SendAsync(pictures), 406, "not-acceptable");
    }

    [Fact]
    public async Task Pages_are_complete_and_without_repeats()
    {
        var air = await AirAsync(hub, "air-pages");
        await OkAsync(air.Admin.PutAsJsonAsync("api/v1/indicators/pages", Definition("air-pages")));
        var watermark = await air.PushAsync([.. Enumerable.Range(0, 25).Select(i => ("s", Eight.AddHours(i), i % 2 == 0 ? "010101" : "020101", (double)i))]);
        foreach (var format in new[] { "json", "csv" })
        {
            var seen = new List<string>();
            for (var path = $"/api/v1/indicators/pages/values?limit=4&format={format}&from=2026-03-01&watermark={watermark}"; path is not null;)
            {
                using var answer = await hub.Anonymous.GetAsync(path);
                var text = await answer.Content.ReadAsStringAsync();
                Assert.True(answer.IsSuccessStatusCode, text);
                var link = answer.Headers.TryGetValues("Link", out var links) ? links.SingleOrDefault(l => l.EndsWith("rel=\"next\"", StringComparison.Ordinal)) : null;
                if (format == "json")
                {
                    var json = JsonDocument.Parse(text).RootElement;
                    seen.AddRange(json.GetProperty("rows").EnumerateArray().Select(row => row.GetProperty("from").GetString()!));
                    Assert.Equal(json.GetProperty("next").GetString() is { } next ? $"<{next}>; rel=\"next\"" : null, link);
                }
                else
                {
                    seen.AddRange(text.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(line => line.Split(',')[1]));
                }

                path = link?[1..link.IndexOf('>')];
            }

            Assert.Equal(Enumerable.Range(0, 25).Select(i => Eight.AddHours(i).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture)), seen);
        }
    }

    [Fact]
    public async Task Latest_gives_each_area_its_last_window_and_the_whole_city_in_one()
    {
        var air = await AirAsync(hub, "air-latest");
        await OkAsync(air.Admin.PutAsJsonAsync("api/v1/indicators/latest", Definition("air-latest", function: "sum")));
        var watermark = await air.PushAsync(("a", Eight, "010101", 1), ("b", Eight.AddHours(3), "010102", 2), ("a", Eight.AddHours(3), "010101", 4), ("c", Eight.AddHours(1), "020101", 8));
        Assert.Equal("01@11:00=6 02@09:00=8", Rows(await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/latest/latest?level=0&watermark={watermark}")), byWindow: false));
        Assert.Equal("02@09:00=8", Rows(await OkAsync(hub.Anonymous.GetAsync("api/v1/indicators/latest/latest?area=02"))));
        Assert.Equal("010101@11:00=4 010102@11:00=2", Rows(await OkAsync(hub.Anonymous.GetAsync("api/v1/indicators/latest/latest?area=01&level=2"))));
        Assert.Equal("@11:00=6", Rows(await OkAsync(hub.Anonymous.GetAsync("api/v1/indicators/latest/latest?whole=true"))));
        Assert.Equal("@08:00=1 @09:00=8 @11:00=6", Rows(await OkAsync(hub.Anonymous.GetAsync("api/v1/indicators/latest/values?whole=true"))));
    }

    [Fact]
    public async Task A_changed_definition_answers_once_it_has_caught_up_with_everything_stored()
    {
        var air = await AirAsync(hub, "air-redefined");
        await OkAsync(air.Admin.PutAsJsonAsync("api/v1/indicators/redefined", Definition("air-redefined")));
        var watermark = await air.PushAsync(("a", Eight, "010101", 1), ("b", Eight.AddHours(1), "010101", 3));
        Assert.Equal("010101@08:00=1 010101@09:00=3", Rows(await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/redefined/values?watermark={watermark}"))));

        var put = await OkAsync(air.Admin.PutAsJsonAsync("api/v1/indicators/redefined", Definition("air-redefined", window: "P1D", function: "max")));
        Assert.Equal("mean", put.RootElement.GetProperty("measure").GetProperty("function").GetString());
        Assert.Equal("P1D", put.RootElement.GetProperty("pending").GetProperty("window").GetString());
        var version = 0L;
        for (var tries = 0; ; tries++)
        {
            var answer = (await OkAsync(hub.Anonymous.GetAsync("api/v1/indicators/redefined/values"))).RootElement;
            Assert.True(answer.GetProperty("version").GetInt64() >= version);
            version = answer.GetProperty("version").GetInt64();
            if (answer.GetProperty("definition").GetInt32() > 1)
            {
                Assert.Equal("""{"area":"010101","from":"2026-03-01T23:00:00Z","to":"2026-03-02T23:00:00Z","value":3,"count":2,"state":"ok","coverage":{"series":2,"before":0}}""", answer.GetProperty("rows")[0].GetRawText());
                break;
            }

            Assert.Equal(2, answer.GetProperty("rows").GetArrayLength());
            Assert.True(tries < 500, "the new definition never answered");
            await Task.Delay(20);
        }

        var stands = (await OkAsync(hub.Anonymous.GetAsync("api/v1/indicators/redefined"))).RootElement;
        Assert.Equal(JsonValueKind.Null, stands.GetProperty("pending").ValueKind);
    }

    [Fact]
    public async Task Values_that_are_not_open_are_for_the_publishers_readers()
    {
        var air = await AirAsync(hub, "air-internal");
        await OkAsync(air.Admin.PutAsJsonAsync("api/v1/indicators/internal", Definition("air-internal", access: "internal")));
        await RefusedAsync(hub.Anonymous.GetAsync("api/v1/indicators/internal/values"), 401, "unauthorized");
        var others = await hub.AgencyAsync("fremde", KeyRole.Admin);
        await RefusedAsync(others.GetAsync("api/v1/indicators/internal/values"), 403, "forbidden");
        await RefusedAsync(others.PutAsJsonAsync("api/v1/indicators/internal", Definition("air-internal")), 403, "forbidden");
        await RefusedAsync(hub.Anonymous.PutAsJsonAsync("api/v1/indicators/internal", Definition("air-internal")), 401, "unauthorized");
        var reader = await hub.AgencyAsync("senumvk", KeyRole.Read);
        await OkAsync(reader.GetAsync("api/v1/indicators/internal/values"));
        await OkAsync(hub.Anonymous.GetAsync("api/v1/indicators/internal"));
    }

    [Theory]
    [InlineData("values?from=2026-03-02T08:00:00", "from")]
    [InlineData("values?from=2026-03-02T08:00:00+01:00", "from")]
    [InlineData("values?from=2026-03-03&to=2026-03-03", "to")]
    [InlineData("values?level=-1", "level")]
    [InlineData("values?limit=0", "limit")]
    [InlineData("values?limit=10001", "limit")]
    [InlineData("values?after=x", "after")]
    [InlineData("values?watermark=w1.x", "watermark")]
    [InlineData("values?format=xml", "format")]
    [InlineData("values?whole=ja", "whole")]
    [InlineData("latest?level=0&level=1", "level")]
    [InlineData("latest?levle=0", "levle")]
    public async Task A_parameter_that_is_wrong_is_named(string path, string parameter)
    {
        var problem = await RefusedAsync(hub.Anonymous.GetAsync("api/v1/indicators/any/" + path), 400, "invalid-parameter");
        Assert.Equal(parameter, problem.RootElement.GetProperty("parameter").GetString());
    }

    [Fact]
    public async Task What_does_not_exist_is_said()
    {
        var air = await AirAsync(hub, "air-missing");
        await OkAsync(air.Admin.PutAsJsonAsync("api/v1/indicators/missing", Definition("air-missing")));
        await RefusedAsync(hub.Anonymous.GetAsync("api/v1/indicators/nothing/values"), 404, "not-found");
        await RefusedAsync(hub.Anonymous.GetAsync("api/v1/indicators/nothing"), 404, "not-found");
        await RefusedAsync(hub.Anonymous.GetAsync("api/v1/indicators/No_Id/values"), 404, "not-found");
        await RefusedAsync(hub.Anonymous.GetAsync("api/v1/indicators/missing/values?level=7"), 400, "invalid-parameter");
        await RefusedAsync(hub.Anonymous.GetAsync("api/v1/indicators/missing/values?area=99"), 400, "invalid-parameter");

        var incarnation = await hub.Services.GetRequiredService<ILogStore>().IncarnationAsync(CancellationToken.None);
        await RefusedAsync(hub.Anonymous.GetAsync("api/v1/indicators/missing/values?watermark=" + new Watermark(Guid.NewGuid(), "air-missing", [0])), 410, "watermark-gone");
        await RefusedAsync(hub.Anonymous.GetAsync("api/v1/indicators/missing/values?watermark=" + new Watermark(incarnation, "other", [0])), 400, "invalid-parameter");
    }

    [Fact]
    public async Task How_many_windows_a_sliding_value_covers_is_a_setting()
    {
        await using var own = await StartAsync(new Dictionary<string, string?> { ["DataHub:Indicator:MaxSlidingWindows"] = "24" });
        var air = await AirAsync(own, "air-sliding");
        await OkAsync(air.Admin.PutAsJsonAsync("api/v1/indicators/sliding", new Dictionary<string, object?>(Definition("air-sliding")) { ["sliding"] = "P1D" }));
        var refused = await RefusedAsync(air.Admin.PutAsJsonAsync("api/v1/indicators/sliding", new Dictionary<string, object?>(Definition("air-sliding")) { ["sliding"] = "P2D" }), 422, "invalid-indicator");
        Assert.Contains("2 bis 24 ganze Fenster von PT1H (DataHub:Indicator:MaxSlidingWindows)", refused.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);

        // A longer one than the default is as right.
        await using var more = await StartAsync(new Dictionary<string, string?> { ["DataHub:Indicator:MaxSlidingWindows"] = "1000" });
        air = await AirAsync(more, "air-sliding");
        await OkAsync(air.Admin.PutAsJsonAsync("api/v1/indicators/sliding", new Dictionary<string, object?>(Definition("air-sliding")) { ["sliding"] = "PT960H" }));
    }

    [Fact]
    public async Task Definitions_that_cannot_be_are_refused_with_the_member()
    {
        var air = await AirAsync(hub, "air-refused");
        foreach (var (member, value, status, type) in new (string, object, int, string)[]
        {
            ("sliding", "PT1H", 422, "invalid-indicator"), ("sliding", "PT90M", 422, "invalid-indicator"), ("sliding", "P1M", 422, "invalid-indicator"), ("sliding", "PT9000H", 422, "invalid-indicator"),
            ("target", new { value = 40 }, 400, "invalid-json"), ("target", new { value = 40, direction = "beside" }, 400, "invalid-json"),
            ("target", new { value = 40, direction = "below", due = "2030-13-01" }, 400, "invalid-json"), ("target", new { value = 40, direction = "below", due = "0001-01-01" }, 422, "invalid-indicator"),
            ("formula", "a / b", 422, "invalid-indicator"), ("measure", new { function = "open" }, 422, "invalid-indicator"), ("measure", new { function = "mean", field = "@duration" }, 422, "invalid-indicator"),
        })
        {
            await RefusedAsync(air.Admin.PutAsJsonAsync("api/v1/indicators/refused2", new Dictionary<string, object?>(Definition("air-refused")) { [member] = value }), status, type);
        }

        await RefusedAsync(air.Admin.PutAsJsonAsync("api/v1/indicators/refused2", Definition("air-refused", function: "median")), 422, "invalid-indicator");
        await RefusedAsync(air.Admin.PutAsJsonAsync("api/v1/indicators/refused2", Definition("air-refused", window: "PT7M")), 422, "invalid-indicator");
        await RefusedAsync(air.Admin.PutAsJsonAsync("api/v1/indicators/refused2", Definition("no-such-dataset")), 422, "invalid-indicator");
        await RefusedAsync(air.Admin.PutAsJsonAsync("api/v1/indicators/Refused_2", Definition("air-refused")), 400, "invalid-id");
        await RefusedAsync(air.Admin.PutAsJsonAsync("api/v1/indicators/refused2", new { title = "x", colour = 3 }), 400, "invalid-json");
        await RefusedAsync(hub.Anonymous.GetAsync("api/v1/indicators/refused2"), 404, "not-found");
    }

    [Fact]
    public async Task A_window_that_ends_changes_state_and_version_by_itself_and_a_watermark_to_come_is_waited_for_in_bounds()
    {
        var clock = new FakeTimeProvider(Eight.AddMinutes(30));
        await using var own = await StartAsync(new Dictionary<string, string?> { ["DataHub:Read:MaxWait"] = "00:00:00.300" }, clock);
        var air = await AirAsync(own, "air");
        await OkAsync(air.Admin.PutAsJsonAsync("api/v1/indicators/no2", Definition("air")));
        var watermark = await air.PushAsync(("a", Eight, "010101", 1), ("a", Eight.AddHours(-1), "010101", 2));

        // Until the definition has joined and the push is folded; the bounded wait alone is short here.
        var before = await own.Anonymous.GetAsync($"api/v1/indicators/no2/values?watermark={watermark}");
        for (var attempt = 0; before.StatusCode == HttpStatusCode.ServiceUnavailable && attempt < 200; attempt++)
        {
            before.Dispose();
            before = await own.Anonymous.GetAsync($"api/v1/indicators/no2/values?watermark={watermark}");
        }

        using var first = before;
        Assert.Equal("ok preliminary", States(await before.Content.ReadAsStringAsync()));
        clock.SetUtcNow(Eight.AddMinutes(59));
        using var same = await AskAsync(own, "api/v1/indicators/no2/values", before.Headers.ETag!.ToString());
        Assert.Equal(HttpStatusCode.NotModified, same.StatusCode);
        clock.SetUtcNow(Eight.AddMinutes(60));
        using var after = await AskAsync(own, "api/v1/indicators/no2/values", before.Headers.ETag.ToString());
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
        Assert.Equal("ok ok", States(await after.Content.ReadAsStringAsync()));

        var incarnation = await own.Services.GetRequiredService<ILogStore>().IncarnationAsync(CancellationToken.None);
        using var notYet = await own.Anonymous.GetAsync("api/v1/indicators/no2/values?watermark=" + new Watermark(incarnation, "air", [1_000]));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, notYet.StatusCode);
        Assert.Equal("1", notYet.Headers.RetryAfter?.ToString());
        await own.DisposeAsync();

        static string States(string text) => string.Join(' ', JsonDocument.Parse(text).RootElement.GetProperty("rows").EnumerateArray().Select(row => row.GetProperty("state").GetString()));
    }

    [Fact]
    public async Task After_a_restart_the_values_stand_and_no_version_comes_twice()
    {
        await using var own = await StartAsync();
        var air = await AirAsync(own, "air");
        await OkAsync(air.Admin.PutAsJsonAsync("api/v1/indicators/no2", Definition("air")));
        var watermark = await air.PushAsync(("a", Eight, "010101", 1), ("b", Eight, "010101", 2));
        using var before = await own.Anonymous.GetAsync($"api/v1/indicators/no2/values?watermark={watermark}");
        var old = JsonDocument.Parse(await before.Content.ReadAsStringAsync()).RootElement;

        await own.RestartAsync();

        using var after = await AskAsync(own, $"api/v1/indicators/no2/values?watermark={watermark}", before.Headers.ETag!.ToString());
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
        var now = JsonDocument.Parse(await after.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal(old.GetProperty("rows").GetRawText(), now.GetProperty("rows").GetRawText());
        Assert.True(now.GetProperty("version").GetInt64() > old.GetProperty("version").GetInt64());
        Assert.Equal(watermark, Watermark(after));
    }

    [Fact]
    public async Task While_rows_stream_in_readers_never_see_a_version_with_two_contents_or_a_step_back()
    {
        var air = await AirAsync(hub, "air-busy", partitions: 2);
        await OkAsync(air.Admin.PutAsJsonAsync("api/v1/indicators/busy", Definition("air-busy", function: "count")));
        await air.PushAsync(("s", Eight, "010101", 0));
        var contents = new System.Collections.Concurrent.ConcurrentDictionary<string, string>();
        using var stop = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 4).Select(reader => Task.Run(async () =>
        {
            var path = (reader % 2) switch { 0 => "api/v1/indicators/busy/values?level=0", _ => "api/v1/indicators/busy/latest?level=0" };
            var (version, count, polls) = (0L, 0.0, 0);
            while (!stop.IsCancellationRequested)
            {
                using var answer = await hub.Anonymous.GetAsync(path);
                var text = await answer.Content.ReadAsStringAsync();
                Assert.True(answer.IsSuccessStatusCode, text);
                Assert.Equal(text, contents.GetOrAdd(path + answer.Headers.ETag, text));
                var json = JsonDocument.Parse(text).RootElement;
                Assert.Equal(text, contents.GetOrAdd(path + json.GetProperty("version").GetInt64(), text));
                Assert.True(json.GetProperty("version").GetInt64() >= version);
                version = json.GetProperty("version").GetInt64();
                var sum = json.GetProperty("rows").EnumerateArray().Sum(row => row.GetProperty("value").GetDouble());
                Assert.True(sum >= count, $"{sum} after {count}");
                (count, polls) = (sum, polls + 1);
            }

            return polls;
        })).ToArray();

        var total = 1;
        for (var i = 0; i < 60; i++)
        {
            // Every push is seen by whoever knows its watermark.
            var watermark = await air.PushAsync(i % 2, ($"s{i}", Eight, "010101", 1), ($"t{i}", Eight, "020101", 1));
            total += 2;
            var seen = await OkAsync(hub.Anonymous.GetAsync($"api/v1/indicators/busy/values?whole=true&watermark={watermark}"));
            Assert.Equal(total, seen.RootElement.GetProperty("rows")[0].GetProperty("value").GetDouble());
        }

        await stop.CancelAsync();
        Assert.All(await Task.WhenAll(readers), polls => Assert.True(polls > 3));
    }

    private static string? Watermark(HttpResponseMessage answer) => answer.Headers.TryGetValues("DataHub-Watermark", out var values) ? values.Single() : null;

    private static async Task<HttpResponseMessage> AskAsync(HubFixture hub, string path, string tag)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("If-None-Match", tag);
        return await hub.Anonymous.SendAsync(request);
    }

    private static string Rows(JsonDocument answer, bool byWindow = true)
    {
        var rows = answer.RootElement.GetProperty("rows").EnumerateArray()
            .Select(row => $"{row.GetProperty("area").GetString()}@{row.GetProperty("from").GetString()![11..16]}={row.GetProperty("value").GetRawText()}");
        return string.Join(' ', byWindow ? rows : rows.Order(StringComparer.Ordinal));
    }

    private static Dictionary<string, object?> Definition(string dataset, string window = "PT1H", string function = "mean", string access = "open", string[]? dimensions = null) => new()
    {
        ["title"] = new { de = "Stickstoffdioxid", en = "Nitrogen dioxide" },
        ["dataset"] = dataset,
        ["measure"] = new { function, field = "no2" },
        ["window"] = window,
        ["groupBy"] = dimensions ?? ["area"],
        ["decimals"] = 1,
        ["unit"] = "ug/m3",
        ["access"] = access,
    };

    private static async Task<Air> AirAsync(HubFixture hub, string dataset, int partitions = 1)
    {
        var admin = await hub.AgencyAsync("senumvk", KeyRole.Admin);
        await hub.Grains.GetGrain<IAreaSystemGrain>("demo").PutAsync(Caller.Hub, new("Demo", null),
        [
            new("01", null, "Eins", 0, null, null), new("0101", "01", "A", 1, null, null), new("010101", "0101", "a", 2, null, null), new("010102", "0101", "b", 2, null, null),
            new("02", null, "Zwei", 0, null, null), new("0201", "02", "C", 1, null, null), new("020101", "0201", "d", 2, null, null),
        ], null);
        FieldSpec[] fields =
        [
            Field("station", FieldType.String, FieldRole.Series), Field("time", FieldType.DateTime, FieldRole.Time), Field("area", FieldType.String, FieldRole.Area),
            Field("no2", FieldType.Number, FieldRole.Measure), Field("kind", FieldType.String, FieldRole.Dimension),
        ];
        var made = await hub.Grains.GetGrain<IDatasetGrain>(dataset).PutAsync(Caller.Hub, new(
            new("Luft", null), "senumvk", DatasetKind.Observations, AccessClass.Internal, "dl-de/by-2-0", "demo", new(0, fields, ["station", "time"], [""]), null)
        { Partitions = partitions });
        Assert.True(made.Refusal == CatalogRefusal.None, made.Detail?.De);
        return new(hub, admin, made.Dataset!);
    }

    private static FieldSpec Field(string name, FieldType type, FieldRole role) => new(name, type, null, role, FieldConstraints.None, null, null, null);

    private sealed record Air(HubFixture Hub, HttpClient Admin, DatasetInfo Dataset)
    {
        private readonly long[] _sequences = new long[Dataset.Partitions.Length];

        public Task<string> PushAsync(params (string Station, DateTimeOffset Time, string? Area, double No2)[] rows) => PushAsync(0, rows);

        /// <summary>Appends to one partition as a front-end would.</summary>
        /// <returns>A watermark of all that was pushed so far.</returns>
        public async Task<string> PushAsync(int partition, params (string Station, DateTimeOffset Time, string? Area, double No2)[] rows)
        {
            var areas = rows.Select(row => row.Area).OfType<string>().Distinct().ToArray();
            var block = new RowBlock
            {
                Count = rows.Length,
                Columns =
                [
                    Column.OfTexts([.. rows.Select(row => row.Station)]), Column.OfIntegers([.. rows.Select(row => row.Time.UtcTicks)]), Column.OfTexts([.. rows.Select(row => row.Area)]),
                    Column.OfNumbers([.. rows.Select(row => row.No2)]), Column.OfTexts([.. rows.Select(row => row.Station)]),
                ],
                Areas = areas,
                AreaOf = [.. rows.Select(row => row.Area is null ? -1 : Array.IndexOf(areas, row.Area))],
            };
            var at = Dataset.Partitions[partition];
            var part = new PushPart(
                Dataset.Id, at.Key, "default", Guid.NewGuid().ToString("N")[..26].ToUpperInvariant(), null, new byte[32], 0, 1, Dataset.ContractVersion, Dataset.AreaVersion, block, []);
            var result = await Hub.Grains.GetGrain<ILogShardGrain>(at.Shard).AppendAsync(Caller.Hub, part);
            Assert.True(result.Refusal == AppendRefusal.None, $"{result.Refusal} {result.Detail}");
            _sequences[partition] = result.Receipt!.Sequence;
            var incarnation = await Hub.Services.GetRequiredService<ILogStore>().IncarnationAsync(CancellationToken.None);
            return new Watermark(incarnation, Dataset.Id, [.. _sequences]).ToString();
        }
    }
}
