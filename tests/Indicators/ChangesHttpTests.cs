using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Support;

using Microsoft.Extensions.Time.Testing;

namespace DataHub.Indicators;

/// <summary>Live changes through the public route of a whole hub.</summary>
public sealed class ChangesHttpTests
{
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_viewer_gets_the_state_then_what_becomes_different_and_what_is_gone()
    {
        await using var hub = await HubFixture.StartAsync();
        var agency = await DatasetAsync(hub);
        await PushAsync(agency, ("a", 8, 10), ("b", 8, 20), ("c", 9, 30));
        await using var viewer = new ChangesViewer(hub.Anonymous, "api/v1/indicators/live-sum/changes?from=2026-11-01");
        await viewer.ConnectAsync();
        await EqualAsync(hub, viewer);
        Assert.Equal([("state", 2, 0)], viewer.Events);

        await PushAsync(agency, ("d", 9, 5));
        await EqualAsync(hub, viewer);
        await PushAsync(agency, ("c", 9, null), ("d", 9, null));
        await EqualAsync(hub, viewer);
        // A repeat changes nothing, and nothing is sent; what comes after it shows that it was passed.
        await PushAsync(agency, ("a", 8, 10));
        await PushAsync(agency, ("e", 12, 1));
        await EqualAsync(hub, viewer);

        Assert.Equal([("state", 2, 0), ("change", 1, 0), ("change", 0, 1), ("change", 1, 0)], viewer.Events);
        Assert.Equal(0, viewer.Unchanged);
    }

    [Fact]
    public async Task Whoever_comes_back_gets_what_changed_meanwhile_also_after_a_restart()
    {
        await using var hub = await HubFixture.StartAsync();
        var agency = await DatasetAsync(hub);
        for (var hour = 0; hour < 20; hour++) await PushAsync(agency, ("a", hour, hour));
        var client = hub.Anonymous;
        var viewer = new ChangesViewer(client, "api/v1/indicators/live-sum/changes?from=2026-11-01");
        await viewer.ConnectAsync();
        await EqualAsync(hub, viewer);
        await viewer.DisconnectAsync();

        await PushAsync(agency, ("a", 3, 100), ("a", 7, null), ("b", 21, 1));
        await viewer.ConnectAsync();
        await EqualAsync(hub, viewer);
        Assert.Equal(("change", 2, 1), viewer.Events[^1]);
        await viewer.DisconnectAsync();

        await PushAsync(agency, ("a", 4, 200));
        var id = viewer.LastId;
        await hub.RestartAsync();
        await PushAsync(hub.Admin, ("a", 5, null));
        var again = new ChangesViewer(hub.Anonymous, "api/v1/indicators/live-sum/changes?from=2026-11-01") { LastId = id };
        await again.ConnectAsync();
        await UntilAsync(() => again.Events.Sum(e => e.Rows) == 1 && again.Events.Sum(e => e.Removed) == 1, () => string.Join(' ', again.Events));
        Assert.All(again.Events, e => Assert.Equal("change", e.Name));
        Assert.Contains("\"value\":200", again.Rows[0], StringComparison.Ordinal);
        await again.DisconnectAsync();
    }

