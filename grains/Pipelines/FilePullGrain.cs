using DataHub.Catalog;

namespace DataHub.Pipelines;

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
