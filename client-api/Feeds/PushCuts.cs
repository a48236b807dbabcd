using System.Text.Json;

using DataHub.Catalog;

using MessagePack;

namespace DataHub.Feeds;

/// <summary>
/// A large body's text, found to be well formed, with the chunks it is read in. Where it is cut depends on nothing but
/// the text (and for CSV the feed's profile): a retry cuts it in the same places.
/// </summary>
/// <param name="Chunks">In order, at least one; none has more than <see cref="PushLimits.ChunkRows"/> rows.</param>
/// <param name="Csv">For CSV: what stands before the rows.</param>
internal sealed record PushCuts(PushFormat Format, ReadOnlyMemory<byte> Text, IReadOnlyList<PushChunk> Chunks, CsvTable? Csv)
{
    /// <summary>Walks through the whole text once.</summary>
    /// <returns>The cuts, or why the body is not taken.</returns>
    public static (PushCuts? Cuts, UndecodableBody? Refusal) Cut(PushFormat format, ReadOnlyMemory<byte> text, CsvProfile? csv, CompiledContract contract, IngestOptions options)
    {
        var chunks = new ChunkList(options.MaxRows);
        CsvTable? table = null;
        UndecodableBody? refusal;
        switch (format)
        {
            case PushFormat.Json:
                refusal = CutJson(text.Span, chunks, options);
                break;
            case PushFormat.NdJson:
                refusal = CutLines(text.Span, chunks, options);
                break;
            case PushFormat.MessagePack:
                refusal = CutMessagePack(text, chunks, contract, options);
                break;
            default:
                table = CsvTable.Open(text.Span, contract, csv, options, out refusal);
                if (refusal is null) refusal = CutCsv(text.Span, table!, chunks, options);
                break;
        }

        return refusal is null ? (new(format, text, chunks.End(), table), null) : (null, refusal);
    }

    private static UndecodableBody? CutJson(ReadOnlySpan<byte> text, ChunkList chunks, IngestOptions options)
    {
        var reader = new Utf8JsonReader(text, PushDecoder.Reading(options));
        try
        {
            var start = reader.CurrentState;
            reader.Read();
            if (reader.TokenType == JsonTokenType.StartObject)
            {
                reader.Skip();
                chunks.Add(0, (int)reader.BytesConsumed, start);
                reader.Read();
                return null;
            }

            if (reader.TokenType != JsonTokenType.StartArray) return PushDecoder.NoRows();
            while (true)
            {
                var (from, state) = ((int)reader.BytesConsumed, reader.CurrentState);
                if (!reader.Read() || reader.TokenType == JsonTokenType.EndArray) break;
                reader.Skip();
                if (!chunks.Add(from, (int)reader.BytesConsumed, state)) return PushDecoder.TooManyRows(options);
            }

            reader.Read();
            return null;
        }
        catch (JsonException e)
        {
            return PushDecoder.InvalidJson(e, Math.Min(reader.BytesConsumed, text.Length), options);
        }
    }

    private static UndecodableBody? CutLines(ReadOnlySpan<byte> text, ChunkList chunks, IngestOptions options)
    {
        var lines = new TextLines(text);
        while (lines.Read())
        {
            if (!chunks.Add(lines.Start, lines.Next, default)) return PushDecoder.TooManyRows(options);
        }

        return null;
    }

    private static UndecodableBody? CutCsv(ReadOnlySpan<byte> text, CsvTable table, ChunkList chunks, IngestOptions options)
    {
        var records = new CsvRecords(text[table.Start..], table.Delimiter);
        while (records.Read())
        {
            if (CsvDecoder.IsNoRow(in records, table)) continue;
            if (!chunks.Add(table.Start + records.Start, table.Start + records.Next, default)) return PushDecoder.TooManyRows(options);
        }

        return null;
    }

    private static UndecodableBody? CutMessagePack(ReadOnlyMemory<byte> text, ChunkList chunks, CompiledContract contract, IngestOptions options)
    {
        var reader = new MessagePackReader(text);
        try
        {
            if (MessagePackDecoder.IsInColumns(reader))
            {
                return new(ProblemTypes.TooLarge, new(
                    $"In Spalten ist eine Lieferung höchstens {PushLimits.WholeBytes} Byte groß; in mehreren senden, oder als Liste von Maps.",
                    $"In columns a push has at most {PushLimits.WholeBytes} bytes; send several, or an array of maps."), ("limit", PushLimits.WholeBytes));
            }

            if (!MessagePackDecoder.TryCount(ref reader, out var count)) return MessagePackDecoder.NoRows();
            using var values = new MessagePackValues(new(contract, null, options, default, 1), new(new(contract, null, options, default, 1), 1, 1));
            for (var i = 0; i < count; i++)
            {
                var start = (int)reader.Consumed;
                values.Skip(ref reader);
                if (!chunks.Add(start, (int)reader.Consumed, default)) return PushDecoder.TooManyRows(options);
            }

            return reader.End ? null : MessagePackDecoder.Trailing(reader.Consumed);
        }
        catch (TooDeepException)
        {
            return PushDecoder.TooDeep(options);
        }
        catch (Exception e) when (MessagePackDecoder.IsUnreadable(e))
        {
            return MessagePackDecoder.Unreadable(e, reader.Consumed);
        }
    }

    private sealed class ChunkList(int maxRows)
    {
        private readonly List<PushChunk> _chunks = [];
        private PushChunk _open;
        private int _rows;

        /// <summary>Adds a row.</summary>
        /// <param name="start">Where the text before it ended.</param>
        /// <param name="end">Where it ends.</param>
        /// <param name="state">Of a JSON reader at <paramref name="start"/>.</param>
        /// <returns>False where there are too many.</returns>
        public bool Add(int start, int end, JsonReaderState state)
        {
            if (_rows == maxRows) return false;
            if (_open.Rows == 0) _open = new(start, 0, _rows + 1, 0, state);
            _open = _open with { Length = end - _open.Start, Rows = _open.Rows + 1 };
            _rows++;
            if (_open.Rows < PushLimits.ChunkRows && _open.Length < PushLimits.WholeBytes) return true;
            _chunks.Add(_open);
            _open = default;
            return true;
        }

        public List<PushChunk> End()
        {
            // A body without rows is one push all the same.
            if (_open.Rows > 0 || _chunks.Count == 0) _chunks.Add(_open with { FirstRow = Math.Max(1, _open.FirstRow) });
            return _chunks;
        }
    }
}
