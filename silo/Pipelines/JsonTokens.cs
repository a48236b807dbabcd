using System.Text.Json;

using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>The tokens of a JSON file, one after the other; the longest of them is in memory.</summary>
internal sealed class JsonTokens
{
    private const int Deepest = 64;

    /// <summary>Bytes of one token: characters have up to six.</summary>
    private const int LongestToken = 6 * CsvFile.LongestCell;

    private readonly Stream _file;
    private readonly TextPool _pool = new();
    private byte[] _buffer = new byte[1 << 16];
    private char[] _text = new char[1 << 12];
    private JsonReaderState _state;
    private int _from, _to;
    private bool _ended;

    /// <param name="file">Is read from its beginning.</param>
    /// <param name="many">One value after the other, as in NDJSON.</param>
    public JsonTokens(Stream file, bool many)
    {
        _file = file;
        _file.Position = 0;
        _state = new(new() { MaxDepth = Deepest, AllowMultipleValues = many });
        Fill();
        // A byte order mark is no part of JSON.
        if (_buffer.AsSpan(_from, _to - _from).StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF])) _from += 3;
        if (_buffer.AsSpan(_from, _to - _from) is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..])
            throw new StepException(new("Die Datei ist in UTF-16; JSON ist in UTF-8.", "The file is in UTF-16; JSON is in UTF-8."));
    }

    public JsonTokenType Type { get; private set; }

    /// <summary>Of a name, a string or a number (as it is written); else empty.</summary>
    public string Text { get; private set; } = "";

    public int Depth { get; private set; }

    /// <summary>Bytes that were taken.</summary>
    public long Position { get; private set; }

    /// <summary>Goes to the next token; false at the end.</summary>
    public bool Read()
    {
        while (true)
        {
            var reader = new Utf8JsonReader(_buffer.AsSpan(_from, _to - _from), _ended, _state);
            bool read;
            try
            {
                read = reader.Read();
                if (read) Take(ref reader);
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException)
            {
                throw Broken(e is JsonException at ? at.LineNumber + 1 : null);
            }

            _from += (int)reader.BytesConsumed;
            Position += reader.BytesConsumed;
            _state = reader.CurrentState;
            if (read) return true;
            if (_ended) return false;
            Fill();
        }
    }

    /// <summary>The next token, which must be there.</summary>
    public JsonTokenType Next() => Read() ? Type : throw Broken(null);

    /// <summary>Passes over the rest of the value whose first token was read.</summary>
    public void Skip()
    {
        if (Type is not (JsonTokenType.StartObject or JsonTokenType.StartArray)) return;
        for (var depth = Depth; Next() is not (JsonTokenType.EndObject or JsonTokenType.EndArray) || Depth > depth;)
        {
        }
    }

    public static StepException Broken(long? line) => new(new(
        $"Die Datei ist {(line is null ? "" : $"um Zeile {line} ")}kein lesbares JSON.", $"The file is not readable as JSON{(line is null ? "" : $" around line {line}")}."));

    private void Take(ref Utf8JsonReader reader)
    {
        (Type, Depth) = (reader.TokenType, reader.CurrentDepth);
        if (Type is not (JsonTokenType.PropertyName or JsonTokenType.String or JsonTokenType.Number))
        {
            Text = "";
            return;
        }

        if (reader.ValueSpan.Length > _text.Length) _text = new char[reader.ValueSpan.Length];
        if (Type == JsonTokenType.Number)
        {
            System.Text.Encoding.ASCII.GetChars(reader.ValueSpan, _text);
            Text = _pool.Get(_text.AsSpan(0, reader.ValueSpan.Length));
            return;
        }

        var length = reader.CopyString(_text);
        if (length > CsvFile.LongestCell) throw TooLong();
        Text = _pool.Get(_text.AsSpan(0, length));
    }

    private void Fill()
    {
        if (_from > 0)
        {
            _buffer.AsSpan(_from, _to - _from).CopyTo(_buffer);
            (_from, _to) = (0, _to - _from);
        }

        if (_to == _buffer.Length)
        {
            if (_buffer.Length >= LongestToken) throw TooLong();
            Array.Resize(ref _buffer, 2 * _buffer.Length);
        }

        var count = _file.Read(_buffer, _to, _buffer.Length - _to);
        _to += count;
        _ended = count == 0;
    }

    private static StepException TooLong() => new(new($"Ein Text ist länger als {CsvFile.LongestCell} Zeichen.", $"A text is longer than {CsvFile.LongestCell} characters."));
}
