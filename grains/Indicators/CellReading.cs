using DataHub.Catalog;

namespace DataHub.Indicators;

/// <summary>
/// Which cells an answer is made of, and the values that they come to: those of the definition itself, or of a formula's
/// inputs. All are read at one sequence per partition. Pure.
/// </summary>
internal static class CellReading
{
    /// <summary>What a partition is asked for: one query for a measure, one for each input of a formula.</summary>
    /// <param name="query">With instants, not days.</param>
    /// <param name="now">Open records are counted up to the window that contains it.</param>
    /// <param name="windows">From <see cref="Values"/>; none at first.</param>
    public static CellQuery[] Queries(IndicatorDefinition definition, ValuesQuery query, DateTimeOffset now, long[] windows, long atLeast, int maxCells)
    {
        if (definition.Inputs is not { } inputs) return [Query(definition, ReadRange.Of(definition.Spec, query, now), null)];
        var back = Formula.Read(definition.Spec.Formula!).Needs.Back;
        return Array.ConvertAll(inputs, input => Query(input, Range(input.Spec, query, now, back), query.Latest && windows.Length > 0 ? windows : null));

        CellQuery Query(IndicatorDefinition of, ReadRange range, long[]? more) =>
            new(of.Indicator, of.Version, range.From, range.To, atLeast, maxCells) { Latest = range.Latest, Back = range.Back, Opening = range.Opening, Windows = range.Latest ? more : null };
    }

    /// <summary>The values that cells come to.</summary>
    /// <param name="areas">Where the target has a level or the formula asks for populations.</param>
    /// <param name="sets">Per partition the answers to <see cref="Queries"/>.</param>
    /// <param name="windows">Those that were asked for.</param>
    /// <returns>The values, and the windows that must be asked for besides to compute them; null where that is all.</returns>
    public static (DerivedValues Values, long[]? Missing) Values(
        IndicatorDefinition definition, AreaTree? areas, RollUpTarget target, ValuesQuery query, IReadOnlyList<CellSet[]> sets, DateTimeOffset now, long[] windows)
    {
        if (definition.Inputs is not { } inputs) return (Of(definition.Spec, 0, target), null);
        var formula = Formula.Read(definition.Spec.Formula!);
        var level = formula.Needs.Ranks ? FormulaValues.TargetOf(FormulaValues.Scope.Level, target) : target;
        var whole = FormulaValues.TargetOf(FormulaValues.Scope.Whole, target);
        var values = new FormulaValues.InputValues[inputs.Length];
        for (var i = 0; i < inputs.Length; i++)
        {
            var spec = inputs[i].Spec with { Coverage = false };
            var asked = Of(spec, i, target);
            values[i] = new(spec.MinimumCount, asked, level == target ? asked : Of(spec, i, level), formula.Needs.Whole && whole != target ? Of(spec, i, whole) : asked);
        }

        var all = new FormulaValues(formula, definition.Spec, values, areas, target, query);
        var sliding = inputs.Max(input => SlidingWindows.Of(input.Spec));
        if (!query.Latest || (formula.Needs is { Back: 0, Whole: false, Ranks: false } && sliding == 1)) return (all, null);

        // The last windows are known only now; what they are made of besides must be of the same sequence.
        var calendar = CalendarWindows.Parse(definition.Spec.Window, definition.Spec.TimeZone);
        var needed = new HashSet<long>();
        foreach (var last in all.After(null).Select(place => place.Window).Distinct())
        {
            var window = last;
            needed.Add(window);
            for (var i = 1; i < formula.Needs.Back + sliding && window > 0; i++) needed.Add(window = calendar.Floor(window - 1));
        }

        return (all, needed.IsSubsetOf(windows) ? null : [.. needed.Order()]);

        DerivedValues Of(IndicatorSpec spec, int index, RollUpTarget at) =>
            CellRollUp.Values(spec, areas, at, query, sets.Select(partition => partition[index].Cells), sets.Select(partition => partition[index].Opening), now);
    }

    /// <summary>An input's windows with those before that a formula looks back at.</summary>
    private static ReadRange Range(IndicatorSpec spec, ValuesQuery query, DateTimeOffset now, int back)
    {
        spec = spec with { Coverage = false };
        var windows = CalendarWindows.Parse(spec.Window, spec.TimeZone);
        if (query.Latest && spec.Function != MeasureFunction.Open) return ReadRange.Of(spec, query, now);
        long? from = query.Latest ? windows.Floor(Math.Min(now.UtcTicks, query.To is { } to ? Math.Max(0, to.UtcTicks - 1) : long.MaxValue))
            : query.After is { } after && (query.From is null || after.From > query.From) ? after.From.UtcTicks
            : query.From?.UtcTicks;
        var begin = from is { } instant ? ReadRange.Before(windows, ReadRange.First(windows, instant), back) : (long?)null;
        return ReadRange.Of(spec, query with { Latest = false, After = null, From = begin is { } ticks ? new DateTimeOffset(Math.Min(ticks, DateTime.MaxValue.Ticks), TimeSpan.Zero) : null }, now);
    }
}