    [Fact]
    public async Task What_cannot_be_continued_is_reset()
    {
        await using var hub = await HubFixture.StartAsync();
        var agency = await DatasetAsync(hub);
        await PushAsync(agency, ("a", 8, 10));
        foreach (var id in (string[])["e1.x", "nonsense"])
        {
            await using var stranger = new ChangesViewer(hub.Anonymous, "api/v1/indicators/live-sum/changes?from=2026-11-01") { LastId = id };
            await stranger.ConnectAsync();
            await EqualAsync(hub, stranger);
            Assert.Equal(["reset", "state"], stranger.Events.Select(e => e.Name));
        }

        await using var viewer = new ChangesViewer(hub.Anonymous, "api/v1/indicators/live-sum/changes?from=2026-11-01");
        await viewer.ConnectAsync();
        await EqualAsync(hub, viewer);
        // An id of another selection, and then another definition.
        await using var other = new ChangesViewer(hub.Anonymous, "api/v1/indicators/live-sum/changes?from=2026-11-02") { LastId = viewer.LastId };
        await other.ConnectAsync();
        await UntilAsync(() => other.Events.Length == 2, () => string.Join(' ', other.Events));
        Assert.Equal("reset", other.Events[0].Name);
        await HubFixture.OkAsync(hub.Admin.PutAsJsonAsync("api/v1/indicators/live-sum", Indicator("max")));
        await PushAsync(agency, ("b", 8, 3));
        await EqualAsync(hub, viewer);
        Assert.Contains("reset", viewer.Events.Select(e => e.Name));
        Assert.Contains("\"value\":10", Assert.Single(viewer.Rows), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_address_can_name_what_was_seen_and_nobody_on_the_way_keeps_or_collects_the_answer()
    {
        await using var hub = await HubFixture.StartAsync();
        var agency = await DatasetAsync(hub);
        await PushAsync(agency, ("a", 8, 10), ("b", 9, 20));
        const string Path = "api/v1/indicators/live-sum/changes?from=2026-11-01";
        await using var viewer = new ChangesViewer(hub.Anonymous, Path);
        await viewer.ConnectAsync();
        await EqualAsync(hub, viewer);
        await viewer.DisconnectAsync();
        await PushAsync(agency, ("a", 8, 11));

        await using var named = new ChangesViewer(hub.Anonymous, $"{Path}&lastEventId={viewer.LastId}");
        await named.ConnectAsync();
        await UntilAsync(() => named.Events.Length > 0, () => "nothing came");
        Assert.Equal([("change", 1, 0)], named.Events);
        // The header of a browser that reconnects is newer than the address it reconnects to.
        await named.DisconnectAsync();
        await PushAsync(agency, ("b", 9, 21));
        await named.ConnectAsync();
        await UntilAsync(() => named.Events.Length > 1, () => "nothing came");
        Assert.Equal([("change", 1, 0), ("change", 1, 0)], named.Events);
        Assert.Equal(2, named.Rows.Length);

        using var head = await hub.Anonymous.SendAsync(new(HttpMethod.Head, Path));
        Assert.Equal((HttpStatusCode.OK, "text/event-stream"), (head.StatusCode, head.Content.Headers.ContentType?.MediaType));
        Assert.True(head.Headers.CacheControl?.NoStore);
        Assert.Equal("no", Assert.Single(head.Headers.GetValues("X-Accel-Buffering")));
        using var refused = await hub.Anonymous.SendAsync(new(HttpMethod.Head, $"{Path}&level=1"));
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
    }

    [Fact]
    public async Task Signs_of_life_come_while_nothing_happens_and_a_window_that_ends_is_a_change()
    {
        var clock = new FakeTimeProvider(new(2026, 11, 24, 10, 30, 0, TimeSpan.Zero));
        await using var hub = await HubFixture.StartAsync(new Dictionary<string, string?> { ["DataHub:Changes:Heartbeat"] = "00:00:01" }, clock);
        var agency = await DatasetAsync(hub);
        await PushAsync(agency, 24, ("a", 11, 10));
        await using var viewer = new ChangesViewer(hub.Anonymous, "api/v1/indicators/live-sum/changes");
        await viewer.ConnectAsync();
        await UntilAsync(() => viewer.Heartbeats > 0 && viewer.Rows.Length == 1, () => "no heartbeat");
        Assert.Contains("preliminary", viewer.Rows[0], StringComparison.Ordinal);

        clock.Advance(TimeSpan.FromHours(1));

        await UntilAsync(() => viewer.Rows[0].Contains("\"ok\"", StringComparison.Ordinal), () => viewer.Rows[0]);
        Assert.Equal(("change", 1, 0), viewer.Events[^1]);
    }

    [Fact]
    public async Task Where_nothing_else_is_said_a_sign_of_life_comes_every_fifteen_seconds()
    {
        await using var hub = await HubFixture.StartAsync();
        await PushAsync(await DatasetAsync(hub), ("a", 8, 10));
        await using var viewer = new ChangesViewer(hub.Anonymous, "api/v1/indicators/live-sum/changes?from=2026-11-01");
        await viewer.ConnectAsync();
        await EqualAsync(hub, viewer);
        var quiet = System.Diagnostics.Stopwatch.StartNew();

        await UntilAsync(() => viewer.Heartbeats > 0, () => "no sign of life");

        Assert.InRange(quiet.Elapsed.TotalSeconds, 13, 18);
    }

    [Fact]
    public async Task A_viewer_of_a_formula_sees_what_its_inputs_make_of_it()
    {
        await using var hub = await HubFixture.StartAsync();
        var agency = await DatasetAsync(hub);
        await HubFixture.OkAsync(hub.Admin.PutAsJsonAsync("api/v1/indicators/live-count", Indicator("count")));
        await HubFixture.OkAsync(hub.Admin.PutAsJsonAsync("api/v1/indicators/live-rate", new { title = "x", dataset = "live", formula = "\"live-sum\" / (\"live-count\" - 2)", access = "open" }));
        await PushAsync(agency, ("a", 8, 10));
        await using var viewer = new ChangesViewer(hub.Anonymous, "api/v1/indicators/live-rate/changes?from=2026-11-01");
        await viewer.ConnectAsync();
        await SeesAsync("\"value\":-10,");
        await PushAsync(agency, ("a", 8, 12));
        await SeesAsync("\"value\":-12,");
        await PushAsync(agency, ("b", 8, 1));
        await SeesAsync("\"state\":\"undefined\"");
        await PushAsync(agency, ("c", 8, 2), ("d", 9, 7));
        await SeesAsync("\"value\":15,");
        await UntilAsync(async () => (await HubFixture.OkAsync(hub.Anonymous.GetAsync("api/v1/indicators/live-rate/values?from=2026-11-01"))) is var poll
            && ChangesViewer.RowsOf(poll.RootElement).SequenceEqual(viewer.Rows));
        Assert.Equal(0, viewer.Unchanged);

        Task SeesAsync(string text) => UntilAsync(() => viewer.Rows.Any(row => row.Contains(text, StringComparison.Ordinal)), () => $"{text} not in {string.Join(' ', viewer.Rows)}");
    }

    [Fact]
    public async Task Many_viewers_of_a_random_life_see_what_a_poll_sees_and_are_computed_for_once()
    {
        await using var hub = await HubFixture.StartAsync(new Dictionary<string, string?> { ["DataHub:Changes:Period"] = "00:00:00.020", ["DataHub:Changes:RowsPerEvent"] = "3" });
        var agency = await DatasetAsync(hub);
        var random = new Random(7);
        var viewers = Enumerable.Range(0, 20).Select(i => new ChangesViewer(hub.Anonymous, i % 2 == 0 ? "api/v1/indicators/live-sum/changes?from=2026-11-01" : "api/v1/indicators/live-sum/changes")).ToArray();
        foreach (var viewer in viewers) await viewer.ConnectAsync();
        var faithful = viewers.ToHashSet();
        for (var round = 0; round < 60; round++)
        {
            await PushAsync(agency, [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => ($"s{random.Next(4)}", random.Next(24), random.Next(3) == 0 ? (int?)null : random.Next(100)))]);
            if (round % 7 == 3)
            {
                var viewer = viewers[random.Next(viewers.Length)];
                faithful.Remove(viewer);
                await viewer.DisconnectAsync();
                await PushAsync(agency, ($"s{random.Next(4)}", random.Next(24), random.Next(100)));
                await viewer.ConnectAsync();
            }
        }

        for (var i = 0; i < viewers.Length; i++) await EqualAsync(hub, viewers[i], i % 2 == 0 ? "values?from=2026-11-01&limit=1000" : "latest");
        // Whoever was there all the time got no cell that was the same as before.
        Assert.NotEmpty(faithful);
        Assert.All(faithful, viewer => Assert.Equal(0, viewer.Unchanged));
        var metrics = "";

        // A viewer that left is noticed with the next event that cannot be written to it.
        await UntilAsync(async () => (metrics = await hub.Anonymous.GetStringAsync("metrics")).Length > 0 && Of("datahub_changes_viewers") == 20, () => metrics);
        double Of(string name) => metrics.Split('\n').Where(line => line.StartsWith(name, StringComparison.Ordinal)).Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(20, Of("datahub_changes_viewers"));
        Assert.Equal(2, Of("datahub_changes_selections"));
        // Two selections and some who came back: far fewer than viewers times rounds.
        Assert.InRange(Of("datahub_changes_computations"), 2, 2 * (60 + 9) * 3);
        foreach (var viewer in viewers) await viewer.DisposeAsync();
    }

    [Fact]
    public async Task Rights_and_limits_hold_for_viewers_too()
    {
        await using var hub = await HubFixture.StartAsync(new Dictionary<string, string?> { ["DataHub:Changes:MaxViewersPerIndicator"] = "2" });
        var agency = await DatasetAsync(hub);
        await PushAsync(agency, ("a", 8, 10));
        var reader = await hub.KeyAsync("live-agency", KeyRole.Read);
        await HubFixture.OkAsync(hub.Admin.PutAsJsonAsync("api/v1/indicators/live-shut", new { title = "x", dataset = "live", measure = new { function = "sum", field = "no2" }, window = "PT1H", access = "internal" }));
        await HubFixture.RefusedAsync(hub.Anonymous.GetAsync("api/v1/indicators/live-shut/changes"), 401);
        await HubFixture.RefusedAsync((await hub.AgencyAsync("somebody")).GetAsync("api/v1/indicators/live-shut/changes"), 403);
        await HubFixture.RefusedAsync(hub.Anonymous.GetAsync("api/v1/indicators/nothing/changes"), 404);
        await HubFixture.RefusedAsync(hub.Anonymous.GetAsync("api/v1/indicators/live-sum/changes?limit=5"), 400);
        await HubFixture.RefusedAsync(hub.Anonymous.GetAsync("api/v1/indicators/live-sum/changes?level=1"), 400);

        await using var inside = new ChangesViewer(hub.With(reader), "api/v1/indicators/live-shut/changes");
        await inside.ConnectAsync();
        await UntilAsync(() => inside.Rows.Length == 1, () => "no state");
        await HubFixture.OkAsync(hub.Admin.DeleteAsync($"api/v1/agencies/live-agency/keys/{reader.Split('.')[1]}"));
        await Task.Delay(TimeSpan.FromMilliseconds(600));
        await PushAsync(agency, ("a", 8, 11));
        await UntilAsync(() => inside.IsOver, () => "still watching");
        Assert.Contains("\"value\":10", Assert.Single(inside.Rows), StringComparison.Ordinal);

        await using var one = new ChangesViewer(hub.Anonymous, "api/v1/indicators/live-sum/changes");
        await using var two = new ChangesViewer(hub.Anonymous, "api/v1/indicators/live-sum/changes");
        await one.ConnectAsync();
        await two.ConnectAsync();
        var third = new ChangesViewer(hub.Anonymous, "api/v1/indicators/live-sum/changes");
        Assert.Equal(HttpStatusCode.TooManyRequests, (await Assert.ThrowsAsync<HttpRequestException>(third.ConnectAsync)).StatusCode);
        await one.DisconnectAsync();
        await UntilAsync(async () =>
        {
            try
            {
                await third.ConnectAsync();
                return true;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        });
        await third.DisposeAsync();
    }

    private static async Task<HttpClient> DatasetAsync(HubFixture hub)
    {
        var agency = await hub.AgencyAsync("live-agency");
        await hub.PutAirQualityAsync("live", "live-agency");
        await HubFixture.OkAsync(hub.Admin.PutAsJsonAsync("api/v1/indicators/live-sum", Indicator("sum")));
        return agency;
    }

    private static object Indicator(string function) => new { title = "x", dataset = "live", measure = new { function, field = "no2" }, window = "PT1H", access = "open", coverage = false };

    private static Task PushAsync(HttpClient client, params (string Station, int Hour, int? Value)[] rows) => PushAsync(client, 23, rows);

    private static async Task PushAsync(HttpClient client, int day, params (string Station, int Hour, int? Value)[] rows)
    {
        var lines = rows.Select(row => $$"""{"station":"{{row.Station}}","time":"2026-11-{{day}}T{{row.Hour - 1 + (row.Hour == 0 ? 1 : 0):00}}:{{(row.Hour == 0 ? "00" : "30")}}:00Z"{{(row.Value is { } value ? $",\"no2\":{value}" : ",\"@delete\":true")}}}""");
        using var content = new StringContent(string.Join('\n', lines), Encoding.UTF8, "application/x-ndjson");
        var receipt = (await HubFixture.OkAsync(client.PostAsync("api/v1/datasets/live/feeds/default/records", content))).RootElement;
        // Once a poll includes it, viewers need not wait long.
        await HubFixture.OkAsync(client.GetAsync($"api/v1/indicators/live-sum/latest?watermark={receipt.GetProperty("watermark")}"));
    }

    private static Task EqualAsync(HubFixture hub, ChangesViewer viewer, string poll = "values?from=2026-11-01&limit=1000")
    {
        var (expected, seen) = ("", "");
        return UntilAsync(async () =>
        {
            using var answer = await hub.Anonymous.GetAsync($"api/v1/indicators/live-sum/{poll}");
            if (!answer.IsSuccessStatusCode) return false;
            (expected, seen) = (string.Join('\n', ChangesViewer.RowsOf(await answer.Content.ReadFromJsonAsync<JsonElement>())), string.Join('\n', viewer.Rows));
            return expected == seen && viewer.Events.Length > 0;
        }, () => $"expected\n{expected}\nseen\n{seen}\n{string.Join(' ', viewer.Events)} {viewer.Ended}");
    }

    private static Task UntilAsync(Func<bool> holds, Func<string> why) => UntilAsync(() => Task.FromResult(holds()), why);

    private static async Task UntilAsync(Func<Task<bool>> holds, Func<string>? why = null)
    {
        var until = DateTime.UtcNow + s_soon;
        while (!await holds())
        {
            Assert.True(DateTime.UtcNow < until, why?.Invoke() ?? "not in time");
            await Task.Delay(20);
        }
    }
}
