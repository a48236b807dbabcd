using DataHub.Catalog;
using DataHub.Feeds;

using Microsoft.Extensions.Logging;

namespace DataHub.Pipelines;

/// <summary>Calls interleave: what is stored is changed by one after the other, and no call to a job is waited for meanwhile.</summary>
[GrainType("datahub.schedule")]
internal sealed partial class ScheduleGrain(
    [PersistentState("schedule", "state")] IPersistentState<ScheduleState> state, DatasetWatermarks watermarks, TimeProvider time, ILogger<ScheduleGrain> logger) : Grain, IScheduleGrain, IDisposable
{
    /// <summary>Jobs that are called at the same time.</summary>
    private const int AtOnce = 8;

    /// <summary>Complete files that jobs of this part have not got yet; more are offered again later.</summary>
    private const int MostUploads = 1_000;

    private static readonly TimeSpan s_tick = TimeSpan.FromSeconds(1), s_longestLook = TimeSpan.FromSeconds(15);

    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly Dictionary<(string Job, string Trigger), SeenRows> _seen = [];
    private StoredState<ScheduleState> _stored = null!;
    private IGrainTimer? _timer;
    private Task? _tick;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        return Task.CompletedTask;
    }

    public void Dispose() => _gate.Dispose();

    public async Task NoteAsync(Caller caller, string job)
    {
        OnlyTheHub(caller);
        await ChangeAsync(stands => stands with
        {
            Jobs = Find(stands, job) is { } known ? Replaced(stands.Jobs, known with { Noted = known.Noted + 1 }) : [.. stands.Jobs, new(job, null, [], 1, 0)],
        });
        KeepTicking();
    }

    public async Task UploadedAsync(Caller caller, UploadedFile file)
    {
        OnlyTheHub(caller);
        if (_stored.Value.Uploads.Length >= MostUploads) throw new InvalidOperationException($"{MostUploads} files wait for jobs of part {this.GetPrimaryKeyLong()} already");
        await ChangeAsync(stands => stands.Uploads.Any(one => one.Id == file.Id) || !stands.Jobs.Any(job => job.Asked < job.Noted || Fitting(job, file).Any()) ? stands : stands with { Uploads = [.. stands.Uploads, file] });
        KeepTicking();
    }

    public async Task TickAsync(Caller caller)
    {
        OnlyTheHub(caller);
        KeepTicking();
        // One at a time; whoever asks meanwhile waits for that one.
        if (_tick is not { IsCompleted: false }) _tick = LookAsync();
        await _tick;
    }

    public Task<TriggerStatus[]> GetAsync(Caller caller, string job)
    {
        OnlyTheHub(caller);
        return Task.FromResult(Find(_stored.Value, job) is not { Triggers: { } known } found
            ? []
            : Array.ConvertAll(known.Triggers, trigger =>
            {
                var progress = ProgressOf(found, trigger.Id);
                return new TriggerStatus(trigger.Id)
                {
                    Next = trigger.Schedule is { } schedule && progress is not null ? ScheduleRules.Next(schedule, progress.Handled) : null,
                    Run = progress?.Run,
                    At = progress?.At,
                    Refusal = progress?.Refusal,
                };
            }));
    }

    private async Task LookAsync()
    {
        await EachAsync(_stored.Value.Jobs.Where(job => job.Asked < job.Noted), AskAsync);
        // What a job has said anew is asked for first: until then nothing of it starts.
        await EachAsync(_stored.Value.Jobs.Where(job => job.Triggers is not null && job.Asked == job.Noted), StartAsync);
        foreach (var file in _stored.Value.Uploads) await GiveAsync(file);
    }

    private void KeepTicking() => _timer ??= this.RegisterGrainTimer(
        async _ =>
        {
            try
            {
                await TickAsync(Caller.Hub);
            }
            catch (Exception e)
            {
                LogNotTicked(e, this.GetPrimaryKeyLong());
            }

            if (_stored.Value is not { Jobs.Length: 0, Uploads.Length: 0 }) return;
            _timer?.Dispose();
            _timer = null;
        },
        new GrainTimerCreationOptions(s_tick, s_tick) { KeepAlive = true, Interleave = true });

    /// <summary>What a job's triggers are by now.</summary>
    private async Task AskAsync(ScheduledJob job)
    {
        var triggers = await GrainFactory.GetGrain<IPipelineJobGrain>(job.Job).TriggersAsync(Caller.Hub);
        await ChangeAsync(stands =>
        {
            if (Find(stands, job.Job) is not { } known) return stands;
            // It may have noted something again meanwhile.
            if (triggers is not { Triggers.Length: > 0 } && known.Noted == job.Noted) return stands with { Jobs = [.. stands.Jobs.Where(one => one.Job != job.Job)] };
            return stands with { Jobs = Replaced(stands.Jobs, known with { Triggers = triggers, Asked = job.Noted, Progress = triggers is null ? [] : Array.ConvertAll(triggers.Triggers, trigger => Kept(known, trigger) ?? Begin(triggers, trigger)) }) };
        });

        static TriggerProgress? Kept(ScheduledJob known, TriggerSpec trigger) => known.Triggers?.Triggers.Contains(trigger) is true ? ProgressOf(known, trigger.Id) : null;

        static TriggerProgress Begin(JobTriggers triggers, TriggerSpec trigger) =>
            new(trigger.Id, triggers.At) { Watermark = trigger.NewRows is { } rows ? triggers.Since.FirstOrDefault(since => since.Dataset == rows.Dataset)?.Watermark : null };
    }

    /// <summary>Gives a file to the jobs that wait for such a one.</summary>
    private async Task GiveAsync(UploadedFile file)
    {
        // Whether those wait for it is not known yet; the others have it all the same, once.
        var isDone = !_stored.Value.Jobs.Any(job => job.Asked < job.Noted);
        await EachAsync(_stored.Value.Jobs.Where(job => job.Asked == job.Noted && Fitting(job, file).Any()), GiveToAsync);
        if (isDone || file.Expires < time.GetUtcNow()) await ChangeAsync(stands => stands with { Uploads = [.. stands.Uploads.Where(one => one.Id != file.Id)] });

        async Task GiveToAsync(ScheduledJob job)
        {
            // The first that fits: a job reads a file once.
            foreach (var trigger in Fitting(job, file).Take(1))
            {
                var order = new RunOrder(ReceiptIds.Of(file.Created, $"{job.Job}\n{trigger.Id}\n{file.Id}"), [new(trigger.Upload!.Step, file.Id)]) { Trigger = trigger.Id };
                var started = await StartAsync(job.Job, order);
                isDone &= started is not null;
                if (started is not null) await ProgressAsync(job.Job, trigger, started);
            }
        }
    }

    /// <summary>Starts what is due of a job.</summary>
    private async Task StartAsync(ScheduledJob job)
    {
        foreach (var trigger in job.Triggers!.Triggers)
        {
            if (ProgressOf(job, trigger.Id) is not { } progress) continue;
            if (trigger.Schedule is { } schedule) await StartAsync(job, trigger, schedule, progress);
            if (trigger.NewRows is { } rows) await StartAsync(job, trigger, rows, progress);
        }
    }

    private async Task StartAsync(ScheduledJob job, TriggerSpec trigger, ScheduleTrigger schedule, TriggerProgress progress)
    {
        var due = ScheduleRules.Due(schedule, progress.Handled, progress.Last, time.GetUtcNow());
        if (due.Handled == progress.Handled) return;
        if (due.Skipped > 0) LogSkipped(job.Job, trigger.Id, due.Skipped, progress.Handled);
        var skipped = due.Skipped == 0 ? null : new LocalText($"{due.Skipped} Termine wurden ausgelassen, weil sie zu lange vorbei waren (catchUp).", $"{due.Skipped} times were left out, they were too long ago (catchUp).");
        foreach (var period in due.Runs)
        {
            var started = await StartAsync(job.Job, new(ScheduleRules.RunId(job.Job, trigger.Id, period.To), []) { Trigger = trigger.Id, Period = period });
            // The rest later, in order.
            if (started is null) return;
            // What was refused has no run: the period of the next one reaches back over it.
            await ProgressAsync(job.Job, trigger, stands => started(stands) is var next && next.Run == stands.Run ? next with { Handled = period.To } : next with { Handled = period.To, Last = period.To });
        }

        await ProgressAsync(job.Job, trigger, stands => stands with { Handled = due.Handled, Refusal = skipped ?? stands.Refusal });
    }

    private async Task StartAsync(ScheduledJob job, TriggerSpec trigger, NewRowsTrigger rows, TriggerProgress progress)
    {
        if (progress.Begun is null)
        {
            var (now, seen) = (time.GetUtcNow(), _seen.GetValueOrDefault((job.Job, trigger.Id)));
            // A clock that was put back does not hold it up.
            if (seen?.LookAgain > now && seen.LookAgain - now <= s_longestLook) return;
            var quarter = TriggerRules.Patience(rows).Quiet / 4;
            var again = now + (quarter > s_longestLook ? s_longestLook : quarter);
            var mark = (await watermarks.NowAsync(rows.Dataset))?.ToString();
            if (progress.Watermark is null || mark is null || mark == progress.Watermark)
            {
                _seen[(job.Job, trigger.Id)] = new(null, null, null, again);
                if (progress.Watermark is null && mark is not null) await ProgressAsync(job.Job, trigger, stands => stands with { Watermark = mark });
                return;
            }

            seen = new(mark, progress.First ?? now, seen?.Mark == mark ? seen.Latest : now, again);
            _seen[(job.Job, trigger.Id)] = seen;
            // Stored once for all that come in a row: how long it has been waiting is known after a restart too.
            if (progress.First is null) await ProgressAsync(job.Job, trigger, stands => stands with { First = now });
            if (!TriggerRules.IsDue(rows, seen.First!.Value, seen.Latest!.Value, now)) return;
            progress = progress with { Begun = ReceiptIds.New(now), BegunWatermark = mark };
            await ProgressAsync(job.Job, trigger, stands => stands with { Begun = progress.Begun, BegunWatermark = progress.BegunWatermark });
        }

        if (await StartAsync(job.Job, new(progress.Begun!, []) { Trigger = trigger.Id }) is not { } started) return;
        _seen.Remove((job.Job, trigger.Id));
        await ProgressAsync(job.Job, trigger, stands => started(stands) with { Watermark = progress.BegunWatermark, Begun = null, BegunWatermark = null, First = null });
    }

    /// <summary>Has a job start a run.</summary>
    /// <returns>What is noted of it; null: it is tried again.</returns>
    private async Task<Func<TriggerProgress, TriggerProgress>?> StartAsync(string job, RunOrder order)
    {
        try
        {
            var result = await GrainFactory.GetGrain<IPipelineJobGrain>(job).TriggerAsync(Caller.Hub, order);
            var now = time.GetUtcNow();
            switch (result.Refusal)
            {
                // The job has started it long ago, and forgotten it.
                case CatalogRefusal.None or CatalogRefusal.Conflict:
                    return stands => stands with { Run = order.Id, At = now, Refusal = null };
                case CatalogRefusal.TooMany or CatalogRefusal.Unavailable:
                    LogPutOff(job, order.Trigger!, result.Detail?.In("en"));
                    return null;
                default:
                    LogRefused(job, order.Trigger!, result.Detail?.In("en"));
                    return stands => stands with { At = now, Refusal = result.Detail };
            }
        }
        catch (Exception e)
        {
            LogNotStarted(e, job, order.Trigger!);
            return null;
        }
    }

    private async Task EachAsync(IEnumerable<ScheduledJob> jobs, Func<ScheduledJob, Task> act)
    {
        foreach (var some in jobs.ToArray().Chunk(AtOnce)) await Task.WhenAll(some.Select(TryAsync));

        async Task TryAsync(ScheduledJob job)
        {
            try
            {
                await act(job);
            }
            catch (Exception e)
            {
                // One that does not answer stops no other.
                LogNotStarted(e, job.Job, "*");
            }
        }
    }

    /// <summary>Notes how far a trigger has come, if it is still the same one.</summary>
    private Task ProgressAsync(string job, TriggerSpec trigger, Func<TriggerProgress, TriggerProgress> next) => ChangeAsync(stands =>
        Find(stands, job) is { } known && known.Triggers?.Triggers.Contains(trigger) is true
            ? stands with { Jobs = Replaced(stands.Jobs, known with { Progress = Array.ConvertAll(known.Progress, one => one.Trigger == trigger.Id ? next(one) : one) }) }
            : stands);

    private async Task ChangeAsync(Func<ScheduleState, ScheduleState> change)
    {
        await _gate.WaitAsync();
        try
        {
            await _stored.StoreAsync(change(_stored.Value));
        }
        finally
        {
            _gate.Release();
        }
    }

    private static IEnumerable<TriggerSpec> Fitting(ScheduledJob job, UploadedFile file) =>
        job.Triggers is { } known && known.Agency == file.Spec.Agency && (file.Spec.Dataspace is null || file.Spec.Dataspace == known.Dataspace)
            ? known.Triggers.Where(trigger => trigger.Upload is { } upload && TriggerRules.Fits(upload, file.Spec.Name))
            : [];

    private static ScheduledJob? Find(ScheduleState stands, string job) => Array.Find(stands.Jobs, one => one.Job == job);

    private static TriggerProgress? ProgressOf(ScheduledJob job, string trigger) => Array.Find(job.Progress, one => one.Trigger == trigger);

    private static ScheduledJob[] Replaced(ScheduledJob[] jobs, ScheduledJob next) => Array.ConvertAll(jobs, job => job.Job == next.Job ? next : job);

    private static void OnlyTheHub(Caller caller)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the hub itself starts runs by triggers");
    }

    [LoggerMessage(4060, LogLevel.Warning, "Job {Job}: its trigger {Trigger} could not start a run: {Reason}")]
    private partial void LogRefused(string job, string trigger, string? reason);

    [LoggerMessage(4061, LogLevel.Warning, "Job {Job}: its trigger {Trigger} could not start a run yet: {Reason}; it is tried again")]
    private partial void LogPutOff(string job, string trigger, string? reason);

    [LoggerMessage(4062, LogLevel.Warning, "Job {Job}: {Times} times of its trigger {Trigger} since {Since} are left out, as its catchUp says")]
    private partial void LogSkipped(string job, string trigger, int times, DateTimeOffset since);

    [LoggerMessage(4063, LogLevel.Warning, "Job {Job} did not answer its trigger {Trigger}; it is tried again")]
    private partial void LogNotStarted(Exception exception, string job, string trigger);

    [LoggerMessage(4064, LogLevel.Warning, "Part {Part} of the schedule could not be gone through; it is tried again in a second")]
    private partial void LogNotTicked(Exception exception, long part);

    /// <param name="Mark">The latest watermark that was seen, when the first was that has new rows, and when the latest was; null: nothing new.</param>
    private sealed record SeenRows(string? Mark, DateTimeOffset? First, DateTimeOffset? Latest, DateTimeOffset LookAgain);
}
