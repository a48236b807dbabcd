using System.ComponentModel.DataAnnotations;

namespace DataHub.Hosting;

/// <summary>The process. Section <c>DataHub:Host</c>.</summary>
internal class HostSettings
{
    public const string Section = "DataHub:Host";

    /// <summary>How long a stop may take in all: requests under way end, folds are stored. 1 s to 10 min, default 20 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    [Setting("Längste Dauer eines geordneten Endes", "Longest time an orderly stop may take")]
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How long the hub says that it is not ready before it stops taking connections, so that load balancers notice. 0 to 5 min, default 0.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    [Setting("Frist zwischen „nicht bereit“ und dem Ende der Annahme", "Time between “not ready” and the end of intake")]
    public TimeSpan DrainDelay { get; set; } = TimeSpan.Zero;

    /// <summary>Connections to the front-end at once. 1 to 1,000,000, default 10,000.</summary>
    [Range(1, 1_000_000)]
    [Setting("Gleichzeitige Verbindungen", "Connections at once")]
    public int MaxConnections { get; set; } = 10_000;
}
