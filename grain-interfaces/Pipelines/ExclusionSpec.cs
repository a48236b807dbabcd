using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>A row to which this applies is not ranked. Exactly one of the three conditions is said.</summary>
/// <param name="Column">A text, number, integer or boolean; where only <see cref="IsNull"/> is asked, any.</param>
/// <param name="Reason">Why, for people.</param>
[GenerateSerializer, Immutable, Alias("datahub.ExclusionSpec")]
public sealed record ExclusionSpec([property: Id(0)] string Column, [property: Id(1)] LocalText Reason)
{
    /// <summary>Applies where the column has this value: texts by their characters, numbers by their value, <c>true</c> or <c>false</c>.</summary>
    [Id(2)] public string? EqualTo { get; init; }

    /// <summary>Applies where the column has another value than this, or none.</summary>
    [Id(3)] public string? NotEqualTo { get; init; }

    /// <summary>Applies where the column is null.</summary>
    [Id(4)] public bool IsNull { get; init; }
}
