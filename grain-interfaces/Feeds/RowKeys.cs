using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>
/// Keys of rows in canonical bytes whose order by <c>memcmp</c> is the order of the values, field by field. Kept in
/// stores: the format never changes.
/// </summary>
/// <remarks>
/// Per field one byte, 0 for null and 1 for a value, then: text as UTF-8 with 0x00 written as 0x00 0xFF, ended by 0x00;
/// integers as eight bytes big-endian with the sign bit flipped; numbers as eight bytes big-endian with the sign bit
/// flipped if positive and all bits flipped if negative; booleans as one byte.
/// </remarks>
public static class RowKeys
{
    /// <summary>The row's primary key.</summary>
    public static byte[] Key(CompiledContract contract, RowBlock block, int row) => Encode(contract.Key, block, row);

    /// <summary>The name of the row's series; null for records, empty where the whole dataset is one series.</summary>
    public static byte[]? Series(CompiledContract contract, RowBlock block, int row) =>
        contract.Kind == DatasetKind.Observations ? Encode(contract.Series, block, row) : null;

    /// <summary>The name of an observation's series as it lies in a buffer, which grows where it must; good until the buffer is used again.</summary>
    internal static ReadOnlySpan<byte> Series(CompiledContract contract, RowBlock block, int row, ref byte[] buffer)
    {
        var size = 0;
        foreach (var ordinal in contract.Series) size += MaxSize(block.Columns[ordinal], row);
        if (buffer.Length < size) buffer = new byte[size];
        var written = 0;
        foreach (var ordinal in contract.Series) written += Write(block.Columns[ordinal], row, buffer.AsSpan(written));
        return buffer.AsSpan(0, written);
    }

    /// <summary>The number of the partition a row belongs to: XxHash3 (64 bits, seed 0) of the first key field's bytes, modulo their count. Pinned: rows must be found again.</summary>
    public static int Partition(CompiledContract contract, RowBlock block, int row, int partitions)
    {
        if (partitions <= 1) return 0;
        var bytes = Encode(contract.Key.AsSpan(0, 1), block, row);
        return (int)(XxHash3.HashToUInt64(bytes) % (ulong)partitions);
    }

    /// <summary>One value in the form it has within a key; for telling values apart.</summary>
    public static byte[] Value(RowBlock block, int row, int ordinal) => Encode([ordinal], block, row);

    private static byte[] Encode(ReadOnlySpan<int> ordinals, RowBlock block, int row)
    {
        var size = 0;
        foreach (var ordinal in ordinals) size += MaxSize(block.Columns[ordinal], row);

        byte[]? rented = null;
        var buffer = size <= 512 ? stackalloc byte[512] : rented = ArrayPool<byte>.Shared.Rent(size);
        var written = 0;
        foreach (var ordinal in ordinals) written += Write(block.Columns[ordinal], row, buffer[written..]);
        var key = buffer[..written].ToArray();
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        return key;
    }

    private static int MaxSize(Column column, int row) => column.Kind switch
    {
        // Every UTF-16 unit is at most three bytes of UTF-8; a zero becomes two.
        ColumnKind.Text => 2 + (3 * (column.Texts![row]?.Length ?? 0)),
        ColumnKind.Boolean => 2,
        _ => 9,
    };

    private static int Write(Column column, int row, Span<byte> to)
    {
        if (column.IsNull(row))
        {
            to[0] = 0;
            return 1;
        }

        to[0] = 1;
        switch (column.Kind)
        {
            case ColumnKind.Text:
                return 1 + WriteText(column.Texts![row]!, to[1..]);
            case ColumnKind.Number:
                // -0 is 0: adding positive zero makes it so.
                var bits = BitConverter.DoubleToInt64Bits(column.Numbers![row] + 0.0);
                BinaryPrimitives.WriteInt64BigEndian(to[1..], bits < 0 ? ~bits : bits ^ long.MinValue);
                return 9;
            case ColumnKind.Integer:
                BinaryPrimitives.WriteInt64BigEndian(to[1..], column.Integers![row] ^ long.MinValue);
                return 9;
            default:
                to[1] = column.Booleans![row];
                return 2;
        }
    }

    private static int WriteText(string text, Span<byte> to)
    {
        int written;
        if (!text.Contains('\0', StringComparison.Ordinal))
        {
            written = Encoding.UTF8.GetBytes(text, to);
        }
        else
        {
            written = 0;
            foreach (var value in Encoding.UTF8.GetBytes(text))
            {
                to[written++] = value;
                if (value == 0) to[written++] = 0xFF;
            }
        }

        to[written] = 0;
        return written + 1;
    }
}
