using System.Text;

namespace DataHub.Indicators;

/// <summary>What applying an answer came to.</summary>
internal enum ChangesApplied
{
    /// <summary>It is in.</summary>
    Done = 0,

    /// <summary>The selection must be asked for as a whole; nothing was applied.</summary>
    NeedsFull = 1,
}

/// <summary>Rows that a viewer is to be told: the present ones, and the places that have none any more.</summary>
internal sealed record ChangesPart(IReadOnlyList<IndicatorValue> Rows, IReadOnlyList<IndicatorValue> Removed);

/// <summary>
/// A selection as its viewers see it, with the step at which each row last became different. Whoever has seen step n is
/// up to date once he has got what <see cref="Since"/> says for n; so no viewer needs a queue, and one who is slow gets
/// the present values, merged. Pure: no clock, no calls; not thread-safe.
/// </summary>
/// <param name="latest">Whether it is the last value of each area and combination of dimensions: the window is no part of a row's place then.</param>
/// <param name="maxGone">Places without a row that are remembered; when there are more, viewers that did not hear of them yet get the whole.</param>
internal sealed class ChangesState(bool latest, int maxGone)
{
    private readonly Dictionary<Place, Entry> _entries = [];
    private int _gone;

    /// <summary>Rises with everything viewers can see; 0: nothing is known yet.</summary>
    public long Step { get; private set; }

    /// <summary>Viewers that saw only an earlier step must be given the whole.</summary>
    public long Floor { get; private set; }

    /// <summary>The last answer that said something; null before the first.</summary>
    public ChangesPage? Page { get; private set; }

    public bool IsStale { get; private set; }

    /// <summary>Rows there are.</summary>
    public int Count => _entries.Count - _gone;

    /// <summary>When the first row changes its state by itself; null: none will.</summary>
    public DateTimeOffset? Until { get; private set; }

    /// <summary>Takes in an answer. A new step begins if, and only if, a row is different after it.</summary>
    public ChangesApplied Apply(ChangesPage page)
    {
        switch (page.Kind)
        {
            case ChangesKind.Same:
                return ChangesApplied.Done;
            case ChangesKind.Stale:
                Doubt(page);
                return ChangesApplied.Done;
            case ChangesKind.Part when Page is null || IsStale || !Continues(Page.Mark, page.Mark):
                return ChangesApplied.NeedsFull;
            case ChangesKind.Part when latest && LosesLast(page):
                // Which window is an area's last one now, only the whole can tell.
                return ChangesApplied.NeedsFull;
        }

        var step = Step + 1;
        var changed = Page is null;
        if (page.Kind == ChangesKind.Full)
        {
            if (Page is not null && !Continues(Page.Mark, page.Mark))
            {
                _entries.Clear();
                _gone = 0;
                Floor = step;
                changed = true;
            }

            var present = new HashSet<Place>(page.Rows.Length);
            foreach (ref readonly var row in page.Rows.AsSpan())
            {
                var place = PlaceOf(row.From, row.Area, row.Dimensions);
                present.Add(place);
                changed |= Set(place, row, step);
            }

            foreach (var (place, entry) in _entries)
            {
                if (!entry.IsGone && !present.Contains(place)) changed |= Remove(place, step);
            }
        }
        else
        {
            var present = new HashSet<Place>(page.Rows.Length);
            foreach (ref readonly var row in page.Rows.AsSpan())
            {
                var place = PlaceOf(row.From, row.Area, row.Dimensions);
                present.Add(place);
                if (latest && _entries.TryGetValue(place, out var known) && !known.IsGone && known.Row.From > row.From) continue;
                changed |= Set(place, row, step);
            }

            foreach (var touched in page.Touched)
            {
                var place = PlaceOf(touched.From, touched.Area, touched.Dimensions);
                if (!latest && !present.Contains(place)) changed |= Remove(place, step);
            }
        }

        // Windows that ended meanwhile by the hub's clock; nothing was touched in them, so nobody else says it.
        foreach (var (place, entry) in _entries)
        {
            if (entry is { IsGone: false, Row.State: ValueState.Preliminary } && entry.Row.To <= page.Mark.At) changed |= Set(place, entry.Row with { State = ValueState.Ok }, step);
        }

        foreach (var touched in page.Touched)
        {
            // Somebody may have seen a row there that was gone before this state began.
            if (_entries.TryAdd(PlaceOf(touched.From, touched.Area, touched.Dimensions), new(new(touched.Area, touched.From, default, touched.Dimensions, null, null, default), true, 0))) _gone++;
        }

        (Page, IsStale) = (page, false);
        Until = _entries.Values.Where(entry => entry is { IsGone: false, Row.State: ValueState.Preliminary }).Min(entry => (DateTimeOffset?)entry.Row.To);
        if (changed) Step = step;
        Forget();
        return ChangesApplied.Done;
    }

    /// <summary>The hub cannot say that the rows are current: they are marked so.</summary>
    public void Doubt()
    {
        if (Page is not null) Doubt(Page);
    }

