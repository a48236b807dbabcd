using System.Buffers.Binary;
using System.Numerics;

namespace DataHub.Indicators;

/// <summary>
/// The exact sum of doubles (design §2.5): a superaccumulator, so that order, partitioning, merging and removal cannot
/// matter. Rounded only when read.
/// </summary>
/// <remarks>
/// <para>The sum is an integer multiple of 2^-544, held in limbs of 32 bits, each in a signed 64-bit word so that 2^30
/// additions need no carry. Only the limbs that occurred are held: one to five for usual measurements.</para>
/// <para>Takes what a contract lets through, 1e-140 ≤ |x| ≤ 1e150 or 0, and more than 2^40 of them. Not thread-safe.</para>
/// </remarks>
internal sealed class ExactSum
{
    /// <summary>Weight of bit 0 is 2^-<see cref="Bias"/>.</summary>
    private const int Bias = 544;

    /// <summary>Biased exponent of a double whose lowest mantissa bit is bit 0 here.</summary>
    private const int LowestExponent = 1_075 - Bias;

    /// <summary>Of the lowest mantissa bit: that of 2^499, beyond 1e150.</summary>
    private const int HighestBit = 1_023 + 499 - LowestExponent;

    /// <summary>Additions after which carries are propagated; each adds less than 2^32 to a limb of 63 bits.</summary>
    private const int MaxPending = 1 << 30;

    /// <summary>Limbs that 2^64 of the greatest values can reach, with the carry.</summary>
    private const int MaxLimbs = (HighestBit + 53 + 64) / 32 + 2;

    private const ulong MantissaMask = (1UL << 52) - 1;

    private long[] _limbs = [];
    private int _low;
    private int _pending;

    /// <summary>Adds a value. Allocates only when it needs limbs that no value before it needed.</summary>
    /// <exception cref="ArgumentOutOfRangeException">NaN, infinite, or of a magnitude no contract lets through.</exception>
    public void Add(double value) => Accumulate(BitConverter.DoubleToUInt64Bits(value));

    /// <summary>Takes a value away that was added before.</summary>
    /// <exception cref="ArgumentOutOfRangeException">As <see cref="Add(double)"/>.</exception>
    public void Subtract(double value) => Accumulate(BitConverter.DoubleToUInt64Bits(value) ^ (1UL << 63));

    /// <summary>Adds all that another sum holds; the other is not changed.</summary>
    public void Add(ExactSum other)
    {
        if (other._limbs.Length == 0) return;
        if (_pending + (long)other._pending + 2 > MaxPending)
        {
            Carry();
            if (other._pending > MaxPending / 2)
            {
                other = other.Clone();
                other.Carry();
            }
        }

        Reach(other._low, other._low + other._limbs.Length - 1);
        var limbs = _limbs.AsSpan(other._low - _low);
        for (var i = 0; i < other._limbs.Length; i++) limbs[i] += other._limbs[i];
        _pending += other._pending + 1;
    }

