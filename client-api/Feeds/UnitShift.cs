using System.Collections.Frozen;

namespace DataHub.Feeds;

/// <summary>How far the decimal point moves from one unit to another that differs in metric prefixes only (UCUM §27–30).</summary>
internal static class UnitShift
{
    private static readonly FrozenDictionary<string, int> s_prefixes = new Dictionary<string, int>(StringComparer.Ordinal)
    {
        ["Y"] = 24,
        ["Z"] = 21,
        ["E"] = 18,
        ["P"] = 15,
        ["T"] = 12,
        ["G"] = 9,
        ["M"] = 6,
        ["k"] = 3,
        ["h"] = 2,
        ["da"] = 1,
        ["d"] = -1,
        ["c"] = -2,
        ["m"] = -3,
        ["u"] = -6,
        ["µ"] = -6,
        ["n"] = -9,
        ["p"] = -12,
        ["f"] = -15,
        ["a"] = -18,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Units that take prefixes; longer ones first, so that <c>mol</c> is not milli-ol.</summary>
    private static readonly string[] s_bases = ["mol", "bar", "Hz", "Pa", "By", "bit", "eq", "lm", "lx", "Bq", "Sv", "g", "m", "s", "A", "K", "L", "l", "W", "J", "V", "N", "t"];

    /// <summary>Powers of ten from <paramref name="from"/> to <paramref name="to"/>: 3 from mg/m3 to ug/m3; null where there is no such factor.</summary>
    public static int? Between(string from, string to)
    {
        if (Parse(from) is not { } a || Parse(to) is not { } b) return null;
        return a.Bases.SequenceEqual(b.Bases) ? a.Power - b.Power : null;
    }

    private static (int Power, List<(string Base, int Exponent)> Bases)? Parse(string unit)
    {
        var power = 0;
        var bases = new List<(string, int)>();
        var parts = unit.Split('/');
        for (var p = 0; p < parts.Length; p++)
        {
            foreach (var factor in parts[p].Split('.'))
            {
                if (factor == "1" && p == 0 && parts.Length > 1) continue;
                var digits = factor.Length;
                while (digits > 0 && char.IsAsciiDigit(factor[digits - 1])) digits--;
                if (factor.Length - digits > 1) return null;
                var exponent = (digits == factor.Length ? 1 : factor[digits] - '0') * (p == 0 ? 1 : -1);
                var name = factor[..digits];
                if (s_bases.FirstOrDefault(b => name == b || (name.EndsWith(b, StringComparison.Ordinal) && s_prefixes.ContainsKey(name[..^b.Length]))) is not { } known) return null;
                power += (name == known ? 0 : s_prefixes[name[..^known.Length]]) * exponent;
                bases.Add((known == "l" ? "L" : known, exponent));
            }
        }

        bases.Sort();
        return (power, bases);
    }
}
