using System.Globalization;
using System.Net;

namespace DataHub.Hosting;

/// <summary>A gateway as configured: a name or an address, and a port.</summary>
/// <param name="Host">A name, an IPv4 address, or an IPv6 address without its brackets.</param>
internal readonly record struct GatewayAddress(string Host, int Port)
{
    /// <summary>Reads <c>host:port;host:port</c>; an IPv6 address stands in brackets.</summary>
    /// <exception cref="StartException">An entry is something else, or there is none.</exception>
    public static GatewayAddress[] ParseAll(string text)
    {
        var entries = text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var addresses = Array.ConvertAll(entries, Parse);
        return addresses.Length > 0 && Array.TrueForAll(addresses, address => address is not null) ? Array.ConvertAll(addresses, address => address!.Value) : throw Wrong(text);
    }

    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    private static GatewayAddress? Parse(string entry)
    {
        var colon = entry.LastIndexOf(':');
        if (colon <= 0 || !int.TryParse(entry.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port is < 1 or > IPEndPoint.MaxPort) return null;
        var host = entry[..colon];
        if (host.StartsWith('[')) return host.EndsWith(']') && Uri.CheckHostName(host) == UriHostNameType.IPv6 ? new(host[1..^1], port) : null;
        return Uri.CheckHostName(host) is UriHostNameType.Dns or UriHostNameType.IPv4 ? new(host, port) : null;
    }

    private static StartException Wrong(string text) => new(new(
        $"Die Einstellung DataHub:Cluster:Gateways hat den Wert „{text}“; erlaubt ist host:port, mehrere durch Semikolon getrennt, etwa datahub-silo:30000.",
        $"The setting DataHub:Cluster:Gateways has the value “{text}”; allowed is host:port, several separated by semicolons, such as datahub-silo:30000."));
}
