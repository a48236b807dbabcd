using DataHub.Catalog;

using Microsoft.Extensions.Options;

namespace DataHub.Sharing;

[GrainType("datahub.evidence-part")]
internal sealed class EvidencePartGrain(
    [PersistentState("evidence-part", "state")] IPersistentState<EvidencePartState> state,
    IOptions<AgreementOptions> options,
    TimeProvider time) : Grain, IEvidencePartGrain
{
    private StoredState<EvidencePartState> _stored = null!;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        return Task.CompletedTask;
    }

    public async Task<bool> AppendAsync(Caller caller, EvidenceEntry entry)
    {
        EvidenceLog.OnlyTheHub(caller);
        var (records, last) = _stored.Value;
        if (Array.Exists(records, record => record.Entry.Id == entry.Id)) return true;
        if (last >= EvidenceLimits.EntriesOfPart) return false;
        await _stored.StoreAsync(new([.. records, new(last + 1, entry)], last + 1));
        return true;
    }

    public Task<EvidenceRecord[]> ReadAsync(Caller caller, int after)
    {
        EvidenceLog.OnlyTheHub(caller);
        return Task.FromResult(Array.FindAll(_stored.Value.Records, record => record.Number > after && !IsOver(record.Entry)));
    }

    public async Task<EvidenceSwept> SweepAsync(Caller caller)
    {
        EvidenceLog.OnlyTheHub(caller);
        var records = _stored.Value.Records;
        var over = Array.FindAll(records, record => IsOver(record.Entry));
        if (over.Length == 0) return new(0, records.Length);

        // Whoever dies in between finds them here again.
        foreach (var (dataset, hash) in over.Select(record => (record.Entry.Dataset, record.Entry.RecordHash)).Distinct())
            await GrainFactory.GetGrain<IEvidenceRecordGrain>(EvidenceRules.RecordKey(dataset, hash)).SweepAsync(Caller.Hub);
        var left = Array.FindAll(records, record => !Array.Exists(over, gone => gone.Number == record.Number));
        if (left.Length == 0) await _stored.ClearAsync(new());
        else await _stored.StoreAsync(_stored.Value with { Records = left });
        return new(over.Length, left.Length);
    }

    private bool IsOver(EvidenceEntry entry) => EvidenceRules.IsOver(entry.At, time.GetUtcNow(), options.Value.KeepEvidence);
}
