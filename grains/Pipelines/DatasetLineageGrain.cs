using DataHub.Catalog;

namespace DataHub.Pipelines;

[GrainType("datahub.dataset-lineage")]
internal sealed class DatasetLineageGrain([PersistentState("dataset-lineage", "state")] IPersistentState<DatasetLineageState> state) : Grain, IDatasetLineageGrain
{
    private StoredState<DatasetLineageState> _stored = null!;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        return Task.CompletedTask;
    }

    public Task NoteJobAsync(Caller caller, LineageJob job)
    {
        OnlyTheHub(caller);
        return _stored.StoreAsync(LineageRules.Note(_stored.Value, job));
    }

    public Task NoteRunAsync(Caller caller, LineageJob job, LineageUse use)
    {
        OnlyTheHub(caller);
        return _stored.StoreAsync(LineageRules.Note(LineageRules.Note(_stored.Value, job), use));
    }

    public Task NoteForeignAsync(Caller caller, ForeignUse use)
    {
        OnlyTheHub(caller);
        return _stored.StoreAsync(LineageRules.Note(_stored.Value, use));
    }

    public Task<DatasetLineage> GetAsync(Caller caller)
    {
        var known = _stored.Value;
        LineageJob[] jobs = [.. known.Jobs.Where(job => AccessRules.May(caller, AccessRights.ReadReceipts, job.Holding)).OrderBy(job => job.Job, StringComparer.Ordinal)];
        var names = jobs.Select(job => job.Job).ToHashSet(StringComparer.Ordinal);
        return Task.FromResult(new DatasetLineage(jobs, [.. known.Reads.Where(use => names.Contains(use.Job))], [.. known.Writes.Where(use => names.Contains(use.Job))])
        {
            Foreign = [.. known.Foreign.Where(use => AccessRules.May(caller, AccessRights.ReadReceipts, use.Holding))],
        });
    }

    private static void OnlyTheHub(Caller caller)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the hub itself notes who uses a dataset");
    }
}
