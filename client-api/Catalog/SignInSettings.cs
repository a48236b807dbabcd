using System.ComponentModel.DataAnnotations;

namespace DataHub.Catalog;

/// <summary>Sign-in of people and machines by OpenID Connect. Section <c>DataHub:SignIn</c>; off unless an authority is named.</summary>
internal sealed class SignInSettings
{
    public const string Section = "DataHub:SignIn";

    /// <summary>Name of the issuer within the hub: its people are <c>{name}:{subject}</c>. Default <c>oidc</c>; never to be changed, or everybody is somebody else.</summary>
    [Setting("Name des Ausstellers im Hub: Personen heißen {Name}:{Subject}; bleibt für immer", "Name of the issuer within the hub: people are {name}:{subject}; stays for ever")]
    public string Name { get; set; } = "oidc";

    /// <summary>Address of the issuer, whose <c>/.well-known/openid-configuration</c> says the rest. Default none: no sign-in.</summary>
    [Setting("Adresse des Ausstellers, etwa https://sso.example/realms/stadt; leer: keine Anmeldung", "Address of the issuer, such as https://sso.example/realms/city; empty: no sign-in")]
    public string Authority { get; set; } = "";

    /// <summary>Whom a token must be meant for (<c>aud</c>). Default <c>datahub</c>.</summary>
    [Setting("Für wen ein Token bestimmt sein muss (aud)", "Whom a token must be meant for (aud)")]
    public string Audience { get; set; } = "datahub";

    /// <summary>The hub's own id at the issuer, for sign-in on pages. Default none: tokens only.</summary>
    [Setting("Kennung des Hubs beim Aussteller, für die Anmeldung auf Seiten; leer: nur Token", "The hub's id at the issuer, for sign-in on pages; empty: tokens only")]
    public string ClientId { get; set; } = "";

    /// <summary>Its secret. Default none: a public client, with PKCE only.</summary>
    [Setting("Dazu das Geheimnis; besser als Datei", "Its secret; better as a file")]
    public string ClientSecret { get; set; } = "";

    /// <summary>A file with the secret, instead of it.</summary>
    [Setting("Datei mit dem Geheimnis", "File with the secret")]
    public string ClientSecretFile { get; set; } = "";

    /// <summary>Claim that says who it is. Default <c>sub</c>; <c>client_id</c> where a machine's token has none.</summary>
    [Setting("Angabe im Token, die sagt, wer es ist", "The claim that says who it is")]
    public string SubjectClaim { get; set; } = "sub";

    /// <summary>Claim with the name for people. Default <c>name</c>.</summary>
    [Setting("Angabe im Token mit dem Namen", "The claim with the name for people")]
    public string NameClaim { get; set; } = "name";

    /// <summary>Claim with the groups: an array or one text, nested by dots. Default <c>groups</c>.</summary>
    [Setting("Angabe im Token mit den Gruppen, verschachtelt mit Punkten: realm_access.roles", "The claim with the groups, nested by dots: realm_access.roles")]
    public string GroupsClaim { get; set; } = "groups";

    /// <summary>
    /// What the issuer's words mean: <c>word=agency/group</c>, several by semicolons. Default none: what has the form
    /// <c>agency/group</c> or <c>/agency/group</c> already is taken.
    /// </summary>
    [Setting("Was die Wörter des Ausstellers bedeuten: wort=behörde/gruppe, mehrere durch Semikolon; leer: was schon behörde/gruppe heißt", "What the issuer's words mean: word=agency/group, several by semicolons; empty: what is agency/group already")]
    public string Groups { get; set; } = "";

    /// <summary>By how much the issuer's clock may be off. 0 to 5 min, default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    [Setting("Wie weit die Uhr des Ausstellers abweichen darf", "By how much the issuer's clock may be off")]
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether the issuer must be asked by https; false only for one on this machine. Default true.</summary>
    [Setting("Nur https zum Aussteller; false nur für einen auf diesem Rechner", "The issuer by https only; false only for one on this machine")]
    public bool RequireHttps { get; set; } = true;

    /// <summary>How often at most the issuer's keys are asked for again because a token names an unknown one. 1 s to 1 h, default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    [Setting("Kleinster Abstand, in dem die Schlüssel des Ausstellers neu geholt werden", "Shortest time after which the issuer's keys are asked for again")]
    public TimeSpan KeysRefresh { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Folder of the keys that protect the cookies; the same for all front-ends. Default none: embedded, within the data folder; of a front-end, no sign-in on pages.</summary>
    [Setting("Ordner der Schlüssel, die Cookies schützen, gemeinsam für alle Front-Ends; leer: eingebettet im Datenordner, sonst keine Anmeldung auf Seiten", "Folder of the keys that protect cookies, the same for all front-ends; empty: embedded in the data folder, else no sign-in on pages")]
    public string KeysFolder { get; set; } = "";

    /// <summary>Where people reach the hub, where a proxy before it speaks https. Default none: as the request says.</summary>
    [Setting("Öffentliche Adresse des Hubs hinter einem Proxy, etwa https://daten.example; leer: die der Anfrage", "Public address of the hub behind a proxy, such as https://data.example; empty: the request's")]
    public string Address { get; set; } = "";

    /// <summary>Whether the first administrator and the people of the demo sign in without an issuer; embedded hubs on an address of this machine only, never beside an authority. Default false.</summary>
    [Setting("Lokale Anmeldung zur Erprobung, nur eingebettet und nur von diesem Rechner: mit dem Admin-Schlüssel der Plattform und als Personen der Demo", "Local sign-in for trying out, embedded and from this machine only: with the platform's admin key and as people of the demo")]
    public bool Local { get; set; }

    /// <summary>After how long without a request somebody is signed out. 1 min to 24 h, default 30 min.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "1.00:00:00")]
    [Setting("Abmeldung nach dieser Zeit ohne Anfrage", "Signed out after this time without a request")]
    public TimeSpan IdleLife { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>After how long one has to sign in again in any case; groups that the issuer took away count until then. 1 min to 7 d, default 8 h.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "7.00:00:00")]
    [Setting("Spätestens dann ist neu anzumelden; so lange gelten auch die Gruppen vom Anmelden", "By then one has to sign in again; the groups of the sign-in count as long")]
    public TimeSpan LongestLife { get; set; } = TimeSpan.FromHours(8);
}
