using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

using DataHub.Catalog;

using MessagePack;

namespace DataHub.Feeds;

/// <summary>
/// Reads the rows of a MessagePack body: an array of maps, one map, or in columns <c>{ "columns": { "station": [ … ],
/// "no2": [ … ] } }</c> with arrays of one length, where nil is null.
/// </summary>
internal static class MessagePackDecoder
{
    private static readonly JsonWriterOptions s_writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static DecodeResult Decode(ReadOnlyMemory<byte> text, PushChunk chunk, DecodeContext context)
    {
        var body = text.Slice(chunk.Start, chunk.Length);
        var reader = new MessagePackReader(body);
        try
        {
            if (chunk.IsWhole && IsInColumns(reader)) return DecodeColumns(ref reader, text, context);

            var rows = new RowAssembler(context, PushDecoder.Guess(chunk, context.Contract), chunk.MaxRows(context.Options), chunk.FirstRow);
            using var values = new MessagePackValues(context, rows);
            var count = chunk.Rows;
            if (chunk.IsWhole && !TryCount(ref reader, out count)) return NoRows();
            var order = new int[context.Contract.Fields.Length];
            for (var i = 0; i < order.Length; i++) order[i] = i;
            for (var i = 0; i < count; i++)
            {
                if (rows.IsFull) return PushDecoder.Full(chunk, context.Options);
                ReadRow(ref reader, body, rows, values, order, context);
            }

            return reader.End ? rows.Finish() : Trailing(reader.Consumed);
        }
        catch (TooDeepException)
        {
            return PushDecoder.TooDeep(context.Options);
        }
        catch (Exception e) when (IsUnreadable(e))
        {
            return Unreadable(e, chunk.Start + reader.Consumed);
        }
    }

    /// <summary>The number of rows that an array's header names, or 1 before a map.</summary>
    /// <returns>False where neither begins here.</returns>
    public static bool TryCount(ref MessagePackReader reader, out int count)
    {
        count = 1;
        if (reader.NextMessagePackType == MessagePackType.Map) return true;
        if (reader.NextMessagePackType != MessagePackType.Array) return false;
        count = reader.ReadArrayHeader();
        return true;
    }

    /// <summary>Whether the body is a map with nothing but <c>columns</c>, which is a map itself.</summary>
    public static bool IsInColumns(MessagePackReader reader) =>
        reader.NextMessagePackType == MessagePackType.Map && reader.ReadMapHeader() == 1
        && reader.NextMessagePackType == MessagePackType.String && reader.ReadStringSequence().GetValueOrDefault().FirstSpan.SequenceEqual("columns"u8)
        && reader.NextMessagePackType == MessagePackType.Map;

    public static UndecodableBody NoRows() => Invalid(
        "Erwartet wird eine Liste von Maps, eine einzelne Map oder { \"columns\": { … } }.", "An array of maps, a single map or { \"columns\": { … } } is expected.", 0);

    public static UndecodableBody Trailing(long offset) => Invalid($"Nach dem Ende der Zeilen folgen ab Byte {offset} weitere.", $"Further bytes follow the end of the rows from byte {offset}.", offset);

    /// <summary>What the reader throws at bytes that are not MessagePack; lengths beyond 31 bits are arguments out of range to it.</summary>
    public static bool IsUnreadable(Exception e) => e is EndOfStreamException or MessagePackSerializationException or OverflowException or ArgumentException;

    /// <summary>Cut off, or not MessagePack.</summary>
    public static UndecodableBody Unreadable(Exception e, long offset) => e is EndOfStreamException
        ? Invalid($"Der Inhalt bricht nach Byte {offset} ab: Angekündigt ist mehr, als folgt.", $"The body breaks off after byte {offset}: more is announced than follows.", offset)
        : Invalid($"Der Inhalt ist ab Byte {offset} kein lesbares MessagePack.", $"The body is not readable MessagePack from byte {offset}.", offset);

    private static void ReadRow(ref MessagePackReader reader, ReadOnlyMemory<byte> body, RowAssembler rows, MessagePackValues values, int[] order, DecodeContext context)
    {
        var options = context.Options;
        rows.Begin();
        var start = (int)reader.Consumed;
        if (reader.NextMessagePackType != MessagePackType.Map)
        {
            values.Skip(ref reader);
            rows.FailRow(RowErrorCodes.MalformedRow, "{ … }");
        }
        else
        {
            var onlyNames = true;
            var count = reader.ReadMapHeader();
            for (var place = 0; place < count; place++)
            {
                var name = values.Name(ref reader, out var isName);
                onlyNames &= isName;
                if (place == options.MaxColumns) rows.Fail(null, RowErrorCodes.TooManyFields, PushDecoder.Text(options.MaxColumns));
                if (place >= options.MaxColumns || !isName) values.Skip(ref reader);
                else ReadMember(ref reader, name, place, rows, values, order, context.Contract);
            }

            if (!onlyNames) rows.FailRow(RowErrorCodes.MalformedRow, "{ \"…\": … }");
        }

        var row = body[start..(int)reader.Consumed];
        if (row.Length > options.MaxRowBytes) rows.Fail(null, RowErrorCodes.RowTooLarge, PushDecoder.Text(options.MaxRowBytes));
        if (!rows.End()) rows.Quarantine(row.Length > options.MaxRowBytes ? TooLarge(row.Length) : values.Json(new(row)));
    }

