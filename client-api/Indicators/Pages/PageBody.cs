using System.IO.Compression;
using System.Security.Cryptography;

using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace DataHub.Indicators;

/// <summary>A rendered page, as it is and compressed, each with the strong ETag of its own bytes. Immutable.</summary>
internal sealed class PageBody(byte[] html)
{
    /// <summary>Nothing from elsewhere, nothing inline: what the page shows cannot run.</summary>
    private const string Policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'";

    /// <summary>The page as it is, UTF-8.</summary>
    public ReadOnlyMemory<byte> Html => html;

    private readonly Lazy<Form> _plain = new(() => new(html, ETagOf(html)));
    private readonly Lazy<Form> _compressed = new(() => Compressed(html));

    /// <summary>Answers with the page, or 304 where the reader has these very bytes.</summary>
    public async Task WriteAsync(HttpContext http, int status, string language)
    {
        var compress = Accepts(http.Request, "gzip");
        var own = SignInBar.For(http, html);
        var form = own is not null ? (compress ? Compressed(own) : new(own, ETagOf(own))) : compress ? _compressed.Value : _plain.Value;
        var response = http.Response;
        var headers = response.Headers;
        headers.CacheControl = status == StatusCodes.Status200OK ? "no-cache" : "no-store";
        headers.Vary = "Accept-Encoding, Accept-Language";
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "same-origin";
        if (status == StatusCodes.Status200OK)
        {
            headers.ETag = form.ETag;
            if (IsKnown(http.Request, form.ETag))
            {
                response.StatusCode = StatusCodes.Status304NotModified;
                return;
            }
        }

        response.StatusCode = status;
        response.ContentType = "text/html; charset=utf-8";
        headers.ContentLanguage = language;
        if (compress) headers.ContentEncoding = "gzip";
        response.ContentLength = form.Bytes.Length;
        if (!HttpMethods.IsHead(http.Request.Method)) await response.Body.WriteAsync(form.Bytes, http.RequestAborted);
    }

    private static Form Compressed(byte[] html)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true)) gzip.Write(html);
        var bytes = packed.ToArray();
        return new(bytes, ETagOf(bytes));
    }

    private static string ETagOf(byte[] bytes) => $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 16))}\"";

    private static bool IsKnown(HttpRequest request, string etag) =>
        EntityTagHeaderValue.TryParseList(request.Headers.IfNoneMatch, out var known)
        && known.Any(k => k.Tag == "*" || k.Tag == etag);

    private static bool Accepts(HttpRequest request, string coding) =>
        StringWithQualityHeaderValue.TryParseList(request.Headers.AcceptEncoding, out var codings)
        && codings.Any(c => c.Value.Equals(coding, StringComparison.OrdinalIgnoreCase) && c.Quality is null or > 0);

    private sealed record Form(byte[] Bytes, string ETag);
}
