using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace DataHub.Catalog;

/// <summary>Makes the cookie of somebody who has signed in the caller, where the request comes from the hub's own pages.</summary>
internal sealed class SignInCookies(SignIn signIn, PeopleRing people, ISignInFailures failures)
{
    /// <summary>Whether the request brings the cookie at all.</summary>
    public static bool Sent(HttpRequest request) => request.Headers.Cookie.Count > 0 && request.Headers.Cookie.ToString().Contains(SignInPages.CookieName + "=", StringComparison.Ordinal);

    /// <summary>Who asks by the cookie; null for the public. What would change something from elsewhere is refused.</summary>
    public async ValueTask<(Caller? Caller, IResult? Refusal)> FindAsync(HttpContext http)
    {
        var request = http.Request;
        if (!Sent(request)) return default;
        var own = IsOwn(request, signIn);
        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method) && !HttpMethods.IsOptions(request.Method))
        {
            if (!own)
            {
                failures.Note(SignInFailures.Origin, null, SignInFailures.NetworkOf(http));
                return (null, Foreign(http));
            }
        }
        else if (!own && !IsFollowed(request))
        {
            // Pages of other hosts read what the public reads.
            return default;
        }

        if (await SignInPages.ReadAsync(http, signIn) is not { } claims) return default;
        http.Features.Set(claims);
        http.Features.Set(new SignedIn(claims.Name ?? claims.Subject, signIn.IsLocal));
        // Asked again by an answer that goes on, its headers have been sent.
        if (!http.Response.HasStarted) http.Response.OnStarting(static state =>
        {
            // What one person sees is nobody else's.
            var headers = ((HttpContext)state).Response.Headers;
            if (!headers.Vary.ToString().Contains(HeaderNames.Cookie, StringComparison.Ordinal)) headers.Append(HeaderNames.Vary, HeaderNames.Cookie);
            if (headers.CacheControl == "no-cache") headers.CacheControl = "private, no-cache";
            else if (headers.CacheControl.Count == 0) headers.CacheControl = "private, no-store";
            return Task.CompletedTask;
        }, http);
        return (await people.FindAsync(claims), null);
    }

    /// <summary>Whether the hub's own page sent it: by its origin, else by what the browser says of it.</summary>
    public static bool IsOwn(HttpRequest request, SignIn signIn)
    {
        if (request.Headers.Origin.Count > 0)
        {
            // A proxy before the hub may speak https where the hub does not: the host decides.
            return Uri.TryCreate(request.Headers.Origin.ToString(), UriKind.Absolute, out var origin)
                && (signIn.Settings.Address.Length > 0
                    ? origin.Authority.Equals(new Uri(signIn.Settings.Address).Authority, StringComparison.OrdinalIgnoreCase)
                    : origin.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase));
        }

        var site = request.Headers["Sec-Fetch-Site"].ToString();
        return site == "same-origin";
    }

    public static IResult Foreign(HttpContext http) => Problems.Problem(http, ProblemTypes.Forbidden, new(
        "Mit der Anmeldung im Browser ändern nur Seiten dieses Hubs etwas; diese Anfrage kommt von woanders. Programme senden einen Schlüssel oder ein Token (Authorization: Bearer).",
        "With a sign-in in the browser only pages of this hub change something; this request comes from elsewhere. Programs send a key or a token (Authorization: Bearer)."));

    /// <summary>An address that was typed, or a link that was followed, from wherever; and programs that are no browsers.</summary>
    private static bool IsFollowed(HttpRequest request) =>
        request.Headers.Origin.Count == 0 && (request.Headers["Sec-Fetch-Site"].ToString() is "" or "none" || request.Headers["Sec-Fetch-Mode"] == "navigate");
}

/// <summary>Somebody has signed in on a page.</summary>
/// <param name="Name">For people.</param>
/// <param name="Locally">Without an issuer that vouches for it.</param>
internal sealed record SignedIn(string Name, bool Locally);
