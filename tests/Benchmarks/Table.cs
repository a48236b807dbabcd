using System.Globalization;
using System.Runtime.InteropServices;

namespace DataHub.Benchmarks;

/// <summary>The table of design §6 for the embedded hub: each figure beside its limit in the same run, medians of interleaved repetitions.</summary>
internal sealed class Table(int repeats, double scale) : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("datahub-benchmark-").FullName;
    private Child? _process;
    private LimitServer? _limits;
    private HubUnderLoad _hub = null!;

    public async Task<int> RunAsync()
    {
        var address = Child.FreeAddress();
        _process = await Child.StartAsync(Path.Combine(AppContext.BaseDirectory, "DataHub.Silo.dll"), address,
            async http => (await http.GetAsync("/health/ready")).IsSuccessStatusCode, "--urls", address.ToString(), "--data", Path.Combine(_folder, "hub"));
        _limits = await LimitServer.StartAsync();
        _hub = new(address, "bench");
        await _hub.DescribeAsync((await File.ReadAllTextAsync(Path.Combine(_folder, "hub", "admin.key"))).Trim());
        await WarmUpAsync();

        Console.WriteLine(Machine(repeats));
        Console.WriteLine();
        Console.WriteLine("| what | figure | limit beside it | ratio | goal | CPU s of hub / limit |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: | ---: |");

        var rate = await IngestInBulkAsync();
        await IngestOneByOneAsync();
        await PollAsync();
        await FreshnessAsync(rate / 2);
        await ExplainAsync();
        var accepted = await _hub.AssertHonestAsync();
        Console.WriteLine();
        Console.WriteLine($"Keys were asked for, receipts kept, and all {accepted} rows are in history.");
        return 0;
    }

    /// <summary>Where and how a table was measured.</summary>
    public static string Machine(int repeats) =>
        $"{RuntimeInformation.OSDescription}, {Environment.ProcessorCount} cores, .NET {Environment.Version}, {DateTime.UtcNow:yyyy-MM-dd}; medians of {repeats}";

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }

    private async Task WarmUpAsync()
    {
        // Until the code that both run is compiled for good.
        for (var round = 0; round < 3; round++)
        {
            await _hub.PushAsync(_hub.Prepare(100, 1_500), 8);
            await _hub.PushAsync(_hub.Prepare(1, 10_000), 64);
            await _hub.PollAsync(10_000, conditional: round % 2 == 1);
            await _limits!.DiscardAsync(100, 1_500, 8);
            await _limits.DiscardAsync(1, 10_000, 64);
            await _limits.PollAsync(await _hub.PollBodyAsync(), 10_000, conditional: round % 2 == 1);
        }
    }

    /// <summary>Durable ingest, 100 rows a push, 8 connections, until every row is folded into 3 indicators and in history.</summary>
    private async Task<double> IngestInBulkAsync()
    {
        var pushes = Math.Max(20, (int)(1_500 * scale));
        var figures = new List<(double Hub, double Raw, double Discard, double HubCpu)>();
        for (var repeat = 0; repeat < repeats; repeat++)
        {
            var raw = RawInserts.Run(Path.Combine(_folder, "raw"), pushes * 100);
            var discard = await _limits!.DiscardAsync(100, pushes, 8) * 100;
            var bodies = _hub.Prepare(100, pushes);
            var cpu = _process!.Cpu;
            var hub = await _hub.PushAsync(bodies, 8) * 100;
            figures.Add((hub, raw, discard, (_process.Cpu - cpu).TotalSeconds));
        }

        var (median, cpuSeconds) = (Median(figures.Select(f => f.Hub)), Median(figures.Select(f => f.HubCpu)));
        Row("durable ingest, 100 rows a push, 3 indicators, history: rows/s", median, "raw SQLite inserts", Median(figures.Select(f => f.Raw)), "≥ 0.30", cpuSeconds);
        Row("the same", median, "parse and discard", Median(figures.Select(f => f.Discard)), "–", cpuSeconds);
        return median;
    }

    private async Task IngestOneByOneAsync()
    {
        var pushes = Math.Max(200, (int)(20_000 * scale));
        var figures = new List<(double Hub, double Discard, double HubCpu, double LimitCpu)>();
        for (var repeat = 0; repeat < repeats; repeat++)
        {
            var limitCpu = _limits!.Cpu;
            var discard = await _limits.DiscardAsync(1, pushes, 64);
            limitCpu = _limits.Cpu - limitCpu;
            var bodies = _hub.Prepare(1, pushes);
            var cpu = _process!.Cpu;
            var hub = await _hub.PushAsync(bodies, 64);
            figures.Add((hub, discard, (_process.Cpu - cpu).TotalSeconds, limitCpu));
        }

        Row("durable ingest, 1 row a push, 64 connections: pushes/s", Median(figures.Select(f => f.Hub)), "parse and discard", Median(figures.Select(f => f.Discard)), "≥ 0.20",
            Median(figures.Select(f => f.HubCpu)), Median(figures.Select(f => f.LimitCpu)));
    }

    private async Task PollAsync()
    {
        var body = await _hub.PollBodyAsync();
        var polls = Math.Max(500, (int)(40_000 * scale));
        // What is known already is measured beside the whole answer too: an answer without a body should cost less.
        foreach (var conditional in new[] { false, true })
        {
            var figures = new List<(double Hub, double Static, double Whole, double HubCpu, double LimitCpu)>();
            for (var repeat = 0; repeat < repeats; repeat++)
            {
                var whole = conditional ? await _limits!.PollAsync(body, polls, conditional: false) : 0;
                var limitCpu = _limits!.Cpu;
                var limit = await _limits.PollAsync(body, polls, conditional);
                limitCpu = _limits.Cpu - limitCpu;
                var cpu = _process!.Cpu;
                var figure = await _hub.PollAsync(polls, conditional);
                figures.Add((figure, limit, whole, (_process.Cpu - cpu).TotalSeconds, limitCpu));
            }

            var (median, hubCpu, cpuOfLimit) = (Median(figures.Select(f => f.Hub)), Median(figures.Select(f => f.HubCpu)), Median(figures.Select(f => f.LimitCpu)));
            if (conditional) Row($"poll of a current indicator ({body.Length} bytes), 304: answers/s", median, "static endpoint, 200", Median(figures.Select(f => f.Whole)), "≥ 1.1", hubCpu);
            Row(
                conditional ? "the same" : $"poll of a current indicator ({body.Length} bytes), 200: answers/s", median,
                $"static endpoint, {(conditional ? "304" : "200")}", Median(figures.Select(f => f.Static)), conditional ? "–" : "≥ 0.90", hubCpu, cpuOfLimit);
        }
    }

    private async Task FreshnessAsync(double rowsPerSecond)
    {
        var (reached, waits) = await _hub.FreshnessAsync(rowsPerSecond, Math.Max(20, (int)(300 * scale)));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| freshness at {reached:N0} rows/s: acknowledged to visible, p50 / p99 in ms | {waits[waits.Length / 2]:F1} / {waits[(int)(waits.Length * 0.99)]:F1} | – | – | ≤ 10 / ≤ 50 | – |"));
    }

    private async Task ExplainAsync()
    {
        var waits = await _hub.ExplainAsync(Math.Max(20, (int)(100 * scale)));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| a number of 10,000 rows explained, p50 / p95 in ms | {waits[waits.Length / 2]:F1} / {waits[(int)(waits.Length * 0.95)]:F1} | – | – | – / ≤ 300 | – |"));
    }

    private static void Row(string what, double figure, string limit, double beside, string goal, double hubCpu, double? limitCpu = null) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"| {what} | {figure:N0} | {limit}: {beside:N0} | {figure / beside:F2} | {goal} | {hubCpu:F1} / {limitCpu?.ToString("F1", CultureInfo.InvariantCulture) ?? "–"} |"));

    public ValueTask DisposeAsync()
    {
        _process?.Dispose();
        _limits?.Dispose();
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}
