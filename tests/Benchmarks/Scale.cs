using System.Globalization;

namespace DataHub.Benchmarks;

/// <summary>
/// What growth costs an embedded hub (design §6): more indicators, more series, late rows and corrections, more stored rows,
/// and what a start and known series take. Each figure beside the first of its kind.
/// </summary>
/// <param name="part">One of <see cref="Parts"/>, to be measured alone; null: all.</param>
internal sealed class Scale(int rows, string? part) : IAsyncDisposable
{
    /// <summary>What can be measured alone, each on a hub of its own.</summary>
    public static readonly string[] Parts = ["indicators", "series", "stored", "idle", "memory"];

    private const int Repeats = 3;
    private const int LaneCount = 4;
    private const int RowsPerPush = 100;

    /// <summary>Where rows are only to be there.</summary>
    private const int RowsPerLargePush = 1_000;

    private static readonly (string Function, string Window)[] s_kinds = [("mean", "PT1H"), ("sum", "P1D"), ("max", "PT1H"), ("count", "PT15M"), ("p95", "P1D")];

    private readonly EmbeddedHub _few = new();
    private EmbeddedHub _hub = new();

    public async Task<int> RunAsync()
    {
        Console.WriteLine(Table.Machine(Repeats));
        Console.WriteLine();
        Console.WriteLine("| what | figure | beside it | ratio | goal |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: |");
        foreach (var name in Parts.Where(name => part is null || name == part))
        {
            await _hub.DisposeAsync();
            _hub = new();
            // Every cell stays in memory, so that what one takes can be seen.
            if (name == "memory") (_hub.Environment["DATAHUB__FOLD__MAXHOTBYTES"], _hub.Environment["DATAHUB__FOLD__MAXHOTCELLS"]) = ((4L << 30).ToString(CultureInfo.InvariantCulture), "10000000");
            await _hub.StartAsync();
            await (name switch
            {
                "indicators" => IndicatorsAsync(),
                "series" => SeriesAsync(),
                "stored" => new ScaleStored(_hub, _few, rows).RunAsync(),
                "memory" => MemoryAsync(),
                _ => IdleAsync(),
            });
        }

        return 0;
    }

    public static void Row(string what, string figure, string beside = "–", string ratio = "–", string goal = "–") => Console.WriteLine($"| {what} | {figure} | {beside} | {ratio} | {goal} |");

    public static string Waits(double[] sorted) => $"{sorted[sorted.Length / 2]:F2} / {sorted[(int)(sorted.Length * 0.99)]:F2}";

    /// <summary>A dataset with so many indicators and rows of so many series.</summary>
    public static async Task<(HubUnderLoad Hub, Lanes Rows)> DatasetAsync(EmbeddedHub process, string dataset, int indicators, int series)
    {
        var hub = new HubUnderLoad(process.Address, dataset)
        {
            Indicators = [.. Enumerable.Range(0, indicators).Select(number => s_kinds[number % s_kinds.Length]).Select((kind, number) => ($"{kind.Function}-{number}", kind.Function, kind.Window))],
        };
        await hub.DescribeAsync(process.AdminKey);
        return (hub, new(hub, dataset, new(series, LaneCount)));
    }

    /// <summary>With 1, 10 and 100 indicators on a dataset.</summary>
    private async Task IndicatorsAsync()
    {
        await WarmUpAsync();
        var parts = new List<Part>();
        foreach (var indicators in new[] { 1, 10, 100 })
        {
            var (_, lanes) = await DatasetAsync($"indicators-{indicators}", indicators, 1_000);
            await lanes.PushAsync(10_000, RowsPerPush);
            parts.Add(new($"a row with {indicators} indicator{(indicators == 1 ? "" : "s")}", "–", lanes, 20_000, RowKind.Growing));
        }

        Print(parts, await InTurnsAsync(parts));
    }

    /// <summary>With 100, 10,000 and 1,000,000 known series, then late rows and corrections beside growing series.</summary>
    private async Task SeriesAsync()
    {
        await WarmUpAsync();
        var parts = new List<Part>();
        foreach (var series in new[] { 100, 10_000, 1_000_000 })
        {
            var (_, lanes) = await DatasetAsync($"series-{series}", 3, series);
            await lanes.PushAsync(Math.Max(20_000, series), RowsPerLargePush);
            parts.Add(new($"a row with {series:N0} known series", series == 100 ? "–" : "≤ 1.25", lanes, 50_000, RowKind.Growing));
        }

        Print(parts, await InTurnsAsync(parts));
        var some = parts[1].Lanes;
        parts =
        [
            new("a row of growing series", "–", some, 50_000, RowKind.Growing),
            new("a row where one of nine is two hours late", "–", some, 50_000, RowKind.OneOfNineLate),
            new("a row where one of nine is a correction", "–", some, 50_000, RowKind.OneOfNineCorrected),
        ];
        Print(parts, await InTurnsAsync(parts));
    }

    /// <summary>Until the code that the hub runs is compiled for good.</summary>
    private async Task WarmUpAsync()
    {
        var (_, lanes) = await DatasetAsync("warm", 3, 1_000);
        await lanes.PushAsync(150_000, RowsPerPush);
    }

