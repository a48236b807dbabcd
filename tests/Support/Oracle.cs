using System.Globalization;
using System.Numerics;
using System.Text;

namespace DataHub.Support;

/// <summary>A row as the oracle sees it: one accepted operation on one key.</summary>
/// <param name="Key">The primary key's values in order: text, whole numbers (long), doubles, booleans or null.</param>
/// <param name="Time">The row's time; null where it has none. Ignored for a deletion.</param>
/// <param name="Area">Id of the area it was resolved to.</param>
/// <param name="Values">Measured fields by name; null or missing is no value.</param>
/// <param name="Dimensions">Dimension fields by name, as the hub writes them as text.</param>
/// <param name="Delete">Takes the key away.</param>
public sealed record OracleRow(
    object?[] Key,
    DateTimeOffset? Time,
    string? Area,
    IReadOnlyDictionary<string, double?> Values,
    IReadOnlyDictionary<string, string?> Dimensions,
    bool Delete = false)
{
    /// <summary>Orders the versions of a key: one that is not higher than what stands is ignored. Null: the last received wins.</summary>
    public long? Revision { get; init; }

    /// <summary>Fields whose different values are counted, as the hub writes them as text; null or missing is no value.</summary>
    public IReadOnlyDictionary<string, string?> Texts { get; init; } = new Dictionary<string, string?>();

    /// <summary>When a record was opened; null for observations.</summary>
    public DateTimeOffset? Opened { get; init; }

    /// <summary>When it was closed; null while it is open.</summary>
    public DateTimeOffset? Closed { get; init; }

    /// <summary>Names the series of an observation.</summary>
    public string Series { get; init; } = "";
}

/// <summary>What is to be computed.</summary>
/// <param name="Function">count, sum, mean, min, max, last, stddev, stddevSample, p50, p90, p95, p99, distinct or open.</param>
/// <param name="Field">Measured field; null only for count and open. <c>@duration</c>: seconds from opened to closed.</param>
/// <param name="Window">ISO 8601 duration.</param>
/// <param name="Dimensions">Fields grouped by.</param>
public sealed record OracleIndicator(string Id, string Function, string? Field, string Window, string TimeZone, bool ByArea, string[] Dimensions)
{
    /// <summary>Windows that a value covers: its own and those right before.</summary>
    public int Covered { get; init; } = 1;

    /// <summary>Whether a row counts; null: every one does.</summary>
    public Func<OracleRow, bool>? Filter { get; init; }
}

/// <summary>How many different series stand behind a value, and behind that of the window before.</summary>
public sealed record OracleSeries(long Series, long Before);

/// <summary>One number's place. <see cref="Dimensions"/> joins the values by U+001F, a null being U+0000.</summary>
public readonly record struct OracleCell(string Indicator, string? Area, DateTimeOffset From, DateTimeOffset To, string Dimensions);

/// <param name="Value">Not rounded to decimals; null only for stddevSample of one row.</param>
public readonly record struct OracleValue(double? Value, long Count)
{
    public OracleSeries? Coverage { get; init; }
}

/// <summary>
/// Says what every indicator must be: replays the accepted operations one after the other and computes each cell from
/// the rows that stand at the end, in rational arithmetic. Shares no code with the hub on purpose: it cuts windows by
/// asking which instant a local time is (the hub asks which local time an instant is) and rounds by itself.
/// </summary>
public sealed class Oracle
{
    private readonly Dictionary<string, OracleRow> _standing = [];

    /// <summary>The rows that stand, in no particular order.</summary>
    public IReadOnlyCollection<OracleRow> Standing => _standing.Values;

    /// <summary>Plays operations in the order in which the log holds them.</summary>
    public Oracle Play(IEnumerable<OracleRow> rows)
    {
        foreach (var row in rows)
        {
            var key = KeyText(row.Key);
            if (row.Revision is { } revision && _standing.TryGetValue(key, out var stands) && stands.Revision >= revision) continue;
            if (row.Delete) _standing.Remove(key);
            else _standing[key] = row;
        }

        return this;
    }

    /// <inheritdoc cref="Play(IEnumerable{OracleRow})"/>
    public Oracle Play(IEnumerable<IEnumerable<OracleRow>> pushes)
    {
        foreach (var push in pushes) Play(push);
        return this;
    }

