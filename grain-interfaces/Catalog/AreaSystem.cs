namespace DataHub.Catalog;

/// <summary>A tree of areas with optional polygons and populations, in one version (design §5, "Areas").</summary>
/// <param name="Id">Id of the system, such as <c>lor-2021</c>.</param>
/// <param name="Version">1 for the first; raised by one with every change.</param>
/// <param name="Areas">Sorted by id (ordinal). An area's place is its index within this version.</param>
[GenerateSerializer, Immutable, Alias("datahub.AreaSystem")]
public sealed record AreaSystem(
    [property: Id(0)] string Id,
    [property: Id(1)] int Version,
    [property: Id(2)] Area[] Areas)
{
    [Id(3)] public LocalText? Title { get; init; }

    /// <summary>What the areas of each level are called, coarsest first (Bezirke, Prognoseräume, …); null where nobody said.</summary>
    [Id(4)] public LocalText[]? LevelTitles { get; init; }

    /// <summary>What the areas of a level are called; null where nobody said.</summary>
    public LocalText? LevelTitle(int level) => LevelTitles is { } titles && level >= 0 && level < titles.Length ? titles[level] : null;
}

/// <param name="Id">Unique in the system.</param>
/// <param name="Parent">Id of the area one level up; null at level 0.</param>
/// <param name="Name">For people.</param>
/// <param name="Level">0 is the coarsest.</param>
/// <param name="Population">Inhabitants, or null where unknown.</param>
/// <param name="Geometry">Polygon or multipolygon as ISO WKB, WGS 84 longitude/latitude; null where none.</param>
[GenerateSerializer, Immutable, Alias("datahub.Area")]
public sealed record Area(
    [property: Id(0)] string Id,
    [property: Id(1)] string? Parent,
    [property: Id(2)] string Name,
    [property: Id(3)] int Level,
    [property: Id(4)] long? Population,
    [property: Id(5)] byte[]? Geometry);
