using System.Numerics;

namespace DataHub.Indicators;

/// <summary>
/// The number of different values from their hashes: each falls into the register its first bits name, with the rank of
/// the first set bit of the others. Only the highest rank of each register matters.
/// </summary>
/// <remarks>
/// P. Flajolet et al., "HyperLogLog", 2007; estimated as in O. Ertl, "New cardinality estimation algorithms for HyperLogLog
/// sketches", 2017, which needs no correction for small or large numbers. The standard error is about
/// 1.04 / √<see cref="Registers"/> = 1.6 %; small numbers are nearly exact.
/// </remarks>
internal static class HyperLogLog
{
    private const int RegisterBits = 12;

    public const int Registers = 1 << RegisterBits;

    /// <summary>Rank of a hash none of whose other bits is set.</summary>
    public const int MaxRank = 64 - RegisterBits + 1;

    public static int RegisterOf(ulong hash) => (int)(hash >> (64 - RegisterBits));

    /// <summary>1 to <see cref="MaxRank"/>.</summary>
    public static int RankOf(ulong hash) => Math.Min(BitOperations.LeadingZeroCount(hash << RegisterBits) + 1, MaxRank);

    /// <summary>Estimates the number of different hashes.</summary>
    /// <param name="registers">How many registers have each highest rank, from 0 (none) to <see cref="MaxRank"/>; together <see cref="Registers"/>.</param>
    public static double Estimate(ReadOnlySpan<int> registers)
    {
        // Ertl's algorithm 6: m² / (2 ln 2 · z).
        const double Alpha = 0.72134752044448170368;
        const double M = Registers;
        var z = M * Tau((M - registers[MaxRank]) / M);
        for (var rank = MaxRank - 1; rank >= 1; rank--) z = (z + registers[rank]) / 2;
        z += M * Sigma(registers[0] / M);
        return Alpha * M * M / z;
    }

    /// <summary>x + Σ x^(2^k) · 2^(k−1): what the registers without a rank stand for.</summary>
    private static double Sigma(double x)
    {
        if (x == 1) return double.PositiveInfinity;
        var (sum, factor, before) = (x, 1.0, double.NaN);
        while (sum != before)
        {
            x *= x;
            before = sum;
            sum += x * factor;
            factor *= 2;
        }

        return sum;
    }

    /// <summary>(1 − x − Σ (1 − x^(2^−k))² · 2^−k) / 3: what the registers at the highest rank stand for.</summary>
    private static double Tau(double x)
    {
        if (x is 0 or 1) return 0;
        var (sum, factor, before) = (1 - x, 1.0, double.NaN);
        while (sum != before)
        {
            x = Math.Sqrt(x);
            before = sum;
            factor /= 2;
            sum -= (1 - x) * (1 - x) * factor;
        }

        return sum / 3;
    }
}
