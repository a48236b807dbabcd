namespace DataHub.Indicators;

/// <summary>
/// How many records are open at the end of each window: what was open before the first, and from then on what began less
/// what ended. From the first beginning on every window has a value, up to the present one.
/// </summary>
internal sealed class OpenValues : DerivedValues
{
    private readonly SortedDictionary<(string Area, string Dimensions), List<(long Window, long Change)>> _changes =
        new(Comparer<(string Area, string Dimensions)>.Create((a, b) => string.CompareOrdinal(a.Area, b.Area) is var order and not 0 ? order : string.CompareOrdinal(a.Dimensions, b.Dimensions)));

    private readonly Dictionary<(string Area, string Dimensions), long[]> _sums = [];
    private readonly ValuesQuery _query;
    private readonly CalendarWindows _windows;
    private readonly long _now;
    private long _open;

    /// <param name="cells">What began and ended in each window.</param>
    /// <param name="openings">The same for all the time before the first window.</param>
    public OpenValues(
        IndicatorSpec spec, ValuesQuery query, Dictionary<CellRollUp.Place, PlaceCell> cells, Dictionary<CellRollUp.Place, PlaceCell> openings, DateTimeOffset now)
    {
        _query = query;
        _windows = CalendarWindows.Parse(spec.Window, spec.TimeZone);
        _now = now.UtcTicks;
        Collect(openings, static _ => long.MinValue);
        Collect(cells, static place => place.Window);
        foreach (var changes in _changes.Values) changes.Sort();
    }

    public override bool GrowWithTime => true;

    public override IEnumerable<string> Areas => _changes.Keys.Select(key => key.Area).Distinct(StringComparer.Ordinal);

    public override IEnumerable<CellRollUp.Place> After(CellRollUp.Place? cursor)
    {
        if (_changes.Count == 0) yield break;
        var last = _windows.Floor(Math.Min(_now, _query.To is { } to ? Math.Max(0, to.UtcTicks - 1) : long.MaxValue));
        var begin = Math.Max(_query.From?.UtcTicks ?? 0, cursor?.Window ?? 0);
        if (_query.Latest) begin = Math.Max(begin, last);
        var first = _changes.Values.Min(changes => changes[0].Window);
        var window = ReadRange.First(_windows, Math.Max(begin, first));
        var next = _changes.Values.Select(_ => 0).ToArray();
        var open = new long[next.Length];
        for (; window <= last; window = _windows.Next(window))
        {
            var number = 0;
            foreach (var ((area, dimensions), changes) in _changes)
            {
                for (; next[number] < changes.Count && changes[next[number]].Window <= window; next[number]++) open[number] += changes[next[number]].Change;
                var begun = next[number] > 0;
                _open = open[number++];
                var place = new CellRollUp.Place(window, area, dimensions);
                if (begun && !(cursor is { } seen && place.CompareTo(seen) <= 0)) yield return place;
            }
        }
    }

    public override Derived At(CellRollUp.Place place) => new(_open, _open);

    public override Derived? Find(CellRollUp.Place place)
    {
        if (place.Window > _now || !_changes.TryGetValue((place.Area, place.Dimensions), out var changes) || changes[0].Window > place.Window) return null;
        if (!_sums.TryGetValue((place.Area, place.Dimensions), out var sums))
        {
            sums = new long[changes.Count];
            for (var i = 0; i < sums.Length; i++) sums[i] = changes[i].Change + (i == 0 ? 0 : sums[i - 1]);
            _sums[(place.Area, place.Dimensions)] = sums;
        }

        var last = changes.BinarySearch((place.Window, long.MaxValue));
        var open = sums[(last < 0 ? ~last : last + 1) - 1];
        return new(open, open);
    }

    private void Collect(Dictionary<CellRollUp.Place, PlaceCell> cells, Func<CellRollUp.Place, long> windowOf)
    {
        foreach (var (place, cell) in cells)
        {
            if (!_changes.TryGetValue((place.Area, place.Dimensions), out var changes)) _changes[(place.Area, place.Dimensions)] = changes = [];
            changes.Add((windowOf(place), (long)cell.Cell.Value()!.Value));
        }
    }
}
