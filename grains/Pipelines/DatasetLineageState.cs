namespace DataHub.Pipelines;

/// <summary>What is known of the jobs and runs beside a dataset, as it is stored.</summary>
/// <param name="Jobs">By their ids.</param>
/// <param name="Reads">The newest runs first.</param>
/// <param name="Writes">The newest runs first.</param>
[GenerateSerializer, Immutable, Alias("datahub.DatasetLineageState")]
public sealed record DatasetLineageState([property: Id(0)] LineageJob[] Jobs, [property: Id(1)] LineageUse[] Reads, [property: Id(2)] LineageUse[] Writes)
{
    public DatasetLineageState()
        : this([], [], [])
    {
    }

    /// <summary>Runs of agencies' own tools, the newest first.</summary>
    [Id(3)] public ForeignUse[] Foreign { get; init; } = [];
}
