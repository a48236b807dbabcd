using System.Text.Json;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Indicators;

/// <summary>Writes versions of rows as they stand in explanations and differences.</summary>
internal sealed class ToldRowsWriter
{
    /// <summary>Members beside the row's fields; a field of such a name is written as <c>fields.receipt</c>.</summary>
    private static readonly string[] s_own = ["receipt", "feed", "receivedAt", "corrections", "change", "before"];

    private readonly ToldRows _rows;
    private readonly (int Column, FieldSpec Field, JsonEncodedText Name)[] _fields;

    /// <param name="through">Whether rows say which inputs they came through.</param>
    public ToldRowsWriter(ToldRows rows, bool through = false)
    {
        var own = through ? [.. s_own, "through"] : s_own;
        _rows = rows;
        _fields =
        [
            .. rows.Schema.Fields.Select((field, column) => (column, field, JsonEncodedText.Encode(own.Contains(field.Name, StringComparer.Ordinal) ? "fields." + field.Name : field.Name, WireJson.Options.Encoder)))
                .Where(one => one.field.Role != FieldRole.Personal),
        ];
    }

    /// <summary>An object with the row, its push and its earlier versions.</summary>
    public void WriteExplained(Utf8JsonWriter writer, ToldRow row)
    {
        writer.WriteStartObject();
        WriteVersion(writer, row.Row);
        writer.WriteStartArray("corrections");
        foreach (var before in row.Before)
        {
            writer.WriteStartObject();
            WriteVersion(writer, before);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    /// <summary>An object with what the row is now, or was where it was retracted, and what it was before.</summary>
    /// <param name="through">The formula's inputs that it came through; null where it is no formula.</param>
    public void WriteMoved(Utf8JsonWriter writer, ToldRow row, string[]? through)
    {
        writer.WriteStartObject();
        writer.WriteString("change", row.Row < 0 ? "retracted" : row.Before.Length > 0 ? "corrected" : "new");
        if (through is not null)
        {
            writer.WriteStartArray("through");
            foreach (var input in through) writer.WriteStringValue(input);
            writer.WriteEndArray();
        }

        if (row.Row >= 0)
        {
            WriteVersion(writer, row.Row);
        }
        else
        {
            WriteFields(writer, row.Before[^1]);
            WriteSource(writer, row.Change);
        }

        writer.WritePropertyName("before");
        if (row.Before.Length == 0)
        {
            writer.WriteNullValue();
        }
        else
        {
            writer.WriteStartObject();
            WriteVersion(writer, row.Before[^1]);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private void WriteVersion(Utf8JsonWriter writer, int place)
    {
        WriteFields(writer, place);
        WriteSource(writer, _rows.Pushes[place]);
    }

    private void WriteFields(Utf8JsonWriter writer, int place)
    {
        foreach (var (column, field, name) in _fields)
        {
            writer.WritePropertyName(name);
            AnswerText.Write(writer, field, _rows.Block.Columns[column], place);
        }

        writer.WriteString(RowsTable.Area, _rows.Block.AreaId(place));
    }

    private static void WriteSource(Utf8JsonWriter writer, VersionSource source)
    {
        writer.WriteString("receipt", source.Receipt);
        writer.WriteString("feed", source.Feed);
        writer.WriteString("receivedAt", AnswerText.Instant(source.ReceivedAt.UtcTicks));
    }
}
