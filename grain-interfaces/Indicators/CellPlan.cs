using DataHub.Catalog;

namespace DataHub.Indicators;

/// <summary>Which cells an indicator's answer is made of.</summary>
/// <param name="Refusal">Why there is none.</param>
/// <param name="Definition">Version of the definition that asks.</param>
/// <param name="Partitions">Stream keys, by number.</param>
/// <param name="At">The hub's time as of which states are.</param>
/// <param name="Windows">Begins of windows that are read besides the last ones.</param>
/// <param name="Queries">Per partition what is to be read there in one turn.</param>
[GenerateSerializer, Immutable, Alias("datahub.CellPlan")]
public sealed record CellPlan(
    [property: Id(0)] ReadRefusal Refusal,
    [property: Id(1)] LocalText? Detail,
    [property: Id(2)] int Definition,
    [property: Id(3)] string[] Partitions,
    [property: Id(4)] DateTimeOffset At,
    [property: Id(5)] long[] Windows,
    [property: Id(6)] CellQuery[][] Queries);

/// <summary>What came of cells that were read by a plan.</summary>
/// <param name="Result">The answer; null where other cells must be read.</param>
/// <param name="Again">Which; null where there is an answer.</param>
[GenerateSerializer, Immutable, Alias("datahub.PlannedAnswer")]
public sealed record PlannedAnswer([property: Id(0)] ValuesResult? Result, [property: Id(1)] CellPlan? Again);
