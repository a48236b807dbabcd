using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Indicators;

namespace DataHub.Pipelines;

/// <summary>Why a dataset is stale, in words, from facts that the hub has: its feeds, the jobs that write it, and what those read. Pure.</summary>
internal static class StalenessRules
{
    /// <summary>Indicators may be behind the log for so long without a word.</summary>
    public static readonly TimeSpan Behind = TimeSpan.FromSeconds(30);

    public static Staleness Judge(DatasetFacts facts, DateTimeOffset now)
    {
        var reasons = new List<StaleReason>();
        if (facts.IsRetired) reasons.Add(new("retired", true, new("Der Datensatz ist stillgelegt und nimmt keine Zeilen mehr.", "The dataset is retired and takes no rows any more.")));
        if (facts.FrozenBy is { } agreement)
            reasons.Add(new("frozen", true, new($"Der Datensatz nimmt keine Zeilen mehr, seit die Vereinbarung „{agreement}“ zu Ende ist.", $"The dataset takes no rows any more since the agreement “{agreement}” is over.")));
        if (facts.FoldLag >= Behind)
        {
            reasons.Add(new("behind", true, new(
                $"Die Indikatoren sind noch nicht so weit: Die älteste Lieferung, die sie nicht enthalten, wartet seit {Time("de", facts.FoldLag)}.",
                $"The indicators have not come so far: the oldest push that they do not include has waited for {Time("en", facts.FoldLag)}."))
            { Since = now - facts.FoldLag });
        }

        foreach (var feed in facts.Feeds) reasons.AddRange(Of(feed));
        foreach (var job in facts.Jobs) reasons.AddRange(Of(job));
        return new(facts.Dataset, reasons.Exists(reason => reason.IsStale), [.. reasons]);
    }

    private static IEnumerable<StaleReason> Of(FeedFacts feed)
    {
        if (feed.Silence == FeedSilence.Silent && feed.Rhythm is { } rhythm)
        {
            yield return new("feed-silent", true, new(
                $"Die Datenquelle „{feed.Feed}“ schweigt: Die letzte Lieferung kam am {At("de", feed.LastReceived)}, erwartet wird mindestens alle {Time("de", rhythm)} eine.",
                $"The feed “{feed.Feed}” is silent: the last push came on {At("en", feed.LastReceived)}, one is expected at least every {Time("en", rhythm)}."))
            { Feed = feed.Feed, Since = feed.SilentFrom };
        }

        if (feed.Silence == FeedSilence.Waiting)
        {
            yield return new("feed-waiting", true, new($"Von der Datenquelle „{feed.Feed}“ kam noch nie eine Lieferung.", $"Nothing ever came from the feed “{feed.Feed}”.")) { Feed = feed.Feed };
        }

        if (feed.Last is not { Quarantined: > 0 } last) yield break;
        var all = last.Quarantined == last.Received;
        yield return new(all ? "all-quarantined" : "part-quarantined", all, new(
            $"Von der letzten Lieferung der Datenquelle „{feed.Feed}“ ({At("de", last.At)}) {(last.Quarantined == 1 ? "steht" : "stehen")} {(all ? "alle " : "")}{last.Quarantined} von {last.Received} Zeilen in Quarantäne.",
            $"Of the last push of the feed “{feed.Feed}” ({At("en", last.At)}) {(all ? "all " : "")}{last.Quarantined} of {last.Received} rows are in quarantine."))
        { Feed = feed.Feed, Receipt = last.Receipt, Since = last.At };
    }