    /// <summary>Every cell of the indicators.</summary>
    /// <param name="indicators">What to compute.</param>
    /// <param name="areaAt">Maps a row's area to the one asked for (itself, its parent, …); null where the row belongs to none there and is left out. Rows without an area are under null.</param>
    public IReadOnlyDictionary<OracleCell, OracleValue> Cells(IEnumerable<OracleIndicator> indicators, Func<string, string?>? areaAt = null)
    {
        var cells = new Dictionary<OracleCell, OracleValue>();
        foreach (var indicator in indicators)
        {
            var groups = new Dictionary<OracleCell, List<OracleRow>>();
            foreach (var row in _standing.Values)
            {
                if (row.Time is not { } time || !HasValue(indicator, row) || indicator.Filter?.Invoke(row) == false) continue;
                string? area = null;
                if (indicator.ByArea && row.Area is not null)
                {
                    area = areaAt is null ? row.Area : areaAt(row.Area);
                    if (area is null) continue;
                }

                var (from, to) = Window(indicator.Window, indicator.TimeZone, time);
                var dimensions = string.Join('\u001f', indicator.Dimensions.Select(d => row.Dimensions.GetValueOrDefault(d) ?? "\0"));
                var cell = new OracleCell(indicator.Id, area, from, to, dimensions);
                if (!groups.TryGetValue(cell, out var rows)) groups[cell] = rows = [];
                rows.Add(row);
            }

            foreach (var (cell, rows) in groups) cells[cell] = new(Measure(indicator, rows), rows.Count);
        }

        return cells;
    }

    /// <summary>
    /// Every value of an indicator, sliding ones and open records too, that begins in [from, to) and not after now: for each
    /// place and window the rows are sought anew, nothing is carried along.
    /// </summary>
    public IReadOnlyDictionary<OracleCell, OracleValue> Values(OracleIndicator indicator, DateTimeOffset from, DateTimeOffset to, DateTimeOffset now, Func<string, string?>? areaAt = null)
    {
        var values = new Dictionary<OracleCell, OracleValue>();
        var places = new Dictionary<(string? Area, string Dimensions), List<OracleRow>>();
        foreach (var row in _standing.Values)
        {
            if (WhenOf(indicator, row) is null || !HasValue(indicator, row) || indicator.Filter?.Invoke(row) == false) continue;
            string? area = null;
            if (indicator.ByArea && row.Area is not null)
            {
                area = areaAt is null ? row.Area : areaAt(row.Area);
                if (area is null) continue;
            }

            var dimensions = string.Join('\u001f', indicator.Dimensions.Select(d => row.Dimensions.GetValueOrDefault(d) ?? "\0"));
            if (!places.TryGetValue((area, dimensions), out var rows)) places[(area, dimensions)] = rows = [];
            rows.Add(row);
        }

        foreach (var ((area, dimensions), rows) in places)
        {
            var first = rows.Min(row => WhenOf(indicator, row)!.Value);
            var last = rows.Max(row => WhenOf(indicator, row)!.Value);
            var goesOn = indicator is not { Covered: 1, Function: not "open" };
            for (var (begin, end) = Window(indicator.Window, indicator.TimeZone, first < from ? from : first); begin < to && (begin <= last || (goesOn && begin <= now));
                (begin, end) = Window(indicator.Window, indicator.TimeZone, end))
            {
                if (begin < from) continue;

                // Nothing is carried on into windows that have not begun; rows ahead of time stand in their own.
                if (begin > now && (indicator.Function == "open" || (goesOn && !rows.Exists(row => WhenOf(indicator, row) >= begin && WhenOf(indicator, row) < end)))) continue;
                var cell = new OracleCell(indicator.Id, area, begin, end, dimensions);
                if (indicator.Function == "open")
                {
                    if (!rows.Exists(row => row.Opened < end)) continue;
                    var open = rows.Count(row => row.Opened < end && (row.Closed is null || row.Closed >= end));
                    values[cell] = new(open, open);
                    continue;
                }

                var covered = In(rows, begin, end);
                if (covered.Count == 0) continue;
                var previous = Window(indicator.Window, indicator.TimeZone, begin.AddTicks(-1));
                values[cell] = new(Measure(indicator, covered), covered.Count)
                {
                    Coverage = new(covered.Select(row => row.Series).Distinct().LongCount(), In(rows, previous.From, previous.To).Select(row => row.Series).Distinct().LongCount()),
                };
            }
        }

        return values;

        List<OracleRow> In(List<OracleRow> rows, DateTimeOffset begin, DateTimeOffset end)
        {
            for (var back = 1; back < indicator.Covered; back++) begin = Window(indicator.Window, indicator.TimeZone, begin.AddTicks(-1)).From;
            return rows.FindAll(row => WhenOf(indicator, row) >= begin && WhenOf(indicator, row) < end);
        }
    }

