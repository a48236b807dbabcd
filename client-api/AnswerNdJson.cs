using System.Buffers;
using System.Text.Json;

namespace DataHub;

/// <summary>One JSON object per line and row, with the members that the row has in JSON.</summary>
internal static class AnswerNdJson
{
    private static readonly JsonWriterOptions s_json = new() { Encoder = WireJson.Options.Encoder, SkipValidation = true };

    /// <param name="withMetadata">First a line <c>{"@meta":{…}}</c>.</param>
    public static void Write(AnswerTable table, IBufferWriter<byte> to, bool withMetadata)
    {
        if (withMetadata) WriteMetadata(table.Metadata, to);
        WriteRows(table, to);
    }

    public static void WriteMetadata(AnswerMetadata metadata, IBufferWriter<byte> to)
    {
        using (var writer = new Utf8JsonWriter(to, s_json))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("@meta");
            metadata.Write(writer);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        to.Write("\n"u8);
    }

    public static void WriteRows(AnswerTable table, IBufferWriter<byte> to)
    {
        var names = Array.ConvertAll(table.Fields, field => JsonEncodedText.Encode(field.Name, s_json.Encoder));
        using var writer = new Utf8JsonWriter(to, s_json);
        for (var row = 0; row < table.Count; row++)
        {
            writer.WriteStartObject();
            for (var f = 0; f < names.Length; f++)
            {
                writer.WritePropertyName(names[f]);
                AnswerText.Write(writer, table.Fields[f], table.Columns[f], row);
            }

            writer.WriteEndObject();
            writer.Flush();
            writer.Reset();
            to.Write("\n"u8);
        }
    }
}
