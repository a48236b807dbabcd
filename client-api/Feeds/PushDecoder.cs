using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>Reads a body's text against a contract into columnar batches, without an object per row. Pure.</summary>
internal static class PushDecoder
{
    /// <summary>Reads a whole body.</summary>
    /// <param name="body">After decompression.</param>
    /// <param name="csv">How the feed writes CSV.</param>
    public static DecodeResult Decode(
        PushFormat format, ReadOnlyMemory<byte> body, CompiledContract contract, IRowAreas? areas, IngestOptions options, DateTimeOffset now, int partitions = 1, CsvProfile? csv = null)
    {
        var (text, refusal) = PushText.Prepare(format, body, null, csv);
        return refusal is not null ? refusal : Decode(format, text, csv, new(contract, areas, options, now, partitions));
    }

    /// <summary>Reads a whole text.</summary>
    public static DecodeResult Decode(PushFormat format, ReadOnlyMemory<byte> text, CsvProfile? csv, DecodeContext context)
    {
        var whole = PushChunk.Whole(text.Length);
        switch (format)
        {
            case PushFormat.Json: return DecodeJson(text.Span, whole, context);
            case PushFormat.NdJson: return DecodeNdJson(text.Span, whole, context);
            case PushFormat.MessagePack: return MessagePackDecoder.Decode(text, whole, context);
            default:
                var table = CsvTable.Open(text.Span, context.Contract, csv, context.Options, out var refusal);
                return table is null ? refusal! : CsvDecoder.Decode(text.Span, table, whole with { Start = table.Start, Length = text.Length - table.Start }, context);
        }
    }

    /// <summary>Reads one chunk of a text that was cut.</summary>
    public static DecodeResult Decode(PushCuts cuts, int chunk, DecodeContext context) => cuts.Format switch
    {
        PushFormat.Json => DecodeJson(cuts.Text.Span, cuts.Chunks[chunk], context),
        PushFormat.NdJson => DecodeNdJson(cuts.Text.Span, cuts.Chunks[chunk], context),
        PushFormat.MessagePack => MessagePackDecoder.Decode(cuts.Text, cuts.Chunks[chunk], context),
        _ => CsvDecoder.Decode(cuts.Text.Span, cuts.Csv!, cuts.Chunks[chunk], context),
    };

    /// <summary>What is told where a body has more rows than are taken.</summary>
    public static UndecodableBody TooManyRows(IngestOptions options) => new(
        ProblemTypes.TooManyRows,
        new($"Eine Lieferung hat höchstens {options.MaxRows} Zeilen; in mehreren senden.", $"A push has at most {options.MaxRows} rows; send several."),
        ("maxRows", options.MaxRows));

    public static UndecodableBody TooDeep(IngestOptions options) => new(
        ProblemTypes.TooDeep,
        new($"Objekte und Listen liegen in einem Wert höchstens {options.MaxDepth} Ebenen ineinander.", $"Objects and arrays lie at most {options.MaxDepth} levels within one another in a value."),
        ("maxDepth", options.MaxDepth));

    public static UndecodableBody TooManyColumns(int columns, IngestOptions options) => new(
        ProblemTypes.TooManyColumns,
        new($"Die Lieferung hat {columns} Spalten; höchstens {options.MaxColumns} sind erlaubt.", $"The push has {columns} columns; at most {options.MaxColumns} are allowed."),
        ("maxColumns", options.MaxColumns));

    public static UndecodableBody InvalidJson(JsonException e, long offset, IngestOptions options)
    {
        if (IsTooDeep(e)) return TooDeep(options);
        var line = (e.LineNumber ?? 0) + 1;
        return new(ProblemTypes.InvalidJson,
            new($"Der Inhalt ist ab Byte {offset} (Zeile {line}) kein lesbares JSON.", $"The body is not readable JSON from byte {offset} (line {line}): {Reason(e)}."),
            ("offset", offset), ("line", line));
    }

    public static UndecodableBody NoRows() => new(ProblemTypes.InvalidJson, new(
        "Erwartet wird ein JSON-Array von Zeilen oder eine einzelne Zeile als Objekt.",
        "A JSON array of rows or a single row as an object is expected."));

    /// <summary>How the reader of a body's JSON is set: the array and the row lie around the values.</summary>
    public static JsonReaderOptions Reading(IngestOptions options) => new() { MaxDepth = options.MaxDepth + 2 };

    /// <summary>Notes what the whole row is, and where it did not pass keeps it.</summary>
    /// <param name="text">The row as it came.</param>
    public static void EndRow(RowAssembler rows, ReadOnlySpan<byte> text, bool isJson, IngestOptions options)
    {
        if (text.Length > options.MaxRowBytes) rows.Fail(null, RowErrorCodes.RowTooLarge, Text(options.MaxRowBytes));
        if (!rows.End()) rows.Quarantine(JsonRows.Raw(text, isJson, options.MaxRowBytes));
    }

