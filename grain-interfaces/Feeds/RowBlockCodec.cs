using System.Buffers.Binary;
using System.Runtime.InteropServices;

using MessagePack;

namespace DataHub.Feeds;

/// <summary>Rows in columns as they lie in a batch's payload (<see cref="LogBatchCodec"/>, format version 1).</summary>
/// <remarks>
/// A column is <c>[form, …]</c>: numbers as their bits, booleans as bytes, integers as distances from their smallest in
/// as few bytes as the greatest needs, texts plainly or, where they repeat, as places in a list of the distinct ones
/// (which also lets a reader make each string once). A column without any value is <c>[form, nil]</c>.
/// </remarks>
internal static class RowBlockCodec
{
    private const byte PlainTexts = 0;
    private const byte Numbers = 1;
    private const byte Integers = 2;
    private const byte Booleans = 3;
    private const byte ListedTexts = 4;

    /// <summary>Fewer texts are not worth looking for repeats.</summary>
    private const int WorthListing = 8;

    private const int BlockMembers = 6;

    public static void Write(ref MessagePackWriter writer, RowBlock block)
    {
        if (block.Count == 0)
        {
            writer.WriteNil();
            return;
        }

        writer.WriteArrayHeader(BlockMembers);
        writer.Write(block.Count);
        writer.WriteArrayHeader(block.Columns.Length);
        foreach (var column in block.Columns) WriteColumn(ref writer, column, block.Count);
        WriteAreas(ref writer, block);
        WriteNumbers(ref writer, block);
        WriteDeletes(ref writer, block);
    }

    public static RowBlock Read(ref MessagePackReader reader)
    {
        if (reader.TryReadNil()) return RowBlock.Empty;
        PackedEnvelope.Expect(reader.ReadArrayHeader(), BlockMembers, "members of a block of rows");
        var count = reader.ReadInt32();
        if (count < 1) throw new InvalidDataException($"{count} rows in a block");
        var columns = new Column[reader.ReadArrayHeader()];
        for (var c = 0; c < columns.Length; c++) columns[c] = ReadColumn(ref reader, count);
        var areas = reader.TryReadNil() ? [] : ReadTexts(ref reader, reader.ReadArrayHeader());
        var areaOf = reader.TryReadNil() ? null : ReadInts(ref reader, count);
        var numbers = reader.TryReadNil() ? null : ReadInts(ref reader, count);
        var deletes = reader.TryReadNil() ? null : ReadDeletes(ref reader, count);
        return new()
        {
            Count = count,
            Columns = columns,
            Areas = Array.ConvertAll(areas, a => a ?? throw new InvalidDataException("an area without an id")),
            AreaOf = areaOf,
            Numbers = numbers,
            Deletes = deletes,
        };
    }

    public static void WriteBytes(ref MessagePackWriter writer, RowChange[] changes) => writer.Write(MemoryMarshal.AsBytes(changes.AsSpan()));

    public static RowChange[] ReadChanges(ref MessagePackReader reader, int count)
    {
        var bytes = ReadBytes(ref reader);
        PackedEnvelope.Expect(bytes.Length, count, "changes");
        return MemoryMarshal.Cast<byte, RowChange>(bytes).ToArray();
    }

    /// <summary>Indexes of which −1 means none; nil where all are.</summary>
    public static void WriteIndexes(ref MessagePackWriter writer, int[] indexes)
    {
        if (!indexes.AsSpan().ContainsAnyExcept(-1)) writer.WriteNil();
        else WriteInts(ref writer, indexes);
    }

    public static int[] ReadIndexes(ref MessagePackReader reader, int count)
    {
        if (!reader.TryReadNil()) return ReadInts(ref reader, count);
        var none = new int[count];
        Array.Fill(none, -1);
        return none;
    }

    /// <summary>Binary content without a copy; valid as long as the payload is.</summary>
    public static ReadOnlySpan<byte> ReadBytes(ref MessagePackReader reader)
    {
        var bytes = reader.ReadBytes() ?? throw new InvalidDataException("bytes are missing");
        return bytes.IsSingleSegment ? bytes.FirstSpan : System.Buffers.BuffersExtensions.ToArray(bytes);
    }

