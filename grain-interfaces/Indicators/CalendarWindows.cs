using System.Collections.Concurrent;
using System.Globalization;

namespace DataHub.Indicators;

/// <summary>
/// Cuts the time line into calendar windows (design §4, "Time"). Instants are ticks of UTC; thread-safe.
/// </summary>
/// <remarks>
/// <para>A window longer than an hour begins at local clock times: at the first instant at which the zone's clock has
/// reached such a time. Where the clock jumps over it, that is the jump; where the clock shows it twice, the first time.
/// So windows never overlap and leave no gap, and in Europe/Berlin the day has 23 hours in March and 25 in October.</para>
/// <para>A window of up to an hour is cut in elapsed time from the first instant of the local day; where a day does not
/// consist of whole windows, the last one is shorter.</para>
/// <para>The time line is the years 1 to 9999: the first window begins and the last one ends there.</para>
/// </remarks>
public sealed class CalendarWindows
{
    private const long End = 3_155_378_976_000_000_000;
    private const int CacheSize = 256;

    private readonly ZoneClock _clock;

    /// <summary>Length of windows cut in elapsed time; 0 for the others.</summary>
    private readonly long _elapsed;

    /// <summary>Length by the local clock; for elapsed ones, a day. 0 for months.</summary>
    private readonly long _local;

    /// <summary>Number of months, 0 for the others.</summary>
    private readonly int _months;

    /// <summary>Found spans by the hour of the instant asked for.</summary>
    private readonly Span?[] _found = new Span?[CacheSize];

    private CalendarWindows(ZoneClock clock, long elapsed, long local, int months) =>
        (_clock, _elapsed, _local, _months) = (clock, elapsed, local, months);

    /// <summary>Reads a window as design §4 allows it.</summary>
    /// <param name="isoDuration">
    /// <c>PTnM</c> or <c>PTnH</c> that divides an hour or, if longer, 24 hours and is shorter than that; <c>P1D</c>;
    /// <c>P1W</c>; <c>PnM</c> that divides twelve months; <c>P1Y</c>.
    /// </param>
    /// <param name="timeZone">IANA name of the calendar's zone, such as <c>Europe/Berlin</c>.</param>
    /// <exception cref="FormatException">Another duration or an unknown zone; the message says what is allowed.</exception>
    public static CalendarWindows Parse(string isoDuration, string timeZone)
    {
        var clock = ZoneClock.Find(timeZone);
        return isoDuration switch
        {
            "P1D" => new(clock, 0, TimeSpan.TicksPerDay, 0),
            "P1W" or "P7D" => new(clock, 0, 7 * TimeSpan.TicksPerDay, 0),
            "P1Y" => new(clock, 0, 0, 12),
            _ when Number(isoDuration, "PT", 'M') is { } minutes => OfMinutes(clock, isoDuration, minutes),
            _ when Number(isoDuration, "PT", 'H') is { } hours => OfMinutes(clock, isoDuration, hours * 60),
            _ when Number(isoDuration, "P", 'M') is { } months && 12 % months == 0 => new(clock, 0, 0, months),
            _ => throw NotAllowed(isoDuration),
        };
    }

    /// <summary>The begin of the window that contains the instant.</summary>
    /// <param name="utcTicks">0 to <see cref="DateTime.MaxValue"/>.</param>
    public long Floor(long utcTicks)
    {
        var span = Containing(utcTicks);
        return _elapsed == 0 ? span.From : utcTicks - (utcTicks - span.From) % _elapsed;
    }

    /// <summary>The begin of the next window, which is the end of this one.</summary>
    /// <param name="windowFromTicks">Begin of a window, or any instant within it.</param>
    /// <returns>At most one tick beyond <see cref="DateTime.MaxValue"/>.</returns>
    public long Next(long windowFromTicks)
    {
        var span = Containing(windowFromTicks);
        return _elapsed == 0 ? span.To : Math.Min(Floor(windowFromTicks) + _elapsed, span.To);
    }

    /// <summary>The first instant of a day by the zone's clock.</summary>
    public long DayBegins(DateOnly day) => Math.Clamp(_clock.FirstReached(day.DayNumber * TimeSpan.TicksPerDay), 0, End - 1);

    private static CalendarWindows OfMinutes(ZoneClock clock, string text, int minutes) => minutes switch
    {
        <= 60 when 60 % minutes == 0 => new(clock, minutes * TimeSpan.TicksPerMinute, TimeSpan.TicksPerDay, 0),
        > 60 and < 1_440 when 1_440 % minutes == 0 => new(clock, 0, minutes * TimeSpan.TicksPerMinute, 0),
        _ => throw NotAllowed(text),
    };

    /// <summary>The number in a duration of one part; null where it is another, 0, has leading zeros or more than four digits.</summary>
    private static int? Number(string text, string prefix, char unit)
    {
        if (!text.StartsWith(prefix, StringComparison.Ordinal) || text[^1] != unit) return null;
        var digits = text.AsSpan(prefix.Length, Math.Max(0, text.Length - prefix.Length - 1));
        if (digits.Length is 0 or > 4 || digits[0] == '0') return null;
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    private static FormatException NotAllowed(string text) => new(
        $"'{(text.Length > 40 ? text[..40] : text)}' is no window. Allowed are PTnM or PTnH that divide an hour (PT1M to PT1H), or, up to PT12H, 24 hours; P1D; P1W; PnM that divides twelve months; P1Y.");

    /// <summary>The window, or for elapsed ones the day, that contains the instant.</summary>
    private Span Containing(long utcTicks)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(utcTicks);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(utcTicks, End);

        // A slot is replaced as a whole, so a reader sees one span or another, never a mixture.
        ref var slot = ref _found[(int)(utcTicks / TimeSpan.TicksPerHour % CacheSize)];
        var span = Volatile.Read(ref slot);
        if (span is not null && utcTicks >= span.From && utcTicks < span.To) return span;

        var reading = FloorLocal(_clock.LatestReading(utcTicks));
        span = new(Math.Max(0, _clock.FirstReached(reading)), Math.Min(End, _clock.FirstReached(NextLocal(reading))));
        Volatile.Write(ref slot, span);
        return span;
    }

