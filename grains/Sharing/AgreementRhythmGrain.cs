using DataHub.Catalog;

using Microsoft.Extensions.Logging;

namespace DataHub.Sharing;

[GrainType("datahub.agreement-rhythm")]
internal sealed partial class AgreementRhythmGrain(
    [PersistentState("agreement-rhythm", "state")] IPersistentState<AgreementRhythmState> state,
    TimeProvider time,
    ILogger<AgreementRhythmGrain> logger) : Grain, IAgreementRhythmGrain
{
    private StoredState<AgreementRhythmState> _stored = null!;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        return Task.CompletedTask;
    }

    public async Task<FetchResult> BeginAsync(Caller caller, FetchRequest request)
    {
        OnlyTheHub(caller);
        var (next, result) = AgreementRhythmRules.Begin(_stored.Value, request, time.GetUtcNow());
        if (result.IsFull) LogFull(this.GetPrimaryKeyString(), IAgreementRhythmGrain.MaxFetches);
        await _stored.StoreAsync(next);
        return result;
    }

    public Task GiveBackAsync(Caller caller, Guid id)
    {
        OnlyTheHub(caller);
        return _stored.StoreAsync(AgreementRhythmRules.GiveBack(_stored.Value, id));
    }

    private static void OnlyTheHub(Caller caller)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the hub itself begins fetches");
    }

    [LoggerMessage(1290, LogLevel.Warning, "Agreement {Agreement}: {Count} fetches began within its rhythm; no other begins before one of them may again")]
    private partial void LogFull(string agreement, int count);
}
