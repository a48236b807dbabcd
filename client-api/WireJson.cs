using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

using DataHub.Catalog;

namespace DataHub;

/// <summary>How the hub writes and reads JSON (design §5): camelCase, enums as camelCase words, absent rather than null where a member is marked so.</summary>
public static class WireJson
{
    /// <summary>Read-only; for every document of the public interface.</summary>
    public static JsonSerializerOptions Options { get; } = Make();

    /// <summary>Makes other options (those of ASP.NET) write and read the same way.</summary>
    public static void Apply(JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        options.DictionaryKeyPolicy = null;
        // Umlauts and links stay readable. Never to be put into a page unencoded; answers say nosniff.
        options.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.AllowDuplicateProperties = false;
        options.MaxDepth = 32;
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false));
        options.Converters.Add(new LocalTextConverter());
        options.Converters.Add(new InstantConverter());
    }

    private static JsonSerializerOptions Make()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web);
        Apply(options);
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }

    /// <summary>Instants in UTC, <c>2026-11-24T08:00:00Z</c>, with as many places of the second as are not zero; read with any offset.</summary>
    private sealed class InstantConverter : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTimeOffset();

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options)
        {
            Span<byte> text = stackalloc byte[40];
            value.UtcDateTime.TryFormat(text, out var length, "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", System.Globalization.CultureInfo.InvariantCulture);
            writer.WriteStringValue(text[..length]);
        }
    }

    /// <summary><c>{ "de": "…", "en": "…" }</c>; a bare text is taken as German. Written as an object.</summary>
    private sealed class LocalTextConverter : JsonConverter<LocalText>
    {
        public override LocalText? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType == JsonTokenType.String) return new(reader.GetString()!, null);
            if (reader.TokenType != JsonTokenType.StartObject) throw new WireJsonException(new("ein Text oder { \"de\": \"…\", \"en\": \"…\" } wird erwartet", "a text or { \"de\": \"…\", \"en\": \"…\" } is expected"));
            string? de = null, en = null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString();
                if (!reader.Read() || reader.TokenType is not (JsonTokenType.String or JsonTokenType.Null)) throw new WireJsonException(new($"die Sprache {name} muss ein Text sein", $"the language {name} must be a text"));
                switch (name)
                {
                    case "de": de = reader.GetString(); break;
                    case "en": en = reader.GetString(); break;
                    default: throw new WireJsonException(new($"die Sprache {name} ist unbekannt; bekannt sind de und en", $"the language {name} is unknown; de and en are known"));
                }
            }

            return new(de ?? throw new WireJsonException(new("dem Text fehlt die deutsche Form (de)", "the text lacks its German form (de)")), en);
        }

        public override void Write(Utf8JsonWriter writer, LocalText value, JsonSerializerOptions options)
        {
            writer.WriteStartObject();
            writer.WriteString("de", value.De);
            if (value.En is not null) writer.WriteString("en", value.En);
            writer.WriteEndObject();
        }
    }
}

/// <summary>JSON that is not what is expected, in the hub's own words.</summary>
internal sealed class WireJsonException(LocalText detail) : JsonException(detail.En)
{
    public LocalText Detail => detail;
}
