using System.Globalization;
using System.IO.Compression;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

using DataHub.Support;

using Xunit.Abstractions;

namespace DataHub.Processes;

/// <summary>What viewers and large pushes are promised, with the hub in a process of its own that is killed in the middle.</summary>
[Collection(ProcessesCollection.Name)]
public sealed class BreakTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Five_hundred_viewers_see_the_same_as_a_poll_after_the_hub_was_killed()
    {
        const int Viewers = 500;
        using var folder = new TemporaryFolder();
        var hub = await HubProcess.StartAsync(folder.FullName);
        var port = hub.Address.Port;
        using var http = Client(hub.Address);
        try
        {
            var push = await DescribeAsync(http, folder.FullName);
            await PushAsync(http, push, 0);
            var viewers = Enumerable.Range(0, Viewers).Select(_ => new ChangesViewer(http, "api/v1/indicators/seen/changes?from=2026-11-01")).ToArray();
            using var stop = new CancellationTokenSource();
            var watching = viewers.Select(viewer => WatchAsync(viewer, stop.Token)).ToArray();
            await UntilAsync(() => Task.FromResult(viewers.All(viewer => viewer.Rows.Length > 0)), TimeSpan.FromSeconds(60));

            var watermark = "";
            for (var number = 1; number <= 60; number++)
            {
                watermark = await PushAsync(http, push, number);
                await Task.Delay(20);
                if (number != 30) continue;
                await hub.KillAsync();
                await hub.DisposeAsync();
                hub = await HubProcess.StartAsync(folder.FullName, port);
            }

            var polled = ChangesViewer.RowsOf((await HubFixture.OkAsync(http.GetAsync($"api/v1/indicators/seen/values?from=2026-11-01&limit=1000&watermark={watermark}"))).RootElement);
            Assert.Equal(24, polled.Length);
            await UntilAsync(() => Task.FromResult(viewers.All(viewer => viewer.Rows.AsSpan().SequenceEqual(polled))), TimeSpan.FromSeconds(60));

            var metrics = await http.GetStringAsync("metrics");
            double Of(string name) => metrics.Split('\n').Where(line => line.StartsWith(name, StringComparison.Ordinal)).Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
            output.WriteLine($"{Viewers} viewers: {Of("datahub_changes_computations")} computations and {Of("datahub_changes_events")} events after the restart; {viewers.Count(v => v.Events.All(e => e.Name != "reset"))} viewers never reset, {viewers.Sum(v => v.Events.Length)} events in all");
            Assert.Equal((Viewers, 1), (Of("datahub_changes_viewers"), Of("datahub_changes_selections")));
            // Thirty pushes and the marks of those who came back, not five hundred times that.
            Assert.InRange(Of("datahub_changes_computations"), 1, 200);
            Assert.DoesNotContain(viewers, viewer => viewer.Events.Any(e => e.Name == "reset"));
            Assert.All(viewers, viewer => Assert.Equal(0, viewer.Unchanged));
            await stop.CancelAsync();
            await Task.WhenAll(watching);
            foreach (var viewer in viewers) await viewer.DisposeAsync();
        }
        finally
        {
            await hub.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_large_push_takes_bounded_memory_and_goes_on_after_the_hub_was_killed_in_its_middle()
    {
        const int Rows = 400_000;
        using var folder = new TemporaryFolder();
        // Beyond it the runtime ends the process.
        var environment = new Dictionary<string, string> { ["DOTNET_GCHeapHardLimit"] = (256L << 20).ToString("X", CultureInfo.InvariantCulture) };
        var hub = await HubProcess.StartAsync(folder.FullName, 0, environment);
        var port = hub.Address.Port;
        using var http = Client(hub.Address);
        try
        {
            var push = await DescribeAsync(http, folder.FullName);
            var (body, length) = Body(Rows);
            var sending = SendAsync(http, push, body);
            await UntilAsync(async () => await ReceivedAsync(http, push) >= 20_000, TimeSpan.FromSeconds(60));
            await hub.KillAsync();
            await hub.DisposeAsync();
            Assert.True(Unreachable.Is(await Assert.ThrowsAnyAsync<Exception>(() => sending)));
            hub = await HubProcess.StartAsync(folder.FullName, port, environment);
            var before = await ReceivedAsync(http, push);
            Assert.InRange(before, 10_000, Rows - 1);

            var receipt = await SendAsync(http, push, body);
            Assert.Equal((Rows, Rows - 4, 4), (receipt.GetProperty("received").GetInt32(), receipt.GetProperty("accepted").GetInt32(), receipt.GetProperty("quarantined").GetInt32()));
            Assert.Equal([100_001, 200_001, 300_001, 400_000], receipt.GetProperty("errors").EnumerateArray().Select(e => e.GetProperty("row").GetInt32()));
            Assert.Equal(receipt.GetRawText(), (await SendAsync(http, push, body)).GetRawText());
            var sum = (await HubFixture.OkAsync(http.GetAsync($"api/v1/indicators/seen-count/values?from=2026-01-01&limit=10000&watermark={receipt.GetProperty("watermark").GetString()}"))).RootElement
                .GetProperty("rows").EnumerateArray().Sum(cell => cell.GetProperty("count").GetInt64());
            Assert.Equal(Rows - 4, sum);
            Assert.Equal(Rows, await ReceivedAsync(http, push));
            Assert.Empty(Directory.GetFiles(Path.Combine(folder.FullName, "spool")));
            output.WriteLine($"{Rows} rows in {length >> 20} MiB ({body.Length >> 20} MiB sent), killed after {before} rows; peak resident memory {Peak(hub.Id)} MiB");
        }
        finally
        {
            await hub.DisposeAsync();
        }
    }

    private static async Task WatchAsync(ChangesViewer viewer, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                if (viewer.IsOver) await viewer.ConnectAsync();
            }
            catch (Exception e) when (Unreachable.Is(e))
            {
                // The hub is away; clients of this kind try again after a while.
            }

            await Task.Delay(200, CancellationToken.None);
        }
    }

    private static HttpClient Client(Uri address) => new(new SocketsHttpHandler { MaxConnectionsPerServer = 2_000 }) { BaseAddress = address, Timeout = TimeSpan.FromMinutes(2) };

    private static async Task<string> DescribeAsync(HttpClient http, string folder)
    {
        var admin = (await File.ReadAllTextAsync(Path.Combine(folder, "admin.key"))).Trim();
        await JsonAsync(http, HttpMethod.Put, "api/v1/agencies/sight", admin, """{ "name": { "de": "Sicht" } }""");
        await JsonAsync(http, HttpMethod.Put, "api/v1/datasets/seen", admin, """
            { "title": { "de": "Gesehen" }, "publisher": "sight", "license": "dl-de/by-2-0", "kind": "observations", "access": "open",
              "schema": { "primaryKey": ["station", "time"], "fields": [
                { "name": "station", "type": "string", "role": "series" },
                { "name": "time", "type": "datetime", "role": "time" },
                { "name": "value", "type": "number", "role": "measure", "constraints": { "minimum": 0 } } ] } }
            """);
        await JsonAsync(http, HttpMethod.Put, "api/v1/indicators/seen", admin, """{ "title": "x", "dataset": "seen", "measure": { "function": "sum", "field": "value" }, "window": "PT1H", "access": "open" }""");
        await JsonAsync(http, HttpMethod.Put, "api/v1/indicators/seen-count", admin, """{ "title": "x", "dataset": "seen", "measure": { "function": "count" }, "window": "P1D", "access": "open" }""");
        return (await JsonAsync(http, HttpMethod.Post, "api/v1/agencies/sight/keys", admin, """{ "role": "push" }""")).GetProperty("key").GetString()!;
    }

    private static async Task<JsonElement> JsonAsync(HttpClient http, HttpMethod method, string path, string key, string body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return (await HubFixture.OkAsync(http.SendAsync(request))).RootElement;
    }

    /// <summary>A row in every hour of a day, and every third time one that is taken back and one corrected.</summary>
    private static async Task<string> PushAsync(HttpClient http, string key, int number)
    {
        var rows = Enumerable.Range(0, 24).Select(hour => new Dictionary<string, object> { ["station"] = $"s{number % 5}", ["time"] = $"2026-11-20T{hour:00}:30:00Z", ["value"] = (number * 31 + hour) % 97 }).ToList();
        if (number % 3 == 2) rows.Add(new() { ["station"] = $"s{(number + 1) % 5}", ["time"] = $"2026-11-20T{number % 24:00}:30:00Z", ["@delete"] = true });
        while (true)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, "api/v1/datasets/seen/feeds/default/records") { Content = JsonContent.Create(rows) };
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
                request.Headers.Add("Idempotency-Key", $"p{number}");
                using var answer = await http.SendAsync(request);
                if (answer.IsSuccessStatusCode) return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("watermark").GetString()!;
            }
            catch (Exception e) when (Unreachable.Is(e))
            {
                // Repeated with the same key.
            }

            await Task.Delay(100);
        }
    }

    private static (byte[] Packed, long Length) Body(int rows)
    {
        using var packed = new MemoryStream();
        var length = 0L;
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            var start = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
            for (var i = 0; i < rows; i++)
            {
                var bad = i % 100_000 == 0 && i > 0 || i == rows - 1;
                var line = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{\"station\":\"station-{i % 50:000}\",\"time\":\"{start.AddMinutes(i):yyyy-MM-dd'T'HH:mm:ss}Z\",\"value\":{(bad ? -1 : i % 1_000)}}}\n"));
                length += line.Length;
                gzip.Write(line);
            }
        }

        return (packed.ToArray(), length);
    }

    private static async Task<JsonElement> SendAsync(HttpClient http, string key, byte[] body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "api/v1/datasets/seen/feeds/default/records") { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new("application/x-ndjson");
        request.Content.Headers.ContentEncoding.Add("gzip");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        request.Headers.Add("Idempotency-Key", "large");
        return (await HubFixture.OkAsync(http.SendAsync(request))).RootElement;
    }

    private static async Task<long> ReceivedAsync(HttpClient http, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "api/v1/datasets/seen/conservation");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return (await HubFixture.OkAsync(http.SendAsync(request))).RootElement.GetProperty("feeds").EnumerateArray().Sum(feed => feed.GetProperty("received").GetInt64());
    }

    private static long Peak(int process) =>
        long.Parse(File.ReadAllLines($"/proc/{process}/status").First(line => line.StartsWith("VmHWM", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) >> 10;

    private static async Task UntilAsync(Func<Task<bool>> holds, TimeSpan within)
    {
        var until = DateTime.UtcNow + within;
        while (!await holds())
        {
            Assert.True(DateTime.UtcNow < until, "not in time");
            await Task.Delay(100);
        }
    }
}
