namespace DataHub.Catalog;

/// <summary>An area system as it was read from a body, not yet checked as a tree.</summary>
/// <param name="Title">From the body, or null.</param>
/// <param name="Areas">In the body's order; one per id for GeoJSON.</param>
/// <param name="Repaired">What was put right in the polygons.</param>
/// <param name="Merged">Ids that stood in several features, whose parts are now one geometry.</param>
internal sealed record AreaImport(LocalText? Title, IReadOnlyList<Area> Areas, IReadOnlyList<RepairedArea> Repaired, IReadOnlyList<string> Merged)
{
    /// <summary>What the areas of each level are called, coarsest first; null where the body does not say.</summary>
    public LocalText[]? LevelTitles { get; init; }
}

/// <summary>A polygon that was not valid and was put right.</summary>
/// <param name="Id">Id of the area.</param>
/// <param name="Problem">What was wrong, such as <c>self-intersection</c>, <c>ring-not-closed</c>, <c>too-few-points</c>.</param>
/// <param name="At">Longitude and latitude of the place.</param>
internal sealed record RepairedArea(string Id, string Problem, double[]? At);

/// <summary>A body that cannot be read as an area system.</summary>
/// <param name="type">Which problem it is.</param>
/// <param name="detail">What is wrong where.</param>
internal sealed class AreaImportException(ProblemType type, LocalText detail) : Exception(detail.In(Language.English))
{
    public ProblemType Type => type;

    public LocalText Detail => detail;
}
