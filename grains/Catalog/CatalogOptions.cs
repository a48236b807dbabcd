using System.ComponentModel.DataAnnotations;

namespace DataHub.Catalog;

/// <summary>Limits of the catalogue. Section <c>DataHub:Catalog</c>.</summary>
internal sealed class CatalogOptions
{
    public const string Section = "DataHub:Catalog";

    /// <summary>Living API keys of one agency. 1 to 1,000, default 100. As many revoked ones are remembered.</summary>
    [Range(1, 1_000)]
    [Setting("Gültige Schlüssel je Behörde", "Living keys per agency")]
    public int MaxKeys { get; set; } = 100;

    /// <summary>Feeds of one dataset. 1 to 1,000, default 100.</summary>
    [Range(1, 1_000)]
    [Setting("Datenquellen je Datensatz", "Feeds per dataset")]
    public int MaxFeeds { get; set; } = 100;

    /// <summary>Indicators defined on one dataset. 1 to 1,000, default 100.</summary>
    [Range(1, 1_000)]
    [Setting("Indikatoren je Datensatz", "Indicators per dataset")]
    public int MaxIndicators { get; set; } = 100;

    /// <summary>Contract versions of one dataset. 1 to 10,000, default 1,000.</summary>
    [Range(1, 10_000)]
    [Setting("Fassungen des Vertrags je Datensatz", "Contract versions per dataset")]
    public int MaxContractVersions { get; set; } = 1_000;

    /// <summary>Roles given in one dataspace. 1 to 10,000, default 1,000. As many that are over are remembered.</summary>
    [Range(1, 10_000)]
    [Setting("Vergebene Rollen je Datenraum", "Roles given in one dataspace")]
    public int MaxGrants { get; set; } = 1_000;

    /// <summary>Members of one group. 1 to 10,000, default 1,000.</summary>
    [Range(1, 10_000)]
    [Setting("Mitglieder je Gruppe", "Members of one group")]
    public int MaxMembers { get; set; } = 1_000;

    /// <summary>Dataspaces in which one group holds roles. 1 to 1,000, default 100.</summary>
    [Range(1, 1_000)]
    [Setting("Datenräume, in denen eine Gruppe Rollen hat", "Dataspaces in which one group holds roles")]
    public int MaxGroupDataspaces { get; set; } = 100;

    /// <summary>Groups of one person that count. 1 to 1,000, default 100.</summary>
    [Range(1, 1_000)]
    [Setting("Gruppen, die je Person zählen", "Groups of one person that count")]
    public int MaxPersonGroups { get; set; } = 100;

    /// <summary>Roles of one person that count. 1 to 10,000, default 1,000.</summary>
    [Range(1, 10_000)]
    [Setting("Rollen, die je Person zählen", "Roles of one person that count")]
    public int MaxHeldGrants { get; set; } = 1_000;

    /// <summary>Entries of one list (agencies, datasets, indicators, area systems). 1 to 1,000,000, default 100,000.</summary>
    [Range(1, 1_000_000)]
    [Setting("Einträge je Verzeichnis (Behörden, Datensätze, Indikatoren, Gebietssysteme)", "Entries per list (agencies, datasets, indicators, area systems)")]
    public int MaxEntries { get; set; } = 100_000;
}
