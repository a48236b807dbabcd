using System.Globalization;

using DataHub.Support;

namespace DataHub.Benchmarks;

/// <summary>
/// The table of design §6 for clusters of several sizes on a PostgreSQL of their own: each figure beside its limit in the
/// same run. The sizes take turns, each time with fresh processes and a fresh database; medians.
/// </summary>
/// <param name="statements">Also print where PostgreSQL's time goes; costs some of it.</param>
internal sealed class ClusterTable(int[] sizes, int repeats, double scale, bool statements) : IAsyncDisposable
{
    private static readonly string[] s_datasets = [.. Enumerable.Range(1, 6).Select(number => string.Create(CultureInfo.InvariantCulture, $"bench-{number}"))];

    private readonly Dictionary<int, List<Figures>> _figures = sizes.ToDictionary(size => size, _ => new List<Figures>());
    private PostgresServer? _server;
    private LimitServer? _limits;
    private Cluster? _cluster;

    public async Task<int> RunAsync()
    {
        _server = await PostgresServer.StartAsync(statements ? [Statements.Setting] : []);
        await RawPostgres.RequireDurabilityAsync(_server.AdminConnectionString());
        _limits = await LimitServer.StartAsync();
        await _limits.DiscardAsync(100, 500, 8);
        await _limits.DiscardAsync(1, 2_000, 64);
        for (var repeat = 0; repeat < repeats; repeat++)
        {
            foreach (var size in sizes)
            {
                var figures = await MeasureAsync(size);
                _figures[size].Add(figures);
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{repeat + 1}/{repeats}, {size} silos: {figures.Bulk:N0} rows/s beside {figures.Copy:N0}, {figures.Single:N0} pushes/s, {figures.Waits[figures.Waits.Length / 2]:F1} ms"));
            }
        }

        Print();
        return 0;
    }

    private async Task<Figures> MeasureAsync(int size)
    {
        var (bulk, single, polls) = (Math.Max(30, (int)(1_500 * scale)), Math.Max(200, (int)(20_000 * scale)), Math.Max(500, (int)(40_000 * scale)));
        var admin = _server!.AdminConnectionString();
        var figures = new Figures { Copy = await RawPostgres.CopyAsync(admin, bulk * 100), Insert = await RawPostgres.InsertAsync(admin, bulk * 100) };

        _cluster = await Cluster.StartAsync(_server, size);
        var hub = new HubUnderLoad(_cluster.Address, s_datasets);
        await hub.DescribeAsync(_cluster.AdminKey);
        // Every silo gets as warm as a single one: until the code that it runs is compiled for good.
        for (var round = 0; round < 3; round++)
        {
            await hub.PushAsync(hub.Prepare(100, 1_000 * size), 8);
            await hub.PushAsync(hub.Prepare(1, 4_000 * size), 64);
        }

        figures.PollBody = await hub.PollBodyAsync();
        await hub.PollAsync(5_000, conditional: false);

        figures.BulkDiscard = await _limits!.DiscardAsync(100, bulk, 8) * 100;
        var bodies = hub.Prepare(100, bulk);
        (figures.Bulk, figures.BulkCpu) = await UnderClockAsync(async () => await hub.PushAsync(bodies, 8) * 100, "100 rows a push", bulk * 100);
        var limitCpu = _limits.Cpu;
        figures.SingleDiscard = await _limits.DiscardAsync(1, single, 64);
        figures.SingleDiscardCpu = _limits.Cpu - limitCpu;
        bodies = hub.Prepare(1, single);
        (figures.Single, figures.SingleCpu) = await UnderClockAsync(() => hub.PushAsync(bodies, 64), "1 row a push", single);
        foreach (var conditional in new[] { false, true })
        {
            limitCpu = _limits.Cpu;
            var limit = await _limits.PollAsync(figures.PollBody, polls, conditional);
            limitCpu = _limits.Cpu - limitCpu;
            var (figure, cpu) = await UnderClockAsync(() => hub.PollAsync(polls, conditional), null, 0);
            figures.Polls.Add(new(figure, limit, cpu, limitCpu));
        }

        await _cluster.SettleAsync();
        (figures.FreshnessRate, figures.Waits) = await hub.FreshnessAsync(figures.Bulk / 2, Math.Max(24, (int)(300 * scale)));
        figures.Rows = await hub.AssertHonestAsync();
        await _cluster.DisposeAsync();
        _cluster = null;
        return figures;
    }

    private async Task<(double Figure, Cpu Cpu)> UnderClockAsync(Func<Task<double>> measure, string? what, int rows)
    {
        await _cluster!.SettleAsync();
        if (statements) await Statements.ResetAsync(_cluster.ConnectionString);
        var before = await _cluster.CpuAsync();
        var figure = await measure();
        var cpu = await _cluster.CpuAsync() - before;
        if (statements && what is not null) await Statements.PrintAsync(_cluster.ConnectionString, what, rows);
        return (figure, cpu);
    }

