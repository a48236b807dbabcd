using System.Buffers;

using DataHub.Indicators;

namespace DataHub;

/// <summary>Makes the bytes and headers of an answer in the format asked for.</summary>
internal static class AnswerRendering
{
    /// <summary>The bytes of a format other than JSON.</summary>
    public static byte[] Write(AnswerTable table, AnswerFormat format)
    {
        var buffer = new ArrayBufferWriter<byte>(1_024 + (table.Count * 64));
        switch (format)
        {
            case AnswerFormat.Csv: AnswerCsv.Write(table, buffer, german: false); break;
            case AnswerFormat.CsvDe: AnswerCsv.Write(table, buffer, german: true); break;
            case AnswerFormat.NdJson: AnswerNdJson.Write(table, buffer, withMetadata: false); break;
            case AnswerFormat.NdJsonMeta: AnswerNdJson.Write(table, buffer, withMetadata: true); break;
            default: throw new ArgumentOutOfRangeException(nameof(format), format, "JSON is written by those who know its shape.");
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The answer with its headers: links to the next page and to the description, and, but for JSON, metadata and a file name.</summary>
    /// <param name="next">Path and query of the next page, or null.</param>
    public static Rendered Rendered(byte[] body, AnswerMetadata metadata, AnswerFormat format, string? next) =>
        DataHub.Rendered.Of(body, AnswerFormats.ContentType(format)) with { Headers = Headers(metadata, format, next) };

    /// <inheritdoc cref="Rendered"/>
    public static List<(string Name, string Value)> Headers(AnswerMetadata metadata, AnswerFormat format, string? next)
    {
        var headers = new List<(string, string)>();
        if (next is not null) headers.Add(("Link", $"<{next}>; rel=\"next\""));
        if (format == AnswerFormat.Json) return headers;
        headers.Add(("Link", format is AnswerFormat.Csv or AnswerFormat.CsvDe
            ? $"<{metadata.Columns}{(format == AnswerFormat.CsvDe ? "?format=csv-de" : "")}>; rel=\"describedby\"; type=\"{AnswerCsvw.ContentType}\""
            : $"<{metadata.DescribedBy}>; rel=\"describedby\"; type=\"application/json\""));
        // Ids are lower-case letters, digits and hyphens: nothing in them needs quoting.
        headers.Add(("Content-Disposition", $"attachment; filename=\"{metadata.FileName}.{AnswerFormats.FileEnding(format)}\""));
        headers.AddRange(metadata.Headers());
        return headers;
    }
}
