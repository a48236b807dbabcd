using DataHub.Catalog;

namespace DataHub.Governance;

/// <summary>A grain that keeps events of its changes until the audit log has them. Every such grain is this too.</summary>
[GrainInterfaceType("datahub.outbox")]
public interface IOutboxGrain : IGrain
{
    /// <summary>Sends what is kept. What cannot be sent now is kept on. Only for the hub.</summary>
    [Alias("Flush"), Repeatable]
    Task FlushAsync(Caller caller);
}

/// <summary>
/// Which grains may keep events still: each is noted before it stores its first and taken out some time after the last was
/// sent, so that after a kill they are found and sent without anybody asking for the grain. Key: the number of a part.
/// </summary>
[GrainInterfaceType("datahub.outboxes")]
public interface IOutboxesGrain : IGrainWithIntegerKey
{
    /// <summary>How many parts there are.</summary>
    const int Parts = 16;

    /// <summary>Notes a grain; one that is noted changes nothing. Only for the hub.</summary>
    [Alias("Open"), Repeatable]
    Task OpenAsync(Caller caller, string grain);

    /// <summary>Takes a grain out. Only for the hub.</summary>
    [Alias("Close"), Repeatable]
    Task CloseAsync(Caller caller, string grain);

    /// <summary>All grains of this part. Only for the hub.</summary>
    [Alias("List"), Repeatable]
    Task<string[]> ListAsync(Caller caller);
}
