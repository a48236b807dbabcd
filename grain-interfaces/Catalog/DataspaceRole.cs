namespace DataHub.Catalog;

/// <summary>
/// A role in a dataspace, in the words that Berlin's administration uses. Roles do not include one another: whoever
/// needs two is given two.
/// </summary>
public enum DataspaceRole
{
    None = 0,

    /// <summary>Lesen: reads descriptions and rows.</summary>
    Reader = 1,

    /// <summary>Redaktion: maintains descriptions, without seeing rows.</summary>
    Editor = 2,

    /// <summary>Entwicklung: builds feeds, contracts, indicators and pipelines.</summary>
    Developer = 3,

    /// <summary>Koordination: owns the dataspace, decides releases and sharing.</summary>
    Coordinator = 4,

    /// <summary>Freigabe: releases; beside another person where personal data is involved.</summary>
    Releaser = 5,

    /// <summary>Plattformverwaltung: everything, everywhere. Given in the dataspace <see cref="Dataspaces.Platform"/> only.</summary>
    Administrator = 6,
}

/// <summary>Ids of dataspaces with a meaning of their own.</summary>
public static class Dataspaces
{
    /// <summary>The hub itself: whoever administers the platform holds a role here. It holds no datasets.</summary>
    public const string Platform = "platform";
}
