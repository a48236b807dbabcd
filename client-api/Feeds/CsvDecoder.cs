using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>Reads the rows of a CSV text.</summary>
internal sealed class CsvDecoder
{
    /// <summary>Columns that are no fields.</summary>
    private const int Unknown = -1, Delete = -2, PassedOver = -3;

    private readonly CsvTable _table;
    private readonly CompiledContract _contract;
    private readonly IngestOptions _options;
    private readonly RowAssembler _rows;
    private readonly int[] _ordinals;
    private readonly HashSet<string>? _nulls;
    private readonly int _longestNull;
    private readonly TextPool _pool = TextPool.OfThisThread;
    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(1_024);
    private char[] _chars = ArrayPool<char>.Shared.Rent(1_024);

    private CsvDecoder(CsvTable table, RowAssembler rows, DecodeContext context)
    {
        _table = table;
        _contract = context.Contract;
        _options = context.Options;
        _rows = rows;
        _ordinals = [.. table.Fields.Select(field => field switch { null or CsvTable.Area => PassedOver, CsvTable.Delete => Delete, _ => _contract.OrdinalOf(field) })];
        _nulls = table.Profile is { NullValues.Length: > 0 } profile ? profile.NullValues.ToHashSet(StringComparer.Ordinal) : null;
        foreach (var value in _contract.Schema.MissingValues) _longestNull = Math.Max(_longestNull, value.Length);
        foreach (var value in table.Profile?.NullValues ?? []) _longestNull = Math.Max(_longestNull, value.Length);
    }

    public static DecodeResult Decode(ReadOnlySpan<byte> text, CsvTable table, PushChunk chunk, DecodeContext context)
    {
        var options = context.Options;
        var rows = new RowAssembler(context, PushDecoder.Guess(chunk, context.Contract), chunk.MaxRows(options), chunk.FirstRow);
        var decoder = new CsvDecoder(table, rows, context);
        try
        {
            var records = new CsvRecords(text.Slice(chunk.Start, chunk.Length), table.Delimiter);
            while (records.Read())
            {
                if (IsNoRow(in records, table)) continue;
                if (rows.IsFull) return PushDecoder.Full(chunk, options);
                decoder.ReadRow(ref records);
            }

            return rows.Finish();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(decoder._bytes);
            ArrayPool<char>.Shared.Return(decoder._chars);
        }
    }

    /// <summary>The line after the last one, and lines between that nobody meant; with one column an empty line is a row.</summary>
    public static bool IsNoRow(in CsvRecords records, CsvTable table) => records.IsBlank && table.Columns.Length > 1;

    private void ReadRow(ref CsvRecords records)
    {
        _rows.Begin();
        var cells = _table.Columns.Length;
        var tooLarge = records.Record.Length > _options.MaxRowBytes;
        var readable = !tooLarge && records.Broken is null && records.Count == cells;
        if (tooLarge) _rows.FailRow(RowErrorCodes.RowTooLarge, PushDecoder.Text(_options.MaxRowBytes));
        else if (records.Broken is { } broken) _rows.FailRow(RowErrorCodes.BrokenQuotes, PushDecoder.Text(broken));
        else if (!readable) _rows.FailRow(RowErrorCodes.WrongCellCount, PushDecoder.Text(cells));
        else ReadCells(ref records);
        if (!_rows.End()) _rows.Quarantine(readable ? Raw(ref records) : JsonRows.Raw(records.Record, false, _options.MaxRowBytes));
    }

