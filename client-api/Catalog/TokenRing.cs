using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace DataHub.Catalog;

/// <summary>Why a token is refused.</summary>
/// <param name="Reason">A word of <see cref="SignInFailures"/>.</param>
/// <param name="Who">Known where the signature holds.</param>
internal sealed record TokenFault(string Reason, LocalText Detail, string? Who = null);

/// <summary>Checks the tokens of the configured issuer, and remembers those that hold for a while.</summary>
/// <param name="signIn">Whose tokens, for whom.</param>
/// <param name="keys">The issuer's keys.</param>
/// <param name="time">Clock of every end.</param>
internal sealed class TokenRing(SignIn signIn, IssuerKeys keys, TimeProvider time)
{
    /// <summary>How long a token that held is not looked at again; it never holds beyond its end.</summary>
    private static readonly TimeSpan s_remembered = TimeSpan.FromMinutes(5);

    private const int MaxRemembered = 10_000;

    /// <summary>Signed with a key that only the issuer has; never one that the hub would have to keep secret too, and never none.</summary>
    public static readonly string[] Algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    private readonly JsonWebTokenHandler _handler = new() { MapInboundClaims = false, MaximumTokenSizeInBytes = 65_536 };
    private readonly ConcurrentDictionary<KeyRing.KeyHash, (PersonClaims Claims, DateTimeOffset Until)> _remembered = new();

