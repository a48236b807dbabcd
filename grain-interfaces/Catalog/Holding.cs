namespace DataHub.Catalog;

/// <summary>What decides who may do what with an object, beside who asks.</summary>
/// <param name="Dataset">Its id; null where the object is a dataspace or an agency.</param>
/// <param name="Dataspace">The dataspace it belongs to or is; null: none, then only keys reach it.</param>
/// <param name="Publisher">The agency whose keys act for it: publisher of a dataset, owner of a dataspace.</param>
/// <param name="Access">Of its rows or values.</param>
/// <param name="State">Nothing is open before it is available.</param>
[GenerateSerializer, Immutable, Alias("datahub.Holding")]
public sealed record Holding(
    [property: Id(0)] string? Dataset,
    [property: Id(1)] string? Dataspace,
    [property: Id(2)] string Publisher,
    [property: Id(3)] AccessClass Access,
    [property: Id(4)] ReleaseState State = ReleaseState.Available)
{
    /// <summary>An agency, with its keys and groups.</summary>
    public static Holding OfAgency(string agency) => new(null, null, agency, AccessClass.Internal);
}
