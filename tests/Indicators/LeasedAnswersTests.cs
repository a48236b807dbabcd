using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace DataHub.Indicators;

/// <summary>What is given out again under a lease, before a request is read, is what reading it would have given.</summary>
public sealed class LeasedAnswersTests(HubFixture hub) : IClassFixture<HubFixture>
{
    [Fact]
    public async Task A_repeated_answer_is_to_the_letter_the_one_that_the_indicator_gave()
    {
        var path = await IndicatorAsync("gleich");
        foreach (var (query, accept) in new[] { ("", null), ("", "text/csv"), ("&format=geojson", null), ("&limit=1", "application/json"), ("&format=ndjson&meta=true", "*/*") })
        {
            var asked = await AnswerAsync(Request(path + query, accept: accept));
            await RepeatedAsync(path + query, accept);
            var repeated = await AnswerAsync(Request(path + query, accept: accept));
            Assert.Equal(asked, repeated);
            Assert.Contains("DataHub-Watermark", repeated, StringComparison.Ordinal);
            Assert.Contains("Vary: Accept", repeated, StringComparison.Ordinal);
            Assert.Contains("X-Content-Type-Options: nosniff", repeated, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Requests_that_mean_something_else_are_not_given_what_lies_at_hand()
    {
        var path = await IndicatorAsync("anders");
        await RepeatedAsync(path);
        Assert.Equal("text/csv", (await hub.Anonymous.SendAsync(Request(path, accept: "text/csv"))).Content.Headers.ContentType!.MediaType);
        await HubFixture.RefusedAsync(hub.Anonymous.SendAsync(Request(path, accept: "image/png")), 406);
        await HubFixture.RefusedAsync(hub.Anonymous.GetAsync(path + "&unknown=1"), 400);
        await HubFixture.RefusedAsync(hub.Anonymous.GetAsync(path + "&level=x"), 400);
        await HubFixture.RefusedAsync(hub.Anonymous.PostAsJsonAsync(path, new { }), 405);
        await HubFixture.RefusedAsync(hub.Anonymous.GetAsync(path.Replace("anders-count", "ANDERS-count", StringComparison.Ordinal)), 404);
        // An error is told in the language asked for, whatever was given out before.
        using var english = Request(path + "&level=x");
        english.Headers.AcceptLanguage.ParseAdd("en");
        Assert.Contains("must be", (await HubFixture.RefusedAsync(hub.Anonymous.SendAsync(english), 400)).RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
        // The same in another order, or written otherwise, is the same answer.
        var answer = await hub.Anonymous.GetAsync(path);
        var other = await hub.Anonymous.GetAsync("api/v1/indicators/anders-count/values?to=2026-11-24&from=2026-11-23");
        var written = await hub.Anonymous.GetAsync(path.Replace("2026-11-23", "2026%2D11-23", StringComparison.Ordinal));
        Assert.Equal(answer.Headers.ETag, other.Headers.ETag);
        Assert.Equal(answer.Headers.ETag, written.Headers.ETag);
        // Another day, which has no rows.
        Assert.Empty((await HubFixture.OkAsync(hub.Anonymous.GetAsync(path.Replace("2026-11-2", "2025-11-2", StringComparison.Ordinal)))).RootElement.GetProperty("rows").EnumerateArray());
    }

    [Fact]
    public async Task A_key_that_is_wrong_is_refused_and_a_right_one_is_answered_alike()
    {
        var path = await IndicatorAsync("schluessel");
        await RepeatedAsync(path);
        using var wrong = Request(path);
        wrong.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "dh_no_key");
        await HubFixture.RefusedAsync(hub.Anonymous.SendAsync(wrong), 401);
        using var basic = Request(path);
        basic.Headers.Authorization = new AuthenticationHeaderValue("Basic", "eDp5");
        await HubFixture.RefusedAsync(hub.Anonymous.SendAsync(basic), 401);
        var admin = hub.With(hub.AdminKey);
        Assert.Equal((await hub.Anonymous.GetAsync(path)).Headers.ETag, (await admin.GetAsync(path)).Headers.ETag);
        Assert.Equal(HttpStatusCode.OK, (await hub.Anonymous.GetAsync(path)).StatusCode);
    }

    [Fact]
    public async Task What_is_known_already_is_304_in_every_form_and_HEAD_is_given_the_headers()
    {
        var path = await IndicatorAsync("bekannt");
        await RepeatedAsync(path);
        using var whole = await hub.Anonymous.GetAsync(path);
        var tag = whole.Headers.ETag!.Tag;
        foreach (var known in new[] { tag, "W/" + tag, "*", $"\"other\", {tag}", $"\"other\", W/{tag}, \"third\"" })
        {
            foreach (var method in new[] { HttpMethod.Get, HttpMethod.Head })
            {
                using var request = Request(path, method);
                request.Headers.TryAddWithoutValidation("If-None-Match", known);
                using var answer = await RepeatAsync(request);
                Assert.Equal((known, HttpStatusCode.NotModified), (known, answer.StatusCode));
                Assert.Equal(tag, answer.Headers.ETag!.Tag);
                Assert.Equal("no-cache", answer.Headers.CacheControl!.ToString());
                Assert.Equal(whole.Headers.GetValues("DataHub-Watermark"), answer.Headers.GetValues("DataHub-Watermark"));
                Assert.Empty(await answer.Content.ReadAsByteArrayAsync());
            }
        }

        foreach (var unknown in new[] { "\"other\"", "W/\"other\"", tag.Trim('"'), "" })
        {
            using var request = Request(path);
            request.Headers.TryAddWithoutValidation("If-None-Match", unknown);
            using var answer = await RepeatAsync(request);
            Assert.Equal((unknown, HttpStatusCode.OK), (unknown, answer.StatusCode));
            Assert.Equal(await whole.Content.ReadAsStringAsync(), await answer.Content.ReadAsStringAsync());
        }

        using var head = await RepeatAsync(Request(path, HttpMethod.Head));
        Assert.Equal((HttpStatusCode.OK, whole.Content.Headers.ContentLength), (head.StatusCode, head.Content.Headers.ContentLength));
        Assert.Equal(whole.Content.Headers.ContentType, head.Content.Headers.ContentType);
    }

    [Fact]
    public async Task Pages_of_other_hosts_may_read_it_and_requests_are_counted_by_route()
    {
        var path = await IndicatorAsync("fremd");
        await RepeatedAsync(path);
        const string Counted = "http_server_request_duration_seconds_count";
        var (status, route) = ("http_response_status_code=\"200\"", "http_route=\"/api/v1/indicators/{indicator}/values\"");
        var before = await MetricAsync(hub, Counted, status, route);
        for (var i = 0; i < 20; i++)
        {
            using var request = Request(path);
            request.Headers.Add("Origin", "https://example.org");
            using var answer = await hub.Anonymous.SendAsync(request);
            Assert.Equal("*", answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
            Assert.Contains("DataHub-Watermark", answer.Headers.GetValues("Access-Control-Expose-Headers").Single(), StringComparison.Ordinal);
        }

        // The last is counted when it has been sent.
        await UntilAsync(async () => await MetricAsync(hub, Counted, status, route) >= before + 20);
    }

    [Fact]
    public async Task When_a_lease_has_run_out_the_indicator_is_asked_again()
    {
        var path = await IndicatorAsync("abgelaufen");
        await RepeatedAsync(path);
        var (answers, time) = (hub.Services.GetRequiredService<RenderedAnswers>(), TimeProvider.System);
        var request = new AnswerRequest("/api/v1/indicators/abgelaufen-count/values", "?from=2026-11-23&to=2026-11-24", "", "");
        Assert.NotNull(answers.Find(request));
        // Nobody polls any more: within two seconds the lease is given back.
        await UntilAsync(async () => await MetricAsync(hub, "datahub_answers_leases") == 0);
        Assert.Null(answers.Find(request)!.Lent(time));
        var before = await MetricAsync(hub, "datahub_answers_repeated");
        Assert.Equal(1, await CountAsync(path));
        Assert.Equal(before, await MetricAsync(hub, "datahub_answers_repeated"));
    }

    [Fact]
    public async Task What_was_closed_is_refused_at_once_and_when_its_rows_change_so_does_the_answer()
    {
        var path = await IndicatorAsync("zu");
        await RepeatedAsync(path);
        var receipt = await PushAsync("zu", 1);
        Assert.Equal(2, await CountAsync(path + "&watermark=" + Uri.EscapeDataString(receipt)));
        Assert.Equal(2, await CountAsync(path));
        await RepeatedAsync(path);
        await DefineAsync("zu", "internal");
        await HubFixture.RefusedAsync(hub.Anonymous.GetAsync(path), 401);
        using var known = Request(path, HttpMethod.Head);
        known.Headers.TryAddWithoutValidation("If-None-Match", "*");
        Assert.Equal(HttpStatusCode.Unauthorized, (await hub.Anonymous.SendAsync(known)).StatusCode);
    }

    [Fact]
    public void The_room_for_answers_is_bounded_and_what_is_asked_for_stays()
    {
        var answers = new RenderedAnswers(Options.Create(new AnswerOptions { CachedBytes = 100_000 }));
        AnswerRequest asked = new("/asked", "", "", ""), never = new("/never", "", "", "");
        answers.Keep(Key("asked"), Answer(1));
        answers.Keep(Key("never"), Answer(1));
        answers.Note(asked, Key("asked"));
        answers.Note(never, Key("never"));
        for (var i = 0; i < 200; i++)
        {
            answers.Keep(Key($"other-{i}"), Answer(1));
            Assert.NotNull(answers.Find(asked));
        }

        Assert.Null(answers.Find(never));
        Assert.Null(answers.Find(Key("never")));
        Assert.Null(answers.Find(Key("other-0")));
        // A newer version takes the place of the older one, and none the other way round.
        answers.Keep(Key("asked"), Answer(3));
        answers.Keep(Key("asked"), Answer(2));
        Assert.Equal(3, answers.Find(asked)!.Version);
        // One that is dropped and kept anew is found again once it has been noted anew.
        answers.Keep(Key("never"), Answer(1));
        Assert.Null(answers.Find(never));
        answers.Note(never, Key("never"));
        Assert.NotNull(answers.Find(never));

        static AnswerKey Key(string indicator) => new(indicator, new(null, null, false, null, null, null, null, 10), AnswerFormat.Json, "");
        static RenderedAnswer Answer(long version) => new(version, Rendered.Of(new byte[4_000], "application/json"));
    }

    private static HttpRequestMessage Request(string path, HttpMethod? method = null, string? accept = null)
    {
        var request = new HttpRequestMessage(method ?? HttpMethod.Get, path);
        if (accept is not null) request.Headers.TryAddWithoutValidation("Accept", accept);
        return request;
    }

    private async Task<string> IndicatorAsync(string dataset)
    {
        await hub.AgencyAsync("amt");
        await HubFixture.OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/datasets/{dataset}", new
        {
            title = new { de = dataset },
            publisher = "amt",
            license = "dl-de/by-2-0",
            kind = "observations",
            access = "open",
            schema = new { primaryKey = new[] { "time" }, fields = new object[] { new { name = "time", type = "datetime", role = "time" } } },
        }));
        await DefineAsync(dataset, "open");
        var path = $"api/v1/indicators/{dataset}-count/values?from=2026-11-23&to=2026-11-24";
        var watermark = await PushAsync(dataset, 0);
        Assert.Equal(1, await CountAsync(path + "&watermark=" + Uri.EscapeDataString(watermark)));
        return path;
    }

    private Task<JsonDocument> DefineAsync(string dataset, string access) => HubFixture.OkAsync(hub.Admin.PutAsJsonAsync(
        $"api/v1/indicators/{dataset}-count", new { title = new { de = "Zeilen" }, dataset, measure = new { function = "count" }, window = "PT1H", access }));

    private async Task<string> PushAsync(string dataset, int second) => (await HubFixture.OkAsync(hub.Admin.PostAsJsonAsync(
        $"api/v1/datasets/{dataset}/feeds/default/records", new[] { new { time = new DateTimeOffset(2026, 11, 23, 8, 0, 0, TimeSpan.Zero).AddSeconds(second) } })))
        .RootElement.GetProperty("watermark").GetString()!;

    private async Task<long> CountAsync(string path) =>
        (await HubFixture.OkAsync(hub.Anonymous.GetAsync(path))).RootElement.GetProperty("rows").EnumerateArray().Single().GetProperty("count").GetInt64();

    /// <summary>Polls until an answer is one that was given out again.</summary>
    private Task RepeatedAsync(string path, string? accept = null) => UntilAsync(async () =>
    {
        var before = await MetricAsync(hub, "datahub_answers_repeated");
        for (var i = 0; i < 20; i++) (await hub.Anonymous.SendAsync(Request(path, accept: accept))).Dispose();
        return await MetricAsync(hub, "datahub_answers_repeated") >= before + 15;
    });

    /// <summary>Sends a request while the lease is in use.</summary>
    private async Task<HttpResponseMessage> RepeatAsync(HttpRequestMessage request)
    {
        for (var i = 0; i < 5; i++) (await hub.Anonymous.GetAsync(request.RequestUri)).Dispose();
        return await hub.Anonymous.SendAsync(request);
    }

    /// <summary>Status, headers and body of an answer as text.</summary>
    private async Task<string> AnswerAsync(HttpRequestMessage request)
    {
        using var answer = await hub.Anonymous.SendAsync(request);
        var headers = answer.Headers.Where(header => header.Key != "Date").Concat(answer.Content.Headers).OrderBy(header => header.Key, StringComparer.Ordinal);
        return $"{(int)answer.StatusCode}\n{string.Join('\n', headers.Select(header => $"{header.Key}: {string.Join(", ", header.Value)}"))}\n\n{await answer.Content.ReadAsStringAsync()}";
    }

    private static async Task<double> MetricAsync(HubFixture hub, string name, params string[] labels) => (await hub.Anonymous.GetStringAsync("metrics")).Split('\n')
        .Where(line => line.StartsWith(name, StringComparison.Ordinal) && labels.All(label => line.Contains(label, StringComparison.Ordinal)))
        .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        for (var waited = Stopwatch.StartNew(); !await holds(); await Task.Delay(20)) Assert.True(waited.Elapsed < TimeSpan.FromSeconds(60), "not within a minute");
    }
}
