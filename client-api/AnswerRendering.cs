using System.Buffers;

using DataHub.Indicators;

using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace DataHub;

/// <summary>Makes the bytes and headers of an answer in the format asked for.</summary>
internal static class AnswerRendering
{
    /// <summary>The bytes of a format other than JSON, or the problem to answer with.</summary>
    /// <param name="next">Path and query of the next page, or null.</param>
    public static async Task<(byte[] Body, IResult? Problem)> WriteAsync(HttpContext http, AnswerTable table, AnswerFormat format, string? next)
    {
        if (format == AnswerFormat.Parquet) return (await AnswerParquet.WriteAsync(table, http.RequestAborted), null);
        var buffer = new ArrayBufferWriter<byte>(1_024 + (table.Count * 64));
        switch (format)
        {
            case AnswerFormat.Csv: AnswerCsv.Write(table, buffer, german: false); break;
            case AnswerFormat.CsvDe: AnswerCsv.Write(table, buffer, german: true); break;
            case AnswerFormat.NdJson: AnswerNdJson.Write(table, buffer, withMetadata: false); break;
            case AnswerFormat.NdJsonMeta: AnswerNdJson.Write(table, buffer, withMetadata: true); break;
            case AnswerFormat.GeoJson:
                var limit = http.RequestServices.GetRequiredService<IOptions<AnswerOptions>>().Value.GeoJsonBytes;
                if (AnswerGeoJson.Write(table, buffer, next, limit)) break;
                return ([], Problems.Problem(http, ProblemTypes.LimitReached, new(
                    $"Mit den Flächen würde die Antwort größer als {limit} Byte (DataHub:Answer:GeoJsonBytes). Ein kleineres limit, eine gröbere Ebene oder ein kürzerer Zeitraum hilft.",
                    $"With the polygons the answer would be larger than {limit} bytes (DataHub:Answer:GeoJsonBytes). A smaller limit, a coarser level or a shorter time range helps."), ("limit", limit)));
            default: throw new ArgumentOutOfRangeException(nameof(format), format, "JSON is written by those who know its shape.");
        }

        return (buffer.WrittenSpan.ToArray(), null);
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
            : $"<{metadata.DescribedBy}>; rel=\"describedby\"; type=\"{(metadata.Source is null ? "application/json" : AnswerCsvw.ContentType)}\""));
        // Ids are lower-case letters, digits and hyphens: nothing in them needs quoting.
        headers.Add(("Content-Disposition", $"attachment; filename=\"{metadata.FileName}.{AnswerFormats.FileEnding(format)}\""));
        headers.AddRange(metadata.Headers());
        return headers;
    }
}
