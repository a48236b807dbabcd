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

    /// <summary>Its parts, greatest first; empty where it is not <see cref="IsValid"/> or lasts no time.</summary>
    public static IReadOnlyList<(long Number, AgreementUnit Unit)> Parts(string text)
    {
        var parts = new List<(long, AgreementUnit)>();
        if (!DurationText.TryCanonical(text, out var canonical) || canonical[0] == '-' || canonical.Contains('.', StringComparison.Ordinal) || canonical == "PT0S") return parts;
        var (inTime, from) = (false, 1);
        for (var i = 1; i < canonical.Length; i++)
        {
            var letter = canonical[i];
            if (char.IsAsciiDigit(letter)) continue;
            if (letter == 'T')
            {
                inTime = true;
            }
            else
            {
                parts.Add((long.Parse(canonical.AsSpan(from, i - from), CultureInfo.InvariantCulture), letter switch
                {
                    'Y' => AgreementUnit.Year,
                    'M' => inTime ? AgreementUnit.Minute : AgreementUnit.Month,
                    'W' => AgreementUnit.Week,
                    'D' => AgreementUnit.Day,
                    'H' => AgreementUnit.Hour,
                    _ => AgreementUnit.Second,
                }));
            }

            from = i + 1;
        }

        return parts;
    }

    private static bool TryParse(string text, out int months, out TimeSpan rest)
    {
        (months, rest) = (0, TimeSpan.Zero);
        var parts = Parts(text);
        if (parts.Count == 0 && !(DurationText.TryCanonical(text, out var canonical) && canonical == "PT0S")) return false;
        var wholeMonths = parts.Sum(part => part.Unit switch { AgreementUnit.Year => part.Number * 12, AgreementUnit.Month => part.Number, _ => 0 });
        var seconds = parts.Sum(part => part.Number * part.Unit switch
        {
            AgreementUnit.Week => 604_800,
            AgreementUnit.Day => 86_400,
            AgreementUnit.Hour => 3_600,
            AgreementUnit.Minute => 60,
            AgreementUnit.Second => 1,
            _ => 0,
        });
        if (wholeMonths > MaxMonths || seconds > MaxDays * 86_400L) return false;
        (months, rest) = ((int)wholeMonths, TimeSpan.FromSeconds(seconds));
        return true;
    }
}

/// <summary>What durations are made of.</summary>
public enum AgreementUnit
{
    Second = 0,
    Minute = 1,
    Hour = 2,
    Day = 3,
    Week = 4,
    Month = 5,
    Year = 6,
}
