namespace DataHub.Catalog;

/// <summary>What is stored of an area system.</summary>
/// <param name="Versions">By version, ascending; the last is the present one. Older ones go when limits are reached.</param>
[GenerateSerializer, Immutable, Alias("datahub.AreaSystemState")]
public sealed record AreaSystemState([property: Id(0)] AreaSystem[] Versions)
{
    public AreaSystemState() : this([]) { }

    /// <summary>Null where nothing was put yet.</summary>
    public AreaSystem? Present => Versions is [.., var last] ? last : null;
}

/// <summary>Who resolves rows with an area system, stored beside it so that noting a dataset does not write polygons.</summary>
/// <param name="Datasets">Ids, ordinal order.</param>
[GenerateSerializer, Immutable, Alias("datahub.AreaDependents")]
public sealed record AreaDependents([property: Id(0)] string[] Datasets)
{
    public AreaDependents() : this([]) { }
}
