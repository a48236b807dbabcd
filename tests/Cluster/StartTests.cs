using System.Diagnostics;
using System.Globalization;

using DataHub.Hosting;
using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

using Orleans.Runtime;

using Xunit.Abstractions;

using ClusterMember = DataHub.Support.ClusterMember;

namespace DataHub.Cluster;

/// <summary>A cluster with many datasets is killed as a whole and starts again, and a silo comes in addition under load: how long it takes, and that nobody is overrun.</summary>
[Collection(ProcessesCollection.Name)]
public sealed class StartTests(ITestOutputHelper output)
{
    /// <summary><c>DataHub:Postgres:MaxConnections</c> of every silo.</summary>
    private const int Budget = 20;

    /// <summary>One retry resolves what a start refuses; more only where the machine has no time for anybody.</summary>
    private const int MostRetries = 4;

    private static readonly string[] s_datasets = [.. Enumerable.Range(0, 60).Select(number => $"d{number}")];

    [PostgresFact]
    public async Task After_all_were_killed_sixty_datasets_answer_again_at_once_and_a_silo_joins_under_load_within_the_connections_each_may_hold()
    {
        await using var cluster = await ClusterProcesses.CreateAsync(silos: 4, frontEnds: 2, new Dictionary<string, string> { ["DATAHUB__POSTGRES__MAXCONNECTIONS"] = $"{Budget}" });
        ClusterMember[] members = [.. cluster.Silos[..3], .. cluster.FrontEnds];
        foreach (var member in members) member.Start();
        await Task.WhenAll(members.Select(member => member.ReadyAsync()));
        var key = await cluster.DescribeAsync(s_datasets);
        var clients = s_datasets.Select((dataset, number) => new Client(cluster, dataset, key, number % 2)).ToArray();
        await Task.WhenAll(clients.Select(client => client.PushAndReadAsync(mayBeRefused: true)));

        // Everything at once, in their places: what a power cut leaves, or a node that is started again.
        await Task.WhenAll(members.Select(member => member.KillAsync()));
        try
        {
            await StartAgainAsync(cluster, clients, members);
        }
        catch (Exception)
        {
            foreach (var member in cluster.Members)
                output.WriteLine($"== {member.Name}\n{string.Join('\n', member.Said.Split('\n').Where(line => line.Contains(" fail: ", StringComparison.Ordinal) || line.Contains(" warn: ", StringComparison.Ordinal)).TakeLast(8))}");
            throw;
        }
    }

