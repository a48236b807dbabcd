using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>What a step of a job fetched last, so that it is not fetched again while it is the same. Key: <c>{job}/{step}</c>.</summary>
[GrainInterfaceType("datahub.file-pull")]
internal interface IFilePullGrain : IGrainWithStringKey
{
    /// <summary>Null: nothing yet. Only for the hub.</summary>
    [Alias("Get"), Repeatable]
    Task<LastPull?> GetAsync(Caller caller);

    /// <summary>Of the files so noted the newest hundred stay; older ones are deleted. Only for the hub.</summary>
    [Alias("Note"), Repeatable]
    Task NoteAsync(Caller caller, LastPull pull);
}

[GrainType("datahub.file-pull")]
internal sealed class FilePullGrain([PersistentState("file-pull", "state")] IPersistentState<FilePullState> state) : Grain, IFilePullGrain
{
    private StoredState<FilePullState> _stored = null!;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        return Task.CompletedTask;
    }

    public Task<LastPull?> GetAsync(Caller caller)
    {
        OnlyTheHub(caller);
        return Task.FromResult(_stored.Value.Last);
    }

    public async Task NoteAsync(Caller caller, LastPull pull)
    {
        OnlyTheHub(caller);
        var (next, old) = PullRules.Note(_stored.Value, pull);
        // Deleted first: after a death the one that is still noted is deleted again.
        foreach (var file in old) await GrainFactory.GetGrain<IUploadedFileGrain>(file).DeleteAsync(Caller.Hub);
        await _stored.StoreAsync(next);
    }

    private static void OnlyTheHub(Caller caller)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the hub itself fetches files");
    }
}

[GenerateSerializer, Immutable, Alias("datahub.FilePullState")]
public sealed record FilePullState([property: Id(0)] LastPull? Last)
{
    public FilePullState()
        : this((LastPull?)null)
    {
    }

    /// <summary>Ids of the uploaded files that were fetched, the oldest first.</summary>
    [Id(1)] public string[] Files { get; init; } = [];
}

/// <param name="Marks">By which the host knows the content again.</param>
/// <param name="File">Id of the uploaded file that it is kept as.</param>
/// <param name="Sha256">Of the content.</param>
[GenerateSerializer, Immutable, Alias("datahub.LastPull")]
public sealed record LastPull([property: Id(0)] string Url, [property: Id(1)] PullMarks Marks, [property: Id(2)] string File, [property: Id(3)] byte[] Sha256);
