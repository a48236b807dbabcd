using System.Text.Json;

using DataHub.Catalog;
using DataHub.Feeds;

using NetTopologySuite.Geometries;
using NetTopologySuite.IO;

namespace DataHub.Pipelines;

/// <summary>The geometry of a table's rows, by the names of its columns: two numbers <c>lon</c> and <c>lat</c>, or well-known text in <c>geometry</c>, <c>geom</c> or <c>wkt</c>.</summary>
internal sealed class TableGeometry
{
    /// <summary>Parentheses within one another; collections may hold collections.</summary>
    private const int Deepest = 16;

    private static readonly string[] s_lon = ["lon", "lng", "longitude"], s_lat = ["lat", "latitude"], s_text = ["geometry", "geom", "wkt"];
    private static readonly JsonWriterOptions s_json = new() { SkipValidation = true };

    private readonly FieldSpec[] _fields;
    private readonly int _lon, _lat, _text;

    private TableGeometry(FieldSpec[] fields, int lon, int lat, int text) => (_fields, _lon, _lat, _text) = (fields, lon, lat, text);

    /// <summary>Null where the columns have none.</summary>
    public static TableGeometry? Of(FieldSpec[] fields)
    {
        var (lon, lat, text) = (Find(s_lon, number: true), Find(s_lat, number: true), Find(s_text, number: false));
        return (lon >= 0 && lat >= 0) || text >= 0 ? new(fields, lon, lat, text) : null;

        int Find(string[] names, bool number) => Array.FindIndex(fields, field => names.Contains(field.Name, StringComparer.OrdinalIgnoreCase) && (field.Type is FieldType.Number or FieldType.Integer) == number);
    }

    /// <summary>Of a row as GeoJSON; null where it has none, or none that can be read: its text stays among the properties.</summary>
    public byte[]? Row(Column[] columns, int row)
    {
        if (_lon >= 0 && _lat >= 0 && !columns[_lon].IsNull(row) && !columns[_lat].IsNull(row))
            return AnswerGeoJson.Point($"{AnswerText.Of(_fields[_lon], columns[_lon], row)},{AnswerText.Of(_fields[_lat], columns[_lat], row)}");
        if (_text < 0 || columns[_text].IsNull(row) || IsDeep(columns[_text].Texts![row]!)) return null;
        try
        {
            var geometry = new WKTReader().Read(columns[_text].Texts![row]);
            using var body = new MemoryStream();
            using (var writer = new Utf8JsonWriter(body, s_json)) Write(writer, geometry);
            return body.ToArray();
        }
        catch (Exception e) when (e is NetTopologySuite.IO.ParseException or ArgumentException or NotSupportedException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The library goes down into each parenthesis, however many there are.</summary>
    private static bool IsDeep(string text)
    {
        var depth = 0;
        foreach (var character in text)
        {
            if (character == '(' && ++depth > Deepest) return true;
            if (character == ')') depth--;
        }

        return false;
    }

    private static void Write(Utf8JsonWriter writer, Geometry geometry)
    {
        writer.WriteStartObject();
        writer.WriteString("type", geometry.GeometryType);
        writer.WritePropertyName(geometry.GeometryType == "GeometryCollection" ? "geometries" : "coordinates");
        Coordinates(writer, geometry);
        writer.WriteEndObject();
    }

    private static void Coordinates(Utf8JsonWriter writer, Geometry geometry)
    {
        switch (geometry)
        {
            case Point { IsEmpty: false } point: Position(writer, point.Coordinate); break;
            case LineString line: Positions(writer, line); break;
            case Polygon polygon:
                writer.WriteStartArray();
                if (!polygon.IsEmpty) Positions(writer, polygon.ExteriorRing);
                foreach (var hole in polygon.InteriorRings) Positions(writer, hole);
                writer.WriteEndArray();
                break;
            default:
                writer.WriteStartArray();
                for (var i = 0; i < geometry.NumGeometries && geometry is GeometryCollection; i++)
                {
                    if (geometry.GeometryType == "GeometryCollection") Write(writer, geometry.GetGeometryN(i));
                    else Coordinates(writer, geometry.GetGeometryN(i));
                }

                writer.WriteEndArray();
                break;
        }
    }

    private static void Positions(Utf8JsonWriter writer, LineString line)
    {
        writer.WriteStartArray();
        foreach (var coordinate in line.Coordinates) Position(writer, coordinate);
        writer.WriteEndArray();
    }

    private static void Position(Utf8JsonWriter writer, Coordinate at)
    {
        writer.WriteStartArray();
        writer.WriteNumberValue(at.X);
        writer.WriteNumberValue(at.Y);
        if (!double.IsNaN(at.Z)) writer.WriteNumberValue(at.Z);
        writer.WriteEndArray();
    }
}