    /// <summary>Only the areas that occur: a block cut from a greater one shares that one's list.</summary>
    private static void WriteAreas(ref MessagePackWriter writer, RowBlock block)
    {
        if (block.AreaOf is null || !block.AreaOf.AsSpan().ContainsAnyExcept(-1))
        {
            writer.WriteNil();
            writer.WriteNil();
            return;
        }

        var place = new int[block.Areas.Length];
        Array.Fill(place, -1);
        var used = new List<string>();
        var areaOf = new int[block.Count];
        for (var i = 0; i < areaOf.Length; i++)
        {
            var area = block.AreaOf[i];
            if (area >= 0 && place[area] < 0)
            {
                place[area] = used.Count;
                used.Add(block.Areas[area]);
            }

            areaOf[i] = area < 0 ? -1 : place[area];
        }

        writer.WriteArrayHeader(used.Count);
        foreach (var area in used) writer.Write(area);
        WriteInts(ref writer, areaOf);
    }

    private static void WriteNumbers(ref MessagePackWriter writer, RowBlock block)
    {
        var counted = block.Numbers is null;
        for (var i = 0; !counted && i < block.Count; i++)
        {
            if (block.Numbers![i] != i + 1)
            {
                WriteInts(ref writer, block.Numbers);
                return;
            }
        }

        writer.WriteNil();
    }

    private static void WriteDeletes(ref MessagePackWriter writer, RowBlock block)
    {
        if (block.Deletes is null || !block.Deletes.AsSpan().Contains(true)) writer.WriteNil();
        else writer.Write(MemoryMarshal.AsBytes(block.Deletes.AsSpan()));
    }

    private static bool[] ReadDeletes(ref MessagePackReader reader, int count)
    {
        var bytes = ReadBytes(ref reader);
        PackedEnvelope.Expect(bytes.Length, count, "marks of deletion");
        var deletes = new bool[count];
        for (var i = 0; i < count; i++) deletes[i] = bytes[i] != 0;
        return deletes;
    }

    private static void WriteColumn(ref MessagePackWriter writer, Column column, int count)
    {
        if (column.Length != count) throw new ArgumentException($"A column has {column.Length} values in a block of {count} rows.", nameof(column));
        switch (column.Kind)
        {
            case ColumnKind.Text:
                WriteTexts(ref writer, column.Texts!);
                break;
            case ColumnKind.Number:
                WriteNumberColumn(ref writer, column);
                break;
            case ColumnKind.Integer:
                writer.WriteArrayHeader(2);
                writer.Write(Integers);
                if (AllNull(column)) writer.WriteNil();
                else WriteLongs(ref writer, column.Integers!);
                break;
            case ColumnKind.Boolean:
                writer.WriteArrayHeader(2);
                writer.Write(Booleans);
                if (AllNull(column)) writer.WriteNil();
                else writer.Write(column.Booleans.AsSpan());
                break;
            default:
                throw new ArgumentException($"A column has the unknown kind {column.Kind}.", nameof(column));
        }
    }

    private static Column ReadColumn(ref MessagePackReader reader, int count)
    {
        var members = reader.ReadArrayHeader();
        var form = reader.ReadByte();
        PackedEnvelope.Expect(members, form == ListedTexts ? 3 : 2, "members of a column");
        var empty = reader.TryReadNil();
        switch (form)
        {
            case PlainTexts:
                return Column.OfTexts(empty ? new string?[count] : ReadTexts(ref reader, Expected(reader.ReadArrayHeader(), count)));
            case ListedTexts:
                return Column.OfTexts(ReadListedTexts(ref reader, count));
            case Numbers:
                return Column.OfNumbers(empty ? Filled(count, double.NaN) : ReadDoubles(ref reader, count));
            case Integers:
                return Column.OfIntegers(empty ? Filled(count, Column.NullInteger) : ReadLongs(ref reader, count));
            case Booleans:
                return Column.OfBooleans(empty ? Filled(count, Column.NullBoolean) : ReadBooleans(ref reader, count));
            default:
                throw new InvalidDataException($"a column has the unknown form {form}");
        }
    }

