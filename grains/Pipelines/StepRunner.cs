using DataHub.Catalog;
using DataHub.Feeds;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

using Orleans.Runtime;

namespace DataHub.Pipelines;

/// <summary>
/// Does the steps of runs, away from their grains: so many at once, agencies in turn. A step reads the tables of earlier
/// steps from the file store and writes its own there, batch by batch.
/// </summary>
internal sealed partial class StepRunner(
    IFileStore files, IFileTables fileTables, ISqlEngine sql, IRowTarget target, IRowTrial trial, DatasetTables datasets, IAreaPlaces places, RunPulls pulls, IGrainFactory grains, IOptions<PipelineOptions> options, ILogger<StepRunner> logger)
{
    /// <summary>Cells that a recipe takes into memory.</summary>
    private const long MostCells = 20_000_000;

    /// <summary>Whoever asks what differs waits for it; a call between grains takes no longer than half a minute.</summary>
    private static readonly TimeSpan s_comparing = TimeSpan.FromSeconds(20), s_waiting = TimeSpan.FromSeconds(25);

    private readonly StepTurns _turns = new(options.Value.StepsAtOnce), _comparing = new(1);

    /// <summary>Begins a step; what becomes of it, the answer tells.</summary>
    /// <param name="ended">Told when it has ended, however.</param>
    public RunningStep Begin(RunInfo run, int step, Func<Task> ended)
    {
        var work = new RunningStep(step);
        // Not on the grain's scheduler: it has its own work.
        work.Task = Task.Run(() => DoAsync(run, step, work));
        _ = TellAsync(work, ended);
        return work;
    }

    /// <summary>Deletes what attempts left that came to nothing.</summary>
    public Task CleanAsync(RunInfo run) =>
        DeleteAsync(run, run.Steps.Where(step => step.State == RunState.Complete).Select(step => StepTables.Name(run.Pinned.Id, step)).ToHashSet(StringComparer.Ordinal));

    /// <summary>Deletes all tables of a run.</summary>
    public Task DeleteAsync(RunInfo run) => DeleteAsync(run, []);

    private async Task DeleteAsync(RunInfo run, HashSet<string> kept)
    {
        const int Page = 1_000;
        for (string? after = null; ;)
        {
            var found = await files.ListAsync(StepTables.Prefix(run.Pinned.Id), after, Page, CancellationToken.None);
            foreach (var name in found.Where(name => !kept.Contains(name))) await files.DeleteAsync(name, CancellationToken.None);
            if (found.Count < Page) return;
            after = found[^1];
        }
    }

    private static async Task TellAsync(RunningStep work, Func<Task> ended)
    {
        await ((Task)work.Task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // Where nobody hears it, the grain looks by itself.
        await ended().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Compares the tables of two steps, one comparison at a time.</summary>
    /// <exception cref="StepException">The key says of several rows that they are one.</exception>
    /// <exception cref="SqlRefusedException">They are too large for the time that there is.</exception>
    /// <exception cref="OperationCanceledException">Its turn did not come in time.</exception>
    public async Task<RunDifferences> CompareAsync(RunInfo earlier, RunInfo later, StepInfo a, StepInfo b, string[] key)
    {
        // Whoever asked has gone by then.
        using var patience = new CancellationTokenSource(s_waiting);
        var stop = patience.Token;
        await _comparing.EnterAsync(later.Pinned.Spec.Agency, stop);
        try
        {
            var questions = TableDifferences.Questions(key, a.Columns, b.Columns);
            var found = questions.Select(_ => new List<RowBlock>()).ToArray();
            await sql.RunAsync(
                [Table("a", earlier, a), Table("b", later, b)], questions, Limits() with { Time = s_comparing, Rows = TableDifferences.Cells + 10 },
                (_, _) => Task.CompletedTask,
                (question, rows) =>
                {
                    // At once: with such a key the questions after it would not come to an end.
                    if (question < 2 && CheckRules.Measured(rows) is > 0 and var repeated)
                    {
                        var run = (question == 0 ? earlier : later).Pinned.Id;
                        throw new StepException(new(
                            $"key: {string.Join(", ", key)} machen im Lauf {run} keine Zeile aus; {repeated} Werte stehen in mehreren.", $"key: {string.Join(", ", key)} do not make out a row in the run {run}; {repeated} values stand in several."));
                    }

                    found[question].Add(rows);
                    return Task.CompletedTask;
                },
                stop);
            return TableDifferences.Read(key, a.Columns, b.Columns, [.. found.Select(blocks => blocks.ToArray())]);
        }
        finally
        {
            _comparing.Leave();
        }

        SqlInput Table(string name, RunInfo run, StepInfo step) => new(name, step.Columns, StepTables.ReadAllAsync(files, StepTables.Name(run.Pinned.Id, step), step.Batches, null, stop));
    }

    private async Task<(StepOutcome? Outcome, StepFault? Fault)> DoAsync(RunInfo run, int place, RunningStep work)
    {
        var step = run.Pinned.Spec.Steps[place];
        var (pulled, notes) = (new List<PinnedInput>(), new List<StepNote>());
        var had = false;
        using var timed = CancellationTokenSource.CreateLinkedTokenSource(work.Stopped);
        try
        {
            await _turns.EnterAsync(run.Pinned.Spec.Agency, work.Stopped);
            had = true;
            timed.CancelAfter(options.Value.StepTime);
            var info = run.Steps[place];
            // What an earlier activation of this attempt left; none has begun it but this.
            await files.DeleteAsync(StepTables.Name(run.Pinned.Id, info), timed.Token);
            await pulls.TakeAsync(run, pulled, notes, timed.Token);
            if (pulled.Count > 0) run = run with { Pinned = run.Pinned with { Inputs = [.. run.Pinned.Inputs, .. pulled] } };
            var outcome = await DoAsync(run, step, info, work, timed.Token);
            return (outcome with { Pulled = [.. pulled], Notes = [.. notes, .. outcome.Notes], IsPersonal = outcome.IsPersonal || JobRules.IsNaming(run.Pinned.Spec, step.Id) }, null);
        }
        catch (OperationCanceledException) when (work.Stopped.IsCancellationRequested)
        {
            return Failed(new(new("Beendet.", "Ended."), true, []));
        }
        catch (OperationCanceledException) when (timed.IsCancellationRequested)
        {
            return Failed(new(new(
                $"Der Schritt dauerte länger als {options.Value.StepTime} (DataHub:Pipelines:StepTime).", $"The step took longer than {options.Value.StepTime} (DataHub:Pipelines:StepTime)."), false, []));
        }
        catch (StepException e)
        {
            return Failed(new(e.Reason, e.IsTransient, e.Notes) { Kept = e.Kept });
        }
        catch (SqlRefusedException e)
        {
            return Failed(new(e.Reason, false, []));
        }
        catch (Exception e)
        {
            LogBroken(e, run.Pinned.Id, step.Id);
            return Failed(new(new(
                "Ein Teil des Hubs antwortete nicht oder tat es falsch; Näheres steht im Protokoll des Servers.", "A part of the hub did not answer, or wrongly; the server's log says more."), true, []));
        }
        finally
        {
            if (had) _turns.Leave();
        }

        (StepOutcome?, StepFault?) Failed(StepFault fault) => (null, fault with { Pulled = [.. pulled], Notes = [.. notes, .. fault.Notes] });
    }

    private Task<StepOutcome> DoAsync(RunInfo run, StepSpec step, StepInfo info, RunningStep work, CancellationToken stop) => step switch
    {
        { Read: { } read } when read.Format() is not null => ReadFileAsync(run, step, info, work, stop),
        { Read: not null } => ReadDatasetAsync(run, step, info, work, stop),
        { Check: not null } => CheckAsync(run, step, work, stop),
        { Transform: { } transform } => ComputeAsync(run, step, info, Inputs(run, transform.Inputs, work, stop), transform.Sql, work, stop),
        { Pseudonymise: not null } => PseudonymiseAsync(run, step, info, work, stop),
        { Place: not null } => PlaceAsync(run, step, info, work, stop),
        { Aggregate: not null } => AggregateAsync(run, step, info, work, stop),
        { Recipe: not null } => CookAsync(run, step, info, work, stop),
        { Write: not null } => WriteAsync(run, step, work, stop),
        { Publish: not null } => PublishAsync(run, step),
        _ => throw new StepException(new($"Die Art des Schritts „{step.Id}“ ist unbekannt.", $"The kind of step “{step.Id}” is unknown.")),
    };

    private async Task<StepOutcome> ReadFileAsync(RunInfo run, StepSpec step, StepInfo info, RunningStep work, CancellationToken stop)
    {
        var input = run.Pinned.Inputs.Single(one => one.Step == step.Id);
        TableWriter? table = null;
        try
        {
            var bytes = 0L;
            var report = await fileTables.ReadAsync(
                UploadedFileGrain.Content(input.File!), input.Name!, step.Read!.Format()!,
                columns => table = New(run, info, columns),
                async rows =>
                {
                    work.Read(rows.Count);
                    await table!.AppendAsync(rows, stop);
                    work.Made(rows.Count);
                },
                read =>
                {
                    bytes = read;
                    work.Progress(read, input.Length);
                },
                stop);
            if (bytes != input.Length)
                throw new StepException(new($"Die Datei „{input.Name}“ wurde gelöscht, während sie gelesen wurde ({bytes} von {input.Length} Byte).", $"The file “{input.Name}” was deleted while it was read ({bytes} of {input.Length} bytes)."));
            return await CompleteAsync(table!, work, stop) with { Notes = report.Notes, Format = report.Format };
        }
        finally
        {
            table?.Dispose();
        }
    }

    private async Task<StepOutcome> ReadDatasetAsync(RunInfo run, StepSpec step, StepInfo info, RunningStep work, CancellationToken stop)
    {
        var input = run.Pinned.Inputs.Single(one => one.Step == step.Id);
        var caller = JobRules.Acting(run.Pinned.Job, run.Pinned.Spec);
        if (!Watermark.TryParse(input.Watermark, out var watermark)) throw new InvalidDataException($"the watermark of step {step.Id} is not readable");
        // What goes in another's shadow brings nothing to anybody.
        if (run.Pinned.ShadowOf is null) await NoteAsync(run, input.Dataset!, new(run.Pinned.Job, new(run.Pinned.Id, step.Id), input.Watermark));
        var dataset = await datasets.OpenAsync(caller, input.Dataset!, input.Contract);
        using var table = New(run, info, dataset.Columns);
        await foreach (var rows in datasets.ReadAsync(dataset, caller, watermark!, RunRules.Span(step.Read!, run.Pinned.Period), stop))
        {
            work.Read(rows.Count);
            await table.AppendAsync(rows, stop);
            work.Made(rows.Count);
        }

        return await CompleteAsync(table, work, stop) with { IsPersonal = dataset.IsPersonal };
    }

    /// <summary>A table that is the answer to a statement.</summary>
    /// <param name="question">A second statement over the same rows, whose answer is one row; null: none.</param>
    private async Task<StepOutcome> ComputeAsync(RunInfo run, StepSpec step, StepInfo info, IReadOnlyList<SqlInput> inputs, string statement, RunningStep work, CancellationToken stop, string? question = null, Action<RowBlock>? answered = null)
    {
        TableWriter? table = null;
        try
        {
            await sql.RunAsync(
                inputs, question is null ? [statement] : [statement, question], Limits(),
                (asked, columns) =>
                {
                    if (asked == 0) table = New(run, info, columns);
                    return Task.CompletedTask;
                },
                async (asked, rows) =>
                {
                    if (asked > 0)
                    {
                        answered!(rows);
                        return;
                    }

                    await table!.AppendAsync(rows, stop);
                    work.Made(rows.Count);
                },
                stop);
            return await CompleteAsync(table!, work, stop) with
            {
                IsPersonal = IsPersonal(run, step),
                Notes = run.Pinned.Engine == sql.Version ? [] : [new("warning", new($"Gerechnet mit {sql.Version}; festgelegt war {run.Pinned.Engine}.", $"Computed by {sql.Version}; {run.Pinned.Engine} was pinned."))],
            };
        }
        finally
        {
            table?.Dispose();
        }
    }

    private async Task<StepOutcome> CookAsync(RunInfo run, StepSpec step, StepInfo info, RunningStep work, CancellationToken stop)
    {
        var tables = new Dictionary<string, RecipeTable>(StringComparer.Ordinal);
        foreach (var input in step.Inputs.Distinct())
        {
            var made = run.Steps.Single(one => one.Id == input);
            if (made.RowsOut * made.Columns.Length > MostCells)
                throw new StepException(new($"Ein Rezept rechnet über höchstens {MostCells} Zellen; „{input}“ hat mehr. Vorher auf die nötigen Spalten beschränken.", $"A recipe is calculated over at most {MostCells} cells; “{input}” has more. Keep the columns that are needed first."));
            if (made.RowsOut > RecipeLimits.Rows)
                throw new StepException(new($"Ein Rezept rechnet über höchstens {RecipeLimits.Rows} Zeilen; „{input}“ hat {made.RowsOut}.", $"A recipe is calculated over at most {RecipeLimits.Rows} rows; “{input}” has {made.RowsOut}."));
            var blocks = new List<RowBlock>();
            await foreach (var rows in StepTables.ReadAllAsync(files, StepTables.Name(run.Pinned.Id, made), made.Batches, work.Read, stop)) blocks.Add(rows);
            tables[input] = new(made.Columns, blocks);
        }

        var result = RecipeSteps.Compute(step.Recipe!, tables);
        using var table = New(run, info, result.Columns);
        await table.AppendAsync(result.Rows, stop);
        work.Made(result.Rows.Count);
        return await CompleteAsync(table, work, stop) with { IsPersonal = IsPersonal(run, step), Notes = [.. result.Notes.Select(note => new StepNote("info", note.Text))] };
    }

    private async Task<StepOutcome> CheckAsync(RunInfo run, StepSpec step, RunningStep work, CancellationToken stop)
    {
        var check = step.Check!;
        var columns = run.Steps.Where(one => one.State == RunState.Complete && one.Columns.Length > 0).ToDictionary(one => one.Id, one => one.Columns, StringComparer.Ordinal);
        var questions = CheckRules.Questions(check, columns);
        var found = new List<RowBlock>[questions.Count];
        for (var i = 0; i < found.Length; i++) found[i] = [];
        // Answers go back to the places of their rules: those that ask a contract are no questions to the engine.
        int[] asked = [.. Enumerable.Range(0, questions.Count).Where(i => questions[i].Sql is not null)];
        string[] tables = asked.Length == 0 ? [] : [.. step.Inputs.Distinct()];
        var (inSql, besides) = (tables.Sum(table => Made(table).RowsOut), (questions.Count - asked.Length) * Made(check.Input).RowsOut);
        if (asked.Length > 0)
        {
            await sql.RunAsync(
                Inputs(run, tables, work, stop, besides), [.. asked.Select(i => questions[i].Sql!)], Limits() with { Rows = asked.Length },
                (question, answer) => answer[0].Type is FieldType.Integer or FieldType.Number
                    ? Task.CompletedTask
                    : throw new StepException(new($"Die Bedingung ist keine: {questions[asked[question]].Rule.Sql}", $"The condition is none: {questions[asked[question]].Rule.Sql}")),
                (question, rows) =>
                {
                    found[asked[question]].Add(rows);
                    return Task.CompletedTask;
                },
                stop);
        }

        var tried = await TryAsync(run, check, work, asked.Length == 0, inSql, inSql + besides, stop);
        var withExample = !IsPersonal(run, step);
        var before = await BeforeAsync(run, step);
        double?[] measures = [.. questions.Select((question, i) => question.Rule.Drift is null ? null : CheckRules.Measured(found[i].FirstOrDefault()))];
        StepNote?[] answers = [.. questions.Select((question, i) => tried[i] is { } by ? CheckRules.Answer(question.Rule, by, withExample) : CheckRules.Answer(question, found[i].FirstOrDefault(), i < before.Length ? before[i] : null, withExample))];
        StepNote[] notes = [.. answers.OfType<StepNote>()];
        bool[] kept = [.. answers.Select((answer, i) => tried[i]?.IsKept ?? answer is null)];
        var blocking = notes.Count(note => note.Severity == "error");
        if (blocking > 0)
        {
            var first = notes.First(note => note.Severity == "error").Text;
            throw new StepException(blocking == 1
                ? first
                : new($"{first.De} Und {blocking - 1} weitere Prüfungen.", $"{first.In("en")} And {blocking - 1} other checks."))
            { Notes = notes, Kept = kept };
        }

        return new() { RowsIn = work.RowsIn, RowsOut = 0, Notes = notes, Measures = measures, Kept = kept };

        StepInfo Made(string table) => run.Steps.Single(one => one.Id == table);
    }

    /// <summary>What the same step measured in the job's last complete run, if its rules were as many.</summary>
    private async Task<double?[]> BeforeAsync(RunInfo run, StepSpec step)
    {
        if (run.Pinned.Previous is not { } previous || step.Check!.Rules.All(rule => rule.Drift is null)) return [];
        var before = await grains.GetGrain<IPipelineRunGrain>(previous).GetAsync(Caller.Hub);
        return before?.Steps.FirstOrDefault(one => one.Id == step.Id) is { } then && then.Measures.Length == step.Check.Rules.Length ? then.Measures : [];
    }

    private async Task<StepOutcome> WriteAsync(RunInfo run, StepSpec step, RunningStep work, CancellationToken stop)
    {
        var write = step.Write!;
        var input = run.Steps.Single(one => one.Id == write.Input);
        if (input.RowsOut == 0) return new() { Notes = [new("warning", new("Die Tabelle ist leer: nichts wurde geschrieben.", "The table is empty: nothing was written."))] };
        if (run.Pinned.ShadowOf is not null)
        {
            work.Read((int)Math.Min(input.RowsOut, int.MaxValue));
            return new() { RowsIn = input.RowsOut, Notes = [new("info", new($"Schattenlauf: {input.RowsOut} Zeilen wären geschrieben worden; geschrieben wurde nichts.", $"Shadow run: {input.RowsOut} rows would have been written; nothing was."))] };
        }

        var name = StepTables.Name(run.Pinned.Id, input);
        var written = await target.WriteAsync(
            new(JobRules.Acting(run.Pinned.Job, run.Pinned.Spec), write.Dataset, write.Feed, new(run.Pinned.Id, step.Id), input.Sha256!, input.Columns, input.RowsOut, input.Batches,
                async batch =>
                {
                    var rows = await StepTables.ReadAsync(files, name, batch, stop);
                    work.Read(rows.Count);
                    return rows;
                }),
            rows => work.Progress(rows, input.RowsOut), stop);
        var counts = written.Counts;
        await NoteAsync(run, write.Dataset, new(run.Pinned.Job, new(run.Pinned.Id, step.Id), written.Watermark) { Receipt = written.Receipt, Accepted = counts.Accepted });
        var notes = new List<StepNote>
        {
            new("info", new(
                $"{counts.Accepted} Zeilen angenommen, {counts.Duplicate} standen schon so da, {counts.Quarantined} in Quarantäne.", $"{counts.Accepted} rows accepted, {counts.Duplicate} stood there already, {counts.Quarantined} in quarantine.")),
        };
        foreach (var error in written.Errors.Take(20))
            notes.Add(new("warning", new($"Zeile {error.Row}, {error.Field}: {error.Code} {error.Expected} {error.Value}", $"Row {error.Row}, {error.Field}: {error.Code} {error.Expected} {error.Value}")));
        if (counts.Quarantined > write.MaxQuarantined)
        {
            throw new StepException(new(
                $"{counts.Quarantined} Zeilen nimmt der Datensatz „{write.Dataset}“ nicht; sie stehen in Quarantäne (Beleg {written.Receipt}), erlaubt sind {write.MaxQuarantined} (maxQuarantined).",
                $"The dataset “{write.Dataset}” does not take {counts.Quarantined} rows; they are in quarantine (receipt {written.Receipt}), {write.MaxQuarantined} are allowed (maxQuarantined)."))
            { Notes = [.. notes] };
        }

        return new() { RowsIn = counts.Received, RowsOut = counts.Accepted, Receipt = written.Receipt, Watermark = written.Watermark, Notes = [.. notes] };
    }

    private async Task<StepOutcome> PublishAsync(RunInfo run, StepSpec step)
    {
        var dataset = step.Publish!.Dataset;
        if (run.Pinned.ShadowOf is not null) return new() { Notes = [new("info", new($"Schattenlauf: „{dataset}“ wurde nicht freigegeben.", $"Shadow run: “{dataset}” was not released."))] };
        var caller = JobRules.Acting(run.Pinned.Job, run.Pinned.Spec);
        var result = await grains.GetGrain<IDatasetGrain>(dataset).GetAsync(caller) is { State: ReleaseState.Available }
            ? new(CatalogRefusal.None, null, null)
            : await grains.GetGrain<IDatasetGrain>(dataset).MoveAsync(caller, ReleaseState.Available);
        if (result.Refusal == CatalogRefusal.None) return new();
        var missing = result.Checks.Where(check => check is { Required: true, Fulfilled: false }).Select(check => check.Text).ToArray();
        throw new StepException(
            new(
                $"„{dataset}“ ließ sich nicht freigeben: {result.Detail?.De} {string.Join(" ", missing.Select(text => text.De))}".TrimEnd(),
                $"“{dataset}” could not be released: {result.Detail?.In("en")} {string.Join(" ", missing.Select(text => text.In("en")))}".TrimEnd()),
            isTransient: result.Refusal == CatalogRefusal.Unavailable);
    }

    /// <param name="besides">Rows that the step reads afterwards.</param>
    private List<SqlInput> Inputs(RunInfo run, IReadOnlyList<string> tables, RunningStep work, CancellationToken stop, long besides = 0)
    {
        var steps = tables.Select(table => run.Steps.Single(step => step.Id == table)).ToArray();
        var of = steps.Sum(step => step.RowsOut) + besides;
        return [.. steps.Select(step => new SqlInput(step.Id, step.Columns, ReadAsync(run, step, work, of, stop)))];
    }

    /// <summary>Before the step is done, so that none is ever missing.</summary>
    private Task NoteAsync(RunInfo run, string dataset, LineageUse use) =>
        grains.GetGrain<IDatasetLineageGrain>(dataset).NoteRunAsync(Caller.Hub, LineageRules.Of(run.Pinned.Job, run.Pinned.Spec).Single(one => one.Dataset == dataset).Job, use);

    /// <summary>The rows of an earlier step's table.</summary>
    /// <param name="of">Rows that are read in all.</param>
    private IAsyncEnumerable<RowBlock> ReadAsync(RunInfo run, StepInfo step, RunningStep work, long of, CancellationToken stop) => StepTables.ReadAllAsync(
        files, StepTables.Name(run.Pinned.Id, step), step.Batches,
        rows =>
        {
            work.Read(rows);
            work.Progress(work.RowsIn, of);
        },
        stop);

    /// <summary>What is made of personal fields may tell them.</summary>
    private static bool IsPersonal(RunInfo run, StepSpec step) => step.Inputs.Any(input => run.Steps.Single(one => one.Id == input).IsPersonal);

    private SqlLimits Limits() => new((long)options.Value.SqlMemoryMiB << 20, (long)options.Value.SqlDiskMiB << 20, options.Value.SqlTime, options.Value.MaxRows);

    private TableWriter New(RunInfo run, StepInfo step, TableColumn[] columns) => new(files, StepTables.Name(run.Pinned.Id, step), columns, options.Value.MaxRows);

    private static async Task<StepOutcome> CompleteAsync(TableWriter table, RunningStep work, CancellationToken stop)
    {
        var hash = await table.CompleteAsync(stop);
        return new() { RowsIn = work.RowsIn, RowsOut = table.Rows, Columns = table.Columns, Batches = table.Batches, Sha256 = hash };
    }

    [LoggerMessage(4030, LogLevel.Error, "Run {Run}: step {Step} broke")]
    private partial void LogBroken(Exception exception, string run, string step);
}
