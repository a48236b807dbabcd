using System.Data.Common;
using System.Diagnostics;

using DataHub.Hosting;
using DataHub.Indicators;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

using Orleans.Runtime;
using Orleans.Serialization;

namespace DataHub;

/// <summary>The last line of every request: no exception reaches a client, and no error is without a body that says what to do.</summary>
internal static partial class Errors
{
    private static readonly TimeSpan s_retryAfter = TimeSpan.FromSeconds(1);

    public static IApplicationBuilder UseErrors(this IApplicationBuilder app, ILogger logger) => app.Use(async (http, next) =>
    {
        // What is sent as JSON or text is never taken for a page.
        http.Response.Headers.XContentTypeOptions = "nosniff";
        try
        {
            await next(http);
            if (Missing(http) is { } problem) await AnswerAsync(http, problem);
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            // The client has gone: there is nobody to answer, and nothing of it is the hub's fault.
            LogGone(logger, http.Request.Method, Route(http));
        }
        catch (Exception e)
        {
            if (http.Response.HasStarted)
            {
                // Half an answer must not look like a whole one.
                LogFailed(logger, e, http.Request.Method, Route(http), TraceId(http));
                http.Abort();
                return;
            }

            // Pages of other hosts must be able to read what went wrong, too.
            var allowOrigin = http.Response.Headers.AccessControlAllowOrigin;
            http.Response.Clear();
            http.Response.Headers.XContentTypeOptions = "nosniff";
            http.Response.Headers.AccessControlAllowOrigin = allowOrigin;
            await AnswerAsync(http, From(http, e, logger));
        }
    });

    /// <summary>A page for people, else the problem.</summary>
    private static Task AnswerAsync(HttpContext http, IResult problem) =>
        PagesExtensions.IsForPeople(http.Request) && problem is IStatusCodeHttpResult { StatusCode: { } status }
            ? PagesExtensions.WriteErrorAsync(http, status)
            : problem.ExecuteAsync(http);

    private static IResult From(HttpContext http, Exception exception, ILogger logger)
    {
        switch (exception)
        {
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                var limit = http.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize;
                return limit is { } bytes ? Requests.TooLarge(http, bytes) : Problems.Problem(http, ProblemTypes.TooLarge, ProblemTypes.TooLarge.Help);
            case BadHttpRequestException { StatusCode: StatusCodes.Status415UnsupportedMediaType }:
                return Problems.Problem(http, ProblemTypes.UnsupportedType, ProblemTypes.UnsupportedType.Help);
            case BadHttpRequestException:
                return Problems.Problem(http, ProblemTypes.BadRequest, new(
                    "Ein Teil der Adresse, der Kopfzeilen oder des Inhalts ist nicht lesbar.",
                    "A part of the address, the headers or the body is not readable."));
            case OrleansException or TimeoutException or DbException or StoreException:
            case UnavailableExceptionFallbackException unknown when unknown.ExceptionType?.StartsWith("Npgsql.", StringComparison.Ordinal) is true:
                // A grain is moving, too many wait for it, no silo is there, or a store does not answer (a front-end does not
                // know its exceptions): the same request may be sent again.
                LogUnavailable(logger, exception.GetType().Name, http.Request.Method, Route(http), TraceId(http));
                return Problems.Later(http, ProblemTypes.Unavailable, new(
                    "Ein Teil des Hubs antwortet gerade nicht; die Anfrage bitte wiederholen.",
                    "A part of the hub does not answer just now; please repeat the request."), s_retryAfter, ("traceId", TraceId(http)));
            default:
                LogFailed(logger, exception, http.Request.Method, Route(http), TraceId(http));
                return Problems.Problem(http, ProblemTypes.Internal, new(
                    $"Bei der Bearbeitung ist ein Fehler aufgetreten. Vorgang: {TraceId(http)}.",
                    $"An error occurred while the request was handled. Trace: {TraceId(http)}."), ("traceId", TraceId(http)));
        }
    }

    /// <summary>The problem for an error status that nobody has written a body for (no such route, method, type).</summary>
    private static IResult? Missing(HttpContext http)
    {
        var response = http.Response;
        if (response.HasStarted || response.StatusCode < 400 || response.ContentType is not null || response.ContentLength is > 0) return null;
        switch (response.StatusCode)
        {
            case StatusCodes.Status404NotFound:
                return Problems.Problem(http, ProblemTypes.NotFound, new(
                    $"Die Adresse {http.Request.Path} gibt es nicht. Alle Adressen beschreibt /openapi/v1.json.",
                    $"The address {http.Request.Path} does not exist. /openapi/v1.json describes all addresses."));
            case StatusCodes.Status405MethodNotAllowed:
                return Problems.Problem(http, ProblemTypes.MethodNotAllowed, new(
                    $"{http.Request.Path} kennt {http.Request.Method} nicht; erlaubt: {response.Headers.Allow}.",
                    $"{http.Request.Path} does not know {http.Request.Method}; allowed: {response.Headers.Allow}."));
            case StatusCodes.Status415UnsupportedMediaType:
                return Problems.Problem(http, ProblemTypes.UnsupportedType, ProblemTypes.UnsupportedType.Help);
            case StatusCodes.Status400BadRequest:
                return Problems.Problem(http, ProblemTypes.BadRequest, ProblemTypes.BadRequest.Help);
            case StatusCodes.Status503ServiceUnavailable:
                return Problems.Later(http, ProblemTypes.Unavailable, ProblemTypes.Unavailable.Help, s_retryAfter);
            default:
                return null;
        }
    }

    /// <summary>By which operators find a request in the log: the trace's where the caller began one (W3C Trace Context), else one of our own.</summary>
    public static string TraceId(HttpContext http) =>
        Activity.Current?.TraceId.ToString()
        ?? (ActivityContext.TryParse(http.Request.Headers.TraceParent.ToString(), null, out var callers) ? callers.TraceId.ToString() : http.TraceIdentifier);

    /// <summary>The route's pattern, never the path: paths may hold what people are looking for.</summary>
    private static string Route(HttpContext http) => (http.GetEndpoint() as Microsoft.AspNetCore.Routing.RouteEndpoint)?.RoutePattern.RawText ?? "no route";

    [LoggerMessage(1101, LogLevel.Error, "{Method} {Route} failed, trace {TraceId}")]
    private static partial void LogFailed(ILogger logger, Exception exception, string method, string route, string traceId);

    [LoggerMessage(1102, LogLevel.Warning, "{Method} {Route} answered 503 after {Exception}, trace {TraceId}")]
    private static partial void LogUnavailable(ILogger logger, string exception, string method, string route, string traceId);

    [LoggerMessage(1103, LogLevel.Debug, "{Method} {Route}: the client has gone")]
    private static partial void LogGone(ILogger logger, string method, string route);
}
