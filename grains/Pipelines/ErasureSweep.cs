using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>
/// Carries the erasure of a dataset's rows into the tables of runs and the files that they fetched. Everything in it can be
/// repeated: whoever goes on after a death begins anew and finds the same.
/// </summary>
internal sealed class ErasureSweep(IGrainFactory grains)
{
    private static readonly TimeSpan s_again = TimeSpan.FromMilliseconds(200);

    /// <summary>Returns when no run has tables with the rows any more.</summary>
    public async Task<ErasureReachState> SweepAsync(RowsErased rows, CancellationToken cancellationToken)
    {
        var (runs, files, fetched, deleted, derived) = (Set(), Set(), Set(), Set(), Set());
        for (var known = -1; known < files.Count + fetched.Count;)
        {
            known = files.Count + fetched.Count;
            foreach (var job in await JobsAsync(rows.Dataset))
            {
                foreach (var run in await grains.GetGrain<IPipelineJobGrain>(job).RunsAsync(Caller.Hub) ?? [])
                {
                    var erased = await EraseAsync(run.Id, rows with { Files = [.. files, .. fetched] }, cancellationToken);
                    if (!erased.IsReached) continue;
                    runs.Add(run.Id);
                    files.UnionWith(erased.Files);
                    fetched.UnionWith(erased.Fetched);
                    derived.UnionWith(erased.Derived);
                }
            }

            // They can be fetched again; what somebody uploaded is his to delete. Whoever began to read one before is found by the next pass.
            foreach (var file in fetched.Where(deleted.Add)) await grains.GetGrain<IUploadedFileGrain>(file).DeleteAsync(Caller.Hub);
        }

        return new(runs.Count, [.. files.Order(StringComparer.Ordinal).TakeLast(ErasureReachState.MaxFiles)], files.Count, [.. derived.Order(StringComparer.Ordinal)]);

        static HashSet<string> Set() => new(StringComparer.Ordinal);
    }

    private async Task<RunErased> EraseAsync(string run, RowsErased rows, CancellationToken cancellationToken)
    {
        while (true)
        {
            var erased = await grains.GetGrain<IPipelineRunGrain>(run).EraseAsync(Caller.Hub, rows);
            if (erased.IsDone) return erased;
            await Task.Delay(s_again, cancellationToken);
        }
    }

    /// <summary>The jobs beside the dataset; where there are more than are noted there, all that there are.</summary>
    private async Task<IReadOnlyList<string>> JobsAsync(string dataset)
    {
        var noted = (await grains.GetGrain<IDatasetLineageGrain>(dataset).GetAsync(Caller.Hub)).Jobs;
        if (noted.Length < LineageRules.MaxJobs) return Array.ConvertAll(noted, job => job.Job);
        const int Page = 1_000;
        var all = new List<string>();
        for (string? after = null; ; after = all[^1])
        {
            var page = await grains.GetGrain<ICatalogGrain>(CatalogKinds.Jobs).ListAsync(Caller.Hub, after, Page);
            all.AddRange(page);
            if (page.Length < Page) return all;
        }
    }
}
