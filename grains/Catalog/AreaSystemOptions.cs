using System.ComponentModel.DataAnnotations;

namespace DataHub.Catalog;

/// <summary>What one area system may hold. Section <c>DataHub:AreaSystems</c>.</summary>
internal sealed class AreaSystemOptions
{
    public const string Section = "DataHub:AreaSystems";

    /// <summary>Areas of one system. 1 to 100,000, default 100,000.</summary>
    [Range(1, 100_000)]
    [Setting("Gebiete je Gebietssystem", "Areas per area system")]
    public int MaxAreas { get; set; } = 100_000;

    /// <summary>Bytes of one version: polygons and texts. 1 KiB to 64 MiB, default 16 MiB.</summary>
    [Range(1_024, 67_108_864)]
    [Setting("Größte Fassung eines Gebietssystems (Polygone und Texte) in Byte", "Largest version of an area system (polygons and texts) in bytes")]
    public int MaxBytes { get; set; } = 16_777_216;

    /// <summary>Versions kept of one system, the present one included. 1 to 1,000, default 20; the oldest go first.</summary>
    [Range(1, 1_000)]
    [Setting("Aufbewahrte Fassungen je Gebietssystem, die gegenwärtige eingeschlossen", "Versions kept per area system, the present one included")]
    public int KeptVersions { get; set; } = 20;

    /// <summary>Bytes of all kept versions of one system together. 1 KiB to 256 MiB, default 32 MiB; the oldest go first, the present one never.</summary>
    [Range(1_024, 268_435_456)]
    [Setting("Bytes aller aufbewahrten Fassungen eines Gebietssystems; die ältesten gehen zuerst", "Bytes of all kept versions of an area system; the oldest go first")]
    public int KeptBytes { get; set; } = 33_554_432;
}
