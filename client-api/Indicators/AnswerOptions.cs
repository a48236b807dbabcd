using System.ComponentModel.DataAnnotations;

namespace DataHub.Indicators;

/// <summary>Limits of rendered answers. Section <c>DataHub:Answer</c>.</summary>
internal sealed class AnswerOptions
{
    public const string Section = "DataHub:Answer";

    /// <summary>Bytes of rendered indicator answers that a front-end keeps; 0 keeps none. 0 to 16 GiB, default 64 MiB.</summary>
    [Range(0L, 17_179_869_184L)]
    [Setting("Fertige Antworten von Indikatoren, die im Speicher bleiben, in Byte", "Rendered answers of indicators kept in memory, in bytes")]
    public long CachedBytes { get; set; } = 67_108_864;

    /// <summary>Polls of an open indicator in a second from which this front-end holds a lease on it (DataHub:Indicator:Lease) and repeats answers without asking. 0: never. 0 to 1,000,000, default 8.</summary>
    [Range(0, 1_000_000)]
    [Setting("Abfragen eines offenen Indikators je Sekunde, ab denen seine Antworten ohne Rückfrage wiederholt werden; 0: nie", "Polls of an open indicator per second from which its answers are repeated without asking; 0: never")]
    public int LeaseFrom { get; set; } = 8;

    /// <summary>Largest answer in GeoJSON, where the same polygon stands in every row of its area. 64 KiB to 1 GiB, default 64 MiB.</summary>
    [Range(65_536L, 1_073_741_824L)]
    [Setting("Größte Antwort in GeoJSON, in Byte", "Largest answer in GeoJSON, in bytes")]
    public long GeoJsonBytes { get; set; } = 67_108_864;

    /// <summary>Indicators that one call may ask for together. 1 to 100, default 20.</summary>
    [Range(1, 100)]
    [Setting("Indikatoren, die ein Aufruf zusammen abfragen darf", "Indicators that one call may ask for together")]
    public int MaxIndicators { get; set; } = 20;
}
