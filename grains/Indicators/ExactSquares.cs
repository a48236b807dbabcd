using System.Numerics;

namespace DataHub.Indicators;

/// <summary>The exact sum of the squares of doubles (design §2.5), a multiple of 2^-1088: each square has up to 106 bits.</summary>
internal sealed class ExactSquares : ExactLimbs
{
    /// <summary>Exponent of the power of two that <see cref="ToWhole"/> counts in.</summary>
    public const int Unit = 2 * ExactSum.Unit;

    protected override int MaxLimbs => (2 * HighestPlace + 106 + 64) / 32 + 1;

    protected override int PlaceBytes => 2;

    /// <summary>Adds the square of a value. Allocates only when it needs limbs that no value before it needed.</summary>
    /// <exception cref="ArgumentOutOfRangeException">NaN, infinite, or of a magnitude no contract lets through.</exception>
    public void Add(double value) => Accumulate(value, negative: false);

    /// <summary>Takes the square of a value away that was added before.</summary>
    /// <exception cref="ArgumentOutOfRangeException">As <see cref="Add(double)"/>.</exception>
    public void Subtract(double value) => Accumulate(value, negative: true);

    /// <summary>Adds all that another sum holds; the other stays what it is.</summary>
    public void Add(ExactSquares other) => Accumulate(other);

    /// <summary>The sum in units of 2^(<see cref="Unit"/> + 32 · <paramref name="low"/>).</summary>
    public BigInteger ToWhole(out int low) => Whole(out low);

    /// <summary>An independent copy.</summary>
    public ExactSquares Clone()
    {
        var copy = new ExactSquares();
        copy.CopyFrom(this);
        return copy;
    }

    /// <summary>Reads what <see cref="ExactLimbs.WriteTo"/> wrote.</summary>
    /// <param name="from">Begins with the sum; what follows it is left alone.</param>
    /// <param name="read">How many bytes the sum took.</param>
    /// <exception cref="FormatException">Not such bytes.</exception>
    public static ExactSquares ReadFrom(ReadOnlySpan<byte> from, out int read)
    {
        var sum = new ExactSquares();
        read = sum.Restore(from);
        return sum;
    }

    private void Accumulate(double value, bool negative)
    {
        // The square of an odd mantissa is odd again.
        if (TakeApart(value, out var mantissa, out var place)) Accumulate((UInt128)mantissa * mantissa, 2 * place, negative);
    }
}
