using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>What is noted of the jobs and runs beside a dataset, and what a watermark says of them. Pure.</summary>
internal static class LineageRules
{
    /// <summary>Jobs beside one dataset; those noted last are kept.</summary>
    public const int MaxJobs = 1_000;

    /// <summary>Runs that read, and as many that wrote; the newest are kept.</summary>
    public const int MaxRuns = 500;

    /// <summary>Of runs of agencies' own tools so many of one agency: none crowds out the others.</summary>
    public const int MaxOfAgency = 100;

    /// <summary>A job is noted with what all its versions do; where that is known already, nothing changes.</summary>
    public static DatasetLineageState Note(DatasetLineageState state, LineageJob job)
    {
        var known = Array.Find(state.Jobs, one => one.Job == job.Job);
        var all = known is null ? job : job with { Reads = job.Reads || known.Reads, Feeds = [.. known.Feeds.Union(job.Feeds, StringComparer.Ordinal).Order(StringComparer.Ordinal)] };
        if (known is not null && all.Reads == known.Reads && all.Feeds.SequenceEqual(known.Feeds, StringComparer.Ordinal)) return state;
        var others = state.Jobs.Where(one => one.Job != job.Job).ToArray();
        return state with { Jobs = [.. others.Skip(Math.Max(0, others.Length + 1 - MaxJobs)), all] };
    }

    /// <summary>A run is noted once for each of its steps.</summary>
    public static DatasetLineageState Note(DatasetLineageState state, LineageUse use) => use.Receipt is null
        ? state with { Reads = With(state.Reads, use) }
        : state with { Writes = With(state.Writes, use) };

    /// <summary>A run of an agency's own tools is noted once for reading and once for writing, with what was told last.</summary>
    public static DatasetLineageState Note(DatasetLineageState state, ForeignUse use) =>
        Array.Exists(state.Foreign, one => one.Job == use.Job && one.Run == use.Run && one.IsOutput == use.IsOutput && one.At >= use.At)
            ? state
            : state with
            {
                Foreign = [.. state.Foreign.Where(one => one.Job != use.Job || one.Run != use.Run || one.IsOutput != use.IsOutput).Append(use)
                    .GroupBy(one => one.Agency, StringComparer.Ordinal).SelectMany(agency => agency.OrderByDescending(one => one.At).ThenBy(one => one.Run).Take(MaxOfAgency))
                    .OrderByDescending(one => one.At).ThenBy(one => one.Run).Take(MaxRuns)],
            };

    /// <summary>The jobs of a dataset's neighbourhood that a definition names: which datasets it reads and writes, and how.</summary>
    public static IEnumerable<(string Dataset, LineageJob Job)> Of(string id, JobSpec spec) =>
        spec.Steps.SelectMany(step => new[] { step.Read?.Own(), step.Write?.Dataset }).OfType<string>().Distinct(StringComparer.Ordinal)
            .Select(dataset => (dataset, new LineageJob(
                id, spec.Agency, spec.Dataspace, spec.Steps.Any(step => step.Read?.Own() == dataset),
                [.. spec.Steps.Where(step => step.Write?.Dataset == dataset).Select(step => step.Write!.Feed).Distinct(StringComparer.Ordinal)])));

    private static LineageUse[] With(LineageUse[] uses, LineageUse use) => Array.IndexOf(uses, use) >= 0
        ? uses
        : [.. uses.Where(one => one.By != use.By).Append(use).OrderByDescending(one => one.By.Run, StringComparer.Ordinal).ThenBy(one => one.By.Step, StringComparer.Ordinal).Take(MaxRuns)];
}
