using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Indicators;
using DataHub.Sharing;

namespace DataHub.Pipelines;

/// <summary>
/// Forward from a dataset, or from one push into it, to what uses it: agreements that offer it, indicators, jobs, and the
/// complete runs that read it, with what those wrote; and on from there over so many levels as are followed at most. Each
/// only as the caller may know of it; how much is withheld is not told.
/// </summary>
/// <param name="All">By <see cref="DataUse.Place"/>: level, then kind, then id.</param>
/// <param name="IsPartial">There may be more: a limit was reached.</param>
internal sealed record DataUses(DataUse[] All, bool IsPartial)
{
    /// <summary>Levels below the dataset that is asked about; runs that are followed, and datasets.</summary>
    public const int MaxLevels = 5, MaxRuns = 200, MaxDatasets = 50;

    private const int Page = 1_000;

    /// <param name="from">Only what is at or after this, such as a push; null: all of the dataset.</param>
    /// <param name="since">When that was; for those who tell no watermark.</param>
    public static async Task<DataUses> OfAsync(IGrainFactory grains, Caller caller, string dataset, Watermark? from, DateTimeOffset since)
    {
        var (found, runs, datasets, isPartial) = (new List<DataUse>(), new HashSet<string>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal) { dataset }, false);
        (string Dataset, Watermark? From, DateTimeOffset Since)[] next = [(dataset, from, since)];
        for (var level = 0; next.Length > 0; level++)
        {
            if (level > MaxLevels)
            {
                isPartial = true;
                break;
            }

            var written = new List<(string Dataset, Watermark? From, DateTimeOffset Since)>();
            foreach (var (at, mark, after) in next)
            {
                if (await grains.GetGrain<IDatasetGrain>(at).GetAsync(caller) is not { } info) continue;
                found.AddRange(await AgreementsAsync(grains, caller, at, level));
                found.AddRange(await IndicatorsAsync(grains, caller, info, level));
                // The public knows of no job.
                if (caller.IsPublic) continue;
                var lineage = await grains.GetGrain<IDatasetLineageGrain>(at).GetAsync(caller);
                found.AddRange(await JobsAsync(grains, caller, lineage, at, level));
                found.AddRange(lineage.Foreign.Where(use => !use.IsOutput && (use.Watermark is null ? mark is null || use.At >= after : Includes(use.Watermark, mark))).Select(use => DataUse.Of(use, at, level)));
                var reading = lineage.Reads.Where(use => Includes(use.Watermark, mark)).Where(use => runs.Add(use.By.Run)).ToArray();
                if (runs.Count > MaxRuns)
                {
                    isPartial = true;
                    reading = reading[..Math.Max(0, reading.Length - (runs.Count - MaxRuns))];
                }

                foreach (var (use, run) in await Task.WhenAll(reading.Select(async use => (use, await grains.GetGrain<IPipelineRunGrain>(use.By.Run).GetAsync(caller)))))
                {
                    if (run is not { State: RunState.Complete }) continue;
                    var one = DataUse.Of(run, use, at, level);
                    found.Add(one);
                    written.AddRange(one.Wrote.Select(wrote => (wrote.Dataset, Watermark.TryParse(wrote.Watermark, out var to) ? to : null, run.Ended ?? DateTimeOffset.MinValue)));
                }
            }

            // A dataset that several runs wrote is followed from the earliest of what they wrote.
            next = [.. written.Where(one => !datasets.Contains(one.Dataset)).GroupBy(one => one.Dataset, StringComparer.Ordinal).Select(group => (group.Key, Earliest(group.Select(one => one.From)), group.Min(one => one.Since)))];
            if (datasets.Count + next.Length > MaxDatasets) (isPartial, next) = (true, next[..Math.Max(0, MaxDatasets - datasets.Count)]);
            datasets.UnionWith(next.Select(one => one.Dataset));
        }

