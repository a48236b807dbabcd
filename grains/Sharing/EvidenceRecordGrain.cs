using DataHub.Catalog;

using Microsoft.Extensions.Options;

namespace DataHub.Sharing;

[GrainType("datahub.evidence-record")]
internal sealed class EvidenceRecordGrain(
    [PersistentState("evidence-record", "state")] IPersistentState<EvidenceRecordState> state,
    IOptions<AgreementOptions> options,
    TimeProvider time) : Grain, IEvidenceRecordGrain
{
    private StoredState<EvidenceRecordState> _stored = null!;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        return Task.CompletedTask;
    }

    public Task<bool> HasRoomAsync(Caller caller)
    {
        EvidenceLog.OnlyTheHub(caller);
        return Task.FromResult(Kept().Length < EvidenceLimits.EntriesOfRecord);
    }

    public async Task<bool> AddAsync(Caller caller, EvidenceEntry entry)
    {
        EvidenceLog.OnlyTheHub(caller);
        var kept = Kept();
        if (Array.Exists(kept, known => known.Id == entry.Id)) return true;
        if (kept.Length >= EvidenceLimits.EntriesOfRecord) return false;
        await _stored.StoreAsync(new([.. kept, entry]));
        return true;
    }

    public Task<EvidenceEntry[]> ListAsync(Caller caller)
    {
        EvidenceLog.OnlyTheHub(caller);
        return Task.FromResult(Enumerable.Reverse(Kept()).ToArray());
    }

    public async Task SweepAsync(Caller caller)
    {
        EvidenceLog.OnlyTheHub(caller);
        var kept = Kept();
        if (kept.Length == _stored.Value.Entries.Length) return;
        if (kept.Length == 0) await _stored.ClearAsync(new());
        else await _stored.StoreAsync(new(kept));
    }

    private EvidenceEntry[] Kept()
    {
        var now = time.GetUtcNow();
        return Array.FindAll(_stored.Value.Entries, entry => !EvidenceRules.IsOver(entry.At, now, options.Value.KeepEvidence));
    }
}