    /// <summary>The sum as the nearest double, ties to even; +0 where nothing is left.</summary>
    public double Round()
    {
        Span<uint> limbs = stackalloc uint[MaxLimbs];
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

    /// <summary>An independent copy.</summary>
    public ExactSum Clone() => new() { _limbs = _limbs.AsSpan().ToArray(), _low = _low, _pending = _pending };

    /// <summary>How many bytes <see cref="WriteTo"/> writes at most.</summary>
    public int MaxBytes => 3 + 4 * (_limbs.Length + 1);

    /// <summary>
    /// Writes the canonical form: equal sums give equal bytes, however they came about. One byte sign (0 zero, 1
    /// positive, 2 negative); then, unless zero, the place of the lowest byte, the number of bytes, and the magnitude's
    /// bytes from the lowest, the first and last of them not zero.
    /// </summary>
    /// <returns>How many bytes were written.</returns>
    public int WriteTo(Span<byte> into)
    {
        Span<uint> limbs = stackalloc uint[MaxLimbs];
        var count = Magnitude(limbs, out var low, out var negative);
        if (count == 0)
        {
            into[0] = 0;
            return 1;
        }

        Span<byte> bytes = stackalloc byte[count * 4];
        for (var i = 0; i < count; i++) BinaryPrimitives.WriteUInt32LittleEndian(bytes[(i * 4)..], limbs[i]);
        var first = bytes.IndexOfAnyExcept((byte)0);
        bytes = bytes[first..(bytes.LastIndexOfAnyExcept((byte)0) + 1)];
        into[0] = negative ? (byte)2 : (byte)1;
        into[1] = (byte)(low * 4 + first);
        into[2] = (byte)bytes.Length;
        bytes.CopyTo(into[3..]);
        return 3 + bytes.Length;
    }

    /// <summary>Reads what <see cref="WriteTo"/> wrote.</summary>
    /// <param name="from">Begins with the sum; what follows it is left alone.</param>
    /// <param name="read">How many bytes the sum took.</param>
    /// <exception cref="FormatException">Not such bytes.</exception>
    public static ExactSum ReadFrom(ReadOnlySpan<byte> from, out int read)
    {
        if (from.Length > 0 && from[0] == 0)
        {
            read = 1;
            return new();
        }

        if (from.Length < 4 || from[0] > 2 || from[2] == 0 || from.Length < 3 + from[2] || (from[1] + from[2] + 3) / 4 > MaxLimbs)
            throw new FormatException("These bytes are not an exact sum.");

        read = 3 + from[2];
        var bytes = from[3..read];
        var sum = new ExactSum { _low = from[1] / 4 };
        sum._limbs = new long[(from[1] + bytes.Length - 1) / 4 - sum._low + 1];
        for (var i = 0; i < bytes.Length; i++)
        {
            var place = from[1] + i;
            var part = (long)bytes[i] << (place % 4 * 8);
            sum._limbs[place / 4 - sum._low] += from[0] == 2 ? -part : part;
        }

        return sum;
    }

    private void Accumulate(ulong bits)
    {
        var magnitude = bits & ~(1UL << 63);
        if (magnitude == 0) return;

        var place = (int)(magnitude >> 52) - LowestExponent;
        if ((uint)place > HighestBit)
        {
            throw new ArgumentOutOfRangeException(
                nameof(bits), BitConverter.UInt64BitsToDouble(bits), "A sum takes 0 and 1e-140 ≤ |x| ≤ 1e150; the contract quarantines everything else.");
        }

        // Trailing zeros dropped: whole numbers then need one limb.
        var mantissa = (magnitude & MantissaMask) | (1UL << 52);
        var zeros = BitOperations.TrailingZeroCount(mantissa);
        mantissa >>= zeros;
        place += zeros;

        var first = place >> 5;
        var shift = place & 31;
        var last = (place + 63 - BitOperations.LeadingZeroCount(mantissa)) >> 5;
        if (first < _low || last >= _low + _limbs.Length) Reach(first, last);

        var limbs = _limbs.AsSpan(first - _low);
        var sign = (long)bits >> 63;
        var lower = mantissa << shift;
        limbs[0] += ((long)(lower & uint.MaxValue) ^ sign) - sign;
        if (last > first)
        {
            limbs[1] += ((long)(lower >> 32) ^ sign) - sign;
            if (last > first + 1) limbs[2] += ((long)(mantissa >> (64 - shift)) ^ sign) - sign;
        }

        if (++_pending >= MaxPending) Carry();
    }

    /// <summary>Makes room for limbs from first to last.</summary>
    private void Reach(int first, int last)
    {
        if (_limbs.Length == 0)
        {
            _low = first;
            _limbs = new long[last - first + 1];
            return;
        }

        var low = Math.Min(first, _low);
        var high = Math.Max(last, _low + _limbs.Length - 1);
        if (low == _low && high - low + 1 == _limbs.Length) return;
        var limbs = new long[high - low + 1];
        _limbs.CopyTo(limbs, _low - low);
        (_limbs, _low) = (limbs, low);
    }

    /// <summary>Brings every limb below 2^32 again; the topmost keeps the sign.</summary>
    private void Carry()
    {
        _pending = 0;
        if (_limbs.Length == 0) return;
        long carry = 0;
        for (var i = 0; i < _limbs.Length - 1; i++)
        {
            var limb = _limbs[i] + carry;
            _limbs[i] = limb & uint.MaxValue;
            carry = limb >> 32;
        }

        var top = _limbs[^1] + carry;
        _limbs[^1] = top;
        if (top is >= int.MinValue and <= int.MaxValue) return;

        Reach(_low, _low + _limbs.Length);
        _limbs[^2] = top & uint.MaxValue;
        _limbs[^1] = top >> 32;
    }

    /// <summary>The absolute value in limbs without zero limbs at the top.</summary>
    /// <returns>How many limbs; 0 for zero.</returns>
    private int Magnitude(Span<uint> into, out int low, out bool negative)
    {
        low = _low;
        long carry = 0;
        var count = 0;
        foreach (var value in _limbs)
        {
            var limb = value + carry;
            into[count++] = (uint)limb;
            carry = limb >> 32;
        }

        // What is left has the sign; two limbs take it.
        negative = carry < 0;
        if (count > 0)
        {
            into[count++] = (uint)carry;
            into[count++] = (uint)(carry >> 32);
        }

        if (negative)
        {
            var borrow = 1UL;
            for (var i = 0; i < count; i++)
            {
                var limb = (ulong)~into[i] + borrow;
                into[i] = (uint)limb;
                borrow = limb >> 32;
            }
        }

        while (count > 0 && into[count - 1] == 0) count--;
        return count;
    }
}
