namespace DataHub.Tool;

/// <summary>
/// Cuts a file into batches at the ends of rows, in memory that one batch (or the longest row) bounds. Where it cuts
/// depends on nothing but the file and the two sizes, so a repeat makes the same batches.
/// </summary>
internal abstract class RowReader(Stream file, int batchRows, int batchBytes)
{
    /// <summary>Longest row, in bytes.</summary>
    public const int LongestRow = 64 * 1024 * 1024;

    private byte[] _buffer = new byte[64 * 1024];
    private int _start, _end;
    private bool _isAtEnd;

    /// <summary>The batches in order; the body of one is overwritten by the next.</summary>
    /// <exception cref="UsageException">A row is longer than <see cref="LongestRow"/>.</exception>
    public IEnumerable<RowBatch> Read()
    {
        var preamble = ReadPreamble();
        long before = preamble.Length, rowsBefore = 0;
        for (var number = 1; ; number++)
        {
            var (length, rows) = Take(rowsBefore);
            if (length == 0) yield break;
            if (rows > 0)
            {
                var body = new byte[preamble.Length + length];
                preamble.CopyTo(body, 0);
                _buffer.AsSpan(_start, length).CopyTo(body.AsSpan(preamble.Length));
                yield return new(number, body, rows, before + length);
                before = 0;
                rowsBefore += rows;
            }

            _start += length;
        }
    }

    /// <summary>Takes what stands before the first row.</summary>
    protected virtual byte[] ReadPreamble() => [];

    /// <summary>Length of the row at the beginning of the text, with its line end.</summary>
    /// <param name="isAll">Nothing follows the text.</param>
    /// <param name="counts">Whether it is a row; a blank line is none.</param>
    /// <returns>-1: more of the text must be seen.</returns>
    protected abstract int RowLength(ReadOnlySpan<byte> text, bool isAll, out bool counts);

    /// <summary>Length of the line at the beginning of the text, with its end; -1: more of the text must be seen.</summary>
    protected static int LineLength(ReadOnlySpan<byte> text, bool isAll, bool crEnds)
    {
        var end = crEnds ? text.IndexOfAny((byte)'\n', (byte)'\r') : text.IndexOf((byte)'\n');
        if (end < 0) return isAll ? text.Length : -1;
        if (text[end] == '\n') return end + 1;
        // A CR ends a line, with or without LF after it.
        if (end + 1 < text.Length) return text[end + 1] == '\n' ? end + 2 : end + 1;
        return isAll ? end + 1 : -1;
    }

    /// <summary>Takes lines until <paramref name="take"/> has enough; for what stands before the rows.</summary>
    /// <param name="take">Gets what is there and whether it is all; returns how much it takes, or -1 to see more.</param>
    protected byte[] TakeUntil(Func<ReadOnlyMemory<byte>, bool, int> take)
    {
        while (true)
        {
            var length = take(_buffer.AsMemory(_start, _end - _start), _isAtEnd);
            if (length < 0)
            {
                Fill(1);
                continue;
            }

            var taken = _buffer.AsSpan(_start, length).ToArray();
            _start += length;
            return taken;
        }
    }

    private (int Length, int Rows) Take(long rowsBefore)
    {
        int at = 0, rows = 0;
        while (rows < batchRows)
        {
            var length = RowLength(_buffer.AsSpan(_start + at, _end - _start - at), _isAtEnd, out var counts);
            if (length < 0)
            {
                Fill(rowsBefore + rows + 1);
                continue;
            }

            if (length == 0 || (rows > 0 && (long)at + length > batchBytes)) break;
            at += length;
            if (counts) rows++;
        }

        return (at, rows);
    }

    private void Fill(long row)
    {
        if (_isAtEnd) throw new InvalidOperationException("nothing follows");
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length)
        {
            if (_buffer.Length >= LongestRow + batchBytes) throw new UsageException(Words.Say($"Zeile {row} hat mehr als {LongestRow >> 20} MiB.", $"Row {row} has more than {LongestRow >> 20} MiB."));
            Array.Resize(ref _buffer, (int)Math.Min(2L * _buffer.Length, LongestRow + (long)batchBytes));
        }

        var read = file.Read(_buffer, _end, _buffer.Length - _end);
        _end += read;
        _isAtEnd = read == 0;
    }
}

/// <summary>NDJSON: a row a line.</summary>
internal sealed class LineReader(Stream file, int batchRows, int batchBytes) : RowReader(file, batchRows, batchBytes)
{
    protected override int RowLength(ReadOnlySpan<byte> text, bool isAll, out bool counts)
    {
        var length = LineLength(text, isAll, crEnds: false);
        counts = length > 0 && text[..length].ContainsAnyExcept(" \t\r\n"u8);
        return length;
    }
}
