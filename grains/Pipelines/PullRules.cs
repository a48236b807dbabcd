using System.Net;
using System.Net.Sockets;

using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>From where files may be fetched. Pure.</summary>
internal static class PullRules
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
