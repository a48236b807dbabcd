using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>Reads a body against a contract into one columnar batch, without an object per row. Pure.</summary>
internal static class PushDecoder
{
    /// <summary>Columns that are not fields: <c>@delete</c>, and <c>@area</c>, which the hub itself adds when it gives rows out.</summary>
    private const int DeleteColumn = -2, AreaColumn = -3;

    [ThreadStatic] private static TextPool? t_pool;

    /// <param name="body">After decompression.</param>
    /// <param name="areas">What rows' areas are resolved with; null: the dataset has none.</param>
    /// <param name="now">Rows later than this and the contract's maxFuture are quarantined.</param>
    /// <param name="partitions">How many the dataset has.</param>
    public static DecodeResult Decode(PushFormat format, ReadOnlySpan<byte> body, CompiledContract contract, IRowAreas? areas, IngestOptions options, DateTimeOffset now, int partitions = 1)
    {
        if (body.StartsWith("\uFEFF"u8)) body = body[3..];
        if (!Utf8.IsValid(body)) return NotUtf8(body);
        return format switch
        {
            PushFormat.Json => DecodeJson(body, contract, areas, options, now, partitions),
            PushFormat.NdJson => DecodeNdJson(body, contract, areas, options, now, partitions),
            _ => DecodeCsv(body, contract, areas, options, now, partitions),
        };
    }