    private static bool AllNull(Column column)
    {
        for (var i = 0; i < column.Length; i++)
        {
            if (!column.IsNull(i)) return false;
        }

        return true;
    }

    private static T[] Filled<T>(int count, T value)
    {
        var filled = new T[count];
        Array.Fill(filled, value);
        return filled;
    }

    private static int Expected(int found, int count)
    {
        PackedEnvelope.Expect(found, count, "values of a column");
        return found;
    }

    private static void WriteTexts(ref MessagePackWriter writer, string?[] texts)
    {
        if (!texts.AsSpan().ContainsAnyExcept((string?)null))
        {
            writer.WriteArrayHeader(2);
            writer.Write(PlainTexts);
            writer.WriteNil();
            return;
        }

        if (TryList(texts, out var distinct, out var placeOf))
        {
            writer.WriteArrayHeader(3);
            writer.Write(ListedTexts);
            writer.WriteArrayHeader(distinct.Count);
            foreach (var text in distinct) writer.Write(text);
            WriteInts(ref writer, placeOf);
            return;
        }

        writer.WriteArrayHeader(2);
        writer.Write(PlainTexts);
        writer.WriteArrayHeader(texts.Length);
        foreach (var text in texts) writer.Write(text);
    }

    /// <summary>The distinct texts and each text's place among them (−1 for null), where at most half are distinct.</summary>
    private static bool TryList(string?[] texts, out List<string> distinct, out int[] placeOf)
    {
        distinct = [];
        placeOf = [];
        if (texts.Length < WorthListing) return false;
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        placeOf = new int[texts.Length];
        for (var i = 0; i < texts.Length; i++)
        {
            if (texts[i] is not { } text)
            {
                placeOf[i] = -1;
                continue;
            }

            if (!places.TryGetValue(text, out var place))
            {
                if (distinct.Count == texts.Length / 2) return false;
                place = distinct.Count;
                places.Add(text, place);
                distinct.Add(text);
            }

            placeOf[i] = place;
        }

        return true;
    }

    internal static string?[] ReadTexts(ref MessagePackReader reader, int count)
    {
        var texts = new string?[count];
        for (var i = 0; i < count; i++) texts[i] = reader.ReadString();
        return texts;
    }

    private static string?[] ReadListedTexts(ref MessagePackReader reader, int count)
    {
        var distinct = ReadTexts(ref reader, reader.ReadArrayHeader());
        var placeOf = ReadInts(ref reader, count);
        var texts = new string?[count];
        for (var i = 0; i < count; i++)
        {
            var place = placeOf[i];
            if (place < -1 || place >= distinct.Length) throw new InvalidDataException($"text {place} of {distinct.Length}");
            texts[i] = place < 0 ? null : distinct[place];
        }

        return texts;
    }

    private static void WriteNumberColumn(ref MessagePackWriter writer, Column column)
    {
        writer.WriteArrayHeader(2);
        writer.Write(Numbers);
        if (AllNull(column))
        {
            writer.WriteNil();
            return;
        }

        var numbers = column.Numbers!;
        var length = numbers.Length * sizeof(double);
        writer.WriteBinHeader(length);
        var to = writer.GetSpan(length);
        for (var i = 0; i < numbers.Length; i++) BinaryPrimitives.WriteDoubleLittleEndian(to[(i * sizeof(double))..], numbers[i]);
        writer.Advance(length);
    }

    private static double[] ReadDoubles(ref MessagePackReader reader, int count)
    {
        var bytes = ReadBytes(ref reader);
        PackedEnvelope.Expect(bytes.Length, count * sizeof(double), "bytes of numbers");
        var numbers = new double[count];
        for (var i = 0; i < count; i++) numbers[i] = BinaryPrimitives.ReadDoubleLittleEndian(bytes[(i * sizeof(double))..]);
        return numbers;
    }

