using System.Globalization;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>Reads texts of cells as values of a type. Nothing is guessed value by value: what a file's numbers look like is settled for the whole file.</summary>
internal static class CellReader
{
    public static bool TryInteger(ReadOnlySpan<char> text, out long value) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value) && text[0] != '+' && value != Column.NullInteger;

    /// <param name="group">Between groups of three digits; null: nothing.</param>
    public static bool TryNumber(ReadOnlySpan<char> text, char point, char? group, out double value)
    {
        value = 0;
        // As computers write very large and very small numbers.
        if (point == '.' && text.ContainsAny('e', 'E'))
            return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && Normal(ref value);
        // 0.123 is never a hundred and twenty-three.
        if (group is { } between && text.TrimStart('-') is ['0', var second, ..] && second == between) return false;
        Span<char> plain = stackalloc char[CsvNumbers.Longest];
        return CsvNumbers.Read(text, point, group, plain, out var length) == CsvNumber.Plain
            && double.TryParse(plain[..length], NumberStyles.Float, CultureInfo.InvariantCulture, out value) && Normal(ref value);

        static bool Normal(ref double number)
        {
            if (number == 0) number = 0;
            return double.IsFinite(number);
        }
    }

    public static bool TryBoolean(ReadOnlySpan<char> text, out bool value)
    {
        value = text.Equals("true", StringComparison.OrdinalIgnoreCase) || text.Equals("wahr", StringComparison.OrdinalIgnoreCase) || text.Equals("ja", StringComparison.OrdinalIgnoreCase);
        return value || text.Equals("false", StringComparison.OrdinalIgnoreCase) || text.Equals("falsch", StringComparison.OrdinalIgnoreCase) || text.Equals("nein", StringComparison.OrdinalIgnoreCase);
    }

    /// <param name="value">Days since 0001-01-01.</param>
    public static bool TryDate(ReadOnlySpan<char> text, bool german, out long value)
    {
        var is_ = DateOnly.TryParseExact(text, german ? "d.M.yyyy" : "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date);
        value = date.DayNumber;
        return is_;
    }

    /// <param name="value">Ticks since midnight.</param>
    public static bool TryTime(ReadOnlySpan<char> text, out long value)
    {
        var is_ = TimeOnly.TryParseExact(text, "HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) || TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out time);
        value = time.Ticks;
        return is_;
    }

    /// <summary>ISO 8601 with an offset: an instant without one is none.</summary>
    /// <param name="value">UTC ticks.</param>
    public static bool TryInstant(ReadOnlySpan<char> text, out long value)
    {
        value = 0;
        if (text.Length < 17 || text[4] != '-' || text[7] != '-' || text[10] is not ('T' or ' ') || (text[^1] is not ('Z' or 'z') && text[10..].IndexOfAny('+', '-') < 0)) return false;
        var is_ = DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var instant);
        value = instant.UtcTicks;
        return is_;
    }

    /// <summary>The same, where it has no offset on the clocks of a zone.</summary>
    /// <param name="zone">Null: without an offset it is no instant.</param>
    public static bool TryInstant(ReadOnlySpan<char> text, TimeZoneInfo? zone, out long value) =>
        TryInstant(text, out value) || (zone is not null && TryLocal(text, out var local) && TryZone(local, zone, out value));

    /// <summary>ISO 8601 without an offset.</summary>
    /// <param name="value">What the clock shows, in ticks.</param>
    public static bool TryLocal(ReadOnlySpan<char> text, out long value)
    {
        value = 0;
        if (text.Length < 16 || text[4] != '-' || text[7] != '-' || text[10] is not ('T' or ' ') || text[13] != ':' || text[^1] is 'Z' or 'z' || text[10..].IndexOfAny('+', '-') >= 0) return false;
        var is_ = DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var local);
        value = local.Ticks;
        return is_;
    }

    /// <summary>The instant at which the clocks of a zone show something; false where they never do, or twice.</summary>
    public static bool TryZone(long local, TimeZoneInfo zone, out long instant)
    {
        var clock = new DateTime(local, DateTimeKind.Unspecified);
        instant = 0;
        if (zone.IsInvalidTime(clock) || zone.IsAmbiguousTime(clock)) return false;
        instant = local - zone.GetUtcOffset(clock).Ticks;
        return instant is >= 0 and <= MostTicks;
    }

    /// <summary>Reads by a pattern in the words of <c>strptime</c>.</summary>
    /// <param name="zone">Of instants without an offset; null: these are none.</param>
    public static bool TryPattern(ReadOnlySpan<char> text, StrptimePattern pattern, FieldType type, TimeZoneInfo? zone, out long value)
    {
        var is_ = pattern.TryRead(text, out var day, out var time, out var offset);
        value = type == FieldType.Date ? day : type == FieldType.Time ? time : (day * TimeSpan.TicksPerDay) + time - (offset ?? 0);
        if (!is_ || type != FieldType.DateTime || offset is not null) return is_;
        return zone is not null && TryZone(value, zone, out value);
    }

    /// <summary>The last instant of the year 9999.</summary>
    private const long MostTicks = 3_155_378_975_999_999_999;
}
