using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Indicators;

/// <summary>Asks where one number comes from.</summary>
/// <param name="Cell">
/// Names the number: the window that contains <see cref="ValuesQuery.From"/>; one area rolled up as <see cref="ValuesQuery.Area"/>
/// and <see cref="ValuesQuery.Level"/> say, the whole, or neither for the rows without an area; and the moment.
/// </param>
/// <param name="Dimensions">One value (null too) for each dimension of the definition, in any order.</param>
/// <param name="After">Continue after this row.</param>
/// <param name="Limit">Rows of the page, 1 to 10,000.</param>
[GenerateSerializer, Immutable, Alias("datahub.ExplainQuery")]
public sealed record ExplainQuery(
    [property: Id(0)] ValuesQuery Cell,
    [property: Id(1)] DimensionValue[] Dimensions,
    [property: Id(2)] RowCursor? After,
    [property: Id(3)] int Limit)
{
    /// <summary>Earlier versions told of each row, the newest ones.</summary>
    public const int MaxCorrections = 20;
}

[GenerateSerializer, Immutable, Alias("datahub.DimensionValue")]
public readonly record struct DimensionValue([property: Id(0)] string Field, [property: Id(1)] string? Value);

/// <param name="Parameter">With <see cref="ReadRefusal.Invalid"/>: which parameter is wrong, where it is one.</param>
[GenerateSerializer, Immutable, Alias("datahub.ExplainResult")]
public sealed record ExplainResult(
    [property: Id(0)] ReadRefusal Refusal, [property: Id(1)] ExplainPage? Page, [property: Id(2)] LocalText? Detail, [property: Id(3)] string? Parameter = null)
{
    /// <summary>As <see cref="ValuesResult.RetryAfter"/>.</summary>
    [Id(4)] public TimeSpan RetryAfter { get; init; }
}

/// <summary>One number and what it was made of.</summary>
/// <param name="Indicator">With the version of the definition and of the area system that answered.</param>
/// <param name="Value">As the values have it at the same watermark; where no row is in the cell, without value and with count 0.</param>
/// <param name="Recomputed">
/// The value folded again from exactly the rows of all pages, for a formula evaluated again from inputs so folded; null where suppressed for this caller.
/// </param>
/// <param name="RowCount">Rows of all pages; null where suppressed for this caller, and for a formula, whose inputs tell theirs.</param>
/// <param name="Watermark">As of which all of this is; with the definition's version it gives the same answer again.</param>
/// <param name="AsOf">When the newest batch in it was received; <see cref="DateTimeOffset.MinValue"/> where there is none.</param>
/// <param name="Sources">Per feed how many of the rows it brought with how many pushes; empty where suppressed for this caller.</param>
/// <param name="Rows">The page's rows by time then key, and in which contract; null where this caller may not see rows, and for a formula.</param>
/// <param name="Next">The page's last row where there are more.</param>
[GenerateSerializer, Immutable, Alias("datahub.ExplainPage")]
public sealed record ExplainPage(
    [property: Id(0)] IndicatorInfo Indicator,
    [property: Id(1)] IndicatorValue Value,
    [property: Id(2)] double? Recomputed,
    [property: Id(3)] long? RowCount,
    [property: Id(4)] string Watermark,
    [property: Id(5)] DateTimeOffset AsOf,
    [property: Id(6)] RowSource[] Sources,
    [property: Id(7)] ToldRows? Rows,
    [property: Id(8)] RowCursor? Next)
{
    /// <summary>The runs of pipelines that brought rows, of all pages, newest first; told where <see cref="Sources"/> are. Who may know of each run its own grain says.</summary>
    [Id(9)] public RowRun[] Runs { get; init; } = [];

    /// <summary>So many pushes were asked for their runs as are asked at most; older ones were not.</summary>
    [Id(10)] public bool AreRunsPartial { get; init; }
}

/// <summary>What a step of a run brought.</summary>
/// <param name="Rows">That went into the number.</param>
/// <param name="Receipt">Of its push.</param>
[GenerateSerializer, Immutable, Alias("datahub.RowRun")]
public sealed record RowRun([property: Id(0)] Pipelines.RunStep By, [property: Id(1)] long Rows, [property: Id(2)] string Receipt);

/// <param name="Feed">Null for rows that came by no push.</param>
[GenerateSerializer, Immutable, Alias("datahub.RowSource")]
public readonly record struct RowSource([property: Id(0)] string? Feed, [property: Id(1)] long Rows, [property: Id(2)] int Receipts);

/// <summary>Versions of rows as they are told: without personal fields, each with the push it came by.</summary>
/// <param name="Schema">The contract in whose layout <paramref name="Block"/> lies; personal fields are empty in it.</param>
/// <param name="Block">All versions, one row each.</param>
/// <param name="Pushes">For each row of <paramref name="Block"/>.</param>
/// <param name="Rows">What is told, as places in <paramref name="Block"/>.</param>
[GenerateSerializer, Immutable, Alias("datahub.ToldRows")]
public sealed record ToldRows(
    [property: Id(0)] TableSchema Schema,
    [property: Id(1)] RowBlock Block,
    [property: Id(2)] VersionSource[] Pushes,
    [property: Id(3)] ToldRow[] Rows);

/// <param name="Row">What stands; −1 where it was retracted.</param>
/// <param name="Before">What stood before, oldest first.</param>
[GenerateSerializer, Immutable, Alias("datahub.ToldRow")]
public readonly record struct ToldRow([property: Id(0)] int Row, [property: Id(1)] int[] Before)
{
    /// <summary>The push that brought the change where <see cref="Row"/> does not tell it: of a retraction.</summary>
    [Id(2)] public VersionSource Change { get; init; }
}

/// <param name="ReceivedAt">By the log's clock.</param>
/// <param name="Feed">Null where it came by no push.</param>
[GenerateSerializer, Immutable, Alias("datahub.VersionSource")]
public readonly record struct VersionSource([property: Id(0)] DateTimeOffset ReceivedAt, [property: Id(1)] string? Feed, [property: Id(2)] string? Receipt);
