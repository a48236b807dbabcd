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

    /// <summary>Runs of agencies' own tools that told of writing into a dataset on the way, until it was read.</summary>
    public ForeignWrite[] Foreign { get; init; } = [];

    public static RunOrigins None { get; } = new([], false);

    /// <summary>Follows runs back.</summary>
    /// <param name="runs">Their ids; of each only once.</param>
    /// <param name="dataset">Into which they wrote.</param>
    /// <param name="at">As of when it was read.</param>
    internal static async Task<RunOrigins> OfAsync(IGrainFactory grains, Caller caller, IEnumerable<string> runs, string dataset, DateTimeOffset at)
    {
        var next = runs.Distinct(StringComparer.Ordinal).ToArray();
        // The public knows of no run.
        if (caller.IsPublic) return None;
        var (found, seen, datasets, isPartial) = (new List<OriginRun>(), new HashSet<string>(StringComparer.Ordinal), new Dictionary<string, DatasetLineage>(StringComparer.Ordinal), false);
        var foreign = new List<ForeignWrite>();
        await ForeignAsync(dataset, at);
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
                    var writers = input.Dataset is { } source ? Until(input.Watermark, (await LineageAsync(source)).Writes, info.Pinned.Id) : [];
                    if (input.Dataset is not null) await ForeignAsync(input.Dataset, info.Pinned.At);
                    isPartial |= writers.Length > MaxWriters;
                    inputs.Add(new(input, [.. writers.Take(MaxWriters)]));
                }

                found.Add(new(info, level, [.. inputs]));
            }

            next = [.. found.Where(run => run.Level == level).SelectMany(run => run.Inputs).SelectMany(input => input.Runs).Distinct(StringComparer.Ordinal).Where(run => !seen.Contains(run))];
        }

        return new([.. found], isPartial) { Foreign = [.. foreign.Distinct()] };

        async Task ForeignAsync(string into, DateTimeOffset until) =>
            foreign.AddRange((await LineageAsync(into)).Foreign.Where(use => use.IsOutput && use.At <= until).Take(MaxWriters).Select(use => new ForeignWrite(into, use)));

        async Task<DatasetLineage> LineageAsync(string of) =>
            datasets.TryGetValue(of, out var known) ? known : datasets[of] = await grains.GetGrain<IDatasetLineageGrain>(of).GetAsync(caller);
    }

    /// <summary>The runs whose rows a reader of a watermark may have met: of a push that lies partly before it, too.</summary>
    internal static string[] Until(string? watermark, LineageUse[] writes, string self) => !Watermark.TryParse(watermark, out var read)
        ? []
        : [.. writes.Where(write => write.Accepted > 0 && write.By.Run != self && Watermark.TryParse(write.Watermark, out var written) && Met(written!, read!)).Select(write => write.By.Run).Distinct(StringComparer.Ordinal)];

    /// <summary>Whether something of what the earlier watermark includes is included by the later one.</summary>
    internal static bool Met(Watermark written, Watermark read) => written.Incarnation == read.Incarnation && written.Dataset == read.Dataset
        && written.Sequences.Zip(read.Sequences).Any(pair => pair.First > 0 && pair.First <= pair.Second);
}

/// <summary>A run of an agency's own tools told that it wrote into a dataset.</summary>
public sealed record ForeignWrite(string Dataset, ForeignUse Use);

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

/// <summary>A run of an agency's own tools that told of writing into a dataset.</summary>
internal sealed record ForeignWriteJson(string Dataset, string Namespace, string Job, Guid Run, DateTimeOffset At)
{
    public static ForeignWriteJson Of(ForeignWrite write) => new(write.Dataset, write.Use.Job.Namespace, write.Use.Job.Name, write.Use.Run, write.Use.At);
}