    /// <summary>When a row counts.</summary>
    private static DateTimeOffset? WhenOf(OracleIndicator indicator, OracleRow row) =>
        indicator.Function == "open" ? row.Opened : indicator.Field == "@duration" ? (row.Opened is null ? null : row.Closed) : row.Time;

    private static double Number(OracleIndicator indicator, OracleRow row) =>
        indicator.Field == "@duration" ? (row.Closed!.Value - row.Opened!.Value).TotalSeconds : row.Values[indicator.Field!]!.Value + 0.0;

    private static bool HasValue(OracleIndicator indicator, OracleRow row) =>
        indicator.Field == "@duration" ||
        indicator.Field is not { } field || (indicator.Function == "distinct" ? row.Texts.GetValueOrDefault(field) is not null : row.Values.GetValueOrDefault(field) is not null);

    private static double? Measure(OracleIndicator indicator, List<OracleRow> rows)
    {
        if (indicator.Function == "count") return rows.Count;
        if (indicator.Function == "distinct") return Distinct(rows.Select(r => r.Texts[indicator.Field!]!));
        var values = rows.Select(row => Number(indicator, row)).ToList();
        return indicator.Function switch
        {
            "sum" => Sum(values),
            "mean" => Sum(values) / values.Count,
            "min" => values.Min(),
            "max" => values.Max(),
            "last" => rows.OrderBy(r => r.Time!.Value.UtcTicks).ThenBy(r => r.Key, KeyOrder).Last().Values[indicator.Field!]!.Value + 0.0,
            "stddev" => Deviation(values, sample: false),
            "stddevSample" => Deviation(values, sample: true),
            "p50" or "p90" or "p95" or "p99" => Percentile(values, int.Parse(indicator.Function[1..], CultureInfo.InvariantCulture)),
            _ => throw new ArgumentException($"The oracle does not know '{indicator.Function}'."),
        };
    }

    // ---- exact arithmetic: a double is a whole multiple of 2^-1074 ----

    /// <summary>The value in units of 2^-1074.</summary>
    public static BigInteger Exact(double value)
    {
        if (!double.IsFinite(value)) throw new ArgumentException($"{value} is no number.");
        var bits = BitConverter.DoubleToInt64Bits(value);
        var exponent = (int)((bits >> 52) & 0x7FF);
        var fraction = new BigInteger(bits & 0xF_FFFF_FFFF_FFFF);
        var magnitude = exponent == 0 ? fraction : (fraction + BigInteger.Pow(2, 52)) * BigInteger.Pow(2, exponent - 1);
        return bits < 0 ? -magnitude : magnitude;
    }

    /// <summary>The nearest double to so many units of 2^-1074, ties to even.</summary>
    public static double Round(BigInteger units)
    {
        var magnitude = BigInteger.Abs(units);
        var excess = (int)magnitude.GetBitLength() - 53;
        var power = -1_074;
        if (excess > 0)
        {
            var divisor = BigInteger.Pow(2, excess);
            var quotient = BigInteger.DivRem(magnitude, divisor, out var rest);
            var doubled = rest * 2;
            if (doubled > divisor || (doubled == divisor && !quotient.IsEven)) quotient += 1;
            magnitude = quotient;
            power += excess;
        }

        // Scaled in two steps, each exact: 2^-1074 alone would be subnormal.
        var scaled = Math.ScaleB(Math.ScaleB((double)(ulong)magnitude, power / 2), power - power / 2);
        return units.Sign < 0 ? -scaled : scaled;
    }

    /// <summary>The exact sum, rounded once.</summary>
    public static double Sum(IEnumerable<double> values) => Round(values.Aggregate(BigInteger.Zero, (sum, value) => sum + Exact(value)));

