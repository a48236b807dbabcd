using System.Globalization;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Governance;
using DataHub.Indicators;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DataHub.Sharing;

[GrainType("datahub.derived-data")]
internal sealed partial class DerivedDataGrain(
    [PersistentState("derived-data", "state")] IPersistentState<DerivedDataState> state,
    IOptions<AuditOptions> audit,
    AuditTrail trail,
    TimeProvider time,
    ILogger<DerivedDataGrain> logger) : Grain, IDerivedDataGrain, IOutboxGrain
{
    private static readonly TimeSpan s_again = TimeSpan.FromSeconds(2), s_later = TimeSpan.FromMinutes(10);

    private StoredState<DerivedDataState> _stored = null!;
    private Outbox<DerivedDataState> _outbox = null!;
    private IGrainTimer? _timer;

    private string Agreement => this.GetPrimaryKeyString();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        _outbox = new(_stored, trail, audit.Value, this, logger);
        _outbox.Start();
        GoOnSoon();
        return Task.CompletedTask;
    }

    public async Task<bool> AddAsync(Caller caller, string by, DerivedNote note)
    {
        OnlyTheHub(caller);
        if (Array.Exists(_stored.Value.Datasets, one => one.Note.Dataset == note.Dataset)) return true;
        if (_stored.Value.Datasets.Length >= AgreementLimits.MaxDerived) return false;
        var now = time.GetUtcNow();
        await _outbox.StoreAsync(
            _stored.Value with { Datasets = [.. _stored.Value.Datasets, new(note, now, DerivedState.Noted, null, 0, null, null)] },
            [.. ForBoth(note, agency => AuditEvents.OfActor(now, by, AuditEvents.DerivedNoted, agency, $"agreement:{Agreement}", AuditOutcome.Done, ("dataset", note.Dataset), ("text", note.Text)))]);
        return true;
    }

    public Task<DerivedStanding[]> ListAsync(Caller caller)
    {
        OnlyTheHub(caller);
        return Task.FromResult(_stored.Value.Datasets);
    }

    public async Task SettleAsync(Caller caller, DerivedRule rule)
    {
        OnlyTheHub(caller);
        if (_stored.Value.Datasets.Length == 0) return;
        if (_stored.Value.Rule is null) await _outbox.StoreAsync(_stored.Value with { Rule = rule });

        // Whoever revokes does not wait for it.
        GoOnSoon(TimeSpan.Zero);
    }

    public Task FlushAsync(Caller caller) => _outbox.FlushAsync(caller);

    private static bool IsSettled(DerivedStanding one) => one.State is DerivedState.Kept or DerivedState.Frozen or DerivedState.Deleted;

    private void GoOnSoon(TimeSpan? due = null)
    {
        if (_stored.Value.Rule is null || _stored.Value.Datasets.All(IsSettled)) return;
        _timer ??= this.RegisterGrainTimer(
            async _ =>
            {
                await GoOnAsync();
                if (!_stored.Value.Datasets.All(IsSettled)) return;
                _timer?.Dispose();
                _timer = null;
            },
            new GrainTimerCreationOptions(due ?? s_again, s_again) { KeepAlive = true });
    }

    /// <summary>Takes each dataset a step on; one that does not answer keeps nobody from the others.</summary>
    private async Task GoOnAsync()
    {
        if (_stored.Value.Rule is not { } rule) return;
        foreach (var one in _stored.Value.Datasets.Where(one => !IsSettled(one)).ToArray())
        {
            try
            {
                var next = await StepAsync(one, rule);
                if (next == one) continue;
                var now = time.GetUtcNow();
                var events = next.State == one.State ? [] : ForBoth(one.Note, agency => AuditEvents.Of(
                    now, Caller.Hub, AuditEvents.DerivedSettled, agency, $"agreement:{Agreement}", AuditOutcome.Done,
                    ("dataset", one.Note.Dataset), ("state", AgreementWords.Of(next.State)), ("erasure", next.Erasure), ("keys", next.State == DerivedState.Deleted ? next.Keys.ToString(CultureInfo.InvariantCulture) : null))).ToArray();
                await _outbox.StoreAsync(_stored.Value with { Datasets = [.. _stored.Value.Datasets.Select(known => known.Note.Dataset == one.Note.Dataset ? next : known)] }, events);
            }
            catch (Exception e)
            {
                LogStuck(e, Agreement, one.Note.Dataset);
            }
        }
    }

    private async Task<DerivedStanding> StepAsync(DerivedStanding one, DerivedRule rule)
    {
        var now = time.GetUtcNow();
        if (rule == DerivedRule.Kept) return one with { State = DerivedState.Kept, Settled = now };

        if (one.State == DerivedState.Noted)
        {
            await GrainFactory.GetGrain<IDatasetGrain>(one.Note.Dataset).FreezeAsync(Caller.Hub, new(Agreement, now));
            return one with { State = rule == DerivedRule.Frozen ? DerivedState.Frozen : DerivedState.Deleting, Settled = now };
        }

        // Every log has heard by then that it takes nothing more: what is erased is all that there will be.
        if (now - one.Settled < (one.Trouble is null ? s_again : s_later)) return one;
        var erasures = GrainFactory.GetGrain<IErasuresGrain>(one.Note.Dataset);
        if (one.Erasure is null)
        {
            var asked = await erasures.RequestAsync(Caller.Hub, new(ErasureRequest.Everything, $"Ende der Vereinbarung {Agreement}", $"Vereinbarung {Agreement}: use.derived = deleted"));
            return asked.Erasure is { } begun ? one with { Erasure = begun.Id, Trouble = null } : one with { Trouble = asked.Detail };
        }

        var result = await erasures.GetAsync(Caller.Hub, one.Erasure);
        return result.Erasure switch
        {
            { Step: ErasureStep.Done } done => one with { State = DerivedState.Deleted, Keys = done.Keys, Settled = now, Trouble = null },
            { Step: ErasureStep.TooMany } => one with
            {
                // It is asked for again: the limit may have been raised, or the rest be small enough by then.
                Erasure = null,
                Settled = now,
                Trouble = new(
                    $"„{one.Note.Dataset}“ hat mehr Zeilen, als eine Löschung nimmt (DataHub:Erasure:MaxRows). Es nimmt nichts mehr an; in Teilen von Hand löschen oder den Wert erhöhen, alle zehn Minuten wird es wieder versucht.",
                    $"“{one.Note.Dataset}” has more rows than an erasure takes (DataHub:Erasure:MaxRows). It takes nothing more; erase it in parts by hand or raise the value, it is tried again every ten minutes."),
            },
            _ => one,
        };
    }

    private static IEnumerable<AuditEvent> ForBoth(DerivedNote note, Func<string, AuditEvent> make) => new[] { note.Provider, note.Recipient }.Select(make);

    private static void OnlyTheHub(Caller caller)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the hub itself asks what is derived");
    }

    [LoggerMessage(1275, LogLevel.Warning, "Agreement {Agreement}: what is to be done with the derived dataset {Dataset} is not done yet; it is tried again")]
    private partial void LogStuck(Exception exception, string agreement, string dataset);
}
