namespace DataHub.Pipelines;

/// <summary>Columns of a table of inhabitants. A row holds from its date until the area's next one.</summary>
/// <param name="Area">Of the type of the counts' area.</param>
/// <param name="From">A date: the first day on which the number holds.</param>
/// <param name="Inhabitants">A number or an integer, not negative, not null.</param>
[GenerateSerializer, Immutable, Alias("datahub.PopulationColumns")]
public sealed record PopulationColumns([property: Id(0)] string Area, [property: Id(1)] string From, [property: Id(2)] string Inhabitants);
