using System.Buffers.Binary;
using System.Numerics;

namespace DataHub.Indicators;

/// <summary>
/// A superaccumulator (design §2.5): a whole number of any size times a fixed power of two, so that order, partitioning,
/// merging and removal cannot matter. Rounded only when read.
/// </summary>
/// <remarks>
/// <para>Held in limbs of 32 bits, each in a signed 64-bit word so that 2^30 additions need no carry. Only the limbs that
/// occurred are held: one to five for usual measurements.</para>
/// <para>Takes what a contract lets through, 1e-140 ≤ |x| ≤ 1e150 or 0, and more than 2^40 of them. Not thread-safe.</para>
/// </remarks>
internal abstract class ExactLimbs
{
    /// <summary>A double that is taken is a multiple of 2^-<see cref="Bias"/>.</summary>
    protected const int Bias = 544;

    /// <summary>Biased exponent of a double whose lowest mantissa bit weighs 2^-<see cref="Bias"/>.</summary>
    private const int LowestExponent = 1_075 - Bias;

    /// <summary>Place of the lowest mantissa bit of the greatest doubles: that of 2^499, beyond 1e150.</summary>
    protected const int HighestPlace = 1_023 + 499 - LowestExponent;

    /// <summary>Additions after which carries are propagated; each adds less than 2^32 to a limb of 63 bits.</summary>
    private const int MaxPending = 1 << 30;

    private const ulong MantissaMask = (1UL << 52) - 1;

    private long[] _limbs = [];
    private int _low;
    private int _pending;

    /// <summary>Whether nothing is left.</summary>
    public bool IsZero
    {
        get
        {
            Span<uint> limbs = stackalloc uint[ScratchLimbs];
            return Magnitude(limbs, out _, out _) == 0;
        }
    }

    /// <summary>How many bytes <see cref="WriteTo"/> writes at most.</summary>
    public int MaxBytes => 1 + 2 * PlaceBytes + 4 * (_limbs.Length + 2);

    /// <summary>Limbs that 2^64 of the greatest additions can reach.</summary>
    protected abstract int MaxLimbs { get; }

    /// <summary>Room for all limbs, for one that a carry opened and for the two that <see cref="Magnitude"/> appends.</summary>
    protected int ScratchLimbs => MaxLimbs + 4;

    /// <summary>Bytes that a place and a number of bytes take in the canonical form, one or two.</summary>
    protected abstract int PlaceBytes { get; }

    /// <summary>
    /// Writes the canonical form: equal numbers give equal bytes, however they came about. One byte sign (0 zero, 1
    /// positive, 2 negative); then, unless zero, the place of the lowest byte, the number of bytes, and the magnitude's
    /// bytes from the lowest, the first and last of them not zero.
    /// </summary>
    /// <returns>How many bytes were written.</returns>
    public int WriteTo(Span<byte> into)
    {
        Span<uint> limbs = stackalloc uint[ScratchLimbs];
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
        var at = 1;
        WritePlace(into, ref at, low * 4 + first);
        WritePlace(into, ref at, bytes.Length);
        bytes.CopyTo(into[at..]);
        return at + bytes.Length;
    }

    /// <summary>What <see cref="WriteTo"/> wrote becomes the content of this one, which is still empty.</summary>
    /// <param name="from">Begins with the number; what follows it is left alone.</param>
    /// <returns>How many bytes the number took.</returns>
    /// <exception cref="FormatException">Not such bytes.</exception>
    protected int Restore(ReadOnlySpan<byte> from)
    {
        if (from.Length > 0 && from[0] == 0) return 1;

        var at = 1 + 2 * PlaceBytes;
        if (from.Length <= at || from[0] > 2) throw Malformed();
        var first = PlaceBytes == 1 ? from[1] : BinaryPrimitives.ReadUInt16LittleEndian(from[1..]);
        var length = PlaceBytes == 1 ? from[2] : BinaryPrimitives.ReadUInt16LittleEndian(from[3..]);
        if (length == 0 || from.Length < at + length || (first + length + 3) / 4 > MaxLimbs) throw Malformed();

        var bytes = from.Slice(at, length);
        if (bytes[0] == 0 || bytes[^1] == 0) throw Malformed();
        _low = first / 4;
        _limbs = new long[(first + length - 1) / 4 - _low + 1];
        for (var i = 0; i < length; i++)
        {
            var place = first + i;
            var part = (long)bytes[i] << (place % 4 * 8);
            _limbs[place / 4 - _low] += from[0] == 2 ? -part : part;
        }

        return at + length;
    }

    /// <summary>Takes over the content of another one of the same kind.</summary>
    protected void CopyFrom(ExactLimbs other) => (_limbs, _low, _pending) = (other._limbs.AsSpan().ToArray(), other._low, other._pending);

