using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace DataHub.Catalog;

/// <summary>The public interface as people read it: what <c>/openapi/v1.json</c> says, in order. Immutable.</summary>
/// <param name="Groups">Areas of the interface with their operations, in the document's order.</param>
public sealed record ApiView(IReadOnlyList<ApiGroup> Groups)
{
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions s_compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Names that the examples of bodies use; so the lines to copy tell the same story.</summary>
    private static readonly Dictionary<string, string> s_names = new(StringComparer.Ordinal)
    {
        ["agency"] = "senumvk",
        ["system"] = "demo",
        ["dataset"] = "air-quality",
        ["feed"] = "default",
        ["indicator"] = "no2-hourly",
        ["receipt"] = "01M85TE81WJVE9C37DP5NKMBKC",
    };

    /// <summary>Operations there are; HEAD beside GET is not counted.</summary>
    public int Count => Groups.Sum(group => group.Operations.Count);

    /// <summary>Reads an OpenAPI document.</summary>
    public static ApiView Of(JsonElement document)
    {
        var groups = new List<(string Name, List<ApiOperation> Operations)>();
        foreach (var path in document.GetProperty("paths").EnumerateObject())
        {
            var hasGet = path.Value.TryGetProperty("get", out _);
            foreach (var method in path.Value.EnumerateObject())
            {
                // HEAD answers as GET does.
                if (method.Name == "head" && hasGet) continue;
                var operation = Operation(document, method.Name.ToUpperInvariant(), path.Name, method.Value, method.Name == "get" && path.Value.TryGetProperty("head", out _));
                var name = method.Value.TryGetProperty("tags", out var tags) && tags.GetArrayLength() > 0 ? tags[0].GetString()! : "DataHub";
                var group = groups.Find(g => g.Name == name);
                if (group.Operations is null) groups.Add(group = (name, []));
                group.Operations.Add(operation);
            }
        }

        return new([.. groups.Select(group => new ApiGroup(group.Name, group.Operations))]);
    }

    /// <summary>Only the operations in which every word of a search occurs.</summary>
    public ApiView Matching(string search)
    {
        var words = search.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return new([.. Groups
            .Select(group => group with { Operations = [.. group.Operations.Where(operation => Array.TrueForAll(words, word => operation.Searched.Contains(word, StringComparison.OrdinalIgnoreCase)))] })
            .Where(group => group.Operations.Count > 0)]);
    }

    /// <summary>The anchor of an operation, such as <c>get-api-v1-agencies</c>.</summary>
    public static string Anchor(string method, string path)
    {
        var anchor = new StringBuilder(method.ToLowerInvariant());
        foreach (var c in path) anchor.Append(char.IsAsciiLetterOrDigit(c) ? c : '-');
        return anchor.ToString().TrimEnd('-');
    }

    private static ApiOperation Operation(JsonElement document, string method, string path, JsonElement operation, bool hasHead)
    {
        var bodies = operation.TryGetProperty("requestBody", out var request) ? Bodies(document, request) : [];
        var needsKey = operation.TryGetProperty("security", out var security) && security.GetArrayLength() > 0;
        return new(
            method, path, Anchor(method, path), hasHead ? Anchor("head", path) : null, Text(operation, "summary") ?? "", Text(operation, "description"), needsKey,
            [.. Members(operation, "parameters").Select(parameter => new ApiParameter(
                Text(parameter, "name") ?? "", Text(parameter, "in") ?? "", parameter.TryGetProperty("required", out var required) && required.GetBoolean(),
                TypeOf(document, parameter.TryGetProperty("schema", out var schema) ? schema : default), Text(parameter, "description")))],
            bodies,
            [.. operation.GetProperty("responses").EnumerateObject().Select(answer => new ApiAnswer(answer.Name, Text(answer.Value, "description") ?? "", Bodies(document, answer.Value)))],
            Curl(method, path, needsKey, bodies.Count > 0 ? bodies[0] : null));
    }

    private static List<ApiBody> Bodies(JsonElement document, JsonElement holder)
    {
        var bodies = new List<ApiBody>();
        if (!holder.TryGetProperty("content", out var content)) return bodies;
        foreach (var media in content.EnumerateObject())
        {
            string? shown = null, sent = null;
            if (media.Value.TryGetProperty("example", out var example))
            {
                shown = example.ValueKind == JsonValueKind.String ? example.GetString()! : JsonSerializer.Serialize(example, s_indented);
                sent = example.ValueKind == JsonValueKind.String ? example.GetString()! : JsonSerializer.Serialize(example, s_compact);
            }

            bodies.Add(new(media.Name, shown, sent, media.Value.TryGetProperty("schema", out var schema) ? Fields(document, schema) : []));
        }

        return bodies;
    }

