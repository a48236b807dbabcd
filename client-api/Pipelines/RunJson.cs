using System.Text.Json.Serialization;

using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>A run as it is answered.</summary>
/// <param name="State">start, running, complete, fail or abort.</param>
/// <param name="Engine">What runs SQL, with its version.</param>
internal sealed record RunJson(
    string Id, string Job, int Version, string State, DateTimeOffset Ordered, string By, DateTimeOffset? Started, DateTimeOffset? Ended, string? Cause, string? Repeats, string Engine,
    PinnedInputJson[] Inputs, PinnedKeyJson[] Keys, PinnedAreasJson[] Areas, StepJson[] Steps)
{
    /// <summary>The trigger that started it; absent: somebody did.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Trigger { get; init; }

    /// <summary>The run in whose shadow it goes, writing nothing; absent: none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? ShadowOf { get; init; }

    /// <summary>The time that it is for; absent: none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public RunPeriod? Period { get; init; }

    /// <summary>Why its tables were deleted before their time; absent: they were not.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public TablesErasedJson? TablesErased { get; init; }

    public static RunJson Of(RunInfo run, string language, DateTimeOffset now) => new(
        run.Pinned.Id, run.Pinned.Job, run.Pinned.Version, RunWords.Of(run.State), run.Pinned.At, run.Pinned.By, run.Started, run.Ended, run.Cause?.In(language), run.Pinned.Repeats, run.Pinned.Engine,
        [.. run.Pinned.Inputs.Select(PinnedInputJson.Of)], [.. (run.Pinned.Keys ?? []).Select(key => new PinnedKeyJson(key.Step, key.Purpose, key.Version))],
        [.. (run.Pinned.Areas ?? []).Select(areas => new PinnedAreasJson(areas.Step, areas.System, areas.Version))], [.. run.Steps.Select((step, i) => StepJson.Of(step, run.Pinned.Spec.Steps[i], language, now))])
    {
        Trigger = run.Pinned.Trigger,
        Period = run.Pinned.Period,
        ShadowOf = run.Pinned.ShadowOf,
        TablesErased = run.TablesErased is { } erased ? new(erased.Dataset, erased.At, erased.Words().In(language)) : null,
    };
}

/// <param name="Dataset">Whose rows were erased.</param>
internal sealed record TablesErasedJson(string Dataset, DateTimeOffset At, string Detail);

/// <summary>What a step reads: a file with its hash, or a dataset at a watermark; a file that another hub gave has the watermark of that hub.</summary>
/// <param name="Url">From where the file was fetched, as <see cref="Address"/> tells it.</param>
internal sealed record PinnedInputJson(string Step, string? File, string? Name, string? Sha256, string? Dataset, string? Watermark, int? Contract, int? AreaVersion, string? Url)
{
    public static PinnedInputJson Of(PinnedInput input) => new(
        input.Step, input.File, input.Name, input.Sha256 is null ? null : Convert.ToHexStringLower(input.Sha256), input.Dataset, input.Watermark,
        input.Dataset is null ? null : input.Contract, input.Dataset is null ? null : input.Areas, input.Url is null ? null : Address(input.Url));

    /// <summary>An address up to its path: what follows may be a password, and tables and pages go to many. The job's definition has it whole.</summary>
    public static string Address(string url) => new Uri(url).GetLeftPart(UriPartial.Path);
}

/// <summary>The version of a purpose's key that a step makes pseudonyms with.</summary>
internal sealed record PinnedKeyJson(string Step, string Purpose, int Version);

/// <summary>The version of an area system that a step places rows with.</summary>
internal sealed record PinnedAreasJson(string Step, string System, int Version);

/// <param name="Progress">0 to 1; null where it cannot be told.</param>
/// <param name="SecondsLeft">An estimate from what has been done so far; null where there is none.</param>
/// <param name="Sha256">Of the step's table: the same inputs give the same.</param>
internal sealed record StepJson(
    string Id, string Kind, string State, LocalText? Title, int Attempts, DateTimeOffset? Started, DateTimeOffset? Ended, long RowsIn, long RowsOut, double? Progress, int? SecondsLeft,
    StepColumnJson[]? Columns, string? Sha256, string? Receipt, string? Watermark, string? Cause, DateTimeOffset? Again, StepNoteJson[] Notes)
{
    public static StepJson Of(StepInfo step, StepSpec spec, string language, DateTimeOffset now)
    {
        var left = step is { State: RunState.Running, Share: > 0.01 and var share, Started: { } started } ? (now - started) * (1 - share) / share : (TimeSpan?)null;
        return new(
            step.Id, step.Kind, RunWords.Of(step.State), spec.Title, step.Attempts, step.Started, step.Ended, step.RowsIn, step.RowsOut, step.Share, left is { } time ? (int)Math.Ceiling(time.TotalSeconds) : null,
            step.Columns.Length == 0 ? null : [.. step.Columns.Select(column => new StepColumnJson(column.Name, ContractCheck.Word(column.Type)))],
            step.Sha256 is null ? null : Convert.ToHexStringLower(step.Sha256), step.Receipt, step.Watermark, step.Cause?.In(language), step.Again,
            [.. step.Notes.Select(note => new StepNoteJson(note.Severity, note.Text.In(language)))]);
    }
}

internal sealed record StepColumnJson(string Name, string Type);

internal sealed record StepNoteJson(string Severity, string Text);

/// <summary>States in the words of OpenLineage, and as people say them.</summary>
internal static class RunWords
{
    public static string Of(RunState state) => state switch
    {
        RunState.Start => "start",
        RunState.Running => "running",
        RunState.Complete => "complete",
        RunState.Fail => "fail",
        _ => "abort",
    };

    public static LocalText Name(RunState state) => state switch
    {
        RunState.Start => new("wartet", "waiting"),
        RunState.Running => new("läuft", "running"),
        RunState.Complete => new("fertig", "complete"),
        RunState.Fail => new("gescheitert", "failed"),
        _ => new("beendet", "ended"),
    };
}