    private long FloorLocal(long reading) => _months == 0 ? FloorDivide(reading, _local) * _local : MonthBegin(FloorDivide(MonthOf(reading), _months) * _months);

    private long NextLocal(long begin) => _months == 0 ? begin + _local : MonthBegin(MonthOf(begin) + _months);

    /// <summary>Months since year 0 of the proleptic Gregorian calendar.</summary>
    private static long MonthOf(long ticks)
    {
        // Days counted from 1 March of year 0, so that the leap day is the last of its year.
        var days = FloorDivide(ticks, TimeSpan.TicksPerDay) + 306;
        var era = FloorDivide(days, 146_097);
        var day = days - era * 146_097;
        var year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        var dayOfYear = day - (365 * year + year / 4 - year / 100);
        return (year + era * 400) * 12 + (5 * dayOfYear + 2) / 153 + 2;
    }

    private static long MonthBegin(long month)
    {
        var fromMarch = month - 2;
        var year = FloorDivide(fromMarch, 12);
        var era = FloorDivide(year, 400);
        var yearOfEra = year - era * 400;
        var dayOfYear = (153 * (fromMarch - year * 12) + 2) / 5;
        return (era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 306) * TimeSpan.TicksPerDay;
    }

    private static long FloorDivide(long a, long b) => a >= 0 ? a / b : -((b - 1 - a) / b);

    private sealed record Span(long From, long To);

    /// <summary>What the clock of a zone shows.</summary>
    private sealed class ZoneClock(TimeZoneInfo zone)
    {
        /// <summary>More than any clock differs from UTC or was ever put back.</summary>
        private const long Reach = 2 * TimeSpan.TicksPerDay;

        private static readonly ConcurrentDictionary<string, ZoneClock> Known = new(StringComparer.Ordinal);

        /// <summary>Per UTC year when the offset changed in it, found when first asked for.</summary>
        private readonly ConcurrentDictionary<int, Change[]> _changes = new();

        public static ZoneClock Find(string timeZone)
        {
            if (Known.TryGetValue(timeZone, out var clock)) return clock;
            if (timeZone.Length is 0 or > 64 || !TimeZoneInfo.TryFindSystemTimeZoneById(timeZone, out var zone) || !zone.HasIanaId)
                throw new FormatException($"'{(timeZone.Length > 64 ? timeZone[..64] : timeZone)}' is no IANA time zone, such as Europe/Berlin.");
            return Known.GetOrAdd(timeZone, new ZoneClock(zone));
        }

        /// <summary>The latest local time the clock had shown by an instant: later than what it shows for a while after it was put back.</summary>
        public long LatestReading(long utcTicks)
        {
            var latest = utcTicks + OffsetAt(utcTicks);

            // What the clock would have shown at the change itself it did not show any more.
            foreach (var change in Changes(utcTicks - Reach, utcTicks)) latest = Math.Max(latest, change.At + change.Before - 1);
            return latest;
        }

        /// <summary>The first instant at which the clock had reached a local time.</summary>
        public long FirstReached(long reading)
        {
            var from = reading - Reach;
            var offset = OffsetAt(from);
            foreach (var change in Changes(from, reading + Reach))
            {
                if (reading - offset < change.At) break;
                if (reading - change.After <= change.At) return change.At;
                offset = change.After;
            }

            return reading - offset;
        }

        private long OffsetAt(long utcTicks) =>
            zone.GetUtcOffset(new DateTime(Math.Clamp(utcTicks, 0, End - 1), DateTimeKind.Utc)).Ticks;

        /// <summary>When the offset changed after an instant and up to another, in order.</summary>
        private IEnumerable<Change> Changes(long after, long upTo)
        {
            for (var year = YearOf(after); year <= YearOf(upTo); year++)
            {
                foreach (var change in _changes.GetOrAdd(year, FindChanges))
                {
                    if (change.At > after && change.At <= upTo) yield return change;
                }
            }
        }

        private static int YearOf(long utcTicks) => new DateTime(Math.Clamp(utcTicks, 0, End - 1)).Year;

        private Change[] FindChanges(int year)
        {
            // No zone has changed its clock twice within half a day and back to where it was.
            const long Step = TimeSpan.TicksPerDay / 2;
            var changes = new List<Change>();
            var begin = new DateTime(year, 1, 1).Ticks;
            var end = year == 9_999 ? End - 1 : new DateTime(year + 1, 1, 1).Ticks;
            var last = Math.Max(0, begin - 1);
            var offset = OffsetAt(last);
            for (var next = begin; last < end - 1; next = Math.Min(next + Step, end - 1))
            {
                var target = OffsetAt(next);
                while (offset != target)
                {
                    // The first instant after `last` with another offset.
                    var (before, after) = (last, next);
                    while (after - before > 1)
                    {
                        var middle = before + (after - before) / 2;
                        if (OffsetAt(middle) == offset) before = middle;
                        else after = middle;
                    }

                    changes.Add(new(after, offset, OffsetAt(after)));
                    offset = OffsetAt(after);
                    last = after;
                }

                last = next;
            }

            return [.. changes];
        }

        private readonly record struct Change(long At, long Before, long After);
    }
}
