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
        if ((spec.Lon ?? spec.Address?.Register.Lon) is not null && !areas.HasGeometry)
            throw new StepException(new($"Die Gebiete von „{pinned.System}“ haben keine Flächen; Punkte lassen sich keinem zuordnen.", $"The areas of “{pinned.System}” have no polygons; points cannot be placed."));
        var count = new PlaceCount { WithExamples = !IsPersonal(run, step) };
        using var table = New(run, info, PlaceRules.Columns(spec, input.Columns));
        var (register, of) = (await RegisterAsync(run, spec, input, areas, work, stop), step.Inputs.Sum(one => run.Steps.Single(made => made.Id == one).RowsOut));
        await foreach (var rows in ReadAsync(run, input, work, of, stop))
        {
            await table.AppendAsync(PlaceRules.Apply(spec, input.Columns, rows, areas, count, register), stop);
            work.Made(rows.Count);
        }

        return await CompleteAsync(table, work, stop) with { IsPersonal = IsPersonal(run, step), Notes = PlaceRules.Notes(spec, pinned.Version, count, register) };
    }

    /// <summary>The register that a step looks addresses up in; null: it goes by something else.</summary>
    private async Task<AddressRegister?> RegisterAsync(RunInfo run, PlaceStep spec, StepInfo input, IAreaVersion areas, RunningStep work, CancellationToken stop)
    {
        if (spec.Address?.Register is not { } by) return null;
        var made = run.Steps.Single(one => one.Id == by.Table);
        PlaceRules.CheckRegister(by, made.Columns);
        if (made.RowsOut > JobLimits.RegisterRows)
        {
            throw new StepException(new(
                $"Ein Register von Adressen hat höchstens {JobLimits.RegisterRows} Zeilen; „{by.Table}“ hat {made.RowsOut}.", $"A register of addresses has at most {JobLimits.RegisterRows} rows; “{by.Table}” has {made.RowsOut}."));
        }

        var register = new AddressRegister();
        await foreach (var rows in ReadAsync(run, made, work, made.RowsOut + input.RowsOut, stop)) PlaceRules.Register(by, made.Columns, rows, areas, spec.Level, register);
        return register;
    }
}
