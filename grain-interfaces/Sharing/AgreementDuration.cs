using System.Globalization;

using DataHub.Catalog;

namespace DataHub.Sharing;

/// <summary>
/// Durations of agreements: ISO 8601, whole numbers, not negative (<c>PT15M</c>, <c>P14D</c>, <c>P1M</c>, <c>P1Y</c>). Months and
/// years are reckoned by the calendar in UTC: one month after 31 January is the last day of February.
/// </summary>
public static class AgreementDuration
{
    /// <summary>Longest, in months, and in days for what is no month.</summary>
    public const int MaxMonths = 240, MaxDays = 7_300;

    /// <summary>Whether it is one that can be reckoned with.</summary>
    public static bool IsValid(string? text) => text is not null && TryParse(text, out _, out _);

    /// <summary>An instant so often later; the same text always gives the same.</summary>
    /// <param name="times">0 or more.</param>
    /// <exception cref="FormatException">Not <see cref="IsValid"/>.</exception>
    public static DateTimeOffset Add(DateTimeOffset from, string text, int times = 1)
    {
        if (!TryParse(text, out var months, out var rest)) throw new FormatException($"“{text}” is no duration of an agreement");
        return from.ToUniversalTime().AddMonths(months * times) + (rest * times);
    }

    /// <summary>An instant so much earlier.</summary>
    public static DateTimeOffset Before(DateTimeOffset until, string text) => Add(until, text, -1);

    private static bool TryParse(string text, out int months, out TimeSpan rest)
    {
        (months, rest) = (0, TimeSpan.Zero);
        if (!DurationText.TryCanonical(text, out var canonical) || canonical[0] == '-' || canonical.Contains('.', StringComparison.Ordinal)) return false;
        var (inTime, from) = (false, 1);
        long wholeMonths = 0, seconds = 0;
        for (var i = 1; i < canonical.Length; i++)
        {
            var unit = canonical[i];
            if (char.IsAsciiDigit(unit)) continue;
            if (unit == 'T')
            {
                inTime = true;
                from = i + 1;
                continue;
            }

            var number = long.Parse(canonical.AsSpan(from, i - from), CultureInfo.InvariantCulture);
            from = i + 1;
            if (unit == 'Y') wholeMonths += number * 12;
            else if (unit == 'M' && !inTime) wholeMonths += number;
            else seconds += number * unit switch { 'W' => 604_800, 'D' => 86_400, 'H' => 3_600, 'M' => 60, _ => 1 };
        }

        if (wholeMonths > MaxMonths || seconds > MaxDays * 86_400L) return false;
        (months, rest) = ((int)wholeMonths, TimeSpan.FromSeconds(seconds));
        return true;
    }
}
