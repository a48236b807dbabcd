namespace DataHub.Pipelines;

/// <summary>What one index gives to a cross class.</summary>
/// <param name="Index">Id of an index with classes.</param>
[GenerateSerializer, Immutable, Alias("datahub.CrossPart")]
public sealed record CrossPart([property: Id(0)] string Index)
{
    /// <summary>Stands before it.</summary>
    [Id(1)] public string Before { get; init; } = "";

    /// <summary>What stands for each class, in the order of the index's classes; empty: its label.</summary>
    [Id(2)] public string[] Texts { get; init; } = [];
}
