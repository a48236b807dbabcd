using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>
/// From runs back to what they read: uploaded files, datasets as of watermarks, and the runs that had written into those
/// until then; so many levels and runs as are followed at most, and each only as the caller may know of it.
/// </summary>
/// <param name="Runs">The nearest first, of one level the newest.</param>
/// <param name="IsPartial">There may be more: a limit was reached.</param>
public sealed record RunOrigins(OriginRun[] Runs, bool IsPartial)
{
    /// <summary>Levels above the runs that are asked about; runs in all; runs that wrote into one dataset.</summary>
    public const int MaxLevels = 5, MaxRuns = 100, MaxWriters = 20;

    public static RunOrigins None { get; } = new([], false);

    /// <summary>Follows runs back.</summary>
    /// <param name="runs">Their ids; of each only once.</param>
    internal static async Task<RunOrigins> OfAsync(IGrainFactory grains, Caller caller, IEnumerable<string> runs)
    {
        var next = runs.Distinct(StringComparer.Ordinal).ToArray();
        // The public knows of no run.
        if (next.Length == 0 || caller.IsPublic) return None;
        var (found, seen, datasets, isPartial) = (new List<OriginRun>(), new HashSet<string>(StringComparer.Ordinal), new Dictionary<string, DatasetLineage>(StringComparer.Ordinal), false);
        for (var level = 0; next.Length > 0; level++)
        {
            if (level > MaxLevels || seen.Count + next.Length > MaxRuns) isPartial = true;
            if (level > MaxLevels) break;
            next = [.. next.Take(MaxRuns - seen.Count)];
            seen.UnionWith(next);
            var infos = await Task.WhenAll(next.Select(run => grains.GetGrain<IPipelineRunGrain>(run).GetAsync(caller)));
            foreach (var info in infos.OfType<RunInfo>().OrderByDescending(info => info.Pinned.Id, StringComparer.Ordinal))
            {
                var inputs = new List<OriginInput>();
                foreach (var input in info.Pinned.Inputs)
                {
                    var writers = input.Dataset is { } dataset ? Until(input.Watermark, (await LineageAsync(dataset)).Writes, info.Pinned.Id) : [];
                    isPartial |= writers.Length > MaxWriters;
                    inputs.Add(new(input, [.. writers.Take(MaxWriters)]));
                }

                found.Add(new(info, level, [.. inputs]));
            }

            next = [.. found.Where(run => run.Level == level).SelectMany(run => run.Inputs).SelectMany(input => input.Runs).Distinct(StringComparer.Ordinal).Where(run => !seen.Contains(run))];
        }

        return new([.. found], isPartial);

        async Task<DatasetLineage> LineageAsync(string dataset) =>
            datasets.TryGetValue(dataset, out var known) ? known : datasets[dataset] = await grains.GetGrain<IDatasetLineageGrain>(dataset).GetAsync(caller);
    }

    /// <summary>The runs whose rows a reader of a watermark may have met: of a push that lies partly before it, too.</summary>
    internal static string[] Until(string? watermark, LineageUse[] writes, string self) => !Watermark.TryParse(watermark, out var read)
        ? []
        : [.. writes.Where(write => write.Accepted > 0 && write.By.Run != self && Watermark.TryParse(write.Watermark, out var written) && Met(written!, read!)).Select(write => write.By.Run).Distinct(StringComparer.Ordinal)];

    /// <summary>Whether something of what the earlier watermark includes is included by the later one.</summary>
    internal static bool Met(Watermark written, Watermark read) => written.Incarnation == read.Incarnation && written.Dataset == read.Dataset
        && written.Sequences.Zip(read.Sequences).Any(pair => pair.First > 0 && pair.First <= pair.Second);
}

/// <param name="Level">0: it brought the rows; 1: it wrote what one of level 0 read; and so on.</param>
public sealed record OriginRun(RunInfo Info, int Level, OriginInput[] Inputs);

/// <param name="Runs">That had written into the dataset until then; empty for a file.</param>
public sealed record OriginInput(PinnedInput Pinned, string[] Runs);

/// <summary>A run behind a number, for programs.</summary>
/// <param name="Level">0: it brought rows; 1: it wrote what one of level 0 read; and so on.</param>
/// <param name="Step">That wrote the rows; only of level 0.</param>
/// <param name="Rows">That it brought; only of level 0.</param>
/// <param name="Receipts">Of its pushes; only of level 0.</param>
/// <param name="Inputs">What it read.</param>
internal sealed record OriginRunJson(string Run, string Job, int Version, int Level, string State, DateTimeOffset? Ended, string? Step, long? Rows, string[]? Receipts, string Href, OriginInputJson[] Inputs)
{
    public static OriginRunJson Of(OriginRun run, Indicators.RowRun[] brought)
    {
        var own = brought.Where(one => one.By.Run == run.Info.Pinned.Id).ToArray();
        var pinned = run.Info.Pinned;
        return new(
            pinned.Id, pinned.Job, pinned.Version, run.Level, RunWords.Of(run.Info.State), run.Info.Ended, own.Length == 0 ? null : string.Join(", ", own.Select(one => one.By.Step).Distinct()),
            own.Length == 0 ? null : own.Sum(one => one.Rows), own.Length == 0 ? null : [.. own.Select(one => one.Receipt)], $"/runs/{pinned.Id}", Array.ConvertAll(run.Inputs, OriginInputJson.Of));
    }
}

/// <summary>A file with its hash, or a dataset as of a watermark.</summary>
/// <param name="WrittenBy">The runs that had written into the dataset until then.</param>
internal sealed record OriginInputJson(string Step, string? File, string? Name, string? Sha256, string? Dataset, string? Watermark, string[]? WrittenBy)
{
    public static OriginInputJson Of(OriginInput input)
    {
        var pinned = PinnedInputJson.Of(input.Pinned);
        return new(pinned.Step, pinned.File, pinned.Name, pinned.Sha256, pinned.Dataset, pinned.Watermark, pinned.Dataset is null ? null : input.Runs);
    }
}