    public static string Text(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>How many rows a text may have: too few only costs copies.</summary>
    public static int Guess(PushChunk chunk, CompiledContract contract) => chunk.IsWhole ? (chunk.Length / (16 * contract.Fields.Length)) + 1 : chunk.Rows;

    /// <summary>The answer to a text that has more rows than are read in one go.</summary>
    public static DecodeResult Full(PushChunk chunk, IngestOptions options) =>
        chunk.IsWhole && options.MaxRows > PushLimits.WholeRows ? default(DecodeResult) : TooManyRows(options);

    private static DecodeResult DecodeJson(ReadOnlySpan<byte> text, PushChunk chunk, DecodeContext context)
    {
        var body = text[chunk.Start..];
        var reader = chunk.IsWhole ? new Utf8JsonReader(body, Reading(context.Options)) : new Utf8JsonReader(body, isFinalBlock: true, chunk.State);
        var rows = new RowAssembler(context, Guess(chunk, context.Contract), chunk.MaxRows(context.Options), chunk.FirstRow);
        using var json = new JsonRows(context.Contract, rows, context.Options);
        try
        {
            if (!chunk.IsWhole)
            {
                while (!rows.IsFull && reader.Read()) ReadRow(ref reader, body);
                return rows.Finish();
            }

            reader.Read();
            if (reader.TokenType == JsonTokenType.StartObject)
            {
                ReadRow(ref reader, body);
            }
            else if (reader.TokenType == JsonTokenType.StartArray)
            {
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    if (rows.IsFull) return Full(chunk, context.Options);
                    ReadRow(ref reader, body);
                }
            }
            else
            {
                return NoRows();
            }

            // Anything after it is not JSON.
            reader.Read();
            return rows.Finish();
        }
        catch (JsonException e)
        {
            return InvalidJson(e, Math.Min(chunk.Start + reader.BytesConsumed, text.Length), context.Options);
        }

        void ReadRow(ref Utf8JsonReader at, ReadOnlySpan<byte> from)
        {
            rows.Begin();
            var start = (int)at.TokenStartIndex;
            if (at.TokenType == JsonTokenType.StartObject)
            {
                json.ReadObject(ref at);
            }
            else
            {
                rows.FailRow(RowErrorCodes.MalformedRow, "{ … }");
                at.Skip();
            }

            EndRow(rows, from[start..(int)at.BytesConsumed], true, context.Options);
        }
    }

    private static DecodeResult DecodeNdJson(ReadOnlySpan<byte> text, PushChunk chunk, DecodeContext context)
    {
        var options = context.Options;
        var rows = new RowAssembler(context, Guess(chunk, context.Contract), chunk.MaxRows(options), chunk.FirstRow);
        using var json = new JsonRows(context.Contract, rows, options);
        var lines = new TextLines(text.Slice(chunk.Start, chunk.Length));
        while (lines.Read())
        {
            var line = lines.Line;
            if (rows.IsFull) return Full(chunk, options);
            rows.Begin();
            var isJson = true;
            try
            {
                var reader = new Utf8JsonReader(line, new JsonReaderOptions { MaxDepth = options.MaxDepth + 1 });
                reader.Read();
                if (reader.TokenType == JsonTokenType.StartObject)
                {
                    json.ReadObject(ref reader);
                }
                else
                {
                    rows.FailRow(RowErrorCodes.MalformedRow, "{ … }");
                    reader.Skip();
                }

                reader.Read();
            }
            catch (JsonException e)
            {
                isJson = false;
                if (IsTooDeep(e)) rows.FailRow(RowErrorCodes.TooDeep, Text(options.MaxDepth));
                else rows.FailRow(RowErrorCodes.NotJson, Text((int)(e.BytePositionInLine ?? 0) + 1));
            }

            EndRow(rows, line, isJson, options);
        }

        return rows.Finish();
    }

    /// <summary>The reader's words without its own account of the place.</summary>
    private static string Reason(JsonException e)
    {
        var place = e.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return place < 0 ? e.Message : e.Message[..place];
    }

    private static bool IsTooDeep(JsonException e) => e.Message.Contains("maximum configured depth", StringComparison.Ordinal);
}

/// <summary>The lines of a text that have something on them, without white space around them.</summary>
internal ref struct TextLines(ReadOnlySpan<byte> text)
{
    private readonly ReadOnlySpan<byte> _text = text;
    private int _next;

    public ReadOnlySpan<byte> Line { get; private set; }

    /// <summary>Where the next line begins, in bytes.</summary>
    public readonly int Next => _next;

    /// <summary>Where the line that was read begins.</summary>
    public int Start { get; private set; }

    public bool Read()
    {
        while (_next < _text.Length)
        {
            Start = _next;
            var rest = _text[_next..];
            var end = rest.IndexOf((byte)'\n');
            _next = end < 0 ? _text.Length : _next + end + 1;
            Line = (end < 0 ? rest : rest[..end]).Trim(" \t\r"u8);
            if (!Line.IsEmpty) return true;
        }

        return false;
    }
}
