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
}

/// <summary>An indicator as it was put.</summary>
/// <param name="Field">The measured field; null only for <see cref="MeasureFunction.Count"/>.</param>
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

    /// <summary>Suppress a value that fewer rows stand behind; 0 suppresses nothing.</summary>
    [Id(12)] public int MinimumCount { get; init; }
}

/// <summary>One version of a definition, as the folds need it.</summary>
[GenerateSerializer, Immutable, Alias("datahub.IndicatorDefinition")]
public sealed record IndicatorDefinition([property: Id(0)] string Indicator, [property: Id(1)] int Version, [property: Id(2)] IndicatorSpec Spec);

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
    [property: Id(6)] string Publisher);
