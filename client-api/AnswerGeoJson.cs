using System.Buffers;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;

namespace DataHub;

/// <summary>
/// RFC 7946: one feature per row, its columns as properties, metadata beside the features. A row's geometry is its own
/// where it has one, else that of its area, else null.
/// </summary>
internal static class AnswerGeoJson
{
    public const string ContentType = "application/geo+json";

    private static readonly JsonWriterOptions s_json = new() { Encoder = WireJson.Options.Encoder, SkipValidation = true };
    private static readonly string[] s_geometries = ["Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection"];

    /// <param name="next">Path and query of the next page, or null.</param>
    /// <param name="maxBytes">More is not written: the same polygon stands in every row of its area.</param>
    /// <returns>False where it would have become larger.</returns>
    public static bool Write(AnswerTable table, IBufferWriter<byte> to, string? next, long maxBytes)
    {
        using var writer = Begin(table.Metadata, to);
        if (!WriteFeatures(writer, table, maxBytes)) return false;
        End(writer, next);
        return true;
    }

    /// <summary>A collection whose features follow.</summary>
    public static Utf8JsonWriter Begin(AnswerMetadata metadata, IBufferWriter<byte> to)
    {
        var writer = new Utf8JsonWriter(to, s_json);
        writer.WriteStartObject();
        writer.WriteString("type", "FeatureCollection");
        // What GDAL and QGIS call the layer.
        writer.WriteString("name", metadata.FileName);
        metadata.Write(writer);
        writer.WriteStartArray("features");
        return writer;
    }

    /// <returns>False where all together would have become larger.</returns>
    public static bool WriteFeatures(Utf8JsonWriter writer, AnswerTable table, long maxBytes = long.MaxValue)
    {
        var names = Array.ConvertAll(table.Fields, field => JsonEncodedText.Encode(field.Name, s_json.Encoder));
        for (var row = 0; row < table.Count; row++)
        {
            writer.WriteStartObject();
            writer.WriteString("type", "Feature");
            writer.WritePropertyName("geometry");
            if (table.Geometry(row) is { } geometry) writer.WriteRawValue(geometry, skipInputValidation: true);
            else writer.WriteNullValue();
            writer.WriteStartObject("properties");
            for (var f = 0; f < names.Length; f++)
            {
                writer.WritePropertyName(names[f]);
                AnswerText.Write(writer, table.Fields[f], table.Columns[f], row);
            }

            writer.WriteEndObject();
            writer.WriteEndObject();
            if (writer.BytesCommitted + writer.BytesPending > maxBytes) return false;
        }

        return true;
    }

    /// <summary>Ends the collection.</summary>
    public static void End(Utf8JsonWriter writer, string? next)
    {
        writer.WriteEndArray();
        writer.WriteString("next", next);
        writer.WriteEndObject();
        writer.Flush();
    }

    /// <summary>The geometries of areas as GeoJSON; each is written once however many rows it stands in.</summary>
    /// <param name="tree">Null: no area has one.</param>
    public static Func<string?, byte[]?> Areas(AreaTree? tree)
    {
        if (tree is null) return _ => null;
        var written = new Dictionary<string, byte[]?>(StringComparer.Ordinal);
        return id =>
        {
            if (id is null) return null;
            if (written.TryGetValue(id, out var known)) return known;
            return written[id] = tree.TryGet(id, out var area) ? AreaGeoJson.Geometry(area) : null;
        };
    }

    /// <summary>A point of two numbers as they stand, separated by a comma: longitude, latitude.</summary>
    public static byte[] Point(string longitudeAndLatitude) => Encoding.UTF8.GetBytes($$"""{"type":"Point","coordinates":[{{longitudeAndLatitude}}]}""");

    /// <summary>The text where it is a geometry, or the geometry of a feature; null for anything else.</summary>
    /// <param name="json">Valid JSON.</param>
    public static byte[]? GeometryOf(string json)
    {
        using var document = JsonDocument.Parse(json);
        var element = document.RootElement;
        if (element.ValueKind == JsonValueKind.Object && element.TryGetProperty("type", out var type) && type.ValueEquals("Feature") && element.TryGetProperty("geometry", out var inner)) element = inner;
        return element.ValueKind == JsonValueKind.Object && element.TryGetProperty("type", out var kind) && kind.ValueKind == JsonValueKind.String && s_geometries.Contains(kind.GetString())
            ? Encoding.UTF8.GetBytes(element.GetRawText())
            : null;
    }
}
