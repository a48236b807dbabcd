using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>What differs between the tables that one step made in two runs.</summary>
/// <param name="Key">Columns that make out a row.</param>
/// <param name="Same">Rows that both have alike, in the columns that both have.</param>
/// <param name="Changed">Rows that both have, not alike.</param>
/// <param name="Removed">Rows that only the earlier one has.</param>
/// <param name="Added">Rows that only the later one has.</param>
/// <param name="Columns">How many cells differ, by column; those without a difference are left out.</param>
/// <param name="Cells">The first ones that differ, by key, at most 1,000.</param>
[GenerateSerializer, Immutable, Alias("datahub.RunDifferences")]
public sealed record RunDifferences(
    [property: Id(0)] string[] Key, [property: Id(1)] long Same, [property: Id(2)] long Changed, [property: Id(3)] long Removed, [property: Id(4)] long Added,
    [property: Id(5)] ColumnChange[] Columns, [property: Id(6)] CellChange[] Cells)
{
    /// <summary>Columns that only the earlier table has.</summary>
    [Id(7)] public string[] ColumnsOnlyBefore { get; init; } = [];

    /// <summary>Columns that only the later table has.</summary>
    [Id(8)] public string[] ColumnsOnlyAfter { get; init; } = [];
}

[GenerateSerializer, Immutable, Alias("datahub.ColumnChange")]
public sealed record ColumnChange([property: Id(0)] string Column, [property: Id(1)] long Cells);

/// <param name="Row">Values of its key, as text.</param>
/// <param name="Before">Null: no value.</param>
/// <param name="After">Null: no value.</param>
[GenerateSerializer, Immutable, Alias("datahub.CellChange")]
public sealed record CellChange([property: Id(0)] string Row, [property: Id(1)] string Column, [property: Id(2)] string? Before, [property: Id(3)] string? After);

/// <summary>Which runs are compared, and how.</summary>
/// <param name="With">The earlier run; null: the one that it repeats or shadows.</param>
/// <param name="Step">Whose tables they are; null: the one that is written first.</param>
/// <param name="Key">Null: the primary key of the dataset that the step's table is written into.</param>
[GenerateSerializer, Immutable, Alias("datahub.DifferenceQuery")]
public sealed record DifferenceQuery([property: Id(0)] string? With, [property: Id(1)] string? Step, [property: Id(2)] string[]? Key);

[GenerateSerializer, Immutable, Alias("datahub.DifferenceResult")]
public sealed record DifferenceResult([property: Id(0)] CatalogRefusal Refusal, [property: Id(1)] LocalText? Detail)
{
    [Id(2)] public string? With { get; init; }

    [Id(3)] public string? Step { get; init; }

    [Id(4)] public RunDifferences? Differences { get; init; }
}
