using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Support;

using Microsoft.Extensions.Time.Testing;

using static DataHub.Support.HubFixture;

namespace DataHub.Pipelines;

/// <summary>Runs that start by themselves, in a whole hub whose clock the test turns: at times, over restarts, when rows or files come, and over a time that has passed.</summary>
public sealed class TriggerHttpTests : IAsyncLifetime
{
    private static readonly DateTimeOffset s_begin = new(2026, 10, 23, 12, 0, 0, TimeSpan.Zero);

    private readonly FakeTimeProvider _clock = new(s_begin);
    private HubFixture _hub = null!;
    private HttpClient _admin = null!;

    public async Task InitializeAsync()
    {
        _hub = await HubFixture.StartAsync(clock: _clock);
        _admin = await _hub.AgencyAsync("amt", KeyRole.Admin);
    }

    public async Task DisposeAsync() => await _hub.DisposeAsync();

    [Fact]
    public async Task A_schedule_runs_through_the_change_of_clocks_and_over_an_outage_and_each_run_reads_its_period()
    {
        await Pipes.LoansAsync(_admin, "ausleihen", "amt");
        await Pipes.PutJobAsync(_admin, "nachts", """
            { "title": "Nachts", "agency": "amt", "triggers": [ { "id": "nacht", "schedule": { "cron": "30 2 * * *", "timeZone": "Europe/Berlin" } } ],
              "steps": [ { "id": "zeilen", "read": { "dataset": "ausleihen", "ofPeriod": true } } ] }
            """);

        Assert.Equal(Instant("2026-10-24T00:30:00Z"), (await TriggerAsync("nachts")).GetProperty("next").GetDateTimeOffset());
        for (var hour = 0; hour < 60; hour++)
        {
            // A row each six hours, from noon UTC on.
            if (hour % 6 == 0) await PushAsync("ausleihen", [new { branch = "Mitte", time = _clock.GetUtcNow(), loans = hour }]);
            await PassAsync(TimeSpan.FromHours(1));
        }

        // An outage of four nights: one run catches up over all of them.
        _clock.Advance(TimeSpan.FromHours(75));
        await _hub.RestartAsync();
        _admin = _hub.With(await _hub.KeyAsync("amt", KeyRole.Admin));
        await PassAsync(TimeSpan.Zero);

        var runs = await RunsAsync("nachts");
        Assert.Equal(
            ["2026-10-23T00:30:00Z/2026-10-24T00:30:00Z", "2026-10-24T00:30:00Z/2026-10-25T00:30:00Z", "2026-10-25T00:30:00Z/2026-10-29T01:30:00Z"],
            runs.Select(run => $"{run.GetProperty("period").GetProperty("from").GetDateTimeOffset():yyyy-MM-ddTHH:mm:ssZ}/{run.GetProperty("period").GetProperty("to").GetDateTimeOffset():yyyy-MM-ddTHH:mm:ssZ}"));
        Assert.All(runs, run => Assert.Equal("nacht", run.GetProperty("trigger").GetString()));
        var read = new List<long>();
        foreach (var run in runs) read.Add(Pipes.Step(await Pipes.EndAsync(_admin, run.GetProperty("id").GetString()!), "zeilen").GetProperty("rowsOut").GetInt64());
        // Rows lie at 12, 18, 0, 6 o'clock UTC: 3 in the first period (none before the first row), 4 in a day, 3 since (nobody could push meanwhile).
        Assert.Equal([3, 4, 3], read);
    }

    [Fact]
    public async Task New_rows_start_a_run_once_it_is_quiet_and_old_ones_none()
    {
        await Pipes.LoansAsync(_admin, "quelle", "amt");
        await PushAsync("quelle", [new { branch = "Mitte", time = s_begin, loans = 1 }]);
        await Pipes.PutJobAsync(_admin, "folgt", """
            { "title": "Folgt", "agency": "amt", "triggers": [ { "id": "neu", "newRows": { "dataset": "quelle", "quiet": "PT2M", "atMost": "PT10M" } } ],
              "steps": [ { "id": "zeilen", "read": { "dataset": "quelle" } } ] }
            """);
        for (var i = 0; i < 4; i++) await PassAsync(TimeSpan.FromMinutes(1));
        Assert.Empty(await RunsAsync("folgt"));

        // Rows come each minute: it waits for quiet, but no longer than ten minutes.
        for (var i = 1; i <= 9; i++)
        {
            await PushAsync("quelle", [new { branch = "Mitte", time = s_begin.AddMinutes(i), loans = i }]);
            await PassAsync(TimeSpan.FromMinutes(1));
        }

        Assert.Empty(await RunsAsync("folgt"));
        for (var i = 0; i < 3; i++) await PassAsync(TimeSpan.FromMinutes(1));
        var first = Assert.Single(await RunsAsync("folgt"));
        Assert.Equal(10, Pipes.Step(await Pipes.EndAsync(_admin, first.GetProperty("id").GetString()!), "zeilen").GetProperty("rowsOut").GetInt64());
        for (var i = 0; i < 15; i++) await PassAsync(TimeSpan.FromMinutes(1));
        Assert.Single(await RunsAsync("folgt"));

        await PushAsync("quelle", [new { branch = "Pankow", time = s_begin, loans = 5 }]);
        for (var i = 0; i < 4; i++) await PassAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(2, (await RunsAsync("folgt")).Length);
    }

