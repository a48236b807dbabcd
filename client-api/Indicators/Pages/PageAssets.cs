using System.Collections.Frozen;
using System.Globalization;
using System.Security.Cryptography;

using Microsoft.AspNetCore.Http;

namespace DataHub.Indicators;

/// <summary>Style, script and icon of the pages. They are part of the assembly, so they are there however the hub was built, published or tested.</summary>
internal static class PageAssets
{
    private const string Root = "/assets/";

    private static readonly FrozenDictionary<string, Asset> s_assets = new[]
    {
        Load("datahub.css", "text/css; charset=utf-8"),
        Load("datahub.js", "text/javascript; charset=utf-8"),
        Load("api.js", "text/javascript; charset=utf-8"),
        Load("icon.svg", "image/svg+xml"),
    }.ToFrozenDictionary(a => a.Name, StringComparer.Ordinal);

    public static string Style { get; } = Href("datahub.css");

    public static string Script { get; } = Href("datahub.js");

    /// <summary>Of the page about the public interface.</summary>
    public static string ApiScript { get; } = Href("api.js");

    public static string Icon { get; } = Href("icon.svg");

    /// <summary><c>/assets/{hash}/{name}</c>: a new content has a new address, so what is there may be kept for ever.</summary>
    public const string Route = Root + "{hash}/{name}";

    /// <summary>The file as this program has it. An address of another version (during a rolling update) gets it too, but not for keeps.</summary>
    public static IResult Answer(HttpContext http, string hash, string name)
    {
        if (!s_assets.TryGetValue(name, out var asset)) return Problems.NotFound(http, new("Datei", "file"), name);
        var headers = http.Response.Headers;
        headers.CacheControl = hash == asset.Hash ? "public, max-age=31536000, immutable" : "no-cache";
        headers.XContentTypeOptions = "nosniff";
        headers.ContentLength = asset.Bytes.Length;
        return HttpMethods.IsHead(http.Request.Method) ? TypedResults.StatusCode(StatusCodes.Status200OK) : TypedResults.Bytes(asset.Bytes, asset.Type);
    }

    private static string Href(string name) => $"{Root}{s_assets[name].Hash}/{name}";

    private static Asset Load(string name, string type)
    {
        using var stream = typeof(PageAssets).Assembly.GetManifestResourceStream("wwwroot/" + name)
            ?? throw new InvalidOperationException($"wwwroot/{name} is not embedded in {typeof(PageAssets).Assembly.GetName().Name}.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return new(name, type, bytes, Convert.ToHexStringLower(SHA256.HashData(bytes))[..12]);
    }

    private sealed record Asset(string Name, string Type, byte[] Bytes, string Hash);
}
