namespace DataHub.Indicators;

/// <summary>
/// Values of windows: each that of its cell or, sliding, of the cells of so many windows up to its own; a sliding value
/// stands wherever one of these has rows, as far as the present window.
/// </summary>
internal sealed class WindowValues : DerivedValues
{
    private readonly Dictionary<CellRollUp.Place, PlaceCell> _cells;
    private readonly CalendarWindows _windows;
    private readonly IndicatorSpec _spec;
    private readonly ValuesQuery _query;
    private readonly int _covered;
    private readonly long _now;

    /// <param name="cells">Of all windows that the values are made of.</param>
    public WindowValues(IndicatorSpec spec, ValuesQuery query, Dictionary<CellRollUp.Place, PlaceCell> cells, DateTimeOffset now)
    {
        (_spec, _query, _cells) = (spec, query, cells);
        _windows = CalendarWindows.Parse(spec.Window, spec.TimeZone);
        _covered = SlidingWindows.Of(spec);
        _now = now.UtcTicks;
    }

    public override bool GrowWithTime => _covered > 1;

    public override IEnumerable<string> Areas => _cells.Keys.Select(place => place.Area).Distinct(StringComparer.Ordinal);

    public override Derived? Find(CellRollUp.Place place) =>
        (_cells.ContainsKey(place) || (_covered > 1 && place.Window <= _now)) && Covering(place) is { } cell ? Of(place, cell) : null;

    public override IEnumerable<CellRollUp.Place> After(CellRollUp.Place? cursor)
    {
        var (from, to) = (_query.From?.UtcTicks ?? long.MinValue, _query.To?.UtcTicks ?? long.MaxValue);
        var places = new List<CellRollUp.Place>();
        if (_query.Latest)
        {
            var newest = new Dictionary<(string, string), long>();
            foreach (var place in _cells.Keys)
            {
                if (!newest.TryGetValue((place.Area, place.Dimensions), out var window) || window < place.Window) newest[(place.Area, place.Dimensions)] = place.Window;
            }

            places.AddRange(newest.Select(last => new CellRollUp.Place(last.Value, last.Key.Item1, last.Key.Item2)));
        }
        else if (_covered == 1)
        {
            places.AddRange(_cells.Keys);
        }
        else
        {
            var seen = new HashSet<CellRollUp.Place>();
            foreach (var place in _cells.Keys)
            {
                var window = place.Window;
                for (var i = 0; i < _covered && window < to && (i == 0 || window <= _now); i++, window = _windows.Next(window)) seen.Add(place with { Window = window });
            }

            places.AddRange(seen);
        }

        places.RemoveAll(place => place.Window < from || place.Window >= to || (cursor is { } last && place.CompareTo(last) <= 0));
        places.Sort();
        return places;
    }

    public override Derived At(CellRollUp.Place place) => Of(place, Covering(place)!);

    private Derived Of(CellRollUp.Place place, CellState cell)
    {
        SeriesCoverage? coverage = null;
        if (_spec.Coverage is true && cell.Series is { } series)
        {
            var before = place.Window == 0 ? null : Covering(place with { Window = _windows.Floor(place.Window - 1) });
            coverage = new(series, before?.Series ?? 0);
        }

        return new(cell.Value(), cell.Count, coverage);
    }

    /// <summary>The rows that a value at this place is made of; null where there are none.</summary>
    private CellState? Covering(CellRollUp.Place place)
    {
        var own = _cells.GetValueOrDefault(place)?.Cell;
        if (_covered == 1) return own;
        var all = own?.Clone();
        var window = place.Window;
        for (var i = 1; i < _covered && window > 0; i++)
        {
            window = _windows.Floor(window - 1);
            if (!_cells.TryGetValue(place with { Window = window }, out var cell)) continue;
            if (all is null) all = cell.Cell.Clone();
            else all.Merge(cell.Cell);
        }

        return all;
    }
}