    [Fact]
    public async Task A_file_with_the_right_name_starts_a_run_with_it()
    {
        await Pipes.PutJobAsync(_admin, "datei", """
            { "title": "Datei", "agency": "amt", "triggers": [ { "id": "neu", "upload": { "step": "datei", "name": "ausleihen-*.csv" } } ],
              "steps": [ { "id": "datei", "read": { "file": {} } } ] }
            """);
        await Pipes.UploadAsync(_admin, "besuche-2026.csv", "a\n1\n");
        var other = await _hub.AgencyAsync("anderes", KeyRole.Admin);
        await Pipes.UploadAsync(other, "ausleihen-2026.csv", "a\n1\n");
        await Pipes.UploadAsync(_admin, "Ausleihen-2026.csv", "a\n1\n2\n");
        await PassAsync(TimeSpan.FromSeconds(1));
        var run = await Pipes.EndAsync(_admin, Assert.Single(await RunsAsync("datei")).GetProperty("id").GetString()!);
        Assert.Equal(("complete", 2), (run.GetProperty("state").GetString(), Pipes.Step(run, "datei").GetProperty("rowsOut").GetInt64()));
        Assert.Equal("Ausleihen-2026.csv", run.GetProperty("inputs")[0].GetProperty("name").GetString());
        await PassAsync(TimeSpan.FromSeconds(1));
        Assert.Single(await RunsAsync("datei"));
    }

    [Fact]
    public async Task A_new_version_keeps_or_ends_a_trigger()
    {
        await Pipes.LoansAsync(_admin, "wechsel", "amt");
        await Pipes.PutJobAsync(_admin, "wechsel", Hourly(""));
        for (var i = 0; i < 2; i++) await PassAsync(TimeSpan.FromHours(1));
        Assert.Equal(2, (await RunsAsync("wechsel")).Length);
        // Kept, though half an hour has gone: the next hour is not lost, the last not run again.
        _clock.Advance(TimeSpan.FromMinutes(30));
        await Pipes.PutJobAsync(_admin, "wechsel", Hourly(", \"description\": \"Neu\""));
        await PassAsync(TimeSpan.FromMinutes(30));
        Assert.Equal(3, (await RunsAsync("wechsel")).Length);
        await Pipes.PutJobAsync(_admin, "wechsel", """{ "title": "W", "agency": "amt", "steps": [ { "id": "zeilen", "read": { "dataset": "wechsel" } } ] }""");
        for (var i = 0; i < 2; i++) await PassAsync(TimeSpan.FromHours(1));
        Assert.Equal(3, (await RunsAsync("wechsel")).Length);
        Assert.Equal(0, (await OkAsync(_admin.GetAsync("api/v1/jobs/wechsel/triggers"))).RootElement.GetProperty("triggers").GetArrayLength());

        static string Hourly(string more) =>
            $$"""{ "title": "W", "agency": "amt"{{more}}, "triggers": [ { "id": "stunde", "schedule": { "cron": "0 * * * *", "timeZone": "UTC" } } ], "steps": [ { "id": "zeilen", "read": { "dataset": "wechsel" } } ] }""";
    }

    [Fact]
    public async Task A_backfill_runs_each_day_in_order_stops_where_one_fails_and_goes_on()
    {
        await Pipes.LoansAsync(_admin, "tage", "amt");
        await PushAsync("tage", new[] { 1, 2, 4, 5 }.Select(day => new { branch = "Mitte", time = new DateTimeOffset(2026, 10, day, 10, 0, 0, TimeSpan.Zero), loans = day }));
        await Pipes.PutJobAsync(_admin, "tage", """
            { "title": "Tage", "agency": "amt", "triggers": [ { "id": "tag", "schedule": { "cron": "0 0 * * *", "timeZone": "UTC" } } ],
              "steps": [ { "id": "zeilen", "read": { "dataset": "tage", "ofPeriod": true } }, { "id": "da", "check": { "input": "zeilen", "rules": [ { "rows": { "minimum": 1 } } ] } } ] }
            """);
        var order = new { from = Instant("2026-10-01T00:00:00Z"), to = Instant("2026-10-06T00:00:00Z") };
        var preview = await OkAsync(_admin.PostAsJsonAsync("api/v1/jobs/tage/backfill", new { order.from, order.to, preview = true }));
        Assert.Equal(5, preview.RootElement.GetProperty("runs").GetArrayLength());
        Assert.Empty(await RunsAsync("tage"));
        Assert.Equal(JsonValueKind.Null, (await OkAsync(_admin.GetAsync("api/v1/jobs/tage/backfill"))).RootElement.GetProperty("id").ValueKind);

        await OkAsync(_admin.PostAsJsonAsync("api/v1/jobs/tage/backfill", order));
        var stopped = await UntilAsync("tage", "stopped");
        Assert.Equal((5, 2), (stopped.GetProperty("periods").GetInt32(), stopped.GetProperty("done").GetInt32()));
        Assert.Contains("wurde nicht fertig", stopped.GetProperty("cause").GetString(), StringComparison.Ordinal);
        await RefusedAsync(_admin.PostAsJsonAsync("api/v1/jobs/tage/backfill", order), 409);

        await PushAsync("tage", [new { branch = "Mitte", time = Instant("2026-10-03T10:00:00Z"), loans = 3 }]);
        await OkAsync(_admin.PostAsJsonAsync("api/v1/jobs/tage/backfill/acts", new { act = "resume" }));
        var done = await UntilAsync("tage", "complete");
        Assert.Equal(5, done.GetProperty("done").GetInt32());
        var complete = (await RunsAsync("tage")).Where(run => run.GetProperty("state").GetString() == "complete").Select(run => run.GetProperty("period").GetProperty("from").GetDateTimeOffset().Day);
        Assert.Equal([1, 2, 3, 4, 5], complete);
        // What is complete is not done again, unless that is asked for.
        await RefusedAsync(_admin.PostAsJsonAsync("api/v1/jobs/tage/backfill", order), 409);
        Assert.Equal(5, (await OkAsync(_admin.PostAsJsonAsync("api/v1/jobs/tage/backfill", new { order.from, order.to, again = true, preview = true }))).RootElement.GetProperty("runs").GetArrayLength());
    }

