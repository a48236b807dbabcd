using System.ComponentModel.DataAnnotations;
using System.Net;

namespace DataHub.Hosting;

/// <summary>A silo among others. Section <c>DataHub:Cluster</c>; without effect in an embedded hub.</summary>
internal sealed class ClusterSettings : ClusterIdentity
{
    public const string Section = "DataHub:Cluster";

    /// <summary>Shards of a cluster's log where <c>DataHub:Log:Shards</c> is not set.</summary>
    public const int Shards = 32;

    /// <summary>Port for the other silos. 1 to 65,535, default 11111.</summary>
    [Range(1, 65_535)]
    [Setting("Port für die anderen Silos", "Port for the other silos")]
    public int SiloPort { get; set; } = 11_111;

    /// <summary>Port for the front-ends. 1 to 65,535, default 30000.</summary>
    [Range(1, 65_535)]
    [Setting("Port für die Front-Ends", "Port for the front-ends")]
    public int GatewayPort { get; set; } = 30_000;

    /// <summary>IP address under which silos and front-ends reach this silo, and on which it listens. Default: the environment's POD_IP, else 127.0.0.1.</summary>
    [Setting("IP-Adresse, unter der dieses Silo erreichbar ist; leer: POD_IP, sonst 127.0.0.1", "IP address under which this silo is reached; empty: POD_IP, else 127.0.0.1")]
    public string AdvertisedAddress { get; set; } = "";

    /// <summary>File with the platform's first admin key, such as a mounted secret; taken while the platform has no key. Default none.</summary>
    [Setting("Datei mit dem ersten Admin-Schlüssel der Plattform; gilt nur, solange sie keinen hat", "File with the platform's first admin key; counts only while it has none")]
    public string AdminKeyFile { get; set; } = "";

    /// <summary>Share of the processors that this silo uses, in percent, from which front-ends are refused until it is less. 50 to 100, default 95; 100: never.</summary>
    [Range(50, 100)]
    [Setting("Auslastung der Prozessoren durch dieses Silo in Prozent, ab der Front-Ends abgewiesen werden; 100: nie", "Use of the processors by this silo in percent from which front-ends are refused; 100: never")]
    public int ShedAtCpu { get; set; } = 95;

    /// <summary>Where the silo listens.</summary>
    /// <exception cref="StartException">It is no IP address.</exception>
    public IPAddress Address()
    {
        var given = AdvertisedAddress.Length > 0 ? AdvertisedAddress : Environment.GetEnvironmentVariable("POD_IP") is { Length: > 0 } pod ? pod : "127.0.0.1";
        if (IPAddress.TryParse(given, out var address) && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any)) return address;
        throw new StartException(new(
            $"Die Einstellung DataHub:Cluster:AdvertisedAddress hat den Wert „{given}“; erlaubt ist eine IP-Adresse dieses Rechners, unter der ihn die anderen Silos erreichen.",
            $"The setting DataHub:Cluster:AdvertisedAddress has the value “{given}”; allowed is an IP address of this machine under which the other silos reach it."));
    }
}
