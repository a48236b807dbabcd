using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

using DataHub.Catalog;
using DataHub.Support;

using Microsoft.Extensions.Time.Testing;

using static DataHub.Support.HubFixture;

namespace DataHub.Sharing;

/// <summary>The rhythm of an agreement: the same is fetched once in it, and its pages go on.</summary>
public sealed class RhythmHttpTests : IAsyncLifetime
{
    /// <summary>Early in a minute: what is said to the minute and what is said in seconds from now agree.</summary>
    private readonly FakeTimeProvider _clock = new(new(DateTimeOffset.UtcNow.Ticks / TimeSpan.TicksPerMinute * TimeSpan.TicksPerMinute + (10 * TimeSpan.TicksPerSecond), TimeSpan.Zero));
    private HubFixture _hub = null!;
    private HttpClient _amt = null!, _bezirk = null!, _other = null!;
    private string[] _keys = [];
    private string _watermark = "";

    public async Task InitializeAsync()
    {
        _hub = await HubFixture.StartAsync(clock: _clock);
        _keys = [await _hub.KeyAsync("amt", KeyRole.Admin), await _hub.KeyAsync("bezirk", KeyRole.Admin), await _hub.KeyAsync("bezirk", KeyRole.Read)];
        SignIn();
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
                fields = new object[] { new { name = "station", type = "string", role = "series" }, new { name = "time", type = "datetime", role = "time" }, new { name = "value", type = "number", role = "measure" } },
            },
        }));
        foreach (var (id, function) in new[] { ("summe", "sum"), ("mittel", "mean"), ("groesster", "max"), ("kleinster", "min") })
            await OkAsync(_amt.PutAsJsonAsync($"api/v1/indicators/{id}", new { title = id, dataset = "luft", measure = new { function, field = "value" }, window = "PT1H", timeZone = "Etc/UTC" }));
        await PushAsync(0, 6);
    }

    public async Task DisposeAsync() => await _hub.DisposeAsync();

    [Theory]
    [InlineData("rows", "luft")]
    [InlineData("values", "summe")]
    [InlineData("latest", "summe")]
    [InlineData("explain", "summe")]
    [InlineData("diff", "summe")]
    [InlineData("many", "summe,mittel")]
    public async Task The_same_is_fetched_once_in_the_rhythm_its_pages_go_on_and_others_fetch_for_themselves(string way, string what)
    {
        await AgreeAsync("v", "PT1H");
        var first = await SoonAsync(way, what, "&limit=1");
        var next = way == "many" ? first.Root.GetProperty("indicators")[0].GetProperty("next").GetString() : first.Root.GetProperty("next").GetString();
        Assert.True(way == "latest" || next is not null, first.Text);
        for (var pages = 0; next is not null && pages < 3; pages++)
        {
            var page = await SendAsync(_bezirk, next);
            Assert.True(page.Status == HttpStatusCode.OK, page.Text);
            next = page.Root.GetProperty("next").GetString();
        }

        foreach (var parameters in new[] { "&limit=1", "" })
        {
            var refused = await GetAsync(way, what, parameters);
            Assert.True(refused.Status == HttpStatusCode.TooManyRequests, refused.Text);
            Assert.InRange(refused.RetryAfter!.Value.TotalSeconds, 3_500, 3_600);
            Assert.Equal("/problems/too-many-requests", refused.Root.GetProperty("type").GetString());
            var detail = refused.Root.GetProperty("detail").GetString()!;
            foreach (var part in new[] { "„v“", "PT1H", "delivery.rhythm", (_clock.GetUtcNow() + refused.RetryAfter.Value).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture), "UTC" }) Assert.Contains(part, detail, StringComparison.Ordinal);
        }

        Assert.Contains("the next fetch can begin from", (await GetAsync(way, what, language: "en")).Text, StringComparison.Ordinal);

        // Another reader, another object, another operation.
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(way, what, client: _other)).Status);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await GetAsync(way, what, client: _other)).Status);
        if (way != "rows") Assert.Equal(HttpStatusCode.OK, (await GetAsync(way, "groesster")).Status);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(way == "rows" ? "values" : "rows", way == "rows" ? "summe" : "luft")).Status);

        // What is refused does not move the time.
        _clock.Advance(TimeSpan.FromMinutes(59));
        Assert.InRange((await GetAsync(way, what)).RetryAfter!.Value.TotalSeconds, 1, 60);
        _clock.Advance(TimeSpan.FromMinutes(1));
        await SoonAsync(way, what);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await GetAsync(way, what)).Status);
    }

    [Fact]
    public async Task Whoever_asks_at_the_same_instant_begins_once_and_a_restart_keeps_it()
    {
        await AgreeAsync("v", "P1D");
        await SoonAsync("values", "mittel");
        var all = await Task.WhenAll(Enumerable.Range(0, 16).Select(number => GetAsync(number % 2 == 0 ? "values" : "many", "summe")));
        Assert.Single(all, answer => answer.Status == HttpStatusCode.OK);
        Assert.All(all, answer => Assert.True(answer.Status is HttpStatusCode.OK or HttpStatusCode.TooManyRequests, answer.Text));
        await _hub.RestartAsync();
        SignIn();
        await SoonAsync("values", "groesster");
        Assert.Equal(HttpStatusCode.TooManyRequests, (await GetAsync("values", "summe")).Status);
        _clock.Advance(TimeSpan.FromDays(1));
        await SoonAsync("values", "summe");
    }

    [Fact]
    public async Task Where_nothing_is_given_nothing_has_begun()
    {
        await AgreeAsync("v", "PT1H", rowsPerDay: 9);
        await SoonAsync("latest", "summe");

        // One of several was fetched already: the others have not begun.
        await SoonAsync("values", "summe", "&limit=1");
        Assert.Equal(HttpStatusCode.TooManyRequests, (await GetAsync("many", "mittel,summe", "&limit=1")).Status);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("values", "mittel", "&limit=1")).Status);

        // A column that is not there; more than is left of the day.
        Assert.Equal(HttpStatusCode.BadRequest, (await GetAsync("rows", "luft", "&limit=1&fields=nix")).Status);
        var left = await GetAsync("rows", "luft");
        Assert.Equal(HttpStatusCode.Forbidden, left.Status);
        Assert.Contains("sind noch übrig", left.Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("rows", "luft", "&limit=1")).Status);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await GetAsync("rows", "luft", "&limit=1")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync("values", "groesster")).Status);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("values", "groesster", "&limit=1")).Status);
    }

    [Fact]
    public async Task Several_indicators_are_one_fetch_of_each_while_rows_stream_in()
    {
        await AgreeAsync("v", "PT1S");
        await SoonAsync("many", "summe,mittel,groesster,kleinster");
        using var enough = new CancellationTokenSource();
        var pushing = Task.Run(async () =>
        {
            for (var hour = 6; !enough.IsCancellationRequested; hour = 6 + ((hour + 1) % 17)) await PushAsync(hour, 1, noted: false);
        });
        var given = 0;
        for (var i = 0; i < 60; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            var answer = await GetAsync("many", "summe,mittel,groesster,kleinster");
            Assert.True(answer.Status is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable, answer.Text);
            if (answer.Status == HttpStatusCode.OK) given++;
        }

        Assert.True(given >= 30, $"{given} of 60 were given");
        await enough.CancelAsync();
        await pushing;
    }

    [Fact]
    public async Task With_a_rhythm_there_is_no_live_stream_and_without_one_nothing_is_too_often()
    {
        await AgreeAsync("v", "PT1H");
        await SoonAsync("values", "summe");
        var refused = await GetAsync("changes", "summe");
        Assert.Equal(HttpStatusCode.Forbidden, refused.Status);
        Assert.Contains("Abrufe im Abstand von mindestens PT1H (delivery.rhythm), keinen laufenden Strom", refused.Root.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await OkAsync(ActAsync(_amt, "v", "revoke", "Probe"));

        await AgreeAsync("w", null);
        for (var i = 0; i < 5; i++) await SoonAsync("values", "summe");
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("changes", "summe")).Status);
    }

    [Fact]
    public void Begins_are_kept_while_they_count_and_so_many_at_most()
    {
        var (now, state) = (DateTimeOffset.UnixEpoch, new AgreementRhythmState());
        var id = Guid.NewGuid();
        for (var repeat = 0; repeat < 2; repeat++)
        {
            (state, var begun) = AgreementRhythmRules.Begin(state, Request("0", id), now);
            Assert.Null(begun.NotBefore);
        }

        Assert.Same(state, AgreementRhythmRules.GiveBack(state, Guid.NewGuid()));
        Assert.Empty(AgreementRhythmRules.GiveBack(state, id).Fetches);
        state = new([.. Enumerable.Range(0, IAgreementRhythmGrain.MaxFetches).Select(i => new FetchBegun(Guid.NewGuid(), $"{i}", "rows", "dataset:luft", now.AddMinutes(60 + i)))]);
        var (same, full) = AgreementRhythmRules.Begin(state, Request("neu"), now);
        Assert.Same(state, same);
        Assert.Equal((now.AddHours(1), TimeSpan.FromHours(1), true), (full.NotBefore!.Value, full.Wait, full.IsFull));
        Assert.False(AgreementRhythmRules.Begin(state, Request("7"), now).Result.IsFull);
        (state, var later) = AgreementRhythmRules.Begin(state, Request("neu"), now.AddMinutes(70));
        Assert.Null(later.NotBefore);
        Assert.Equal(IAgreementRhythmGrain.MaxFetches - 10, state.Fetches.Length);

        // By the calendar: a month after 31 January.
        var january = new DateTimeOffset(2027, 1, 31, 8, 0, 0, TimeSpan.Zero);
        Assert.Equal(january.AddMonths(1), AgreementRhythmRules.Begin(new(), Request("0") with { Rhythm = "P1M" }, january).State.Fetches[0].Next);

        static FetchRequest Request(string subject, Guid? id = null) => new(id ?? Guid.NewGuid(), "PT1H", subject, "rows", "dataset:luft");
    }

    private void SignIn() => (_amt, _bezirk, _other) = (_hub.With(_keys[0]), _hub.With(_keys[1]), _hub.With(_keys[2]));

    private async Task PushAsync(int hour, int hours, bool noted = true)
    {
        var rows = Enumerable.Range(hour, hours).Select(at => new { station = "a", time = new DateTimeOffset(2026, 11, 1, at, 0, 0, TimeSpan.Zero), value = Random.Shared.Next(1_000) });
        var receipt = await OkAsync(_amt.PostAsJsonAsync("api/v1/datasets/luft/feeds/default/records", rows.Concat(rows.Select(row => row with { station = "b" }))));
        if (noted) _watermark = Uri.EscapeDataString(receipt.RootElement.GetProperty("watermark").GetString()!);
    }

    /// <summary>The answer once the agreement that was just made is known.</summary>
    private async Task<Answer> SoonAsync(string way, string what, string parameters = "")
    {
        for (var tries = 0; ; tries++, await Task.Delay(50))
        {
            var answer = await GetAsync(way, what, parameters);
            if (answer.Status == HttpStatusCode.OK) return answer;
            Assert.True(tries < 200 && answer.Status is HttpStatusCode.Forbidden or HttpStatusCode.ServiceUnavailable, $"{way} {what}{parameters}: {answer.Text}");
            _clock.Advance(TimeSpan.FromMilliseconds(100));
        }
    }

    private Task<Answer> GetAsync(string way, string what, string parameters = "", HttpClient? client = null, string language = "de") => SendAsync(client ?? _bezirk, "api/v1/" + way switch
    {
        "rows" => $"datasets/{what}/records?watermark={_watermark}",
        "explain" => $"indicators/{what}/explain?watermark={_watermark}&from=2026-11-01T02:00:00Z",
        "diff" => $"indicators/{what}/diff?since=2026-11-01&watermark={_watermark}",
        "many" => $"values?indicator={what}&watermark={_watermark}",
        "changes" => $"indicators/{what}/changes?from=2026-11-01",
        _ => $"indicators/{what}/{way}?watermark={_watermark}",
    } + parameters, language);

    private static async Task<Answer> SendAsync(HttpClient client, string path, string language = "de")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "DataHub-Purpose", "planung" }, { "Accept-Language", language } } };
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var isStream = answer.Content.Headers.ContentType?.MediaType == "text/event-stream";
        return new(answer.StatusCode, answer.Headers.RetryAfter?.Delta, isStream ? "" : await answer.Content.ReadAsStringAsync());
    }

    private async Task AgreeAsync(string id, string? rhythm, long? rowsPerDay = null)
    {
        var now = _clock.GetUtcNow();
        var terms = JsonNode.Parse($$"""
            { "title": "Luft für die Planung", "provider": "amt", "recipient": "bezirk", "dataset": "luft", "purposes": [ { "id": "planung", "text": "Bauleitplanung" } ],
              "forbiddenPurposes": [ { "id": "werbung", "text": "Werbung" } ], "legalBasis": "§ 12 EGovG", "use": { "onwardTransfer": "none", "publication": "aggregatesOnly" },
              "duties": [ { "id": "bericht", "kind": "report", "text": "Bericht über die Nutzung", "every": "P30D", "missed": "notice" } ],
              "term": { "from": "{{now.AddMinutes(-5):yyyy-MM-dd'T'HH:mm:ss'Z'}}", "until": "{{now.AddYears(1):yyyy-MM-dd'T'HH:mm:ss'Z'}}", "notice": "P1M" } }
            """)!.AsObject();
        terms["delivery"] = new JsonObject { ["rhythm"] = rhythm, ["rowsPerDay"] = rowsPerDay };
        await OkAsync(_amt.PutAsJsonAsync($"api/v1/agreements/{id}", terms));
        foreach (var (client, act) in new[] { (_amt, "acknowledge-charter"), (_amt, "offer"), (_bezirk, "acknowledge-charter"), (_amt, "agree"), (_bezirk, "agree") }) await OkAsync(ActAsync(client, id, act));
        _clock.Advance(TimeSpan.FromSeconds(1));
    }

    private static Task<HttpResponseMessage> ActAsync(HttpClient client, string id, string act, string? reason = null) => client.PostAsJsonAsync($"api/v1/agreements/{id}/acts", new { act, reason });

    private sealed record Answer(HttpStatusCode Status, TimeSpan? RetryAfter, string Text)
    {
        public JsonElement Root => JsonDocument.Parse(Text).RootElement;
    }
}
