using DataHub.Catalog;

using Microsoft.Extensions.Options;

namespace DataHub.Pipelines;

[GrainType("datahub.open-runs")]
internal sealed class OpenRunsGrain([PersistentState("open-runs", "state")] IPersistentState<OpenRunsState> state, IOptions<LineageOptions> lineage) : Grain, IOpenRunsGrain
{
    private StoredState<OpenRunsState> _stored = null!;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        return Task.CompletedTask;
    }

    public async Task OpenAsync(Caller caller, OpenRun run)
    {
        OnlyTheHub(caller);
        // Whoever delivers its events knows of it before it has any.
        if (lineage.Value.IsOn && !run.IsBackfill) await GrainFactory.GetGrain<ILineageOutboxGrain>(0).NoteAsync(Caller.Hub, run.Run);
        await (Array.Exists(_stored.Value.Open, open => open.Run == run.Run) ? Task.CompletedTask : _stored.StoreAsync(new([.. _stored.Value.Open, run])));
    }

    public Task CloseAsync(Caller caller, string run)
    {
        OnlyTheHub(caller);
        return _stored.Value.Open.Any(open => open.Run == run) ? _stored.StoreAsync(new([.. _stored.Value.Open.Where(open => open.Run != run)])) : Task.CompletedTask;
    }

    public Task<OpenRun[]> ListAsync(Caller caller)
    {
        OnlyTheHub(caller);
        return Task.FromResult(_stored.Value.Open);
    }

    private static void OnlyTheHub(Caller caller)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the hub itself notes which runs are open");
    }
}

/// <summary>Runs that have not ended, as they are stored.</summary>
[GenerateSerializer, Immutable, Alias("datahub.OpenRunsState")]
public sealed record OpenRunsState([property: Id(0)] OpenRun[] Open)
{
    public OpenRunsState()
        : this([])
    {
    }
}
