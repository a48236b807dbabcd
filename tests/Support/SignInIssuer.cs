using System.Collections.Immutable;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Json;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

using OpenIddict.Abstractions;
using OpenIddict.Server;

using static OpenIddict.Server.OpenIddictServerEvents;

namespace DataHub.Support;

/// <summary>
/// An OpenID Connect issuer on a port of its own, with client credentials and the code flow with PKCE. Whoever asks is
/// who the test says: it has no accounts and asks for no password.
/// </summary>
internal sealed class SignInIssuer : IAsyncDisposable
{
    public const string ClientId = "hub-pages", ClientSecret = "geheim-fuer-den-test", Machine = "zaehlstellen";

    private readonly int _port = Ports.Free();
    private WebApplication? _app;
    private RSA _rsa = RSA.Create(2_048);
    private int _generation = 1;

    /// <summary>As settings and tokens name it.</summary>
    public string Address => $"http://127.0.0.1:{_port}/";

    /// <summary>The key that signs.</summary>
    public RsaSecurityKey Key => new(_rsa) { KeyId = $"schluessel-{_generation}" };

    /// <summary>Who signs in next: subject, name, groups.</summary>
    public (string Subject, string Name, string[] Groups) Person { get; set; } = ("anna", "Anna Beispiel", []);

    /// <summary>Settings of a hub that trusts this issuer.</summary>
    public Dictionary<string, string?> Settings(params (string Name, string Value)[] more)
    {
        var settings = new Dictionary<string, string?>
        {
            ["DataHub:SignIn:Authority"] = Address,
            ["DataHub:SignIn:RequireHttps"] = "false",
            ["DataHub:SignIn:KeysRefresh"] = "00:00:01",
        };
        foreach (var (name, value) in more) settings["DataHub:SignIn:" + name] = value;
        return settings;
    }

    public static async Task<SignInIssuer> StartAsync()
    {
        var issuer = new SignInIssuer();
        await issuer.OpenAsync();
        return issuer;
    }

    public async Task StopAsync()
    {
        if (_app is null) return;
        await _app.StopAsync();
        await _app.DisposeAsync();
        _app = null;
    }

    /// <summary>Comes back at the same address with a new key; nothing that the old one signed counts for it.</summary>
    public async Task RotateAsync()
    {
        await StopAsync();
        _rsa = RSA.Create(2_048);
        _generation++;
        await OpenAsync();
    }

    public Task OpenAgainAsync() => OpenAsync();

    /// <summary>A machine's token, by client credentials.</summary>
    public async Task<string> MachineTokenAsync()
    {
        using var http = new HttpClient { BaseAddress = new Uri(Address) };
        using var answer = await http.PostAsync("token", new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "client_credentials",
            ["client_id"] = Machine,
            ["client_secret"] = ClientSecret,
        }));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        using var json = JsonDocument.Parse(text);
        return json.RootElement.GetProperty("access_token").GetString()!;
    }

    /// <summary>A token with any claims, signed by this issuer's key or another.</summary>
    /// <param name="claims">In place of, or beside, those of a good token; null takes one away.</param>
    public string Token(SigningCredentials? signedBy = null, params (string Name, object? Value)[] claims)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var payload = new Dictionary<string, object?> { ["iss"] = Address, ["aud"] = "datahub", ["sub"] = "anna", ["iat"] = now, ["exp"] = now + 600 };
        foreach (var (name, value) in claims) payload[name] = value;
        var json = JsonSerializer.Serialize(payload.Where(claim => claim.Value is not null).ToDictionary());
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(json, signedBy ?? new(Key, SecurityAlgorithms.RsaSha256));
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _rsa.Dispose();
    }

    private async Task OpenAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(Address);
        builder.Services.AddOpenIddict().AddServer(server =>
        {
            server.SetIssuer(new Uri(Address)).SetTokenEndpointUris("token").SetAuthorizationEndpointUris("authorize");
            server.AllowClientCredentialsFlow().AllowAuthorizationCodeFlow().RequireProofKeyForCodeExchange();
            server.RegisterScopes(OpenIddictConstants.Scopes.OpenId, OpenIddictConstants.Scopes.Profile);
            server.EnableDegradedMode().DisableAccessTokenEncryption().AddEphemeralEncryptionKey().AddSigningKey(Key);
            server.UseAspNetCore().DisableTransportSecurityRequirement();
            server.AddEventHandler<ValidateAuthorizationRequestContext>(handler => handler.UseInlineHandler(context =>
            {
                if (context.ClientId != ClientId || context.RedirectUri?.EndsWith("/signin/callback", StringComparison.Ordinal) != true) context.Reject(OpenIddictConstants.Errors.InvalidClient, "unknown client or address");
                return default;
            }));
            server.AddEventHandler<ValidateTokenRequestContext>(handler => handler.UseInlineHandler(context =>
            {
                if (context.ClientId is not (ClientId or Machine) || context.ClientSecret != ClientSecret) context.Reject(OpenIddictConstants.Errors.InvalidClient, "unknown client");
                return default;
            }));
            server.AddEventHandler<HandleAuthorizationRequestContext>(handler => handler.UseInlineHandler(context =>
            {
                context.SignIn(Principal(Person.Subject, Person.Name, Person.Groups, context.Request.GetScopes()));
                return default;
            }));
            server.AddEventHandler<HandleTokenRequestContext>(handler => handler.UseInlineHandler(context =>
            {
                if (context.Request.IsClientCredentialsGrantType()) context.SignIn(Principal(context.ClientId!, "Zählstellen", Person.Groups, context.Request.GetScopes()));
                return default;
            }));
        });
        _app = builder.Build();
        _app.UseAuthentication();
        await _app.StartAsync();
        // The first answer of a process is slow; a hub waits two seconds.
        using var http = new HttpClient { BaseAddress = new Uri(Address) };
        await http.GetStringAsync(".well-known/openid-configuration");
        await http.GetStringAsync(".well-known/jwks");
    }

    private static ClaimsPrincipal Principal(string subject, string name, string[] groups, ImmutableArray<string> scopes)
    {
        var identity = new ClaimsIdentity("test", OpenIddictConstants.Claims.Name, OpenIddictConstants.Claims.Role);
        identity.SetClaim(OpenIddictConstants.Claims.Subject, subject).SetClaim(OpenIddictConstants.Claims.Name, name).SetClaims("groups", [.. groups]);
        identity.SetScopes(scopes).SetResources("datahub").SetDestinations(_ => [OpenIddictConstants.Destinations.AccessToken, OpenIddictConstants.Destinations.IdentityToken]);
        return new(identity);
    }
}
