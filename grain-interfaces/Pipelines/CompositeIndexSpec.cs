using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>
/// Ranks areas (or other things that have a key) by indices made of several indicators, in classes, and says how they moved
/// since the previous edition. Every number on the way is a column of the result.
/// </summary>
/// <remarks>
/// A row is ranked when no exclusion applies to it and it has a value for every indicator of every index. All others
/// count in no mean, deviation, rank or extreme; they stand in the result without values and with the reason.
/// </remarks>
/// <param name="Key">The column that tells rows apart: a text or an integer, never null, never twice.</param>
/// <param name="Indices">Each calculated for itself.</param>
[GenerateSerializer, Immutable, Alias("datahub.CompositeIndexSpec")]
public sealed record CompositeIndexSpec(string Id, LocalText Title, [property: Id(0)] string Key, [property: Id(1)] IndexSpec[] Indices) : RecipeSpec(Id, Title)
{
    /// <summary>Columns that go into the result as they are.</summary>
    [Id(2)] public string[] Carry { get; init; } = [];

    /// <summary>Which rows are not ranked; the first that applies gives the reason.</summary>
    [Id(3)] public ExclusionSpec[] Exclusions { get; init; } = [];

    /// <summary>Labels made of the classes of several indices.</summary>
    [Id(4)] public CrossClassSpec[] CrossClasses { get; init; } = [];
}
