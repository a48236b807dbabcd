using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>Runs over a time that has passed: which there are, which is next, and what becomes of the backfill when one ends. Pure.</summary>
internal static class BackfillRules
{
    /// <summary>The times that a backfill goes by, or why it has none.</summary>
    public static (ScheduleTrigger? Schedule, LocalText? Fault) Schedule(BackfillSpec spec, JobSpec job)
    {
        if (spec.From.Year < 1900) return (null, new("from: frühestens 1900.", "from: 1900 at the earliest."));
        if (spec.To <= spec.From) return (null, new("to liegt nach from.", "to is after from."));
        if (job.Steps.FirstOrDefault(step => step.Read?.IsNamed() is true) is { } reading)
            return (null, new($"Der Schritt „{reading.Id}“ liest eine Datei; über vergangene Zeiten laufen nur Jobs, die Datensätze lesen.", $"The step “{reading.Id}” reads a file; only jobs that read datasets run over times that have passed."));
        if (spec.Schedule is { } said)
        {
            if (spec.Trigger is not null) return (null, new("Entweder trigger oder schedule.", "Either trigger or schedule."));
            return ScheduleRules.Fault(said) is { } fault ? (null, new($"schedule.{fault.De}", $"schedule.{fault.In("en")}")) : (said, null);
        }

        TriggerSpec[] triggers = [.. (job.Triggers ?? []).Where(trigger => trigger.Schedule is not null && (spec.Trigger is null || trigger.Id == spec.Trigger))];
        return triggers switch
        {
            [var only] => (only.Schedule, null),
            [] => (null, spec.Trigger is null
                ? new("Der Job hat keinen Zeitplan; schedule angeben (cron und timeZone).", "The job has no schedule; say schedule (cron and timeZone).")
                : new($"trigger: Einen Zeitplan „{spec.Trigger}“ hat der Job nicht.", $"trigger: The job has no schedule “{spec.Trigger}”.")),
            _ => (null, new($"trigger: Welcher Zeitplan? Der Job hat {string.Join(", ", triggers.Select(trigger => trigger.Id))}.", $"trigger: Which schedule? The job has {string.Join(", ", triggers.Select(trigger => trigger.Id))}.")),
        };
    }

    /// <summary>What a backfill would run, in order; more than <see cref="JobLimits.Periods"/> are too many.</summary>
    /// <param name="runs">Of the job.</param>
    public static (BackfillPeriod[] Periods, LocalText? Fault) Periods(BackfillSpec spec, ScheduleTrigger schedule, IEnumerable<RunEntry> runs)
    {
        var complete = runs.Where(run => run is { State: RunState.Complete, Period: not null, ShadowOf: null }).GroupBy(run => run.Period!).ToDictionary(group => group.Key, group => group.First().Id);
        BackfillPeriod[] all = [.. ScheduleRules.Periods(schedule, spec.From, spec.To, JobLimits.Periods + 1).Select(period => new BackfillPeriod(period, complete.GetValueOrDefault(period)))];
        if (all.Length > JobLimits.Periods)
        {
            return ([], new(
                $"Das sind mehr als {JobLimits.Periods} Läufe; die Zeit in mehrere Abschnitte teilen.", $"These are more than {JobLimits.Periods} runs; divide the time into several parts."));
        }

        return all.Length == 0
            ? ([], new("In dieser Zeit liegt kein Termin.", "There is no time of the schedule in it."))
            : ([.. all.Where(period => spec.Again || period.Run is null)], null);
    }

    /// <summary>The next run, or null where none is left.</summary>
    /// <param name="runs">Of the job.</param>
    public static RunOrder? Next(string job, Backfill backfill, IReadOnlyCollection<RunEntry> runs)
    {
        for (var reached = backfill.Reached; ;)
        {
            if (ScheduleRules.Periods(backfill.Schedule, reached, backfill.Spec.To, 1).FirstOrDefault() is not { } period) return null;
            reached = period.To;
            if (!backfill.Spec.Again && runs.Any(run => run is { State: RunState.Complete, ShadowOf: null } && run.Period == period)) continue;
            return new(ReceiptIds.Of(backfill.At, $"{job}\n{backfill.Id}\n{period.To.UtcTicks}\n{backfill.Resumed}"), []) { Version = backfill.Version, Period = period, Backfill = backfill.Id };
        }
    }

    /// <summary>One of its runs has ended.</summary>
    public static Backfill Ended(Backfill backfill, RunEntry run, RunState state) => state == RunState.Complete
        ? run.Period!.To <= backfill.Reached ? backfill : backfill with { Done = backfill.Done + 1, Reached = run.Period.To, Cause = backfill.State == BackfillState.Stopped ? null : backfill.Cause }
        : backfill.State != BackfillState.Running ? backfill : backfill with
        {
            State = BackfillState.Stopped,
            Cause = new($"Der Lauf {run.Id} wurde nicht fertig. Ihn fortsetzen, oder die Ursache beheben; dann hier fortsetzen.", $"The run {run.Id} did not become complete. Resume it, or mend the cause; then resume here."),
        };
}
