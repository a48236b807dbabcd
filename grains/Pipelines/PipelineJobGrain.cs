using System.Text.Json;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Governance;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DataHub.Pipelines;

[GrainType("datahub.pipeline-job")]
internal sealed partial class PipelineJobGrain(
    [PersistentState("pipeline-job", "state")] IPersistentState<PipelineJobState> state,
    ISqlEngine sql,
    JobSql jobSql,
    DatasetWatermarks watermarks,
    IOptions<PipelineOptions> options,
    IOptions<AuditOptions> audit,
    AuditTrail trail,
    TimeProvider time,
    ILogger<PipelineJobGrain> logger) : Grain, IPipelineJobGrain, IOutboxGrain
{
    private StoredState<PipelineJobState> _stored = null!;
    private Outbox<PipelineJobState> _outbox = null!;

    /// <summary>How often in a row a shadow that is owed could not be added.</summary>
    private int _withoutShadow;

    private string Id => this.GetPrimaryKeyString();

    private JobSpec? Spec => _stored.Value.Current == 0 ? null : _stored.Value.Versions[_stored.Value.Current - 1].Spec;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        _outbox = new(_stored, trail, audit.Value, this, logger);
        _outbox.Start();
        return Task.CompletedTask;
    }

    public Task<JobResult> PutAsync(Caller caller, JobSpec spec) => PutAsync(caller, spec, isDraft: false);

    public Task<JobResult> DraftAsync(Caller caller, JobSpec spec) => PutAsync(caller, spec, isDraft: true);

    private async Task<JobResult> PutAsync(Caller caller, JobSpec spec, bool isDraft)
    {
        var known = Spec;
        // Whoever may not know of a job is told that of his own agency's nothing is there.
        if (!CatalogIds.IsValid(spec.Agency) || !AccessRules.May(caller, AccessRights.EditDefinitions, known?.Holding ?? spec.Holding))
            return new(CatalogRefusal.Forbidden, null, AccessRules.Missing(AccessRights.EditDefinitions, spec.Holding));
        if (JobRules.Problems(spec) is { Count: > 0 } problems) return new(CatalogRefusal.Invalid, null, null) { Problems = [.. problems] };
        if (known is not null && (known.Agency != spec.Agency || known.Dataspace != spec.Dataspace))
            return new(CatalogRefusal.Conflict, null, new("agency und dataspace eines Jobs bleiben; dafür einen neuen anlegen.", "agency and dataspace of a job stay; make a new one instead."));
        if (await GrainFactory.GetGrain<IAgencyGrain>(spec.Agency).GetAsync(Caller.Hub) is null)
            return Invalid("agency", new($"Eine Behörde „{spec.Agency}“ gibt es nicht.", $"There is no agency “{spec.Agency}”."));
        if (spec.Dataspace is { } dataspace && (await GrainFactory.GetGrain<IDataspaceGrain>(dataspace).GetAsync(Caller.Hub) is not { } space || space.Spec.Owner != spec.Agency))
            return Invalid("dataspace", new($"Einen Datenraum „{dataspace}“ von „{spec.Agency}“ gibt es nicht.", $"There is no dataspace “{dataspace}” of “{spec.Agency}”."));
        if (await MayDoAsync(caller, spec) is { } missing) return missing;
        if (await RunPins.ProblemsAsync(GrainFactory, spec, options.Value.PullHosts) is { Length: > 0 } wanting) return new(CatalogRefusal.Invalid, null, null) { Problems = wanting };
        if (isDraft && known is null) return Invalid("", new("Einen Job ohne geltende Fassung gibt es nicht; die erste ohne draft anlegen.", "There is no job without a current version; put the first one without draft."));
        if (known is not null && Same(isDraft ? _stored.Value.Versions[^1].Spec : known, spec)) return new(CatalogRefusal.None, Info(isDraft ? _stored.Value.Versions.Length : null), null);
        if (await jobSql.ProblemsAsync(spec, JobRules.Acting(Id, spec)) is { Length: > 0 } faults) return new(CatalogRefusal.Invalid, null, null) { Problems = faults };
        if (_stored.Value.Versions.Length >= JobLimits.Versions)
            return new(CatalogRefusal.TooMany, null, new($"Ein Job hat höchstens {JobLimits.Versions} Fassungen.", $"A job has at most {JobLimits.Versions} versions."));
        if (_outbox.IsFull) return new(CatalogRefusal.Unavailable, null, OutboxText.Full);

        if (known is null)
        {
            try
            {
                await GrainFactory.GetGrain<ICatalogGrain>(CatalogKinds.Jobs).AddAsync(Caller.Hub, Id);
            }
            catch (CatalogFullException e)
            {
                return new(CatalogRefusal.TooMany, null, new(e.Message, e.Message));
            }
        }

        if (!isDraft) await NoteTriggersAsync(known, spec);

        await NoteAsync(spec);
        var number = _stored.Value.Versions.Length + 1;
        var version = new JobVersion(number, time.GetUtcNow(), caller.Subject);
        var next = _stored.Value with { Versions = [.. _stored.Value.Versions, new(version, spec)] };
        if (!isDraft) next = next with { Current = number, CurrentAt = version.At, Since = await SinceAsync(spec), Shadow = null };
        await _outbox.StoreAsync(
            next, Happened(caller.Subject, spec, known is null ? AuditEvents.JobCreated : AuditEvents.JobChanged, ("version", Text(number)), ("title", spec.Title.De), ("draft", isDraft ? "true" : null)));
        LogPut(Id, number, caller.Subject);
        return new(CatalogRefusal.None, Info(number), null) { Created = known is null };

        static JobResult Invalid(string path, LocalText detail) => new(CatalogRefusal.Invalid, null, null) { Problems = [new(path, detail)] };
    }

    public Task<JobInfo?> GetAsync(Caller caller, int? version) =>
        Task.FromResult(Spec is { } spec && AccessRules.May(caller, AccessRights.ReadReceipts, spec.Holding) && version is null or >= 1 && !(version > _stored.Value.Versions.Length) ? Info(version) : null);

    public async Task<JobResult> PromoteAsync(Caller caller, int version)
    {
        if (Spec is not { } spec || !AccessRules.May(caller, AccessRights.ReadReceipts, spec.Holding)) return new(CatalogRefusal.NotFound, null, null);
        if (!AccessRules.May(caller, AccessRights.EditDefinitions, spec.Holding)) return new(CatalogRefusal.Forbidden, null, AccessRules.Missing(AccessRights.EditDefinitions, spec.Holding));
        if (version < 1 || version > _stored.Value.Versions.Length)
            return new(CatalogRefusal.Invalid, null, null) { Problems = [new("version", new($"Eine Fassung {version} gibt es nicht; die neueste ist {_stored.Value.Versions.Length}.", $"There is no version {version}; the newest is {_stored.Value.Versions.Length}."))] };
        if (await MayDoAsync(caller, _stored.Value.Versions[version - 1].Spec) is { } missing) return missing;
        if (_outbox.IsFull) return new(CatalogRefusal.Unavailable, null, OutboxText.Full);
        if (version != _stored.Value.Current)
        {
            var next = _stored.Value.Versions[version - 1].Spec;
            await NoteTriggersAsync(spec, next);
            await _outbox.StoreAsync(_stored.Value with { Current = version, CurrentAt = time.GetUtcNow(), Since = await SinceAsync(next), Shadow = null }, Happened(caller.Subject, spec, AuditEvents.JobPromoted, ("version", Text(version)), ("from", Text(_stored.Value.Current))));
            LogPromoted(Id, version, caller.Subject);
        }

        return new(CatalogRefusal.None, Info(null), null);
    }

    public async Task<JobResult> ShadowAsync(Caller caller, int? version)
    {
        if (Spec is not { } spec || !AccessRules.May(caller, AccessRights.ReadReceipts, spec.Holding)) return new(CatalogRefusal.NotFound, null, null);
        if (!AccessRules.May(caller, AccessRights.EditDefinitions, spec.Holding)) return new(CatalogRefusal.Forbidden, null, AccessRules.Missing(AccessRights.EditDefinitions, spec.Holding));
        if (version is { } number)
        {
            if (number < 1 || number > _stored.Value.Versions.Length || number == _stored.Value.Current)
                return new(CatalogRefusal.Invalid, null, null) { Problems = [new("version", new($"Eine andere Fassung als die geltende ({_stored.Value.Current}), 1 bis {_stored.Value.Versions.Length}.", $"Another version than the current one ({_stored.Value.Current}), 1 to {_stored.Value.Versions.Length}."))] };
            if (await MayDoAsync(caller, _stored.Value.Versions[number - 1].Spec) is { } missing) return missing;
        }

        if (_outbox.IsFull) return new(CatalogRefusal.Unavailable, null, OutboxText.Full);
        if (version != _stored.Value.Shadow)
            await _outbox.StoreAsync(_stored.Value with { Shadow = version }, Happened(caller.Subject, spec, AuditEvents.JobChanged, ("shadow", version is { } shadow ? Text(shadow) : "–")));
        return new(CatalogRefusal.None, Info(null), null);
    }

    public async Task<RunResult> StartAsync(Caller caller, RunOrder order)
    {
        if (Spec is not { } current || !AccessRules.May(caller, AccessRights.ReadReceipts, current.Holding)) return new(CatalogRefusal.NotFound, null, null);
        if (!AccessRules.May(caller, AccessRights.Push, current.Holding)) return new(CatalogRefusal.Forbidden, null, AccessRules.Missing(AccessRights.Push, current.Holding));
        if (!IsKnown(order.Id))
        {
            if (order.Version is { } version && version != _stored.Value.Current && !AccessRules.May(caller, AccessRights.EditDefinitions, current.Holding))
                return new(CatalogRefusal.Forbidden, null, AccessRules.Missing(AccessRights.EditDefinitions, current.Holding));
            if (order.Period is { } period && period.To <= period.From) return Refused(CatalogRefusal.Invalid, new("period: to liegt nach from.", "period: to is after from."));
            if (await AddAsync(caller, order) is { } refused) return refused;
        }

        await BeginNextAsync();
        var info = await GrainFactory.GetGrain<IPipelineRunGrain>(order.Id).GetAsync(caller);
        var stored = _stored.Value.Runs.First(run => run.Entry.Id == order.Id);
        return new(CatalogRefusal.None, info ?? (stored.Pinned is null ? null : RunRules.Waiting(stored.Pinned)), null);
    }

    public async Task<RunResult> TriggerAsync(Caller caller, RunOrder order)
    {
        OnlyTheHub(caller);
        if (Spec is not { } spec) return new(CatalogRefusal.NotFound, null, null);
        // Whoever looks after triggers has not heard of the new version yet; then he asks again.
        if (spec.Triggers?.Any(trigger => trigger.Id == order.Trigger) is not true) return new(CatalogRefusal.Unavailable, null, new("Diesen Auslöser hat die geltende Fassung nicht.", "The current version has no such trigger."));
        // An id that somebody gave a run of another job is no reason to do without this one.
        for (var n = 2; !IsKnown(order.Id) && await GrainFactory.GetGrain<IPipelineRunGrain>(order.Id).GetAsync(Caller.Hub) is { } other && other.Pinned.Job != Id; n++)
            order = order with { Id = ReceiptIds.Of(order.Period?.To ?? other.Pinned.At, $"{order.Id}\n{n}") };
        if (!IsKnown(order.Id) && await AddAsync(caller, order) is { } refused) return refused;
        await BeginNextAsync();
        return new(CatalogRefusal.None, null, null);
    }

    public Task<JobTriggers?> TriggersAsync(Caller caller)
    {
        OnlyTheHub(caller);
        return Task.FromResult(Spec is { } spec ? new JobTriggers(spec.Agency, spec.Dataspace, spec.Triggers ?? [], _stored.Value.CurrentAt, _stored.Value.Since) : null);
    }

    public async Task<TriggerStatus[]?> StatusAsync(Caller caller)
    {
        if (Spec is not { } spec || !AccessRules.May(caller, AccessRights.ReadReceipts, spec.Holding)) return null;
        if (spec.Triggers is not { Length: > 0 } triggers) return [];
        var known = await GrainFactory.GetGrain<IScheduleGrain>(ScheduleRules.PartOf(Id)).GetAsync(Caller.Hub, Id);
        return Array.ConvertAll(triggers, trigger => Array.Find(known, one => one.Trigger == trigger.Id) ?? new(trigger.Id));
    }

    public Task<BackfillResult> PreviewBackfillAsync(Caller caller, BackfillSpec spec)
    {
        if (Spec is not { } job || !AccessRules.May(caller, AccessRights.ReadReceipts, job.Holding)) return Task.FromResult(new BackfillResult(CatalogRefusal.NotFound, null));
        if (!AccessRules.May(caller, AccessRights.Push, job.Holding)) return Task.FromResult(new BackfillResult(CatalogRefusal.Forbidden, AccessRules.Missing(AccessRights.Push, job.Holding)));
        var (schedule, fault) = BackfillRules.Schedule(spec, job);
        if (schedule is null) return Task.FromResult(new BackfillResult(CatalogRefusal.Invalid, fault));
        (var periods, fault) = BackfillRules.Periods(spec, schedule, Entries());
        return Task.FromResult(fault is null ? new(CatalogRefusal.None, null) { Periods = periods } : new BackfillResult(CatalogRefusal.Invalid, fault));
    }

    public async Task<BackfillResult> StartBackfillAsync(Caller caller, string id, BackfillSpec spec)
    {
        if (Spec is not { } job || !AccessRules.May(caller, AccessRights.ReadReceipts, job.Holding)) return new(CatalogRefusal.NotFound, null);
        if (!AccessRules.May(caller, AccessRights.Push, job.Holding)) return new(CatalogRefusal.Forbidden, AccessRules.Missing(AccessRights.Push, job.Holding));
        if (_stored.Value.Backfill is { } there)
        {
            if (there.Id == id) return new(CatalogRefusal.None, null) { Backfill = there };
            if (there.State is BackfillState.Running or BackfillState.Stopped)
                return new(CatalogRefusal.Conflict, new("Ein Nachholen dieses Jobs ist unterwegs oder angehalten; erst fortsetzen oder aufgeben.", "A backfill of this job is under way or stopped; resume it or give it up first."));
        }

        var (schedule, fault) = BackfillRules.Schedule(spec, job);
        if (schedule is null) return new(CatalogRefusal.Invalid, fault);
        (var periods, fault) = BackfillRules.Periods(spec, schedule, Entries());
        if (fault is not null) return new(CatalogRefusal.Invalid, fault);
        if (periods.Length == 0) return new(CatalogRefusal.Conflict, new("Für jede dieser Zeiten gibt es schon einen fertigen Lauf (again macht sie neu).", "There is a complete run for each of these times already (again does them anew)."));
        if (_outbox.IsFull) return new(CatalogRefusal.Unavailable, OutboxText.Full);

        var begun = new Backfill(id, spec, schedule, _stored.Value.Current, time.GetUtcNow(), caller.Subject, periods.Length, 0, BackfillState.Running) { Reached = spec.From };
        // Noted before it is stored, as a run is: after a death somebody asks for it.
        await GrainFactory.GetGrain<IOpenRunsGrain>(RunRules.PartOf(id)).OpenAsync(Caller.Hub, new(id, Id) { IsBackfill = true });
        await _outbox.StoreAsync(
            _stored.Value with { Backfill = begun },
            Happened(caller.Subject, job, AuditEvents.RunStarted, ("backfill", id), ("version", Text(begun.Version)), ("from", spec.From.ToString("O")), ("to", spec.To.ToString("O")), ("periods", Text(periods.Length))));
        LogBackfill(Id, begun.Periods, spec.From, spec.To, caller.Subject);
        await BeginNextAsync();
        return new(CatalogRefusal.None, null) { Backfill = _stored.Value.Backfill };
    }

    public Task<BackfillResult> GetBackfillAsync(Caller caller) => Task.FromResult(
        Spec is not { } job || !AccessRules.May(caller, AccessRights.ReadReceipts, job.Holding)
            ? new(CatalogRefusal.NotFound, null)
            : new BackfillResult(CatalogRefusal.None, null) { Backfill = _stored.Value.Backfill });

    public async Task<BackfillResult> ActOnBackfillAsync(Caller caller, bool resume)
    {
        if (Spec is not { } job || !AccessRules.May(caller, AccessRights.ReadReceipts, job.Holding)) return new(CatalogRefusal.NotFound, null);
        if (!AccessRules.May(caller, AccessRights.Push, job.Holding)) return new(CatalogRefusal.Forbidden, AccessRules.Missing(AccessRights.Push, job.Holding));
        if (_stored.Value.Backfill is not { } backfill) return new(CatalogRefusal.Conflict, new("Dieser Job hat nichts nachzuholen.", "This job has no backfill."));
        if (resume && backfill.State == BackfillState.Cancelled) return new(CatalogRefusal.Conflict, new("Dieses Nachholen wurde aufgegeben; ein neues beginnen.", "This backfill was given up; begin a new one."));
        if (backfill.State is BackfillState.Complete or BackfillState.Cancelled || (resume && backfill.State == BackfillState.Running)) return new(CatalogRefusal.None, null) { Backfill = backfill };
        if (_outbox.IsFull) return new(CatalogRefusal.Unavailable, OutboxText.Full);
        if (resume) await GrainFactory.GetGrain<IOpenRunsGrain>(RunRules.PartOf(backfill.Id)).OpenAsync(Caller.Hub, new(backfill.Id, Id) { IsBackfill = true });
        var next = resume ? backfill with { State = BackfillState.Running, Cause = null, Resumed = backfill.Resumed + 1 } : backfill with { State = BackfillState.Cancelled };
        await _outbox.StoreAsync(_stored.Value with { Backfill = next }, Happened(caller.Subject, job, AuditEvents.RunStarted, ("backfill", backfill.Id), ("act", resume ? "resume" : "cancel")));
        await BeginNextAsync();
        return new(CatalogRefusal.None, null) { Backfill = _stored.Value.Backfill };
    }

    public Task<RunEntry[]?> RunsAsync(Caller caller) => Task.FromResult(
        Spec is { } spec && AccessRules.May(caller, AccessRights.ReadReceipts, spec.Holding) ? Array.ConvertAll(_stored.Value.Runs, run => run.Entry) : null);

    public Task<PinnedRun?> OrderAsync(Caller caller, string run)
    {
        OnlyTheHub(caller);
        return Task.FromResult(_stored.Value.Runs.FirstOrDefault(stored => stored.Entry.Id == run)?.Pinned);
    }

    public async Task<bool> WakeAsync(Caller caller, string run)
    {
        OnlyTheHub(caller);
        var isBackfill = _stored.Value.Backfill is { State: BackfillState.Running } backfill && backfill.Id == run;
        if (!isBackfill && _stored.Value.Runs.FirstOrDefault(stored => stored.Entry.Id == run) is not { Pinned: not null }) return false;
        await BeginNextAsync();
        return true;
    }

    public async Task<bool> ReopenAsync(Caller caller, PinnedRun pinned)
    {
        OnlyTheHub(caller);
        if (_stored.Value.Runs.FirstOrDefault(stored => stored.Entry.Id == pinned.Id) is not { } entry) return false;
        if (_stored.Value.Runs.Any(stored => stored.Pinned is not null && stored.Entry.Id != pinned.Id)) return false;
        if (entry.Pinned is null)
        {
            var open = entry with { Pinned = pinned, Begun = true, Entry = entry.Entry with { State = RunState.Running, Ended = null } };
            await _stored.StoreAsync(_stored.Value with { Runs = Array.ConvertAll(_stored.Value.Runs, stored => stored.Entry.Id == pinned.Id ? open : stored) });
        }

        return true;
    }

    public async Task SweepAsync(Caller caller)
    {
        OnlyTheHub(caller);
        if (Spec is { } spec) await NoteAsync(spec);
        var before = time.GetUtcNow() - options.Value.KeepTables;
        var over = _stored.Value.Runs.Where(run => !run.Swept && run.Pinned is null && run.Entry.Ended < before).Select(run => run.Entry.Id).ToHashSet(StringComparer.Ordinal);
        if (over.Count == 0) return;
        foreach (var run in over.ToArray())
        {
            if (!await GrainFactory.GetGrain<IPipelineRunGrain>(run).ForgetTablesAsync(Caller.Hub)) over.Remove(run);
        }

        await _stored.StoreAsync(_stored.Value with { Runs = Array.ConvertAll(_stored.Value.Runs, run => over.Contains(run.Entry.Id) ? run with { Swept = true } : run) });
        LogSwept(Id, over.Count);
    }

    public async Task EndedAsync(Caller caller, string run, RunState state)
    {
        OnlyTheHub(caller);
        var now = time.GetUtcNow();
        if (_stored.Value.Runs.FirstOrDefault(stored => stored.Entry.Id == run) is { } entry && entry.Entry.State != state)
        {
            var isOver = state is RunState.Complete or RunState.Fail or RunState.Abort;
            var next = entry with { Entry = entry.Entry with { State = state, Ended = isOver ? now : null }, Pinned = isOver ? null : entry.Pinned };
            var stands = _stored.Value with { Runs = Array.ConvertAll(_stored.Value.Runs, stored => stored.Entry.Id == run ? next : stored) };
            if (isOver && stands.Backfill is { } backfill && backfill.Id == entry.Entry.Backfill) stands = stands with { Backfill = BackfillRules.Ended(backfill, entry.Entry, state) };
            if (isOver) await _outbox.KeepAsync(stands, Happened($"job:{Id}", Spec!, AuditEvents.RunEnded, ("run", run), ("state", state.ToString().ToLowerInvariant())));
            else await _stored.StoreAsync(stands);
        }

        await BeginNextAsync();
    }

    public Task FlushAsync(Caller caller) => _outbox.FlushAsync(caller);

    /// <summary>The datasets know which jobs read and write them; what is noted already costs nothing.</summary>
    private async Task NoteAsync(JobSpec spec)
    {
        foreach (var (dataset, job) in LineageRules.Of(Id, spec)) await GrainFactory.GetGrain<IDatasetLineageGrain>(dataset).NoteJobAsync(Caller.Hub, job);
    }

    private const int MaxWaiting = 100;

    private bool IsKnown(string run) => Array.Exists(_stored.Value.Runs, stored => stored.Entry.Id == run);

    private RunEntry[] Entries() => Array.ConvertAll(_stored.Value.Runs, run => run.Entry);

    /// <summary>Pins the inputs of a run and lets it wait for its turn.</summary>
    /// <returns>Why not, or null.</returns>
    private async Task<RunResult?> AddAsync(Caller caller, RunOrder order)
    {
        var version = order.Version ?? _stored.Value.Current;
        if (version < 1 || version > _stored.Value.Versions.Length) return Refused(CatalogRefusal.Invalid, new($"version: Eine Fassung {version} gibt es nicht.", $"version: There is no version {version}."));
        if (_stored.Value.Runs.Count(run => run.Pinned is not null) >= MaxWaiting)
            return Refused(CatalogRefusal.TooMany, new($"Auf den Job „{Id}“ warten schon {MaxWaiting} Läufe.", $"{MaxWaiting} runs of the job “{Id}” are waiting already."));
        if (_outbox.IsFull) return Refused(CatalogRefusal.Unavailable, OutboxText.Full);
        if (await GrainFactory.GetGrain<IPipelineRunGrain>(order.Id).GetAsync(Caller.Hub) is not null)
            return Refused(CatalogRefusal.Conflict, new($"Einen Lauf „{order.Id}“ gibt es schon.", $"There is a run “{order.Id}” already."));
        var spec = _stored.Value.Versions[version - 1].Spec;
        var previous = _stored.Value.Runs.FirstOrDefault(run => run.Entry is { State: RunState.Complete, ShadowOf: null })?.Entry.Id;
        var (inputs, fault) = order.Repeats is { } earlier ? await RepeatAsync(earlier, spec) : await PinAsync(caller, spec, order);
        if (inputs is null) return fault!;
        var (pins, unpinned) = await RunPins.TakeAsync(GrainFactory, spec, order.Repeats);
        if (pins is null) return Refused(CatalogRefusal.Invalid, unpinned!);
        if (order.ShadowOf is not null) inputs = RunRules.Shared(inputs, _stored.Value.Runs.First(run => run.Entry.Id == order.ShadowOf).Pinned!.Inputs);

        var now = time.GetUtcNow();
        var by = order.ShadowOf is { } live ? _stored.Value.Runs.First(run => run.Entry.Id == live).Entry.By : order.Trigger is { } trigger ? $"trigger:{trigger}" : order.Backfill is not null ? _stored.Value.Backfill!.By : caller.Subject;
        var pinned = new PinnedRun(order.Id, Id, version, spec, now, by, inputs, sql.Version) { Repeats = order.Repeats, Previous = previous, Period = order.Period, Trigger = order.Trigger, ShadowOf = order.ShadowOf, Keys = pins.Keys, Areas = pins.Areas };
        // Noted before it is stored: after a death somebody asks for it.
        await GrainFactory.GetGrain<IOpenRunsGrain>(RunRules.PartOf(order.Id)).OpenAsync(Caller.Hub, new(order.Id, Id));
        StoredRun[] runs = [new(new(order.Id, version, now, by, RunState.Start) { Trigger = order.Trigger, Period = order.Period, Backfill = order.Backfill, ShadowOf = order.ShadowOf }, pinned) { Shadow = ShadowOf(order, version, now) }, .. _stored.Value.Runs];
        var forgotten = runs.Where((run, i) => i >= JobLimits.Runs && run.Pinned is null).ToArray();
        foreach (var run in forgotten.Where(run => !run.Swept)) await GrainFactory.GetGrain<IPipelineRunGrain>(run.Entry.Id).ForgetTablesAsync(Caller.Hub);
        var next = _stored.Value with { Runs = [.. runs.Except(forgotten)] };
        if (order.Backfill is not null) next = next with { Backfill = next.Backfill! with { Run = order.Id } };
        await _outbox.StoreAsync(next, Happened(by, spec, AuditEvents.RunStarted, ("run", order.Id), ("version", Text(version)), ("repeats", order.Repeats)));
        await GrainFactory.GetGrain<IPipelineRunGrain>(order.Id).OrderAsync(Caller.Hub, pinned);
        LogOrdered(order.Id, Id, version, by);
        return null;
    }

    /// <summary>The same in the version that runs in the shadow of the current one, if there is one.</summary>
    private RunOrder? ShadowOf(RunOrder order, int of, DateTimeOffset now)
    {
        if (_stored.Value.Shadow is not { } version || of != _stored.Value.Current || order is not { ShadowOf: null, Repeats: null }) return null;
        var steps = _stored.Value.Versions[version - 1].Spec.Steps;
        return order with
        {
            Id = ReceiptIds.Of(now, $"{Id}\nshadow\n{order.Id}"),
            Version = version,
            ShadowOf = order.Id,
            Backfill = null,
            Files = [.. order.Files.Where(file => steps.Any(step => step.Id == file.Step && step.Read?.IsNamed() is true))],
        };
    }

    /// <summary>
    /// Shadows that are owed wait for their turn, after their runs and before these begin; where one cannot be, the run itself
    /// goes on all the same.
    /// </summary>
    /// <returns>False: one is to be tried again first.</returns>
    private async Task<bool> AddShadowsAsync()
    {
        const int Tries = 5;
        foreach (var run in _stored.Value.Runs.Where(run => run.Shadow is not null).ToArray())
        {
            var shadow = run.Shadow!;
            try
            {
                // The run's inputs are what both share; who may give it files was asked when it was ordered.
                if (run.Pinned is null) LogNoShadow(Id, run.Entry.Id, shadow.Version!.Value, "the run is over");
                else if (!IsKnown(shadow.Id) && await AddAsync(Caller.Hub, shadow) is { } refused)
                {
                    LogNoShadow(Id, run.Entry.Id, shadow.Version!.Value, refused.Detail?.In("en"));
                    if (refused.Refusal == CatalogRefusal.Unavailable) return ++_withoutShadow >= Tries;
                }
            }
            catch (Exception e)
            {
                // Owed on: it is tried again when the job is woken, which somebody does every few seconds.
                LogNoShadow(Id, run.Entry.Id, shadow.Version!.Value, e.Message);
                return ++_withoutShadow >= Tries;
            }

            _withoutShadow = 0;

            await _stored.StoreAsync(_stored.Value with { Runs = Array.ConvertAll(_stored.Value.Runs, stored => stored.Entry.Id == run.Entry.Id ? stored with { Shadow = null } : stored) });
        }

        return true;
    }

    private static RunResult Refused(CatalogRefusal refusal, LocalText detail) => new(refusal, null, detail);

    /// <summary>Whoever looks after triggers asks for them, once they are stored.</summary>
    private Task NoteTriggersAsync(JobSpec? before, JobSpec after) =>
        before?.Triggers is { Length: > 0 } || after.Triggers is { Length: > 0 } ? GrainFactory.GetGrain<IScheduleGrain>(ScheduleRules.PartOf(Id)).NoteAsync(Caller.Hub, Id) : Task.CompletedTask;

    private async Task<DatasetMark[]> SinceAsync(JobSpec spec)
    {
        var marks = new List<DatasetMark>();
        foreach (var dataset in (spec.Triggers ?? []).Select(trigger => trigger.NewRows?.Dataset).OfType<string>().Distinct())
        {
            if (await watermarks.NowAsync(dataset) is { } mark) marks.Add(new(dataset, mark.ToString()));
        }

        return [.. marks];
    }

    /// <summary>The next run of a backfill waits for its turn when no other does.</summary>
    private async Task AddNextOfBackfillAsync()
    {
        if (_stored.Value.Backfill is not { State: BackfillState.Running } backfill) return;
        if (BackfillRules.Next(Id, backfill, Entries()) is not { } order)
        {
            await _stored.StoreAsync(_stored.Value with { Backfill = backfill with { State = BackfillState.Complete, Done = backfill.Periods } });
            await GrainFactory.GetGrain<IOpenRunsGrain>(RunRules.PartOf(backfill.Id)).CloseAsync(Caller.Hub, backfill.Id);
            return;
        }

        if (IsKnown(order.Id) || await AddAsync(Caller.Hub, order) is not { } refused || refused.Refusal == CatalogRefusal.Unavailable) return;
        await _stored.StoreAsync(_stored.Value with { Backfill = backfill with { State = BackfillState.Stopped, Cause = refused.Detail } });
    }

    /// <summary>One run at a time: the oldest that waits is woken when no other is under way.</summary>
    private async Task BeginNextAsync()
    {
        if (!_stored.Value.Runs.Any(run => run.Pinned is not null)) await AddNextOfBackfillAsync();
        if (!await AddShadowsAsync()) return;
        var open = _stored.Value.Runs.Where(run => run.Pinned is not null).ToArray();
        if (open.Length == 0) return;
        var next = Array.Find(open, run => run.Begun) ?? open[^1];
        if (!next.Begun) await _stored.StoreAsync(_stored.Value with { Runs = Array.ConvertAll(_stored.Value.Runs, run => run.Entry.Id == next.Entry.Id ? run with { Begun = true } : run) });
        // Not waited for: the run may be about to tell this job that it has ended. Should the call be lost, whoever asks for open runs repeats it.
        GrainFactory.GetGrain<IPipelineRunGrain>(next.Entry.Id).WakeAsync(Caller.Hub, Id).Ignore();
    }

    /// <summary>Whether the caller himself may do what the steps do; the datasets' grains say what belongs to whom.</summary>
    private async Task<JobResult?> MayDoAsync(Caller caller, JobSpec spec)
    {
        foreach (var (dataset, right, path) in JobRules.Needs(spec))
        {
            if (await GrainFactory.GetGrain<IDatasetGrain>(dataset).GetAsync(caller) is not { } info)
                return new(CatalogRefusal.Invalid, null, null) { Problems = [new(path, new($"Einen Datensatz „{dataset}“ gibt es nicht.", $"There is no dataset “{dataset}”."))] };
            if (right != AccessRights.ReadRows && info.Spec.Publisher != spec.Agency)
            {
                return new(CatalogRefusal.Invalid, null, null)
                {
                    Problems = [new(path, new($"„{dataset}“ gibt „{info.Spec.Publisher}“ heraus; ein Job von „{spec.Agency}“ schreibt nur in deren eigene Datensätze und prüft nur nach deren Verträgen.", $"“{dataset}” is published by “{info.Spec.Publisher}”; a job of “{spec.Agency}” writes into that agency's own datasets only, and checks by their contracts only."))],
                };
            }

            if (!AccessRules.May(caller, right, info.Holding)) return new(CatalogRefusal.Forbidden, null, AccessRules.Missing(right, info.Holding));
            if (right == AccessRights.ReadRows && info.Spec.Schema.Fields.Any(field => field.Role == FieldRole.Personal)
                && AccessRules.May(JobRules.Acting(Id, spec), AccessRights.ReadReceipts, info.Holding) && !AccessRules.May(caller, AccessRights.ReadReceipts, info.Holding))
            {
                // The job would see personal fields that he may not.
                return new(CatalogRefusal.Forbidden, null, AccessRules.Missing(AccessRights.ReadReceipts, info.Holding));
            }

            if (!AccessRules.May(JobRules.Acting(Id, spec), right, info.Holding)) return new(CatalogRefusal.Forbidden, null, AccessRules.Missing(right, info.Holding));
        }

        return null;
    }

    private async Task<(PinnedInput[]? Inputs, RunResult? Fault)> PinAsync(Caller caller, JobSpec spec, RunOrder order)
    {
        var inputs = new List<PinnedInput>();
        if (order.Files.FirstOrDefault(file => !spec.Steps.Any(step => step.Id == file.Step && step.Read?.IsNamed() is true)) is { } stray)
            return Fault($"files: „{stray.Step}“ ist kein Schritt, der eine Datei liest.", $"files: “{stray.Step}” is no step that reads a file.");
        // What a run fetches it pins itself.
        foreach (var step in spec.Steps.Where(step => step.Read is { } read && read.Address() is null))
        {
            if (step.Read!.Own() is { } id)
            {
                if (await GrainFactory.GetGrain<IDatasetGrain>(id).GetAsync(JobRules.Acting(Id, spec)) is not { } dataset) return Fault($"Schritt „{step.Id}“: Einen Datensatz „{id}“ gibt es nicht.", $"Step “{step.Id}”: There is no dataset “{id}”.");
                inputs.Add(new(step.Id) { Dataset = id, Watermark = (await watermarks.NowAsync(dataset)).ToString(), Contract = dataset.ContractVersion, Areas = dataset.AreaVersion });
                continue;
            }

            if (order.Files.FirstOrDefault(file => file.Step == step.Id) is not { } named) return Fault($"files: Für den Schritt „{step.Id}“ fehlt die Datei.", $"files: The file for the step “{step.Id}” is missing.");
            // Whoever starts the run gives it what he may see himself.
            if (!ReceiptIds.IsValid(named.File) || await GrainFactory.GetGrain<IUploadedFileGrain>(named.File).GetAsync(caller) is not { } file || file.Spec.Agency != spec.Agency
                || (file.Spec.Dataspace is not null && file.Spec.Dataspace != spec.Dataspace))
                return Fault($"files.{step.Id}: Eine Datei „{named.File}“ gibt es bei „{spec.Agency}“ nicht (mehr).", $"files.{step.Id}: There is no file “{named.File}” of “{spec.Agency}” (any more).");
            if (!file.IsComplete) return Fault($"files.{step.Id}: Von „{file.Spec.Name}“ sind erst {file.Offset} von {file.Spec.Length} Byte da.", $"files.{step.Id}: Of “{file.Spec.Name}” {file.Offset} of {file.Spec.Length} bytes have come so far.");
            await GrainFactory.GetGrain<IUploadedFileGrain>(named.File).KeepAsync(Caller.Hub, time.GetUtcNow() + options.Value.KeepFiles);
            inputs.Add(new(step.Id) { File = named.File, Sha256 = file.Sha256, Length = file.Spec.Length, Name = file.Spec.Name });
        }

        return ([.. inputs], null);

        static (PinnedInput[]?, RunResult?) Fault(string de, string en) => (null, new(CatalogRefusal.Invalid, null, new(de, en)));
    }

    /// <summary>The inputs that an earlier run had.</summary>
    private async Task<(PinnedInput[]? Inputs, RunResult? Fault)> RepeatAsync(string earlier, JobSpec spec)
    {
        if (!_stored.Value.Runs.Any(run => run.Entry.Id == earlier) || await GrainFactory.GetGrain<IPipelineRunGrain>(earlier).GetAsync(Caller.Hub) is not { } run)
            return (null, new(CatalogRefusal.Invalid, null, new($"repeats: Einen Lauf „{earlier}“ dieses Jobs gibt es nicht (mehr).", $"repeats: There is no run “{earlier}” of this job (any more).")));
        var reading = spec.Steps.Where(step => step.Read is not null).Select(step => (step.Id, File: step.Read!.Own() is null, Dataset: step.Read.Own()));
        var fits = reading.All(step => run.Pinned.Inputs.Any(input => input.Step == step.Id && input.File is not null == step.File && input.Dataset == step.Dataset));
        foreach (var input in run.Pinned.Inputs.Where(input => input.File is not null)) await GrainFactory.GetGrain<IUploadedFileGrain>(input.File!).KeepAsync(Caller.Hub, time.GetUtcNow() + options.Value.KeepFiles);
        return fits ? (run.Pinned.Inputs, null) : (null, new(CatalogRefusal.Invalid, null, new(
            $"repeats: Die Eingaben von „{earlier}“ passen nicht zu den lesenden Schritten dieser Fassung.", $"repeats: The inputs of “{earlier}” do not fit the reading steps of this version.")));
    }

    private JobInfo Info(int? version)
    {
        var number = version ?? _stored.Value.Current;
        return new(Id, _stored.Value.Versions[number - 1].Spec, number, _stored.Value.Current, Array.ConvertAll(_stored.Value.Versions, stored => stored.Version)) { Shadow = _stored.Value.Shadow };
    }

    private AuditEvent Happened(string actor, JobSpec spec, string action, params (string Name, string? Text)[] detail) =>
        AuditEvents.OfActor(time.GetUtcNow(), actor, action, spec.Agency, $"job:{Id}", AuditOutcome.Done, detail);

    private static bool Same(JobSpec a, JobSpec b) => JsonSerializer.SerializeToUtf8Bytes(a).AsSpan().SequenceEqual(JsonSerializer.SerializeToUtf8Bytes(b));

    private static string Text(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static void OnlyTheHub(Caller caller)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the hub itself runs jobs");
    }

    [LoggerMessage(4010, LogLevel.Information, "Job {Job}: version {Version} was put by {By}")]
    private partial void LogPut(string job, int version, string by);

    [LoggerMessage(4011, LogLevel.Information, "Job {Job}: version {Version} is the current one, by {By}")]
    private partial void LogPromoted(string job, int version, string by);

    [LoggerMessage(4013, LogLevel.Information, "Job {Job}: the tables of {Runs} runs were deleted, they are not to be kept any more")]
    private partial void LogSwept(string job, int runs);

    [LoggerMessage(4015, LogLevel.Information, "Job {Job}: a backfill of {Periods} periods from {From} to {To} begins, by {By}")]
    private partial void LogBackfill(string job, int periods, DateTimeOffset from, DateTimeOffset to, string by);

    [LoggerMessage(4016, LogLevel.Warning, "Job {Job}: run {Run} has no shadow in version {Version}: {Reason}")]
    private partial void LogNoShadow(string job, string run, int version, string? reason);

    [LoggerMessage(4012, LogLevel.Information, "Run {Run} of job {Job} version {Version} was ordered by {By}")]
    private partial void LogOrdered(string run, string job, int version, string by);
}
