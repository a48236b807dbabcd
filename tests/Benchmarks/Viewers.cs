using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace DataHub.Benchmarks;

/// <summary>A hub whose city is being watched: viewers of live changes and pollers, while rows come in at a modest rate; and what maps and charts ask.</summary>
internal sealed class Viewers(int pollers, int viewers, int seconds, int rowsPerSecond) : IAsyncDisposable
{
    private const string Dataset = "bench";
    private const int RowsPerPush = 1_000;
    private const int OpeningAtOnce = 64;

    private readonly EmbeddedHub _process = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<Viewer> _viewers = [];
    private HubUnderLoad _hub = null!;

    public async Task<int> RunAsync()
    {
        if (OpenFiles.Limit < viewers + pollers + 500)
        {
            Console.Error.WriteLine($"{viewers + pollers} connections need as many open files, on both sides; this program may have {OpenFiles.Limit}. Raise the hard limit (ulimit -Hn) or ask for fewer.");
            return 2;
        }

        // The defaults are for a hub that is more than watched.
        Set("CHANGES__MAXVIEWERS", Math.Max(8_000, viewers));
        Set("CHANGES__MAXVIEWERSPERINDICATOR", Math.Max(4_000, viewers));
        Set("HOST__MAXCONNECTIONS", Math.Max(10_000, viewers + pollers + 500));
        await _process.StartAsync();
        _hub = new(_process.Address, Dataset);
        await _hub.DescribeAsync(_process.AdminKey, Rows.AreasGeoJson());
        var rows = new Lanes(_hub, Dataset, new(1_000, 1));
        await rows.PushAsync(70_000, RowsPerPush);

        Console.WriteLine(Table.Machine(1));
        Console.WriteLine();
        Console.WriteLine("| what | figure |");
        Console.WriteLine("| --- | ---: |");
        await AskAsync();
        await WatchAsync(rows);
        return 0;

        void Set(string name, int value) => _process.Environment["DATAHUB__" + name] = value.ToString(CultureInfo.InvariantCulture);
    }

    private async Task AskAsync()
    {
        var questions = new Questions(_hub, Dataset);
        await questions.PrepareAsync();
        foreach (var (name, path, count) in new[] { questions.Year, questions.Map("json"), questions.Map("geojson") })
        {
            var (changed, again, known, bytes) = await questions.AskAsync(path, 50);
            Row($"{name} ({count:N0} rows, {bytes:N0} bytes), 200 after a change: p50 / p99 in ms", Waits(changed));
            Row("the same, 200 once more", Waits(again));
            Row("the same, 304", Waits(known));
        }
    }

    private async Task WatchAsync(Lanes rows)
    {
        var before = _process.Process.ResidentBytes;
        var watching = await OpenAsync();
        var with = _process.Process.ResidentBytes;
        Row($"RSS of the hub without and with {viewers:N0} viewers, MiB", $"{before >> 20:N0} / {with >> 20:N0}");
        Row("memory per viewer, KiB", viewers == 0 ? "–" : $"{(with - before) / 1024.0 / viewers:F1}");

        var (hubCpu, ownCpu) = (_process.Process.Cpu, Cpu.OfThisProcess);
        var clock = Stopwatch.StartNew();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        end.CancelAfter(TimeSpan.FromSeconds(seconds));
        var acknowledged = new List<(long Sequence, long At)>();
        var polling = Task.WhenAll(Enumerable.Range(0, pollers).Select(number => PollAsync(number, end.Token)));
        var pushed = await rows.PushAsync(long.MaxValue / 2, RowsPerPush, RowKind.Growing, rowsPerSecond, (sequence, at) => acknowledged.Add((sequence, at)), end.Token);
        var polls = (await polling).SelectMany(waits => waits).Order().ToArray();
        var elapsed = clock.Elapsed.TotalSeconds;
        (hubCpu, ownCpu) = (_process.Process.Cpu - hubCpu, Cpu.OfThisProcess - ownCpu);
        // What was pushed last is on its way to the viewers.
        await Task.Delay(1_000, _stop.Token);
        await _stop.CancelAsync();
        await watching;

        var (delays, unseen, events) = Delays(acknowledged);
        Row("rows pushed a second", $"{pushed.Rows / elapsed:N0}");
        Row($"polls a second, of {pollers:N0} wanted", $"{polls.Length / elapsed:N0}");
        Row("a poll, p50 / p99 in ms", Waits(polls));
        Row("events a second, over all viewers", $"{events / elapsed:N0}");
        Row("from the acknowledgement of a push to the event at the viewers, p50 / p99 in ms", Waits(delays));
        Row("pushes that a viewer had not been told of a second after the end", $"{unseen:N0}");
        Row($"processor seconds of the hub / of the load generator, in {elapsed:F0} s", $"{hubCpu.TotalSeconds:F1} / {ownCpu:F1}");
        Row("RSS of the hub at the end, MiB", $"{_process.Process.ResidentBytes >> 20:N0}");
    }

