using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;

using DataHub.Support;

using Xunit.Abstractions;

namespace DataHub.Cluster;

/// <summary>A revoked agreement under load: many requests, many open streams, rows coming in, and a silo that dies.</summary>
[Collection(ProcessesCollection.Name)]
public sealed class RevocationClusterTests(ITestOutputHelper output)
{
    private const int Streams = 200, PerSecond = 500;

    [PostgresFact]
    public async Task Under_500_requests_a_second_and_200_streams_nothing_is_given_a_second_after_the_revocation_although_a_silo_dies()
    {
        await using var cluster = await ClusterProcesses.CreateAsync(silos: 2, frontEnds: 2);
        foreach (var member in cluster.Members) member.Start();
        await Task.WhenAll(cluster.Members.Select(member => member.ReadyAsync()));
        var admin = cluster.Client(0, cluster.AdminKey);
        await cluster.DescribeAsync("luft");
        await HubFixture.OkAsync(admin.PutAsJsonAsync("api/v1/dataspaces/raum", new { title = "Raum", owner = "amt" }));
        await HubFixture.OkAsync(admin.PutAsJsonAsync("api/v1/datasets/luft", AccessClusterTests.Closed()));
        await HubFixture.OkAsync(admin.PutAsJsonAsync("api/v1/indicators/luft-sum", new { title = "Summe", dataset = "luft", measure = new { function = "sum", field = "value" }, window = "PT1H" }));
        await HubFixture.OkAsync(ClusterProcesses.PushAsync(admin, "luft", "k", 0, 1));
        var key = await AccessClusterTests.AgreeAsync(admin);
        await using var load = new Load(cluster, key);
        await load.UntilAllAreServedAsync(output);

        var pushing = PushAsync(admin, load.Stop);
        await Task.Delay(1_000);
        var (before, since) = (load.Given, Stopwatch.GetTimestamp());
        await Task.Delay(3_000);
        output.WriteLine($"{(load.Given - before) / Stopwatch.GetElapsedTime(since).TotalSeconds:F0} answers a second, {load.Events} events on {Streams} streams");

        var killed = cluster.Silos[0].KillAsync();
        await AccessClusterTests.UntilDoneAsync(async () =>
        {
            // Of one whose answer was lost the repeat says that it is revoked.
            var answer = await admin.PostAsJsonAsync("api/v1/agreements/v/acts", new { act = "revoke", side = "provider", reason = "Probe" });
            return answer.StatusCode == HttpStatusCode.Conflict ? new(HttpStatusCode.OK) : answer;
        });
        load.Revoked();
        await killed;
        await Task.Delay(TimeSpan.FromSeconds(4));
        output.WriteLine($"{load.Given} answers and {load.Events} events given, {load.Refused} refused; the last answer {load.LastAnswer.TotalMilliseconds:F0} ms and the last event {load.LastEvent.TotalMilliseconds:F0} ms after the revocation; {load.Ended} streams told why");
        Assert.True(load.LastAnswer < TimeSpan.FromSeconds(1), $"values were given {load.LastAnswer} after the revocation");
        Assert.True(load.LastEvent < TimeSpan.FromSeconds(1), $"a stream was given values {load.LastEvent} after the revocation");
        Assert.True(load.Refused > 0);

        // Every stream ends with a reason, or was cut off with the silo and is refused when it comes back.
        await load.UntilStreamsEndedAsync();
        await load.DisposeAsync();
        await pushing;
        var usage = (await HubFixture.OkAsync(admin.GetAsync("api/v1/agreements/v/usage"))).RootElement;
        var reported = usage.GetProperty("entries").EnumerateArray().Concat(usage.GetProperty("open").EnumerateArray()).Sum(entry => entry.GetProperty("requests").GetInt64());
        output.WriteLine($"the report names {reported} requests");
        Assert.True(reported >= load.Given + load.Events, $"{reported} are reported, {load.Given} answers and {load.Events} events were given");
    }

    private static async Task PushAsync(HttpClient admin, CancellationToken stop)
    {
        for (var i = 1; !stop.IsCancellationRequested; i++)
        {
            using var answer = await ClusterProcesses.PushAsync(admin, "luft", $"k{i}", i, 1);
            await Task.Delay(200, CancellationToken.None);
        }
    }

    private sealed class Load : IAsyncDisposable
    {
        private readonly CancellationTokenSource _enough = new();
        private readonly ConcurrentQueue<HttpClient> _clients = new();
        private readonly Task _asking;
        private readonly Task[] _watching;
        private readonly bool[] _served = new bool[Streams];
        private long _revoked = long.MaxValue, _lastAnswer, _lastEvent;
        private int _given, _refused, _events, _ended, _gone, _disposed;

        public Load(ClusterProcesses cluster, string key)
        {
            var clients = Enumerable.Range(0, 2).Select(front => Client(cluster, front, key)).ToArray();
            _asking = AskAsync(clients);
            _watching = [.. Enumerable.Range(0, Streams).Select(number => Task.Run(() => WatchAsync(clients[number % 2], number)))];
        }

        public CancellationToken Stop => _enough.Token;

        public int Given => Volatile.Read(ref _given);

        public int Refused => Volatile.Read(ref _refused);

        public int Events => Volatile.Read(ref _events);

        public int Ended => Volatile.Read(ref _ended);

        public TimeSpan LastAnswer => After(_lastAnswer);

