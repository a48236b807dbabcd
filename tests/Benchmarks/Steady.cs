using System.Collections.Concurrent;
using System.Diagnostics;

namespace DataHub.Benchmarks;

/// <summary>A hub under half of what it can take, for a long time; then a minute of ten times as much, or as much as it takes; then as before.</summary>
/// <param name="rate">Rows a second; 0: half of what a short measurement reaches.</param>
internal sealed class Steady(int minutes, int rate) : IAsyncDisposable
{
    private const int MeasuredRows = 1_000_000;
    private const int Rounds = 3;
    private const int RowsPerPush = 100;
    private const int BurstFactor = 10;
    private const int MinutesAfterwards = 2;

    /// <summary>Of the rows' own time, from row to row: at 50,000 rows a second it passes as fast as time does.</summary>
    private const long EveryTicks = TimeSpan.TicksPerSecond / 50_000;

    private static readonly TimeSpan s_line = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_betweenProbes = TimeSpan.FromMilliseconds(500);

    private readonly EmbeddedHub _process = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<double> _waits = [];
    private HubUnderLoad _hub = null!;
    private Lanes _rows = null!;
    private long _pushed;
    private string _phase = "";

    public async Task<int> RunAsync()
    {
        var started = Stopwatch.StartNew();
        await _process.StartAsync();
        var emptyStart = started.Elapsed.TotalSeconds;
        var reads = new StoredReads(_process, new(1_000, 4, EveryTicks));
        (_hub, _rows) = (reads.Hub, reads.Lanes);
        await _hub.DescribeAsync(_process.AdminKey);
        await _rows.PushAsync(MeasuredRows, RowsPerPush);
        var (rows, time) = await _rows.PushAsync(MeasuredRows, RowsPerPush);
        var perSecond = rate > 0 ? rate : rows / time.TotalSeconds / 2;

        await reads.WarmUpAsync();
        for (var round = 0; round < Rounds; round++) await reads.ReadAsync();
        var first = reads.Waits.ToDictionary();
        reads.Waits.Clear();

        Console.WriteLine(Table.Machine(1));
        Console.WriteLine($"A short measurement reached {rows / time.TotalSeconds:N0} rows/s; {perSecond:N0} rows/s are pushed, {RowsPerPush} a push, folded into {_hub.Indicators.Count} indicators.");
        Console.WriteLine();
        Console.WriteLine("| minute | phase | rows/s | acknowledged to visible, p50 / p99 in ms | RSS, MiB | processor s of the hub |");
        Console.WriteLine("| ---: | --- | ---: | ---: | ---: | ---: |");
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var (telling, probing) = (TellAsync(end.Token), ProbeAsync(end.Token));
        await PhaseAsync("steady", perSecond, minutes);
        var behind = await PhaseAsync("burst", perSecond * BurstFactor, 1);
        await PhaseAsync("after it", perSecond, MinutesAfterwards);
        await end.CancelAsync();
        await Task.WhenAll(telling, probing);
        Console.WriteLine();
        Console.WriteLine($"After the burst folds and history had everything after {behind.TotalSeconds:F1} s. Pushes that were asked to come again: {_rows.Refusals:N0}.");
        var all = await _hub.AssertHonestAsync();
        Console.WriteLine($"All {all:N0} rows are in history.");
        Console.WriteLine();
        Console.WriteLine("| what | figure | beside it | ratio | goal |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: |");
        for (var round = 0; round < Rounds; round++) await reads.ReadAsync();
        reads.Print(all, first, 2 * MeasuredRows);
        await reads.DiskAsync(all);
        await reads.StartsAsync(all, emptyStart);
        return 0;
    }

    /// <returns>How long it took after the last push until folds and history had everything.</returns>
    private async Task<TimeSpan> PhaseAsync(string name, double rowsPerSecond, int length)
    {
        Volatile.Write(ref _phase, name);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var clock = Stopwatch.StartNew();
        end.CancelAfter(length * s_line);
        await _rows.PushAsync(long.MaxValue / 2, RowsPerPush, RowKind.Growing, rowsPerSecond, (_, _) => Interlocked.Add(ref _pushed, RowsPerPush), end.Token);
        _stop.Token.ThrowIfCancellationRequested();
        return clock.Elapsed - (length * s_line);
    }

    /// <summary>A line a minute.</summary>
    private async Task TellAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(s_line);
        var (clock, cpu, pushed) = (Stopwatch.StartNew(), _process.Process.Cpu, 0L);
        try
        {
            for (var minute = 1; await timer.WaitForNextTickAsync(stop); minute++)
            {
                var waits = new List<double>();
                while (_waits.TryDequeue(out var wait)) waits.Add(wait);
                double[] sorted = [.. waits.Order()];
                var (now, used) = (Interlocked.Read(ref _pushed), _process.Process.Cpu);
                Console.WriteLine($"| {minute} | {Volatile.Read(ref _phase)} | {(now - pushed) / clock.Elapsed.TotalSeconds:N0} | {(sorted.Length == 0 ? "–" : Scale.Waits(sorted))} | {_process.Process.ResidentBytes >> 20:N0} | {(used - cpu).TotalSeconds:F1} |");
                (pushed, cpu) = (now, used);
                clock.Restart();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The last phase is over.
        }
    }

    private async Task ProbeAsync(CancellationToken stop)
    {
        using var http = new HttpClient { BaseAddress = _process.Address };
        while (!stop.IsCancellationRequested)
        {
            _waits.Enqueue(await _hub.ProbeAsync(http, 0));
            await Task.Delay(s_betweenProbes, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _process.DisposeAsync();
        _stop.Dispose();
    }
}
