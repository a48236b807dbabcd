using System.Security.Cryptography;
using System.Text.Json;

using Microsoft.AspNetCore.Http;
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
    public IResult Answer(bool varies = false) => new RenderedAnswer(this, varies);

    private sealed class RenderedAnswer(Rendered rendered, bool varies) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            response.Headers.ETag = rendered.ETag;
            // Whoever keeps it asks each time whether it is still right.
            response.Headers.CacheControl = "no-cache";
            foreach (var (name, value) in rendered.Headers) response.Headers.Append(name, value);
            if (varies) response.Headers.Append(HeaderNames.Vary, HeaderNames.Accept);
            if (IsKnown(httpContext.Request))
            {
                response.StatusCode = StatusCodes.Status304NotModified;
                return;
            }

            response.ContentType = rendered.ContentType;
            response.ContentLength = rendered.Body.Length;
            if (!HttpMethods.IsHead(httpContext.Request.Method)) await response.Body.WriteAsync(rendered.Body, httpContext.RequestAborted);
        }

        private bool IsKnown(HttpRequest request)
        {
            var header = request.Headers.IfNoneMatch;
            if (header.Count == 0) return false;
            if (header.Count == 1 && header[0] == rendered.ETag) return true;
            // The weak comparison: proxies that compress mark our tag as weak.
            return EntityTagHeaderValue.TryParseList(header, out var known)
                && known.Any(tag => tag.Tag == "*" || tag.Tag == rendered.ETag);
        }
    }
}
