namespace DataHub.Pipelines;

/// <summary>A label made of the classes of several indices, one behind the other: status 2 and dynamics 5 as <c>2-</c>.</summary>
/// <param name="Id">Name of its column in the result; written as ids of indices.</param>
/// <param name="Parts">Two to <see cref="RecipeLimits.CrossParts"/>, in order.</param>
[GenerateSerializer, Immutable, Alias("datahub.CrossClassSpec")]
public sealed record CrossClassSpec([property: Id(0)] string Id, [property: Id(1)] CrossPart[] Parts);
