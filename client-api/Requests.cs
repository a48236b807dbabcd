using System.Globalization;
using System.Text.Json;

using DataHub.Catalog;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace DataHub;

/// <summary>What all endpoints share: reading a document, paging, GET that answers HEAD too.</summary>
internal static class Requests
{
    /// <summary>Greatest page of a list of descriptions.</summary>
    public const int MaxPage = 1_000;

    /// <summary>How far an answer is current, in its head.</summary>
    public const string WatermarkHeader = "DataHub-Watermark";

    private static readonly string[] s_read = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>A read: GET and HEAD. It is given while what allowed it holds.</summary>
    public static RouteHandlerBuilder MapRead(this IEndpointRouteBuilder routes, string pattern, Delegate handler) =>
        routes.MapMethods(pattern, s_read, handler).AddEndpointFilter(Authentication.GiveWhileItHoldsAsync);

    /// <summary>Notes the error answers of a route for /openapi/v1.json.</summary>
    public static RouteHandlerBuilder Refuses(this RouteHandlerBuilder route, params int[] statuses)
    {
        foreach (var status in statuses) route.ProducesProblem(status, Problems.ContentType);
        return route;
    }

    /// <summary>Reads a JSON document of bounded size.</summary>
    /// <returns>The document, or the problem to answer with: 415, 413 or 400 with line and place.</returns>
    public static async Task<(T? Document, IResult? Problem)> ReadJsonAsync<T>(this HttpContext http)
        where T : class
    {
        if (!http.Request.HasJsonContentType())
        {
            return (null, Problems.Problem(http, ProblemTypes.UnsupportedType, new("Hier wird application/json erwartet.", "application/json is expected here.")));
        }

        var (bytes, problem) = await http.ReadDocumentBytesAsync();
        if (problem is not null) return (null, problem);
        try
        {
            return JsonSerializer.Deserialize<T>(bytes.Span, WireJson.Options) is { } document
                ? (document, null)
                : (null, InvalidJson(http, new("Der Inhalt ist null.", "The body is null.")));
        }
        catch (JsonException e)
        {
            return (null, InvalidJson(http, Fault(e)));
        }
    }

    /// <summary>The body of a document, up to the limit that documents have.</summary>
    public static async Task<(ReadOnlyMemory<byte> Bytes, IResult? Problem)> ReadDocumentBytesAsync(this HttpContext http)
    {
        var limit = http.RequestServices.GetRequiredService<IOptions<RequestOptions>>().Value.MaxDocumentBytes;
        var (bytes, tooLarge) = await ReadBytesAsync(http, limit);
        return tooLarge ? (default, TooLarge(http, limit)) : (bytes, null);
    }

    /// <summary>What is wrong with JSON, and where.</summary>
    /// <param name="withLine">Whether lines are those of what somebody wrote.</param>
    public static LocalText Fault(JsonException fault, bool withLine = true)
    {
        ArgumentNullException.ThrowIfNull(fault);
        var reason = Reason(fault);
        if (!withLine) return new($"{fault.Path?.TrimStart('$', '.')}: {reason.De}", $"{fault.Path?.TrimStart('$', '.')}: {reason.En}");
        return new(
            $"Zeile {fault.LineNumber + 1}, Stelle {fault.BytePositionInLine + 1}{At(fault.Path)}: {reason.De}",
            $"Line {fault.LineNumber + 1}, place {fault.BytePositionInLine + 1}{At(fault.Path)}: {reason.En}");

        static string At(string? path) => string.IsNullOrEmpty(path) || path == "$" ? "" : $" ({path})";

        // The runtime's messages name .NET types; only what they mean is told.
        static LocalText Reason(JsonException e)
        {
            if (e is WireJsonException known) return known.Detail;
            if (e.Message.Contains("could not be converted", StringComparison.Ordinal)) return new("der Wert hat die falsche Art oder ist keines der erlaubten Wörter", "the value has the wrong type or is not one of the allowed words");
            if (e.Message.Contains("could not be mapped", StringComparison.Ordinal)) return new("dieses Element gibt es nicht", "there is no such member");
            if (e.Message.Contains("missing required", StringComparison.Ordinal))
            {
                var names = e.Message[(e.Message.LastIndexOf(':') + 1)..].Trim();
                return new($"Pflichtelemente fehlen: {names}", $"required members are missing: {names}");
            }

            return new("kein lesbares JSON", "not readable as JSON");
        }
    }

    public static IResult InvalidJson(HttpContext http, LocalText detail) => Problems.Problem(http, ProblemTypes.InvalidJson, detail);

    public static IResult TooLarge(HttpContext http, long limit) => Problems.Problem(http, ProblemTypes.TooLarge, new(
        $"Der Inhalt ist größer als {limit} Byte, so viel, wie hier höchstens angenommen wird.",
        $"The body is larger than {limit} bytes, the most that is taken here."), ("limit", limit));

    /// <summary>Reads <c>limit</c> and <c>after</c> of a list of ids.</summary>
    public static IResult? ReadPage(this HttpContext http, out string? after, out int limit)
    {
        var query = http.Request.Query;
        after = query.TryGetValue("after", out var value) ? value.ToString() : null;
        limit = http.RequestServices.GetRequiredService<IOptions<RequestOptions>>().Value.PageSize;
        if (!query.TryGetValue("limit", out var text)) return null;
        return int.TryParse(text.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out limit) && limit is >= 1 and <= MaxPage
            ? null
            : InvalidParameter(http, "limit", new($"limit muss eine Zahl von 1 bis {MaxPage} sein.", $"limit must be a number from 1 to {MaxPage}."));
    }

    public static IResult InvalidParameter(HttpContext http, string parameter, LocalText detail) =>
        Problems.Problem(http, ProblemTypes.InvalidParameter, detail, ("parameter", parameter));

    /// <summary>The link to the next page: path and query only, so that it is right behind any proxy.</summary>
    public static string Next(this HttpContext http, string after, int limit) =>
        $"{http.Request.PathBase}{http.Request.Path}?after={Uri.EscapeDataString(after)}&limit={limit.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>Reads a body of at most <paramref name="limit"/> bytes.</summary>
    public static async Task<(ReadOnlyMemory<byte> Bytes, bool TooLarge)> ReadBytesAsync(this HttpContext http, int limit)
    {
        if (http.Request.ContentLength > limit) return (default, true);
        using var body = new MemoryStream((int)(http.Request.ContentLength ?? 4_096));
        var buffer = new byte[16_384];
        int read;
        while ((read = await http.Request.Body.ReadAsync(buffer, http.RequestAborted)) > 0)
        {
            if (body.Length + read > limit) return (default, true);
            body.Write(buffer, 0, read);
        }

        return (body.GetBuffer().AsMemory(0, (int)body.Length), false);
    }
}
