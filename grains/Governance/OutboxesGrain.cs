using DataHub.Catalog;

namespace DataHub.Governance;

[GrainType("datahub.outboxes")]
internal sealed class OutboxesGrain([PersistentState("outboxes", "state")] IPersistentState<OutboxesState> state) : Grain, IOutboxesGrain
{
    private StoredState<OutboxesState> _stored = null!;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        return Task.CompletedTask;
    }

    public Task OpenAsync(Caller caller, string grain)
    {
        OnlyTheHub(caller);
        return _stored.Value.Open.Contains(grain) ? Task.CompletedTask : _stored.StoreAsync(new([.. _stored.Value.Open, grain]));
    }

    public Task CloseAsync(Caller caller, string grain)
    {
        OnlyTheHub(caller);
        return _stored.Value.Open.Contains(grain) ? _stored.StoreAsync(new([.. _stored.Value.Open.Where(open => open != grain)])) : Task.CompletedTask;
    }

    public Task<string[]> ListAsync(Caller caller)
    {
        OnlyTheHub(caller);
        return Task.FromResult(_stored.Value.Open);
    }

    private static void OnlyTheHub(Caller caller)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the hub itself notes who keeps events");
    }
}

/// <summary>Grains that may keep events still, as they are stored.</summary>
[GenerateSerializer, Immutable, Alias("datahub.OutboxesState")]
public sealed record OutboxesState([property: Id(0)] string[] Open)
{
    public OutboxesState()
        : this([])
    {
    }
}
