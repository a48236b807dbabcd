using System.Buffers;
using System.Text.Json;

using DataHub.Catalog;

using Microsoft.AspNetCore.Http;

namespace DataHub;

/// <summary>What the columns of a CSV answer hold: CSV on the Web (W3C Tabular Data Metadata, 2015), where the answer's link <c>describedby</c> leads.</summary>
internal static class AnswerCsvw
{
    public const string ContentType = "application/csvm+json";

    private static readonly JsonWriterOptions s_json = new() { Encoder = WireJson.Options.Encoder };

    /// <summary>Whether the German form is asked for (<c>?format=</c> csv or csv-de), or the problem to answer with.</summary>
    public static (bool German, IResult? Problem) Form(HttpContext http)
    {
        foreach (var (name, values) in http.Request.Query)
        {
            if (name != "format") return (false, Requests.InvalidParameter(http, name, new($"Den Parameter „{name}“ gibt es hier nicht; es gibt format.", $"There is no parameter “{name}” here; there is format.")));
            if (values.Count > 1 || values.ToString() is not ("csv" or "csv-de"))
                return (false, Requests.InvalidParameter(http, "format", new("format muss csv oder csv-de sein.", "format must be csv or csv-de.")));
        }

        return (http.Request.Query["format"] == "csv-de", null);
    }

    /// <param name="path">Of the table, without parameters.</param>
    public static Rendered Write(AnswerMetadata metadata, FieldSpec[] fields, string path, bool german)
    {
        var buffer = new ArrayBufferWriter<byte>(2_048);
        using var writer = new Utf8JsonWriter(buffer, s_json);
        writer.WriteStartObject();
        writer.WriteString("@context", "http://www.w3.org/ns/csvw");
        writer.WriteString("url", $"{path}?format={(german ? "csv-de" : "csv")}");
        Text(writer, "dc:title", metadata.Title);
        writer.WriteString("dc:identifier", metadata.Id);
        writer.WriteString("dc:publisher", metadata.Publisher);
        if (metadata.License is not null) writer.WriteString("dc:license", metadata.License);
        writer.WriteString("rdfs:seeAlso", metadata.DescribedBy);
        if (metadata.Source is { } source)
        {
            writer.WriteStartArray("notes");
            writer.WriteStartObject();
            source.Write(writer);
            writer.WriteEndObject();
            writer.WriteEndArray();
        }

        writer.WriteStartObject("dialect");
        writer.WriteString("delimiter", german ? ";" : ",");
        writer.WriteString("encoding", "utf-8");
        writer.WriteBoolean("header", true);
        writer.WriteEndObject();
        writer.WriteStartObject("tableSchema");
        writer.WriteStartArray("columns");
        foreach (var field in fields)
        {
            writer.WriteStartObject();
            writer.WriteString("titles", field.Name);
            if (field.Title is not null) Text(writer, "dc:title", field.Title);
            writer.WritePropertyName("datatype");
            DataType(writer, field.Type, german);
            if (field.Unit is not null) writer.WriteString("schema:unitText", field.Unit);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.Flush();
        return Rendered.Of(buffer.WrittenSpan.ToArray(), ContentType);
    }

    private static void Text(Utf8JsonWriter writer, string name, LocalText text)
    {
        writer.WritePropertyName(name);
        writer.WriteStartArray();
        Value("de", text.De);
        if (text.En is not null) Value("en", text.En);
        writer.WriteEndArray();

        void Value(string language, string value)
        {
            writer.WriteStartObject();
            writer.WriteString("@value", value);
            writer.WriteString("@language", language);
            writer.WriteEndObject();
        }
    }

    private static void DataType(Utf8JsonWriter writer, FieldType type, bool german)
    {
        if (type == FieldType.Number && german)
        {
            writer.WriteStartObject();
            writer.WriteString("base", "double");
            writer.WriteStartObject("format");
            writer.WriteString("decimalChar", ",");
            writer.WriteEndObject();
            writer.WriteEndObject();
            return;
        }

        writer.WriteStringValue(type switch
        {
            FieldType.Number => "double",
            FieldType.Integer => "long",
            FieldType.Boolean => "boolean",
            FieldType.Date => "date",
            FieldType.Time => "time",
            FieldType.DateTime => "dateTime",
            FieldType.Year => "gYear",
            FieldType.YearMonth => "gYearMonth",
            FieldType.Duration => "duration",
            FieldType.Object or FieldType.Array or FieldType.GeoJson => "json",
            _ => "string",
        });
    }
}
