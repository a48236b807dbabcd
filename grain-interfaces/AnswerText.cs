using System.Globalization;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub;

/// <summary>
/// Writes values as they can be pushed again, whatever formats a contract has of its own: dates and times as ISO 8601,
/// instants in UTC, numbers with as many digits as give back the same double.
/// </summary>
internal static class AnswerText
{
    /// <summary>An instant, with fractions of the second only where there are any.</summary>
    public static string Instant(long ticks) => new DateTime(ticks).ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);

    /// <summary>A value, or null, in JSON.</summary>
    public static void Write(Utf8JsonWriter writer, FieldSpec field, Column column, int row)
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
            case FieldType.GeoPoint when field.Format is "array" or "object": writer.WriteRawValue(Of(field, column, row)); break;
            default: writer.WriteStringValue(Of(field, column, row)); break;
        }
    }

    /// <summary>A value that is there, as text.</summary>
    public static string Of(FieldSpec field, Column column, int row)
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
            case FieldType.DateTime: return Instant(column.Integers![row]);
            case FieldType.GeoPoint when field.Format == "array": return $"[{column.Texts![row]}]";
            case FieldType.GeoPoint when field.Format == "object":
                var point = column.Texts![row]!;
                var comma = point.IndexOf(',', StringComparison.Ordinal);
                return $"{{\"lon\":{point[..comma]},\"lat\":{point[(comma + 1)..]}}}";
            default: return column.Texts![row]!;
        }
    }
}
