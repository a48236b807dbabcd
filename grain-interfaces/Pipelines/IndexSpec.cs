using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>
/// One index: its indicators made comparable, put together, made comparable again, and cut into classes. Columns of the result:
/// <c>{id}_{column}_z</c> per indicator, <c>{id}_sum</c>, <c>{id}_value</c>, and with classes <c>{id}_class</c> and <c>{id}_class_name</c> (German).
/// </summary>
/// <param name="Id">A lower-case letter, then lower-case letters, digits and underscores.</param>
/// <param name="Name">For people.</param>
/// <param name="Indicators">1 to <see cref="RecipeLimits.Indicators"/>, each column once.</param>
[GenerateSerializer, Immutable, Alias("datahub.IndexSpec")]
public sealed record IndexSpec([property: Id(0)] string Id, [property: Id(1)] LocalText Name, [property: Id(2)] IndexIndicator[] Indicators)
{
    /// <summary>Of each indicator, over the ranked rows.</summary>
    [Id(3)] public Standardisation Standardisation { get; init; } = Standardisation.ZScorePopulation;

    /// <summary>How the standardised indicators become one number.</summary>
    [Id(4)] public Combination Combine { get; init; } = Combination.Sum;

    /// <summary>Of that number, over the ranked rows.</summary>
    [Id(5)] public Standardisation Restandardise { get; init; } = Standardisation.None;

    /// <summary>From the lowest values to the highest; empty: only the value.</summary>
    [Id(6)] public IndexClass[] Classes { get; init; } = [];
}
