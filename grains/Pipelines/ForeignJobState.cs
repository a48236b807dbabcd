namespace DataHub.Pipelines;

/// <summary>What was told of a job of an agency's own tools, as it is stored.</summary>
/// <param name="Job">Null: nothing.</param>
/// <param name="Runs">The one that was told of last first.</param>
[GenerateSerializer, Immutable, Alias("datahub.ForeignJobState")]
public sealed record ForeignJobState([property: Id(0)] ForeignJob? Job, [property: Id(1)] ForeignRun[] Runs)
{
    public ForeignJobState()
        : this(null, [])
    {
    }
}
