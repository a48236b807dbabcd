using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace DataHub.Catalog;

/// <summary>Who asks: <c>Authorization: Bearer dh_…</c>, or the public.</summary>
public static class Authentication
{
    private const string Scheme = "Bearer ";

    /// <summary>
    /// Finds out who asks before any endpoint runs. A key that is malformed, unknown or revoked is 401 on every route,
    /// open ones too: whoever sends a key means to be somebody.
    /// </summary>
    public static IApplicationBuilder UseApiKeys(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var keys = app.ApplicationServices.GetRequiredService<KeyRing>();
        // Most polls send no key: they are the public's, and cost nothing here.
        return app.Use((http, next) => http.Request.Headers.Authorization.Count == 0 ? next(http) : CheckAsync(http, next));

        async Task CheckAsync(HttpContext http, RequestDelegate next)
        {
            var (caller, refusal) = await FindAsync(http, keys);
            if (refusal is not null)
            {
                await refusal.ExecuteAsync(http);
                return;
            }

            http.Features.Set(caller);
            await next(http);
        }
    }

    /// <summary>Who asks. Costs nothing: the key was checked before the endpoint was reached.</summary>
    public static Caller Caller(this HttpContext http)
    {
        ArgumentNullException.ThrowIfNull(http);
        return http.Features.Get<Caller>() ?? Catalog.Caller.Public;
    }

    /// <summary>The answer to a caller who lacks a right: 401 for the public, who may try again with a key, else 403.</summary>
    /// <param name="detail">Whose key with which right is needed.</param>
    public static IResult Forbidden(HttpContext http, LocalText detail)
    {
        ArgumentNullException.ThrowIfNull(http);
        return http.Caller().Agency is null ? Unauthorized(http, detail) : Problems.Problem(http, ProblemTypes.Forbidden, detail);
    }

    private static async ValueTask<(Caller? Caller, IResult? Refusal)> FindAsync(HttpContext http, KeyRing keys)
    {
        var header = http.Request.Headers.Authorization;
        var text = header.ToString();
        if (header.Count > 1 || !text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return (null, Unauthorized(http, new(
                "Die Kopfzeile Authorization muss „Bearer dh_…“ lauten und darf nur einmal vorkommen.",
                "The header Authorization must be “Bearer dh_…” and occur once.")));
        }

        switch (ApiKey.Parse(text[Scheme.Length..].Trim(), out var key))
        {
            case ApiKeyFault.NotAKey:
                return (null, Unauthorized(http, new(
                    "Das ist kein Schlüssel dieses Hubs; einer beginnt mit „dh_“, gefolgt von Behörde, Schlüsselkennung und Geheimnis.",
                    "This is no key of this hub; one begins with “dh_”, followed by agency, key id and secret.")));
            case ApiKeyFault.Mistyped:
                return (null, Unauthorized(http, new(
                    "Der Schlüssel ist unvollständig oder enthält einen Tippfehler: Länge oder Prüfzeichen passen nicht. Bitte noch einmal vollständig kopieren.",
                    "The key is incomplete or mistyped: its length or check characters do not fit. Please copy it again in full.")));
            default:
                return await keys.FindAsync(key) is { } caller
                    ? (caller, null)
                    : (null, Unauthorized(http, new(
                        $"Die Behörde „{key.Agency}“ kennt keinen gültigen Schlüssel „{key.KeyId}“; er wurde zurückgezogen oder gehört zu einer anderen Installation. Einen neuen gibt ihre Verwaltung aus.",
                        $"The agency “{key.Agency}” knows no valid key “{key.KeyId}”; it was revoked or belongs to another installation. Its administrators give out a new one.")));
        }
    }

    private static IResult Unauthorized(HttpContext http, LocalText detail)
    {
        http.Response.Headers.WWWAuthenticate = "Bearer";
        return Problems.Problem(http, ProblemTypes.Unauthorized, detail);
    }
}
