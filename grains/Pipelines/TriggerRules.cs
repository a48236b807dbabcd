using System.Globalization;
using System.IO.Enumeration;
using System.Xml;

using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>What triggers must be, and when new rows and files start a run. Pure.</summary>
internal static class TriggerRules
{
    private static readonly TimeSpan s_shortest = TimeSpan.FromSeconds(1), s_quietest = TimeSpan.FromDays(1), s_longest = TimeSpan.FromDays(7);

    /// <summary>Everything that is wrong with the triggers of a definition.</summary>
    public static IEnumerable<JobProblem> Problems(JobSpec spec, Func<string, bool> isId)
    {
        if (spec.Triggers is not { } triggers) yield break;
        if (triggers.Length > JobLimits.Triggers) yield return new("triggers", new($"Höchstens {JobLimits.Triggers}.", $"At most {JobLimits.Triggers}."));
        var ids = new HashSet<string>(StringComparer.Ordinal);
        string[] files = [.. spec.Steps.Where(step => step.Read?.IsNamed() is true).Select(step => step.Id)];
        for (var i = 0; i < Math.Min(triggers.Length, JobLimits.Triggers); i++)
        {
            var (trigger, at) = (triggers[i], $"triggers[{i.ToString(CultureInfo.InvariantCulture)}]");
            if (!isId(trigger.Id)) yield return new(at + ".id", new($"„{trigger.Id}“: ein Kleinbuchstabe, dann Kleinbuchstaben, Ziffern und Unterstriche.", $"“{trigger.Id}”: a lower-case letter, then lower-case letters, digits and underscores."));
            else if (!ids.Add(trigger.Id)) yield return new(at + ".id", new($"„{trigger.Id}“ heißt schon ein anderer Auslöser.", $"Another trigger is called “{trigger.Id}” already."));
            if (new object?[] { trigger.Schedule, trigger.NewRows, trigger.Upload }.Count(kind => kind is not null) != 1)
            {
                yield return new(at, new("Ein Auslöser ist genau eines von schedule, newRows, upload.", "A trigger is exactly one of schedule, newRows, upload."));
                continue;
            }

            if (trigger.Upload is null && files.Length > 0)
            {
                yield return new(at, new($"Der Schritt „{files[0]}“ liest eine Datei; von selbst startet ein solcher Job nur durch upload.", $"The step “{files[0]}” reads a file; such a job starts by itself through upload only."));
            }

            if (trigger.Schedule is { } schedule && ScheduleRules.Fault(schedule) is { } fault) yield return new(at + ".schedule", fault);
            if (trigger.NewRows is { } rows && Fault(rows, spec) is { } wrong) yield return new(at + ".newRows", wrong);
            if (trigger.Upload is { } upload && Fault(upload, files) is { } unfit) yield return new(at + ".upload", unfit);
        }
    }

    /// <summary>How long it must be quiet, and how long that is waited for.</summary>
    public static (TimeSpan Quiet, TimeSpan AtMost) Patience(NewRowsTrigger trigger) => (Duration(trigger.Quiet)!.Value, Duration(trigger.AtMost)!.Value);

    /// <summary>Whether new rows start a run now.</summary>
    /// <param name="first">When the first new rows were seen.</param>
    /// <param name="latest">When the latest were seen.</param>
    public static bool IsDue(NewRowsTrigger trigger, DateTimeOffset first, DateTimeOffset latest, DateTimeOffset now)
    {
        var (quiet, atMost) = Patience(trigger);
        return now - latest >= quiet || now - first >= atMost;
    }

    /// <summary>Whether a trigger waits for such a file.</summary>
    public static bool Fits(UploadTrigger trigger, string name) => FileSystemName.MatchesSimpleExpression(trigger.Name, name, ignoreCase: true);

    private static LocalText? Fault(NewRowsTrigger trigger, JobSpec spec)
    {
        if (!CatalogIds.IsValid(trigger.Dataset)) return new($"dataset: „{trigger.Dataset}“ ist keine Kennung.", $"dataset: “{trigger.Dataset}” is no id.");
        if (spec.Steps.Any(step => step.Write?.Dataset == trigger.Dataset))
            return new($"dataset: Der Job schreibt selbst in „{trigger.Dataset}“; er würde sich immer wieder selbst starten.", $"dataset: The job itself writes into “{trigger.Dataset}”; it would start itself over and over.");
        if (Duration(trigger.Quiet) is not { } quiet || quiet < s_shortest || quiet > s_quietest) return new("quiet: eine Dauer nach ISO 8601 von PT1S bis P1D.", "quiet: an ISO 8601 duration of PT1S to P1D.");
        return Duration(trigger.AtMost) is not { } atMost || atMost < quiet || atMost > s_longest ? new("atMost: eine Dauer nach ISO 8601 von quiet bis P7D.", "atMost: an ISO 8601 duration of quiet to P7D.") : null;
    }

    private static LocalText? Fault(UploadTrigger trigger, string[] files)
    {
        if (files is not [var only] || only != trigger.Step)
            return new("step: der eine Schritt des Jobs, der eine Datei liest; er darf nur einen haben.", "step: the one step of the job that reads a file; it may have one only.");
        return trigger.Name.Length is 0 or > UploadLimits.NameLength || trigger.Name.Contains('/', StringComparison.Ordinal)
            ? new($"name: 1 bis {UploadLimits.NameLength} Zeichen, mit * und ?, ohne Ordner.", $"name: 1 to {UploadLimits.NameLength} characters, with * and ?, without folders.")
            : null;
    }

    private static TimeSpan? Duration(string text)
    {
        try
        {
            return text.Length <= 32 ? XmlConvert.ToTimeSpan(text) : null;
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            return null;
        }
    }
}
