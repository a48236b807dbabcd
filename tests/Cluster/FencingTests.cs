using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

using DataHub.Support;

using Xunit.Abstractions;

namespace DataHub.Cluster;

/// <summary>A silo that stands still while the others take its shards over, and then goes on as if nothing had been (design I3).</summary>
[Collection(ProcessesCollection.Name)]
public sealed partial class FencingTests(ITestOutputHelper output)
{
    private static readonly string[] s_datasets = ["a", "b", "c", "d", "e", "f", "g", "h"];

    [PostgresFact]
    public async Task After_a_silo_freezes_amid_appends_its_datasets_answer_again_and_when_it_wakes_it_is_refused_and_writes_not_one_row()
    {
        await using var cluster = await ClusterProcesses.StartAsync(silos: 3, frontEnds: 1);
        await LogWitness.WatchAsync(cluster.ConnectionString);
        var key = await cluster.DescribeAsync(s_datasets);
        using var enough = new CancellationTokenSource();
        // Several clients each, so that at every moment appends are under way and others wait for them.
        var clients = s_datasets.SelectMany(dataset => Enumerable.Range(0, 4).Select(number => new Pusher(cluster, dataset, key, number))).ToArray();
        var pushing = clients.Select(client => client.RunAsync(enough.Token)).ToArray();
        foreach (var task in pushing) _ = task.ContinueWith(_ => enough.Cancel(), CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        var refused = 0;
        try
        {
            // It may be caught at a moment in which nothing of its own is under way; then once more.
            for (var attempt = 1; refused == 0 && attempt <= 8; attempt++) refused = await FreezeAsync(cluster, clients, enough.Token);
        }
        finally
        {
            await enough.CancelAsync();
            await Task.WhenAll(pushing);
        }

        Assert.True(refused > 0, "the silo that woke up tried nothing");
        await LogWitness.AssertOneWriterAtATimeAsync(cluster.ConnectionString);
        // Every push that was acknowledged is there once, and nothing else is.
        foreach (var dataset in clients.GroupBy(client => client.Dataset))
        {
            var taken = dataset.Sum(client => client.Taken);
            (double, long) found = default;
            foreach (var client in dataset) found = await ClusterProcesses.SumAsync(cluster.Client(0, key), dataset.Key, client.Watermark!);
            Assert.Equal((taken, taken), found);
            Assert.Equal([(long)taken], await LogWitness.ReadAsync(cluster.ConnectionString, $"SELECT count(*) FROM datahub.push_key WHERE dataset = '{dataset.Key}'", row => row.GetInt64(0)));
        }
    }

    /// <returns>How many appends the database refused to the silo after it woke.</returns>
    private async Task<int> FreezeAsync(ClusterProcesses cluster, Pusher[] clients, CancellationToken failed)
    {
        foreach (var silo in cluster.Silos.Where(silo => !silo.IsRunning))
        {
            silo.Start();
            await silo.ReadyAsync();
        }

        await TakenAsync(clients, failed);
        // The silo that writes most of the datasets.
        var writers = (await LogWitness.AppendsAsync(cluster.ConnectionString)).GroupBy(append => append.Shard).ToDictionary(shard => shard.Key, shard => shard.Last().Writer);
        var pids = await Task.WhenAll(cluster.Silos.Select(silo => silo.ProcessIdAsync()));
        var frozen = Enumerable.Range(0, pids.Length).MaxBy(silo => writers.Values.Count(writer => IsOf(writer, pids[silo])));
        var shards = writers.Where(writer => IsOf(writer.Value, pids[frozen])).Select(writer => writer.Key).ToArray();
        Assert.NotEmpty(shards);
        var backends = await LogWitness.ReadAsync(cluster.ConnectionString, $"SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'datahub/%/{pids[frozen]}'", row => row.GetInt32(0));

        await cluster.Silos[frozen].SignalAsync("STOP");
        var waited = Stopwatch.StartNew();
        // What it had sent to the database before counts; from now on nothing may come.
        await Task.Delay(500, CancellationToken.None);
        var before = (await LogWitness.AppendsAsync(cluster.ConnectionString)).Count(append => IsOf(append.Writer, pids[frozen]));
        var epochs = await LogWitness.HeadsAsync(cluster.ConnectionString);
        await TakenAsync(clients, failed);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"after SIGSTOP of one of three silos, all of {s_datasets.Length} datasets were pushed again by each client after {waited.Elapsed.TotalSeconds:F1} s"));
        Assert.InRange(waited.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(60));
        Assert.Equal([6], await LogWitness.ReadAsync(cluster.ConnectionString, $"SELECT status FROM orleans.membership WHERE silo_name = '{cluster.Silos[frozen].Name}' ORDER BY generation DESC LIMIT 1", row => row.GetInt32(0)));
        var taken = await LogWitness.HeadsAsync(cluster.ConnectionString);
        Assert.All(shards, shard => Assert.True(taken[shard].Epoch > epochs[shard].Epoch && taken[shard].Position > epochs[shard].Position, $"shard {shard}: {epochs[shard]}, {taken[shard]}"));