    /// <summary>Adds all that another one of the same kind holds; the other is not changed.</summary>
    protected void Accumulate(ExactLimbs other)
    {
        if (other._limbs.Length == 0) return;
        if (_pending + (long)other._pending + 2 > MaxPending)
        {
            Carry();

            // Carrying does not change what the other one stands for.
            if (other._pending > MaxPending / 2) other.Carry();
        }

        Reach(other._low, other._low + other._limbs.Length - 1);
        var limbs = _limbs.AsSpan(other._low - _low);
        for (var i = 0; i < other._limbs.Length; i++) limbs[i] += other._limbs[i];
        _pending += other._pending + 1;
    }

    /// <summary>Takes a double apart: |x| = mantissa · 2^(place − <see cref="Bias"/>), the mantissa odd.</summary>
    /// <returns>False for zero.</returns>
    /// <exception cref="ArgumentOutOfRangeException">NaN, infinite, or of a magnitude no contract lets through.</exception>
    protected static bool TakeApart(double value, out ulong mantissa, out int place)
    {
        var magnitude = BitConverter.DoubleToUInt64Bits(value) & ~(1UL << 63);
        place = (int)(magnitude >> 52) - LowestExponent;
        if (magnitude == 0 || (uint)place > HighestPlace)
        {
            mantissa = 0;
            return magnitude == 0 ? false : throw OutOfRange(value);
        }

        // Trailing zeros dropped: whole numbers then need one limb.
        mantissa = (magnitude & MantissaMask) | (1UL << 52);
        var zeros = BitOperations.TrailingZeroCount(mantissa);
        mantissa >>= zeros;
        place += zeros;
        return true;
    }

    /// <summary>The refusal of a value that no contract lets through.</summary>
    public static ArgumentOutOfRangeException OutOfRange(double value) =>
        new(nameof(value), value, "A measured value is 0 or 1e-140 ≤ |x| ≤ 1e150; the contract quarantines everything else.");

    /// <summary>Adds mantissa · 2^place. Allocates only when it needs limbs that nothing before it needed.</summary>
    protected void Accumulate(ulong mantissa, int place, bool negative)
    {
        var first = place >> 5;
        var shift = place & 31;
        var last = (place + 63 - BitOperations.LeadingZeroCount(mantissa)) >> 5;
        if (first < _low || last >= _low + _limbs.Length) Reach(first, last);

        var limbs = _limbs.AsSpan(first - _low);
        var sign = negative ? -1L : 0;
        var lower = mantissa << shift;
        limbs[0] += ((long)(lower & uint.MaxValue) ^ sign) - sign;
        if (last > first)
        {
            limbs[1] += ((long)(lower >> 32) ^ sign) - sign;
            if (last > first + 1) limbs[2] += ((long)(mantissa >> (64 - shift)) ^ sign) - sign;
        }

        if (++_pending >= MaxPending) Carry();
    }

    /// <inheritdoc cref="Accumulate(ulong, int, bool)"/>
    protected void Accumulate(UInt128 mantissa, int place, bool negative)
    {
        var first = place >> 5;
        var last = (place + 127 - (int)UInt128.LeadingZeroCount(mantissa)) >> 5;
        if (first < _low || last >= _low + _limbs.Length) Reach(first, last);

        var limbs = _limbs.AsSpan(first - _low, last - first + 1);
        var sign = negative ? -1L : 0;
        limbs[0] += ((long)(uint)((ulong)mantissa << (place & 31)) ^ sign) - sign;
        mantissa >>= 32 - (place & 31);
        for (var i = 1; i < limbs.Length; i++)
        {
            limbs[i] += ((long)(uint)mantissa ^ sign) - sign;
            mantissa >>= 32;
        }

        if (++_pending >= MaxPending) Carry();
    }

    /// <summary>The absolute value in limbs without zero limbs at the top.</summary>
    /// <returns>How many limbs; 0 for zero.</returns>
    protected int Magnitude(Span<uint> into, out int low, out bool negative)
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

    /// <summary>The whole number that, times 2^(32 · <paramref name="low"/>) and the weight of place 0, is held.</summary>
    protected BigInteger Whole(out int low)
    {
        Span<uint> limbs = stackalloc uint[ScratchLimbs];
        var count = Magnitude(limbs, out low, out var negative);
        Span<byte> bytes = stackalloc byte[count * 4];
        for (var i = 0; i < count; i++) BinaryPrimitives.WriteUInt32LittleEndian(bytes[(i * 4)..], limbs[i]);
        var magnitude = new BigInteger(bytes, isUnsigned: true);
        return negative ? -magnitude : magnitude;
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

    private void WritePlace(Span<byte> into, ref int at, int place)
    {
        if (PlaceBytes == 1) into[at] = (byte)place;
        else BinaryPrimitives.WriteUInt16LittleEndian(into[at..], (ushort)place);
        at += PlaceBytes;
    }

    private static FormatException Malformed() => new("These bytes are not an exact sum.");
}