    /// <summary>
    /// The exact standard deviation, rounded once, ties to even: no root is drawn, the double is sought whose square is
    /// nearest. Null for a sample of one.
    /// </summary>
    public static double? Deviation(IReadOnlyCollection<double> values, bool sample)
    {
        BigInteger n = values.Count;
        if (sample && n.IsOne) return null;
        var exact = values.Select(Exact).ToArray();
        var sum = exact.Aggregate(BigInteger.Zero, (s, x) => s + x);
        var deviation = n * exact.Aggregate(BigInteger.Zero, (s, x) => s + x * x) - sum * sum;
        var divisor = n * (sample ? n - 1 : n);

        // Positive doubles are ordered as their bits are. The deviation is in [low, low + 1).
        var (low, high) = (0L, BitConverter.DoubleToInt64Bits(double.MaxValue));
        while (high - low > 1)
        {
            var middle = low + (high - low) / 2;
            var candidate = Exact(BitConverter.Int64BitsToDouble(middle));
            if (candidate * candidate * divisor <= deviation) low = middle;
            else high = middle;
        }

        var twiceMiddle = Exact(BitConverter.Int64BitsToDouble(low)) + Exact(BitConverter.Int64BitsToDouble(low + 1));
        var order = (4 * deviation).CompareTo(twiceMiddle * twiceMiddle * divisor);
        return BitConverter.Int64BitsToDouble(order < 0 || (order == 0 && (low & 1) == 0) ? low : low + 1);
    }

    /// <summary>The value at nearest rank, moved to the middle of the 128 equal steps of its octave that it lies in.</summary>
    public static double Percentile(IEnumerable<double> values, int percent)
    {
        var sorted = values.Order().ToArray();
        var rank = 1;
        while (100L * rank < (long)percent * sorted.Length) rank++;
        var value = sorted[rank - 1];
        if (value == 0) return 0;
        var step = Math.ScaleB(1, Math.ILogB(value) - 7);
        return Math.Sign(value) * (Math.Floor(Math.Abs(value) / step) + 0.5) * step;
    }

    /// <summary>
    /// What a HyperLogLog of 4,096 registers says about the XXH64 hashes of the texts, estimated as one closed sum; never
    /// more than there are texts.
    /// </summary>
    public static double Distinct(IEnumerable<string> texts)
    {
        var highest = new Dictionary<ulong, int>();
        var count = 0;
        foreach (var text in texts)
        {
            count++;
            var hash = System.IO.Hashing.XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(text));
            var rest = hash % (1UL << 52);
            var rank = rest == 0 ? 53 : 52 - Math.ILogB(rest);
            highest[hash / (1UL << 52)] = Math.Max(highest.GetValueOrDefault(hash / (1UL << 52)), rank);
        }

