using System.Diagnostics;
using System.Globalization;

namespace DataHub.Benchmarks;

/// <summary>A hub that many clients push single rows to, each over a connection that it keeps: as fast as receipts come, and once a second each.</summary>
internal sealed class KeepAlive(int connections, int seconds) : IAsyncDisposable
{
    private const string Dataset = "bench";
    private const int WarmConnections = 64;

    private static readonly TimeSpan s_warm = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_turn = TimeSpan.FromSeconds(1);

    private readonly EmbeddedHub _process = new();
    private readonly CancellationTokenSource _stop = new();
    private LimitServer? _limits;
    private KeepAliveClients? _clients;
    private KeepAliveClients? _beside;
    private HubUnderLoad _hub = null!;

    public async Task<int> RunAsync()
    {
        // Those to the limit are open at the same time.
        if (OpenFiles.Limit < (2 * connections) + 500)
        {
            Console.Error.WriteLine($"{connections} connections to each of two servers need as many open files; this program may have {OpenFiles.Limit}. Raise the hard limit (ulimit -Hn) or ask for fewer.");
            return 2;
        }

        _process.Environment["DATAHUB__HOST__MAXCONNECTIONS"] = Math.Max(10_000, connections + 500).ToString(CultureInfo.InvariantCulture);
        await _process.StartAsync();
        _limits = await LimitServer.StartAsync();
        _hub = new(_process.Address, Dataset);
        await _hub.DescribeAsync(_process.AdminKey);
        var rows = new SeriesRows(connections, connections);
        _clients = new(_process.Address, HubUnderLoad.PushPath(Dataset), _hub.Key, rows, _hub, _stop.Token);
        _beside = new(_limits.Address, "/discard", null, rows, null, _stop.Token);
        await WarmUpAsync();

        Console.WriteLine(Table.Machine(1));
        Console.WriteLine();
        Console.WriteLine("| what | hub | parse and discard | ratio |");
        Console.WriteLine("| --- | ---: | ---: | ---: |");
        await OpenAsync();
        await MeasureAsync(null);
        await MeasureAsync(s_turn);
        Row("RSS of the hub at the end, MiB", $"{_process.Process.ResidentBytes >> 20:N0}");
        Row("pushes that were asked to come again", $"{_clients.Refusals:N0}");
        Console.WriteLine();
        Console.WriteLine($"Keys were asked for, receipts kept, and all {await _hub.AssertHonestAsync():N0} rows are in history.");
        return 0;
    }

    /// <summary>Until the code that both run is compiled for good; over few connections, which are closed again.</summary>
    private async Task WarmUpAsync()
    {
        foreach (var clients in new[] { _clients!, _beside! })
        {
            await clients.OpenAsync(Math.Min(WarmConnections, connections));
            await clients.PushAsync(s_warm);
            clients.Close();
        }

        await DrainAsync();
    }

    private async Task OpenAsync()
    {
        var before = _process.Process.ResidentBytes;
        await _clients!.OpenAsync(connections);
        await DrainAsync();
        var with = _process.Process.ResidentBytes;
        await _beside!.OpenAsync(connections);
        Row($"RSS of the hub without and with {connections:N0} connections, a row pushed over each, MiB", $"{before >> 20:N0} / {with >> 20:N0}");
        Row("memory per connection, KiB", $"{(with - before) / 1024.0 / connections:F1}");
    }

    /// <param name="every">How often each client pushes; null: again at once.</param>
    private async Task MeasureAsync(TimeSpan? every)
    {
        var time = TimeSpan.FromSeconds(seconds);
        var limit = await MeasureAsync(_beside!, every, time, () => _limits!.Cpu, () => Task.CompletedTask);
        var hub = await MeasureAsync(_clients!, every, time, () => _process.Process.Cpu.TotalSeconds, DrainAsync);
        var (what, wanted) = every is null ? ("again at once", "") : ("once a second", $" of {connections:N0} wanted");
        Row($"1 row a push, {connections:N0} connections, each {what}: pushes/s{wanted}", $"{hub.PerSecond:N0}", $"{limit.PerSecond:N0}", $"{hub.PerSecond / limit.PerSecond:F2}");
        Row("the same: until the acknowledgement, p50 / p99 in ms", Scale.Waits(hub.Waits), Scale.Waits(limit.Waits));
        Row($"the same: processor s of the server / of the load generator, in {seconds} s", $"{hub.Cpu:F1} / {hub.OwnCpu:F1}", $"{limit.Cpu:F1} / {limit.OwnCpu:F1}");
    }

    /// <param name="drainAsync">What is to be waited for after the last receipt; it counts.</param>
    private static async Task<(double PerSecond, double[] Waits, double Cpu, double OwnCpu)> MeasureAsync(KeepAliveClients clients, TimeSpan? every, TimeSpan time, Func<double> cpu, Func<Task> drainAsync)
    {
        var (before, own) = (cpu(), Cpu.OfThisProcess);
        var clock = Stopwatch.StartNew();
        var (pushes, waits) = await clients.PushAsync(time, every);
        await drainAsync();
        return (pushes / clock.Elapsed.TotalSeconds, waits, cpu() - before, Cpu.OfThisProcess - own);
    }

    /// <summary>Until folds and history have everything.</summary>
    private async Task DrainAsync()
    {
        using var http = new HttpClient { BaseAddress = _process.Address };
        await _hub.WaitAsync(http);
    }

    private static void Row(string what, string hub, string limit = "–", string ratio = "–") => Console.WriteLine($"| {what} | {hub} | {limit} | {ratio} |");

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _clients?.Dispose();
        _beside?.Dispose();
        _limits?.Dispose();
        await _process.DisposeAsync();
        _stop.Dispose();
    }
}
