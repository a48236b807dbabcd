using System.ComponentModel.DataAnnotations;

namespace DataHub.Indicators;

/// <summary>Live changes to viewers. Section <c>DataHub:Changes</c>.</summary>
internal sealed class ChangesOptions
{
    public const string Section = "DataHub:Changes";

    /// <summary>A viewer to whom nothing was sent for so long gets a sign of life. 1 s to 5 min, default 15 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    [Setting("Abstand der Lebenszeichen an Zuschauer", "Period of signs of life to viewers")]
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Changes of one selection are sent at most this often; those between are merged. 0 to 10 s, default 100 ms.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:10", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    [Setting("Kürzester Abstand zweier Änderungen an Zuschauer", "Shortest time between two changes sent to viewers")]
    public TimeSpan Period { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>After how long viewers that lost the connection come back; told to them. 100 ms to 5 min, default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:05:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    [Setting("Wartezeit der Zuschauer vor dem Wiederverbinden", "Time after which viewers reconnect")]
    public TimeSpan Retry { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>A viewer that takes nothing for so long is disconnected; it may resume. 1 s to 10 min, default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    [Setting("Frist, nach der ein Zuschauer getrennt wird, der nichts abnimmt", "Time after which a viewer that takes nothing is disconnected")]
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a selection that nobody watches is kept for those who come back. 0 to 1 h, default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    [Setting("Wie lange eine Auswahl ohne Zuschauer bereitgehalten wird", "How long a selection without viewers is kept")]
    public TimeSpan Linger { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Viewers of this front-end at once; beyond it 503. 1 to 1,000,000, default 8,000 (below DataHub:Host:MaxConnections, so that others get through).</summary>
    [Range(1, 1_000_000)]
    [Setting("Zuschauer von Änderungen zugleich", "Viewers of changes at once")]
    public int MaxViewers { get; set; } = 8_000;

    /// <summary>Of these, viewers of one indicator; beyond it 429. 1 to 1,000,000, default 4,000.</summary>
    [Range(1, 1_000_000)]
    [Setting("Zuschauer eines Indikators zugleich", "Viewers of one indicator at once")]
    public int MaxViewersPerIndicator { get; set; } = 4_000;

    /// <summary>Rows that one selection may have; beyond it 422. 1 to 1,000,000, default 10,000.</summary>
    [Range(1, 1_000_000)]
    [Setting("Werte, die eine beobachtete Auswahl haben darf", "Values that a watched selection may have")]
    public int MaxRows { get; set; } = 10_000;

    /// <summary>Rows of all selections that this front-end keeps, about 200 bytes each; beyond it no further selections, 503. 1,000 to 100,000,000, default 1,000,000.</summary>
    [Range(1_000, 100_000_000)]
    [Setting("Werte aller beobachteten Auswahlen, die im Speicher bleiben", "Values of all watched selections kept in memory")]
    public int MaxKeptRows { get; set; } = 1_000_000;

    /// <summary>Rows of one event; more come in several parts. 1 to 10,000, default 500.</summary>
    [Range(1, 10_000)]
    [Setting("Werte je Ereignis", "Values per event")]
    public int RowsPerEvent { get; set; } = 500;
}
