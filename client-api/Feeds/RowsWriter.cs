using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Indicators;

namespace DataHub.Feeds;

/// <summary>
/// Writes the rows of a dataset as they can be pushed again (but for formats of a contract's own: dates, times and
/// numbers are always those of ISO 8601 and JSON; instants in UTC). Where the dataset has an area system, <c>@area</c> is
/// the area a row was resolved to.
/// </summary>
internal static class RowsWriter
{
    private static readonly JsonWriterOptions s_json = new() { Encoder = WireJson.Options.Encoder };
    private static readonly SearchValues<char> s_quoted = SearchValues.Create("\",\r\n");

    /// <param name="next">Link to the next page, or null. CSV has it in the header Link only.</param>
    public static byte[] Write(RowsResult result, AnswerFormat format, string? next)
    {
        var buffer = new ArrayBufferWriter<byte>(512 + (result.Rows!.Count * 128));
        if (format == AnswerFormat.Csv) WriteCsv(result, buffer);
        else WriteJson(result, buffer, next);
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteJson(RowsResult result, ArrayBufferWriter<byte> buffer, string? next)
    {
        var (rows, fields) = (result.Rows!, result.Schema!.Fields);
        var withArea = result.Dataset?.Spec.AreaSystem is not null;
        var names = Array.ConvertAll(fields, f => JsonEncodedText.Encode(f.Name, s_json.Encoder));
        using var writer = new Utf8JsonWriter(buffer, s_json);
        writer.WriteStartObject();
        writer.WriteString("dataset", result.Dataset?.Id);
        writer.WriteString("license", result.Dataset?.Spec.License);
        writer.WriteStartArray("rows");
        for (var row = 0; row < rows.Count; row++)
        {
            writer.WriteStartObject();
            for (var f = 0; f < fields.Length; f++)
            {
                writer.WritePropertyName(names[f]);
                WriteValue(writer, fields[f], rows.Columns[f], row);
            }

            if (withArea) writer.WriteString("@area", rows.AreaId(row));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteString("next", next);
        writer.WriteEndObject();
    }

    private static void WriteValue(Utf8JsonWriter writer, FieldSpec field, Column column, int row)
    {
        if (column.IsNull(row))
        {
            writer.WriteNullValue();
            return;
        }

        switch (field.Type)
        {
            case FieldType.Number: writer.WriteNumberValue(column.Numbers![row]); break;
            case FieldType.Integer or FieldType.Year: writer.WriteNumberValue(column.Integers![row]); break;
            case FieldType.Boolean: writer.WriteBooleanValue(column.Booleans![row] == 1); break;
            // Stored as canonical JSON.
            case FieldType.Object or FieldType.Array or FieldType.GeoJson: writer.WriteRawValue(column.Texts![row]!); break;
            case FieldType.GeoPoint when field.Format is "array" or "object": writer.WriteRawValue(Text(field, column, row)); break;
            default: writer.WriteStringValue(Text(field, column, row)); break;
        }
    }

    /// <summary>A value that is there, as text.</summary>
    private static string Text(FieldSpec field, Column column, int row)
    {
        switch (field.Type)
        {
            case FieldType.Number: return column.Numbers![row].ToString("R", CultureInfo.InvariantCulture);
            case FieldType.Boolean: return column.Booleans![row] == 1 ? "true" : "false";
            case FieldType.Integer: return column.Integers![row].ToString(CultureInfo.InvariantCulture);
            case FieldType.Year: return column.Integers![row].ToString("0000", CultureInfo.InvariantCulture);
            case FieldType.YearMonth: return string.Create(CultureInfo.InvariantCulture, $"{column.Integers![row] / 12:0000}-{(column.Integers[row] % 12) + 1:00}");
            case FieldType.Date: return DateOnly.FromDayNumber((int)column.Integers![row]).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
            case FieldType.Time: return new TimeOnly(column.Integers![row]).ToString("HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture);
            case FieldType.DateTime: return new DateTime(column.Integers![row]).ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);
            case FieldType.GeoPoint when field.Format == "array": return $"[{column.Texts![row]}]";
            case FieldType.GeoPoint when field.Format == "object":
                var point = column.Texts![row]!;
                var comma = point.IndexOf(',', StringComparison.Ordinal);
                return $"{{\"lon\":{point[..comma]},\"lat\":{point[(comma + 1)..]}}}";
            default: return column.Texts![row]!;
        }
    }

    /// <summary>RFC 4180 with a header: the fields in the contract's order, then <c>@area</c> where there is one. Null is empty.</summary>
    private static void WriteCsv(RowsResult result, ArrayBufferWriter<byte> buffer)
    {
        var (rows, fields) = (result.Rows!, result.Schema!.Fields);
        var withArea = result.Dataset?.Spec.AreaSystem is not null;
        for (var f = 0; f < fields.Length; f++)
        {
            if (f > 0) buffer.Write(","u8);
            Cell(buffer, fields[f].Name);
        }

        buffer.Write(withArea ? ",@area\r\n"u8 : "\r\n"u8);
        for (var row = 0; row < rows.Count; row++)
        {
            for (var f = 0; f < fields.Length; f++)
            {
                if (f > 0) buffer.Write(","u8);
                if (!rows.Columns[f].IsNull(row)) Cell(buffer, Text(fields[f], rows.Columns[f], row));
            }

            if (withArea)
            {
                buffer.Write(","u8);
                if (rows.AreaId(row) is { } area) Cell(buffer, area);
            }

            buffer.Write("\r\n"u8);
        }
    }

    private static void Cell(ArrayBufferWriter<byte> buffer, string text)
    {
        if (text.AsSpan().ContainsAny(s_quoted)) text = $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        Encoding.UTF8.GetBytes(text, buffer);
    }
}