        public TimeSpan LastEvent => After(_lastEvent);

        public void Revoked() => Volatile.Write(ref _revoked, Stopwatch.GetTimestamp());

        public async Task UntilAllAreServedAsync(ITestOutputHelper output)
        {
            var waited = Stopwatch.StartNew();
            for (; !_served.All(one => one) || Given == 0; await Task.Delay(50)) Assert.True(waited.Elapsed < TimeSpan.FromSeconds(60), $"{_served.Count(one => one)} streams and {Given} answers in a minute");
            output.WriteLine($"{Streams} streams open after {waited.Elapsed.TotalSeconds:F1} s");
        }

        public async Task UntilStreamsEndedAsync()
        {
            for (var waited = Stopwatch.StartNew(); Volatile.Read(ref _gone) < Streams; await Task.Delay(50)) Assert.True(waited.Elapsed < TimeSpan.FromSeconds(60), $"{_gone} of {Streams} streams ended in a minute");
        }

        public async ValueTask DisposeAsync()
        {
            if (Interlocked.Exchange(ref _disposed, 1) == 1) return;
            await _enough.CancelAsync();
            await Task.WhenAll([_asking, .. _watching]);
            foreach (var client in _clients) client.Dispose();
        }

        private TimeSpan After(long at) => at == 0 || _revoked == long.MaxValue || at < _revoked ? TimeSpan.Zero : Stopwatch.GetElapsedTime(_revoked, at);

        private HttpClient Client(ClusterProcesses cluster, int front, string key)
        {
            var client = cluster.Client(front, key);
            client.DefaultRequestHeaders.Add("DataHub-Purpose", "planung");
            client.Timeout = TimeSpan.FromMinutes(2);
            _clients.Enqueue(client);
            return client;
        }

        /// <summary>So many requests a second, however long the answers take; so many at once at most.</summary>
        private async Task AskAsync(HttpClient[] clients)
        {
            using var room = new SemaphoreSlim(256);
            var under = new ConcurrentDictionary<Task, byte>();
            var begun = Stopwatch.GetTimestamp();
            for (var i = 0; !_enough.IsCancellationRequested; i++)
            {
                var due = TimeSpan.FromSeconds((double)i / PerSecond) - Stopwatch.GetElapsedTime(begun);
                if (due > TimeSpan.FromMilliseconds(5)) await Task.Delay(due);
                await room.WaitAsync();
                var (client, path) = (clients[i % 2], i % 10 == 0 ? "api/v1/datasets/luft/records?limit=5" : "api/v1/indicators/luft-sum/values?from=2026-11-23");
                var asking = Task.Run(async () =>
                {
                    try
                    {
                        using var answer = await client.GetAsync(path);
                        var at = Stopwatch.GetTimestamp();
                        if (answer.IsSuccessStatusCode)
                        {
                            Interlocked.Increment(ref _given);
                            Latest(ref _lastAnswer, at);
                        }
                        else if (answer.StatusCode == HttpStatusCode.Forbidden)
                        {
                            Interlocked.Increment(ref _refused);
                        }
                    }
                    catch (HttpRequestException)
                    {
                        // Nothing was given.
                    }
                    finally
                    {
                        room.Release();
                    }
                });
                under[asking] = 0;
                _ = asking.ContinueWith(done => under.TryRemove(done, out _), TaskScheduler.Default);
            }

            await Task.WhenAll(under.Keys);
        }

        private async Task WatchAsync(HttpClient client, int number)
        {
            try
            {
                while (!_enough.IsCancellationRequested)
                {
                    using var answer = await client.GetAsync("api/v1/indicators/luft-sum/changes", HttpCompletionOption.ResponseHeadersRead, _enough.Token);
                    if (answer.StatusCode == HttpStatusCode.Forbidden && _revoked != long.MaxValue) break;
                    if (answer.IsSuccessStatusCode && await ReadAsync(answer, number)) break;
                    await Task.Delay(100, _enough.Token);
                }
            }
            catch (OperationCanceledException) when (_enough.IsCancellationRequested)
            {
                // It is over.
            }

            Interlocked.Increment(ref _gone);
        }

        /// <returns>Whether it ended with the reason that it may not go on.</returns>
        private async Task<bool> ReadAsync(HttpResponseMessage answer, int number)
        {
            try
            {
                using var stream = new StreamReader(await answer.Content.ReadAsStreamAsync(_enough.Token));
                var ends = false;
                while (await stream.ReadLineAsync(_enough.Token) is { } line)
                {
                    if (line == "event: end") ends = true;
                    if (!line.StartsWith("data: ", StringComparison.Ordinal)) continue;
                    if (ends)
                    {
                        if (!line.Contains("/problems/forbidden", StringComparison.Ordinal)) return false;
                        Interlocked.Increment(ref _ended);
                        return true;
                    }

                    _served[number] = true;
                    Interlocked.Increment(ref _events);
                    Latest(ref _lastEvent, Stopwatch.GetTimestamp());
                }
            }
            catch (IOException)
            {
                // Cut off: it comes back.
            }

            return false;
        }

        private static void Latest(ref long last, long at)
        {
            for (var known = Volatile.Read(ref last); at > known; known = Volatile.Read(ref last))
            {
                if (Interlocked.CompareExchange(ref last, at, known) == known) return;
            }
        }
    }
}