    private static void ReadMember(scoped ref MessagePackReader reader, scoped ReadOnlySpan<byte> name, int place, RowAssembler rows, MessagePackValues values, int[] order, CompiledContract contract)
    {
        // Most clients write all rows alike: the field that stood here in the row before is tried first.
        var ordinal = place < order.Length && name.SequenceEqual(contract.Fields[order[place]].NameUtf8) ? order[place] : -1;
        if (ordinal < 0)
        {
            var text = MessagePackValues.Told(name);
            ordinal = text is null ? -1 : contract.OrdinalOf(text);
            if (ordinal < 0)
            {
                if (text == CsvTable.Delete)
                {
                    values.ReadDelete(ref reader);
                    return;
                }

                if (text != CsvTable.Area) rows.Fail(text, text is null ? RowErrorCodes.InvalidText : RowErrorCodes.UnknownField, null);
                values.Skip(ref reader);
                return;
            }

            if (place < order.Length) order[place] = ordinal;
        }

        if (rows.See(ordinal)) values.Read(ref reader, ordinal);
        else values.Skip(ref reader);
    }

    private static DecodeResult DecodeColumns(ref MessagePackReader reader, ReadOnlyMemory<byte> text, DecodeContext context)
    {
        var options = context.Options;
        reader.ReadMapHeader();
        reader.ReadStringSequence();
        var count = reader.ReadMapHeader();
        if (count > options.MaxColumns) return PushDecoder.TooManyColumns(count, options);

        // First each column is walked through, so that whatever follows has its bytes.
        var length = -1;
        var names = new string[count];
        var ordinals = new int[count];
        var at = new int[count];
        using var walk = new MessagePackValues(context, new(context, 1, 1));
        for (var i = 0; i < count; i++)
        {
            var name = MessagePackValues.Told(walk.Name(ref reader, out var isName));
            if (!isName || name is null) return Invalid($"Der Name der Spalte {i + 1} ist kein Text.", $"The name of column {i + 1} is not a text.", reader.Consumed);
            if (Array.IndexOf(names, name, 0, i) >= 0) return Invalid($"Die Spalte „{name}“ steht zweimal da.", $"The column \"{name}\" stands there twice.", reader.Consumed);
            if (reader.NextMessagePackType != MessagePackType.Array) return Invalid($"Die Spalte „{name}“ ist keine Liste.", $"The column \"{name}\" is not an array.", reader.Consumed);
            names[i] = name;
            ordinals[i] = context.Contract.OrdinalOf(name);
            var values = reader.ReadArrayHeader();
            if (length >= 0 && values != length)
                return Invalid($"Die Spalte „{name}“ hat {values} Werte, „{names[0]}“ {length}.", $"The column \"{name}\" has {values} values, \"{names[0]}\" {length}.", reader.Consumed);
            length = values;
            if (length > options.MaxRows) return PushDecoder.TooManyRows(options);
            at[i] = (int)reader.Consumed;
            for (var v = 0; v < values; v++) walk.Skip(ref reader);
        }

        if (!reader.End) return Trailing(reader.Consumed);
        if (length > PushLimits.WholeRows) return TooManyForColumns(length);
        return ReadColumns(text, names, ordinals, at, Math.Max(length, 0), context);
    }

    /// <summary>The form in columns cannot be cut: the last value of its first row stands at its end.</summary>
    public static UndecodableBody TooManyForColumns(int rows) => new(
        ProblemTypes.TooManyRows,
        new($"In Spalten hat eine Lieferung höchstens {PushLimits.WholeRows} Zeilen, diese {rows}; in mehreren senden, oder als Liste von Maps.",
            $"In columns a push has at most {PushLimits.WholeRows} rows, this one {rows}; send several, or an array of maps."),
        ("maxRows", PushLimits.WholeRows));

    private static DecodedPush ReadColumns(ReadOnlyMemory<byte> text, string[] names, int[] ordinals, int[] at, int count, DecodeContext context)
    {
        var options = context.Options;
        var rows = new RowAssembler(context, Math.Max(count, 1), Math.Max(count, 1));
        using var values = new MessagePackValues(context, rows);
        var starts = new int[at.Length];
        for (var row = 0; row < count; row++)
        {
            rows.Begin();
            at.CopyTo(starts, 0);
            var bytes = 0L;
            for (var i = 0; i < at.Length; i++)
            {
                var reader = new MessagePackReader(text[at[i]..]);
                if (ordinals[i] >= 0)
                {
                    values.Read(ref reader, ordinals[i]);
                }
                else if (names[i] == CsvTable.Delete)
                {
                    values.ReadDelete(ref reader);
                }
                else
                {
                    if (names[i] != CsvTable.Area) rows.Fail(names[i], RowErrorCodes.UnknownField, null);
                    values.Skip(ref reader);
                }

                at[i] += (int)reader.Consumed;
                bytes += reader.Consumed;
            }

            if (bytes > options.MaxRowBytes) rows.Fail(null, RowErrorCodes.RowTooLarge, PushDecoder.Text(options.MaxRowBytes));
            if (!rows.End()) rows.Quarantine(bytes > options.MaxRowBytes ? TooLarge(bytes) : Raw(text, names, starts, values));
        }

        return rows.Finish();
    }

    private static string Raw(ReadOnlyMemory<byte> text, string[] names, int[] starts, MessagePackValues values)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, s_writing))
        {
            writer.WriteStartObject();
            for (var i = 0; i < names.Length; i++)
            {
                writer.WritePropertyName(names[i]);
                values.Write(new(text[starts[i]..]), writer);
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static string TooLarge(long bytes) => JsonSerializer.Serialize($"MessagePack, {bytes} bytes", WireJson.Options);

    private static UndecodableBody Invalid(string de, string en, long offset) => new(ProblemTypes.InvalidMessagePack, new(de, en), ("offset", offset));
}
