using System.Collections.Immutable;

namespace DataHub.Indicators;

/// <summary>How an indicator went over its last windows.</summary>
/// <param name="Points">One per window without holes, oldest first; a window without a value has none.</param>
/// <param name="Ticks">Marks of the value axis, evenly spaced from bottom to top; the outer ones are its ends.</param>
/// <param name="Bars">Counts and sums stand as bars on zero, all else as a line.</param>
/// <param name="Decimals">Places that the marks need.</param>
public sealed record Course(ImmutableArray<CoursePoint> Points, ImmutableArray<double> Ticks, bool Bars, int Decimals)
{
    /// <summary>Fewer windows than this look like a mistake.</summary>
    private const int FewestWindows = 7;

    /// <summary>Bottom of the value axis.</summary>
    public double Low => Ticks[0];

    /// <summary>Top of the value axis.</summary>
    public double High => Ticks[^1];

    /// <summary>Where a value stands between bottom (0) and top (1).</summary>
    public double Share(double value) => Math.Clamp((value - Low) / (High - Low), 0, 1);

    /// <summary>The first instant that a course of so many windows needs to know about.</summary>
    public static DateTimeOffset Begin(CalendarWindows windows, DateTimeOffset lastFrom, int count)
    {
        var from = windows.Floor(lastFrom.UtcTicks);
        for (var i = 1; i < count && from > 0; i++) from = windows.Floor(from - 1);
        return new(from, TimeSpan.Zero);
    }

    /// <param name="rows">Values of one area and combination of dimensions, in any order.</param>
    /// <param name="begin">From <see cref="Begin"/>.</param>
    /// <param name="count">How many windows at most.</param>
    /// <returns>Null where no window has a value.</returns>
    public static Course? Of(IEnumerable<IndicatorValue> rows, IndicatorSpec spec, DateTimeOffset begin, int count, Display display)
    {
        var windows = CalendarWindows.Parse(spec.Window, spec.TimeZone);
        var known = rows.DistinctBy(r => r.From).ToDictionary(r => r.From.UtcTicks);
        if (!known.Values.Any(r => r.Value is not null)) return null;

        var points = new List<CoursePoint>();
        var last = known.Keys.Max();
        for (var from = windows.Floor(begin.UtcTicks); from <= last && points.Count < count; from = windows.Next(from))
        {
            var start = new DateTimeOffset(from, TimeSpan.Zero);
            var words = display.Window(start, new(windows.Next(from), TimeSpan.Zero), spec.Window, spec.TimeZone);
            points.Add(known.TryGetValue(from, out var row)
                ? new(start, words, row.Value, display.Number(row.Value, spec.Decimals), row.State, row.Count)
                : new(start, words, null, "–", null, null));
        }

        // A young feed: what was before it is left out.
        var first = points.FindIndex(p => p.State is not null);
        points.RemoveRange(0, Math.Max(0, Math.Min(first, points.Count - FewestWindows)));

        var bars = spec.Function is MeasureFunction.Count or MeasureFunction.Sum;
        var values = points.Where(p => p.Value is { } v && double.IsFinite(v)).Select(p => p.Value!.Value).ToList();
        if (values.Count == 0) return null;
        var (ticks, decimals) = Axis(values.Min(), values.Max(), fromZero: bars);
        return new([.. points], ticks, bars, decimals);
    }

    /// <summary>Four to eight round marks around the values.</summary>
    internal static (ImmutableArray<double> Ticks, int Decimals) Axis(double least, double greatest, bool fromZero)
    {
        if (fromZero) (least, greatest) = (Math.Min(0, least), Math.Max(0, greatest));
        if (greatest - least < Math.Max(Math.Abs(greatest), Math.Abs(least)) * 1e-9 || greatest == least)
        {
            // A flat course in the middle of its axis.
            var around = greatest == 0 ? 1 : Math.Abs(greatest) * 0.1;
            (least, greatest) = fromZero && least == 0 ? (0, Math.Max(greatest, 1)) : (least - around, greatest + around);
        }

        var rough = (greatest - least) / 4;
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var step = power * ((rough / power) switch { <= 1 => 1, <= 2 => 2, <= 2.5 => 2.5, <= 5 => 5, _ => 10 });
        var (first, last) = (Math.Floor(least / step + 1e-9), Math.Ceiling(greatest / step - 1e-9));
        var decimals = Math.Clamp((int)-Math.Floor(Math.Log10(step) + 1e-9) + (Math.Abs(step / power - 2.5) < 1e-6 ? 1 : 0), 0, 15);
        return ([.. Enumerable.Range(0, (int)(last - first) + 1).Select(i => Math.Round((first + i) * step, decimals))], decimals);
    }
}

/// <param name="From">Begin of the window.</param>
/// <param name="Window">From when to when, in words.</param>
/// <param name="Value">Null where there is none.</param>
/// <param name="Text">The value as written.</param>
/// <param name="State">Null where the window has no row.</param>
/// <param name="Count">Rows behind the value.</param>
public sealed record CoursePoint(DateTimeOffset From, string Window, double? Value, string Text, ValueState? State, long? Count);
