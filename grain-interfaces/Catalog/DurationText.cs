using System.Globalization;
using System.Text;

namespace DataHub.Catalog;

/// <summary>Durations as ISO 8601 and XML Schema write them: <c>P3Y6M4DT12H30M5.5S</c>, <c>P2W</c>.</summary>
internal static class DurationText
{
    /// <summary>The same duration without leading zeros and parts that are 0; <c>PT0S</c> for none. Parts are not carried over: a month is no number of days.</summary>
    public static bool TryCanonical(ReadOnlySpan<char> text, out string canonical)
    {
        canonical = "";
        var negative = text.Length > 0 && text[0] == '-';
        if (negative) text = text[1..];
        if (text.Length is < 3 or > 100 || text[0] != 'P') return false;
        text = text[1..];

        var rendered = new StringBuilder();
        var inTime = false;
        var next = 0;
        while (!text.IsEmpty)
        {
            if (text[0] == 'T')
            {
                if (inTime || text.Length == 1) return false;
                inTime = true;
                next = 0;
                text = text[1..];
                continue;
            }

            var digits = text.IndexOfAnyExceptInRange('0', '9');
            if (digits is < 1 or > 9) return false;
            var whole = int.Parse(text[..digits], CultureInfo.InvariantCulture);
            text = text[digits..];
            var fraction = ReadOnlySpan<char>.Empty;
            if (text[0] is '.' or ',')
            {
                var end = text[1..].IndexOfAnyExceptInRange('0', '9');
                if (end is < 1 or > 9) return false;
                fraction = text[1..(end + 1)].TrimEnd('0');
                text = text[(end + 1)..];
                if (text[0] != 'S') return false;
            }

            // Each unit at most once, in its order.
            var place = (inTime ? "HMS" : "YMWD").IndexOf(text[0], next == 0 ? 0 : next);
            if (place < 0) return false;
            next = place + 1;
            if (whole != 0 || !fraction.IsEmpty)
            {
                if (inTime && !rendered.ToString().Contains('T', StringComparison.Ordinal)) rendered.Append('T');
                rendered.Append(whole.ToString(CultureInfo.InvariantCulture));
                if (!fraction.IsEmpty) rendered.Append('.').Append(fraction);
                rendered.Append(text[0]);
            }

            text = text[1..];
        }

        canonical = rendered.Length == 0 ? "PT0S" : (negative ? "-P" : "P") + rendered;
        return true;
    }
}