    private static byte[] ReadBooleans(ref MessagePackReader reader, int count)
    {
        var bytes = ReadBytes(ref reader);
        PackedEnvelope.Expect(bytes.Length, count, "booleans");
        return bytes.ToArray();
    }

    internal static void WriteInts(ref MessagePackWriter writer, ReadOnlySpan<int> values)
    {
        var wide = new long[values.Length];
        for (var i = 0; i < wide.Length; i++) wide[i] = values[i];
        WriteLongs(ref writer, wide);
    }

    internal static int[] ReadInts(ref MessagePackReader reader, int count)
    {
        var wide = ReadLongs(ref reader, count);
        var values = new int[count];
        for (var i = 0; i < count; i++) values[i] = checked((int)wide[i]);
        return values;
    }

    /// <summary><c>[smallest, width, bytes]</c>: each value as 1 + its distance from the smallest in width bytes, 0 for null; width 0 where all are equal and none is null.</summary>
    internal static void WriteLongs(ref MessagePackWriter writer, ReadOnlySpan<long> values)
    {
        long smallest = long.MaxValue, greatest = long.MinValue;
        var nulls = false;
        foreach (var value in values)
        {
            if (value == Column.NullInteger)
            {
                nulls = true;
                continue;
            }

            smallest = Math.Min(smallest, value);
            greatest = Math.Max(greatest, value);
        }

        // Unsigned and wrapping: the distance between any two values other than null, plus one, fits 64 bits.
        var widest = unchecked((ulong)greatest - (ulong)smallest + 1);
        var width = !nulls && smallest == greatest ? 0 : widest <= byte.MaxValue ? 1 : widest <= ushort.MaxValue ? 2 : widest <= uint.MaxValue ? 4 : 8;
        writer.WriteArrayHeader(3);
        writer.Write(smallest);
        writer.Write(width);
        writer.WriteBinHeader(width * values.Length);
        if (width == 0) return;
        var to = writer.GetSpan(width * values.Length);
        for (var i = 0; i < values.Length; i++)
        {
            var distance = values[i] == Column.NullInteger ? 0 : unchecked((ulong)values[i] - (ulong)smallest + 1);
            switch (width)
            {
                case 1: to[i] = (byte)distance; break;
                case 2: BinaryPrimitives.WriteUInt16LittleEndian(to[(i * 2)..], (ushort)distance); break;
                case 4: BinaryPrimitives.WriteUInt32LittleEndian(to[(i * 4)..], (uint)distance); break;
                default: BinaryPrimitives.WriteUInt64LittleEndian(to[(i * 8)..], distance); break;
            }
        }

        writer.Advance(width * values.Length);
    }

    internal static long[] ReadLongs(ref MessagePackReader reader, int count)
    {
        PackedEnvelope.Expect(reader.ReadArrayHeader(), 3, "members of packed integers");
        var smallest = reader.ReadInt64();
        var width = reader.ReadInt32();
        if (width is not (0 or 1 or 2 or 4 or 8)) throw new InvalidDataException($"integers of {width} bytes");
        var bytes = ReadBytes(ref reader);
        PackedEnvelope.Expect(bytes.Length, width * count, "bytes of integers");
        if (width == 0) return Filled(count, smallest);
        var values = new long[count];
        for (var i = 0; i < count; i++)
        {
            var distance = width switch
            {
                1 => bytes[i],
                2 => BinaryPrimitives.ReadUInt16LittleEndian(bytes[(i * 2)..]),
                4 => BinaryPrimitives.ReadUInt32LittleEndian(bytes[(i * 4)..]),
                _ => BinaryPrimitives.ReadUInt64LittleEndian(bytes[(i * 8)..]),
            };
            values[i] = distance == 0 ? Column.NullInteger : unchecked((long)((ulong)smallest + distance - 1));
        }

        return values;
    }
}
