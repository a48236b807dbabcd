using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace DataHub;

/// <summary>Pages of other hosts may read what is public (design §5). Nothing that needs a key is opened: its header is not among those allowed.</summary>
internal static class CrossOrigin
{
    public static IApplicationBuilder UseCrossOriginReads(this IApplicationBuilder app) => app.Use((http, next) =>
    {
        var request = http.Request;
        if (request.Headers.Origin.Count == 0) return next(http);
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
        {
            http.Response.Headers.AccessControlAllowOrigin = "*";
            http.Response.Headers.AccessControlExposeHeaders = "ETag, Link, Content-Disposition, DataHub-Watermark, DataHub-License, DataHub-Publisher, DataHub-Unit, DataHub-Definition, DataHub-Contract, DataHub-Version, DataHub-As-Of, DataHub-Time-Zone, Retry-After, Content-Language";
            return next(http);
        }

        var wanted = request.Headers.AccessControlRequestMethod.ToString();
        if (!HttpMethods.IsOptions(request.Method) || !(HttpMethods.IsGet(wanted) || HttpMethods.IsHead(wanted))) return next(http);
        var headers = http.Response.Headers;
        headers.AccessControlAllowOrigin = "*";
        headers.AccessControlAllowMethods = "GET, HEAD";
        headers.AccessControlAllowHeaders = "Accept, Accept-Language, If-None-Match, Last-Event-ID";
        headers.AccessControlMaxAge = "86400";
        http.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    });
}
