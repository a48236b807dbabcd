using System.Diagnostics;
using System.Globalization;

namespace DataHub.Benchmarks;

/// <summary>What stored rows cost an embedded hub: polls and questions, garbage collection, disk, and the start.</summary>
/// <param name="few">Has not been started yet; gets few rows, to be read beside the other.</param>
internal sealed class ScaleStored(EmbeddedHub process, EmbeddedHub few, int rows)
{
    private const int Few = 60_000;
    private const int Rounds = 3;

    private readonly StoredReads _many = new(process);

    public async Task RunAsync()
    {
        var clock = Stopwatch.StartNew();
        await few.StartAsync();
        var emptyStart = clock.Elapsed.TotalSeconds;
        await ReadAsync();
        await _many.DiskAsync(rows);
        await _many.StartsAsync(rows, emptyStart);
    }

    /// <summary>A hub with few rows and one with many are read in turns.</summary>
    private async Task ReadAsync()
    {
        var beside = new StoredReads(few);
        await beside.StoreAsync(Few);
        var (begin, clock) = (await CollectionsAsync(), Stopwatch.StartNew());
        await _many.StoreAsync(rows);
        var (end, seconds) = (await CollectionsAsync(), clock.Elapsed.TotalSeconds);

        await beside.WarmUpAsync();
        await _many.WarmUpAsync();
        for (var round = 0; round < Rounds; round++)
        {
            await beside.ReadAsync();
            await _many.ReadAsync();
        }

        _many.Print(rows, beside.Waits, Few);
        if (begin is { } before && end is { } after)
        {
            Scale.Row("garbage collection while these rows were pushed, 1,000 a push: pauses in ms a second", $"{(after.Pauses - before.Pauses) * 1_000 / seconds:F1}");
            Scale.Row("the same: collections a second, all generations", $"{(after.Count - before.Count) / seconds:F1}");
        }

        few.Kill();
    }

    /// <summary>Seconds of pauses and number of collections so far; null where the hub does not say.</summary>
    private async Task<(double Pauses, double Count)?> CollectionsAsync()
    {
        using var http = new HttpClient { BaseAddress = process.Address };
        var lines = (await http.GetStringAsync("/metrics")).Split('\n');
        var pauses = Sum("dotnet_gc_pause_time_seconds_total");
        return pauses is { } found ? (found, Sum("dotnet_gc_collections_total") ?? 0) : null;

        double? Sum(string name)
        {
            var values = lines.Where(line => line.StartsWith(name, StringComparison.Ordinal)).Select(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture)).ToArray();
            return values.Length == 0 ? null : values.Sum();
        }
    }
}
