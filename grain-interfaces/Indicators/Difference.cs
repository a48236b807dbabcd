using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Indicators;

/// <summary>Asks what moved the values of a selection between two moments.</summary>
/// <param name="Selection">Which values: time range, level, area, whole, definition; its <see cref="ValuesQuery.AsOf"/> is the later moment, null: now.</param>
/// <param name="Since">The earlier moment.</param>
/// <param name="Dimensions">Only cells with these values; each a dimension of the definition.</param>
/// <param name="After">Continue after this row of this cell; who may not see rows continues after cells.</param>
/// <param name="Limit">Rows of the page, 1 to 1,000; a row counts in each cell that it moved, and a cell without rows as one.</param>
[GenerateSerializer, Immutable, Alias("datahub.DiffQuery")]
public sealed record DiffQuery(
    [property: Id(0)] ValuesQuery Selection,
    [property: Id(1)] Moment Since,
    [property: Id(2)] DimensionValue[] Dimensions,
    [property: Id(3)] DiffCursor? After,
    [property: Id(4)] int Limit);

/// <param name="Cell">Window, area and dimensions as in a values' cursor.</param>
[GenerateSerializer, Immutable, Alias("datahub.DiffCursor")]
public sealed record DiffCursor([property: Id(0)] ValuesCursor Cell, [property: Id(1)] RowCursor Row);

/// <param name="Parameter">As <see cref="ExplainResult.Parameter"/>.</param>
[GenerateSerializer, Immutable, Alias("datahub.DiffResult")]
public sealed record DiffResult(
    [property: Id(0)] ReadRefusal Refusal, [property: Id(1)] DiffPage? Page, [property: Id(2)] LocalText? Detail, [property: Id(3)] string? Parameter = null)
{
    /// <summary>As <see cref="ValuesResult.RetryAfter"/>.</summary>
    [Id(4)] public TimeSpan RetryAfter { get; init; }
}

/// <param name="Indicator">With the version of the definition and of the area system that answered.</param>
/// <param name="Since">Watermark of the earlier moment.</param>
/// <param name="Until">Watermark of the later moment.</param>
/// <param name="Cells">By window, area, dimensions. A cell whose rows are on several pages stands on each of them.</param>
/// <param name="Rows">All rows that the cells name; null where this caller may not see rows.</param>
/// <param name="Next">Where the page ends, if there is more.</param>
[GenerateSerializer, Immutable, Alias("datahub.DiffPage")]
public sealed record DiffPage(
    [property: Id(0)] IndicatorInfo Indicator,
    [property: Id(1)] string Since,
    [property: Id(2)] string Until,
    [property: Id(3)] DiffCell[] Cells,
    [property: Id(4)] ToldRows? Rows,
    [property: Id(5)] DiffCursor? Next);

/// <summary>A cell that rows moved in; of a formula also one whose value became another by what moved elsewhere.</summary>
/// <param name="Before">As the values had it at the earlier moment; null where no row was in it.</param>
/// <param name="After">As the values had it at the later moment; null where no row was in it.</param>
/// <param name="Moved">Rows that moved it, on all pages; null where either value, or one that a formula made it of, is suppressed for this caller.</param>
/// <param name="Rows">Those of this page, as places in <see cref="ToldRows.Rows"/>; empty where this caller may not see them.</param>
[GenerateSerializer, Immutable, Alias("datahub.DiffCell")]
public sealed record DiffCell(
    [property: Id(0)] IndicatorValue? Before,
    [property: Id(1)] IndicatorValue? After,
    [property: Id(2)] int? Moved,
    [property: Id(3)] int[] Rows)
{
    /// <summary>Of a formula, for each of <see cref="Rows"/>: the inputs that it came through, as places in the definition's inputs.</summary>
    [Id(4)] public int[][]? Through { get; init; }
}
