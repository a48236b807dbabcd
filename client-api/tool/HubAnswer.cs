using System.Text.Json;

namespace DataHub.Tool;

/// <summary>An answer of the hub that is final: a success, or a refusal that a repeat would not change.</summary>
/// <param name="Body">Its JSON; null where it has none.</param>
internal sealed record HubAnswer(int Status, JsonElement? Body)
{
    public bool IsSuccess => Status is >= 200 and < 300;

    /// <summary>The problem's word, such as <c>not-found</c>; empty where there is none.</summary>
    public string Word => Text("type")?.Split('/')[^1] ?? "";

    /// <summary>The problem in a sentence, with its status.</summary>
    public string Problem => $"{Status} {Report.Flat(string.Join(" – ", new[] { Text("title"), Text("detail") }.Where(text => text is not null)))}".TrimEnd();

    /// <summary>A member that is a text.</summary>
    public string? Text(string name) => Body is { ValueKind: JsonValueKind.Object } body && body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>A member that is a number; 0 where it is not there.</summary>
    public long Number(string name) => Body is { ValueKind: JsonValueKind.Object } body && body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt64() : 0;
}

/// <summary>The hub was not reached, or kept saying "later", until the time was up.</summary>
internal sealed class GaveUpException(string message) : Exception(message);

/// <summary>What was asked for cannot be done with these arguments or files.</summary>
internal sealed class UsageException(string message) : Exception(message);
