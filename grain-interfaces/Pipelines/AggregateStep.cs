using System.Text.Json.Serialization;

namespace DataHub.Pipelines;

/// <summary>
/// One row for each group of rows that have the same in all of <see cref="By"/>, with what their values come to. Rows
/// without a value in a column of <see cref="By"/> are a group of their own. The result is a function of the rows,
/// whatever their order.
/// </summary>
/// <param name="Input">Id of the step whose table it is.</param>
/// <param name="By">Columns, or windows of time; none: all rows are one group. At most 20.</param>
/// <param name="Measures">At least one; at most 100.</param>
[GenerateSerializer, Immutable, Alias("datahub.AggregateStep"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record AggregateStep([property: Id(0), JsonRequired] string Input, [property: Id(1), JsonRequired] AggregateKey[] By, [property: Id(2), JsonRequired] AggregateMeasure[] Measures)
{
    /// <summary>
    /// Groups of fewer rows are left out, and a note says how many; 2 to 1,000,000, null: none is. What is left out can
    /// still be the difference of totals that are told elsewhere.
    /// </summary>
    [Id(3), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public int? MinimumCount { get; init; }
}

/// <summary>What rows of a group have in common: the value of a column, or the window of time in which it lies.</summary>
/// <param name="Column">Of any type; with <see cref="Unit"/> a date or a datetime.</param>
[GenerateSerializer, Immutable, Alias("datahub.AggregateKey"), JsonConverter(typeof(AggregateKeyConverter))]
public sealed record AggregateKey([property: Id(0)] string Column)
{
    /// <summary>year, quarter, month, week (from Monday), day or hour; null: the value itself. A window goes by its first day, an hour by the instant at which it begins.</summary>
    [Id(1)] public string? Unit { get; init; }

    /// <summary>Of a datetime: the zone whose calendar counts; null: Europe/Berlin.</summary>
    [Id(2)] public string? Zone { get; init; }

    /// <summary>In the result; null: as the column.</summary>
    [Id(3)] public string? Name { get; init; }
}

/// <param name="Name">In the result.</param>
/// <param name="Function">
/// count (rows; with a column rows that have a value there), countDistinct, sum, mean, min, max, median or quantile. All but
/// count pass over rows without a value and have none where no row has; sum, mean, median and quantile are for numbers.
/// Numbers are added in the order of their size with a carried rest (Kahan), integers exactly; median and quantile lie
/// between the two nearest values where they fall between them.
/// </param>
[GenerateSerializer, Immutable, Alias("datahub.AggregateMeasure"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record AggregateMeasure([property: Id(0), JsonRequired] string Name, [property: Id(1), JsonRequired] string Function)
{
    /// <summary>Null with count of rows only.</summary>
    [Id(2), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Column { get; init; }

    /// <summary>Of quantile: which share of the values lies below, 0 to 1.</summary>
    [Id(3), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public double? Share { get; init; }
}
