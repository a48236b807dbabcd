using DataHub.Catalog;

namespace DataHub.Indicators;

/// <summary>What an indicator's measure does with the rows of a cell (design §2.5, §5).</summary>
public enum MeasureFunction
{
    /// <summary>Number of rows; with a field, of rows in which it is not null.</summary>
    Count = 0,
    Sum = 1,
    Mean = 2,
    Min = 3,
    Max = 4,

    /// <summary>The value of the row that is last by time, then by primary key.</summary>
    Last = 5,

    /// <summary>Population standard deviation, exact up to one rounding; 0 for a single row.</summary>
    Stddev = 6,

    /// <summary>Sample standard deviation (divided by n − 1), exact up to one rounding; no value for a single row.</summary>
    StddevSample = 7,

    /// <summary>Median at nearest rank, up to a relative error of 2^-8 (0.4 %), as the other percentiles.</summary>
    P50 = 8,
    P90 = 9,
    P95 = 10,
    P99 = 11,

    /// <summary>
    /// Estimated number of different values of the field: a whole number, never more than the rows, with a standard error
    /// of about 1.6 %; nearly exact for small numbers.
    /// </summary>
    Distinct = 12,

    /// <summary>
    /// Records of which the life cycle has begun (role opened) and not ended (role closed) when the window ends; folded as
    /// +1 and −1 at those times and summed on read. Every window has a value from the first opening on.
    /// </summary>
    Open = 13,
}

/// <summary>Which way of its target a value should be.</summary>
public enum TargetDirection
{
    /// <summary>Met at the target's value and below.</summary>
    Below = 0,

    /// <summary>Met at the target's value and above.</summary>
    Above = 1,
}

/// <summary>What an indicator is to reach.</summary>
/// <param name="Value">Compared with the unrounded value.</param>
/// <param name="Due">Until the end of this day in the indicator's zone it need not be met yet; null: it always should.</param>
[GenerateSerializer, Immutable, Alias("datahub.IndicatorTarget")]
public sealed record IndicatorTarget([property: Id(0)] double Value, [property: Id(1)] TargetDirection Direction, [property: Id(2)] DateOnly? Due);

/// <summary>An indicator as it was put.</summary>
/// <param name="Field">
/// The measured field; null only for <see cref="MeasureFunction.Count"/> and <see cref="MeasureFunction.Open"/>.
/// <see cref="DurationField"/> stands for the time from opened to closed.
/// </param>
/// <param name="Window">ISO 8601 duration, one of <c>PT1M PT5M PT10M PT15M PT20M PT30M PT1H PT2H PT3H PT4H PT6H PT8H PT12H P1D P1W P1M P3M P1Y</c> or another that divides as design §4 says.</param>
/// <param name="TimeZone">IANA zone of the calendar the windows are cut in.</param>
/// <param name="ByArea">Whether rows are grouped by area.</param>
/// <param name="Dimensions">Fields with role dimension that rows are grouped by, in order.</param>
/// <param name="Decimals">Rounded to so many places, half away from zero, on output only; null: unrounded.</param>
[GenerateSerializer, Immutable, Alias("datahub.IndicatorSpec")]
public sealed record IndicatorSpec(
    [property: Id(0)] LocalText Title,
    [property: Id(1)] string Dataset,
    [property: Id(2)] MeasureFunction Function,
    [property: Id(3)] string? Field,
    [property: Id(4)] string Window,
    [property: Id(5)] string TimeZone,
    [property: Id(6)] bool ByArea,
    [property: Id(7)] string[] Dimensions,
    [property: Id(8)] int? Decimals,
    [property: Id(9)] string? Unit,
    [property: Id(10)] AccessClass Access)
{
    [Id(11)] public LocalText? Description { get; init; }

    /// <summary>Stands for the seconds from a record's opened to its closed instant; such a record counts in the window in which it was closed.</summary>
    public const string DurationField = "@duration";

    /// <summary>Suppress a value that fewer rows stand behind; 0 suppresses nothing.</summary>
    [Id(12)] public int MinimumCount { get; init; }

    /// <summary>Only rows for which this is true: CQL2 text (OGC 21-065r2) over the dataset's fields; null: all rows.</summary>
    [Id(13)] public string? Filter { get; init; }

    /// <summary>
    /// Each value covers this much time up to the end of its window instead of the window alone: an ISO 8601 duration, a
    /// whole number of windows; null: the window.
    /// </summary>
    [Id(14)] public string? Sliding { get; init; }

    [Id(15)] public IndicatorTarget? Target { get; init; }

    /// <summary>
    /// Whether each value says how many series reported, and how many did in the window before. Null before the dataset was
    /// asked: yes for observations, which have series.
    /// </summary>
    [Id(16)] public bool? Coverage { get; init; }

    /// <summary>
    /// Derives the values from those of other indicators of the dataset instead of from rows. Function, field, dimensions and
    /// filter then have no meaning of their own; window, zone and groups are those of the inputs.
    /// </summary>
    [Id(17)] public string? Formula { get; init; }

    /// <summary>As window, time zone or only dimension of a formula that is put: that of the inputs.</summary>
    public const string OfInputs = "@inputs";
}

/// <summary>One version of a definition, as the folds need it.</summary>
[GenerateSerializer, Immutable, Alias("datahub.IndicatorDefinition")]
public sealed record IndicatorDefinition([property: Id(0)] string Indicator, [property: Id(1)] int Version, [property: Id(2)] IndicatorSpec Spec)
{
    /// <summary>
    /// Of a formula: the versions of its inputs that it is computed from, in the order in which they occur in it. As long as
    /// this version is wanted, theirs are folded too. Null where there is no formula.
    /// </summary>
    [Id(3)] public IndicatorDefinition[]? Inputs { get; init; }
}

/// <summary>An indicator as it stands.</summary>
/// <param name="Definition">The version that answers.</param>
/// <param name="Pending">A newer version that is still catching up; null where none is.</param>
[GenerateSerializer, Immutable, Alias("datahub.IndicatorInfo")]
public sealed record IndicatorInfo(
    [property: Id(0)] string Id,
    [property: Id(1)] IndicatorDefinition Definition,
    [property: Id(2)] IndicatorDefinition? Pending,
    [property: Id(3)] string? AreaSystem,
    [property: Id(4)] int AreaVersion,
    [property: Id(5)] string? License,
    [property: Id(6)] string Publisher)
{
    /// <summary>How far <see cref="Pending"/> is or, while the first definition is still being filled, that one; null where there is nothing to fill.</summary>
    [Id(7)] public DefinitionProgress? Progress { get; init; }
}
