using DataHub.Catalog;

namespace DataHub.Pipelines;

[GrainType("datahub.erasure-reach")]
internal sealed class ErasureReachGrain([PersistentState("erasure-reach", "state")] IPersistentState<ErasureReachState> state) : Grain, IErasureReachGrain
{
    private StoredState<ErasureReachState> _stored = null!;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        return Task.CompletedTask;
    }

    public Task NoteAsync(Caller caller, ErasureReachState reach)
    {
        OnlyTheHub(caller);
        return _stored.StoreAsync(reach);
    }

    public Task<ErasureReachState?> GetAsync(Caller caller)
    {
        OnlyTheHub(caller);
        return Task.FromResult(_stored.Value.Runs < 0 ? null : _stored.Value);
    }

    private static void OnlyTheHub(Caller caller)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the hub itself notes how far an erasure reached");
    }
}
