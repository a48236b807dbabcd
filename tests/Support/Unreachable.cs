using System.Net.Sockets;

namespace DataHub.Support;

/// <summary>What a client meets while the hub that it talks to is killed or starting.</summary>
internal static class Unreachable
{
    /// <summary>
    /// Whether the connection broke, so that nobody knows what became of the request. <see cref="SocketException"/> is among it: a connection whose other end dies between its
    /// opening and its first use comes out of <see cref="HttpClient"/> bare.
    /// </summary>
    public static bool Is(Exception e) => e is HttpRequestException or IOException or SocketException;
}
