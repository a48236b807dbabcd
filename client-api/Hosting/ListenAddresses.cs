using System.Net;
using System.Net.Sockets;

using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace DataHub.Hosting;

/// <summary>Where a program takes requests: <c>--urls</c>.</summary>
internal static class ListenAddresses
{
    public const string Default = "http://127.0.0.1:8080";

    public static string[] Split(string urls) => urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>Those a started program listens on, for the console.</summary>
    public static string Of(WebApplication app) =>
        string.Join("  ", app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses);

    /// <summary>That each can be read and listened on.</summary>
    /// <exception cref="StartException">One cannot.</exception>
    public static void Check(string urls)
    {
        foreach (var url in Split(urls))
        {
            try
            {
                var address = BindingAddress.Parse(url);
                if (address is { Scheme: "http", PathBase: "", IsUnixPipe: false, Port: >= 0 and <= 65_535, Host.Length: > 0 })
                {
                    CheckFree(url, address);
                    continue;
                }
            }
            catch (FormatException)
            {
                // Told below, with what is allowed.
            }

            throw BadUrl(url);
        }

        if (string.IsNullOrWhiteSpace(urls)) throw BadUrl(urls);

        static StartException BadUrl(string url) => new(new(
            $"--urls hat den Wert „{url}“; erlaubt ist http://ADRESSE:PORT mit einem Port von 0 bis 65535, etwa {Default}, mehrere durch Semikolon getrennt.",
            $"--urls has the value “{url}”; allowed is http://ADDRESS:PORT with a port from 0 to 65535, such as {Default}, several separated by semicolons."));
    }

    /// <summary>Whether only this machine reaches an address.</summary>
    public static bool IsLoopback(string url)
    {
        try
        {
            return IsLoopbackHost(BindingAddress.Parse(url).Host);
        }
        catch (FormatException)
        {
            return false;
        }
    }

    /// <summary>Whether a name or an address, as it stands in <c>Host</c> or in a URL, can mean this machine only.</summary>
    public static bool IsLoopbackHost(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    /// <summary>Listens for a moment, so that a port that is taken is told before anything has started.</summary>
    private static void CheckFree(string url, BindingAddress address)
    {
        if (address.Port == 0) return;
        var ip = IPAddress.TryParse(address.Host, out var given) ? given : address.Host == "localhost" ? IPAddress.Loopback : IPAddress.Any;
        try
        {
            // As the server does; otherwise connections of an earlier run that are still closing would count as a listener.
            using var probe = new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            probe.Bind(new IPEndPoint(ip, address.Port));
            probe.Listen();
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new StartException(new(
                $"Die Adresse {url} ist schon belegt. Das andere Programm beenden oder mit --urls eine andere angeben, etwa --urls http://127.0.0.1:8081.",
                $"The address {url} is in use already. Stop the other program or name another with --urls, such as --urls http://127.0.0.1:8081."), e);
        }
        catch (SocketException e)
        {
            throw new StartException(new(
                $"Auf {url} kann dieser Rechner nicht hören ({e.Message}). Mit --urls eine seiner eigenen Adressen und einen Port ab 1024 angeben.",
                $"This machine cannot listen on {url} ({e.Message}). Name one of its own addresses and a port from 1024 with --urls."), e);
        }
    }
}
