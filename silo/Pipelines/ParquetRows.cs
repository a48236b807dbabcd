using System.Buffers.Binary;
using System.Globalization;

using DataHub.Catalog;

using Parquet;
using Parquet.Meta;
using Parquet.Schema;

namespace DataHub.Pipelines;

/// <summary>
/// Rows of a Parquet file, group by group; one is in memory, with the columns that are wanted. Lengths in the file are looked at
/// before the library reads it: it would make room for whatever they say.
/// </summary>
internal sealed class ParquetRows : TypedRows
{
    /// <summary>Bytes of the description at the end, and of a page, a page's description and all pages of a group, unpacked.</summary>
    private const int LargestFooter = 16 << 20, LargestPage = 256 << 20, LargestHeader = 1 << 16, LargestGroup = 512 << 20;

    /// <summary>Bytes of a group's values in memory: a few in the file may stand for millions.</summary>
    private const long LargestValues = 256 << 20;

    private readonly Stream _file;
    private readonly ParquetReader _reader;
    private readonly DataField[] _fields;
    private readonly bool[] _wanted;
    private readonly TypedCell[] _cells;
    private readonly ParquetColumn?[] _columns;
    private readonly long _rows;
    private int _group = -1;
    private long _left, _row;

    /// <param name="file">Stays open.</param>
    /// <param name="wanted">Headings of the columns that are wanted; null: all.</param>
    public ParquetRows(Stream file, IReadOnlyCollection<string>? wanted)
    {
        _file = file;
        CheckFooter();
        try
        {
            _file.Position = 0;
            _reader = ParquetReader.CreateAsync(_file, new ParquetOptions { UseDateOnlyTypeForDates = true, TreatBigIntegersAsDates = false }, true).GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is not StepException)
        {
            throw Broken();
        }

        if (_reader.Schema.Fields.Count > JobLimits.Columns) throw new StepException(new($"Die Datei hat mehr als {JobLimits.Columns} Spalten.", $"The file has more than {JobLimits.Columns} columns."));
        Headings = [.. _reader.Schema.Fields.Select(field => field.Name)];
        _wanted = [.. Headings.Select(heading => wanted is null || wanted.Contains(heading.Trim(), StringComparer.OrdinalIgnoreCase))];
        _fields = [.. _reader.Schema.Fields.Select((field, i) => _wanted[i] ? Flat(field) : null!)];
        (_cells, _columns) = (new TypedCell[_fields.Length], new ParquetColumn?[_fields.Length]);
        for (var i = 0; i < _reader.RowGroupCount; i++)
        {
            using var group = _reader.OpenRowGroupReader(i);
            _rows += group.RowCount;
        }
    }

    public override IReadOnlyList<string> Headings { get; }

    public override IReadOnlyList<TypedCell> Cells => _cells;

    public override LocalText Found => new($"Gelesen als Parquet, {_rows} Zeilen in {_reader.RowGroupCount} Gruppen.", $"Read as Parquet, {_rows} rows in {_reader.RowGroupCount} groups.");

    public override bool Read()
    {
        while (_left == 0)
        {
            if (++_group == _reader.RowGroupCount) return false;
            ReadGroup();
        }

        _left--;
        _row++;
        for (var i = 0; i < _columns.Length; i++) _cells[i] = _columns[i]?.Next() ?? default;
        return true;
    }

    public override LocalText Place(int column) => new(string.Create(CultureInfo.InvariantCulture, $"Zeile {_row}"), string.Create(CultureInfo.InvariantCulture, $"Row {_row}"));

    public override void Dispose() => _reader.DisposeAsync().AsTask().GetAwaiter().GetResult();

    private void ReadGroup()
    {
        using var group = _reader.OpenRowGroupReader(_group);
        _left = group.RowCount;
        if (_left < 0) throw Broken();
        var width = _fields.Where((_, i) => _wanted[i]).Sum(ParquetColumn.Width);
        if (_left > LargestValues / Math.Max(1, width)) throw Many(_left, LargestValues / Math.Max(1, width));
        var unpacked = 0L;
        for (var i = 0; i < _fields.Length; i++)
        {
            if (!_wanted[i]) continue;
            var chunk = group.GetMetadata(_fields[i])?.MetaData ?? throw Broken();
            if (chunk.NumValues != _left) throw Broken();
            unpacked += CheckPages(chunk);
            if (unpacked > LargestGroup) throw Large();
        }

        try
        {
            for (var i = 0; i < _fields.Length; i++)
                if (_wanted[i]) _columns[i] = ParquetColumn.Read(group, _fields[i]);
        }
        catch (Exception e) when (e is not StepException)
        {
            throw Broken();
        }
    }

