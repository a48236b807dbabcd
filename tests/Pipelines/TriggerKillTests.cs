using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

using DataHub.Feeds;
using DataHub.Support;

using Xunit.Abstractions;

using static DataHub.Support.HubFixture;

namespace DataHub.Pipelines;

/// <summary>What starts runs by itself (times, rows, files, a backfill) while its server is killed with SIGKILL: nothing is forgotten, nothing is done twice.</summary>
public sealed class TriggerKillTests(ITestOutputHelper output)
{
    private const int Days = 8;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task Whatever_a_kill_comes_between_each_minute_each_file_each_row_and_each_day_has_one_run()
    {
        using var folder = new TemporaryFolder();
        var hub = await HubProcess.StartAsync(folder.FullName);
        var (port, kills) = (hub.Address.Port, new List<string>());
        using var admin = new HttpClient { BaseAddress = hub.Address, Timeout = TimeSpan.FromSeconds(60) };
        admin.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(Path.Combine(folder.FullName, "admin.key"))).Trim());
        try
        {
            await OkAsync(admin.PutAsJsonAsync("api/v1/agencies/amt", new { name = "Amt" }));
            foreach (var dataset in new[] { "quelle", "tage" }) await Pipes.LoansAsync(admin, dataset, "amt");
            await PushAsync(admin, "tage", Enumerable.Range(1, Days).Select(Row));
            const string Read = """ "steps": [ { "id": "zeilen", "read": { "dataset": """;
            await Pipes.PutJobAsync(admin, "minuten", $$"""{ "title": "M", "agency": "amt", "triggers": [ { "id": "minute", "schedule": { "cron": "* * * * *", "timeZone": "UTC", "catchUp": "all" } } ], {{Read}} "tage" } } ] }""");
            await Pipes.PutJobAsync(admin, "neues", $$"""{ "title": "N", "agency": "amt", "triggers": [ { "id": "zeilen", "newRows": { "dataset": "quelle", "quiet": "PT1S" } } ], {{Read}} "quelle" } } ] }""");
            await Pipes.PutJobAsync(admin, "tage", $$"""{ "title": "T", "agency": "amt", "triggers": [ { "id": "tag", "schedule": { "cron": "0 0 1 1 *", "timeZone": "UTC" } } ], {{Read}} "tage", "ofPeriod": true } } ] }""");
            await Pipes.PutJobAsync(admin, "datei", """
                { "title": "D", "agency": "amt", "triggers": [ { "id": "neu", "upload": { "step": "datei", "name": "besuche*.csv" } } ], "steps": [ { "id": "datei", "read": { "file": {} } } ] }
                """);

            // A minute's end finds nobody there.
            var minute = MinuteAfter(DateTimeOffset.UtcNow.AddSeconds(3));
            if (minute - DateTimeOffset.UtcNow is var left && left < TimeSpan.FromSeconds(20))
            {
                await UntilAsync(minute - TimeSpan.FromSeconds(0.3));
                await KillAsync("before a minute's end");
                await Task.Delay(TimeSpan.FromSeconds(1));
                await StartAsync();
            }

            // A file: killed between its pieces, within one, and when it was whole.
            var content = Encoding.UTF8.GetBytes("zahl\n" + string.Concat(Enumerable.Range(0, 400_000).Select(i => i.ToString(CultureInfo.InvariantCulture) + "\n")));
            await UploadAsync(content);
            await StartAsync();

            // Rows: killed as soon as they were acknowledged.
            await PushAsync(admin, "quelle", [Row(1)]);
            await KillAsync("after rows were taken");
            await StartAsync();

            // A backfill: killed when its first, third and fifth day is done.
            await OkAsync(admin.PostAsJsonAsync("api/v1/jobs/tage/backfill", new { from = Day(1), to = Day(Days + 1), schedule = new { cron = "0 0 * * *", timeZone = "UTC" } }));
            foreach (var days in new[] { 1, 3, 5 })
            {
                var seen = await UntilAsync(async () => (await OkAsync(admin.GetAsync("api/v1/jobs/tage/backfill"))).RootElement, now => now.GetProperty("done").GetInt32() >= days);
                await KillAsync($"with {seen.GetProperty("done")} days done");
                await StartAsync();
            }

            var ended = await UntilAsync(async () => (await OkAsync(admin.GetAsync("api/v1/jobs/tage/backfill"))).RootElement, now => now.GetProperty("state").GetString() is not ("running" or "waiting"));
            Assert.True(ended.GetProperty("state").GetString() == "complete", ended.GetRawText());
            if (kills.Count < 8)
            {
                minute = MinuteAfter(DateTimeOffset.UtcNow.AddSeconds(1));
                await UntilAsync(minute - TimeSpan.FromSeconds(0.3));
                await KillAsync("before a minute's end");
                await Task.Delay(TimeSpan.FromSeconds(1));
                await StartAsync();
            }

            var last = await UntilAsync(() => RunsAsync("minuten"), runs => runs.Length > 0 && runs.All(IsComplete) && To(runs[^1]) >= minute);
            output.WriteLine(string.Join("; ", kills));
            Assert.Equal(8, kills.Count);
            // Each begins where the one before ended, and is a minute long.
            Assert.All(last, run => Assert.Equal(TimeSpan.FromMinutes(1), To(run) - From(run)));
            Assert.Equal(last.Skip(1).Select(From), last.SkipLast(1).Select(To));

            var file = Assert.Single(await UntilAsync(() => RunsAsync("datei"), runs => runs.Length > 0 && runs.All(IsComplete)));
            var whole = await Pipes.RunAsync(admin, "datei", new { files = new { datei = await Pipes.UploadAsync(admin, "ganz.csv", content, "amt") } });
            var found = await Pipes.EndAsync(admin, file.GetProperty("id").GetString()!);
            Assert.Equal(Pipes.Step(whole, "datei").GetProperty("sha256").GetString(), Pipes.Step(found, "datei").GetProperty("sha256").GetString());

            var rows = Assert.Single(await UntilAsync(() => RunsAsync("neues"), runs => runs.Length > 0 && runs.All(IsComplete)));
            Assert.Equal(1, Pipes.Step(await Pipes.EndAsync(admin, rows.GetProperty("id").GetString()!), "zeilen").GetProperty("rowsOut").GetInt64());

            var days1 = await RunsAsync("tage");
            Assert.Equal(Enumerable.Range(1, Days).Select(Day), days1.Select(From));
            Assert.All(days1, run => Assert.True(IsComplete(run), run.GetRawText()));
            foreach (var run in days1) Assert.Equal(1, Pipes.Step(await Pipes.EndAsync(admin, run.GetProperty("id").GetString()!), "zeilen").GetProperty("rowsOut").GetInt64());
        }
        finally
        {
            await hub.DisposeAsync();
        }

        async Task KillAsync(string when)
        {
            kills.Add(when);
            await hub.KillAsync();
            await hub.DisposeAsync();
        }

        async Task StartAsync() => hub = await HubProcess.StartAsync(folder.FullName, port);

        async Task UploadAsync(byte[] content)
        {
            using var begin = Tus(HttpMethod.Post, "api/v1/files?agency=amt");
            begin.Headers.Add("Upload-Length", content.Length.ToString(CultureInfo.InvariantCulture));
            begin.Headers.Add("Upload-Metadata", $"filename {Convert.ToBase64String("besuche.csv"u8)}");
            using var made = await admin.SendAsync(begin);
            var place = made.EnsureSuccessStatusCode().Headers.Location!.ToString();
            var third = content.Length / 3;
            await PatchAsync(place, 0, new ByteArrayContent(content, 0, third));
            await KillAsync("between two pieces of a file");
            await StartAsync();

            Assert.Equal(third, await OffsetAsync(place));
            var half = new HalfContent(content.AsMemory(third, third));
            var sending = PatchAsync(place, third, half);
            await await Task.WhenAny(half.Sent, sending).WaitAsync(s_patience);
            await KillAsync("within a piece of a file");
            half.GoOn();
            await Assert.ThrowsAsync<HttpRequestException>(() => sending);
            await StartAsync();

            var offset = await OffsetAsync(place);
            Assert.InRange(offset, third, third * 2);
            await PatchAsync(place, offset, new ByteArrayContent(content, (int)offset, content.Length - (int)offset));
            await KillAsync("when a file was whole");
        }

        async Task PatchAsync(string place, long offset, HttpContent piece)
        {
            using var patch = Tus(HttpMethod.Patch, place);
            patch.Headers.Add("Upload-Offset", offset.ToString(CultureInfo.InvariantCulture));
            patch.Content = piece;
            piece.Headers.ContentType = Pipes.Pieces;
            using var answer = await admin.SendAsync(patch);
            answer.EnsureSuccessStatusCode();
        }

        async Task<long> OffsetAsync(string place)
        {
            using var head = Tus(HttpMethod.Head, place);
            using var answer = await admin.SendAsync(head);
            return long.Parse(answer.EnsureSuccessStatusCode().Headers.GetValues("Upload-Offset").Single(), CultureInfo.InvariantCulture);
        }

        // Oldest first.
        async Task<JsonElement[]> RunsAsync(string job) =>
            [.. (await OkAsync(admin.GetAsync($"api/v1/jobs/{job}/runs?limit=100"))).RootElement.GetProperty("runs").EnumerateArray().Where(run => run.TryGetProperty("trigger", out _) || job == "tage").OrderBy(run => run.TryGetProperty("period", out _) ? To(run) : run.GetProperty("at").GetDateTimeOffset())];
    }

    [Fact]
    public async Task Every_run_has_its_shadow_though_the_server_was_killed_while_it_was_ordered()
    {
        using var folder = new TemporaryFolder();
        var hub = await HubProcess.StartAsync(folder.FullName);
        var port = hub.Address.Port;
        using var admin = new HttpClient { BaseAddress = hub.Address, Timeout = TimeSpan.FromSeconds(60) };
        admin.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(Path.Combine(folder.FullName, "admin.key"))).Trim());
        try
        {
            await OkAsync(admin.PutAsJsonAsync("api/v1/agencies/amt", new { name = "Amt" }));
            await Pipes.LoansAsync(admin, "quelle", "amt");
            await PushAsync(admin, "quelle", [Row(1)]);
            const string Job = """{ "title": "S", "agency": "amt", "steps": [ { "id": "zeilen", "read": { "dataset": "quelle" } }, { "id": "tabelle", "transform": { "inputs": ["zeilen"], "sql": "SELECT loans FROM zeilen" } } ] }""";
            await Pipes.PutJobAsync(admin, "schatten", Job);
            await OkAsync(admin.PutAsync("api/v1/jobs/schatten?draft=true", new StringContent(Job.Replace("SELECT loans", "SELECT loans + 1 AS loans", StringComparison.Ordinal), Encoding.UTF8, "application/json")));
            await OkAsync(admin.PostAsJsonAsync("api/v1/jobs/schatten/shadow", new { version = 2 }));

            var runs = new List<string> { (await Pipes.RunAsync(admin, "schatten", new { })).GetProperty("id").GetString()! };
            foreach (var delay in new[] { 4, 12, 20, 30, 45 })
            {
                var key = ReceiptIds.New(DateTimeOffset.UtcNow);
                var ordering = OrderAsync(key);
                await Task.Delay(delay);
                await hub.KillAsync();
                await hub.DisposeAsync();
                await Task.WhenAny(ordering);
                hub = await HubProcess.StartAsync(folder.FullName, port);
                runs.Add(await OrderAsync(key));
            }

            var all = await UntilAsync(
                async () => (await OkAsync(admin.GetAsync("api/v1/jobs/schatten/runs?limit=100"))).RootElement.GetProperty("runs").EnumerateArray().ToArray(),
                found => found.Length >= runs.Count * 2 && found.All(IsComplete));
            var shadows = all.Where(run => run.TryGetProperty("shadowOf", out _)).Select(run => run.GetProperty("shadowOf").GetString()!);
            Assert.Equal(runs.Order(), shadows.Order());
            Assert.Equal(runs.Order(), all.Where(run => !run.TryGetProperty("shadowOf", out _)).Select(run => run.GetProperty("id").GetString()!).Order());
        }
        finally
        {
            await hub.DisposeAsync();
        }

        async Task<string> OrderAsync(string key)
        {
            using var order = new HttpRequestMessage(HttpMethod.Post, "api/v1/jobs/schatten/runs") { Content = JsonContent.Create(new { }), Headers = { { "Idempotency-Key", key } } };
            return (await OkAsync(admin.SendAsync(order))).RootElement.GetProperty("id").GetString()!;
        }
    }

    private static async Task<T> UntilAsync<T>(Func<Task<T>> ask, Func<T, bool> isThere)
    {
        for (var until = DateTime.UtcNow + s_patience; ; await Task.Delay(30))
        {
            var now = await ask();
            if (isThere(now)) return now;
            Assert.True(DateTime.UtcNow < until, now is JsonElement[] many ? string.Join('\n', many.Select(one => one.GetRawText())) : now!.ToString());
        }
    }

    private static Task UntilAsync(DateTimeOffset time) => time - DateTimeOffset.UtcNow is var left && left > TimeSpan.Zero ? Task.Delay(left) : Task.CompletedTask;

    private static async Task PushAsync(HttpClient admin, string dataset, IEnumerable<object> rows) => await OkAsync(admin.PostAsJsonAsync($"api/v1/datasets/{dataset}/feeds/default/records", rows));

    private static object Row(int day) => new { branch = "Mitte", time = Day(day).AddHours(10), loans = day };

    private static DateTimeOffset Day(int day) => new(2026, 10, day, 0, 0, 0, TimeSpan.Zero);

    private static DateTimeOffset MinuteAfter(DateTimeOffset time) => new((time.UtcTicks / TimeSpan.TicksPerMinute * TimeSpan.TicksPerMinute) + TimeSpan.TicksPerMinute, TimeSpan.Zero);

    private static bool IsComplete(JsonElement run) => run.GetProperty("state").GetString() == "complete";

    private static DateTimeOffset From(JsonElement run) => run.GetProperty("period").GetProperty("from").GetDateTimeOffset();

    private static DateTimeOffset To(JsonElement run) => run.GetProperty("period").GetProperty("to").GetDateTimeOffset();

    private static HttpRequestMessage Tus(HttpMethod method, string place) => new(method, place) { Headers = { { "Tus-Resumable", "1.0.0" } } };

    /// <summary>A body of which the first half is sent, and the second when it is told.</summary>
    private sealed class HalfContent(ReadOnlyMemory<byte> content) : HttpContent
    {
        private readonly TaskCompletionSource _sent = new(TaskCreationOptions.RunContinuationsAsynchronously), _goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Sent => _sent.Task;

        public void GoOn() => _goOn.SetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
        {
            await stream.WriteAsync(content[..(content.Length / 2)]);
            await stream.FlushAsync();
            _sent.SetResult();
            await _goOn.Task;
            await stream.WriteAsync(content[(content.Length / 2)..]);
            await stream.FlushAsync();
        }

        protected override bool TryComputeLength(out long length)
        {
            length = content.Length;
            return true;
        }
    }
}