    private static IEnumerable<StaleReason> Of(JobFacts job)
    {
        var open = Array.FindAll(job.Runs, run => !RunText.IsOver(run.State));
        var over = Array.Find(job.Runs, run => RunText.IsOver(run.State));
        if (job.Runs.Length == 0) yield return Reason("never-run", true, $"Der Job „{job.Job}“, der den Datensatz schreibt, wurde noch nie gestartet.", $"The job “{job.Job}”, which writes the dataset, was never started.", null);

        if (over is { State: RunState.Fail or RunState.Abort })
        {
            var failed = over.State == RunState.Fail;
            yield return Reason(
                failed ? "run-failed" : "run-ended", true,
                $"Der letzte Lauf des Jobs „{job.Job}“ {(failed ? "scheiterte" : "wurde beendet")} am {At("de", over.Ended)}{Why("de", over.Cause)}",
                $"The last run of the job “{job.Job}” {(failed ? "failed" : "was ended")} on {At("en", over.Ended)}{Why("en", over.Cause)}", over, over.Ended);
        }

        // Newest first: the last one is the one whose turn it is.
        foreach (var run in open)
        {
            if (run == open[^1])
            {
                yield return Reason("run-under-way", false, $"Ein Lauf des Jobs „{job.Job}“ ist seit {At("de", run.At)} unterwegs.", $"A run of the job “{job.Job}” is under way since {At("en", run.At)}.", run, run.At);
                continue;
            }

            yield return Reason(
                "run-waiting", true, $"Ein Lauf des Jobs „{job.Job}“ wartet seit {At("de", run.At)} hinter dem Lauf {open[^1].Run}.", $"A run of the job “{job.Job}” has waited since {At("en", run.At)} behind the run {open[^1].Run}.", run, run.At);
        }

        var started = job.Runs.FirstOrDefault()?.At;
        foreach (var input in job.Inputs)
        {
            if (started is not null && input.LastReceived > started)
            {
                yield return Reason(
                    "not-started-since", true,
                    $"In „{input.Dataset}“ kamen am {At("de", input.LastReceived)} Zeilen; der Job „{job.Job}“, der sie übernimmt, wurde zuletzt am {At("de", started)} gestartet.",
                    $"Rows came into “{input.Dataset}” on {At("en", input.LastReceived)}; the job “{job.Job}”, which takes them over, was last started on {At("en", started)}.", null, input.LastReceived) with
                { Dataset = input.Dataset };
            }

            if (input.Own is { IsStale: true } own)
            {
                yield return Reason(
                    "input-stale", true, $"Der Job „{job.Job}“ liest „{input.Dataset}“, und das ist selbst veraltet.", $"The job “{job.Job}” reads “{input.Dataset}”, which is stale itself.", null) with
                { Dataset = input.Dataset, Behind = [.. own.Reasons.Where(reason => reason.IsStale)] };
            }
        }

        StaleReason Reason(string code, bool isStale, string de, string en, RunFacts? run, DateTimeOffset? since = null) => new(code, isStale, new(de, en)) { Job = job.Job, Run = run?.Run, Since = since };
    }

    private static string Why(string language, LocalText? cause) => cause is null ? "." : ": " + cause.In(language);

    private static string At(string language, DateTimeOffset? at) => at is { } instant ? Display.In(language).Instant(instant, StewardPages.Zone) : "–";

    /// <summary>A duration in words, by its greatest unit.</summary>
    private static string Time(string language, TimeSpan time) => (time.TotalDays, time.TotalHours, time.TotalMinutes) switch
    {
        ( >= 2, _, _) => Say(time.TotalDays, "Tage", "days", language),
        (_, >= 2, _) => Say(time.TotalHours, "Stunden", "hours", language),
        (_, _, >= 2) => Say(time.TotalMinutes, "Minuten", "minutes", language),
        _ => Say(time.TotalSeconds, "Sekunden", "seconds", language),
    };

    private static string Say(double count, string de, string en, string language) => $"{Math.Round(count).ToString(System.Globalization.CultureInfo.InvariantCulture)} {(language == "de" ? de : en)}";
}

/// <summary>Whether a dataset is stale, and why.</summary>
public sealed record Staleness(string Dataset, bool IsStale, StaleReason[] Reasons);

/// <param name="Code">A stable word.</param>
/// <param name="IsStale">It makes the dataset stale; else it is worth knowing.</param>
public sealed record StaleReason(string Code, bool IsStale, LocalText Text)
{
    public string? Feed { get; init; }

    public string? Receipt { get; init; }

    public string? Job { get; init; }

    public string? Run { get; init; }

    /// <summary>A dataset that a job reads.</summary>
    public string? Dataset { get; init; }

    public DateTimeOffset? Since { get; init; }

    /// <summary>Why that dataset is stale.</summary>
    public StaleReason[] Behind { get; init; } = [];
}

/// <param name="FrozenBy">The agreement whose end froze it; null: none did.</param>
/// <param name="FoldLag">How long the oldest push has waited that indicators do not include yet.</param>
/// <param name="Jobs">That write it, as far as the caller may know of them.</param>
internal sealed record DatasetFacts(string Dataset, bool IsRetired, string? FrozenBy, TimeSpan FoldLag, FeedFacts[] Feeds, JobFacts[] Jobs);

/// <param name="Last">Its last push; null where there is none.</param>
internal sealed record FeedFacts(string Feed, TimeSpan? Rhythm, FeedSilence Silence, DateTimeOffset? LastReceived, DateTimeOffset? SilentFrom, PushFacts? Last);

internal sealed record PushFacts(string Receipt, DateTimeOffset At, int Received, int Quarantined)
{
    /// <summary>New, corrected and retracted.</summary>
    public int Accepted { get; init; }
}

/// <param name="Runs">Newest first.</param>
internal sealed record JobFacts(string Job, RunFacts[] Runs, InputFacts[] Inputs);

/// <param name="At">When it was started.</param>
/// <param name="Cause">Why it failed or was ended; known of the last one that did.</param>
internal sealed record RunFacts(string Run, RunState State, DateTimeOffset At, DateTimeOffset? Ended, LocalText? Cause);

/// <param name="LastReceived">When a push came last into it, where that changed rows; null: it did not, or the caller may not know.</param>
/// <param name="Own">Null where it was not followed: a limit, a circle, or the caller may not know.</param>
internal sealed record InputFacts(string Dataset, DateTimeOffset? LastReceived, Staleness? Own);
