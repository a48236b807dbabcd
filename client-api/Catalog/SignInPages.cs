using System.Security.Claims;
using System.Text.Json;

using DataHub.Hosting;
using DataHub.Indicators;

using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace DataHub.Catalog;

/// <summary>
/// Sign-in of people on pages: the code flow with PKCE, then a cookie that says who it is and nothing else. A cookie counts
/// only for requests from the hub's own pages.
/// </summary>
internal static class SignInPages
{
    public const string CookieName = "datahub-signin";

    private const string Cookies = "cookie", Issuer = "issuer", Callback = "/signin/callback", SignedInAt = "signed-in-at", Locally = "locally", GroupClaim = "group";

    /// <summary>Of all groups in a cookie together: browsers and servers refuse more than about 16 KiB of cookies.</summary>
    private const int MaxGroupLetters = 4_000;

    private static readonly LocalText s_notHere = new("Die Anmeldung auf Seiten ist auf diesem Hub nicht eingerichtet.", "Sign-in on pages is not configured on this hub.");

    /// <summary>What the code flow and the cookie need.</summary>
    /// <param name="folder">Of the keys that protect the cookies.</param>
    /// <exception cref="StartException">The folder cannot be used.</exception>
    public static void AddSignInPages(this IServiceCollection services, SignIn signIn, string folder)
    {
        var keys = services.AddDataProtection().SetApplicationName("datahub").PersistKeysToFileSystem(Open(folder, out var writable));
        // A mounted secret cannot be written; its keys are renewed by whoever made it.
        if (!writable) keys.DisableAutomaticKeyGeneration();
        services.AddAuthentication().AddCookie(Cookies);
        services.AddOptions<CookieAuthenticationOptions>(Cookies).Configure<TimeProvider>((cookie, time) =>
        {
            var secure = signIn.Settings.Address.StartsWith("https:", StringComparison.OrdinalIgnoreCase) ? CookieSecurePolicy.Always : CookieSecurePolicy.SameAsRequest;
            cookie.TimeProvider = time;
            cookie.Cookie = new CookieBuilder { Name = CookieName, HttpOnly = true, SameSite = SameSiteMode.Lax, SecurePolicy = secure, IsEssential = true, Path = "/" };
            cookie.ExpireTimeSpan = signIn.Settings.IdleLife;
            cookie.SlidingExpiration = true;
            cookie.Events.OnValidatePrincipal = context =>
            {
                // Whoever signed in locally is nobody's whom an issuer vouches for, and the other way round.
                if (context.Properties.Items.ContainsKey(Locally) != signIn.IsLocal
                    || !context.Properties.Items.TryGetValue(SignedInAt, out var text) || !DateTimeOffset.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var at)
                    || time.GetUtcNow() - at >= signIn.Settings.LongestLife) context.RejectPrincipal();
                return Task.CompletedTask;
            };
        });
        services.AddSingleton(provider => new SignInCookies(signIn, provider.GetRequiredService<PeopleRing>(), provider.GetRequiredService<ISignInFailures>()));
        if (signIn.IsOn) services.AddCodeFlow(signIn);
    }

    private static void AddCodeFlow(this IServiceCollection services, SignIn signIn)
    {
        services.AddAuthentication().AddOpenIdConnect(Issuer, _ => { });
        services.AddOptions<OpenIdConnectOptions>(Issuer).Configure<IssuerKeys, TimeProvider, ISignInFailures>((issuer, keys, time, failures) =>
        {
            var secure = signIn.Settings.Address.StartsWith("https:", StringComparison.OrdinalIgnoreCase) ? CookieSecurePolicy.Always : CookieSecurePolicy.SameAsRequest;
            issuer.TimeProvider = time;
            issuer.SignInScheme = Cookies;
            issuer.Authority = signIn.Settings.Authority;
            issuer.ConfigurationManager = keys;
            issuer.RequireHttpsMetadata = signIn.Settings.RequireHttps;
            issuer.ClientId = signIn.Settings.ClientId;
            issuer.ClientSecret = signIn.ClientSecret.Length == 0 ? null : signIn.ClientSecret;
            issuer.ResponseType = OpenIdConnectResponseType.Code;
            issuer.ResponseMode = OpenIdConnectResponseMode.Query;
            issuer.UsePkce = true;
            issuer.PushedAuthorizationBehavior = PushedAuthorizationBehavior.Disable;
            issuer.MapInboundClaims = false;
            issuer.SaveTokens = false;
            issuer.GetClaimsFromUserInfoEndpoint = false;
            issuer.DisableTelemetry = true;
            issuer.CallbackPath = Callback;
            issuer.SignedOutCallbackPath = "/signin/signed-out";
            issuer.RemoteSignOutPath = "/signin/remote-signout";
            issuer.BackchannelTimeout = TimeSpan.FromSeconds(10);
            issuer.TokenValidationParameters.ClockSkew = signIn.Settings.ClockSkew;
            issuer.TokenValidationParameters.ValidAlgorithms = TokenRing.Algorithms;
            // The answer comes as an address, so that these cookies need not be sent with what other sites post.
            foreach (var cookie in new[] { issuer.CorrelationCookie, issuer.NonceCookie })
            {
                cookie.SameSite = SameSiteMode.Lax;
                cookie.SecurePolicy = secure;
            }

            issuer.Events.OnTokenValidated = context =>
            {
                using var payload = JsonDocument.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(context.SecurityToken.RawPayload));
                if (signIn.Read(payload.RootElement) is not { } claims)
                {
                    context.Fail("the token does not say who it is");
                    return Task.CompletedTask;
                }

                context.Principal = PrincipalOf(claims);
                context.Properties!.Items[SignedInAt] = Now(time);
                return Task.CompletedTask;
            };
            issuer.Events.OnRemoteFailure = async context =>
            {
                context.HandleResponse();
                failures.Note(SignInFailures.CodeFlow, null, SignInFailures.NetworkOf(context.HttpContext));
                var unavailable = context.Failure is IssuerUnavailableException or HttpRequestException or TaskCanceledException;
                await AnswerAsync(context.HttpContext, unavailable ? Unavailable(context.HttpContext) : Problems.Problem(context.HttpContext, ProblemTypes.BadRequest, new(
                    "Die Anmeldung ist nicht zustande gekommen: Sie wurde abgebrochen, dauerte zu lange oder wurde nicht in diesem Browser begonnen. Bitte noch einmal anmelden.",
                    "The sign-in did not succeed: it was cancelled, took too long or was not begun in this browser. Please sign in again.")));
            };
        });
    }

    /// <summary>Routes <c>/signin</c>, its callback, and <c>/signout</c>; they are there where sign-in on pages is on.</summary>
    public static void MapSignInPages(this IEndpointRouteBuilder routes)
    {
        var signIn = routes.ServiceProvider.GetRequiredService<SignIn>();
        if (routes.ServiceProvider.GetService<SignInCookies>() is null)
        {
            routes.MapGet("/signin", (HttpContext http) => AnswerAsync(http, Problems.Problem(http, ProblemTypes.NotFound, s_notHere))).ExcludeFromDescription();
            return;
        }

        routes.MapSignOut(signIn);
        if (signIn.IsLocal)
        {
            routes.MapGet("/signin", (HttpContext http, LocalSignIn local) => local.PageAsync(http)).ExcludeFromDescription();
            routes.MapPost(LocalSignIn.Path, (HttpContext http, LocalSignIn local) => local.SignInAsync(http)).ExcludeFromDescription();
            return;
        }

        routes.MapGet("/signin", async (HttpContext http, IssuerKeys keys) =>
        {
            http.Response.Headers.CacheControl = "no-store";
            if (BackOf(http) is not { } back)
            {
                await AnswerAsync(http, BadBack(http));
                return;
            }

            if (await keys.GetAsync(http.RequestAborted) is null)
            {
                await AnswerAsync(http, Unavailable(http));
                return;
            }

            Reach(http, signIn);
            await http.ChallengeAsync(Issuer, new AuthenticationProperties { RedirectUri = back });
        }).ExcludeFromDescription();
        routes.MapGet(Callback, async (HttpContext http, IAuthenticationHandlerProvider handlers) =>
        {
            http.Response.Headers.CacheControl = "no-store";
            Reach(http, signIn);
            if (await handlers.GetHandlerAsync(http, Issuer) is IAuthenticationRequestHandler handler) await handler.HandleRequestAsync();
        }).ExcludeFromDescription();
    }

    /// <summary>Sets the cookie of somebody who has signed in locally, like that of somebody for whom an issuer vouches.</summary>
    public static Task SetLocallyAsync(HttpContext http, PersonClaims claims, TimeProvider time) =>
        http.SignInAsync(Cookies, PrincipalOf(claims), new() { Items = { [SignedInAt] = Now(time), [Locally] = "true" } });

    /// <summary>Where somebody who signs in comes back to; null where the address names a place that is none of the hub's.</summary>
    public static string? BackOf(HttpContext http)
    {
        var back = http.Request.Query.TryGetValue("back", out var asked) ? asked.ToString() : Referring(http.Request);
        return IsLocal(back) ? back : null;
    }

    public static IResult BadBack(HttpContext http) => Requests.InvalidParameter(http, "back", new("back muss ein Pfad dieses Hubs sein, etwa /api.", "back must be a path of this hub, such as /api."));

    /// <summary>What the cookie says of somebody.</summary>
    private static ClaimsPrincipal PrincipalOf(PersonClaims claims) => new(new ClaimsIdentity(
    [
        new("sub", claims.Subject), .. claims.Name is { } name ? [new("name", name)] : Array.Empty<Claim>(), .. Few(claims.Groups).Select(group => new Claim(GroupClaim, group)),
    ], Cookies));

    private static string Now(TimeProvider time) => time.GetUtcNow().ToString("O", System.Globalization.CultureInfo.InvariantCulture);

    private static void MapSignOut(this IEndpointRouteBuilder routes, SignIn signIn)
    {
        routes.MapPost("/signout", async (HttpContext http) =>
        {
            http.Response.Headers.CacheControl = "no-store";
            if (SignInCookies.Sent(http.Request) && !SignInCookies.IsOwn(http.Request, signIn))
            {
                await SignInCookies.Foreign(http).ExecuteAsync(http);
                return;
            }

            await http.SignOutAsync(Cookies);
            http.Response.StatusCode = StatusCodes.Status303SeeOther;
            http.Response.Headers.Location = "/";
        }).ExcludeFromDescription();
    }

    /// <summary>Who the cookie says it is; null where it does not hold (any more).</summary>
    public static async Task<PersonClaims?> ReadAsync(HttpContext http, SignIn signIn)
    {
        if (signIn.IsLocal && !LocalSignIn.IsFromHere(http)) return null;
        if ((await http.AuthenticateAsync(Cookies)).Principal is not { } principal || principal.FindFirstValue("sub") is not { } subject) return null;
        return new(signIn.Issuer, subject, principal.FindFirstValue("name"), [.. principal.FindAll(GroupClaim).Select(claim => claim.Value)]);
    }

    /// <summary>As many groups as a cookie can carry; the issuer should send those that mean something here.</summary>
    public static IEnumerable<string> Few(string[] groups)
    {
        var left = MaxGroupLetters;
        return groups.TakeWhile(group => (left -= group.Length) >= 0);
    }

    /// <summary>Whether an address stays on the hub: one slash, and nothing that browsers read as another host.</summary>
    public static bool IsLocal(string back) =>
        back.Length is > 0 and <= 2_000 && back[0] == '/' && (back.Length == 1 || back[1] is not ('/' or '\\')) && !back.Any(letter => char.IsControl(letter) || letter == '\\');

    /// <summary>The page that the reader comes from, where it is one of the hub's.</summary>
    private static string Referring(HttpRequest request) =>
        Uri.TryCreate(request.Headers.Referer.ToString(), UriKind.Absolute, out var from) && from.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase) && IsLocal(from.PathAndQuery)
            && !from.AbsolutePath.StartsWith("/sign", StringComparison.Ordinal)
            ? from.PathAndQuery : "/";

    /// <summary>Behind a proxy the issuer must send people to the proxy's address.</summary>
    private static void Reach(HttpContext http, SignIn signIn)
    {
        if (signIn.Settings.Address.Length == 0) return;
        var address = new Uri(signIn.Settings.Address);
        (http.Request.Scheme, http.Request.Host) = (address.Scheme, HostString.FromUriComponent(address));
    }

    private static IResult Unavailable(HttpContext http) => Problems.Later(http, ProblemTypes.Unavailable, new(
        "Der Aussteller, bei dem man sich anmeldet, antwortet gerade nicht. Bitte in einigen Sekunden wiederholen; was offen ist, bleibt lesbar.",
        "The issuer with whom one signs in does not answer just now. Please repeat in some seconds; what is open can still be read."), TimeSpan.FromSeconds(5));

    /// <summary>A page for people, else the problem.</summary>
    public static Task AnswerAsync(HttpContext http, IResult problem) =>
        PagesExtensions.IsForPeople(http.Request) && problem is IStatusCodeHttpResult { StatusCode: { } status }
            ? PagesExtensions.WriteErrorAsync(http, status, Problems.DetailOf(problem)?.In(Language.Of(http)))
            : problem.ExecuteAsync(http);

    private static DirectoryInfo Open(string folder, out bool writable)
    {
        try
        {
            var keys = OperatingSystem.IsWindows() ? Directory.CreateDirectory(folder)
                : Directory.Exists(folder) ? new(folder)
                : Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            writable = IsWritable(folder);
            if (!writable && keys.GetFiles("key-*.xml").Length == 0) throw new UnauthorizedAccessException("it cannot be written and has no key-….xml");
            return keys;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartException(new(
                $"Der Ordner {folder} (DataHub:SignIn:KeysFolder) ist nicht zu benutzen: {e.Message}",
                $"The folder {folder} (DataHub:SignIn:KeysFolder) cannot be used: {e.Message}"), e);
        }
    }

    private static bool IsWritable(string folder)
    {
        try
        {
            var probe = Path.Combine(folder, $".writable-{Guid.NewGuid():n}");
            File.WriteAllBytes(probe, []);
            File.Delete(probe);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
