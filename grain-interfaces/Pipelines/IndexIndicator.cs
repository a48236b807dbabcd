namespace DataHub.Pipelines;

/// <summary>A column that counts in an index.</summary>
/// <param name="Column">A number or an integer.</param>
[GenerateSerializer, Immutable, Alias("datahub.IndexIndicator")]
public sealed record IndexIndicator([property: Id(0)] string Column)
{
    /// <summary>Whether greater values raise the index or lower it.</summary>
    [Id(1)] public IndicatorDirection Direction { get; init; }

    /// <summary>How much it counts: above 0 and at most <see cref="RecipeLimits.GreatestWeight"/>.</summary>
    [Id(2)] public double Weight { get; init; } = 1;
}
