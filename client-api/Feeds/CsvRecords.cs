using System.Buffers;

namespace DataHub.Feeds;

/// <summary>
/// Walks through the records of a CSV text (RFC 4180, UTF-8; lines end with LF, CRLF or CR). A record whose quotes are
/// wrong costs only its line: the next one is read as if nothing had been.
/// </summary>
/// <param name="delimiter">One of <see cref="Delimiters"/>.</param>
internal ref struct CsvRecords(ReadOnlySpan<byte> text, byte delimiter)
{
    /// <summary>What may stand between cells; what comes first is taken where nothing speaks for another.</summary>
    public static ReadOnlySpan<byte> Delimiters => ",;\t|"u8;

    private static readonly SearchValues<byte>[] s_endsOf =
    [
        SearchValues.Create(",\r\n"u8), SearchValues.Create(";\r\n"u8), SearchValues.Create("\t\r\n"u8), SearchValues.Create("|\r\n"u8),
    ];

    private static readonly SearchValues<byte> s_lineEnds = SearchValues.Create("\r\n"u8);

    private readonly ReadOnlySpan<byte> _text = text;
    private readonly SearchValues<byte> _ends = s_endsOf[Delimiters.IndexOf(delimiter)];
    private readonly List<Cell> _cells = [];
    private int _next;

    /// <summary>One cell within the text, without its outer quotes.</summary>
    private readonly record struct Cell(int Start, int Length, bool HasEscapes);

    /// <summary>How many cells the record has.</summary>
    public readonly int Count => _cells.Count;

    /// <summary>Where the record begins, in bytes.</summary>
    public int Start { get; private set; }

    /// <summary>Number of the line on which the record begins, from 1.</summary>
    public int Line { get; private set; } = 1;

    /// <summary>The byte of the record, from 1, from which its quotes do not match; null: they do. Its cells mean nothing then.</summary>
    public int? Broken { get; private set; }

    /// <summary>Where the next record begins, in bytes.</summary>
    public readonly int Next => _next;

    /// <summary>The record as it came, without the line's end.</summary>
    public readonly ReadOnlySpan<byte> Record => _text[Start.._end];

    /// <summary>A line with nothing on it.</summary>
    public readonly bool IsBlank => _end == Start;

    private int _end;
    private int _linesOfRecord;

    /// <returns>False at the end of the text.</returns>
    public bool Read()
    {
        Line += _linesOfRecord;
        _linesOfRecord = 0;
        _cells.Clear();
        Broken = null;
        Start = _end = _next;
        if (_next >= _text.Length) return false;

        var at = _next;
        while (true)
        {
            if (at < _text.Length && _text[at] == '"')
            {
                if (!ReadQuoted(ref at)) return true;
            }
            else
            {
                var length = _text[at..].IndexOfAny(_ends);
                if (length < 0) length = _text.Length - at;
                _cells.Add(new(at, length, false));
                at += length;
            }

            if (at >= _text.Length || _text[at] != delimiter)
            {
                EndAt(at);
                return true;
            }

            at++;
        }
    }

    /// <summary>A cell's content in UTF-8.</summary>
    /// <param name="scratch">Used where quotes within the cell have to be taken out; at least as long as the cell.</param>
    public readonly ReadOnlySpan<byte> Get(int index, Span<byte> scratch)
    {
        var cell = _cells[index];
        var raw = _text.Slice(cell.Start, cell.Length);
        if (!cell.HasEscapes) return raw;
        var length = 0;
        for (var i = 0; i < raw.Length; i++)
        {
            scratch[length++] = raw[i];
            // Within quotes a quote is written twice.
            if (raw[i] == '"') i++;
        }

        return scratch[..length];
    }

    public readonly int LengthOf(int index) => _cells[index].Length;

    private bool ReadQuoted(ref int at)
    {
        var start = ++at;
        var escapes = false;
        while (true)
        {
            var quote = _text[at..].IndexOf((byte)'"');
            if (quote < 0) return Break(start - 1);
            at += quote + 1;
            if (at < _text.Length && _text[at] == '"')
            {
                escapes = true;
                at++;
                continue;
            }

            if (at < _text.Length && !_ends.Contains(_text[at])) return Break(start - 1);
            _cells.Add(new(start, at - 1 - start, escapes));
            return true;
        }
    }

    private bool Break(int quote)
    {
        Broken = quote - Start + 1;
        var length = _text[quote..].IndexOfAny(s_lineEnds);
        EndAt(length < 0 ? _text.Length : quote + length);
        return false;
    }

    private void EndAt(int at)
    {
        _end = at;
        _next = at;
        if (at < _text.Length) _next += _text[at] == '\r' && at + 1 < _text.Length && _text[at + 1] == '\n' ? 2 : 1;
        // Cells in quotes may hold line ends of their own.
        _linesOfRecord = 1 + _text[Start.._end].Count((byte)'\n');
    }
}
