using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>Something that whoever reads a result should know: how many rows were left out and why, mean and deviation of an indicator.</summary>
/// <param name="Path">The member of the recipe that it is about; empty: the whole.</param>
/// <param name="Code">A stable word of <see cref="RecipeNotes"/>.</param>
/// <param name="Text">For people; numbers in the shortest form that reads back as the same double.</param>
[GenerateSerializer, Immutable, Alias("datahub.RecipeNote")]
public sealed record RecipeNote([property: Id(0)] string Path, [property: Id(1)] string Code, [property: Id(2)] LocalText Text);
