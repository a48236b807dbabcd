using System.Globalization;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Indicators;

namespace DataHub.Pipelines;

/// <summary>How runs and their steps are said on pages. Pure.</summary>
internal static class RunText
{
    private const int ShortHash = 12;

    private static readonly JsonSerializerOptions s_indented = new(WireJson.Options) { WriteIndented = true };

    public static bool IsOver(RunState state) => state is RunState.Complete or RunState.Fail or RunState.Abort;

    /// <summary>What a step does, in a word.</summary>
    public static string Kind(Display display, string? kind) => kind switch
    {
        "read" => display.Say("liest", "reads"),
        "check" => display.Say("prüft", "checks"),
        "transform" => display.Say("rechnet mit SQL", "computes with SQL"),
        "pseudonymise" => display.Say("pseudonymisiert", "pseudonymises"),
        "place" => display.Say("ordnet Gebieten zu", "places in areas"),
        "aggregate" => display.Say("fasst zusammen", "aggregates"),
        "recipe" => display.Say("rechnet nach Rezept", "computes by a recipe"),
        "write" => display.Say("schreibt", "writes"),
        "publish" => display.Say("gibt frei", "releases"),
        _ => kind ?? "–",
    };

    public static string Severity(Display display, string severity) => severity switch
    {
        "error" => display.Say("Fehler", "Error"),
        "warning" => display.Say("Warnung", "Warning"),
        _ => display.Say("Hinweis", "Note"),
    };

    public static string When(Display display, DateTimeOffset? at) => at is { } instant ? display.Instant(instant, StewardPages.Zone) : "–";

    /// <summary>A file's format as it stands in a job's definition.</summary>
    public static string Format(FileFormat format) => JsonSerializer.Serialize(format, s_indented);

    /// <summary>How long something took, or takes so far.</summary>
    public static string Took(Display display, DateTimeOffset? from, DateTimeOffset? to, DateTimeOffset now) =>
        from is { } begin ? Duration(display, (to ?? now) - begin) : "–";

    public static string Duration(Display display, TimeSpan time)
    {
        if (time < TimeSpan.Zero) time = TimeSpan.Zero;
        if (time.TotalSeconds < 10) return display.Number(time.TotalSeconds, 1) + "\u00a0s";
        if (time.TotalMinutes < 1) return Whole(time.TotalSeconds) + "\u00a0s";
        if (time.TotalHours < 1) return $"{Whole(time.Minutes)}\u00a0min {Whole(time.Seconds)}\u00a0s";
        return $"{Whole(Math.Floor(time.TotalHours))}\u00a0h {Whole(time.Minutes)}\u00a0min";
    }

    /// <summary>Which step is under way, of how many, and how far it is.</summary>
    public static string Progress(Display display, RunInfo run)
    {
        var step = Array.FindIndex(run.Steps, one => one.State != RunState.Complete);
        if (step < 0) return "";
        var share = run.Steps[step] is { State: RunState.Running, Share: { } part } ? ", " + Percent(part) : "";
        return display.Say($"Schritt {step + 1} von {run.Steps.Length}: {run.Steps[step].Id}{share}", $"step {step + 1} of {run.Steps.Length}: {run.Steps[step].Id}{share}");
    }

    public static string Percent(double share) => Whole(Math.Floor(Math.Clamp(share, 0, 1) * 100)) + "\u00a0%";

    public static string Hash(byte[]? sha256) => sha256 is null ? "–" : Convert.ToHexStringLower(sha256)[..ShortHash] + "…";

    public static string Shortened(string? text) => text is null ? "–" : text.Length > ShortHash ? text[..ShortHash] + "…" : text;

    /// <summary>What a step is called.</summary>
    public static string Title(Display display, RunInfo run, StepInfo step) => Array.Find(run.Pinned.Spec.Steps, spec => spec.Id == step.Id)?.Title?.In(display.Language) ?? step.Id;

    private static string Whole(double number) => number.ToString("0", CultureInfo.InvariantCulture);
}
