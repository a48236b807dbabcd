using System.Text.Json;

using DataHub.Hosting;

using Microsoft.Extensions.Configuration;

namespace DataHub.Catalog;

/// <summary>How people and machines sign in, as the settings say it, checked. Immutable.</summary>
internal sealed class SignIn
{
    /// <summary>More groups than this of one token do not count.</summary>
    private const int MaxGroups = 200;

    private const int MaxNameLength = 200;

    private readonly (string Word, string Group)[] _groups;

    private SignIn(SignInSettings settings, string clientSecret, (string, string)[] groups) => (Settings, ClientSecret, _groups) = (settings, clientSecret, groups);

    /// <summary>No sign-in: keys only.</summary>
    public static SignIn Off { get; } = new(new(), "", []);

    public SignInSettings Settings { get; }

    /// <summary>Empty: a public client.</summary>
    public string ClientSecret { get; }

    /// <summary>Whether there is an issuer.</summary>
    public bool IsOn => Settings.Authority.Length > 0;

    /// <summary>Whether people sign in without one, from this machine only.</summary>
    public bool IsLocal => Settings.Local;

    /// <summary>The name of whoever vouches for people: they are <c>{issuer}:{subject}</c>.</summary>
    public string Issuer => IsLocal ? LocalSignIn.Issuer : Settings.Name;

    /// <summary>Where the issuer describes itself.</summary>
    public string MetadataAddress => Settings.Authority.TrimEnd('/') + "/.well-known/openid-configuration";

    /// <param name="embedded">Whether it is a hub in one process, the only one that has a local sign-in.</param>
    /// <param name="urls">Where it listens.</param>
    /// <exception cref="StartException">The settings do not allow a sign-in.</exception>
    public static SignIn Open(IConfiguration configuration, bool embedded, string urls)
    {
        var settings = configuration.GetSection(SignInSettings.Section).Get<SignInSettings>() ?? new();
        if (settings.Local)
        {
            return LocalFault(settings, embedded, urls) is { } fault
                ? throw new StartException(new("DataHub:SignIn:Local: " + fault.De, "DataHub:SignIn:Local: " + fault.En))
                : new(settings, "", []);
        }

        if (settings.Authority.Length == 0) return Off;
        if (!Uri.TryCreate(settings.Authority, UriKind.Absolute, out var authority) || authority.Scheme is not ("https" or "http") || authority.Query.Length > 0)
            throw Fault(nameof(SignInSettings.Authority), settings.Authority, "eine Adresse wie https://sso.example/realms/stadt", "an address such as https://sso.example/realms/city");
        if (settings.RequireHttps ? authority.Scheme != "https" : !authority.IsLoopback)
        {
            throw new StartException(new(
                $"Der Aussteller {settings.Authority} (DataHub:SignIn:Authority) muss über https erreichbar sein; DataHub:SignIn:RequireHttps darf nur für einen auf diesem Rechner (127.0.0.1) false sein.",
                $"The issuer {settings.Authority} (DataHub:SignIn:Authority) must be reached by https; DataHub:SignIn:RequireHttps may be false only for one on this machine (127.0.0.1)."));
        }

        if (settings.Name == LocalSignIn.Issuer)
        {
            throw new StartException(new(
                "DataHub:SignIn:Name darf nicht „local“ sein: So heißen Personen, die sich lokal angemeldet haben.",
                "DataHub:SignIn:Name must not be “local”: that is what people are called who have signed in locally."));
        }

        if (!CatalogIds.IsValid(settings.Name)) throw Fault(nameof(SignInSettings.Name), settings.Name, $"eine Kennung der Form {CatalogIds.Pattern}", $"an id of the form {CatalogIds.Pattern}");
        if (settings.Audience.Length == 0) throw Fault(nameof(SignInSettings.Audience), "", "ein Text", "a text");
        if (settings.Address.Length > 0 && (!Uri.TryCreate(settings.Address, UriKind.Absolute, out var address) || address.Scheme is not ("https" or "http") || address.PathAndQuery != "/"))
            throw Fault(nameof(SignInSettings.Address), settings.Address, "eine Adresse ohne Pfad wie https://daten.example", "an address without a path such as https://data.example");
        return new(settings, Secret(settings), Mapping(settings.Groups));
    }

    /// <summary>What a token says of somebody; null where it names nobody that can be a person of the hub.</summary>
    /// <param name="payload">The token's payload, which has been checked.</param>
    public PersonClaims? Read(JsonElement payload)
    {
        if ((Text(payload, Settings.SubjectClaim) ?? Text(payload, "client_id")) is not { } subject || !Subjects.IsPerson(Subjects.Person(Settings.Name, subject))) return null;
        var name = Text(payload, Settings.NameClaim);
        if (name is not null && (name.Length > MaxNameLength || name.Any(char.IsControl))) name = null;
        return new(Settings.Name, subject, name, GroupsOf(payload));
    }

