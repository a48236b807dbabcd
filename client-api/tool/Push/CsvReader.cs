namespace DataHub.Tool;

/// <summary>
/// CSV (RFC 4180; lines end with LF, CRLF or CR): a row may hold line ends within quotes. The header, the lines that the
/// feed's profile skips before it and Excel's <c>sep=</c> come again with every batch. A row whose quotes are wrong
/// ends with its line, as the hub reads it.
/// </summary>
/// <param name="skipRows">Lines before the header.</param>
/// <param name="delimiter">Null: the header shows.</param>
internal sealed class CsvReader(Stream file, int batchRows, int batchBytes, int skipRows = 0, char? delimiter = null) : RowReader(file, batchRows, batchBytes)
{
    /// <summary>A quoted cell that is not closed within so many bytes is not a cell.</summary>
    internal const int LongestCell = 4 * 1024 * 1024;

    private byte _delimiter = (byte)(delimiter ?? ',');

    private static ReadOnlySpan<byte> Delimiters => ",;\t|"u8;

    protected override byte[] ReadPreamble() => TakeUntil((memory, isAll) =>
    {
        var text = memory.Span;
        var at = 0;
        for (var line = 0; line < skipRows && at < text.Length; line++)
        {
            var skipped = LineLength(text[at..], isAll, crEnds: true);
            if (skipped < 0) return -1;
            at += skipped;
        }

        if (!isAll && text.Length - at < 8) return -1;
        var first = text[at..];
        if (at == 0 && first.StartsWith("\uFEFF"u8)) first = first[3..];
        byte? named = delimiter is null ? null : (byte)delimiter.Value;
        if (first.Length >= 5 && first.StartsWith("sep="u8) && Delimiters.Contains(first[4]) && (first.Length == 5 || first[5] is (byte)'\r' or (byte)'\n'))
        {
            named ??= first[4];
            var line = LineLength(text[at..], isAll, crEnds: true);
            if (line < 0) return -1;
            at += line;
            first = text[at..];
        }

        var mark = text.Length - at - first.Length;
        _delimiter = named ?? Delimiters[0];
        var length = RecordLength(first, isAll, _delimiter, out var cells);
        if (named is null)
        {
            foreach (var other in Delimiters)
            {
                var otherLength = RecordLength(first, isAll, other, out var otherCells);
                if (otherLength < 0) return -1;
                if (otherCells > cells) (_delimiter, length, cells) = (other, otherLength, otherCells);
            }
        }

        return length < 0 ? -1 : at + mark + length;
    });

    protected override int RowLength(ReadOnlySpan<byte> text, bool isAll, out bool counts)
    {
        var length = RecordLength(text, isAll, _delimiter, out _);
        counts = length > 0 && text[0] is not ((byte)'\r' or (byte)'\n');
        return length;
    }

    private static int RecordLength(ReadOnlySpan<byte> text, bool isAll, byte delimiter, out int cells)
    {
        cells = 0;
        if (text.Length == 0) return isAll ? 0 : -1;
        var at = 0;
        while (true)
        {
            cells++;
            if (at < text.Length && text[at] == '"')
            {
                var start = ++at;
                while (true)
                {
                    var quote = text[at..].IndexOf((byte)'"');
                    if (quote < 0)
                    {
                        if (!isAll && text.Length - start < LongestCell) return -1;
                        return Rest(text, start, isAll);
                    }

                    at += quote + 1;
                    if (at >= text.Length && !isAll) return -1;
                    if (at < text.Length && text[at] == '"')
                    {
                        at++;
                        continue;
                    }

                    if (at < text.Length && text[at] != delimiter && text[at] is not ((byte)'\r' or (byte)'\n')) return Rest(text, start, isAll);
                    break;
                }
            }
            else
            {
                var end = text[at..].IndexOfAny(delimiter, (byte)'\r', (byte)'\n');
                if (end < 0) return isAll ? text.Length : -1;
                at += end;
            }

            if (at >= text.Length || text[at] != delimiter) return Rest(text, at, isAll);
            at++;
        }
    }

    /// <summary>Where the line ends, from a place within it.</summary>
    private static int Rest(ReadOnlySpan<byte> text, int at, bool isAll)
    {
        var length = LineLength(text[at..], isAll, crEnds: true);
        return length < 0 ? -1 : at + length;
    }
}
