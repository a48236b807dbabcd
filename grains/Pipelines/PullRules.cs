using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>From where files may be fetched. Pure.</summary>
internal static partial class PullRules
{
    public const int LongestUrl = 2_000;

    /// <summary>Redirects that are followed.</summary>
    public const int Redirects = 5;

    /// <summary>Files of one step of a job that are kept; so an address that often changes does not use up what the agency may have.</summary>
    public const int Files = 100;

    /// <summary>The addresses that are not for everybody (IANA special-purpose registries), in IPv4.</summary>
    private static readonly IPNetwork[] s_inside =
    [
        .. "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3".Split(' ').Select(text => IPNetwork.Parse(text)),
    ];

    /// <summary>What is given to everybody in IPv6, and what of it leads elsewhere: Teredo and the like, documentation, 6to4.</summary>
    private static readonly IPNetwork s_outside6 = IPNetwork.Parse("2000::/3");

    private static readonly IPNetwork[] s_inside6 = [.. "2001::/23 2001:db8::/32 2002::/16 3fff::/20".Split(' ').Select(text => IPNetwork.Parse(text))];

    /// <summary>RFC 6750, section 2.1: b64token.</summary>
    [GeneratedRegex("^[A-Za-z0-9._~+/-]+=*\\z")]
    private static partial Regex Token();

    /// <summary>A host as it is compared: in lower case, names in ASCII, with a port where it is not that of https; null: it is none.</summary>
    public static string? Host(string text) =>
        text.Length is > 0 and <= PullKeys.MaxHost && Uri.TryCreate("https://" + text, UriKind.Absolute, out var url) && url is { Host.Length: > 0, UserInfo: "", PathAndQuery: "/", Fragment: "" } && !text.Contains('/', StringComparison.Ordinal)
            ? Authority(url)
            : null;

    /// <summary>What is wrong with a key for another host; null: nothing.</summary>
    public static LocalText? KeyFault(string host, string secret) => Host(host) is null
        ? new("host: Ein Name oder eine Adresse, mit Port, wo es nicht 443 ist, etwa hub.example.org; ohne https:// und ohne Pfad.", "host: A name or address, with a port where it is not 443, such as hub.example.org; without https:// and without a path.")
        : secret.Length is 0 or > PullKeys.MaxSecret || !Token().IsMatch(secret)
            ? new($"key: 1 bis {PullKeys.MaxSecret} Zeichen aus Buchstaben, Ziffern und -._~+/, wie der andere Server ihn ausgab, ohne das Wort Bearer.", $"key: 1 to {PullKeys.MaxSecret} characters of letters, digits and -._~+/, as the other host gave it out, without the word Bearer.")
            : null;

    public static PullKeyState Put(PullKeyState state, string name, string host, byte[] secret, string by, DateTimeOffset now) =>
        state with { Info = new(name, Host(host)!, state.Versions + 1, now, by), Secret = secret, Versions = state.Versions + 1 };

    /// <summary>
    /// Whether a key may be sent to an address: to its host only, encrypted. Unencrypted never but to the machine itself; that
    /// the operator lists it is looked at for every address (<see cref="Refused"/>).
    /// </summary>
    /// <param name="host">Of the key.</param>
    public static bool Takes(string host, Uri url) => url.Scheme == Uri.UriSchemeHttps ? string.Equals(Authority(url), host, StringComparison.OrdinalIgnoreCase)
        // Without encryption the port is always said: a host without one is meant with that of https.
        : url.Scheme == Uri.UriSchemeHttp && url.IsLoopback && string.Equals($"{Name(url)}:{url.Port}", host, StringComparison.OrdinalIgnoreCase);

    /// <summary>Why a key is not for an address.</summary>
    public static LocalText NotFor(string key, string host, Uri url) => new(
        $"Der Schlüssel „{key}“ wird nur an „{host}“ gesandt und nur verschlüsselt (https); „{url.GetLeftPart(UriPartial.Authority)}“ bekommt ihn nicht.",
        $"The key “{key}” is sent to “{host}” only, and only encrypted (https); “{url.GetLeftPart(UriPartial.Authority)}” does not get it.");

    /// <summary>Why there is no key.</summary>
    public static LocalText NoKey(string agency, string key) => new(
        $"Einen Schlüssel „{key}“ für andere Server hat „{agency}“ nicht (mehr); wer die Behörde verwaltet, legt ihn an (PUT …/pull-keys/{key}).",
        $"“{agency}” has no key “{key}” for other hosts (any more); whoever manages the agency stores it (PUT …/pull-keys/{key}).");

