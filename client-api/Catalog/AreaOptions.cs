using System.ComponentModel.DataAnnotations;

namespace DataHub.Catalog;

/// <summary>Section <c>DataHub:Areas</c>.</summary>
public sealed class AreaOptions
{
    public const string Section = "DataHub:Areas";

    /// <summary>How many versions of area systems a front-end keeps ready for locating rows, 1 to 1,000; default 16.</summary>
    [Range(1, 1_000)]
    public int CachedSystems { get; set; } = 16;

    /// <summary>How many bytes of rendered area lists, CSV and GeoJSON a front-end keeps, 0 to 1 GiB; default 64 MiB.</summary>
    [Range(0, 1L << 30)]
    public long CachedBytes { get; set; } = 64L << 20;

    /// <summary>Largest body of an area system that is taken, in bytes, 1 KiB to 256 MiB; default 64 MiB.</summary>
    [Range(1 << 10, 256L << 20)]
    public long MaxBodyBytes { get; set; } = 64L << 20;
}
