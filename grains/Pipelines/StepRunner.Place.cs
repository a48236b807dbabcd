namespace DataHub.Pipelines;

internal sealed partial class StepRunner
{
    private async Task<StepOutcome> PlaceAsync(RunInfo run, StepSpec step, StepInfo info, RunningStep work, CancellationToken stop)
    {
        var spec = step.Place!;
        var input = run.Steps.Single(one => one.Id == spec.Input);
        var pinned = (run.Pinned.Areas ?? []).Single(areas => areas.Step == step.Id);
        if (await places.OpenAsync(pinned.System, pinned.Version, stop) is not { } areas)
            throw new StepException(new($"Fassung {pinned.Version} des Gebietssystems „{pinned.System}“ gibt es nicht (mehr).", $"There is no version {pinned.Version} of the area system “{pinned.System}” (any more)."));
        if (spec.Column is null && !areas.HasGeometry)
            throw new StepException(new($"Die Gebiete von „{pinned.System}“ haben keine Flächen; Punkte lassen sich keinem zuordnen.", $"The areas of “{pinned.System}” have no polygons; points cannot be placed."));
        var count = new PlaceCount();
        using var table = New(run, info, PlaceRules.Columns(spec, input.Columns));
        await foreach (var rows in ReadAsync(run, input, work, input.RowsOut, stop))
        {
            await table.AppendAsync(PlaceRules.Apply(spec, input.Columns, rows, areas, count), stop);
            work.Made(rows.Count);
        }

        return await CompleteAsync(table, work, stop) with { IsPersonal = IsPersonal(run, step), Notes = PlaceRules.Notes(spec, pinned.Version, count) };
    }
}
