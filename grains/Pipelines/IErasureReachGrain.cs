using DataHub.Catalog;

using Orleans.Concurrency;

namespace DataHub.Pipelines;

/// <summary>How far an erasure reached into runs and files, kept beside its receipt. Key: the erasure's id.</summary>
[GrainInterfaceType("datahub.erasure-reach")]
internal interface IErasureReachGrain : IGrainWithStringKey
{
    /// <summary>Only for the hub.</summary>
    [Alias("Note"), Repeatable]
    Task NoteAsync(Caller caller, ErasureReachState reach);

    /// <summary>Null: it has not come so far. Only for the hub.</summary>
    [Alias("Get"), AlwaysInterleave, Repeatable]
    Task<ErasureReachState?> GetAsync(Caller caller);
}

/// <param name="Runs">Whose tables were deleted.</param>
/// <param name="Files">Ids of uploaded files whose rows runs wrote into the dataset, the newest <see cref="MaxFiles"/>. Their names, which may name people, are asked for when they are told.</param>
/// <param name="AllFiles">How many there were.</param>
/// <param name="Derived">Other datasets into which runs wrote what they had made of the rows.</param>
[GenerateSerializer, Immutable, Alias("datahub.ErasureReachState")]
public sealed record ErasureReachState([property: Id(0)] int Runs, [property: Id(1)] string[] Files, [property: Id(2)] int AllFiles, [property: Id(3)] string[] Derived)
{
    public const int MaxFiles = 1_000;

    public ErasureReachState()
        : this(-1, [], 0, [])
    {
    }
}
