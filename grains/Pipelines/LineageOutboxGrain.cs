using DataHub.Catalog;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DataHub.Pipelines;

[GrainType("datahub.lineage-outbox")]
internal sealed partial class LineageOutboxGrain(
    [PersistentState("lineage-outbox", "state")] IPersistentState<LineageOutboxState> state, IOptions<LineageOptions> options, TimeProvider time, ILogger<LineageOutboxGrain> logger) : Grain, ILineageOutboxGrain
{
    private static readonly TimeSpan s_lease = TimeSpan.FromSeconds(30);

    private StoredState<LineageOutboxState> _stored = null!;
    private (Guid Holder, long Since)? _held;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        return Task.CompletedTask;
    }

    public Task NoteAsync(Caller caller, string run)
    {
        OnlyTheHub(caller);
        var (next, dropped) = LineageOutboxRules.Note(_stored.Value, run, time.GetUtcNow(), options.Value.MaxWaiting);
        if (dropped is not null) LogDropped(dropped, options.Value.MaxWaiting);
        return _stored.StoreAsync(next);
    }

    public Task<WaitingRun[]> TakeAsync(Caller caller, Guid holder)
    {
        OnlyTheHub(caller);
        return Task.FromResult(Holds(holder) ? _stored.Value.Waiting : []);
    }

    public async Task<bool> MarkAsync(Caller caller, Guid holder, WaitingRun run, bool isOver)
    {
        OnlyTheHub(caller);
        if (!Holds(holder)) return false;
        await _stored.StoreAsync(LineageOutboxRules.Mark(_stored.Value, run, isOver));
        return true;
    }

    /// <summary>Whoever asks first delivers, as long as he goes on asking.</summary>
    private bool Holds(Guid holder)
    {
        if (_held is { } held && held.Holder != holder && time.GetElapsedTime(held.Since) < s_lease) return false;
        _held = (holder, time.GetTimestamp());
        return true;
    }

    private static void OnlyTheHub(Caller caller)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the hub itself delivers events of runs");
    }

    [LoggerMessage(4070, LogLevel.Warning, "The events of run {Run} are not delivered: more than {Limit} runs wait for the receivers (DataHub:Lineage:MaxWaiting)")]
    private partial void LogDropped(string run, int limit);
}
