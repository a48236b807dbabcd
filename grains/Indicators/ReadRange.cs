namespace DataHub.Indicators;

/// <summary>Which cells the values of a query are made of. Pure.</summary>
/// <param name="From">Windows that begin at or after; null: from the beginning.</param>
/// <param name="To">Windows that begin before; null: to the end.</param>
/// <param name="Latest">Per area and dimensions the last window, and as many windows before it as <paramref name="Back"/> says.</param>
/// <param name="Back">Windows before its own that a value is made of.</param>
/// <param name="Opening">Also what all the time before <paramref name="From"/> comes to.</param>
internal sealed record ReadRange(DateTimeOffset? From, DateTimeOffset? To, bool Latest, int Back, bool Opening)
{
    /// <summary>The windows that a definition's values depend on besides their own: those of a sliding value, and the one before for coverage.</summary>
    public static int BackOf(IndicatorSpec spec) => SlidingWindows.Of(spec) - 1 + (spec.Coverage is true ? 1 : 0);

    /// <param name="query">With instants, not days.</param>
    /// <param name="now">Open records are counted up to the window that contains it.</param>
    public static ReadRange Of(IndicatorSpec spec, ValuesQuery query, DateTimeOffset now)
    {
        var windows = CalendarWindows.Parse(spec.Window, spec.TimeZone);
        var from = query.After is { } after && !query.Latest && (query.From is null || after.From > query.From) ? after.From : query.From;
        if (spec.Function == MeasureFunction.Open)
        {
            var end = windows.Next(Math.Min(now.UtcTicks, query.To is { } to ? Math.Max(0, to.UtcTicks - 1) : long.MaxValue));
            var begin = query.Latest ? Math.Max(windows.Floor(Math.Max(0, end - 1)), from?.UtcTicks ?? 0) : from?.UtcTicks;
            begin = begin is { } instant ? First(windows, instant) : null;
            return new(begin is { } first ? Instant(first) : null, Instant(end), false, 0, begin is not null);
        }

        var back = BackOf(spec);
        return new(query.Latest || from is null ? from : Instant(Before(windows, First(windows, from.Value.UtcTicks), back)), query.To, query.Latest, back, false);
    }

    /// <summary>The begin of the first window that begins at or after an instant.</summary>
    public static long First(CalendarWindows windows, long instant)
    {
        var floor = windows.Floor(instant);
        return floor == instant ? floor : Math.Min(windows.Next(instant), DateTime.MaxValue.Ticks);
    }

    /// <summary>The begin of the window so many before.</summary>
    public static long Before(CalendarWindows windows, long window, int back)
    {
        for (; back > 0 && window > 0; back--) window = windows.Floor(window - 1);
        return window;
    }

    private static DateTimeOffset Instant(long ticks) => new(Math.Min(ticks, DateTime.MaxValue.Ticks), TimeSpan.Zero);
}
