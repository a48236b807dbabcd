namespace DataHub.Sharing;

/// <summary>What is stored of a dataset's evidence log as a whole.</summary>
/// <param name="Secret">32 random bytes; empty before the first question.</param>
/// <param name="Days">Days that may have entries, oldest first.</param>
[GenerateSerializer, Immutable, Alias("datahub.EvidenceLogState")]
public sealed record EvidenceLogState([property: Id(0)] byte[] Secret, [property: Id(1)] EvidenceDay[] Days)
{
    public EvidenceLogState()
        : this([], [])
    {
    }
}

/// <param name="Parts">Parts 1 to this one may have entries.</param>
[GenerateSerializer, Immutable, Alias("datahub.EvidenceDay")]
public sealed record EvidenceDay([property: Id(0)] DateOnly Day, [property: Id(1)] int Parts);

/// <summary>A part of a day as it is stored.</summary>
/// <param name="Records">In their order.</param>
/// <param name="Last">Number of the last entry that was stored.</param>
[GenerateSerializer, Immutable, Alias("datahub.EvidencePartState")]
public sealed record EvidencePartState([property: Id(0)] EvidenceRecord[] Records, [property: Id(1)] int Last)
{
    public EvidencePartState()
        : this([], 0)
    {
    }
}

/// <summary>The entries about one record as they are stored.</summary>
/// <param name="Entries">Oldest first.</param>
[GenerateSerializer, Immutable, Alias("datahub.EvidenceRecordState")]
public sealed record EvidenceRecordState([property: Id(0)] EvidenceEntry[] Entries)
{
    public EvidenceRecordState()
        : this([])
    {
    }
}