    private void Print()
    {
        Console.WriteLine(Table.Machine(repeats));
        Console.WriteLine();
        Console.WriteLine("| what | figure | limit beside it | ratio | goal | CPU s of silos / front-end / PostgreSQL / load; limit |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: | ---: |");
        var first = sizes[0];
        var at = Silos(first);
        Row($"durable ingest, 100 rows a push, 3 indicators, history, {at}: rows/s", Of(first, f => f.Bulk), "raw COPY", Of(first, f => f.Copy), "≥ 0.30", CpuOf(first, f => f.BulkCpu), null);
        Row("the same", Of(first, f => f.Bulk), "raw INSERT of arrays", Of(first, f => f.Insert), "–", CpuOf(first, f => f.BulkCpu), null);
        Row("the same", Of(first, f => f.Bulk), "parse and discard", Of(first, f => f.BulkDiscard), "–", CpuOf(first, f => f.BulkCpu), null);
        Row($"durable ingest, 1 row a push, 64 connections, {at}: pushes/s", Of(first, f => f.Single), "parse and discard", Of(first, f => f.SingleDiscard), "≥ 0.20", CpuOf(first, f => f.SingleCpu), Of(first, f => f.SingleDiscardCpu));
        var last = sizes[^1];
        for (var i = 0; i < 2; i++)
        {
            var poll = i;
            Row($"poll of a current indicator ({_figures[last][^1].PollBody.Length} bytes), {(i == 0 ? "200" : "304")}, {Silos(last)}: answers/s", Of(last, f => f.Polls[poll].Figure), "static endpoint, 200 or 304 alike", Of(last, f => f.Polls[poll].Static),
                i == 0 ? "≥ 0.90" : "≥ 1.1 of the static 200", CpuOf(last, f => f.Polls[poll].Cpu), Of(last, f => f.Polls[poll].StaticCpu));
        }

        Console.WriteLine();
        Console.WriteLine("| silos | 100 rows a push: rows/s | of the first | of raw COPY | CPU s | 1 row a push: pushes/s | of the first | CPU s | freshness p50 / p99 in ms | at rows/s |");
        Console.WriteLine("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        foreach (var size in sizes)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {size} | {Of(size, f => f.Bulk):N0} | {Of(size, f => f.Bulk) / Of(first, f => f.Bulk):F2} | {Of(size, f => f.Bulk) / Of(size, f => f.Copy):F2} | {CpuOf(size, f => f.BulkCpu)} | {Of(size, f => f.Single):N0} | {Of(size, f => f.Single) / Of(first, f => f.Single):F2} | {CpuOf(size, f => f.SingleCpu)} | {Of(size, f => f.Waits[f.Waits.Length / 2]):F1} / {Of(size, f => f.Waits[(int)(f.Waits.Length * 0.99)]):F1} | {Of(size, f => f.FreshnessRate):N0} |"));
        }

        Console.WriteLine();
        Console.WriteLine($"fsync, synchronous_commit and full_page_writes were on, keys were asked for, receipts kept, and all {_figures.Values.Sum(all => all.Sum(f => f.Rows))} rows are in history.");
    }

    private double Of(int size, Func<Figures, double> figure) => Table.Median(_figures[size].Select(figure));

    private Cpu CpuOf(int size, Func<Figures, Cpu> cpu) => new(Of(size, f => cpu(f).Silos), Of(size, f => cpu(f).FrontEnd), Of(size, f => cpu(f).Postgres), Of(size, f => cpu(f).Load));

    private static string Silos(int size) => size == 1 ? "1 silo" : string.Create(CultureInfo.InvariantCulture, $"{size} silos");

    private static void Row(string what, double figure, string limit, double beside, string goal, Cpu cpu, double? limitCpu) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"| {what} | {figure:N0} | {limit}: {beside:N0} | {figure / beside:F2} | {goal} | {cpu}; {limitCpu?.ToString("F1", CultureInfo.InvariantCulture) ?? "–"} |"));

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null) await _cluster.DisposeAsync();
        _limits?.Dispose();
        if (_server is not null) await _server.DisposeAsync();
    }

    private sealed record Poll(double Figure, double Static, Cpu Cpu, double StaticCpu);

    /// <summary>Of one repetition.</summary>
    private sealed class Figures
    {
        public double Copy { get; init; }

        public double Insert { get; init; }

        public double Bulk { get; set; }

        public Cpu BulkCpu { get; set; }

        public double BulkDiscard { get; set; }

        public double Single { get; set; }

        public Cpu SingleCpu { get; set; }

        public double SingleDiscard { get; set; }

        public double SingleDiscardCpu { get; set; }

        public byte[] PollBody { get; set; } = [];

        public List<Poll> Polls { get; } = [];

        public double FreshnessRate { get; set; }

        public double[] Waits { get; set; } = [];

        public long Rows { get; set; }
    }
}