    /// <summary>Whether a text has the form of a signed token (RFC 7515, 3.1): three parts, the first of which is a JSON object.</summary>
    public static bool IsToken(string text)
    {
        if (!text.StartsWith("ey", StringComparison.Ordinal)) return false;
        var parts = text.Split('.');
        return parts is [{ Length: > 0 }, { Length: > 0 }, _] && Array.TrueForAll(parts, part => part.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_'));
    }

    /// <summary>Whom a token stands for, or why it is refused.</summary>
    public async ValueTask<(PersonClaims? Claims, TokenFault? Fault)> CheckAsync(string token, CancellationToken cancellationToken)
    {
        if (!signIn.IsOn)
        {
            return (null, new(SignInFailures.NotConfigured, new(
                "Das ist ein Token, aber die Anmeldung ist auf diesem Hub nicht eingerichtet (DataHub:SignIn:Authority); hier gelten nur Schlüssel, die mit „dh_“ beginnen.",
                "This is a token, but sign-in is not configured on this hub (DataHub:SignIn:Authority); only keys that begin with “dh_” count here.")));
        }

        var hash = HashOf(token);
        var now = time.GetUtcNow();
        if (_remembered.TryGetValue(hash, out var known))
        {
            if (now < known.Until) return (known.Claims, null);
            _remembered.TryRemove(hash, out _);
        }

        var (claims, until, fault) = await ValidateAsync(token, now, cancellationToken);
        if (claims is not null)
        {
            if (_remembered.Count >= MaxRemembered) Forget(now);
            _remembered[hash] = (claims, until < now + s_remembered ? until : now + s_remembered);
        }

        return (claims, fault);
    }

    private async ValueTask<(PersonClaims? Claims, DateTimeOffset Until, TokenFault? Fault)> ValidateAsync(string token, DateTimeOffset now, CancellationToken cancellationToken)
    {
        JsonWebToken read;
        JsonDocument payload;
        try
        {
            read = _handler.ReadJsonWebToken(token);
            payload = JsonDocument.Parse(Base64Url.DecodeFromChars(read.EncodedPayload));
        }
        catch (Exception e) when (e is ArgumentException or SecurityTokenException or JsonException or FormatException)
        {
            return Refuse(SignInFailures.Malformed, "Das Token ist nicht lesbar: Kopf oder Inhalt sind kein JSON in Base64url. Bitte vollständig kopieren.", "The token is not readable: its header or payload is no JSON in base64url. Please copy it in full.");
        }

        using (payload)
        {
            return await ValidateAsync(read, payload.RootElement, now, cancellationToken);
        }
    }

    private async ValueTask<(PersonClaims? Claims, DateTimeOffset Until, TokenFault? Fault)> ValidateAsync(JsonWebToken read, JsonElement payload, DateTimeOffset now, CancellationToken cancellationToken)
    {
        // What can be said without a key is said first, so that people learn what to change; nothing is believed before the signature.
        if (Array.IndexOf(Algorithms, read.Alg) < 0)
        {
            return Refuse(SignInFailures.Algorithm,
                $"Das Token ist nicht mit einem Verfahren unterschrieben, das hier gilt ({string.Join(", ", Algorithms)}).",
                $"The token is not signed by an algorithm that counts here ({string.Join(", ", Algorithms)}).");
        }

        var issuer = await keys.GetAsync(cancellationToken);
        if (issuer is null) return NoKeys();
        if (read.Issuer != issuer.Issuer)
        {
            return Refuse(SignInFailures.Issuer,
                $"Das Token stammt von einem anderen Aussteller; hier gelten nur die von {issuer.Issuer} (iss).",
                $"The token is by another issuer; only those by {issuer.Issuer} count here (iss).");
        }

        if (!Knows(issuer, read.Kid)) issuer = await keys.GetNewerAsync(cancellationToken) ?? issuer;
        if (!Knows(issuer, read.Kid))
        {
            return Refuse(SignInFailures.Signature,
                "Die Unterschrift des Tokens gilt nicht: Der Aussteller hat den Schlüssel nicht, den es nennt (kid).",
                "The signature of the token is not valid: the issuer has no such key as it names (kid).");
        }

        var result = await _handler.ValidateTokenAsync(read, new TokenValidationParameters
        {
            ValidIssuer = issuer.Issuer,
            ValidAudience = signIn.Settings.Audience,
            IssuerSigningKeys = issuer.SigningKeys.Where(IsAsymmetric),
            TryAllIssuerSigningKeys = string.IsNullOrEmpty(read.Kid),
            ValidAlgorithms = Algorithms,
            RequireSignedTokens = true,
            // By the hub's clock, below.
            ValidateLifetime = false,
        });
        if (!result.IsValid)
        {
            return result.Exception switch
            {
                SecurityTokenInvalidAudienceException => Refuse(SignInFailures.Audience,
                    $"Das Token ist nicht für diesen Hub bestimmt; seine Angabe aud muss „{signIn.Settings.Audience}“ enthalten.",
                    $"The token is not meant for this hub; its aud must contain “{signIn.Settings.Audience}”."),
                _ => Refuse(SignInFailures.Signature,
                    "Die Unterschrift des Tokens gilt nicht; es wurde verändert oder mit einem anderen Schlüssel unterschrieben.",
                    "The signature of the token is not valid; it was changed or signed with another key."),
            };
        }

        var claims = signIn.Read(payload);
        var who = claims is null ? null : "person:" + Subjects.Person(claims.Issuer, claims.Subject);
        if (Kind(payload) is "ID" or "Refresh" or "Logout")
        {
            return Refuse(SignInFailures.Kind, "Das ist kein Zugriffstoken (access token), sondern ein anderes Token des Ausstellers.", "This is no access token but another token of the issuer.", who);
        }

        var skew = signIn.Settings.ClockSkew;
        if (Instant(payload, "nbf") is { } begin && now + skew < begin)
            return Refuse(SignInFailures.NotYet, $"Das Token gilt erst ab {Say(begin)}; beim Hub ist es {Say(now)}.", $"The token is valid from {Say(begin)} only; at the hub it is {Say(now)}.", who);
        if (Instant(payload, "exp") is not { } end)
            return Refuse(SignInFailures.Expired, "Das Token sagt nicht, wann es abläuft (exp); so eines gilt hier nicht.", "The token does not say when it expires (exp); such a one does not count here.", who);
        if (now >= end + skew)
            return Refuse(SignInFailures.Expired, $"Das Token ist am {Say(end)} abgelaufen; bitte ein neues holen.", $"The token expired at {Say(end)}; please get a new one.", who);
        if (claims is null)
        {
            return Refuse(SignInFailures.Subject,
                $"Das Token sagt nicht, wer es ist: Die Angabe {signIn.Settings.SubjectClaim} fehlt, ist zu lang oder hat Steuerzeichen.",
                $"The token does not say who it is: {signIn.Settings.SubjectClaim} is missing, too long or has control characters.");
        }

        return (claims, end + skew, null);

        static string Say(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
    }

    private static (PersonClaims?, DateTimeOffset, TokenFault?) Refuse(string reason, string de, string en, string? who = null) => (null, default, new(reason, new(de, en), who));

    private static (PersonClaims?, DateTimeOffset, TokenFault?) NoKeys() => Refuse(SignInFailures.NoKeys,
        "Der Aussteller der Token hat seit dem Start noch nicht geantwortet, darum lässt sich keines prüfen. Bitte wiederholen; Schlüssel des Hubs gelten weiter.",
        "The issuer of tokens has not answered since the start, so none can be checked. Please repeat; keys of the hub go on counting.");

    private static bool Knows(OpenIdConnectConfiguration issuer, string? kid) => string.IsNullOrEmpty(kid) || issuer.SigningKeys.Any(key => key.KeyId == kid);

    private static bool IsAsymmetric(SecurityKey key) => key is AsymmetricSecurityKey or JsonWebKey { Kty: "RSA" or "EC" };

    /// <summary>What Keycloak says of its tokens in the payload.</summary>
    private static string? Kind(JsonElement payload) => payload.TryGetProperty("typ", out var kind) && kind.ValueKind == JsonValueKind.String ? kind.GetString() : null;

    /// <summary>A NumericDate (RFC 7519, 2); null where there is none that can be an instant.</summary>
    private static DateTimeOffset? Instant(JsonElement payload, string claim) =>
        payload.TryGetProperty(claim, out var at) && at.ValueKind == JsonValueKind.Number && at.TryGetDouble(out var seconds) && seconds is > 0 and < 250_000_000_000
            ? DateTimeOffset.UnixEpoch.AddSeconds(Math.Floor(seconds))
            : null;

    private static KeyRing.KeyHash HashOf(string token)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(token), hash);
        return MemoryMarshal.Read<KeyRing.KeyHash>(hash);
    }

    private void Forget(DateTimeOffset now)
    {
        foreach (var (hash, known) in _remembered)
        {
            if (now >= known.Until) _remembered.TryRemove(hash, out _);
        }

        // All of them still hold: start over rather than grow.
        if (_remembered.Count >= MaxRemembered) _remembered.Clear();
    }
}
