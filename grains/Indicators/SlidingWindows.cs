using System.Globalization;

namespace DataHub.Indicators;

/// <summary>How many windows a sliding value covers. Pure.</summary>
internal static class SlidingWindows
{
    /// <summary>Windows of one sliding value at most, whatever the setting.</summary>
    public const int Greatest = 10_000;

    /// <summary>1 where a value covers its window alone.</summary>
    public static int Of(IndicatorSpec spec) => spec.Sliding is { } sliding && TryCount(spec.Window, sliding, out var count) ? count : 1;

    /// <summary>
    /// A sliding length in minutes, hours, days or weeks over a window in minutes or hours (a day being 24 hours), in days
    /// or weeks over days or weeks, in months or years over months or years.
    /// </summary>
    /// <returns>False where it is no whole number of windows from 2 to <see cref="Greatest"/>.</returns>
    public static bool TryCount(string window, string sliding, out int count)
    {
        count = 0;
        if (!TryRead(window, out var unit, out var length) || !TryRead(sliding, out var slidingUnit, out var slidingLength)) return false;
        if (unit == Unit.Minute && slidingUnit == Unit.Day) slidingLength *= 1_440;
        else if (unit != slidingUnit) return false;
        if (slidingLength % length != 0 || slidingLength / length is < 2 or > Greatest) return false;
        count = (int)(slidingLength / length);
        return true;
    }

    private static bool TryRead(string duration, out Unit unit, out long length)
    {
        (unit, length) = (default, 0);
        var clock = duration.StartsWith("PT", StringComparison.Ordinal);
        var digits = duration.Length < 3 || duration[0] != 'P' ? [] : duration.AsSpan(clock ? 2 : 1, duration.Length - (clock ? 3 : 2));
        if (digits.Length is 0 or > 6 || digits[0] == '0' || !long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return false;
        (unit, var factor) = (clock, duration[^1]) switch
        {
            (true, 'M') => (Unit.Minute, 1),
            (true, 'H') => (Unit.Minute, 60),
            (false, 'D') => (Unit.Day, 1),
            (false, 'W') => (Unit.Day, 7),
            (false, 'M') => (Unit.Month, 1),
            (false, 'Y') => (Unit.Month, 12),
            _ => (default, 0),
        };
        length = number * factor;
        return factor > 0;
    }

    private enum Unit
    {
        Minute,
        Day,
        Month,
    }
}
