using System.Buffers;

using DataHub.Catalog;

using MessagePack;

namespace DataHub.Feeds;

/// <summary>
/// A row's values in canonical bytes: equal content if and only if equal bytes. Kept in stores: the format never changes.
/// </summary>
/// <remarks>
/// A MessagePack array by ordinal: text as string, numbers as float 64 (−0 is 0), integers in their shortest form,
/// booleans as such, nulls as nil. Nulls at the end are left out, so that a contract which gained optional fields
/// packs the same content into the same bytes.
/// </remarks>
public static class RowPacking
{
    [ThreadStatic] private static ArrayBufferWriter<byte>? t_buffer;

    public static byte[] Pack(RowBlock block, int row)
    {
        var buffer = t_buffer ??= new(512);
        buffer.ResetWrittenCount();
        var writer = new MessagePackWriter(buffer);
        var count = block.Columns.Length;
        while (count > 0 && block.Columns[count - 1].IsNull(row)) count--;
        writer.WriteArrayHeader(count);
        for (var c = 0; c < count; c++) Write(ref writer, block.Columns[c], row);
        writer.Flush();
        var packed = buffer.WrittenSpan.ToArray();
        // One huge row must not stay in memory with every thread for good.
        if (buffer.Capacity > 1 << 20) t_buffer = null;
        return packed;
    }

    /// <summary>Packed rows as a block in the layout of <paramref name="contract"/>; fields that a row does not have are null.</summary>
    /// <exception cref="MessagePackSerializationException">The bytes are not a row packed under this contract or an older one it can follow.</exception>
    public static RowBlock Unpack(CompiledContract contract, IReadOnlyList<(byte[] Values, string? Area)> rows)
    {
        var columns = new Column[contract.Fields.Length];
        for (var c = 0; c < columns.Length; c++) columns[c] = Empty(contract.Fields[c].Kind, rows.Count);

        var areas = new List<string>();
        var areaNumbers = new Dictionary<string, int>(StringComparer.Ordinal);
        int[]? areaOf = null;
        for (var row = 0; row < rows.Count; row++)
        {
            var (values, area) = rows[row];
            ReadRow(values, columns, row);
            if (area is null) continue;
            if (areaOf is null) Array.Fill(areaOf = new int[rows.Count], -1);
            if (!areaNumbers.TryGetValue(area, out var number))
            {
                areaNumbers.Add(area, number = areas.Count);
                areas.Add(area);
            }

            areaOf[row] = number;
        }

        return new() { Count = rows.Count, Columns = columns, Areas = [.. areas], AreaOf = areaOf };
    }

    private static void ReadRow(byte[] values, Column[] columns, int row)
    {
        var reader = new MessagePackReader(values);
        var count = reader.ReadArrayHeader();
        if (count > columns.Length)
            throw new MessagePackSerializationException($"A packed row has {count} values, its contract {columns.Length} fields: it was packed under a newer contract.");
        for (var c = 0; c < count; c++)
        {
            if (reader.TryReadNil()) continue;
            var column = columns[c];
            switch (column.Kind)
            {
                case ColumnKind.Text: column.Texts![row] = reader.ReadString(); break;
                case ColumnKind.Number: column.Numbers![row] = reader.ReadDouble(); break;
                case ColumnKind.Integer: column.Integers![row] = reader.ReadInt64(); break;
                default: column.Booleans![row] = reader.ReadBoolean() ? (byte)1 : (byte)0; break;
            }
        }
    }

    private static Column Empty(ColumnKind kind, int count)
    {
        switch (kind)
        {
            case ColumnKind.Text:
                return Column.OfTexts(new string?[count]);
            case ColumnKind.Number:
                var numbers = new double[count];
                Array.Fill(numbers, double.NaN);
                return Column.OfNumbers(numbers);
            case ColumnKind.Integer:
                var integers = new long[count];
                Array.Fill(integers, Column.NullInteger);
                return Column.OfIntegers(integers);
            default:
                var booleans = new byte[count];
                Array.Fill(booleans, Column.NullBoolean);
                return Column.OfBooleans(booleans);
        }
    }

    private static void Write(ref MessagePackWriter writer, Column column, int row)
    {
        if (column.IsNull(row))
        {
            writer.WriteNil();
            return;
        }

        switch (column.Kind)
        {
            case ColumnKind.Text: writer.Write(column.Texts![row]); break;
            case ColumnKind.Number: writer.Write(column.Numbers![row] + 0.0); break;
            case ColumnKind.Integer: writer.Write(column.Integers![row]); break;
            default: writer.Write(column.Booleans![row] == 1); break;
        }
    }
}