    /// <summary>Opens all streams and waits until each has its state. What is returned completes once all have stopped.</summary>
    private async Task<Task> OpenAsync()
    {
        var watching = new ConcurrentBag<Task>();
        var sequences = new ConcurrentDictionary<string, long>();
        await Parallel.ForAsync(0, viewers, new ParallelOptions { MaxDegreeOfParallelism = OpeningAtOnce, CancellationToken = _stop.Token }, async (number, stop) =>
        {
            var viewer = new Viewer(await RawConnection.OpenAsync(_process.Address, stop), sequences);
            _viewers.Add(viewer);
            var indicator = _hub.Indicators[number % _hub.Indicators.Count].Id;
            watching.Add(viewer.WatchAsync($"/api/v1/indicators/{Dataset}-{indicator}/changes?level=0", _stop.Token));
            await viewer.First.Task.WaitAsync(TimeSpan.FromSeconds(60), stop);
        });
        return Task.WhenAll(watching);
    }

    /// <summary>Polls once a second over a connection of its own, naming what it has.</summary>
    /// <returns>Milliseconds of each poll.</returns>
    private async Task<List<double>> PollAsync(int number, CancellationToken stop)
    {
        var waits = new List<double>();
        try
        {
            // All of them spread over the second.
            await Task.Delay(TimeSpan.FromSeconds(number / (double)pollers), stop);
            using var connection = await RawConnection.OpenAsync(_process.Address, stop);
            var (clock, request) = (Stopwatch.StartNew(), connection.Request(_hub.PollPath));
            for (var poll = 1; !stop.IsCancellationRequested; poll++)
            {
                var begin = Stopwatch.GetTimestamp();
                await connection.SendAsync(request, stop);
                var (status, tag) = await connection.AnswerAsync(stop);
                if (status is not (200 or 304)) throw new InvalidOperationException($"a poll was answered with {status}");
                waits.Add(Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
                if (status == 200) request = connection.Request(_hub.PollPath, tag);
                var ahead = TimeSpan.FromSeconds(poll) - clock.Elapsed;
                if (ahead > TimeSpan.Zero) await Task.Delay(ahead, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The time is over.
        }

        return waits;
    }

    /// <summary>For each push and viewer from the acknowledgement to the first event that includes it. An event may come first; that is no wait.</summary>
    private (double[] Delays, int Unseen, int Events) Delays(List<(long Sequence, long At)> pushes)
    {
        var delays = new List<double>(pushes.Count * viewers);
        var (unseen, events) = (0, 0);
        foreach (var viewer in _viewers)
        {
            var next = 0;
            foreach (var (sequence, at) in pushes)
            {
                while (next < viewer.Events.Count && viewer.Events[next].Sequence < sequence) next++;
                if (next == viewer.Events.Count) unseen++;
                else delays.Add(Math.Max(0, Stopwatch.GetElapsedTime(at, viewer.Events[next].At).TotalMilliseconds));
            }

            // The first is the state, which everybody is given.
            events += viewer.Events.Count - 1;
        }

        return ([.. delays.Order()], unseen, events);
    }

    private static string Waits(double[] sorted) => sorted.Length == 0 ? "–" : string.Create(CultureInfo.InvariantCulture, $"{sorted[sorted.Length / 2]:F1} / {sorted[(int)(sorted.Length * 0.99)]:F1}");

    private static void Row(string what, string figure) => Console.WriteLine($"| {what} | {figure} |");

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (var viewer in _viewers) viewer.Dispose();
        await _process.DisposeAsync();
        _stop.Dispose();
    }
}
