using System.Globalization;

using DataHub.Catalog;
using DataHub.Indicators;

using Microsoft.AspNetCore.Http;

namespace DataHub.Pipelines;

/// <summary>The forms of the pages of runs, and the one that was refused, with what was entered. Who may is the grain's to say. Pure.</summary>
/// <param name="display">Language and forms.</param>
/// <param name="entry">What was entered and refused; null: nothing.</param>
internal sealed class RunForms(Display display, StewardEntry? entry)
{
    /// <summary>Ids of the forms.</summary>
    public const string Abort = "abort", Resume = "resume", Repeat = "repeat", Start = "start";

    /// <summary>What a field that names a file begins with; its step follows.</summary>
    public const string Files = "files.";

    /// <summary>Most characters of a reason, as on the interface.</summary>
    public const int MaxReason = 1_000;

    /// <summary>What has been done, by the word in the address that the reader is sent to; null where it is no longer true.</summary>
    public string? Done(HttpContext http, RunState state) => (http.Request.Query["done"].ToString(), state) switch
    {
        (Abort, RunState.Abort) => display.Say("Der Lauf ist beendet. Was schon geschrieben war, bleibt.", "The run is ended. What was written stays."),
        (Resume, not (RunState.Fail or RunState.Abort)) => display.Say("Der Lauf geht weiter.", "The run goes on."),
        (Start or Repeat, RunState.Start) => display.Say("Der Lauf ist bestellt; er beginnt, sobald kein anderer dieses Jobs läuft.", "The run is ordered; it begins as soon as no other of this job is under way."),
        (Start or Repeat, RunState.Running) => display.Say("Der Lauf ist gestartet.", "The run is started."),
        _ => null,
    };

    public StewardForm OfAbort(string run) => Form(Abort, null, $"/runs/{run}/acts", display.Say("Jetzt beenden", "End it now"),
        [new("reason", display.Say("Warum", "Why"), StewardFieldKind.Lines) { Required = true, MaxLength = MaxReason, Hint = display.Say("steht dann beim Lauf", "stands with the run then") }], [("act", Abort)]);

    public StewardForm OfResume(string run) => Form(Resume, null, $"/runs/{run}/acts", display.Say("Fortsetzen", "Resume"), [], [("act", Resume)]) with
    {
        Note = display.Say("Es geht mit dem Schritt weiter, der nicht fertig wurde; was die Schritte davor gemacht haben, bleibt.", "It goes on with the step that was not completed; what the steps before it made stays."),
    };

    /// <param name="id">Of the run that would be started.</param>
    public StewardForm OfRepeat(RunInfo run, string id) => Form(Repeat, null, $"/jobs/{run.Pinned.Job}/runs", display.Say("Noch einmal laufen lassen", "Run it again"), [], [("id", id), ("repeats", run.Pinned.Id)]) with
    {
        Note = display.Say("Ein neuer Lauf mit genau diesen Eingaben und der geltenden Fassung des Jobs.", "A new run with these very inputs and the job's current version."),
    };

    /// <param name="files">From which one is chosen, newest first.</param>
    /// <param name="id">Of the run that would be started.</param>
    public StewardForm OfStart(JobInfo job, UploadedFile[] files, string id)
    {
        var steps = job.Spec.Steps.Where(step => step.Read is { File: not null, Url: null }).ToArray();
        (string, string)[] options = [("", display.Say("– bitte wählen –", "– please choose –")), .. files.Select(file => (file.Id, $"{file.Spec.Name} · {RunText.When(display, file.Created)} · {Size(file.Spec.Length)}"))];
        return Form(Start, null, $"/jobs/{job.Id}/runs", display.Say("Lauf starten", "Start a run"),
            [.. steps.Select(step => new StewardField(Files + step.Id, display.Say("Datei für ", "File for ") + (step.Title?.In(display.Language) ?? step.Id), StewardFieldKind.Choice) { Required = true, Options = options })],
            [("id", id)]) with
        {
            Note = steps.Length == 0
                ? display.Say("Gelesen wird, was beim Start dasteht.", "What is read is what stands there at the start.")
                : files.Length == 0
                    ? display.Say($"Für „{job.Spec.Agency}“ ist noch keine Datei da, von der Sie wissen dürfen. Hochgeladen wird über POST /api/v1/files.", $"There is no file of “{job.Spec.Agency}” yet that you may know of. Files are uploaded by POST /api/v1/files.")
                    : display.Say("Zur Wahl stehen die neuesten vollständig hochgeladenen Dateien.", "The newest files that were uploaded as a whole can be chosen."),
        };
    }

    /// <summary>Why something was refused that has none of these forms; null: nothing was.</summary>
    public string? Left(IEnumerable<StewardForm> forms) => entry is null || forms.Any(form => form.Id == entry.Form) ? null : entry.Fault;

    private StewardForm Form(string id, string? heading, string action, string button, StewardField[] fields, (string, string)[] hidden) =>
        new StewardForm("form-" + id, heading, action, button, hidden, fields).With(entry);

    private string Size(long bytes) => bytes < 10_000
        ? display.Count(bytes) + " Byte"
        : bytes < 10_000_000 ? display.Count(bytes / 1_000) + " kB" : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1_000_000} MB");
}
