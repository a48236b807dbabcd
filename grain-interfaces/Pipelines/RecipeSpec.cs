using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>
/// A method written down as data: which columns are read, what is calculated of them, and what the figures are called.
/// As JSON: <see cref="RecipeJson"/>. Limits: <see cref="RecipeLimits"/>.
/// </summary>
/// <param name="Id">A lower-case letter, then lower-case letters, digits, hyphens and underscores.</param>
/// <param name="Title">For people.</param>
[GenerateSerializer, Immutable, Alias("datahub.RecipeSpec")]
public abstract record RecipeSpec([property: Id(0)] string Id, [property: Id(1)] LocalText Title)
{
    /// <summary>Where the method is described, in words or as an address; null: not said.</summary>
    [Id(2)] public string? Source { get; init; }
}