    private static DecodeResult DecodeJson(ReadOnlySpan<byte> body, CompiledContract contract, IRowAreas? areas, IngestOptions options, DateTimeOffset now, int partitions)
    {
        // The array and the row lie around the values.
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = options.MaxDepth + 2 });
        var rows = new RowAssembler(contract, areas, options, now, partitions, Guess(body.Length, contract));
        using var json = new JsonRows(contract, rows, options);
        try
        {
            reader.Read();
            if (reader.TokenType == JsonTokenType.StartObject)
            {
                ReadRow(ref reader, body);
            }
            else if (reader.TokenType == JsonTokenType.StartArray)
            {
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    if (rows.IsFull) return TooManyRows(options);
                    ReadRow(ref reader, body);
                }
            }
            else
            {
                return new UndecodableBody(ProblemTypes.InvalidJson, new(
                    "Erwartet wird ein JSON-Array von Zeilen oder eine einzelne Zeile als Objekt.",
                    "A JSON array of rows or a single row as an object is expected."));
            }

            // Anything after it is not JSON.
            reader.Read();
            return rows.Finish();
        }
        catch (JsonException e)
        {
            var line = (e.LineNumber ?? 0) + 1;
            var offset = Math.Min(reader.BytesConsumed, body.Length);
            return new UndecodableBody(ProblemTypes.InvalidJson,
                new($"Der Inhalt ist ab Byte {offset} (Zeile {line}) kein lesbares JSON: {Reason(e)}", $"The body is not readable JSON from byte {offset} (line {line}): {Reason(e)}"),
                ("offset", offset), ("line", line));
        }

        void ReadRow(ref Utf8JsonReader at, ReadOnlySpan<byte> text)
        {
            rows.Begin();
            var start = (int)at.TokenStartIndex;
            if (at.TokenType == JsonTokenType.StartObject)
            {
                json.ReadObject(ref at);
            }
            else
            {
                rows.FailRow("{ … }");
                at.Skip();
            }

            EndRow(rows, text[start..(int)at.BytesConsumed], true, options);
        }
    }

    private static DecodeResult DecodeNdJson(ReadOnlySpan<byte> body, CompiledContract contract, IRowAreas? areas, IngestOptions options, DateTimeOffset now, int partitions)
    {
        var rows = new RowAssembler(contract, areas, options, now, partitions, Guess(body.Length, contract));
        using var json = new JsonRows(contract, rows, options);
        while (!body.IsEmpty)
        {
            var end = body.IndexOf((byte)'\n');
            var line = (end < 0 ? body : body[..end]).Trim(" \t\r"u8);
            body = end < 0 ? [] : body[(end + 1)..];
            if (line.IsEmpty) continue;
            if (rows.IsFull) return TooManyRows(options);

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
                    rows.FailRow("{ … }");
                    reader.Skip();
                }

                reader.Read();
            }
            catch (JsonException e)
            {
                isJson = false;
                rows.FailRow(Reason(e));
            }

            EndRow(rows, line, isJson, options);
        }

        return rows.Finish();
    }

    private static DecodeResult DecodeCsv(ReadOnlySpan<byte> body, CompiledContract contract, IRowAreas? areas, IngestOptions options, DateTimeOffset now, int partitions)
    {
        var records = new CsvRecords(body);
        var header = ReadHeader(ref records, out var refusal);
        if (refusal is not null) return refusal;

        var ordinals = new int[header.Length];
        for (var i = 0; i < header.Length; i++) ordinals[i] = header[i] switch { "@delete" => DeleteColumn, "@area" => AreaColumn, var name => contract.OrdinalOf(name) };
        var rows = new RowAssembler(contract, areas, options, now, partitions, Guess(body.Length, contract));
        var pool = t_pool ??= new();
        var bytes = ArrayPool<byte>.Shared.Rent(1_024);
        var chars = ArrayPool<char>.Shared.Rent(1_024);
        try
        {
            while (records.Read())
            {
                // The line after the last one, and lines between that nobody meant; with one column an empty line is a row.
                if (records.IsBlank && header.Length > 1) continue;
                if (rows.IsFull) return TooManyRows(options);
                rows.Begin();
                var readable = records.Broken is null && records.Count == header.Length;
                if (records.Broken is not null)
                    rows.FailRow(records.Broken);
                else if (!readable)
                    rows.FailRow($"{header.Length} cells, not {records.Count}");
                else
                    ReadCells(ref records, ordinals, header, contract, rows, options, pool, ref bytes, ref chars);

                if (records.Record.Length > options.MaxRowBytes)
                    rows.Fail(null, RowErrorCodes.RowTooLarge, Text(options.MaxRowBytes));
                if (rows.End()) continue;
                rows.Quarantine(readable && records.Record.Length <= options.MaxRowBytes ? RawCells(ref records, header) : JsonRows.Raw(records.Record, false, options.MaxRowBytes));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
            ArrayPool<char>.Shared.Return(chars);
        }

        return rows.Finish();
    }

    private static string[] ReadHeader(ref CsvRecords records, out UndecodableBody? refusal)
    {
        refusal = null;
        if (!records.Read() || records.IsBlank)
        {
            refusal = InvalidCsv("Die erste Zeile mit den Feldnamen fehlt.", "The first line with the fields' names is missing.", 1);
            return [];
        }

        if (records.Broken is not null)
        {
            refusal = InvalidCsv($"Die Kopfzeile ist nicht lesbar: {records.Broken}", $"The header is not readable: {records.Broken}", 1);
            return [];
        }

        if (records.Count > 2 * ContractLimits.Fields)
        {
            refusal = InvalidCsv($"Die Kopfzeile hat {records.Count} Spalten; höchstens {2 * ContractLimits.Fields} sind erlaubt.", $"The header has {records.Count} columns; at most {2 * ContractLimits.Fields} are allowed.", 1);
            return [];
        }

        var header = new string[records.Count];
        for (var i = 0; i < header.Length; i++)
        {
            var name = Encoding.UTF8.GetString(records.Get(i, new byte[records.LengthOf(i)]));
            if (name.Length > 1_000) name = name[..1_000];
            if (name.Length == 0)
                refusal ??= InvalidCsv($"Spalte {i + 1} der Kopfzeile hat keinen Namen.", $"Column {i + 1} of the header has no name.", 1);
            else if (Array.IndexOf(header, name, 0, i) >= 0)
                refusal ??= InvalidCsv($"Die Spalte „{name}“ steht zweimal in der Kopfzeile.", $"The column \"{name}\" stands in the header twice.", 1);
            header[i] = name;
        }

        return header;
    }

    private static void ReadCells(
        ref CsvRecords records, int[] ordinals, string[] header, CompiledContract contract, RowAssembler rows, IngestOptions options,
        TextPool pool, ref byte[] bytes, ref char[] chars)
    {
        for (var i = 0; i < ordinals.Length; i++)
        {
            var length = records.LengthOf(i);
            if (length > bytes.Length)
            {
                ArrayPool<byte>.Shared.Return(bytes);
                bytes = ArrayPool<byte>.Shared.Rent(length);
            }

            if (length > chars.Length)
            {
                ArrayPool<char>.Shared.Return(chars);
                chars = ArrayPool<char>.Shared.Rent(length);
            }

            ReadOnlySpan<char> text = chars.AsSpan(0, Encoding.UTF8.GetChars(records.Get(i, bytes), chars));
            var ordinal = ordinals[i];
            if (ordinal == DeleteColumn)
            {
                ReadDelete(rows, contract, text);
            }
            else if (ordinal == AreaColumn)
            {
                continue;
            }
            else if (ordinal < 0)
            {
                rows.Fail(header[i], RowErrorCodes.UnknownField, null);
            }
            else if (!contract.IsMissing(text))
            {
                if (text.Length > options.MaxFieldLength)
                {
                    rows.Fail(ordinal, RowErrorCodes.TooLong, Text(options.MaxFieldLength), default);
                    continue;
                }

                var fault = contract.Fields[ordinal].Read(text, pool, out var value);
                if (fault.IsNone) rows.Set(ordinal, value);
                else rows.Fail(ordinal, fault.Code!, fault.Expected, text);
            }
        }
    }

    private static void ReadDelete(RowAssembler rows, CompiledContract contract, ReadOnlySpan<char> text)
    {
        if (text is "true" or "True" or "TRUE" or "1") rows.Delete(true);
        else if (!text.IsEmpty && text is not ("false" or "False" or "FALSE" or "0") && !contract.IsMissing(text)) rows.Fail("@delete", RowErrorCodes.InvalidDelete, "true, false");
    }

    private static void EndRow(RowAssembler rows, ReadOnlySpan<byte> text, bool isJson, IngestOptions options)
    {
        if (text.Length > options.MaxRowBytes) rows.Fail(null, RowErrorCodes.RowTooLarge, Text(options.MaxRowBytes));
        if (!rows.End()) rows.Quarantine(JsonRows.Raw(text, isJson, options.MaxRowBytes));
    }

    private static string RawCells(ref CsvRecords records, string[] header)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            for (var i = 0; i < header.Length; i++) writer.WriteString(header[i], records.Get(i, new byte[records.LengthOf(i)]));
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static UndecodableBody NotUtf8(ReadOnlySpan<byte> body)
    {
        var offset = 0;
        while (Rune.DecodeFromUtf8(body[offset..], out _, out var used) == OperationStatus.Done) offset += used;
        return new(ProblemTypes.InvalidBody, new($"Der Inhalt ist ab Byte {offset} kein UTF-8.", $"The body is not UTF-8 from byte {offset}."), ("offset", offset));
    }

    private static UndecodableBody TooManyRows(IngestOptions options) => new(
        ProblemTypes.TooLarge,
        new($"Eine Lieferung hat höchstens {options.MaxRows} Zeilen; in mehreren senden.", $"A push has at most {options.MaxRows} rows; send several."),
        ("maxRows", options.MaxRows));

    private static UndecodableBody InvalidCsv(string de, string en, int line) => new(ProblemTypes.InvalidCsv, new(de, en), ("line", line));

    /// <summary>The reader's words without its own account of the place.</summary>
    private static string Reason(JsonException e)
    {
        var place = e.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return place < 0 ? e.Message : e.Message[..place];
    }

    private static string Text(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>How many rows a body may have: too few only costs copies.</summary>
    private static int Guess(int bytes, CompiledContract contract) => (bytes / (16 * contract.Fields.Length)) + 1;
}
