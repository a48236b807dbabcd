using System.Numerics;

namespace DataHub.Indicators;

/// <summary>The exact sum of doubles (design §2.5), a multiple of 2^-544.</summary>
internal sealed class ExactSum : ExactLimbs
{
    /// <summary>Exponent of the power of two that <see cref="ToWhole"/> counts in.</summary>
    public const int Unit = -Bias;

    protected override int MaxLimbs => (HighestPlace + 53 + 64) / 32 + 1;

    protected override int PlaceBytes => 1;

    /// <summary>Adds a value. Allocates only when it needs limbs that no value before it needed.</summary>
    /// <exception cref="ArgumentOutOfRangeException">NaN, infinite, or of a magnitude no contract lets through.</exception>
    public void Add(double value)
    {
        if (TakeApart(value, out var mantissa, out var place)) Accumulate(mantissa, place, value < 0);
    }

    /// <summary>Takes a value away that was added before.</summary>
    /// <exception cref="ArgumentOutOfRangeException">As <see cref="Add(double)"/>.</exception>
    public void Subtract(double value)
    {
        if (TakeApart(value, out var mantissa, out var place)) Accumulate(mantissa, place, value > 0);
    }

    /// <summary>Adds all that another sum holds; the other stays what it is.</summary>
    public void Add(ExactSum other) => Accumulate(other);

    /// <summary>The sum as the nearest double, ties to even; +0 where nothing is left.</summary>
    public double Round()
    {
        Span<uint> limbs = stackalloc uint[ScratchLimbs];
        var count = Magnitude(limbs, out var low, out var negative);
        if (count == 0) return 0;

        var bits = UInt128.Zero;
        for (var i = 1; i <= 4; i++) bits = bits << 32 | (count - i >= 0 ? limbs[count - i] : 0u);
        var sticky = count > 4 && limbs[..(count - 4)].ContainsAnyExcept(0u);

        var zeros = (int)UInt128.LeadingZeroCount(bits);
        bits <<= zeros;
        var top = (low + count) * 32 - 1 - zeros;

        var mantissa = (ulong)(bits >> 75);
        var rest = bits & ((UInt128.One << 75) - 1);
        var half = UInt128.One << 74;
        if (rest > half || (rest == half && (sticky || (mantissa & 1) != 0))) mantissa++;

        // A mantissa rounded up to 2^53 carries into the exponent by itself: its low 52 bits are then zero.
        var magnitude = ((ulong)(top - Bias + 1_023) << 52) + (mantissa - (1UL << 52));
        return BitConverter.UInt64BitsToDouble(magnitude | (negative ? 1UL << 63 : 0));
    }

    /// <summary>The sum in units of 2^(<see cref="Unit"/> + 32 · <paramref name="low"/>).</summary>
    public BigInteger ToWhole(out int low) => Whole(out low);

    /// <summary>An independent copy.</summary>
    public ExactSum Clone()
    {
        var copy = new ExactSum();
        copy.CopyFrom(this);
        return copy;
    }

    /// <summary>Reads what <see cref="ExactLimbs.WriteTo"/> wrote.</summary>
    /// <param name="from">Begins with the sum; what follows it is left alone.</param>
    /// <param name="read">How many bytes the sum took.</param>
    /// <exception cref="FormatException">Not such bytes.</exception>
    public static ExactSum ReadFrom(ReadOnlySpan<byte> from, out int read)
    {
        var sum = new ExactSum();
        read = sum.Restore(from);
        return sum;
    }
}
