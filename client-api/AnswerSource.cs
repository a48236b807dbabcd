using System.Globalization;
using System.Text.Json;

using DataHub.Pipelines;

namespace DataHub;

/// <summary>Where the table of a pipeline's step comes from.</summary>
/// <param name="Sha256">Of the table, whatever its format: the same inputs give the same.</param>
/// <param name="Job">Null, as all that follows, for whoever may see rows of the run but not the run.</param>
/// <param name="Engine">What runs SQL, with its version.</param>
/// <param name="Inputs">What the run reads: files with their hashes, datasets at their watermarks.</param>
internal sealed record AnswerSource(string Run, long Rows, string? Sha256, string? Job, int? JobVersion, string? Engine, DateTimeOffset? Ordered, PinnedInputJson[]? Inputs)
{
    /// <summary>All that is known, as members of the object that is being written.</summary>
    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteString("run", Run);
        if (Job is not null) writer.WriteString("job", Job);
        if (JobVersion is { } version) writer.WriteNumber("jobVersion", version);
        if (Engine is not null) writer.WriteString("engine", Engine);
        if (Ordered is { } ordered) writer.WriteString("ordered", AnswerText.Instant(ordered.UtcTicks));
        writer.WriteNumber("rows", Rows);
        if (Sha256 is not null) writer.WriteString("sha256", Sha256);
        if (Inputs is null) return;
        writer.WritePropertyName("inputs");
        JsonSerializer.Serialize(writer, Inputs, WireJson.Options);
    }

    /// <summary>The same as texts by name.</summary>
    public IEnumerable<(string Name, string? Value)> Pairs() =>
    [
        ("run", Run), ("job", Job), ("jobVersion", JobVersion?.ToString(CultureInfo.InvariantCulture)), ("engine", Engine), ("ordered", Ordered is { } ordered ? AnswerText.Instant(ordered.UtcTicks) : null),
        ("rows", Rows.ToString(CultureInfo.InvariantCulture)), ("sha256", Sha256), ("inputs", Inputs is null ? null : JsonSerializer.Serialize(Inputs, WireJson.Options)),
    ];
}
