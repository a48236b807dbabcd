using System.Security.Cryptography;
using System.Text.Json;

using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace DataHub;

/// <summary>An answer whose bytes are made once: with a strong ETag over exactly these bytes (first 128 bits of SHA-256).</summary>
/// <param name="Body">What is sent.</param>
/// <param name="ContentType">With charset where it is text.</param>
/// <param name="ETag">With its quotation marks.</param>
internal sealed record Rendered(ReadOnlyMemory<byte> Body, string ContentType, string ETag)
{
    /// <summary>Headers that belong to these bytes; sent with 304 too.</summary>
    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    public static Rendered Of(ReadOnlyMemory<byte> body, string contentType)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(body.Span, hash);
        return new(body, contentType, $"\"{Convert.ToHexStringLower(hash[..16])}\"");
    }

    public static Rendered Json<T>(T document) => Of(JsonSerializer.SerializeToUtf8Bytes(document, WireJson.Options), "application/json; charset=utf-8");

    /// <summary>200 with the bytes, or 304 where the caller has them already (RFC 9110 §13.1.2); HEAD gets the headers only.</summary>
    /// <param name="varies">Whether the same address has other answers by Accept.</param>
    public IResult Answer(bool varies = false) => new RenderedResult(this, varies);

    /// <inheritdoc cref="Answer"/>
    public Task WriteAsync(HttpContext http, bool varies)
    {
        var (request, response) = (http.Request, http.Response);
        var headers = response.Headers;
        headers.ETag = ETag;
        // Whoever keeps it asks each time whether it is still right.
        headers.CacheControl = "no-cache";
        for (var i = 0; i < Headers.Count; i++) headers.Append(Headers[i].Name, Headers[i].Value);
        if (varies) headers.Vary = StringValues.Concat(headers.Vary, HeaderNames.Accept);
        if (IsKnown(request))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        response.ContentType = ContentType;
        response.ContentLength = Body.Length;
        // The server itself stops writing when the client has gone; to be told so would cost more than the answer.
        return HttpMethods.IsHead(request.Method) ? Task.CompletedTask : response.Body.WriteAsync(Body, CancellationToken.None).AsTask();
    }

    private bool IsKnown(HttpRequest request)
    {
        var header = request.Headers.IfNoneMatch;
        if (header.Count == 0) return false;
        if (header.Count == 1 && header[0] == ETag) return true;
        // The weak comparison: proxies that compress mark our tag as weak.
        return EntityTagHeaderValue.TryParseList(header, out var known)
            && known.Any(tag => tag.Tag == "*" || tag.Tag == ETag);
    }

    private sealed class RenderedResult(Rendered rendered, bool varies) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => rendered.WriteAsync(httpContext, varies);
    }
}
