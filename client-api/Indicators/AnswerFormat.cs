using System.Globalization;

using Microsoft.AspNetCore.Http;

namespace DataHub.Indicators;

/// <summary>How an answer is written.</summary>
internal enum AnswerFormat
{
    Json = 0,
    Csv = 1,
}

/// <summary>Chooses the format by <c>?format=</c>, else by Accept (RFC 9110 §12.5.1).</summary>
internal static class AnswerFormats
{
    private static readonly (AnswerFormat Format, string Type)[] s_known = [(AnswerFormat.Json, "application/json"), (AnswerFormat.Csv, "text/csv")];

    public static string ContentType(AnswerFormat format) => format == AnswerFormat.Csv ? "text/csv; charset=utf-8" : "application/json; charset=utf-8";

    /// <summary>The format asked for, or the problem to answer with.</summary>
    public static (AnswerFormat Format, IResult? Problem) Choose(HttpContext http)
    {
        if (http.Request.Query.TryGetValue("format", out var named))
        {
            return named.ToString() switch
            {
                "json" => (AnswerFormat.Json, null),
                "csv" => (AnswerFormat.Csv, null),
                _ => (default, Requests.InvalidParameter(http, "format", new("format muss json oder csv sein.", "format must be json or csv."))),
            };
        }

        var accept = http.Request.Headers.Accept;
        if (accept.Count == 0) return (AnswerFormat.Json, null);
        var best = s_known.Select(known => (known.Format, Weight: Weight(accept!, known.Type))).MaxBy(choice => choice.Weight);
        return best.Weight > 0
            ? (best.Format, null)
            : (default, Problems.Problem(http, ProblemTypes.NotAcceptable, new("Es gibt application/json und text/csv.", "There are application/json and text/csv.")));
    }

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
