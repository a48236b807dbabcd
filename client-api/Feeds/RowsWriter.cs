using System.Buffers;
using System.Text.Json;

namespace DataHub.Feeds;

/// <summary>Writes the rows of a dataset in JSON, as they can be pushed again.</summary>
internal static class RowsWriter
{
    private static readonly JsonWriterOptions s_json = new() { Encoder = WireJson.Options.Encoder };

    /// <param name="next">Link to the next page, or null.</param>
    public static byte[] Write(AnswerTable table, string? next)
    {
        var buffer = new ArrayBufferWriter<byte>(1_024 + (table.Count * 128));
        var names = Array.ConvertAll(table.Fields, f => JsonEncodedText.Encode(f.Name, s_json.Encoder));
        using var writer = new Utf8JsonWriter(buffer, s_json);
        writer.WriteStartObject();
        writer.WriteString("dataset", table.Metadata.Id);
        writer.WriteString("license", table.Metadata.License);
        writer.WriteNumber("contract", table.Metadata.Contract ?? 0);
        table.Metadata.WriteRest(writer);
        writer.WriteStartArray("rows");
        for (var row = 0; row < table.Count; row++)
        {
            writer.WriteStartObject();
            for (var f = 0; f < names.Length; f++)
            {
                writer.WritePropertyName(names[f]);
                AnswerText.Write(writer, table.Fields[f], table.Columns[f], row);
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteString("next", next);
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }
}