        await cluster.Silos[frozen].SignalAsync("CONT");
        for (var ending = Stopwatch.StartNew(); cluster.Silos[frozen].IsRunning; await Task.Delay(50, CancellationToken.None))
            Assert.True(ending.Elapsed < TimeSpan.FromSeconds(60), cluster.Silos[frozen].Said);
        await TakenAsync(clients, failed);

        var refused = Refusals(cluster.Server.Said, backends);
        Assert.Equal(before, (await LogWitness.AppendsAsync(cluster.ConnectionString)).Count(append => IsOf(append.Writer, pids[frozen])));
        output.WriteLine($"when it woke, {refused} of its appends to {shards.Length} shards were refused, none written, and it ended itself; it told of {cluster.Silos[frozen].Said.Split("[1101]").Length - 1}");
        return refused;
    }

    /// <summary>The name of a connection ends with the process's number.</summary>
    private static bool IsOf(string writer, int pid) => writer.EndsWith(string.Create(CultureInfo.InvariantCulture, $"/{pid}"), StringComparison.Ordinal);

    /// <summary>By the database's own log: appends that ended with DH001 on these connections.</summary>
    private static int Refusals(string log, List<int> backends) =>
        RefusedAppend().Matches(log).Count(line => backends.Contains(int.Parse(line.Groups[1].ValueSpan, CultureInfo.InvariantCulture)));

    [GeneratedRegex(@"\[(\d+)\] ERROR:  datahub: DH001 does not hold[\s\S]{0,300}?STATEMENT:  WITH moved AS \(\s+UPDATE shard_head")]
    private static partial Regex RefusedAppend();

    /// <summary>Each client's pushes have been acknowledged once more.</summary>
    private static async Task TakenAsync(Pusher[] clients, CancellationToken failed)
    {
        var before = clients.Select(client => client.Taken).ToArray();
        for (var waited = Stopwatch.StartNew(); clients.Zip(before).Any(pair => pair.First.Taken < pair.Second + 2); await Task.Delay(50, failed))
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(90), "clients do not get on");
    }

    /// <summary>Pushes row after row, each with its own key until it is acknowledged.</summary>
    private sealed class Pusher(ClusterProcesses cluster, string dataset, string key, int number)
    {
        private readonly HttpClient _client = cluster.Client(0, key);
        private int _taken;

        public string Dataset => dataset;

        public int Taken => Volatile.Read(ref _taken);

        public string? Watermark { get; private set; }

        public async Task RunAsync(CancellationToken stop)
        {
            await Task.Yield();
            while (!stop.IsCancellationRequested)
            {
                var receipt = await ClusterProcesses.UntilTakenAsync(_client, dataset, $"{number}-{Taken}", (number * 20_000) + Taken, TimeSpan.FromSeconds(90));
                Watermark = ClusterProcesses.Watermark(receipt);
                Volatile.Write(ref _taken, Taken + 1);
            }
        }
    }
}
