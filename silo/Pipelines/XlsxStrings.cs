using System.Text;

namespace DataHub.Pipelines;

/// <summary>The texts that cells of a file share, as UTF-8 in memory: at most <see cref="MostBytes"/>, and 4 bytes a text for at most <see cref="MostTexts"/>.</summary>
internal sealed class XlsxStrings
{
    public const int MostBytes = 128 << 20, MostTexts = 8_000_000;

    private const int Chunk = 1 << 20;

    private readonly List<byte[]> _chunks = [];
    private readonly List<int> _ends = [];
    private int _length;

    public int Count => _ends.Count;

    public static XlsxStrings Read(XlsxPart part)
    {
        var strings = new XlsxStrings();
        using var xml = new XlsxXml(part);
        while (xml.Read())
        {
            if (xml.IsStart && xml.Name == "si") strings.Add(XlsxText.Read(xml));
        }

        return strings;
    }

    /// <summary>Null where there is no such text.</summary>
    public string? Get(int index)
    {
        if ((uint)index >= (uint)_ends.Count) return null;
        var (start, end) = (index == 0 ? 0 : _ends[index - 1], _ends[index]);
        var first = _chunks.Count == 0 ? [] : _chunks[Math.Min(start / Chunk, _chunks.Count - 1)];
        if (start / Chunk == Math.Max(start, end - 1) / Chunk) return Encoding.UTF8.GetString(first, start % Chunk, end - start);
        var bytes = new byte[end - start];
        for (var at = start; at < end;)
        {
            var count = Math.Min(end - at, Chunk - (at % Chunk));
            _chunks[at / Chunk].AsSpan(at % Chunk, count).CopyTo(bytes.AsSpan(at - start));
            at += count;
        }

        return Encoding.UTF8.GetString(bytes);
    }

    private void Add(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        if (_length + (long)bytes.Length > MostBytes || _ends.Count == MostTexts)
        {
            throw new StepException(new(
                $"Die Texte der Datei sind zusammen größer als {MostBytes >> 20} MiB oder mehr als {MostTexts}. Als CSV hochladen oder aufteilen.",
                $"The texts of the file together are larger than {MostBytes >> 20} MiB, or more than {MostTexts}. Upload it as CSV, or in parts."));
        }

        for (var at = 0; at < bytes.Length;)
        {
            if (_length == _chunks.Count * Chunk) _chunks.Add(new byte[Chunk]);
            var count = Math.Min(bytes.Length - at, Chunk - (_length % Chunk));
            bytes.AsSpan(at, count).CopyTo(_chunks[^1].AsSpan(_length % Chunk));
            at += count;
            _length += count;
        }

        _ends.Add(_length);
    }
}

/// <summary>Texts as spreadsheets write them.</summary>
internal static class XlsxText
{
    /// <summary>The text of the element that begins here (<c>si</c>, <c>is</c>), its formatted runs put together, without reading aids.</summary>
    public static string Read(XlsxXml xml)
    {
        if (xml.IsEmpty) return "";
        var depth = xml.Depth;
        string? whole = null;
        while (xml.Next(depth))
        {
            if (xml.Name == "rPh") xml.Skip();
            else if (xml.Name == "t") whole = Join(whole, Plain(xml.Text()));
        }

        return whole ?? "";
    }

    /// <summary><c>_x000D_</c> is the character of that number.</summary>
    public static string Plain(string text)
    {
        if (!text.Contains("_x", StringComparison.Ordinal)) return text;
        var plain = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '_' && i + 6 < text.Length && text[i + 1] == 'x' && text[i + 6] == '_' && ushort.TryParse(text.AsSpan(i + 2, 4), System.Globalization.NumberStyles.AllowHexSpecifier, null, out var code))
            {
                plain.Append((char)code);
                i += 6;
            }
            else
            {
                plain.Append(text[i]);
            }
        }

        return plain.ToString();
    }

    private static string Join(string? before, string text)
    {
        if ((before?.Length ?? 0) + text.Length > CsvFile.LongestCell) throw XlsxPackage.Broken($"ein Text ist länger als {CsvFile.LongestCell} Zeichen", $"a text is longer than {CsvFile.LongestCell} characters");
        return before is null ? text : before + text;
    }
}
