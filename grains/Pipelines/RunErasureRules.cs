using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>How far the erasure of a dataset's rows reaches into runs. Pure.</summary>
internal static class RunErasureRules
{
    /// <summary>By which the clocks of two silos may differ: rather one run too many.</summary>
    private static readonly TimeSpan s_skew = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Whether a run may have tables with the rows: a step of it began to read the dataset as it stood before they were gone,
    /// or to read a file that brought them, or to write into the dataset before the erasure was requested.
    /// </summary>
    public static bool Reaches(RunInfo run, RowsErased rows) =>
        run.Pinned.Inputs.Any(input => Step(run, input.Step) is { Attempts: > 0 } && (MayMeet(input, rows) || (input.File is { } file && rows.Files.Contains(file, StringComparer.Ordinal)))) || Writes(run, rows).Any();

    /// <summary>What a run that is reached has to do with others.</summary>
    public static RunErased Of(RunInfo run, RowsErased rows)
    {
        var brought = Writes(run, rows).SelectMany(write => Behind(run.Pinned.Spec, write.Write!.Input)).ToHashSet(StringComparer.Ordinal);
        var inputs = run.Pinned.Inputs.Where(input => input.File is not null && brought.Contains(input.Step)).ToArray();
        var readers = run.Pinned.Inputs.Where(input => MayMeet(input, rows)).Select(input => input.Step).ToHashSet(StringComparer.Ordinal);
        return new(true, true)
        {
            Files = [.. inputs.Where(input => input.Url is null).Select(input => input.File!).Distinct(StringComparer.Ordinal)],
            Fetched = [.. inputs.Where(input => input.Url is not null).Select(input => input.File!).Distinct(StringComparer.Ordinal)],
            // In another's shadow nothing is written.
            Derived = run.Pinned.ShadowOf is not null ? [] :
            [
                .. run.Pinned.Spec.Steps.Where(step => step.Write is { } write && write.Dataset != rows.Dataset && Step(run, step.Id) is { Attempts: > 0 } && Behind(run.Pinned.Spec, write.Input).Any(readers.Contains))
                    .Select(step => step.Write!.Dataset).Distinct(StringComparer.Ordinal),
            ],
        };
    }

    /// <summary>The run without what may have values: counts, hashes and times stay.</summary>
    /// <param name="gone">Its tables were deleted before, for another reason.</param>
    public static RunInfo Erased(RunInfo run, RowsErased rows, bool gone, DateTimeOffset now)
    {
        var erased = gone ? run.TablesErased : new(rows.Dataset, now);
        var words = new TablesErased(rows.Dataset, now).Words();
        return run with
        {
            TablesErased = erased,
            Cause = Instead(run.Cause),
            Steps = Array.ConvertAll(run.Steps, Clean),
            Breaks = Array.ConvertAll(run.Breaks, one => one with { Cause = Instead(one.Cause), Step = Clean(one.Step) }),
        };

        StepInfo Clean(StepInfo step) => step with { Notes = [], Cause = Instead(step.Cause) };

        LocalText? Instead(LocalText? cause) => cause is null ? null : words;
    }

    /// <summary>Whether there are words of a run that may have values.</summary>
    public static bool HasWords(RunInfo run) => run.Cause is not null || Array.Exists(run.Steps, step => step.Cause is not null || step.Notes.Length > 0) || run.Breaks.Length > 0;

    /// <summary>Why a run that is under way is ended.</summary>
    public static LocalText Ended(string dataset) => new(
        $"Beendet, weil Zeilen von „{dataset}“ gelöscht wurden, die dieser Lauf gelesen hat; einen neuen starten.", $"Ended because rows of “{dataset}” were erased that this run had read; start a new one.");

    /// <summary>The watermark of an input includes not all of the retractions; one of another incarnation says nothing, and so counts.</summary>
    private static bool MayMeet(PinnedInput input, RowsErased rows) => input.Dataset == rows.Dataset
        && !(Watermark.TryParse(input.Watermark, out var read) && read!.Incarnation == rows.Incarnation && read.Sequences.Length == rows.Passed.Length && read.Sequences.Zip(rows.Passed).All(pair => pair.First >= pair.Second));

    private static IEnumerable<StepSpec> Writes(RunInfo run, RowsErased rows) =>
        run.Pinned.Spec.Steps.Where(step => step.Write?.Dataset == rows.Dataset && Step(run, step.Id) is { Attempts: > 0, Started: { } started } && started <= rows.Requested + s_skew);

    /// <summary>The steps of whose tables a table was made, itself among them.</summary>
    private static HashSet<string> Behind(JobSpec spec, string table)
    {
        var behind = new HashSet<string>(StringComparer.Ordinal) { table };
        // A step's inputs stand before it.
        foreach (var step in spec.Steps.Reverse().Where(step => behind.Contains(step.Id))) behind.UnionWith(step.Inputs);
        return behind;
    }

    private static StepInfo? Step(RunInfo run, string id) => Array.Find(run.Steps, step => step.Id == id);
}