    /// <summary>Memory of a hub that knows 100,000 series and has nothing to do.</summary>
    private async Task IdleAsync()
    {
        await Task.Delay(TimeSpan.FromSeconds(5));
        var empty = _hub.Process.ResidentBytes;
        var (_, lanes) = await DatasetAsync("idle", 3, 100_000);
        await lanes.PushAsync(200_000, RowsPerLargePush);
        await Task.Delay(TimeSpan.FromSeconds(20));
        var idle = _hub.Process.ResidentBytes;
        Row("RSS with 100,000 known series, idle for 20 s, MiB", $"{idle >> 20:N0}", $"empty: {empty >> 20:N0}", $"{(double)idle / empty:F2}", "≤ 600");
    }

    /// <summary>What a dataset that nobody uses takes, and what a cell takes.</summary>
    private async Task MemoryAsync()
    {
        const int Datasets = 1_000;
        const int Cells = 542 * 24 * 31;

        // The first datasets, rows and questions bring code and caches that later ones find.
        await WarmUpAsync();
        var before = await RestingAsync();
        for (var number = 0; number < Datasets; number++)
        {
            // Every description makes a key, of which an agency has so many at most.
            var idle = new HubUnderLoad(_hub.Address, $"idle-{number}") { Agency = $"idle-{number % 20}", Indicators = [("mean", "mean", "PT1H")] };
            await idle.DescribeAsync(_hub.AdminKey);
            await new Lanes(idle, $"idle-{number}", new(LaneCount, LaneCount)).PushAsync(LaneCount, 1);
        }

        var after = await RestingAsync();
        Row($"memory of an idle dataset with an indicator and rows, KiB ({Datasets:N0} of them)", $"{(after.Resident - before.Resident) / 1024.0 / Datasets:N0}", $"RSS before: {before.Resident >> 20:N0} MiB");

        // A row for every area and hour of a month: as many cells as rows, of few series.
        // The rows are there before, so that what the indicator adds are its cells.
        var (rows, _) = await DatasetAsync(_hub, "cells", 0, 542);
        await new Lanes(rows, "cells", new(542, 1, TimeSpan.TicksPerHour / 542)).PushAsync(Cells, RowsPerLargePush);
        before = await RestingAsync();
        await new HubUnderLoad(_hub.Address, "cells") { Indicators = [("mean", "mean", "PT1H")] }.DescribeAsync(_hub.AdminKey);
        using (var http = new HttpClient { BaseAddress = _hub.Address })
        {
            // It answers once all of it is filled.
            while ((await http.GetAsync("/api/v1/indicators/cells-mean/latest")).StatusCode != System.Net.HttpStatusCode.OK) await Task.Delay(500);
        }

        after = await RestingAsync();
        Row($"memory of a cell in memory, bytes ({Cells:N0} of them)", $"{(double)(after.Resident - before.Resident) / Cells:N0}", $"reckoned by the hub (datahub_cells_memory): {(after.Cells - before.Cells) / Cells:N0}");
    }

    /// <summary>RSS of the hub and what it says its cells take, after it has had nothing to do for a while.</summary>
    private async Task<(long Resident, double Cells)> RestingAsync()
    {
        using var http = new HttpClient { BaseAddress = _hub.Address };
        await Task.Delay(TimeSpan.FromSeconds(20));
        var metrics = await http.GetStringAsync("/metrics");
        var line = metrics.Split('\n').First(line => line.StartsWith("datahub_cells_memory", StringComparison.Ordinal) && !line.StartsWith('#'));
        return (_hub.Process.ResidentBytes, double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }

    /// <summary>The parts take turns, so that whatever else the machine does falls on all of them.</summary>
    private async Task<List<Cost>[]> InTurnsAsync(List<Part> parts)
    {
        var costs = parts.ConvertAll(_ => new List<Cost>()).ToArray();
        for (var repeat = 0; repeat < Repeats; repeat++)
        {
            for (var at = 0; at < parts.Count; at++)
            {
                var cpu = _hub.Process.Cpu;
                var (pushed, time) = await parts[at].Lanes.PushAsync(parts[at].Rows, RowsPerPush, parts[at].Kind);
                costs[at].Add(new((_hub.Process.Cpu - cpu).TotalMicroseconds / pushed, pushed / time.TotalSeconds));
            }
        }

        return costs;
    }

    private static void Print(List<Part> parts, List<Cost>[] costs)
    {
        var (firstCpu, firstRate) = Medians(costs[0]);
        for (var at = 0; at < parts.Count; at++)
        {
            var (cpu, rate) = Medians(costs[at]);
            Row($"{parts[at].What}: processor µs of the hub", $"{cpu:F1}", $"{firstCpu:F1}", $"{cpu / firstCpu:F2}", parts[at].Goal);
            Row("the same: rows/s until folds and history have them", $"{rate:N0}", $"{firstRate:N0}", $"{rate / firstRate:F2}");
        }

        static (double, double) Medians(List<Cost> of) => (Table.Median(of.Select(cost => cost.Microseconds)), Table.Median(of.Select(cost => cost.RowsPerSecond)));
    }

    private Task<(HubUnderLoad Hub, Lanes Rows)> DatasetAsync(string dataset, int indicators, int series) => DatasetAsync(_hub, dataset, indicators, series);

    public async ValueTask DisposeAsync()
    {
        await _few.DisposeAsync();
        await _hub.DisposeAsync();
    }

    /// <summary>What is measured in turns with others.</summary>
    private sealed record Part(string What, string Goal, Lanes Lanes, int Rows, RowKind Kind);

    /// <summary>Of a row.</summary>
    private readonly record struct Cost(double Microseconds, double RowsPerSecond);
}
