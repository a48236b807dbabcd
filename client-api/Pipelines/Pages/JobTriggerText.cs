using DataHub.Indicators;

namespace DataHub.Pipelines;

/// <summary>What starts a job by itself, in sentences.</summary>
internal static class JobTriggerText
{
    public static string Of(Display display, TriggerSpec trigger) => trigger switch
    {
        { Schedule: { } schedule } => display.Say($"Nach Zeitplan „{schedule.Cron}“ ({schedule.TimeZone}); {CatchUp(display, schedule)}", $"By the schedule “{schedule.Cron}” ({schedule.TimeZone}); {CatchUp(display, schedule)}"),
        { NewRows: { } rows } => display.Say(
            $"Wenn „{rows.Dataset}“ neue Zeilen hat und {rows.Quiet} lang keine mehr kamen, spätestens nach {rows.AtMost}.", $"When “{rows.Dataset}” has new rows and none have come for {rows.Quiet}, after {rows.AtMost} at the latest."),
        { Upload: { } upload } => display.Say($"Wenn eine Datei „{upload.Name}“ hochgeladen ist; der Schritt „{upload.Step}“ liest sie.", $"When a file “{upload.Name}” has been uploaded; the step “{upload.Step}” reads it."),
        _ => "",
    };

    public static string Of(Display display, Backfill backfill)
    {
        var span = display.Say($"nach {RunText.When(display, backfill.Spec.From)}, bis {RunText.When(display, backfill.Spec.To)}", $"after {RunText.When(display, backfill.Spec.From)}, up to {RunText.When(display, backfill.Spec.To)}");
        var state = backfill.State switch
        {
            BackfillState.Running => display.Say("läuft", "under way"),
            BackfillState.Stopped => display.Say("angehalten", "stopped"),
            BackfillState.Complete => display.Say("fertig", "complete"),
            _ => display.Say("aufgegeben", "given up"),
        };
        return display.Say($"Nachholen ({span}): {state}, {display.Count(backfill.Done)} von {display.Count(backfill.Periods)} Läufen fertig.", $"Backfill ({span}): {state}, {display.Count(backfill.Done)} of {display.Count(backfill.Periods)} runs complete.");
    }

    private static string CatchUp(Display display, ScheduleTrigger schedule) => schedule.CatchUp switch
    {
        "all" => display.Say("was ausfiel, wird Termin für Termin nachgeholt.", "what was missed is caught up time by time."),
        "none" => display.Say("was ausfiel, fällt weg.", "what was missed is left out."),
        _ => display.Say("was ausfiel, holt ein Lauf nach.", "what was missed one run catches up."),
    };
}
