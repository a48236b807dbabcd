namespace DataHub.Pipelines;

/// <summary>
/// Looks through a structure in Thrift's compact protocol before a library trusts it: no length in it may be larger than what
/// follows, and none may be deep.
/// </summary>
internal ref struct ParquetThrift(ReadOnlySpan<byte> bytes)
{
    private const int Deepest = 32;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>Bytes that were looked through.</summary>
    public int At { get; private set; }

    /// <summary>Passes over a structure, and tells whole numbers in it.</summary>
    /// <param name="found">Given the numbers of the fields that lead to it (two at most, the outer times 1,000) and the number.</param>
    /// <exception cref="InvalidDataException">It is not what it says.</exception>
    public void Struct(Action<int, long>? found, int within = 0, int depth = 0)
    {
        if (depth > Deepest) throw Broken();
        var field = 0;
        while (true)
        {
            var head = Byte();
            if (head == 0) return;
            field = head >> 4 is not 0 and var step ? field + step : (int)ZigZag();
            if (field is < 0 or > 1_000) throw Broken();
            var type = head & 15;
            if (type is >= 3 and <= 6)
            {
                var number = type == 3 ? (sbyte)Byte() : ZigZag();
                found?.Invoke((within * 1_000) + field, number);
            }
            else if (type == 12)
            {
                Struct(within == 0 ? found : null, field, depth + 1);
            }
            else if (type is not (1 or 2))
            {
                Value(type, depth);
            }
        }
    }

    private void Value(int type, int depth)
    {
        switch (type)
        {
            case 1 or 2 or 3: Byte(); break;
            case 4 or 5 or 6: Varint(); break;
            case 7: Skip(8); break;
            case 8: Skip(Length()); break;
            case 9 or 10:
                var head = Byte();
                var count = head >> 4 == 15 ? Length() : head >> 4;
                // An element has a byte at least.
                if (count > _bytes.Length - At) throw Broken();
                for (var i = 0; i < count; i++)
                {
                    if ((head & 15) == 12) Struct(null, depth: depth + 1);
                    else if (depth < Deepest) Value(head & 15, depth + 1);
                    else throw Broken();
                }

                break;
            case 12: Struct(null, depth: depth + 1); break;
            default: throw Broken();
        }
    }

    private byte Byte() => At < _bytes.Length ? _bytes[At++] : throw Broken();

    private void Skip(int count) => At = count <= _bytes.Length - At ? At + count : throw Broken();

    private int Length() => Varint() is var length && length <= (ulong)(_bytes.Length - At) ? (int)length : throw Broken();

    private long ZigZag() => Varint() is var number ? (long)(number >> 1) ^ -(long)(number & 1) : 0;

    private ulong Varint()
    {
        ulong number = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Byte();
            number |= (ulong)(next & 127) << shift;
            if (next < 128) return number;
        }

        throw Broken();
    }

    private static InvalidDataException Broken() => new("not the structure it says");
}
