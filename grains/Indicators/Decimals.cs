using System.Globalization;

namespace DataHub.Indicators;

/// <summary>Rounding for output (design §2, "Row semantics").</summary>
internal static class Decimals
{
    public const int Most = 15;

    private static readonly double[] s_powers = [.. Enumerable.Range(0, Most + 1).Select(d => double.Parse($"1e{d}", CultureInfo.InvariantCulture))];

    /// <summary>
    /// The value's exact decimal expansion rounded half away from zero, as the nearest double: 2.675, which is a little
    /// less than that, gives 2.67 with two places, and 0.125, which is exactly that, 0.13. Never −0.
    /// </summary>
    /// <param name="value">Finite.</param>
    /// <param name="places">0 to <see cref="Most"/>.</param>
    public static double Round(double value, int places)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(places);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(places, Most);

        var bits = BitConverter.DoubleToInt64Bits(value);
        var exponent = (int)((bits >> 52) & 0x7FF) - 1_075;
        if (exponent >= 0) return value; // a whole number

        // value · 10^places = mantissa · 10^places / 2^-exponent; the product stays below 2^103.
        var mantissa = (UInt128)(ulong)((bits & 0xF_FFFF_FFFF_FFFF) | (1L << 52));
        var scaled = mantissa * (UInt128)s_powers[places];
        var rounded = -exponent > 104 ? UInt128.Zero : (scaled + (UInt128.One << (-exponent - 1))) >> -exponent;
        if (rounded == UInt128.Zero) return 0;

        // Below 2^53 numerator and power are exact, so the division is rounded once; else the text is parsed, which is as well.
        var magnitude = rounded < (UInt128.One << 53)
            ? (ulong)rounded / s_powers[places]
            : double.Parse(rounded.ToString(CultureInfo.InvariantCulture) + "e-" + places.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        return bits < 0 ? -magnitude : magnitude;
    }
}
