namespace DataHub.Pipelines;

internal sealed partial class StepRunner
{
    /// <summary>Asks the contracts that rules of a check name, one after the other.</summary>
    /// <param name="count">Whether the rows count as read; else they have been.</param>
    /// <param name="before">Rows that were read before, of all that are.</param>
    /// <param name="of">Rows that are read in all.</param>
    /// <returns>By the place of the rule; null where it names none.</returns>
    private async Task<RowsTried?[]> TryAsync(RunInfo run, CheckStep check, RunningStep work, bool count, long before, long of, CancellationToken stop)
    {
        var input = run.Steps.Single(one => one.Id == check.Input);
        var (name, caller) = (StepTables.Name(run.Pinned.Id, input), JobRules.Acting(run.Pinned.Job, run.Pinned.Spec));
        var tried = new RowsTried?[check.Rules.Length];
        for (var i = 0; i < tried.Length; i++)
        {
            if (check.Rules[i].Contract is not { } dataset) continue;
            var (counts, start) = (count, before);
            tried[i] = await trial.TryAsync(
                new(caller, dataset, input.Columns, input.Batches, async batch =>
                {
                    var rows = await StepTables.ReadAsync(files, name, batch, stop);
                    if (counts) work.Read(rows.Count);
                    return rows;
                }),
                rows => work.Progress(start + rows, of), stop);
            (count, before) = (false, before + input.RowsOut);
        }

        return tried;
    }
}
