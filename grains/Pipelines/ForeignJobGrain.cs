using DataHub.Catalog;

using Microsoft.Extensions.Options;

namespace DataHub.Pipelines;

[GrainType("datahub.foreign-job")]
internal sealed class ForeignJobGrain([PersistentState("foreign-job", "state")] IPersistentState<ForeignJobState> state, IOptions<LineageOptions> options, TimeProvider time) : Grain, IForeignJobGrain
{
    private StoredState<ForeignJobState> _stored = null!;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        return Task.CompletedTask;
    }

    public async Task<ForeignResult> TellAsync(Caller caller, ForeignJob job, ForeignEvent[] events)
    {
        var known = _stored.Value.Job;
        var agency = ForeignJobs.Agency(job.Namespace);
        if (agency is null || this.GetPrimaryKeyString() != ForeignJobs.Key(job.Namespace, job.Name)) throw new ArgumentException($"{job.Namespace} {job.Name} is another job", nameof(job));
        var holding = HoldingOf(agency, known ?? job);
        if (!AccessRules.May(caller, AccessRights.Push, holding)) return new(CatalogRefusal.Forbidden, 0, AccessRules.Missing(AccessRights.Push, holding));
        if (known is not null && known.Dataspace != job.Dataspace)
            return new(CatalogRefusal.Conflict, 0, new($"„{job.Name}“ steht im Datenraum „{known.Dataspace ?? "–"}“; das bleibt so.", $"“{job.Name}” is in the dataspace “{known.Dataspace ?? "–"}”; that stays."));
        if (events.SelectMany(one => one.Datasets).Select(one => one.Dataset).Distinct(StringComparer.Ordinal).Count() > ForeignJobs.Datasets)
        {
            return new(CatalogRefusal.Invalid, 0, new(
                $"$: Die Ereignisse nennen mehr als {ForeignJobs.Datasets} Datensätze; auf mehrere Aufrufe verteilen.", $"$: The events name more than {ForeignJobs.Datasets} datasets; spread them over several calls."));
        }

        if (known is null && await RefusedAsync(job, agency) is { } refused) return refused;

        var (next, added) = ForeignJobRules.Tell(_stored.Value, job, events, time.GetUtcNow() - options.Value.KeepForeign);
        // The datasets know of it first: an index names too much, never too little.
        foreach (var one in ForeignJobRules.Named(events))
        {
            var right = one.Dataset.IsOutput ? AccessRights.Push : AccessRights.ReadRows;
            // Who may not write there, or read, says nothing of it.
            if (await GrainFactory.GetGrain<IDatasetGrain>(one.Dataset.Dataset).GetAsync(caller) is { } info && AccessRules.May(caller, right, info.Holding))
                await GrainFactory.GetGrain<IDatasetLineageGrain>(one.Dataset.Dataset).NoteForeignAsync(Caller.Hub, new(job, agency, one.Run, one.Dataset.IsOutput, one.Dataset.Watermark, one.At));
        }

        await _stored.StoreAsync(next);
        return new(CatalogRefusal.None, added, null);
    }

    public Task<ForeignRun[]?> RunsAsync(Caller caller) => Task.FromResult(
        _stored.Value.Job is { } job && AccessRules.May(caller, AccessRights.ReadReceipts, HoldingOf(ForeignJobs.Agency(job.Namespace)!, job)) ? _stored.Value.Runs : null);

    private static Holding HoldingOf(string agency, ForeignJob job) => new(null, job.Dataspace, agency, AccessClass.Internal);

    private async Task<ForeignResult?> RefusedAsync(ForeignJob job, string agency)
    {
        if (await GrainFactory.GetGrain<IAgencyGrain>(agency).GetAsync(Caller.Hub) is null)
            return new(CatalogRefusal.Invalid, 0, new($"job.namespace: Eine Behörde „{agency}“ gibt es nicht.", $"job.namespace: There is no agency “{agency}”."));
        if (job.Dataspace is { } dataspace && (!CatalogIds.IsValid(dataspace) || await GrainFactory.GetGrain<IDataspaceGrain>(dataspace).GetAsync(Caller.Hub) is not { } space || space.Spec.Owner != agency))
            return new(CatalogRefusal.Invalid, 0, new($"Einen Datenraum „{dataspace}“ von „{agency}“ gibt es nicht.", $"There is no dataspace “{dataspace}” of “{agency}”."));
        try
        {
            await GrainFactory.GetGrain<ICatalogGrain>(CatalogKinds.ForeignJobsOf(agency)).AddAsync(Caller.Hub, this.GetPrimaryKeyString()[(agency.Length + 1)..]);
            return null;
        }
        catch (CatalogFullException e)
        {
            return new(CatalogRefusal.TooMany, 0, new(e.Message, e.Message));
        }
    }
}
