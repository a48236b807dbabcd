using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>The life of a run: what becomes of it when a step begins, ends, fails, dies with its silo, is stopped or resumed. Pure.</summary>
internal static class RunRules
{
    /// <summary>Longest pause before a step is tried again.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(10);

    /// <summary>The part of the open runs that notes a run.</summary>
    public static int PartOf(string run) => run[^1] % IOpenRunsGrain.Parts;

    public static bool IsOver(RunState state) => state is RunState.Complete or RunState.Fail or RunState.Abort;

    /// <summary>The time of the rows that a step reads: in its own limits, and in the run's period where it asks for that.</summary>
    public static (DateTimeOffset From, DateTimeOffset To) Span(ReadStep read, RunPeriod? period)
    {
        var (from, to) = (read.From ?? DateTimeOffset.MinValue, read.To ?? DateTimeOffset.MaxValue);
        if (!read.OfPeriod || period is null) return (from, to);
        return (period.From > from ? period.From : from, period.To < to ? period.To : to);
    }

    /// <summary>The inputs of a run in another's shadow: what both read, as the other has pinned it.</summary>
    public static PinnedInput[] Shared(PinnedInput[] own, PinnedInput[] others) =>
        Array.ConvertAll(own, input => Array.Find(others, other => other.Step == input.Step && other.Dataset == input.Dataset && other.File == input.File) ?? input);

    /// <summary>What the run in whose shadow another goes has fetched for a step; null: nothing, or from elsewhere.</summary>
    public static PinnedInput? Pulled(string step, string url, RunInfo? live) => Array.Find(live?.Pinned.Inputs ?? [], input => input.Step == step && input.Url == url && input.File is not null);

    /// <summary>A run whose turn has not come.</summary>
    public static RunInfo Waiting(PinnedRun pinned) => new(pinned, RunState.Start, [.. pinned.Spec.Steps.Select(step => new StepInfo(step.Id, step.Kind!, RunState.Start))]);

    /// <summary>The step that is under way or next; −1: none is left.</summary>
    public static int Current(RunInfo run) => Array.FindIndex(run.Steps, step => step.State != RunState.Complete);

    /// <summary>A step begins; one that was running already lost its silo.</summary>
    public static PipelineRunState Begin(PipelineRunState state, int step, DateTimeOffset now, int maxDeaths)
    {
        var run = state.Run!;
        var was = run.Steps[step];
        var died = was.State == RunState.Running;
        var deaths = state.Deaths + (died ? 1 : 0);
        if (deaths > maxDeaths)
        {
            return Failed(state, step, new(
                $"Der Server starb {deaths}-mal, während dieser Schritt lief. Vermutlich reicht sein Arbeitsspeicher nicht; der Lauf lässt sich fortsetzen.",
                $"The server died {deaths} times while this step ran. Its memory is probably too small; the run can be resumed."), now);
        }

        return state with
        {
            Deaths = deaths,
            Run = With(run, step, was with { State = RunState.Running, Attempts = was.Attempts + 1, Started = was.Started ?? now, Again = null, Cause = null, RowsIn = 0, RowsOut = 0, Share = null, Notes = [] })
                with
            { State = RunState.Running, Started = run.Started ?? now, Cause = null, Ended = null },
        };
    }

    /// <summary>A step is done; the run too, where it was the last.</summary>
    public static PipelineRunState Complete(PipelineRunState state, int step, StepOutcome outcome, DateTimeOffset now)
    {
        var run = state.Run!;
        var done = run.Steps[step] with
        {
            State = RunState.Complete,
            Ended = now,
            RowsIn = outcome.RowsIn,
            RowsOut = outcome.RowsOut,
            Share = 1,
            Columns = outcome.Columns,
            Batches = outcome.Batches,
            Sha256 = outcome.Sha256,
            Notes = outcome.Notes,
            Receipt = outcome.Receipt,
            Watermark = outcome.Watermark,
            Measures = outcome.Measures,
            Kept = outcome.Kept,
            IsPersonal = outcome.IsPersonal,
            Format = outcome.Format,
        };
        var next = With(Pinned(run, outcome.Pulled), step, done);
        return state with { Failures = 0, Deaths = 0, Run = Current(next) < 0 ? next with { State = RunState.Complete, Ended = now } : next };
    }

    /// <summary>A step failed: it is tried again where that can help, else the run fails.</summary>
    public static PipelineRunState Fail(PipelineRunState state, int step, StepFault fault, int retries, DateTimeOffset now)
    {
        // What was fetched stays: whoever resumes or repeats the run reads the same.
        state = state with { Run = Pinned(state.Run!, fault.Pulled) };
        if (!fault.IsTransient || state.Failures >= retries) return Failed(state, step, fault.Reason, now, fault.Notes, fault.Kept);
        var pause = TimeSpan.FromSeconds(Math.Pow(2, state.Failures));
        var was = state.Run.Steps[step];
        return state with
        {
            Failures = state.Failures + 1,
            Run = With(state.Run, step, was with { State = RunState.Start, Cause = fault.Reason, Notes = fault.Notes, Again = now + (pause > s_longest ? s_longest : pause) }),
        };
    }

    /// <summary>Somebody ends it.</summary>
    public static PipelineRunState Abort(PipelineRunState state, LocalText cause, DateTimeOffset now)
    {
        var (run, step) = (state.Run!, Current(state.Run!));
        return state with { Told = false, Run = With(run, step, run.Steps[step] with { State = RunState.Abort, Ended = now, Again = null }) with { State = RunState.Abort, Ended = now, Cause = cause } };
    }

    /// <summary>Ends before a resumption that are kept.</summary>
    private const int MaxBreaks = 100;

    /// <summary>Goes on where it ended.</summary>
    public static PipelineRunState Resume(PipelineRunState state, DateTimeOffset now)
    {
        var (run, step) = (state.Run!, Current(state.Run!));
        var ended = new RunBreak(run.Steps[step] with { Notes = [] }, run.State, run.Ended ?? now, run.Cause, now);
        run = run with { Breaks = [.. run.Breaks.Skip(run.Breaks.Length + 1 - MaxBreaks), ended] };
        return state with
        {
            Failures = 0,
            Deaths = 0,
            Told = false,
            Run = With(run, step, run.Steps[step] with { State = RunState.Start, Ended = null, Cause = null, Again = null }) with { State = RunState.Running, Ended = null, Cause = null },
        };
    }

    private static PipelineRunState Failed(PipelineRunState state, int step, LocalText cause, DateTimeOffset now, StepNote[]? notes = null, bool[]? kept = null)
    {
        var run = state.Run!;
        var was = run.Steps[step];
        return state with
        {
            Told = false,
            Run = With(run, step, was with { State = RunState.Fail, Ended = now, Cause = cause, Notes = notes ?? was.Notes, Kept = kept ?? [], Again = null }) with
            {
                State = RunState.Fail,
                Ended = now,
                Cause = new($"Schritt „{was.Id}“: {cause.De}", $"Step “{was.Id}”: {cause.In("en")}"),
            },
        };
    }

    private static RunInfo Pinned(RunInfo run, PinnedInput[] pulled) => pulled.Length == 0 ? run : run with { Pinned = run.Pinned with { Inputs = [.. run.Pinned.Inputs, .. pulled] } };

    private static RunInfo With(RunInfo run, int step, StepInfo info) => run with { Steps = [.. run.Steps[..step], info, .. run.Steps[(step + 1)..]] };
}
