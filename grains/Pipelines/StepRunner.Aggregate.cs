using DataHub.Feeds;

namespace DataHub.Pipelines;

internal sealed partial class StepRunner
{
    private async Task<StepOutcome> AggregateAsync(RunInfo run, StepSpec step, StepInfo info, RunningStep work, CancellationToken stop)
    {
        var spec = step.Aggregate!;
        var columns = run.Steps.Single(one => one.Id == spec.Input).Columns;
        RowBlock? leftOut = null;
        var made = await ComputeAsync(
            run, step, info, Inputs(run, [spec.Input], work, stop), AggregateRules.Statement(spec, columns), work, stop, AggregateRules.LeftOut(spec, columns), rows => leftOut = rows);
        return leftOut is not null && AggregateRules.Note(spec, leftOut.Columns[0].Integers![0]) is { } note ? made with { Notes = [note, .. made.Notes] } : made;
    }
}
