using DataHub.Feeds;

namespace DataHub.Indicators;

/// <summary>What moved a formula's values between two moments: what moved the inputs' values that they are made of.</summary>
internal sealed partial class IndicatorGrain
{
    private async Task<(MovedPage? Page, ValuesResult? Refusal)> DerivedPageAsync(AskedDiff asked)
    {
        var view = asked.View;
        var spec = view.Definition.Spec;
        var windows = CalendarWindows.Parse(spec.Window, spec.TimeZone);
        var moves = await FormulaMovesAsync(asked, windows);
        if (moves.Windows is not { } moved) return (new([], null), null);

        // What looks back is moved some windows later.
        var (first, last) = (Math.Max(moved.First, asked.Selection.From?.UtcTicks ?? 0), moved.Last);
        for (var back = Formula.Read(spec.Formula!).Needs.Back; back > 0 && last < DateTime.MaxValue.Ticks; back--) last = windows.Next(last);
        last = Math.Min(last, (asked.Selection.To?.UtcTicks ?? long.MaxValue) - 1);
        if (first > last) return (new([], null), null);
        var all = new ValuesQuery(Instant(first), Instant(Math.Min(last, DateTime.MaxValue.Ticks - 1)).AddTicks(1), false, null, null, null, null, int.MaxValue) { Within = asked.Selection.Within };
        var (old, fresh) = (await PastFormulaValuesAsync(view, asked.Since, all, asked.Deadline), await PastFormulaValuesAsync(view, view.Moment, all, asked.Deadline));
        if (old.Value is null || fresh.Value is null) return (null, old.Refusal ?? fresh.Refusal);

        var places = old.Value.After(null).Concat(fresh.Value.After(null)).Where(moves.MayHaveMoved).Distinct().ToDictionary(place => place, _ => 1u);
        var before = CellRollUp.Page(spec, all, old.Value, asked.Since.At, places).Rows.ToDictionary(PlaceOf);
        var after = CellRollUp.Page(spec, all, fresh.Value, view.Moment.At, places).Rows.ToDictionary(PlaceOf);
        var hidden = new Dictionary<(int, FormulaValues.Scope, CellRollUp.Place), bool>();
        var (cells, room, cursor, gathered) = (new List<MovedCell>(), asked.Query.Limit, (DiffCursor?)null, 0L);
        foreach (var place in places.Keys.Order())
        {
            IndicatorValue? earlier = before.TryGetValue(place, out var was) ? was : null, later = after.TryGetValue(place, out var now) ? now : null;
            var goesOn = asked.Query.After is { } given && place.CompareTo(new(given.Cell.From.UtcTicks, given.Cell.Area, given.Cell.Dimensions)) is var order && order <= 0 ? order : 1;

            // What is compared with all others is moved by all others: it is told only where it became another.
            if (goesOn < 0 || (Told(earlier) == Told(later) && !moves.MovedItself(place))) continue;
            var behind = moves.Of(place, stands: earlier is null != later is null).ToArray();
            if (behind.Length == 0) continue;
            var rows = behind.GroupBy(one => one.Row.Row, (row, ways) => (Row: row, Through: ways.Select(way => way.Read.Input).Distinct().Order().ToArray()))
                .OrderBy(one => one.Row.Time).ThenBy(one => one.Row.Key, ByteKeyComparer.Instance).ToArray();
            var isHidden = IsHidden(asked, earlier, later) || (!asked.MayMore && behind.Any(one => IsHiddenInput(one.Read, one.Row.Place)));
            var told = isHidden || !asked.SeesRows
                ? []
                : rows.Where(one => goesOn > 0 || new MovedRow(place, one.Row).IsAfter(asked.Query.After!)).Select(one => (one.Row, (int[]?)one.Through)).ToArray();
            if (told.Length == 0 && goesOn == 0) continue;

            // A row that moves all areas is gathered for each: a page that would look at too many ends early.
            if (room == 0 || (cells.Count > 0 && gathered + rows.Length > read.Value.MaxScannedRows)) return (new([.. cells], cursor), null);
            gathered += rows.Length;
            cells.Add(new(earlier, later, isHidden ? null : rows.Length, [.. told.Take(room)]));
            if (told.Length > room) return (new([.. cells], Cursor(place, told[room - 1].Row)), null);
            room -= Math.Max(1, told.Length);
            cursor = Cursor(place, null);
        }

        return (new([.. cells], null), null);

        static (double?, long?, ValueState)? Told(IndicatorValue? value) => value is { } there ? (there.Value, there.Count, there.State) : null;

        bool IsHiddenInput(FormulaRead read, CellRollUp.Place place)
        {
            var key = (read.Input, read.Scope, place);
            return hidden.TryGetValue(key, out var known)
                ? known
                : hidden[key] = old.Value.IsSuppressed(read.Input, read.Scope, place) || fresh.Value.IsSuppressed(read.Input, read.Scope, place);
        }
    }

    /// <summary>Reads the rows that changed once and holds them against each input, of all scopes that the formula reads.</summary>
    private async Task<FormulaMoves> FormulaMovesAsync(AskedDiff asked, CalendarWindows windows)
    {
        var (view, inputs) = (asked.View, asked.View.Definition.Inputs!);
        var formula = Formula.Read(view.Definition.Spec.Formula!);
        var (first, last) = (asked.Selection.From?.UtcTicks ?? long.MinValue, asked.Selection.To?.UtcTicks ?? long.MaxValue);
        if (first != long.MinValue) first = ReadRange.Before(windows, ReadRange.First(windows, first), formula.Needs.Back);
        var ranges = Array.ConvertAll(inputs, input => RowsBehind(input.Spec, windows, first, last, asked.Contract.KeyHasTime));
        var (from, to) = (ranges.Min(range => range.From), ranges.Max(range => range.To));
        var changed = await Task.WhenAll(Source.Partitions.Select((_, i) => ChangedAsync(asked.Since, view.Moment, i, from, to)));

        var moves = new FormulaMoves(formula, windows, area => FormulaValues.LevelOf(area, view.Areas, view.Target));
        foreach (var (input, scope) in moves.Needs)
        {
            var seen = view with { Definition = inputs[input], Target = FormulaValues.TargetOf(scope, view.Target) };
            for (var i = 0; i < changed.Length; i++) moves.Add(input, scope, await MovedAsync(seen, i, changed[i], first, last, asked.Query.Dimensions));
        }

        return moves;
    }
}
