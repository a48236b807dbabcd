namespace DataHub.Catalog;

/// <summary>
/// What may be done with a dataset, a dataspace or what belongs to them. Rights to metadata and rights to the rows are
/// separate; none includes another.
/// </summary>
[Flags]
public enum AccessRights
{
    None = 0,

    /// <summary>See that a dataset exists, its description and its contract.</summary>
    ReadMetadata = 1,

    /// <summary>Read rows, and values of indicators that are not open.</summary>
    ReadRows = 2,

    /// <summary>See receipts, quarantine and counts of pushes.</summary>
    ReadReceipts = 4,

    /// <summary>Push rows into feeds; replay and discard quarantined ones.</summary>
    Push = 8,

    /// <summary>Change title, description and licence.</summary>
    EditMetadata = 16,

    /// <summary>Change contracts, feeds and indicators.</summary>
    EditDefinitions = 32,

    /// <summary>Decide what is released, and to whom: access class and state.</summary>
    Release = 64,

    /// <summary>Erase rows.</summary>
    Erase = 128,

    /// <summary>Give and revoke roles, and decide which dataspace a dataset belongs to.</summary>
    Grant = 256,

    /// <summary>Make and revoke keys of an agency, and maintain its groups.</summary>
    ManageAgency = 512,

    /// <summary>Administer the platform.</summary>
    Administer = 1_024,
}