        var empty = (4_096 - highest.Count) / 4_096.0;
        var full = 1 - highest.Values.Count(rank => rank == 53) / 4_096.0;
        var sigma = empty + Enumerable.Range(1, 60).Sum(k => Math.Pow(empty, Math.Pow(2, k)) * Math.Pow(2, k - 1));
        var tau = (1 - full - Enumerable.Range(1, 60).Sum(k => Math.Pow(1 - Math.Pow(full, Math.Pow(2, -k)), 2) * Math.Pow(2, -k))) / 3;
        var mean = 4_096 * sigma + highest.Values.Where(rank => rank < 53).Sum(rank => Math.Pow(2, -rank)) + 4_096 * tau * Math.Pow(2, -52);
        return Math.Min(Math.Round(4_096.0 * 4_096.0 / (2 * Math.Log(2) * mean)), count);
    }

    /// <summary>The double nearest to the value rounded half away from zero to so many decimal places of its exact decimal expansion.</summary>
    public static double RoundDecimals(double value, int decimals)
    {
        // |value| · 10^d · 2 + 1, halved and cut off, is rounding half up of a magnitude.
        var unit = BigInteger.Pow(2, 1_074);
        var scaled = BigInteger.Abs(Exact(value)) * BigInteger.Pow(10, decimals);
        var digits = (scaled * 2 + unit) / (unit * 2);
        var text = digits.ToString(CultureInfo.InvariantCulture).PadLeft(decimals + 1, '0');
        var rounded = double.Parse($"{text[..^decimals]}.{text[^decimals..]}", NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture);
        return value < 0 && rounded != 0 ? -rounded : rounded;
    }

    // ---- windows, by asking the zone which instant a local time is ----

    private static readonly Dictionary<(string, string, DateTime), (DateTimeOffset[] Begins, DateTimeOffset End)> Days = [];
    private static readonly Lock DaysLock = new();

    /// <summary>The window that contains an instant.</summary>
    public static (DateTimeOffset From, DateTimeOffset To) Window(string window, string timeZone, DateTimeOffset time)
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById(timeZone);
        var guess = TimeZoneInfo.ConvertTime(time, zone).Date;

        // Long windows: the begin is at or before the local day; step back until it is at or before the instant.
        if (window is "P1D" or "P1W" or "P1Y" || (window[0] == 'P' && window[1] != 'T'))
        {
            var begin = BeginOf(window, guess.AddDays(1));
            while (InstantOf(zone, begin) > time) begin = BeginOf(window, begin.AddDays(-1));
            var end = begin;
            while (InstantOf(zone, end) <= time) end = EndOf(window, end);
            return (InstantOf(zone, begin), InstantOf(zone, end));
        }

        for (var day = guess.AddDays(1); ; day = day.AddDays(-1))
        {
            var (begins, last) = Day(window, zone, day);
            if (begins[0] > time) continue;
            var index = Array.FindLastIndex(begins, b => b <= time);
            return (begins[index], index + 1 < begins.Length ? begins[index + 1] : last);
        }
    }

    private static (DateTimeOffset[] Begins, DateTimeOffset End) Day(string window, TimeZoneInfo zone, DateTime day)
    {
        lock (DaysLock)
        {
            if (Days.TryGetValue((window, zone.Id, day), out var known)) return known;
            var minutes = window[^1] == 'H' ? 60 * int.Parse(window[2..^1], CultureInfo.InvariantCulture) : int.Parse(window[2..^1], CultureInfo.InvariantCulture);
            var begins = new List<DateTimeOffset>();
            var midnight = InstantOf(zone, day);
            var end = InstantOf(zone, day.AddDays(1));
            if (minutes <= 60)
            {
                for (var at = midnight; at < end; at = at.AddMinutes(minutes)) begins.Add(at);
            }
            else
            {
                for (var clock = 0; clock < 24 * 60; clock += minutes)
                {
                    var at = InstantOf(zone, day.AddMinutes(clock));
                    if (begins.Count == 0 || at > begins[^1]) begins.Add(at);
                }

                if (begins[^1] == end) begins.RemoveAt(begins.Count - 1);
            }

            return Days[(window, zone.Id, day)] = ([.. begins], end);
        }
    }

    private static DateTime BeginOf(string window, DateTime day) => window switch
    {
        "P1D" => day,
        "P1W" => day.AddDays(-(((int)day.DayOfWeek + 6) % 7)),
        "P1Y" => new(day.Year, 1, 1),
        _ => new(day.Year, (day.Month - 1) / Months(window) * Months(window) + 1, 1),
    };

    private static DateTime EndOf(string window, DateTime begin) => window switch
    {
        "P1D" => begin.AddDays(1),
        "P1W" => begin.AddDays(7),
        "P1Y" => begin.AddYears(1),
        _ => begin.AddMonths(Months(window)),
    };

    private static int Months(string window) => int.Parse(window[1..^1], CultureInfo.InvariantCulture);

    /// <summary>The first instant at which the zone's clock shows a local time or, where it jumps over it, a later one.</summary>
    private static DateTimeOffset InstantOf(TimeZoneInfo zone, DateTime local)
    {
        var at = DateTime.SpecifyKind(local, DateTimeKind.Unspecified);
        if (zone.IsInvalidTime(at))
        {
            // The first valid time after the gap is shown at the jump itself.
            while (zone.IsInvalidTime(at)) at = at.AddMinutes(1);
        }

        var offset = zone.IsAmbiguousTime(at) ? zone.GetAmbiguousTimeOffsets(at).Max() : zone.GetUtcOffset(at);
        return new DateTimeOffset(at, offset).ToUniversalTime();
    }

    // ---- keys ----

    private static string KeyText(object?[] key) => string.Join('\u001f', key.Select(part => part switch
    {
        null => "n",
        string text => "t" + text.Replace("\u001f", "\u001f\u001f"),
        double number => "d" + BitConverter.DoubleToInt64Bits(number + 0.0),
        _ => "o" + Convert.ToString(part, CultureInfo.InvariantCulture),
    }));

    private static readonly Comparer<object?[]> KeyOrder = Comparer<object?[]>.Create((a, b) =>
    {
        for (var i = 0; i < a.Length; i++)
        {
            var order = (a[i], b[i]) switch
            {
                (null, null) => 0,
                (null, _) => -1,
                (_, null) => 1,
                (string x, string y) => Encoding.UTF8.GetBytes(x).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(y)),
                (var x, var y) => ((IComparable)x).CompareTo(y),
            };
            if (order != 0) return order;
        }

        return 0;
    });
}
