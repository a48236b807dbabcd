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

    public Task NoteAsync(Caller caller, LastPull pull)
    {
        OnlyTheHub(caller);
        return _stored.StoreAsync(new(pull));
    }

    private static void OnlyTheHub(Caller caller)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the hub itself fetches files");
    }
}
