using System.Globalization;
using System.Text.Json;

using DataHub.Catalog;

using Microsoft.AspNetCore.Http;

namespace DataHub;

/// <summary>Builds every error answer of the hub (RFC 9457, <c>application/problem+json</c>).</summary>
public static class Problems
{
    public const string ContentType = "application/problem+json";

    /// <summary>A problem of a registered kind with its own title and status.</summary>
    /// <param name="http">Its Accept-Language chooses German (default) or English.</param>
    /// <param name="type">The kind.</param>
    /// <param name="detail">What is wrong in this very case, which id, what to do.</param>
    /// <param name="members">Extension members, by their JSON names; null values are left out.</param>
    public static IResult Problem(HttpContext http, ProblemType type, LocalText detail, params (string Name, object? Value)[] members)
    {
        ArgumentNullException.ThrowIfNull(type);
        return Problem(http, type.Status, type.Word, type.Title, detail, members);
    }

    /// <summary>A problem with a title or status that differs from its kind's usual ones.</summary>
    /// <exception cref="ArgumentException">The word is not in <see cref="ProblemTypes"/>, so nobody could look it up.</exception>
    public static IResult Problem(HttpContext http, int status, string type, LocalText title, LocalText detail, params (string Name, object? Value)[] members)
    {
        ArgumentNullException.ThrowIfNull(http);
        ArgumentNullException.ThrowIfNull(title);
        ArgumentNullException.ThrowIfNull(detail);
        ArgumentNullException.ThrowIfNull(members);
        if (ProblemTypes.Find(type) is null) throw new ArgumentException($"problem type {type} is not registered in ProblemTypes", nameof(type));

        var language = Language.Of(http);
        var document = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["type"] = "/problems/" + type,
            ["title"] = title.In(language),
            ["status"] = status,
            ["detail"] = detail.In(language),
        };
        foreach (var (name, value) in members)
        {
            if (value is not null) document[name] = value;
        }

        return new ProblemAnswer(status, language, document, detail);
    }

    /// <summary>503 with Retry-After: the caller may repeat the same request.</summary>
    /// <param name="retryAfter">Rounded up to whole seconds, at least one.</param>
    public static IResult Later(HttpContext http, ProblemType type, LocalText detail, TimeSpan retryAfter, params (string Name, object? Value)[] members)
    {
        ArgumentNullException.ThrowIfNull(http);
        var seconds = Math.Max(1, (int)Math.Ceiling(retryAfter.TotalSeconds));
        if (!http.Response.HasStarted) http.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return Problem(http, type, detail, members);
    }

    /// <summary>404 for something that has an id.</summary>
    /// <param name="what">The kind of thing in both languages, such as „Datensatz“ / “dataset”.</param>
    /// <param name="id">As the caller wrote it.</param>
    public static IResult NotFound(HttpContext http, LocalText what, string id)
    {
        ArgumentNullException.ThrowIfNull(what);
        return Problem(http, ProblemTypes.NotFound, new($"{what.De} „{id}“ gibt es nicht.", $"{what.In(Language.English)} “{id}” does not exist."), ("id", id));
    }

    /// <summary>What a problem says of this case, for a page; null for other answers.</summary>
    internal static LocalText? DetailOf(IResult answer) => (answer as ProblemAnswer)?.Detail;

    private sealed class ProblemAnswer(int status, string language, Dictionary<string, object?> document, LocalText detail) : IResult, IStatusCodeHttpResult
    {
        public LocalText Detail => detail;

        public int? StatusCode => status;

        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var body = JsonSerializer.SerializeToUtf8Bytes(document, WireJson.Options);
            var response = httpContext.Response;
            response.StatusCode = status;
            response.ContentType = ContentType;
            response.ContentLength = body.Length;
            response.Headers.ContentLanguage = language;
            response.Headers.CacheControl = "no-store";
            if (!HttpMethods.IsHead(httpContext.Request.Method)) await response.Body.WriteAsync(body, httpContext.RequestAborted);
        }
    }
}
