using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Governance;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DataHub.Pipelines;

[GrainType("datahub.pipeline-run")]
internal sealed partial class PipelineRunGrain(
    [PersistentState("pipeline-run", "state")] IPersistentState<PipelineRunState> state,
    StepRunner runner,
    IFileStore files,
    AuditTrail trail,
    IOptions<PipelineOptions> options,
    TimeProvider time,
    ILogger<PipelineRunGrain> logger) : Grain, IPipelineRunGrain
{
    /// <summary>Rows of two tables that are compared at once.</summary>
    private const long MostCompared = 2_000_000;

    /// <summary>How often it is looked whether something is to be done that nobody told of.</summary>
    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(1);

    private StoredState<PipelineRunState> _stored = null!;
    private RunningStep? _work;

    /// <summary>What was stopped, and may still write.</summary>
    private Task? _stopped;

    private IGrainTimer? _timer;

    private string Id => this.GetPrimaryKeyString();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        if (_stored.Value is { Run: not null, Told: false, Begun: true }) Look();
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        // The next activation begins the step anew; what this one makes of it counts for nothing.
        _work?.Stop();
        return Task.CompletedTask;
    }

    public async Task OrderAsync(Caller caller, PinnedRun pinned)
    {
        OnlyTheHub(caller);
        if (_stored.Value.Run is null) await _stored.StoreAsync(new(RunRules.Waiting(pinned), 0, 0, false));
    }

    public async Task<bool> ForgetTablesAsync(Caller caller)
    {
        OnlyTheHub(caller);
        if (_stored.Value.Run is not { } run) return true;
        if (!_stored.Value.Told) return false;
        // Said first: nobody reads a table of which half is gone.
        if (!_stored.Value.TablesGone) await _stored.StoreAsync(_stored.Value with { TablesGone = true, Run = run with { Steps = Array.ConvertAll(run.Steps, step => step with { Notes = [] }) } });
        await runner.DeleteAsync(run);
        return true;
    }

    public async Task<RunErased> EraseAsync(Caller caller, RowsErased rows)
    {
        OnlyTheHub(caller);
        if (_stored.Value.Run is not { } run || !RunErasureRules.Reaches(run, rows)) return new(true, false);
        if (!RunRules.IsOver(run.State))
        {
            await _stored.StoreAsync(RunRules.Abort(_stored.Value, RunErasureRules.Ended(rows.Dataset), time.GetUtcNow()));
            await StopAsync();
            LogEnded(Id, run.Pinned.Job, RunState.Abort, "rows that it had read were erased");
        }

        // What was stopped must not write after the deletion, and nobody opens a run again that is not told of.
        if (!_stored.Value.Told) Look();
        if (!_stored.Value.Told || _stopped is { IsCompleted: false }) return new(false, true);
        run = _stored.Value.Run;
        // Said first: nobody reads a table of which half is gone.
        if (!_stored.Value.TablesGone || RunErasureRules.HasWords(run))
            await _stored.StoreAsync(_stored.Value with { TablesGone = true, Run = RunErasureRules.Erased(run, rows, _stored.Value.TablesGone, time.GetUtcNow()) });
        await runner.DeleteAsync(run);
        LogErased(Id, run.Pinned.Job, rows.Dataset);
        return RunErasureRules.Of(run, rows);
    }

    public async Task<bool> WakeAsync(Caller caller, string job)
    {
        OnlyTheHub(caller);
        if (_stored.Value.Run is null)
        {
            if (await GrainFactory.GetGrain<IPipelineJobGrain>(job).OrderAsync(Caller.Hub, Id) is not { } pinned)
            {
                await CloseAsync();
                return true;
            }

            await _stored.StoreAsync(new(RunRules.Waiting(pinned), 0, 0, false) { Begun = true });
        }

        if (_stored.Value.Told)
        {
            // Whoever asks may believe it to be open: a death may lie between what two grains stored.
            await GrainFactory.GetGrain<IPipelineJobGrain>(job).EndedAsync(Caller.Hub, Id, _stored.Value.Run!.State);
            await CloseAsync();
            return true;
        }

        if (!_stored.Value.Begun) await _stored.StoreAsync(_stored.Value with { Begun = true });
        Look();
        return false;
    }

    public Task<RunInfo?> GetAsync(Caller caller)
    {
        if (_stored.Value.Run is not { } run || !AccessRules.May(caller, AccessRights.ReadReceipts, run.Pinned.Spec.Holding)) return Task.FromResult<RunInfo?>(null);
        if (_work is { } work && work.Step < run.Steps.Length && run.Steps[work.Step] is { State: RunState.Running } step)
            run = run with { Steps = [.. run.Steps[..work.Step], step with { RowsIn = work.RowsIn, RowsOut = work.RowsOut, Share = work.Share }, .. run.Steps[(work.Step + 1)..]] };
        return Task.FromResult<RunInfo?>(run);
    }

    public async Task<RunResult> AbortAsync(Caller caller, string reason)
    {
        if (await GetAsync(caller) is not { } run) return new(CatalogRefusal.NotFound, null, null);
        if (!AccessRules.May(caller, AccessRights.Push, run.Pinned.Spec.Holding)) return new(CatalogRefusal.Forbidden, null, AccessRules.Missing(AccessRights.Push, run.Pinned.Spec.Holding));
        if (RunRules.IsOver(run.State)) return new(CatalogRefusal.Conflict, run, new("Der Lauf ist schon zu Ende.", "The run has ended already."));
        if (!_stored.Value.Begun) await _stored.StoreAsync(_stored.Value with { Begun = true });
        await _stored.StoreAsync(RunRules.Abort(_stored.Value, new($"Beendet von {caller.Subject}: {reason}", $"Ended by {caller.Subject}: {reason}"), time.GetUtcNow()));
        await StopAsync();
        LogEnded(Id, run.Pinned.Job, RunState.Abort, reason);
        Look();
        return new(CatalogRefusal.None, await GetAsync(caller), null);
    }

    public async Task<RunResult> ResumeAsync(Caller caller)
    {
        if (await GetAsync(caller) is not { } run) return new(CatalogRefusal.NotFound, null, null);
        if (!AccessRules.May(caller, AccessRights.Push, run.Pinned.Spec.Holding)) return new(CatalogRefusal.Forbidden, null, AccessRules.Missing(AccessRights.Push, run.Pinned.Spec.Holding));
        if (run.State is not (RunState.Fail or RunState.Abort)) return new(CatalogRefusal.Conflict, run, new("Fortsetzen lässt sich nur, was gescheitert oder abgebrochen ist.", "Only what failed or was ended can be resumed."));
        if (_stored.Value.TablesGone)
            return new(CatalogRefusal.Conflict, run, new("Die Tabellen dieses Laufs sind nicht mehr aufbewahrt; einen neuen starten.", "The tables of this run are not kept any more; start a new one."));
        if (!_stored.Value.Told) await TellAsync(run);
        if (!await GrainFactory.GetGrain<IPipelineJobGrain>(run.Pinned.Job).ReopenAsync(Caller.Hub, run.Pinned))
            return new(CatalogRefusal.Conflict, run, new("Ein anderer Lauf dieses Jobs ist unterwegs oder wartet; danach fortsetzen.", "Another run of this job is under way or waits; resume after it."));
        await GrainFactory.GetGrain<IOpenRunsGrain>(RunRules.PartOf(Id)).OpenAsync(Caller.Hub, new(Id, run.Pinned.Job));
        await _stored.StoreAsync(RunRules.Resume(_stored.Value, time.GetUtcNow()));
        LogResumed(Id, run.Pinned.Job, caller.Subject);
        Look();
        return new(CatalogRefusal.None, await GetAsync(caller), null);
    }

    public async Task AdvanceAsync(Caller caller)
    {
        OnlyTheHub(caller);
        while (_stored.Value.Run is { } run)
        {
            if (RunRules.IsOver(run.State))
            {
                if (!_stored.Value.Told) await TellAsync(run);
                return;
            }

            var step = RunRules.Current(run);
            if (_work is null)
            {
                var now = time.GetUtcNow();
                if (run.Steps[step].Again > now) return;
                await _stored.StoreAsync(RunRules.Begin(_stored.Value, step, now, options.Value.MaxDeaths));
                if (RunRules.IsOver(_stored.Value.Run!.State)) continue;
                if (run.Steps[step].State == RunState.Running) LogBegunAgain(Id, run.Steps[step].Id, _stored.Value.Run.Steps[step].Attempts);
                var self = this.AsReference<IPipelineRunGrain>();
                _work = runner.Begin(_stored.Value.Run, step, () => self.AdvanceAsync(Caller.Hub));
                return;
            }

            if (!_work.Task.IsCompleted) return;
            var (outcome, fault) = await _work.Task;
            _work = null;
            if (outcome is not null)
            {
                await _stored.StoreAsync(RunRules.Complete(_stored.Value, step, outcome, time.GetUtcNow()));
                LogStepDone(Id, run.Steps[step].Id, outcome.RowsIn, outcome.RowsOut);
            }
            else
            {
                await _stored.StoreAsync(RunRules.Fail(_stored.Value, step, fault!, run.Pinned.Spec.Steps[step].Retries, time.GetUtcNow()));
                LogStepFailed(Id, run.Steps[step].Id, fault!.Reason.In("en"), _stored.Value.Run!.Steps[step].Again);
            }
        }
    }

    public async Task<StepInfo?> TableAsync(Caller caller, string step)
    {
        if (_stored.Value is not { Run: { } run, TablesGone: false } || AccessRules.Decide(caller, AccessRights.ReadRows, run.Pinned.Spec.Holding) is not { IsAllowed: true } decision) return null;
        if (Array.Find(run.Steps, one => one.Id == step && one is { State: RunState.Complete, Columns.Length: > 0 }) is not { } table || !MaySee(caller, run, table)) return null;
        // Durable before the first row is given.
        await trail.RecordAsync(AuditEvents.Of(
            time.GetUtcNow(), caller, AuditEvents.RowsRead, run.Pinned.Spec.Agency, $"run:{Id}", AuditOutcome.Done,
            ("because", ContractWords.Of(decision.Because)), ("reference", decision.Reference), ("rows", table.RowsOut.ToString(System.Globalization.CultureInfo.InvariantCulture)), ("through", step)));
        return table;
    }

    public async Task<DifferenceResult> DifferencesAsync(Caller caller, DifferenceQuery query)
    {
        if (_stored.Value.Run is not { } run || !AccessRules.May(caller, AccessRights.ReadRows, run.Pinned.Spec.Holding)) return new(CatalogRefusal.NotFound, null);
        if ((query.With ?? run.Pinned.ShadowOf ?? run.Pinned.Repeats) is not { } with) return Wrong(CatalogRefusal.Invalid, "with: Mit welchem Lauf wird verglichen?", "with: Which run is it compared with?");
        var write = run.Pinned.Spec.Steps.FirstOrDefault(step => step.Write is not null && (query.Step is null || step.Write.Input == query.Step))?.Write;
        if ((query.Step ?? write?.Input ?? run.Pinned.Spec.Steps.LastOrDefault(step => step.MakesTable)?.Id) is not { } step) return Wrong(CatalogRefusal.Invalid, "step: Der Job macht keine Tabelle.", "step: The job makes no table.");
        var key = query.Key ?? (write is not null && await GrainFactory.GetGrain<IDatasetGrain>(write.Dataset).GetAsync(Caller.Hub) is { } dataset ? dataset.Spec.Schema.PrimaryKey : null);
        if (with == Id) return Wrong(CatalogRefusal.Invalid, "with: Das ist derselbe Lauf.", "with: That is the same run.");
        if (key is null) return Wrong(CatalogRefusal.Invalid, "key: Welche Spalten machen eine Zeile aus?", "key: Which columns make out a row?");
        if (await TableAsync(caller, step) is not { } mine) return Wrong(CatalogRefusal.NotFound, $"Eine Tabelle von „{step}“ hat dieser Lauf nicht (mehr).", $"This run has no table of “{step}” (any more).");
        var other = ReceiptIds.IsValid(with) ? GrainFactory.GetGrain<IPipelineRunGrain>(with) : null;
        if (other is null || await other.TableAsync(caller, step) is not { } theirs || await other.GetAsync(Caller.Hub) is not { } earlier)
            return Wrong(CatalogRefusal.Invalid, $"with: Einen Lauf „{with}“ mit einer Tabelle von „{step}“ gibt es nicht (mehr).", $"with: There is no run “{with}” with a table of “{step}” (any more).");
        if (mine.RowsOut + theirs.RowsOut > MostCompared)
            return Wrong(CatalogRefusal.TooMany, $"Verglichen werden höchstens {MostCompared} Zeilen auf einmal; beide Tabellen zusammen haben {mine.RowsOut + theirs.RowsOut}.", $"At most {MostCompared} rows are compared at once; both tables together have {mine.RowsOut + theirs.RowsOut}.");
        if (TableDifferences.Fault(key, theirs.Columns, mine.Columns) is { } fault) return new(CatalogRefusal.Invalid, fault);
        try
        {
            return new(CatalogRefusal.None, null) { With = with, Step = step, Differences = await runner.CompareAsync(earlier, run, theirs, mine, key) };
        }
        catch (OperationCanceledException)
        {
            return Wrong(CatalogRefusal.Unavailable, "Gerade wird anderes verglichen; gleich noch einmal fragen.", "Something else is being compared just now; ask again soon.");
        }
        catch (StepException e)
        {
            return new(CatalogRefusal.Invalid, e.Reason);
        }
        catch (SqlRefusedException e)
        {
            return new(CatalogRefusal.Invalid, e.Reason);
        }

        static DifferenceResult Wrong(CatalogRefusal refusal, string de, string en) => new(refusal, new(de, en));
    }

    public Task<byte[]?> OutputAsync(Caller caller, string step, int batch)
    {
        if (_stored.Value is not { Run: { } run, TablesGone: false } || !AccessRules.May(caller, AccessRights.ReadRows, run.Pinned.Spec.Holding)) return Task.FromResult<byte[]?>(null);
        return Array.Find(run.Steps, one => one.Id == step) is { State: RunState.Complete } found && MaySee(caller, run, found) && batch >= 0 && batch < found.Batches
            ? StepTables.ReadBytesAsync(files, StepTables.Name(Id, found), batch, CancellationToken.None)
            : Task.FromResult<byte[]?>(null);
    }

    /// <summary>As in the rows of a dataset, personal fields are for those who may see receipts and quarantine too.</summary>
    private static bool MaySee(Caller caller, RunInfo run, StepInfo table) => !table.IsPersonal || AccessRules.May(caller, AccessRights.ReadReceipts, run.Pinned.Spec.Holding);

    /// <summary>The job, then nobody need ask for it any more.</summary>
    private async Task TellAsync(RunInfo run)
    {
        await GrainFactory.GetGrain<IPipelineJobGrain>(run.Pinned.Job).EndedAsync(Caller.Hub, Id, run.State);
        await runner.CleanAsync(run);
        await _stored.StoreAsync(_stored.Value with { Told = true });
        await CloseAsync();
        _timer?.Dispose();
        _timer = null;
        if (run.State != RunState.Abort) LogEnded(Id, run.Pinned.Job, run.State, run.Cause?.In("en"));
    }

    /// <summary>Nobody need ask for it any more.</summary>
    private Task CloseAsync() => GrainFactory.GetGrain<IOpenRunsGrain>(RunRules.PartOf(Id)).CloseAsync(Caller.Hub, Id);

    private async Task StopAsync()
    {
        if (_work is not { } work) return;
        _work = null;
        _stopped = work.Task;
        work.Stop();
        // What it still does counts for nothing; it must not go on while the step is begun anew.
        await Task.WhenAny(work.Task, Task.Delay(TimeSpan.FromSeconds(5)));
    }

    private void Look()
    {
        if (_timer is not null)
        {
            _timer.Change(TimeSpan.Zero, s_look);
            return;
        }

        _timer = this.RegisterGrainTimer(
            async _ =>
            {
                try
                {
                    await AdvanceAsync(Caller.Hub);
                }
                catch (Exception e)
                {
                    LogNotAdvanced(e, Id);
                }
            },
            new GrainTimerCreationOptions(TimeSpan.Zero, s_look) { KeepAlive = true });
    }

    private static void OnlyTheHub(Caller caller)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the hub itself moves runs");
    }

    [LoggerMessage(4020, LogLevel.Information, "Run {Run} of job {Job}: {State}; {Cause}")]
    private partial void LogEnded(string run, string job, RunState state, string? cause);

    [LoggerMessage(4021, LogLevel.Information, "Run {Run} of job {Job} is resumed by {By}")]
    private partial void LogResumed(string run, string job, string by);

    [LoggerMessage(4022, LogLevel.Warning, "Run {Run}: step {Step} is begun again, its silo is gone; attempt {Attempt}")]
    private partial void LogBegunAgain(string run, string step, int attempt);

    [LoggerMessage(4023, LogLevel.Information, "Run {Run}: step {Step} is done; {RowsIn} rows in, {RowsOut} out")]
    private partial void LogStepDone(string run, string step, long rowsIn, long rowsOut);

    [LoggerMessage(4024, LogLevel.Warning, "Run {Run}: step {Step} failed: {Reason}; it is tried again at {Again}")]
    private partial void LogStepFailed(string run, string step, string reason, DateTimeOffset? again);

    [LoggerMessage(4026, LogLevel.Information, "Run {Run} of job {Job}: its tables were deleted, because rows of {Dataset} were erased")]
    private partial void LogErased(string run, string job, string dataset);

    [LoggerMessage(4025, LogLevel.Warning, "Run {Run} could not be moved on; it is tried again in a second")]
    private partial void LogNotAdvanced(Exception exception, string run);
}
