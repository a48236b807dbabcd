using System.Buffers;
using System.Text;
using System.Text.Unicode;

using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>
/// Brings a body into the form that the decoder reads: UTF-8 without a byte order mark. Only CSV comes in other
/// encodings: what a byte order mark says, else the charset of the content type, else the feed's profile; where nothing
/// says anything, what is not UTF-8 is Windows-1252.
/// </summary>
internal static class PushText
{
    // Windows-1252 leaves these five bytes without a meaning, and text has no NUL: a body with one of them is none.
    private static readonly SearchValues<byte> s_no1252 = SearchValues.Create([0x00, 0x81, 0x8D, 0x8F, 0x90, 0x9D]);

    /// <param name="charset">Of the content type, or null.</param>
    public static (ReadOnlyMemory<byte> Text, UndecodableBody? Refusal) Prepare(PushFormat format, ReadOnlyMemory<byte> body, string? charset, CsvProfile? csv)
    {
        var (text, encoding, refusal) = Look(format, body, charset, csv);
        return refusal is not null || encoding is null ? (text, refusal) : Transcode(text, encoding);
    }

    /// <summary>Finds out what a body is written in.</summary>
    /// <returns>The body without a byte order mark, and what it is to be transcoded from; null: it is UTF-8.</returns>
    public static (ReadOnlyMemory<byte> Text, string? Encoding, UndecodableBody? Refusal) Look(PushFormat format, ReadOnlyMemory<byte> body, string? charset, CsvProfile? csv)
    {
        if (format == PushFormat.MessagePack) return (body, null, null);
        var bytes = body.Span;
        if (bytes.StartsWith("\uFEFF"u8)) return Utf8Of(body[3..], 3);
        if (format != PushFormat.Csv) return Utf8Of(body, 0);
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE])) return (body[2..], "utf-16le", null);
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF])) return (body[2..], "utf-16be", null);

        var encoding = charset ?? csv?.Encoding?.ToLowerInvariant();
        if (encoding is null && !Utf8.IsValid(bytes) && !bytes.ContainsAny(s_no1252)) encoding = "windows-1252";
        return encoding is null or "utf-8" ? Utf8Of(body, 0) : (body, encoding, null);
    }

    /// <summary>Writes a body in another encoding as UTF-8.</summary>
    public static (ReadOnlyMemory<byte> Text, UndecodableBody? Refusal) Transcode(ReadOnlyMemory<byte> body, string encoding)
    {
        try
        {
            return (Encoding.UTF8.GetBytes(Strict(encoding).GetString(body.Span)), null);
        }
        catch (DecoderFallbackException e)
        {
            return (default, new(ProblemTypes.InvalidBody, new($"Der Inhalt ist ab Byte {e.Index} kein {encoding}.", $"The body is not {encoding} from byte {e.Index}."), ("offset", e.Index)));
        }
    }

    /// <summary>The same for a body that is too large for memory.</summary>
    /// <param name="before">Bytes of it that are passed over.</param>
    /// <exception cref="DecoderFallbackException">It is not in this encoding.</exception>
    /// <exception cref="SpoolFullException">There is no room for the text.</exception>
    public static async Task TranscodeAsync(ReadOnlyMemory<byte> body, int before, string encoding, SpooledBody text, CancellationToken cancellationToken)
    {
        var decoder = Strict(encoding).GetDecoder();
        var characters = new char[64 << 10];
        var utf8 = new byte[Encoding.UTF8.GetMaxByteCount(characters.Length)];
        // Between two pieces a pair of surrogates may be cut: the encoder keeps the first half.
        var encoder = Encoding.UTF8.GetEncoder();
        for (var at = before; ;)
        {
            decoder.Convert(body.Span[at..], characters, flush: true, out var read, out var written, out var completed);
            at += read;
            encoder.Convert(characters.AsSpan(0, written), utf8, completed, out _, out var bytes, out _);
            await text.WriteAsync(utf8.AsMemory(0, bytes), cancellationToken);
            if (completed) return;
        }
    }

    /// <summary>The name of an encoding that CSV may come in, in the form of <see cref="CsvProfileCheck.Encodings"/>; null: none of them.</summary>
    public static string? Known(string charset)
    {
        var name = charset.ToLowerInvariant() switch { "utf8" or "us-ascii" => "utf-8", "cp1252" => "windows-1252", "latin1" => "iso-8859-1", var other => other };
        return CsvProfileCheck.Encodings.Contains(name, StringComparer.Ordinal) ? name : null;
    }

    private static (ReadOnlyMemory<byte>, string?, UndecodableBody?) Utf8Of(ReadOnlyMemory<byte> text, int before)
    {
        if (Utf8.IsValid(text.Span)) return (text, null, null);
        var offset = 0;
        while (Rune.DecodeFromUtf8(text.Span[offset..], out _, out var used) == OperationStatus.Done) offset += used;
        offset += before;
        return (default, null, new(ProblemTypes.InvalidBody, new($"Der Inhalt ist ab Byte {offset} kein UTF-8.", $"The body is not UTF-8 from byte {offset}."), ("offset", offset)));
    }

    /// <summary>The encoding, refusing what has no meaning in it.</summary>
    private static Encoding Strict(string name)
    {
        // utf-16 without a mark is little endian, as Windows writes it.
        if (name == "utf-16") name = "utf-16le";
        if (name == "utf-16be") return Encoding.GetEncoding("utf-16BE", EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback);
        if (name == "utf-16le") return Encoding.GetEncoding("utf-16", EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback);
        return CodePagesEncodingProvider.Instance.GetEncoding(name, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback)
            ?? Encoding.GetEncoding(name, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback);
    }
}