    /// <summary>The places that changed since a mark of which the state's last answer told.</summary>
    /// <param name="number">The mark's place in the question.</param>
    /// <param name="mark">The mark.</param>
    public HashSet<Place> TouchedSince(ChangesPage answer, int number, ChangeMark mark)
    {
        var places = new HashSet<Place>();
        foreach (var touched in answer.Touched)
        {
            if ((touched.Since & 1u << number) == 0) continue;
            var place = PlaceOf(touched.From, touched.Area, touched.Dimensions);
            if (latest && _entries.TryGetValue(place, out var known) && !known.IsGone && known.Row.From > touched.From) continue;
            places.Add(place);
        }

        var (from, to) = mark.At <= answer.Mark.At ? (mark.At, answer.Mark.At) : (answer.Mark.At, mark.At);
        foreach (var (place, entry) in _entries)
        {
            if (!entry.IsGone && entry.Row.State != ValueState.Suppressed && entry.Row.To > from && entry.Row.To <= to) places.Add(place);
        }

        return places;
    }

    /// <summary>What became different after a step, and what else is named.</summary>
    public ChangesPart Since(long step, HashSet<Place>? others = null)
    {
        var (rows, removed) = (new List<IndicatorValue>(), new List<IndicatorValue>());
        foreach (var (place, entry) in _entries)
        {
            if (entry.Step > step || others?.Contains(place) == true) (entry.IsGone ? removed : rows).Add(entry.Row);
        }

        return new(Ordered(rows), Ordered(removed));
    }

    /// <summary>Every row there is.</summary>
    public ChangesPart All() => new(Ordered([.. _entries.Values.Where(entry => !entry.IsGone).Select(entry => entry.Row)]), []);

    /// <summary>Whether rows seen at one mark can become those of another row by row.</summary>
    public static bool Continues(ChangeMark seen, ChangeMark now) =>
        seen.Definition == now.Definition && seen.AreaVersion == now.AreaVersion && seen.Watermark.Incarnation == now.Watermark.Incarnation
        && seen.Watermark.Dataset == now.Watermark.Dataset && seen.Watermark.Sequences.Length == now.Watermark.Sequences.Length;

    private void Doubt(ChangesPage page)
    {
        if (Page is null || IsStale) return;
        var step = Step + 1;
        var changed = false;
        foreach (var (place, entry) in _entries)
        {
            if (entry is { IsGone: false, Row.State: not ValueState.Suppressed }) changed |= Set(place, entry.Row with { State = ValueState.Stale }, step);
        }

        // The mark stays that of the values.
        Page = page with { Mark = Page.Mark };
        (IsStale, Until) = (true, null);
        if (changed) Step = step;
    }

    private bool LosesLast(ChangesPage page)
    {
        var present = new HashSet<(Place, DateTimeOffset)>();
        foreach (ref readonly var row in page.Rows.AsSpan()) present.Add((PlaceOf(row.From, row.Area, row.Dimensions), row.From));
        foreach (var touched in page.Touched)
        {
            var place = PlaceOf(touched.From, touched.Area, touched.Dimensions);
            if (_entries.TryGetValue(place, out var known) && !known.IsGone && known.Row.From == touched.From && !present.Contains((place, touched.From))) return true;
        }

        return false;
    }

    private bool Set(Place place, IndicatorValue row, long step)
    {
        if (_entries.TryGetValue(place, out var known))
        {
            // A row's dimensions are part of its place.
            if (!known.IsGone && known.Row with { Dimensions = row.Dimensions } == row) return false;
            if (known.IsGone) _gone--;
        }

        _entries[place] = new(row, false, step);
        return true;
    }

    private bool Remove(Place place, long step)
    {
        if (!_entries.TryGetValue(place, out var known) || known.IsGone) return false;
        _entries[place] = new(known.Row, true, step);
        _gone++;
        return true;
    }

    private void Forget()
    {
        if (_gone <= maxGone) return;
        foreach (var (place, entry) in _entries)
        {
            if (entry.IsGone) _entries.Remove(place);
        }

        _gone = 0;
        Floor = Step;
    }

    private Place PlaceOf(DateTimeOffset from, string? area, string?[]? dimensions) => new(latest ? 0 : from.UtcTicks, area, Text(dimensions));

    private static string Text(string?[]? dimensions)
    {
        if (dimensions is null) return "";
        if (dimensions is [{ } single]) return single;
        var text = new StringBuilder();
        foreach (var value in dimensions) text.Append(value?.Length ?? -1).Append(':').Append(value);
        return text.ToString();
    }

    private static List<IndicatorValue> Ordered(List<IndicatorValue> rows)
    {
        rows.Sort(static (a, b) =>
        {
            var order = a.From.CompareTo(b.From);
            if (order == 0) order = string.CompareOrdinal(a.Area, b.Area);
            for (var i = 0; order == 0 && i < (a.Dimensions?.Length ?? 0); i++) order = string.CompareOrdinal(a.Dimensions![i], b.Dimensions![i]);
            return order;
        });
        return rows;
    }

    /// <summary>Where a row stands.</summary>
    internal readonly record struct Place(long From, string? Area, string Dimensions);

    /// <param name="Row">Where it is gone, only its place counts.</param>
    /// <param name="Step">At which it last became different.</param>
    private readonly record struct Entry(IndicatorValue Row, bool IsGone, long Step);
}