    private static List<ApiField> Fields(JsonElement document, JsonElement schema)
    {
        var resolved = Resolve(document, schema);
        return resolved.ValueKind == JsonValueKind.Object && resolved.TryGetProperty("properties", out var properties)
            ? [.. properties.EnumerateObject().Select(property => new ApiField(property.Name, TypeOf(document, property.Value), Text(property.Value, "description") ?? Text(Resolve(document, property.Value), "description")))]
            : [];
    }

    private static string TypeOf(JsonElement document, JsonElement schema)
    {
        var resolved = Resolve(document, schema);
        if (resolved.ValueKind != JsonValueKind.Object) return "";
        if (resolved.TryGetProperty("enum", out var words)) return string.Join(" | ", words.EnumerateArray().Select(word => word.ToString()));
        if (resolved.TryGetProperty("oneOf", out var choices)) return string.Join(" | ", choices.EnumerateArray().Select(choice => TypeOf(document, choice)).Where(type => type.Length > 0).Distinct());
        if (!resolved.TryGetProperty("type", out var type)) return "";
        var name = type.ValueKind == JsonValueKind.Array ? string.Join(" | ", type.EnumerateArray().Select(one => one.GetString())) : type.GetString()!;
        return name.StartsWith("array", StringComparison.Ordinal) && resolved.TryGetProperty("items", out var items) && TypeOf(document, items) is { Length: > 0 } item ? $"{name} ({item})" : name;
    }

    private static JsonElement Resolve(JsonElement document, JsonElement schema)
    {
        const string Components = "#/components/schemas/";
        for (var step = 0; step < 8 && schema.ValueKind == JsonValueKind.Object && Text(schema, "$ref") is { } reference; step++)
        {
            if (!reference.StartsWith(Components, StringComparison.Ordinal) || !document.GetProperty("components").GetProperty("schemas").TryGetProperty(reference[Components.Length..], out schema)) return default;
        }

        return schema;
    }

    /// <summary>A line for a shell in which <c>$HUB</c> and <c>$KEY</c> are set.</summary>
    private static string Curl(string method, string path, bool needsKey, ApiBody? body)
    {
        foreach (var (name, value) in s_names) path = path.Replace($"{{{name}}}", value, StringComparison.Ordinal);
        var line = new StringBuilder();
        var isBinary = body?.ContentType.Contains("msgpack", StringComparison.Ordinal) == true;
        if (isBinary) line.Append("echo ").Append(body!.Sent).Append(" | base64 -d | ");
        line.Append("curl ");
        if (method != "GET") line.Append("-X ").Append(method).Append(' ');
        line.Append("\"$HUB").Append(path).Append('"');
        if (needsKey) line.Append(" -H \"Authorization: Bearer $KEY\"");
        if (body?.Sent is null) return line.ToString();
        line.Append(" -H \"Content-Type: ").Append(body.ContentType).Append("\" --data-binary ");
        return line.Append(isBinary ? "@-" : $"'{body.Sent.Replace("'", "'\\''", StringComparison.Ordinal)}'").ToString();
    }

    private static string? Text(JsonElement element, string name) => element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static JsonElement.ArrayEnumerator Members(JsonElement element, string name) => element.TryGetProperty(name, out var list) ? list.EnumerateArray() : default;
}

/// <summary>Operations that belong together.</summary>
/// <param name="Name">Their tag.</param>
public sealed record ApiGroup(string Name, IReadOnlyList<ApiOperation> Operations);

/// <summary>A method of a route.</summary>
/// <param name="Id">Its anchor.</param>
/// <param name="HeadId">Anchor of HEAD, where that answers as it does; else null.</param>
/// <param name="Curl">A line to copy.</param>
public sealed record ApiOperation(
    string Method, string Path, string Id, string? HeadId, string Summary, string? Description, bool NeedsKey,
    IReadOnlyList<ApiParameter> Parameters, IReadOnlyList<ApiBody> Bodies, IReadOnlyList<ApiAnswer> Answers, string Curl)
{
    /// <summary>What a search looks through.</summary>
    public string Searched { get; } = string.Join(' ', new[] { Method, Path, Summary, Description }.Concat(Parameters.SelectMany(parameter => new[] { parameter.Name, parameter.Meaning })));
}

/// <summary>What an address takes.</summary>
/// <param name="In">path, query or header.</param>
public sealed record ApiParameter(string Name, string In, bool Required, string Type, string? Meaning);

/// <summary>A body that is sent or answered.</summary>
/// <param name="Example">For people; null: none.</param>
/// <param name="Sent">The same on one line.</param>
/// <param name="Fields">Members at the top.</param>
public sealed record ApiBody(string ContentType, string? Example, string? Sent, IReadOnlyList<ApiField> Fields);

/// <summary>A member of a body.</summary>
public sealed record ApiField(string Name, string Type, string? Meaning);

/// <summary>What may be answered.</summary>
public sealed record ApiAnswer(string Status, string Meaning, IReadOnlyList<ApiBody> Bodies);
