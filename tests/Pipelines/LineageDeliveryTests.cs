using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Hosting;
using DataHub.Support;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

using static DataHub.Support.HubFixture;

namespace DataHub.Pipelines;

/// <summary>Events of runs at a receiver and in a file, whatever the receiver does.</summary>
public sealed class LineageDeliveryTests
{
    private const string Loans = "Zweigstelle;Tag;Ausleihen\nMitte;2026-11-02;120\n";

    [SharedDataFact("openlineage/OpenLineage.json")]
    public async Task Events_reach_the_file_and_a_receiver_that_fails_first_in_their_order_and_survive_a_restart()
    {
        await using var receiver = await Receiver.StartAsync(fails: 2);
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.FullName, "laeufe.ndjson");
        await using var hub = await HubFixture.StartAsync(new Dictionary<string, string?>
        {
            ["DataHub:Lineage:File"] = file,
            ["DataHub:Lineage:Url"] = receiver.Address,
            ["DataHub:Lineage:Key"] = "geheim",
            ["DataHub:Lineage:MaxPause"] = "00:00:00.2",
        });
        var admin = await hub.AgencyAsync("ereignisse", KeyRole.Admin);
        await Pipes.LoansAsync(admin, "ereignisse", "ereignisse");
        await Pipes.PutJobAsync(admin, "ereignisse", RunHttpTests.Job("ereignisse", "ereignisse"));
        var good = await Pipes.UploadAsync(admin, "gut.csv", Loans);

        var run = (await Pipes.RunAsync(admin, "ereignisse", new { files = new { datei = good } })).GetProperty("id").GetString()!;
        await UntilAsync(() => receiver.Taken.Count >= 10);
        var told = await EventsAsync(admin, run);
        Assert.Equal(told, receiver.Taken.Select(one => one.Body));
        Assert.All(receiver.Taken, one => Assert.Equal("Bearer geheim", one.Authorization));
        Assert.Equal(10, receiver.Taken.Select(one => one.Mark).Distinct().Count());
        Assert.Equal(told, await File.ReadAllLinesAsync(file));

        // While nobody listens a run goes on as ever, ends, and is resumed; what it tells comes later, nothing of it lost.
        receiver.IsDown = true;
        var bad = await Pipes.UploadAsync(admin, "schlecht.csv", Loans + "Mitte;2026-11-02;121\n");
        var failed = await Pipes.EndAsync(admin, await Pipes.StartAsync(admin, "ereignisse", new { files = new { datei = bad } }));
        var second = failed.GetProperty("id").GetString()!;
        await OkAsync(admin.PostAsJsonAsync($"api/v1/runs/{second}/acts", new { act = "resume" }));
        await Pipes.EndAsync(admin, second);
        await hub.RestartAsync();
        receiver.IsDown = false;
        told = await EventsAsync(hub.Admin, second);
        await UntilAsync(() => receiver.Of(second).Length >= told.Length);
        Assert.Equal(["START", "FAIL", "RUNNING", "FAIL"], told.Select(one => JsonDocument.Parse(one).RootElement).Where(one => one.GetProperty("job").GetProperty("name").GetString() == "ereignisse").Select(one => one.GetProperty("eventType").GetString()));
        Assert.Equal(told, receiver.Of(second).Select(one => one.Body));
        Assert.Equal(told.Order(StringComparer.Ordinal), (await File.ReadAllLinesAsync(file)).Skip(10).Distinct().Order(StringComparer.Ordinal));

