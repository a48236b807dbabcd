using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace DataHub.Indicators;

/// <summary>
/// Gives out again what was given to a caller without a key, to requests that are the same to the letter, while the lease
/// holds. It stands before the routing: most polls are answered here, and whatever is not known is read by the endpoint.
/// </summary>
internal sealed class LeasedAnswers(RenderedAnswers answers, LeasedIndicators leased, TimeProvider time)
{
    /// <summary>The answer to a request, if it may be given without asking. Whoever sends a key must have been asked for it before.</summary>
    public LentAnswer? Find(HttpContext http)
    {
        var request = http.Request;
        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method)) return null;
        if (answers.Find(AnswerRequest.Of(request))?.Lent(time) is not { } lent) return null;
        leased.Repeated(lent.Lease);
        return lent;
    }
}

internal static class LeasedAnswersExtensions
{
    public static IApplicationBuilder UseLeasedAnswers(this IApplicationBuilder app)
    {
        var answers = app.ApplicationServices.GetRequiredService<LeasedAnswers>();
        return app.Use((http, next) => http.Request.Headers.Authorization.Count == 0 && answers.Find(http) is { } lent ? lent.ExecuteAsync(http) : next(http));
    }
}
