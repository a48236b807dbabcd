using DataHub.Catalog;
using DataHub.Indicators;

using Orleans.Concurrency;

namespace DataHub.Feeds;

/// <summary>
/// Erasures of a person's rows from a dataset (design §2.3): the rows are retracted, and once every consumer has passed
/// that, their content is overwritten everywhere. Key: the dataset's id.
/// </summary>
[GrainInterfaceType("datahub.erasures")]
public interface IErasuresGrain : IGrainWithStringKey
{
    /// <summary>Notes an erasure durably and begins it; it goes on by itself, also after a restart.</summary>
    /// <param name="caller">An admin of the publisher or of the platform.</param>
    [Alias("Request"), NotRepeatable("a repeat makes another erasure")]
    Task<ErasureResult> RequestAsync(Caller caller, ErasureRequest request);

    /// <summary>How an erasure stands; its receipt once it is done.</summary>
    [Alias("Get"), AlwaysInterleave, Repeatable]
    Task<ErasureResult> GetAsync(Caller caller, string id);

    /// <summary>All erasures of the dataset, newest first.</summary>
    /// <param name="after">Continue behind this one; null from the newest.</param>
    /// <param name="limit">1 to 1,000.</param>
    [Alias("List"), AlwaysInterleave, Repeatable]
    Task<ErasureListResult> ListAsync(Caller caller, string? after, int limit);

    /// <summary>The hub's own call at every start: goes on with what is not done.</summary>
    [Alias("Resume"), Repeatable]
    Task ResumeAsync();
}

/// <param name="Where">All must hold: rows any version of which has these values, and quarantined rows that name them.</param>
/// <param name="Reason">Why, in somebody's words.</param>
/// <param name="Authority">On what ground, such as the regulation and the request's file number.</param>
[GenerateSerializer, Immutable, Alias("datahub.ErasureRequest")]
public sealed record ErasureRequest([property: Id(0)] FieldText[] Where, [property: Id(1)] string Reason, [property: Id(2)] string Authority)
{
    /// <summary>All rows that there are. Only the hub asks for it, where an agreement says so.</summary>
    public static FieldText[] Everything { get; } = [new("*", "")];

    public bool IsEverything => Where is [{ Field: "*", Text: "" }];
}

/// <param name="Text">The value as it would stand in CSV.</param>
[GenerateSerializer, Immutable, Alias("datahub.FieldText")]
public readonly record struct FieldText([property: Id(0)] string Field, [property: Id(1)] string Text);

/// <summary>Where an erasure stands.</summary>
public enum ErasureStep : byte
{
    /// <summary>Its rows are being looked for.</summary>
    Searching = 0,

    /// <summary>Its rows are known; they are being retracted, and consumers have to pass that.</summary>
    Retracting = 1,

    /// <summary>Content is being overwritten.</summary>
    Overwriting = 2,

    /// <summary>Nothing of the rows is left.</summary>
    Done = 3,

    /// <summary>More rows than an erasure takes; nothing was changed.</summary>
    TooMany = 4,
}

/// <summary>An erasure without what was erased: its receipt.</summary>
/// <param name="Fields">Names of the fields by which the rows were found; never the values.</param>
/// <param name="Keys">Keys whose rows were retracted and erased in all their versions.</param>
/// <param name="Versions">Stored rows taken out of the log: new, corrected and retracted.</param>
/// <param name="Quarantined">Quarantined rows whose content was erased.</param>
/// <param name="Batches">Batches of the log that were overwritten.</param>
/// <param name="Compacted">Whether the stores' files were written anew, so that no freed page holds anything; null before it is done.</param>
[GenerateSerializer, Immutable, Alias("datahub.ErasureInfo")]
public sealed record ErasureInfo(
    [property: Id(0)] string Id,
    [property: Id(1)] string Dataset,
    [property: Id(2)] ErasureStep Step,
    [property: Id(3)] DateTimeOffset Requested,
    [property: Id(4)] DateTimeOffset? Finished,
    [property: Id(5)] string? Agency,
    [property: Id(6)] string? KeyId,
    [property: Id(7)] string Reason,
    [property: Id(8)] string Authority,
    [property: Id(9)] string[] Fields,
    [property: Id(10)] long Keys,
    [property: Id(11)] long Versions,
    [property: Id(12)] long Quarantined,
    [property: Id(13)] long Batches,
    [property: Id(14)] bool? Compacted)
{
    /// <summary>How far it reached into runs and files; null before it has come so far, and in lists.</summary>
    [Id(15)] public ErasureReach? Reach { get; init; }
}

/// <summary>What an erasure did beside the dataset, and what is left for somebody to do.</summary>
/// <param name="Runs">Whose tables were deleted.</param>
/// <param name="Files">Uploaded files whose rows runs wrote into the dataset and that are still there: a part of a file cannot be erased.</param>
/// <param name="AllFiles">How many there were when it was done; more than are remembered are named by nobody.</param>
/// <param name="Derived">Other datasets into which runs wrote what they had made of the rows.</param>
[GenerateSerializer, Immutable, Alias("datahub.ErasureReach")]
public sealed record ErasureReach([property: Id(0)] int Runs, [property: Id(1)] ErasedFile[] Files, [property: Id(2)] int AllFiles, [property: Id(3)] string[] Derived)
{
    /// <summary>How many such datasets there are, those among them that are not for the caller to know.</summary>
    [Id(4)] public int AllDerived { get; init; }
}

[GenerateSerializer, Immutable, Alias("datahub.ErasedFile")]
public sealed record ErasedFile([property: Id(0)] string Id, [property: Id(1)] string Name);

/// <param name="Detail">For the caller: which field, which value is not one of its type, which limit.</param>
[GenerateSerializer, Immutable, Alias("datahub.ErasureResult")]
public sealed record ErasureResult([property: Id(0)] ReadRefusal Refusal, [property: Id(1)] ErasureInfo? Erasure, [property: Id(2)] LocalText? Detail);

[GenerateSerializer, Immutable, Alias("datahub.ErasureListResult")]
public sealed record ErasureListResult([property: Id(0)] ReadRefusal Refusal, [property: Id(1)] ErasureInfo[] Erasures, [property: Id(2)] string? Next, [property: Id(3)] LocalText? Detail);
