using System.Net;
using System.Net.Sockets;

namespace DataHub.Support;

/// <summary>Ports of 127.0.0.1 for what tests start.</summary>
internal static class Ports
{
    private static readonly Lock s_gate = new();
    private static readonly HashSet<int> s_given = [];

    /// <summary>One that nobody listens on, and that no other test of this process was given.</summary>
    public static int Free()
    {
        lock (s_gate)
        {
            while (true)
            {
                using var probe = new TcpListener(IPAddress.Loopback, 0);
                probe.Start();
                var port = ((IPEndPoint)probe.LocalEndpoint).Port;
                if (s_given.Add(port)) return port;
            }
        }
    }
}
