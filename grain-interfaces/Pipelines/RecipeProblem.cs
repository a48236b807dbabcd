using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>One thing that is wrong with a recipe or with the tables given to it.</summary>
/// <param name="Path">The member meant, such as <c>indices[0].classes[2].below</c>; empty: the whole recipe.</param>
/// <param name="Code">A stable word of <see cref="RecipeCodes"/>.</param>
/// <param name="Detail">What is wrong and what to do.</param>
[GenerateSerializer, Immutable, Alias("datahub.RecipeProblem")]
public sealed record RecipeProblem([property: Id(0)] string Path, [property: Id(1)] string Code, [property: Id(2)] LocalText Detail);