    /// <summary>Why there can be no local sign-in; null: nothing is in its way.</summary>
    private static LocalText? LocalFault(SignInSettings settings, bool embedded, string urls) =>
        !embedded ? new(
            "Die lokale Anmeldung gibt es nur im eingebetteten Hub, nicht in einem Cluster. Hier meldet man sich bei einem Aussteller an (DataHub:SignIn:Authority).",
            "There is a local sign-in in the embedded hub only, not in a cluster. Here one signs in with an issuer (DataHub:SignIn:Authority).")
        : settings.Authority.Length > 0 ? new(
            "Entweder lokale Anmeldung oder ein Aussteller (DataHub:SignIn:Authority), nicht beides.",
            "Either a local sign-in or an issuer (DataHub:SignIn:Authority), not both.")
        : settings.Address.Length > 0 ? new(
            "Die lokale Anmeldung ist nur für diesen Rechner; eine öffentliche Adresse (DataHub:SignIn:Address) passt nicht dazu.",
            "The local sign-in is for this machine only; a public address (DataHub:SignIn:Address) does not go with it.")
        : ListenAddresses.Split(urls).FirstOrDefault(url => !ListenAddresses.IsLoopback(url)) is { } open ? new(
            $"Die lokale Anmeldung ist nur für diesen Rechner; {open} ist auch von anderen zu erreichen. Mit --urls eine Adresse wie {ListenAddresses.Default} angeben.",
            $"The local sign-in is for this machine only; {open} can be reached from others too. Name an address such as {ListenAddresses.Default} with --urls.")
        : null;

    private string[] GroupsOf(JsonElement payload)
    {
        if (Find(payload, Settings.GroupsClaim) is not { } claim) return [];
        var words = claim.ValueKind switch
        {
            JsonValueKind.String => [claim.GetString()!],
            JsonValueKind.Array => claim.EnumerateArray().Where(one => one.ValueKind == JsonValueKind.String).Select(one => one.GetString()!),
            _ => Enumerable.Empty<string>(),
        };
        var groups = _groups.Length > 0
            ? words.SelectMany(word => _groups.Where(known => known.Word == word).Select(known => known.Group))
            : words.Select(word => word.StartsWith('/') ? word[1..] : word).Where(Subjects.IsGroup);
        return [.. groups.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Take(MaxGroups)];
    }

    private static string? Text(JsonElement payload, string claim) =>
        Find(payload, claim) is { ValueKind: JsonValueKind.String } found && found.GetString() is { Length: > 0 } text ? text : null;

    /// <summary>A claim by its name, which may have dots itself, or by a way of names.</summary>
    private static JsonElement? Find(JsonElement payload, string claim)
    {
        if (payload.ValueKind != JsonValueKind.Object) return null;
        if (payload.TryGetProperty(claim, out var found)) return found;
        for (var dot = claim.IndexOf('.', StringComparison.Ordinal); dot > 0; dot = claim.IndexOf('.', dot + 1))
        {
            if (payload.TryGetProperty(claim[..dot], out var within) && Find(within, claim[(dot + 1)..]) is { } deeper) return deeper;
        }

        return null;
    }

    private static (string Word, string Group)[] Mapping(string text) =>
    [
        .. text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(pair =>
        {
            // The issuer's word may be an LDAP name with equals signs of its own.
            var equals = pair.LastIndexOf('=');
            var (word, group) = equals < 0 ? ("", "") : (pair[..equals].Trim(), pair[(equals + 1)..].Trim());
            return word.Length > 0 && Subjects.IsGroup(group) ? (word, group) : throw Fault(nameof(SignInSettings.Groups), pair, "wort=behörde/gruppe, mehrere durch Semikolon", "word=agency/group, several by semicolons");
        }),
    ];

    private static string Secret(SignInSettings settings)
    {
        if (settings.ClientSecretFile.Length == 0) return settings.ClientSecret;
        try
        {
            return File.ReadAllText(settings.ClientSecretFile).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartException(new(
                $"Die Datei {settings.ClientSecretFile} (DataHub:SignIn:ClientSecretFile) ist nicht zu lesen: {e.Message}",
                $"The file {settings.ClientSecretFile} (DataHub:SignIn:ClientSecretFile) cannot be read: {e.Message}"), e);
        }
    }

    private static StartException Fault(string name, string value, string de, string en) => new(new(
        $"Die Einstellung {SignInSettings.Section}:{name} hat den Wert „{value}“; erlaubt ist {de}.",
        $"The setting {SignInSettings.Section}:{name} has the value “{value}”; allowed is {en}."));
}
