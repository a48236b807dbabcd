using System.Globalization;

namespace DataHub.Catalog;

/// <summary>Reads dates, times and instants as Table Schema writes them: ISO 8601, and for format <c>any</c> some more.</summary>
internal static class ClockText
{
    private static readonly string[] s_anyDates = ["yyyyMMdd", "d.M.yyyy", "yyyy/M/d", "d. MMMM yyyy", "d MMM yyyy", "d MMMM yyyy"];

    private static readonly string[] s_anyTimes = ["H:mm", "H:mm:ss", "HHmm", "HHmmss", "h:mm tt", "h:mm:ss tt"];

    private static readonly string[] s_anyInstants =
    [
        "d.M.yyyy H:mm", "d.M.yyyy H:mm:ss", "d.M.yyyy, H:mm", "d.M.yyyy, H:mm:ss", "yyyy/M/d H:mm", "yyyy/M/d H:mm:ss",
        "yyyyMMdd'T'HHmm", "yyyyMMdd'T'HHmmss", "yyyyMMddHHmmss", "d MMM yyyy H:mm", "d MMM yyyy H:mm:ss",
    ];

    private static readonly string[] s_anyUtcInstants = ["r", "yyyyMMdd'T'HHmmss'Z'", "yyyyMMdd'T'HHmm'Z'"];

    /// <summary><c>YYYY-MM-DD</c> and nothing else, as days since 0001-01-01.</summary>
    public static bool TryDate(ReadOnlySpan<char> text, out long dayNumber)
    {
        dayNumber = 0;
        if (text.Length != 10 || text[4] != '-' || text[7] != '-'
            || !Digits(text[..4], out var year) || !Digits(text[5..7], out var month) || !Digits(text[8..], out var day)) return false;
        return TryDate(year, month, day, out dayNumber);
    }

    public static bool TryDate(int year, int month, int day, out long dayNumber)
    {
        dayNumber = 0;
        if (year is < 1 or > 9999 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month)) return false;
        dayNumber = new DateOnly(year, month, day).DayNumber;
        return true;
    }

    /// <summary>
    /// <c>hh:mm[:ss[.fffffffff]]</c>, as ticks since midnight; digits beyond 100 ns are cut off.
    /// </summary>
    /// <param name="used">How many characters the time took.</param>
    public static bool TryTime(ReadOnlySpan<char> text, out long ticks, out int used)
    {
        ticks = 0;
        used = 0;
        if (text.Length < 5 || text[2] != ':' || !Digits(text[..2], out var hour) || !Digits(text[3..5], out var minute) || hour > 23 || minute > 59) return false;
        ticks = ((hour * 60L) + minute) * TimeSpan.TicksPerMinute;
        used = 5;
        if (text.Length == 5 || text[5] != ':') return true;
        if (text.Length < 8 || !Digits(text[6..8], out var second) || second > 59) return false;
        ticks += second * TimeSpan.TicksPerSecond;
        used = 8;
        if (text.Length == 8 || text[8] is not ('.' or ',')) return true;

        var digits = 0;
        var scale = TimeSpan.TicksPerSecond;
        while (9 + digits < text.Length && char.IsAsciiDigit(text[9 + digits]))
        {
            scale /= 10;
            ticks += (text[9 + digits] - '0') * scale;
            if (++digits > 9) return false;
        }

        used = 9 + digits;
        return digits > 0;
    }

    /// <summary>A date, <c>T</c> or a space, a time, and <c>Z</c>, an offset, or nothing.</summary>
    /// <param name="ticks">Ticks of the clock that was written down.</param>
    /// <param name="offset">Ticks ahead of UTC; null where none was written.</param>
    public static bool TryInstant(ReadOnlySpan<char> text, out long ticks, out long? offset)
    {
        ticks = 0;
        offset = null;
        if (text.Length < 16 || text[10] is not ('T' or 't' or ' ') || !TryDate(text[..10], out var day) || !TryTime(text[11..], out var time, out var used)) return false;
        ticks = (day * TimeSpan.TicksPerDay) + time;
        var rest = text[(11 + used)..];
        return rest.IsEmpty || TryOffset(rest, out offset);
    }

    /// <summary><c>Z</c>, <c>±hh</c>, <c>±hhmm</c> or <c>±hh:mm</c>, up to 14 hours.</summary>
    public static bool TryOffset(ReadOnlySpan<char> text, out long? offset)
    {
        offset = null;
        if (text is "Z" or "z")
        {
            offset = 0;
            return true;
        }

        if (text.Length is not (3 or 5 or 6) || text[0] is not ('+' or '-') || !Digits(text[1..3], out var hours)) return false;
        var minutes = 0;
        if (text.Length == 5 && !Digits(text[3..], out minutes)) return false;
        if (text.Length == 6 && (text[3] != ':' || !Digits(text[4..], out minutes))) return false;
        if (minutes > 59 || (hours * 60) + minutes > 14 * 60) return false;
        offset = ((hours * 60L) + minutes) * TimeSpan.TicksPerMinute * (text[0] == '-' ? -1 : 1);
        return true;
    }

    /// <summary>Format <c>any</c>: ISO 8601 also without hyphens, <c>d.M.yyyy</c>, <c>yyyy/M/d</c>, or the month as a word.</summary>
    public static bool TryAnyDate(ReadOnlySpan<char> text, out long dayNumber)
    {
        if (TryDate(text, out dayNumber)) return true;
        if (!TryExact(text, s_anyDates, out var date)) return false;
        dayNumber = DateOnly.FromDateTime(date).DayNumber;
        return true;
    }

    /// <summary>Format <c>any</c>: 24 or 12 hours, with or without seconds.</summary>
    public static bool TryAnyTime(ReadOnlySpan<char> text, out long ticks)
    {
        if (TryTime(text, out ticks, out var used) && used == text.Length) return true;
        if (!TryExact(text, s_anyTimes, out var time)) return false;
        ticks = time.TimeOfDay.Ticks;
        return true;
    }

    /// <summary>Format <c>any</c>: ISO 8601, RFC 1123, or a German or slashed date with a time.</summary>
    public static bool TryAnyInstant(ReadOnlySpan<char> text, out long ticks, out long? offset)
    {
        if (TryInstant(text, out ticks, out offset)) return true;
        if (TryExact(text, s_anyUtcInstants, out var utc))
        {
            (ticks, offset) = (utc.Ticks, 0);
            return true;
        }

        if (!TryExact(text, s_anyInstants, out var local)) return false;
        (ticks, offset) = (local.Ticks, null);
        return true;
    }

    /// <summary>Only ASCII digits, at most nine.</summary>
    public static bool Digits(ReadOnlySpan<char> text, out int number)
    {
        number = 0;
        foreach (var c in text)
        {
            if (!char.IsAsciiDigit(c)) return false;
            number = (number * 10) + (c - '0');
        }

        return text.Length is > 0 and <= 9;
    }

    private static bool TryExact(ReadOnlySpan<char> text, string[] formats, out DateTime time) =>
        DateTime.TryParseExact(text, formats, CultureInfo.InvariantCulture, DateTimeStyles.None, out time)
        || DateTime.TryParseExact(text, formats, s_german, DateTimeStyles.None, out time);

    private static readonly CultureInfo s_german = CultureInfo.ReadOnly(CultureInfo.GetCultureInfo("de-DE"));
}
