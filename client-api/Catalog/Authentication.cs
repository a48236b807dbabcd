using System.Diagnostics;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace DataHub.Catalog;

/// <summary>Who asks: <c>Authorization: Bearer</c> with a key (<c>dh_…</c>) or a token of the configured issuer, or the public.</summary>
public static class Authentication
{
    /// <summary>What a request is for, by the purposes of a sharing agreement.</summary>
    internal const string PurposeHeader = "DataHub-Purpose", PurposeParameter = "purpose";

    private const string Scheme = "Bearer ";

    /// <summary>So much of a request is noted that was refused.</summary>
    private const int MaxRequest = 200;

    /// <summary>How often a read is answered anew whose caller became another meanwhile.</summary>
    private const int MaxRuns = 3;

    /// <summary>How long after it was settled who asks an answer is given without asking again; with the lease below a second.</summary>
    private static readonly TimeSpan s_holds = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// Finds out who asks before any endpoint runs. A key or token that is malformed, unknown, revoked or expired is 401 on
    /// every route, open ones too: whoever sends one means to be somebody.
    /// </summary>
    public static IApplicationBuilder UseApiKeys(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var rings = RingsOf(app.ApplicationServices);
        var cookies = app.ApplicationServices.GetService<SignInCookies>();
        // Most polls send no key: they are the public's, and cost nothing here.
        return cookies is null
            ? app.Use((http, next) => http.Request.Headers.Authorization.Count == 0 ? next(http) : CheckAsync(http, next))
            : app.Use((http, next) => http.Request.Headers.Authorization.Count > 0 ? CheckAsync(http, next) : http.Request.Headers.Cookie.Count == 0 ? next(http) : RecogniseAsync(http, next));

        async Task CheckAsync(HttpContext http, RequestDelegate next)
        {
            var (caller, refusal) = await FindAsync(http, rings);
            if (refusal is not null)
            {
                await refusal.ExecuteAsync(http);
                return;
            }

            await GoOnAsync(http, caller, next);
        }

        async Task RecogniseAsync(HttpContext http, RequestDelegate next)
        {
            var (caller, refusal) = await cookies.FindAsync(http);
            if (refusal is not null)
            {
                await refusal.ExecuteAsync(http);
                return;
            }

            await GoOnAsync(http, caller, next);
        }

        static Task GoOnAsync(HttpContext http, Caller? caller, RequestDelegate next)
        {
            if (caller is null) return next(http);
            if (PurposeOf(http).Length > StatedUse.MaxPurpose)
            {
                return Requests.InvalidParameter(http, PurposeHeader, new(
                    $"{PurposeHeader} ist die Kennung eines Zwecks, den eine Vereinbarung nennt, mit höchstens {StatedUse.MaxPurpose} Zeichen.",
                    $"{PurposeHeader} is the id of a purpose that an agreement names, of {StatedUse.MaxPurpose} characters at most.")).ExecuteAsync(http);
            }

            http.Features.Set(Stating(http, caller));
            return next(http);
        }
    }

    /// <summary>The caller with what he says that the request is for.</summary>
    private static Caller Stating(HttpContext http, Caller caller) =>
        PurposeOf(http) is { Length: > 0 } purpose ? caller with { Use = new(purpose, http.Connection.RemoteIpAddress?.ToString()) } : caller;

    /// <summary>From the header, else from the address: links and browsers' event streams cannot send headers.</summary>
    private static string PurposeOf(HttpContext http) =>
        http.Request.Headers.TryGetValue(PurposeHeader, out var header) ? header.ToString() : http.Request.Query.TryGetValue(PurposeParameter, out var parameter) ? parameter.ToString() : "";

    /// <summary>Who asks. Costs nothing: the key was checked before the endpoint was reached.</summary>
    public static Caller Caller(this HttpContext http)
    {
        ArgumentNullException.ThrowIfNull(http);
        return http.Features.Get<Caller>() ?? Catalog.Caller.Public;
    }

    /// <summary>
    /// Whether the key, token or cookie of a request that goes on still stands for the same caller with the same roles. Asked
    /// before more is given on what was allowed at its beginning.
    /// </summary>
    internal static async ValueTask<bool> IsStillAsync(HttpContext http)
    {
        var caller = http.Caller();
        if (caller.IsPublic) return true;
        return (await FindAgainAsync(http)).Caller == caller;
    }

    /// <summary>
    /// Gives the answer of a read only while what allowed it still holds. Who asks was settled before the question was put;
    /// where the answer took long (a silo died meanwhile), the key, token or cookie is looked up again, and where it stands
    /// for somebody else by now, or for nobody, so is the answer.
    /// </summary>
    internal static async ValueTask<object?> GiveWhileItHoldsAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (http.Caller().IsPublic) return await next(context);
        for (var run = 0; run < MaxRuns; run++)
        {
            var asked = Stopwatch.GetTimestamp();
            var result = await next(context);
            if (http.Response.HasStarted || Stopwatch.GetElapsedTime(asked) < s_holds) return result;
            var (caller, refusal) = await FindAgainAsync(http);
            if (caller == http.Caller()) return result;
            http.Response.Headers.Remove(Requests.WatermarkHeader);
            if (refusal is not null) return refusal;
            http.Features.Set(caller ?? Catalog.Caller.Public);
        }

