using System.Globalization;

using Microsoft.AspNetCore.Http;

namespace DataHub.Indicators;

/// <summary>How an answer is written.</summary>
internal enum AnswerFormat
{
    Json = 0,
    Csv = 1,

    /// <summary>CSV as a German Excel opens it. Has no media type of its own: by <c>?format=csv-de</c> only.</summary>
    CsvDe = 2,
    NdJson = 3,

    /// <summary>NDJSON whose first line is the metadata: <c>?meta=true</c>.</summary>
    NdJsonMeta = 4,
    GeoJson = 5,
    Parquet = 6,

    /// <summary>Only of tables of pipelines.</summary>
    Xlsx = 7,
}

/// <summary>Chooses the format by <c>?format=</c>, else by Accept (RFC 9110 §12.5.1).</summary>
internal static class AnswerFormats
{
    /// <summary>Words and media types, the first of a format being the one it is sent as; of equal weight in Accept, the first is taken.</summary>
    private static readonly (AnswerFormat Format, string Word, string Type)[] s_known =
    [
        (AnswerFormat.Json, "json", "application/json"),
        (AnswerFormat.Csv, "csv", "text/csv"),
        (AnswerFormat.NdJson, "ndjson", "application/x-ndjson"),
        (AnswerFormat.NdJson, "ndjson", "application/ndjson"),
        (AnswerFormat.GeoJson, "geojson", AnswerGeoJson.ContentType),
        (AnswerFormat.Parquet, "parquet", "application/vnd.apache.parquet"),
        (AnswerFormat.Xlsx, "xlsx", AnswerXlsx.ContentType),
    ];

    /// <summary>All words of <c>?format=</c> where rows or values are answered.</summary>
    public static readonly string[] Words = [.. s_known.Where(known => known.Format != AnswerFormat.Xlsx).Select(known => known.Word).Append("csv-de").Distinct()];

    /// <summary>All words of <c>?format=</c> where a table of a pipeline is answered.</summary>
    public static readonly string[] TableWords = [.. s_known.Where(known => known.Format != AnswerFormat.Json).Select(known => known.Word).Append("csv-de").Distinct()];

    /// <summary>All media types that are sent where rows or values are answered.</summary>
    public static readonly string[] Types = [.. TypesOf(Words)];

    /// <summary>All media types that are sent where a table of a pipeline is answered.</summary>
    public static readonly string[] TableTypes = [.. TypesOf(TableWords)];

    public static string ContentType(AnswerFormat format) => format switch
    {
        AnswerFormat.Csv or AnswerFormat.CsvDe => "text/csv; charset=utf-8",
        AnswerFormat.NdJson or AnswerFormat.NdJsonMeta => "application/x-ndjson; charset=utf-8",
        AnswerFormat.Json => "application/json; charset=utf-8",
        _ => s_known.First(known => known.Format == format).Type,
    };

    /// <summary>What names the format in an address; null for JSON, which need not be named.</summary>
    public static string? Parameters(AnswerFormat format) => format switch
    {
        AnswerFormat.Json => null,
        AnswerFormat.CsvDe => "format=csv-de",
        AnswerFormat.NdJsonMeta => "format=ndjson&meta=true",
        _ => "format=" + s_known.First(known => known.Format == format).Word,
    };

    /// <summary>Ending of a file in this format.</summary>
    public static string FileEnding(AnswerFormat format) => format switch
    {
        AnswerFormat.CsvDe => "csv",
        AnswerFormat.NdJsonMeta => "ndjson",
        _ => s_known.First(known => known.Format == format).Word,
    };

    /// <summary>The format asked for where a route has only some of them, without their variants; or the problem to answer with.</summary>
    /// <param name="words">Words of <c>?format=</c> that there are.</param>
    public static (AnswerFormat Format, IResult? Problem) Choose(HttpContext http, string[] words) =>
        http.Request.Query.TryGetValue("format", out var named) ? Named(http, named.ToString(), words) : Accepted(http, words);