    [Theory]
    [InlineData("""{ "id": "a", "schedule": { "cron": "0 0 31 4 *", "timeZone": "Europe/Berlin" } }""", "triggers[0].schedule")]
    [InlineData("""{ "id": "a", "newRows": { "dataset": "ziel" } }""", "triggers[0].newRows")]
    [InlineData("""{ "id": "a", "newRows": { "dataset": "quell", "quiet": "PT0S" } }""", "triggers[0].newRows")]
    [InlineData("""{ "id": "a", "upload": { "step": "zeilen", "name": "*.csv" } }""", "triggers[0].upload")]
    [InlineData("""{ "id": "a" }""", "triggers[0]")]
    public async Task A_trigger_that_cannot_be_is_refused_with_its_place(string trigger, string path)
    {
        await Pipes.LoansAsync(_admin, "quell", "amt");
        await Pipes.LoansAsync(_admin, "ziel", "amt");
        var refused = await RefusedAsync(_admin.PutAsync("api/v1/jobs/falsch", new StringContent($$"""
            { "title": "F", "agency": "amt", "triggers": [ {{trigger}} ], "steps": [ { "id": "zeilen", "read": { "dataset": "quell" } }, { "id": "s", "write": { "input": "zeilen", "dataset": "ziel" } } ] }
            """, Encoding.UTF8, "application/json")), 422, "invalid-job");
        Assert.Equal(path, refused.RootElement.GetProperty("errors")[0].GetProperty("path").GetString());
    }

    /// <summary>Time passes, and the hub looks what is due: until nothing is, as it does each second.</summary>
    private async Task PassAsync(TimeSpan span)
    {
        _clock.Advance(span);
        // Twice: the first may join a look that began before.
        for (var i = 0; i < IScheduleGrain.Parts * 2; i++) await _hub.Grains.GetGrain<IScheduleGrain>(i / 2).TickAsync(Caller.Hub);
    }

    private async Task<JsonElement> TriggerAsync(string job)
    {
        await PassAsync(TimeSpan.Zero);
        return (await OkAsync(_admin.GetAsync($"api/v1/jobs/{job}/triggers"))).RootElement.GetProperty("triggers")[0];
    }

    /// <summary>Oldest first.</summary>
    private async Task<JsonElement[]> RunsAsync(string job) =>
        [.. (await OkAsync(_admin.GetAsync($"api/v1/jobs/{job}/runs?limit=100"))).RootElement.GetProperty("runs").EnumerateArray().OrderBy(run => run.TryGetProperty("period", out var period) ? period.GetProperty("to").GetDateTimeOffset() : run.GetProperty("at").GetDateTimeOffset())];

    private async Task<JsonElement> UntilAsync(string job, string state)
    {
        var until = DateTime.UtcNow.AddSeconds(60);
        while (true)
        {
            var now = (await OkAsync(_admin.GetAsync($"api/v1/jobs/{job}/backfill"))).RootElement;
            if (now.GetProperty("state").GetString() == state) return now;
            Assert.True(DateTime.UtcNow < until, now.GetRawText());
            await Task.Delay(50);
        }
    }

    private async Task PushAsync(string dataset, IEnumerable<object> rows)
    {
        var receipt = (await OkAsync(_admin.PostAsJsonAsync($"api/v1/datasets/{dataset}/feeds/default/records", rows))).RootElement;
        Assert.Equal(0, receipt.GetProperty("quarantined").GetInt32());
    }

    private static DateTimeOffset Instant(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