    /// <summary>Why an answer is not what was asked for, in words that say what to do; null: its status says all there is.</summary>
    /// <param name="hasKey">The key that the order names was sent to whoever answered.</param>
    public static LocalText? Why(HttpStatusCode status, PullOrder order, bool hasKey) => status switch
    {
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden when order.Key is { } lost && !hasKey => new(
            $"eine Weiterleitung führte auf einen anderen Server, der den Schlüssel „{lost.Name}“ nicht bekommt", $"a redirect led to another host, which does not get the key “{lost.Name}”"),
        HttpStatusCode.Unauthorized when order.Key is { } key => new($"der Schlüssel „{key.Name}“ gilt dort nicht (mehr)", $"the key “{key.Name}” is not valid there (any more)"),
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden when order.Key is null => new("dort ist ein Schlüssel nötig (read.key)", "a key is needed there (read.key)"),
        HttpStatusCode.Forbidden when order.Purpose is { } purpose => new(
            $"der Schlüssel „{order.Key!.Name}“ darf das dort nicht lesen, auch nicht für den Zweck „{purpose}“", $"the key “{order.Key!.Name}” may not read this there, not for the purpose “{purpose}” either"),
        HttpStatusCode.Forbidden => new(
            $"der Schlüssel „{order.Key!.Name}“ darf das dort nicht lesen; was eine Vereinbarung gibt, braucht deren Zweck (read.purpose)", $"the key “{order.Key!.Name}” may not read this there; what an agreement gives needs its purpose (read.purpose)"),
        HttpStatusCode.NotFound when order.IsPaged => new("diesen Datensatz gibt es dort nicht, oder nicht für diesen Schlüssel", "there is no such dataset there, or not for this key"),
        HttpStatusCode.Gone when order.IsPaged => new(
            "den Stand, den read.watermark nennt, gibt es dort nicht mehr; der andere Hub wurde aus einer Sicherung wiederhergestellt. watermark weglassen oder neu nehmen",
            "what read.watermark names is not there any more; the other hub was restored from a backup. Leave watermark out, or take a new one"),
        HttpStatusCode.TooManyRequests => new("dort darf jetzt nicht noch einmal gefragt werden", "it may not be asked again there just now"),
        _ => null,
    };

    private static string Authority(Uri url)
    {
        return url.IsDefaultPort ? Name(url) : $"{Name(url)}:{url.Port}";
    }

    private static string Name(Uri url) => Bracketed(url.IdnHost.TrimEnd('.').ToLowerInvariant());

    /// <summary>Notes what was fetched last.</summary>
    /// <returns>And the files that are one too many by it.</returns>
    public static (FilePullState State, string[] Old) Note(FilePullState state, LastPull pull)
    {
        var before = state is { Files.Length: 0, Last: { } last } ? [last.File] : state.Files;
        string[] files = [.. before.Where(file => file != pull.File), pull.File];
        return (new(pull) { Files = [.. files.TakeLast(Files)] }, [.. files.SkipLast(Files)]);
    }

    /// <summary>What is wrong with an address in a definition; null: nothing.</summary>
    public static LocalText? Fault(string text)
    {
        if (text.Length > LongestUrl || !Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.Host.Length == 0)
            return new($"Eine Adresse mit http oder https, höchstens {LongestUrl} Zeichen.", $"An address of http or https, {LongestUrl} characters at most.");
        return url.UserInfo.Length > 0 || url.Fragment.Length > 0
            ? new("Eine Adresse ohne Namen, Kennwort und Sprungmarke.", "An address without name, password and fragment.")
            : null;
    }

    /// <summary>Why a host is not asked; null: it is allowed.</summary>
    /// <param name="hosts">As the operator lists them: names or addresses, with a port where it is not the scheme's, apart by semicolons.</param>
    public static LocalText? Refused(Uri url, string hosts)
    {
        string[] allowed = Listed(hosts);
        var host = url.IdnHost.TrimEnd('.');
        string[] names = url.IsDefaultPort ? [host, Bracketed(host), $"{Bracketed(host)}:{url.Port}"] : [$"{Bracketed(host)}:{url.Port}"];
        if (names.Any(name => allowed.Contains(name, StringComparer.OrdinalIgnoreCase))) return null;
        var list = allowed.Length == 0 ? new("niemandem", "nobody") : new LocalText(string.Join(", ", allowed), string.Join(", ", allowed));
        return new(
            $"Von „{url.Authority}“ holt dieser Hub nichts; erlaubt hat sein Betrieb (DataHub:Pipelines:PullHosts): {list.De}.",
            $"This hub fetches nothing from “{url.Authority}”; its operator allows (DataHub:Pipelines:PullHosts): {list.In("en")}.");
    }

    /// <summary>Whether an address that a host's name leads to may be asked: one that everybody could ask, or one that is listed itself.</summary>
    public static bool MayAsk(IPAddress address, string hosts)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        var isOutside = address.AddressFamily == AddressFamily.InterNetwork
            ? !Array.Exists(s_inside, network => network.Contains(address))
            : s_outside6.Contains(address) && !Array.Exists(s_inside6, network => network.Contains(address));
        return isOutside || Listed(hosts).Any(one => IPEndPoint.TryParse(one, out var listed) && listed.Address.Equals(address));
    }

    /// <summary>A file's name as uploads have it.</summary>
    /// <param name="said">By the host; null: it says none.</param>
    public static string Name(Uri url, string? said)
    {
        var name = said?.Trim('"', ' ');
        if (string.IsNullOrEmpty(name)) name = Uri.UnescapeDataString(url.Segments[^1].TrimEnd('/'));
        name = new string([.. name.Where(c => c is not ('/' or '\\') && !char.IsControl(c) && !char.IsSurrogate(c))]);
        return name.Length == 0 ? "datei" : name.Length <= UploadLimits.NameLength ? name : name[^UploadLimits.NameLength..];
    }

    /// <summary>Without what stands behind the question mark, which may be secret.</summary>
    public static string Told(Uri url) => url.GetLeftPart(UriPartial.Path);

    private static string[] Listed(string hosts) => hosts.Split([';', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static string Bracketed(string host) => host.Contains(':', StringComparison.Ordinal) && host[0] != '[' ? $"[{host}]" : host;
}
