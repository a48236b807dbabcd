using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;
using System.Xml;

namespace DataHub.Catalog;

/// <summary>
/// A contract as JSON: Frictionless Table Schema v1, whose fields may have <c>role</c>, <c>unit</c> and <c>timeZone</c>
/// besides; titles are a text or <c>{ "de", "en" }</c>.
/// </summary>
internal static class TableSchemaJson
{
    public static readonly FrozenDictionary<string, FieldType> Types = Words(Enum.GetValues<FieldType>());
    public static readonly FrozenDictionary<string, FieldRole> Roles = Words(Enum.GetValues<FieldRole>().Where(r => r != FieldRole.None));

    // version is the hub's answer; what describes a schema for others (name, title, $schema) means nothing here.
    private static readonly FrozenSet<string> s_schemaMembers = Set("fields", "primaryKey", "missingValues", "maxFuture", "version", "$schema", "name", "title", "description");

    private static readonly FrozenSet<string> s_fieldMembers = Set(
        "name", "type", "format", "title", "description", "role", "unit", "timeZone", "constraints", "trueValues", "falseValues", "decimalChar", "groupChar", "bareNumber",
        // Table Schema's remarks for people and machines elsewhere: taken and not kept.
        "example", "rdfType");

    private static readonly FrozenSet<string> s_constraintMembers = Set("required", "unique", "minLength", "maxLength", "minimum", "maximum", "pattern", "enum");

    /// <summary>Reads a schema; whether it can be a contract is the grain's to say.</summary>
    /// <param name="path">Place of the schema in the document, for faults.</param>
    /// <returns>Null where anything was noted in <paramref name="faults"/>.</returns>
    public static TableSchema? Parse(JsonElement element, string path, List<DocumentFault> faults)
    {
        var before = faults.Count;
        var schema = new JsonObjectReader(element, path, faults, s_schemaMembers);
        var fields = new List<FieldSpec>();
        var array = schema.Get("fields");
        if (array.ValueKind == JsonValueKind.Array)
        {
            var i = 0;
            foreach (var field in array.EnumerateArray())
            {
                // So many that the grain will refuse them anyway.
                if (i > ContractLimits.Fields) break;
                fields.Add(ParseField(field, $"{schema.PathOf("fields")}[{i++}]", faults));
            }
        }
        else if (array.ValueKind == JsonValueKind.Undefined)
        {
            schema.Missing("fields");
        }
        else
        {
            schema.Fault(schema.PathOf("fields"), "Hier wird ein Array von Feldern erwartet.", "An array of fields is expected here.");
        }

        var key = schema.Get("primaryKey").ValueKind == JsonValueKind.String ? [schema.Text("primaryKey")!] : schema.Texts("primaryKey");
        var missing = schema.Texts("missingValues");
        var maxFuture = schema.Duration("maxFuture");
        if (faults.Count > before) return null;
        var parsed = new TableSchema(0, [.. fields], key ?? [], missing ?? [""]);
        return maxFuture is { } ahead ? parsed with { MaxFuture = ahead } : parsed;
    }

