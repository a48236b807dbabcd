using DataHub.Feeds;

namespace DataHub.Indicators;

/// <summary>What a question for changes comes to against the indicator as it stands. Pure.</summary>
/// <param name="IsFull">The whole selection is to be read.</param>
/// <param name="TooOld">Bit i: nothing can be said since mark i.</param>
/// <param name="Marks">Per mark its sequences; null where nothing can be said.</param>
/// <param name="Floors">Per partition the smallest sequence of all marks: cells touched later matter. Null where no mark is left.</param>
/// <param name="AtLeast">Per partition the sequence that the answer must include, so that nobody sees an older state than he has seen.</param>
internal sealed record ChangePlan(bool IsFull, uint TooOld, long[]?[] Marks, long[]? Floors, long[] AtLeast);

/// <inheritdoc cref="ChangePlan"/>
internal static class ChangeRules
{
    /// <summary>
    /// A mark counts if what changed since it can be told cell by cell: the same definition rolled up in the same areas,
    /// the same log. All others need the whole selection; so does the first mark's owner if his is one of them.
    /// </summary>
    /// <param name="query">What is asked; at most <see cref="ChangesQuery.MaxMarks"/> marks.</param>
    /// <param name="definition">The definition that answers.</param>
    /// <param name="source">Its dataset.</param>
    /// <param name="incarnation">Of the log.</param>
    /// <param name="answered">Per partition the sequence up to which was answered before.</param>
    /// <param name="tooMuch">What was touched since the marks is more than one answer may look at: as if none counted.</param>
    public static ChangePlan Plan(ChangesQuery query, IndicatorDefinition definition, IndicatorSource source, Guid incarnation, ReadOnlySpan<long> answered, bool tooMuch)
    {
        // One cell decides the values of many windows, and values appear by themselves.
        var isWide = definition.Spec.Sliding is not null || definition.Spec.Function == MeasureFunction.Open || definition.Spec.Formula is not null;
        var atLeast = answered.ToArray();
        var marks = new long[]?[query.Since.Length];
        var tooOld = 0u;
        long[]? floors = null;
        for (var i = 0; i < marks.Length; i++)
        {
            var mark = query.Since[i];
            if (mark.Watermark.Incarnation == incarnation && mark.Watermark.Dataset == definition.Spec.Dataset && mark.Watermark.Sequences.Length == atLeast.Length)
            {
                for (var p = 0; p < atLeast.Length; p++) atLeast[p] = Math.Max(atLeast[p], mark.Watermark.Sequences[p]);
                if (!tooMuch && !isWide && mark.Definition == definition.Version && mark.AreaVersion == source.AreaVersion) marks[i] = mark.Watermark.Sequences;
            }

            if (marks[i] is not { } sequences)
            {
                tooOld |= 1u << i;
                continue;
            }

            floors ??= (long[])sequences.Clone();
            for (var p = 0; p < floors.Length; p++) floors[p] = Math.Min(floors[p], sequences[p]);
        }

        return new(query.Full || marks.Length == 0 || marks[0] is null, tooOld, marks, floors, atLeast);
    }

    /// <summary>
    /// The windows that every partition has to tell of, because some partition has touched cells in them; null where all
    /// did already.
    /// </summary>
    /// <param name="asked">What they were asked for besides the windows touched in themselves.</param>
    /// <param name="touched">The touched cells of each partition.</param>
    /// <param name="spec">With coverage the windows before and after are needed too.</param>
    public static long[]? Missing(long[] asked, IReadOnlyList<IReadOnlyList<TouchedCell>> touched, IndicatorSpec spec)
    {
        var wanted = new HashSet<long>(asked);
        foreach (var cells in touched) wanted.UnionWith(cells.Select(cell => cell.WindowFrom));
        if (spec.Coverage is true)
        {
            var windows = CalendarWindows.Parse(spec.Window, spec.TimeZone);
            foreach (var window in touched.SelectMany(cells => cells.Select(cell => cell.WindowFrom)).Distinct().ToArray())
            {
                if (window > 0) wanted.Add(windows.Floor(window - 1));
                wanted.Add(windows.Next(window));
            }
        }

        foreach (var cells in touched)
        {
            var told = new HashSet<long>(asked);
            told.UnionWith(cells.Select(cell => cell.WindowFrom));
            if (!told.SetEquals(wanted)) return [.. wanted];
        }

        return null;
    }
}
