namespace DataHub.Catalog;

/// <summary>Where a dataset stands in its life. Only what is available is open to anybody without a right to it.</summary>
public enum ReleaseState
{
    /// <summary>AVAILABLE: released; what its access class says holds.</summary>
    Available = 0,

    /// <summary>DRAFT: being described; rows may come already.</summary>
    Draft = 1,

    /// <summary>READY: complete, and waits for its release.</summary>
    Ready = 2,

    /// <summary>RETIRED: takes no rows any more, and is read by those who hold a right to it.</summary>
    Retired = 3,
}
