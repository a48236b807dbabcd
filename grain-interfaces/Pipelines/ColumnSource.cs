namespace DataHub.Pipelines;

/// <summary>A column of a table that another column is computed from.</summary>
/// <param name="Table">Id of the step that made it.</param>
[GenerateSerializer, Immutable, Alias("datahub.ColumnSource")]
public sealed record ColumnSource([property: Id(0)] string Table, [property: Id(1)] string Column);
