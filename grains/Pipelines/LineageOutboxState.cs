namespace DataHub.Pipelines;

/// <summary>Runs whose events wait for a receiver, as they are stored, oldest first.</summary>
[GenerateSerializer, Immutable, Alias("datahub.LineageOutboxState")]
public sealed record LineageOutboxState([property: Id(0)] WaitingRun[] Waiting)
{
    public LineageOutboxState()
        : this([])
    {
    }
}
