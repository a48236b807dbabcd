using System.Globalization;

using Cronos;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>Which runs a schedule makes due. Pure; times are instants, the zone's clocks are looked up in the IANA database.</summary>
internal static class ScheduleRules
{
    /// <summary>Without catching up, a time may be so late.</summary>
    private static readonly TimeSpan s_grace = TimeSpan.FromMinutes(5);

    /// <summary>How far back the time before another is looked for, step by step; the rarest one is a 29th of February, eight years apart around 2100.</summary>
    private static readonly TimeSpan[] s_back = [TimeSpan.FromHours(2), TimeSpan.FromDays(2), TimeSpan.FromDays(63), TimeSpan.FromDays(732), TimeSpan.FromDays(3_000)];

    private static readonly string[] s_macros = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

    /// <summary>The part that looks after a job.</summary>
    public static int PartOf(string job) => ReceiptIds.Of(DateTimeOffset.UnixEpoch, job)[^1] % IScheduleGrain.Parts;

    /// <summary>The one id of a run for a time of a trigger.</summary>
    public static string RunId(string job, string trigger, DateTimeOffset due) => ReceiptIds.Of(due, string.Create(CultureInfo.InvariantCulture, $"{job}\n{trigger}\n{due.UtcTicks}"));

    /// <summary>Why a schedule is none, or null.</summary>
    public static LocalText? Fault(ScheduleTrigger schedule)
    {
        if (schedule.TimeZone.Length is 0 or > 64 || !TimeZoneInfo.TryFindSystemTimeZoneById(schedule.TimeZone, out var zone) || !zone.HasIanaId)
            return new($"timeZone: „{schedule.TimeZone}“ ist keine Zeitzone der IANA, etwa Europe/Berlin.", $"timeZone: “{schedule.TimeZone}” is no time zone of IANA, such as Europe/Berlin.");
        if (schedule.CatchUp is not ("last" or "all" or "none")) return new("catchUp: last, all oder none.", "catchUp: last, all or none.");
        if (schedule.Cron.Length > 100 || (schedule.Cron.StartsWith('@') && !s_macros.Contains(schedule.Cron, StringComparer.OrdinalIgnoreCase)) || !CronExpression.TryParse(schedule.Cron, out var cron))
        {
            return new(
                $"cron: „{schedule.Cron}“ ist nicht lesbar; erwartet werden Minute, Stunde, Tag, Monat, Wochentag, etwa „0 6 * * MON-FRI“.",
                $"cron: “{schedule.Cron}” is not readable; minute, hour, day, month and day of week are expected, such as “0 6 * * MON-FRI”.");
        }

        return cron.GetNextOccurrence(new DateTime(2024, 1, 1, 0, 0, 0, DateTimeKind.Utc), zone) is null
            ? new($"cron: „{schedule.Cron}“ trifft nie ein.", $"cron: “{schedule.Cron}” never comes.")
            : null;
    }

    /// <summary>The first time after an instant.</summary>
    public static DateTimeOffset? Next(ScheduleTrigger schedule, DateTimeOffset after)
    {
        var (cron, zone) = Read(schedule);
        return cron.GetNextOccurrence(after.UtcDateTime, zone) is { } next ? At(next) : null;
    }

    /// <summary>What is due by now.</summary>
    /// <param name="handled">Times up to it have been dealt with.</param>
    /// <param name="last">The time of the last run; null: there was none.</param>
    public static DueRuns Due(ScheduleTrigger schedule, DateTimeOffset handled, DateTimeOffset? last, DateTimeOffset now)
    {
        if (now <= handled) return new([], handled, 0);
        var (cron, zone) = Read(schedule);
        // One more than is run: the period of the first one begins there.
        var newest = new Queue<DateTimeOffset>();
        var passed = 0;
        foreach (var time in cron.GetOccurrences(handled.UtcDateTime, now.UtcDateTime, zone, fromInclusive: false, toInclusive: true))
        {
            passed++;
            newest.Enqueue(At(time));
            if (newest.Count > JobLimits.CaughtUp + 1) newest.Dequeue();
        }

        if (passed == 0) return new([], handled, 0);
        var times = newest.ToArray();
        var before = passed > times.Length ? times[0] : last ?? Before(cron, zone, times[0]);
        RunPeriod[] runs = schedule.CatchUp switch
        {
            "all" => [.. Pairs(passed > JobLimits.CaughtUp ? times[1..] : times, passed > JobLimits.CaughtUp ? times[0] : before)],
            "none" => [.. times.Where(time => now - time <= s_grace).Select(time => new RunPeriod(Before(cron, zone, time), time))],
            _ => [new(last ?? Before(cron, zone, At(cron.GetNextOccurrence(handled.UtcDateTime, zone)!.Value)), times[^1])],
        };
        var skipped = schedule.CatchUp == "last" ? 0 : passed - runs.Length;
        return new(runs, times[^1], skipped);
    }

    /// <summary>The periods whose times lie after one instant and up to another, in order.</summary>
    /// <param name="most">So many at most.</param>
    public static IEnumerable<RunPeriod> Periods(ScheduleTrigger schedule, DateTimeOffset after, DateTimeOffset to, int most)
    {
        if (to <= after) return [];
        var (cron, zone) = Read(schedule);
        var times = cron.GetOccurrences(after.UtcDateTime, to.UtcDateTime, zone, fromInclusive: false, toInclusive: true).Take(most).Select(At).ToArray();
        return times.Length == 0 ? [] : Pairs(times, Before(cron, zone, times[0]));
    }

    private static IEnumerable<RunPeriod> Pairs(DateTimeOffset[] times, DateTimeOffset before)
    {
        foreach (var time in times)
        {
            yield return new(before, time);
            before = time;
        }
    }

    /// <summary>The last time before one of the schedule's.</summary>
    private static DateTimeOffset Before(CronExpression cron, TimeZoneInfo zone, DateTimeOffset time)
    {
        foreach (var span in s_back)
        {
            DateTime? found = null;
            foreach (var earlier in cron.GetOccurrences(time.UtcDateTime - span, time.UtcDateTime, zone, fromInclusive: true, toInclusive: false)) found = earlier;
            if (found is { } before) return At(before);
        }

        return time - s_back[^1];
    }

    private static (CronExpression Cron, TimeZoneInfo Zone) Read(ScheduleTrigger schedule) => (CronExpression.Parse(schedule.Cron), TimeZoneInfo.FindSystemTimeZoneById(schedule.TimeZone));

    private static DateTimeOffset At(DateTime utc) => new(utc, TimeSpan.Zero);
}

/// <param name="Runs">One run for each, in order.</param>
/// <param name="Handled">Times up to it are dealt with then.</param>
/// <param name="Skipped">Times that no run is for, nor a period of one.</param>
internal sealed record DueRuns(RunPeriod[] Runs, DateTimeOffset Handled, int Skipped);
