namespace DataHub.Sharing;

/// <summary>Fetches after which the next may not begin yet.</summary>
[GenerateSerializer, Immutable, Alias("datahub.AgreementRhythmState")]
public sealed record AgreementRhythmState([property: Id(0)] FetchBegun[] Fetches)
{
    public AgreementRhythmState()
        : this([])
    {
    }
}

/// <param name="Id">Of the request that began it.</param>
/// <param name="Next">From when on the same reader may begin the same again.</param>
[GenerateSerializer, Immutable, Alias("datahub.FetchBegun")]
public sealed record FetchBegun(
    [property: Id(0)] Guid Id, [property: Id(1)] string Subject, [property: Id(2)] string Operation, [property: Id(3)] string Object, [property: Id(4)] DateTimeOffset Next);
