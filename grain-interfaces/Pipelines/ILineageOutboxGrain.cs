using DataHub.Catalog;

using Orleans.Concurrency;

namespace DataHub.Pipelines;

/// <summary>
/// The runs whose events have not all reached the receivers, with what each receiver has: the events themselves are told by the
/// runs. One silo delivers at a time. Key: 0.
/// </summary>
[GrainInterfaceType("datahub.lineage-outbox")]
public interface ILineageOutboxGrain : IGrainWithIntegerKey
{
    /// <summary>A run is about to begin, or to go on. Only for the hub.</summary>
    [Alias("Note"), Repeatable]
    Task NoteAsync(Caller caller, string run);

    /// <summary>What is to be delivered, oldest first. Only for the hub.</summary>
    /// <param name="holder">Who delivers; another one is told nothing until this one has been silent for half a minute.</param>
    [Alias("Take"), Repeatable]
    Task<WaitingRun[]> TakeAsync(Caller caller, Guid holder);

    /// <summary>A receiver has taken events of a run. Only for the hub.</summary>
    /// <param name="isOver">Every receiver has every event of the run, and it has ended.</param>
    /// <returns>False where another one delivers by now.</returns>
    [Alias("Mark"), Repeatable]
    Task<bool> MarkAsync(Caller caller, Guid holder, WaitingRun run, bool isOver);
}

/// <param name="Noted">When it was last noted; whoever marks it over says of which time, so that a run that goes on meanwhile is not forgotten.</param>
/// <param name="InFile">What the file has, by the marks of events.</param>
/// <param name="Posted">What the receiver at the address has.</param>
[GenerateSerializer, Immutable, Alias("datahub.WaitingRun")]
public sealed record WaitingRun([property: Id(0)] string Run, [property: Id(1)] DateTimeOffset Noted, [property: Id(2)] long[] InFile, [property: Id(3)] long[] Posted);