    private async Task StartAgainAsync(ClusterProcesses cluster, Client[] clients, ClusterMember[] members)
    {
        var (three, newcomer) = (cluster.Silos[..3], cluster.Silos[3]);
        using var connections = new Connections(cluster.ConnectionString);
        var cold = Stopwatch.StartNew();
        foreach (var member in members) member.Start();
        var first = FirstAsync(clients[0], cold);
        await Task.WhenAll(members.Select(member => member.ReadyAsync()));
        var ready = cold.Elapsed;
        var (pushed, read) = await first;
        await Task.WhenAll(clients.Select(client => client.PushAndReadAsync()));
        var all = cold.Elapsed;
        Tell($"after SIGKILL of three silos and two front-ends, started again in their places: ready after {ready.TotalSeconds:F1} s, the first push taken after {pushed.TotalSeconds:F1} s and read after {read.TotalSeconds:F1} s, all {s_datasets.Length} datasets after {all.TotalSeconds:F1} s; of {s_datasets.Length * 2} requests {Retried(s_datasets.Length * 2)}; {await connections.MostAsync()} connections of a silo at most");
        Assert.InRange(read, TimeSpan.Zero, TimeSpan.FromSeconds(60));
        Assert.InRange(await connections.MostAsync(), 1, Budget);
        await AssertOneActivationEachAsync(cluster);

        // One more comes while everybody pushes and reads.
        using var enough = new CancellationTokenSource();
        var load = clients.Select(client => client.RunAsync(enough.Token)).ToArray();
        foreach (var task in load) _ = task.ContinueWith(_ => enough.Cancel(), CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        var before = clients.Sum(client => client.Taken);
        var hot = Stopwatch.StartNew();
        newcomer.Start();
        await newcomer.ReadyAsync();
        // Others have let go what is its by now (log event 1170), and everybody was served once more since.
        while (!three.All(silo => silo.Said.Contains("among 4 silos", StringComparison.Ordinal)) && !enough.IsCancellationRequested)
        {
            Assert.True(hot.Elapsed < TimeSpan.FromSeconds(90), "no shards moved");
            await Task.Delay(50);
        }

        var moved = clients.Select(client => client.Taken).ToArray();
        while (clients.Zip(moved).Any(pair => pair.First.Taken <= pair.Second) && !enough.IsCancellationRequested)
        {
            Assert.True(hot.Elapsed < TimeSpan.FromSeconds(150), "clients do not get on");
            await Task.Delay(50);
        }

        await enough.CancelAsync();
        await Task.WhenAll(load);
        Tell($"a silo joined, and had its share and all were served from it after {hot.Elapsed.TotalSeconds:F1} s; {clients.Sum(client => client.Taken) - before} pushes meanwhile, each read with its watermark, {Retried((clients.Sum(client => client.Taken) - before) * 2)}; {await connections.MostAsync()} connections of a silo at most");
        Assert.InRange(await connections.MostAsync(), 1, Budget);
        await AssertOneActivationEachAsync(cluster);

        // And at other addresses, as pods on other nodes have them: who was killed is believed to be gone only by its silence.
        members = [.. members, newcomer];
        await Task.WhenAll(members.Select(member => member.KillAsync()));
        foreach (var silo in cluster.Silos) silo.Environment["DATAHUB__CLUSTER__SILOPORT"] = Ports.Free().ToString(CultureInfo.InvariantCulture);
        cold.Restart();
        foreach (var member in members) member.Start();
        (pushed, read) = await FirstAsync(clients[1], cold);
        Tell($"after SIGKILL of four silos and two front-ends, started again at other addresses: the first push taken after {pushed.TotalSeconds:F1} s and read after {read.TotalSeconds:F1} s");
        Assert.InRange(read, TimeSpan.Zero, TimeSpan.FromSeconds(120));

        string Retried(int requests)
        {
            var retried = clients.Select(client => client.Retried).ToArray();
            var (once, more) = (retried.Sum(client => client.Once), retried.Sum(client => client.More));
            Assert.InRange(more, 0, Math.Max(10, requests / 4));
            return $"{once} were sent a second time and {more} times one a further time";
        }

        void Tell(FormattableString line) => output.WriteLine(line.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>When a client that tries all the time had its first push taken and its first answer that includes it.</summary>
    private static async Task<(TimeSpan Pushed, TimeSpan Read)> FirstAsync(Client client, Stopwatch since)
    {
        for (TimeSpan? pushed = null; ; await Task.Delay(50))
        {
            Assert.True(since.Elapsed < TimeSpan.FromSeconds(180), "nobody answers");
            try
            {
                if (pushed is null && await client.TryPushAsync()) pushed = since.Elapsed;
                if (pushed is { } at && await client.TryReadAsync()) return (at, since.Elapsed);
            }
            catch (Exception e) when (Unreachable.Is(e))
            {
                // The front-end does not listen yet.
            }
        }
    }

    /// <summary>No grain is there twice, and of shards and consumers there are not more than the data demand.</summary>
    private static async Task AssertOneActivationEachAsync(ClusterProcesses cluster)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Error);
        builder.UseOrleansClient(client => client.UseCluster(new() { ConnectionString = cluster.ConnectionString, MaxConnections = Budget }, new()));
        using var host = builder.Build();
        await host.StartAsync();
        var grains = await host.Services.GetRequiredService<IClusterClient>().GetGrain<IManagementGrain>(0).GetDetailedGrainStatistics();
        foreach (var (kind, most) in new[] { ("datahub.log-shard", ClusterSettings.Shards), ("datahub.aggregation", s_datasets.Length), ("datahub.history", s_datasets.Length) })
        {
            var own = grains.Where(grain => grain.GrainId.Type.ToString() == kind).Select(grain => grain.GrainId).ToArray();
            Assert.Equal(own.Distinct().Count(), own.Length);
            Assert.InRange(own.Length, 1, most);
        }

        await host.StopAsync();
    }

    /// <summary>Pushes a row and reads the sum with its watermark; what is refused waits as it is told and is sent once more.</summary>
    private sealed class Client(ClusterProcesses cluster, string dataset, string key, int front)
    {
        private readonly HttpClient _client = cluster.Client(front, key);
        private string? _watermark, _refusal;
        private TimeSpan _wait;
        private int _taken, _retried, _retriedTwice;

        public int Taken => Volatile.Read(ref _taken);

        /// <summary>Requests that were sent again, and how often more than once, since it was asked last.</summary>
        public (int Once, int More) Retried => (Interlocked.Exchange(ref _retried, 0), Interlocked.Exchange(ref _retriedTwice, 0));

        public async Task RunAsync(CancellationToken stop)
        {
            await Task.Yield();
            while (!stop.IsCancellationRequested)
            {
                await PushAndReadAsync();
                await Task.Delay(200, CancellationToken.None);
            }
        }

        public async Task PushAndReadAsync(bool mayBeRefused = false)
        {
            await AgainAsync(TryPushAsync, mayBeRefused ? 20 : MostRetries);
            await AgainAsync(TryReadAsync, mayBeRefused ? 20 : MostRetries);
        }

        public async Task<bool> TryPushAsync()
        {
            using var answer = await ClusterProcesses.PushAsync(_client, dataset, $"k{Taken}", Taken, 1);
            if (await RefusedAsync(answer)) return false;
            _watermark = ClusterProcesses.Watermark(System.Text.Json.JsonDocument.Parse(await answer.Content.ReadAsStringAsync()));
            Volatile.Write(ref _taken, Taken + 1);
            return true;
        }

        public async Task<bool> TryReadAsync()
        {
            using var answer = await _client.GetAsync($"api/v1/indicators/{dataset}-sum/values?from=2026-11-23&watermark={Uri.EscapeDataString(_watermark!)}");
            if (await RefusedAsync(answer)) return false;
            Assert.Equal((Taken, Taken), await ClusterProcesses.SumAsync(Task.FromResult(answer)));
            return true;
        }

        private async Task AgainAsync(Func<Task<bool>> send, int most)
        {
            for (var again = 0; !await send(); again++)
            {
                Assert.True(again < most, $"{dataset}: refused {again + 1} times: {_refusal}");
                if (again == 0) Interlocked.Increment(ref _retried);
                else Interlocked.Increment(ref _retriedTwice);
                await Task.Delay(_wait);
            }
        }

        /// <summary>503 with the time to wait, and nothing else but success.</summary>
        private async Task<bool> RefusedAsync(HttpResponseMessage answer)
        {
            if (answer.IsSuccessStatusCode) return false;
            var text = await answer.Content.ReadAsStringAsync();
            Assert.True((int)answer.StatusCode == 503, $"{(int)answer.StatusCode} {text}");
            _wait = answer.Headers.RetryAfter!.Delta!.Value;
            _refusal = text;
            return true;
        }
    }

    /// <summary>Looks all the time how many connections each silo holds.</summary>
    private sealed class Connections : IDisposable
    {
        private readonly CancellationTokenSource _enough = new();
        private readonly Task _looking;
        private readonly string _connectionString;
        private int _most;

        public Connections(string connectionString)
        {
            _connectionString = connectionString;
            _looking = LookAsync();
        }

        /// <summary>So far; fails where looking has failed.</summary>
        public async Task<int> MostAsync()
        {
            if (_looking.IsFaulted) await _looking;
            return Volatile.Read(ref _most);
        }

        public void Dispose()
        {
            _enough.Cancel();
            _looking.Wait();
            _enough.Dispose();
        }

        private async Task LookAsync()
        {
            await Task.Yield();
            while (!_enough.IsCancellationRequested)
            {
                var counts = await LogWitness.ReadAsync(_connectionString, "SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'datahub/%' GROUP BY application_name", row => row.GetInt32(0));
                Volatile.Write(ref _most, Math.Max(_most, counts.DefaultIfEmpty().Max()));
                await Task.Delay(100);
            }
        }
    }
}
