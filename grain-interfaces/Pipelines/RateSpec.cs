using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>
/// Counts per so many inhabitants, per area and date. Columns of the result: area and date by their names, <c>count</c>,
/// <c>inhabitants</c>, <c>rate</c>, <c>city_rate</c> (all counts / all inhabitants of the areas that have a rate on that date), <c>ratio_to_city</c>, <c>rank</c> (1: highest;
/// equal rates share the lowest number), <c>previous_date</c>, <c>previous_rate</c>, <c>trend</c> (rate − previous rate), <c>state</c>.
/// </summary>
/// <param name="Area">A text or an integer.</param>
/// <param name="Date">A date.</param>
/// <param name="Count">A number or an integer, not negative; rows of one area and date are added up.</param>
/// <param name="Population">Who lives there.</param>
[GenerateSerializer, Immutable, Alias("datahub.RateSpec")]
public sealed record RateSpec(
    string Id, LocalText Title, [property: Id(0)] string Area, [property: Id(1)] string Date, [property: Id(2)] string Count,
    [property: Id(3)] PopulationColumns Population) : RecipeSpec(Id, Title)
{
    /// <summary>Rates are per so many inhabitants; above 0.</summary>
    [Id(4)] public double Per { get; init; } = 1_000;

    /// <summary>How values of areas of old are brought to those of today; null: areas stay as they are.</summary>
    [Id(5)] public AreaReform? Reform { get; init; }
}