    public static void Write(Utf8JsonWriter writer, TableSchema schema)
    {
        writer.WriteStartObject();
        if (schema.Version > 0) writer.WriteNumber("version", schema.Version);
        Texts(writer, "primaryKey", schema.PrimaryKey);
        Texts(writer, "missingValues", schema.MissingValues);
        writer.WriteString("maxFuture", XmlConvert.ToString(schema.MaxFuture));
        writer.WriteStartArray("fields");
        foreach (var field in schema.Fields) WriteField(writer, field);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    /// <summary>A text for people as the hub writes it: <c>{ "de": …, "en": … }</c>; nothing where it is null.</summary>
    public static void Local(Utf8JsonWriter writer, string member, LocalText? text)
    {
        if (text is null) return;
        writer.WritePropertyName(member);
        JsonSerializer.Serialize(writer, text, WireJson.Options);
    }

    private static FieldSpec ParseField(JsonElement element, string path, List<DocumentFault> faults)
    {
        var field = new JsonObjectReader(element, path, faults, s_fieldMembers);
        return new(
            field.Text("name", required: true) ?? "",
            field.Word("type", Types) ?? FieldType.String,
            field.Text("format"),
            field.Word("role", Roles) ?? FieldRole.None,
            ParseConstraints(field.Get("constraints"), field.PathOf("constraints"), faults),
            field.Text("unit"),
            field.Text("timeZone"),
            field.LocalText("title"))
        {
            Description = field.LocalText("description"),
            TrueValues = field.Texts("trueValues"),
            FalseValues = field.Texts("falseValues"),
            DecimalChar = field.Text("decimalChar"),
            GroupChar = field.Text("groupChar"),
            BareNumber = field.Boolean("bareNumber") ?? true,
        };
    }

    private static FieldConstraints ParseConstraints(JsonElement element, string path, List<DocumentFault> faults)
    {
        if (element.ValueKind == JsonValueKind.Undefined) return FieldConstraints.None;
        var constraints = new JsonObjectReader(element, path, faults, s_constraintMembers);
        return new(
            constraints.Boolean("required") ?? false,
            constraints.Boolean("unique") ?? false,
            constraints.Integer("minLength"),
            constraints.Integer("maxLength"),
            Scalar(constraints.Get("minimum"), "minimum"),
            Scalar(constraints.Get("maximum"), "maximum"),
            constraints.Text("pattern"),
            Enum());

        string? Scalar(JsonElement value, string member)
        {
            if (value.ValueKind is JsonValueKind.Undefined) return null;
            if (value.ValueKind is JsonValueKind.Number or JsonValueKind.String) return AsText(value);
            constraints.Fault(constraints.PathOf(member), "Hier wird eine Zahl oder ein Text erwartet.", "A number or a text is expected here.");
            return null;
        }

        string[]? Enum()
        {
            var values = constraints.Get("enum");
            if (values.ValueKind == JsonValueKind.Undefined) return null;
            if (values.ValueKind == JsonValueKind.Array && values.EnumerateArray().All(v => v.ValueKind != JsonValueKind.Null)) return [.. values.EnumerateArray().Select(AsText)];
            constraints.Fault(constraints.PathOf("enum"), "Hier wird ein Array von Werten erwartet.", "An array of values is expected here.");
            return null;
        }
    }

    private static string AsText(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    private static void WriteField(Utf8JsonWriter writer, FieldSpec field)
    {
        writer.WriteStartObject();
        writer.WriteString("name", field.Name);
        writer.WriteString("type", ContractWords.Of(field.Type));
        if (field.Format is not null) writer.WriteString("format", field.Format);
        if (field.Role != FieldRole.None) writer.WriteString("role", ContractWords.Of(field.Role));
        if (field.Unit is not null) writer.WriteString("unit", field.Unit);
        if (field.TimeZone is not null) writer.WriteString("timeZone", field.TimeZone);
        Local(writer, "title", field.Title);
        Local(writer, "description", field.Description);
        if (field.TrueValues is not null) Texts(writer, "trueValues", field.TrueValues);
        if (field.FalseValues is not null) Texts(writer, "falseValues", field.FalseValues);
        if (field.DecimalChar is not null) writer.WriteString("decimalChar", field.DecimalChar);
        if (field.GroupChar is not null) writer.WriteString("groupChar", field.GroupChar);
        if (!field.BareNumber) writer.WriteBoolean("bareNumber", false);
        if (field.Constraints != FieldConstraints.None) WriteConstraints(writer, field);
        writer.WriteEndObject();
    }

    private static void WriteConstraints(Utf8JsonWriter writer, FieldSpec field)
    {
        var constraints = field.Constraints;
        writer.WriteStartObject("constraints");
        if (constraints.Required) writer.WriteBoolean("required", true);
        if (constraints.Unique) writer.WriteBoolean("unique", true);
        if (constraints.MinLength is { } minLength) writer.WriteNumber("minLength", minLength);
        if (constraints.MaxLength is { } maxLength) writer.WriteNumber("maxLength", maxLength);
        if (constraints.Minimum is not null) Scalar("minimum", constraints.Minimum);
        if (constraints.Maximum is not null) Scalar("maximum", constraints.Maximum);
        if (constraints.Pattern is not null) writer.WriteString("pattern", constraints.Pattern);
        if (constraints.Enum is not null)
        {
            writer.WriteStartArray("enum");
            foreach (var value in constraints.Enum) Scalar(null, value);
            writer.WriteEndArray();
        }

        writer.WriteEndObject();

        // In the form that JSON has for the field's type, where the text is in that form.
        void Scalar(string? member, string text)
        {
            var native = field.Type switch
            {
                FieldType.Number or FieldType.Integer or FieldType.Year => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _) && IsJson(text, JsonValueKind.Number),
                FieldType.Boolean => text is "true" or "false",
                FieldType.Object or FieldType.GeoJson => IsJson(text, JsonValueKind.Object),
                FieldType.Array => IsJson(text, JsonValueKind.Array),
                _ => false,
            };
            if (member is not null) writer.WritePropertyName(member);
            if (native) writer.WriteRawValue(text);
            else writer.WriteStringValue(text);
        }
    }

    private static bool IsJson(string text, JsonValueKind kind)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == kind;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static void Texts(Utf8JsonWriter writer, string member, string[] texts)
    {
        writer.WriteStartArray(member);
        foreach (var text in texts) writer.WriteStringValue(text);
        writer.WriteEndArray();
    }

    private static FrozenSet<string> Set(params string[] members) => members.ToFrozenSet(StringComparer.Ordinal);

    private static FrozenDictionary<string, T> Words<T>(IEnumerable<T> values)
        where T : struct, Enum => values.ToFrozenDictionary(ContractWords.Of, StringComparer.Ordinal);
}