        var faults = new List<string>();
        foreach (var line in await File.ReadAllLinesAsync(file)) LineageTests.Schemas.Validate(JsonDocument.Parse(line).RootElement, faults);
        Assert.Empty(faults);
    }

    [Fact]
    public async Task A_run_that_the_receiver_never_takes_holds_up_no_other()
    {
        await using var receiver = await Receiver.StartAsync(fails: 0);
        await using var hub = await HubFixture.StartAsync(new Dictionary<string, string?> { ["DataHub:Lineage:Url"] = receiver.Address, ["DataHub:Lineage:MaxPause"] = "00:00:00.2" });
        var admin = await hub.AgencyAsync("unverdaulich", KeyRole.Admin);
        foreach (var job in new[] { "unverdaulich", "bekoemmlich" })
            await Pipes.PutJobAsync(admin, job, """{ "title": "Lesen", "agency": "unverdaulich", "steps": [ { "id": "datei", "read": { "file": { "type": "csv" } } } ] }""");
        receiver.Poison = "unverdaulich";
        var file = await Pipes.UploadAsync(admin, "gut.csv", Loans);
        var bad = (await Pipes.RunAsync(admin, "unverdaulich", new { files = new { datei = file } })).GetProperty("id").GetString()!;
        var good = (await Pipes.RunAsync(admin, "bekoemmlich", new { files = new { datei = file } })).GetProperty("id").GetString()!;
        await UntilAsync(() => receiver.Of(good).Length >= 4);
        Assert.Empty(receiver.Of(bad));
        receiver.Poison = null;
        await UntilAsync(() => receiver.Of(bad).Length >= 4);
        Assert.Equal(await EventsAsync(admin, bad), receiver.Of(bad).Select(one => one.Body));
    }

    [Fact]
    public void An_event_is_given_up_only_while_the_receiver_takes_others()
    {
        var trouble = new LineageDelivery.Trouble();
        for (var i = 0; i < 1_000; i++) Assert.False(trouble.IsHopeless(7));
        for (var i = 1; i < LineageDelivery.MaxTries - 1; i++) Assert.False(trouble.IsHopeless(7 + i));
        Assert.True(trouble.IsHopeless(100));
        Assert.False(trouble.IsHopeless(100));
        Assert.True(trouble.IsHopeless(101));
    }

    [Fact]
    public void What_waits_for_receivers_is_bounded_and_a_run_that_goes_on_is_not_forgotten()
    {
        var now = DateTimeOffset.UnixEpoch;
        var state = new LineageOutboxState();
        string? dropped = null;
        foreach (var run in new[] { "1", "2", "3" }) (state, dropped) = LineageOutboxRules.Note(state, run, now, most: 2);
        Assert.Equal(("1", "2 3"), (dropped, string.Join(' ', state.Waiting.Select(one => one.Run))));

        var taken = state.Waiting[0] with { Posted = [7] };
        (state, _) = LineageOutboxRules.Note(state, "2", now.AddSeconds(1), most: 2);
        state = LineageOutboxRules.Mark(state, taken, isOver: true);
        Assert.Equal((2, 7), (state.Waiting.Length, Assert.Single(state.Waiting[0].Posted)));
        state = LineageOutboxRules.Mark(state, state.Waiting[0], isOver: true);
        Assert.Equal("3", Assert.Single(state.Waiting).Run);
        Assert.Same(state, LineageOutboxRules.Mark(state, taken, isOver: true));
    }

    [Fact]
    public void A_file_drops_half_a_line_that_a_death_left_and_begins_anew_when_it_is_full()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.FullName, "unter", "laeufe.ndjson");
        new LineageFile(path, 1_000).Append(["{\"a\":1}", "{\"a\":2}"]);
        File.AppendAllText(path, "{\"a\":");
        var file = new LineageFile(path, 20);
        file.Append(["{\"a\":3}"]);
        Assert.Equal("{\"a\":3}\n", File.ReadAllText(path));
        Assert.StartsWith("{\"a\":1}\n{\"a\":2}\n", File.ReadAllText(path + ".1"), StringComparison.Ordinal);
        File.AppendAllText(path, "{\"a\"");
        new LineageFile(path, 1_000).Append(["{\"a\":4}"]);
        Assert.Equal("{\"a\":3}\n{\"a\":4}\n", File.ReadAllText(path));
    }

    private static async Task<string[]> EventsAsync(HttpClient client, string run) =>
        [.. (await OkAsync(client.GetAsync($"api/v1/runs/{run}/lineage"))).RootElement.GetProperty("events").EnumerateArray().Select(one => JsonSerializer.Serialize(one, WireJson.Options))];

    private static Task UntilAsync(Func<bool> isSo) => UntilAsync(() => Task.FromResult(isSo()));

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        for (var until = DateTime.UtcNow.AddSeconds(40); !await isSo(); await Task.Delay(50)) Assert.True(DateTime.UtcNow < until, "it did not come");
    }

    /// <summary>A receiver as tools have it: it takes one event at a time, and keeps each once.</summary>
    private sealed class Receiver(WebApplication app) : IAsyncDisposable
    {
        private int _fails;

        public ConcurrentQueue<(string Body, string Mark, string? Authorization)> Taken { get; } = [];

        public bool IsDown { get; set; }

        /// <summary>Of the job whose events it answers with 500; null: of none.</summary>
        public string? Poison { get; set; }

        public string Address { get; private set; } = "";

        public static async Task<Receiver> StartAsync(int fails)
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            var app = builder.Build();
            var receiver = new Receiver(app) { _fails = fails };
            app.Urls.Add("http://127.0.0.1:0");
            app.MapPost("/api/v1/lineage", receiver.TakeAsync);
            await app.StartAsync();
            receiver.Address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First() + "/api/v1/lineage";
            return receiver;
        }

        /// <summary>The events of a run and of its steps.</summary>
        public (string Body, string Mark, string? Authorization)[] Of(string run) => [.. Taken.Where(one => one.Body.Contains(OpenLineageEvents.IdOf(run).ToString(), StringComparison.Ordinal))];

        public ValueTask DisposeAsync() => app.DisposeAsync();

        private async Task TakeAsync(HttpContext http)
        {
            using var reader = new StreamReader(http.Request.Body);
            var body = await reader.ReadToEndAsync();
            var fails = IsDown || Interlocked.Decrement(ref _fails) >= 0;
            http.Response.StatusCode = (int)(fails ? HttpStatusCode.ServiceUnavailable : HttpStatusCode.Created);
            if (fails) return;
            if (Poison is not null && JsonDocument.Parse(body).RootElement.GetProperty("job").GetProperty("name").GetString()!.StartsWith(Poison, StringComparison.Ordinal))
            {
                http.Response.StatusCode = 500;
                return;
            }

            var mark = http.Request.Headers["Idempotency-Key"].ToString();
            if (!Taken.Any(one => one.Mark == mark)) Taken.Enqueue((body, mark, http.Request.Headers.Authorization));
        }
    }
}
