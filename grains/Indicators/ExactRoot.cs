using System.Numerics;

namespace DataHub.Indicators;

/// <summary>The square root of a fraction of whole numbers, rounded once.</summary>
internal static class ExactRoot
{
    /// <summary>Bits of the quotient: its root then has 55 or 56, of which the last two or three only serve to round.</summary>
    private const int QuotientBits = 110;

    /// <summary>√(<paramref name="numerator"/> / <paramref name="denominator"/>) · 2^<paramref name="exponent"/> as the nearest double, ties to even.</summary>
    /// <param name="numerator">Not negative.</param>
    /// <param name="denominator">Positive.</param>
    /// <param name="exponent">The result must not be subnormal or beyond what a double holds.</param>
    public static double Of(BigInteger numerator, BigInteger denominator, int exponent)
    {
        if (numerator.IsZero) return 0;

        // numerator / denominator = quotient · 2^-2k, up to what the division leaves.
        var bits = QuotientBits - (int)(numerator.GetBitLength() - denominator.GetBitLength());
        var k = (bits + (bits & 1)) / 2;
        if (k > 0) numerator <<= 2 * k;
        else denominator <<= -2 * k;
        var quotient = (UInt128)BigInteger.DivRem(numerator, denominator, out var rest);

        // The double's root is off by a few units at most.
        var root = (ulong)Math.Sqrt((double)quotient);
        while ((UInt128)root * root > quotient) root--;
        while ((UInt128)(root + 1) * (root + 1) <= quotient) root++;
        var sticky = !rest.IsZero || (UInt128)root * root != quotient;

        var excess = 64 - 53 - BitOperations.LeadingZeroCount(root);
        var mantissa = root >> excess;
        var below = root & ((1UL << excess) - 1);
        var half = 1UL << (excess - 1);
        if (below > half || (below == half && (sticky || (mantissa & 1) != 0))) mantissa++;
        return Math.ScaleB(mantissa, exponent - k + excess);
    }
}