        return new([.. found.OrderBy(use => use.Place, StringComparer.Ordinal)], isPartial);
    }

    /// <summary>Whether whoever reads as of a watermark meets something of an earlier one.</summary>
    internal static bool Includes(string? read, Watermark? since) =>
        since is null || (Watermark.TryParse(read, out var mark) && RunOrigins.Met(since, mark!));

    /// <summary>What all of them include; null where one of them says nothing.</summary>
    internal static Watermark? Earliest(IEnumerable<Watermark?> marks)
    {
        Watermark? earliest = null;
        foreach (var mark in marks)
        {
            if (mark is null || (earliest is not null && (earliest.Incarnation != mark.Incarnation || earliest.Sequences.Length != mark.Sequences.Length))) return null;
            earliest = earliest is null ? mark : earliest with { Sequences = [.. earliest.Sequences.Zip(mark.Sequences, (a, b) => a == 0 ? b : b == 0 ? a : Math.Min(a, b))] };
        }

        return earliest;
    }

    private static async Task<IEnumerable<DataUse>> AgreementsAsync(IGrainFactory grains, Caller caller, string dataset, int level)
    {
        if (caller.IsPublic) return [];
        var ids = await grains.GetGrain<ICatalogGrain>(CatalogKinds.AgreementsOn(dataset)).ListAsync(caller, null, Page);
        var seen = await Task.WhenAll(ids.Select(id => AgreementEndpoints.SeenAsync(grains.GetGrain<ISharingAgreementGrain>(id), caller)));
        return seen.OfType<AgreementInfo>().Select(info => new DataUse("agreement", info.Id, dataset, level) { Title = info.Terms.Title, State = AgreementWords.Of(info.State), Recipient = info.Terms.Recipient, Page = "/agreements/" + info.Id });
    }

    private static async Task<IEnumerable<DataUse>> IndicatorsAsync(IGrainFactory grains, Caller caller, DatasetInfo dataset, int level)
    {
        var seen = await Task.WhenAll(dataset.Indicators.Select(id => grains.GetGrain<IIndicatorGrain>(id).GetAsync(caller)));
        return seen.OfType<IndicatorInfo>().Select(info => new DataUse("indicator", info.Id, dataset.Id, level) { Title = info.Definition.Spec.Title, Page = "/?indicator=" + info.Id });
    }

    /// <summary>The jobs whose present definition reads the dataset.</summary>
    private static async Task<IEnumerable<DataUse>> JobsAsync(IGrainFactory grains, Caller caller, DatasetLineage lineage, string dataset, int level)
    {
        var seen = await Task.WhenAll(lineage.Jobs.Where(job => job.Reads).Select(job => grains.GetGrain<IPipelineJobGrain>(job.Job).GetAsync(caller, null)));
        return seen.OfType<JobInfo>().Where(job => Array.Exists(job.Spec.Steps, step => step.Read?.Own() == dataset))
            .Select(job => new DataUse("job", job.Id, dataset, level) { Title = job.Spec.Title, Page = "/jobs/" + job.Id });
    }
}

/// <summary>Something that uses a dataset.</summary>
/// <param name="Kind">agreement, foreign-run (of an agency's own tools), indicator, job or run.</param>
/// <param name="Level">0: it uses what was asked about; 1: it uses what a run of level 0 wrote; and so on.</param>
internal sealed record DataUse(string Kind, string Id, string Dataset, int Level)
{
    /// <summary>Where it stands in the list; no part of it has a slash, and there are fewer than ten levels.</summary>
    public string Place => $"{Level.ToString(System.Globalization.CultureInfo.InvariantCulture)}/{Kind}/{Id}/{Dataset}";

    public LocalText? Title { get; init; }

    public string? State { get; init; }

    public string? Recipient { get; init; }

    public string? Job { get; init; }

    /// <summary>Of a job of an agency's own tools.</summary>
    public string? Namespace { get; init; }

    public DateTimeOffset? Ended { get; init; }

    /// <summary>As of which a run read.</summary>
    public string? Watermark { get; init; }

    public DataWritten[] Wrote { get; init; } = [];

    /// <summary>Where people see it.</summary>
    public string? Page { get; init; }

    public static DataUse Of(ForeignUse use, string dataset, int level) => new("foreign-run", use.Run.ToString(), dataset, level)
    {
        Job = use.Job.Name,
        Namespace = use.Job.Namespace,
        Ended = use.At,
        Watermark = use.Watermark,
    };

    public static DataUse Of(RunInfo run, LineageUse use, string dataset, int level) => new("run", run.Pinned.Id, dataset, level)
    {
        Title = run.Pinned.Spec.Title,
        State = RunWords.Of(run.State),
        Job = run.Pinned.Job,
        Ended = run.Ended,
        Watermark = use.Watermark,
        Page = "/runs/" + run.Pinned.Id,
        Wrote = [.. run.Pinned.Spec.Steps.Select((step, i) => step.Write is { } write && run.Steps[i].Receipt is { } receipt ? new DataWritten(step.Id, write.Dataset, receipt, run.Steps[i].Watermark) : null).OfType<DataWritten>()],
    };
}

/// <param name="Step">Of the run, that wrote.</param>
/// <param name="Receipt">Of its push; its own uses go on from there.</param>
internal sealed record DataWritten(string Step, string Dataset, string Receipt, string? Watermark);