    /// <summary>The format asked for, or the problem to answer with.</summary>
    public static (AnswerFormat Format, IResult? Problem) Choose(HttpContext http) => ChooseWithMetadata(http, Words);

    /// <summary>The format asked for where a route has only some of them, NDJSON with its metadata too; or the problem to answer with.</summary>
    /// <param name="words">Words of <c>?format=</c> that there are.</param>
    public static (AnswerFormat Format, IResult? Problem) ChooseWithMetadata(HttpContext http, string[] words)
    {
        var (format, problem) = Choose(http, words);
        if (problem is not null || !http.Request.Query.TryGetValue("meta", out var meta)) return (format, problem);
        if (meta.ToString() is not ("true" or "false")) return (default, Requests.InvalidParameter(http, "meta", new("meta muss true oder false sein.", "meta must be true or false.")));
        if (meta == "false") return (format, null);
        return format == AnswerFormat.NdJson
            ? (AnswerFormat.NdJsonMeta, null)
            : (default, Requests.InvalidParameter(http, "meta", new(
                "meta gibt es nur mit ndjson; in den anderen Formaten stehen die Angaben an ihrem Ort.", "meta is for ndjson only; the other formats have the metadata in their place.")));
    }

    private static (AnswerFormat Format, IResult? Problem) Named(HttpContext http, string word, string[] words)
    {
        if (words.Contains(word, StringComparer.Ordinal))
            return (word == "csv-de" ? AnswerFormat.CsvDe : s_known.First(known => known.Word == word).Format, null);
        var known = string.Join(", ", words);
        return (default, Requests.InvalidParameter(http, "format", new($"format muss eines von {known} sein.", $"format must be one of {known}.")));
    }

    private static (AnswerFormat Format, IResult? Problem) Accepted(HttpContext http, string[] words)
    {
        var accept = http.Request.Headers.Accept;
        var offers = s_known.Where(known => words.Contains(known.Word, StringComparer.Ordinal));
        if (accept.Count == 0) return (offers.First().Format, null);
        var best = offers.Select(known => (known.Format, Weight: Weight(accept!, known.Type))).MaxBy(choice => choice.Weight);
        if (best.Weight > 0) return (best.Format, null);
        var types = offers.DistinctBy(known => known.Format).Select(known => known.Type).ToArray();
        return (default, Problems.Problem(http, ProblemTypes.NotAcceptable, new(
            $"Es gibt {string.Join(", ", types)}, mit ?format= auch {string.Join(", ", words)}.",
            $"There are {string.Join(", ", types)}, with ?format= also {string.Join(", ", words)}."), ("available", types)));
    }

    private static IEnumerable<string> TypesOf(string[] words) => s_known.Where(known => words.Contains(known.Word, StringComparer.Ordinal)).DistinctBy(known => known.Format).Select(known => known.Type);

    /// <summary>The weight of the most specific range that a type falls under; 0 where none does.</summary>
    private static double Weight(IEnumerable<string> accept, string type)
    {
        var (specificity, weight) = (-1, 0.0);
        foreach (var header in accept)
        {
            foreach (var text in header.Split(',', 64, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                var parts = text.Split(';', StringSplitOptions.TrimEntries);
                var range = parts[0];
                var fits = range == "*/*" ? 0
                    : range.EndsWith("/*", StringComparison.Ordinal) && type.StartsWith(range[..^1], StringComparison.OrdinalIgnoreCase) ? 1
                    : range.Equals(type, StringComparison.OrdinalIgnoreCase) ? 2
                    : -1;
                if (fits <= specificity) continue;
                specificity = fits;
                var quality = Array.Find(parts, part => part.StartsWith("q=", StringComparison.OrdinalIgnoreCase));
                weight = quality is null ? 1 : double.TryParse(quality.AsSpan(2), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var q) ? q : 0;
            }
        }

        return weight;
    }
}
