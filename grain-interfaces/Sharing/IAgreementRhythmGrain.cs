using DataHub.Catalog;

using Orleans.Concurrency;

namespace DataHub.Sharing;

/// <summary>
/// When fetches through an agreement with a rhythm (<see cref="AgreementDelivery.Rhythm"/>) began. Key: the agreement's id. Of a
/// reader, operation and object one fetch begins in a rhythm; it is stored before the first byte is given. Only this grain
/// decides, so that two front-ends that ask at the same instant begin once.
/// </summary>
[GrainInterfaceType("datahub.agreement-rhythm")]
public interface IAgreementRhythmGrain : IGrainWithStringKey
{
    /// <summary>Begins of fetches that are kept, of all readers; those that a rhythm has passed since are dropped. Beyond it none begins before one of them may again.</summary>
    const int MaxFetches = 10_000;

    /// <summary>Begins a fetch, if it may. Only for the hub; a repeat with the same id is the same fetch.</summary>
    /// <returns>Where it may not, from when on; nothing has changed then.</returns>
    [Alias("Begin"), Repeatable]
    Task<FetchResult> BeginAsync(Caller caller, FetchRequest request);

    /// <summary>A fetch that began was given nothing after all: it is as if it had not begun. Only for the hub.</summary>
    /// <param name="id">Of the request; one that is not known is none that began.</param>
    [Alias("GiveBack"), Repeatable]
    Task GiveBackAsync(Caller caller, Guid id);
}

/// <summary>Who wants to begin fetching what.</summary>
/// <param name="Id">Chosen by whoever asks: a repeat is the same fetch.</param>
/// <param name="Rhythm">As agreed.</param>
/// <param name="Subject">To whom it is given, as in the audit log.</param>
/// <param name="Operation">One of <see cref="UsageOperations"/>.</param>
/// <param name="Object">What is read, such as <c>indicator:no2-hourly</c>.</param>
[GenerateSerializer, Immutable, Alias("datahub.FetchRequest")]
public sealed record FetchRequest(
    [property: Id(0)] Guid Id, [property: Id(1)] string Rhythm, [property: Id(2)] string Subject, [property: Id(3)] string Operation, [property: Id(4)] string Object);

/// <param name="NotBefore">Null: it has begun. Else from when on it may.</param>
/// <param name="Wait">How long that is from now.</param>
/// <param name="IsFull">It is others' fetches that are waited for (<see cref="IAgreementRhythmGrain.MaxFetches"/>).</param>
[GenerateSerializer, Immutable, Alias("datahub.FetchResult")]
public sealed record FetchResult([property: Id(0)] DateTimeOffset? NotBefore, [property: Id(1)] TimeSpan Wait, [property: Id(2)] bool IsFull);

/// <summary>A fetch that began with an answer: whoever does not give the answer gives it back.</summary>
[GenerateSerializer, Immutable, Alias("datahub.BegunFetch")]
public sealed record BegunFetch([property: Id(0)] string Agreement, [property: Id(1)] Guid Id);