        return Problems.Later(http, ProblemTypes.Unavailable, ProblemTypes.Unavailable.Help, TimeSpan.FromSeconds(1));
    }

    private static async ValueTask<(Caller? Caller, IResult? Refusal)> FindAgainAsync(HttpContext http)
    {
        var (caller, refusal) = http.Request.Headers.Authorization.Count > 0 ? await FindAsync(http, RingsOf(http.RequestServices))
            : http.RequestServices.GetService<SignInCookies>() is { } cookies ? await cookies.FindAsync(http)
            : default;
        return (caller is null ? null : Stating(http, caller), refusal);
    }

    private static Rings RingsOf(IServiceProvider services) => new(
        services.GetRequiredService<KeyRing>(), services.GetRequiredService<TokenRing>(), services.GetRequiredService<PeopleRing>(), services.GetRequiredService<ISignInFailures>());

    /// <summary>The answer to a caller who lacks a right: 401 for the public, who may try again with a key, else 403.</summary>
    /// <param name="detail">Whose key with which right is needed.</param>
    public static IResult Forbidden(HttpContext http, LocalText detail)
    {
        ArgumentNullException.ThrowIfNull(http);
        if (http.Caller().IsPublic) return Unauthorized(http, detail);
        var request = $"{http.Request.Method} {http.Request.Path}";
        http.RequestServices.GetService<ISignInFailures>()?.Refused(http.Caller().Subject, request.Length > MaxRequest ? request[..MaxRequest] : request, SignInFailures.NetworkOf(http));
        return Problems.Problem(http, ProblemTypes.Forbidden, detail);
    }

    private static async ValueTask<(Caller? Caller, IResult? Refusal)> FindAsync(HttpContext http, Rings rings)
    {
        var header = http.Request.Headers.Authorization;
        var text = header.ToString();
        if (header.Count > 1 || !text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return Refused(SignInFailures.Malformed, null, new(
                "Die Kopfzeile Authorization muss „Bearer dh_…“ lauten und darf nur einmal vorkommen.",
                "The header Authorization must be “Bearer dh_…” and occur once."));
        }

        text = text[Scheme.Length..].Trim();
        if (TokenRing.IsToken(text)) return await OfTokenAsync(http, text, rings);
        switch (ApiKey.Parse(text, out var key))
        {
            case ApiKeyFault.NotAKey:
                return Refused(SignInFailures.Malformed, null, new(
                    "Das ist kein Schlüssel dieses Hubs; einer beginnt mit „dh_“, gefolgt von Behörde, Schlüsselkennung und Geheimnis.",
                    "This is no key of this hub; one begins with “dh_”, followed by agency, key id and secret."));
            case ApiKeyFault.Mistyped:
                return Refused(SignInFailures.Mistyped, null, new(
                    "Der Schlüssel ist unvollständig oder enthält einen Tippfehler: Länge oder Prüfzeichen passen nicht. Bitte noch einmal vollständig kopieren.",
                    "The key is incomplete or mistyped: its length or check characters do not fit. Please copy it again in full."));
            default:
                return await rings.Keys.FindAsync(key) is { } caller
                    ? (caller, null)
                    : Refused(SignInFailures.UnknownKey, $"key:{key.Agency}.{key.KeyId}", new(
                        $"Die Behörde „{key.Agency}“ kennt keinen gültigen Schlüssel „{key.KeyId}“; er wurde zurückgezogen oder gehört zu einer anderen Installation. Einen neuen gibt ihre Verwaltung aus.",
                        $"The agency “{key.Agency}” knows no valid key “{key.KeyId}”; it was revoked or belongs to another installation. Its administrators give out a new one."));
        }

        (Caller?, IResult?) Refused(string reason, string? who, LocalText detail)
        {
            rings.Failures.Note(reason, who, SignInFailures.NetworkOf(http));
            return (null, Unauthorized(http, detail));
        }
    }

    private static async ValueTask<(Caller? Caller, IResult? Refusal)> OfTokenAsync(HttpContext http, string token, Rings rings)
    {
        var (claims, fault) = await rings.Tokens.CheckAsync(token, http.RequestAborted);
        if (claims is not null)
        {
            http.Features.Set(claims);
            return (await rings.People.FindAsync(claims), null);
        }

        rings.Failures.Note(fault!.Reason, fault.Who, SignInFailures.NetworkOf(http));
        if (fault.Reason == SignInFailures.NoKeys) return (null, Problems.Later(http, ProblemTypes.Unavailable, fault.Detail, TimeSpan.FromSeconds(5)));
        var answer = Unauthorized(http, fault.Detail);
        if (!http.Response.HasStarted) http.Response.Headers.WWWAuthenticate = $"Bearer error=\"invalid_token\", error_description=\"{Quoted(fault.Detail.In(Language.English))}\"";
        return (null, answer);
    }

    /// <summary>What may stand in <c>error_description</c> (RFC 6750, 3): ASCII without quotation marks and backslashes.</summary>
    private static string Quoted(string text) =>
        string.Concat(text.Select(letter => letter is '“' or '”' ? '\'' : letter is >= ' ' and <= '~' and not ('"' or '\\') ? letter : '?'));

    private static IResult Unauthorized(HttpContext http, LocalText detail)
    {
        // Asked again by an answer that goes on, its headers have been sent.
        if (!http.Response.HasStarted) http.Response.Headers.WWWAuthenticate = "Bearer";
        return Problems.Problem(http, ProblemTypes.Unauthorized, detail);
    }

    private sealed record Rings(KeyRing Keys, TokenRing Tokens, PeopleRing People, ISignInFailures Failures);
}