    private void ReadCells(ref CsvRecords records)
    {
        for (var i = 0; i < _ordinals.Length; i++)
        {
            var ordinal = _ordinals[i];
            if (ordinal == PassedOver) continue;
            if (ordinal == Unknown)
            {
                _rows.Fail(_table.Columns[i], RowErrorCodes.UnknownField, null);
                continue;
            }

            var text = Text(ref records, i);
            if (ordinal == Delete)
            {
                ReadDelete(text);
                continue;
            }

            // Around anything but a text, white space means nothing.
            if (_contract.Fields[ordinal].Kind != ColumnKind.Text) text = text.Trim();
            if (IsNull(text)) continue;
            if (text.Length > _options.MaxFieldLength)
            {
                _rows.Fail(ordinal, RowErrorCodes.TooLong, PushDecoder.Text(_options.MaxFieldLength), default);
                continue;
            }

            var fault = _table.Readers[i]!.Read(text, _pool, out var value);
            if (fault.IsNone) _rows.Set(ordinal, value);
            else _rows.Fail(ordinal, fault.Code!, fault.Expected, text);
        }
    }

    private bool IsNull(ReadOnlySpan<char> text) =>
        text.Length <= _longestNull && (_contract.IsMissing(text) || (_nulls is not null && _nulls.GetAlternateLookup<ReadOnlySpan<char>>().Contains(text)));

    private void ReadDelete(ReadOnlySpan<char> text)
    {
        if (text is "true" or "True" or "TRUE" or "1") _rows.Delete(true);
        else if (!text.IsEmpty && text is not ("false" or "False" or "FALSE" or "0") && !IsNull(text)) _rows.Fail(CsvTable.Delete, RowErrorCodes.InvalidDelete, "true, false");
    }

    private ReadOnlySpan<char> Text(ref CsvRecords records, int cell)
    {
        var length = records.LengthOf(cell);
        if (length > _bytes.Length)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = ArrayPool<byte>.Shared.Rent(length);
        }

        if (length > _chars.Length)
        {
            ArrayPool<char>.Shared.Return(_chars);
            _chars = ArrayPool<char>.Shared.Rent(length);
        }

        return _chars.AsSpan(0, Encoding.UTF8.GetChars(records.Get(cell, _bytes), _chars));
    }

    /// <summary>
    /// The row for quarantine: by the fields' names, so that it can be put right and replayed. Cells as they stand there,
    /// but for those that only this file's form or the feed's profile made readable: what was read of them.
    /// </summary>
    private string Raw(ref CsvRecords records)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            for (var i = 0; i < _table.Columns.Length; i++)
                if (_table.Fields[i] is { } field) WriteCell(writer, field, ref records, i);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private void WriteCell(Utf8JsonWriter writer, string name, ref CsvRecords records, int cell)
    {
        if (_table.Readers[cell] is { } reader)
        {
            var field = _contract.Fields[_ordinals[cell]];
            var text = field.Kind == ColumnKind.Text ? Text(ref records, cell) : Text(ref records, cell).Trim();
            if (!_contract.IsMissing(text) && IsNull(text))
            {
                writer.WriteNull(name);
                return;
            }

            // The contract's own reading comes first wherever it is the same.
            var own = text.Length <= _options.MaxFieldLength && field.Read(text, _pool, out var plain).IsNone ? plain : default(FieldValue?);
            if (text.Length <= _options.MaxFieldLength && reader.Read(text, _pool, out var value).IsNone && (own is not { } same || same.Number != value.Number || same.Integer != value.Integer))
            {
                switch (field.Type)
                {
                    case FieldType.Number:
                        writer.WriteNumber(name, value.Number);
                        return;
                    case FieldType.Integer:
                        writer.WriteNumber(name, value.Integer);
                        return;
                    case FieldType.Boolean:
                        writer.WriteBoolean(name, value.Integer == 1);
                        return;
                    case FieldType.Date when field.Spec.Format is null or "default" or "any":
                        writer.WriteString(name, DateOnly.FromDayNumber((int)value.Integer).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture));
                        return;
                    case FieldType.DateTime when field.Spec.Format is null or "default" or "any":
                        writer.WriteString(name, new DateTime(value.Integer).ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", System.Globalization.CultureInfo.InvariantCulture));
                        return;
                }
            }
        }

        writer.WriteString(name, records.Get(cell, new byte[records.LengthOf(cell)]));
    }
}