    /// <summary>A column that has one value a row, of a type that a table has.</summary>
    private static DataField Flat(Field field)
    {
        if (field is not DataField { IsArray: false } data)
            throw new StepException(new($"„{field.Name}“ hat verschachtelte Werte ({Kind(field)}); vorher auflösen oder columns ohne diese Spalte angeben.", $"“{field.Name}” has nested values ({Kind(field)}); flatten it first, or say columns without it."));
        return ParquetColumn.Knows(data) ? data : throw new StepException(new(
            $"„{field.Name}“ ist von einer Art, die der Hub nicht liest ({Kind(field)}); vorher umwandeln (etwa in TIMESTAMP, DOUBLE oder Text) oder columns ohne diese Spalte angeben.",
            $"“{field.Name}” is of a type that the hub does not read ({Kind(field)}); convert it first (to TIMESTAMP, DOUBLE or text), or say columns without it."));

        static string Kind(Field field) => field is DataField { IsArray: false, SchemaElement: { } element }
            ? $"{element.Type}{(element.ConvertedType is { } converted ? " " + converted : "")}{(element.Precision is { } precision ? $" {precision}" : "")}"
            : field.SchemaType.ToString();
    }

    /// <summary>The description at the end is read whole, so its lengths are looked at first.</summary>
    private void CheckFooter()
    {
        var tail = new byte[8];
        if (_file.Length < 12) throw Broken();
        _file.Position = _file.Length - 8;
        _file.ReadExactly(tail);
        if (tail.AsSpan(4).SequenceEqual("PARE"u8)) throw new StepException(new("Die Datei ist verschlüsselt. Unverschlüsselt speichern.", "The file is encrypted. Save it unencrypted."));
        var length = BinaryPrimitives.ReadInt32LittleEndian(tail);
        if (!tail.AsSpan(4).SequenceEqual("PAR1"u8) || length < 0 || length > _file.Length - 12) throw Broken();
        if (length > LargestFooter) throw Large();
        var footer = new byte[length];
        _file.Position = _file.Length - 8 - length;
        _file.ReadExactly(footer);
        Check(footer, null);
    }

    /// <returns>Bytes of the chunk's pages, unpacked.</returns>
    private long CheckPages(ColumnMetaData chunk)
    {
        var at = chunk.DictionaryPageOffset is > 0 and var dictionary && dictionary < chunk.DataPageOffset ? dictionary : chunk.DataPageOffset;
        var end = at + chunk.TotalCompressedSize;
        if (at < 4 || chunk.TotalCompressedSize < 0 || end > _file.Length) throw Broken();
        var unpacked = 0L;
        var header = new byte[(int)Math.Min(LargestHeader, end - at)];
        while (at < end)
        {
            _file.Position = at;
            var length = (int)Math.Min(header.Length, end - at);
            _file.ReadExactly(header, 0, length);
            var (size, packed, values) = (-1L, -1L, 0L);
            var read = Check(header.AsSpan(0, length), (field, number) =>
            {
                if (field == 2) size = number;
                else if (field == 3) packed = number;
                else if (field is 5_001 or 7_001 or 8_001) values = number;
            });
            if (size is < 0 or > LargestPage) throw Large();
            if (packed < 0 || values < 0 || values > Math.Max(chunk.NumValues, size)) throw Broken();
            unpacked += size;
            at += read + packed;
        }

        return unpacked;
    }

    private static int Check(ReadOnlySpan<byte> bytes, Action<int, long>? found)
    {
        try
        {
            var thrift = new ParquetThrift(bytes);
            thrift.Struct(found);
            return thrift.At;
        }
        catch (InvalidDataException)
        {
            throw Broken();
        }
    }

    private static StepException Broken() => new(new("Die Datei ist kein lesbares Parquet.", "The file is not readable as Parquet."));

    private static StepException Large() => new(new(
        $"Eine Zeilengruppe der Datei ist zu groß (höchstens {LargestGroup >> 20} MiB); mit kleineren Gruppen speichern (row_group_size).",
        $"A row group of the file is too large (at most {LargestGroup >> 20} MiB); save it with smaller ones (row_group_size)."));

    private static StepException Many(long rows, long most) => new(new(
        $"Eine Zeilengruppe der Datei hat {rows} Zeilen; bei diesen Spalten haben {most} im Speicher Platz ({LargestValues >> 20} MiB). Mit kleineren Gruppen speichern (row_group_size) oder columns mit weniger Spalten angeben.",
        $"A row group of the file has {rows} rows; with these columns {most} fit into memory ({LargestValues >> 20} MiB). Save it with smaller ones (row_group_size), or say columns with fewer of them."));
}
