using System.Text.Json;
using System.Text.Json.Serialization;

namespace DataHub.Pipelines;

/// <summary>A column as a text, or a window of time as <c>{ "time": "tag", "unit": "month", "zone": "Europe/Berlin", "name": "monat" }</c>.</summary>
public sealed class AggregateKeyConverter : JsonConverter<AggregateKey>
{
    public override AggregateKey? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String) return new(reader.GetString()!);
        var window = JsonSerializer.Deserialize<Window>(ref reader, options) ?? throw new JsonException();
        return new(window.Time) { Unit = window.Unit, Zone = window.Zone, Name = window.Name };
    }

    public override void Write(Utf8JsonWriter writer, AggregateKey value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(value);
        if (value.Unit is null) writer.WriteStringValue(value.Column);
        else JsonSerializer.Serialize(writer, new Window(value.Column, value.Unit, value.Zone, value.Name), options);
    }

    [JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
    private sealed record Window(
        [property: JsonRequired, JsonPropertyName("time")] string Time, [property: JsonRequired, JsonPropertyName("unit")] string Unit,
        [property: JsonPropertyName("zone"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Zone = null,
        [property: JsonPropertyName("name"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Name = null);
}
