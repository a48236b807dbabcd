using System.ComponentModel.DataAnnotations;

namespace DataHub.Catalog;

/// <summary>How a front-end takes and keeps area systems. Section <c>DataHub:Areas</c>.</summary>
internal sealed class AreaOptions
{
    public const string Section = "DataHub:Areas";

    /// <summary>Versions of area systems kept ready for locating rows. 1 to 1,000, default 16.</summary>
    [Range(1, 1_000)]
    [Setting("Fassungen von Gebietssystemen, die zum Zuordnen von Zeilen bereitstehen", "Versions of area systems kept ready for locating rows")]
    public int CachedSystems { get; set; } = 16;

    /// <summary>Bytes of rendered CSV and GeoJSON that are kept. 0 to 1 GiB, default 64 MiB.</summary>
    [Range(0, 1_073_741_824)]
    [Setting("Fertig geschriebene Gebietslisten (CSV, GeoJSON) im Speicher, in Byte", "Rendered area lists (CSV, GeoJSON) kept in memory, in bytes")]
    public int CachedBytes { get; set; } = 67_108_864;

    /// <summary>Largest body of an area system. 1 KiB to 256 MiB, default 64 MiB.</summary>
    [Range(1_024, 268_435_456)]
    [Setting("Größter Inhalt eines Gebietssystems in Byte", "Largest body of an area system in bytes")]
    public int MaxBodyBytes { get; set; } = 67_108_864;
}
