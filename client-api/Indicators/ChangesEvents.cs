using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace DataHub.Indicators;

/// <summary>Writes the events of live changes (WHATWG HTML §9.2, server-sent events): UTF-8, one line of JSON each.</summary>
internal static class ChangesEvents
{
    private static readonly JsonWriterOptions s_json = new() { Encoder = WireJson.Options.Encoder, SkipValidation = true };

    /// <summary>A sign of life; clients pass over it.</summary>
    public static ReadOnlyMemory<byte> Heartbeat { get; } = ": \n\n"u8.ToArray();

    /// <summary>What every stream begins with: when to come back after the connection was lost.</summary>
    public static ReadOnlyMemory<byte> Retry(TimeSpan retry) =>
        Encoding.ASCII.GetBytes(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"retry: {(long)retry.TotalMilliseconds}\n\n"));

    /// <summary>What was seen cannot be continued: the full state follows.</summary>
    public static ReadOnlyMemory<byte> Reset { get; } = "event: reset\ndata: {}\n\n"u8.ToArray();

    /// <summary>The last event of a stream that the hub ends: why, as in a problem. Clients that come back get the same as an answer.</summary>
    public static ReadOnlyMemory<byte> End(string type, string detail)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        Line(buffer, "event: ", "end");
        buffer.Write("data: "u8);
        using (var writer = new Utf8JsonWriter(buffer, s_json))
        {
            writer.WriteStartObject();
            writer.WriteString("type", "/problems/" + type);
            writer.WriteString("detail", detail);
            writer.WriteEndObject();
        }

        buffer.Write("\n\n"u8);
        return buffer.WrittenMemory;
    }

    /// <summary>
    /// A state or a change, in as many events as its rows need. Only the last one has the id: whoever loses the connection
    /// between them gets all of it again.
    /// </summary>
    /// <param name="name"><c>state</c>: all rows; <c>change</c>: those that are different, and places that lost theirs.</param>
    /// <param name="page">What the rows are of.</param>
    public static ReadOnlyMemory<byte> Write(string name, ulong selection, ChangesPage page, bool isStale, ChangesPart part, int rowsPerEvent)
    {
        var buffer = new ArrayBufferWriter<byte>(512 + ((part.Rows.Count + part.Removed.Count) * 128));
        var rows = Span(part.Rows);
        var removed = Span(part.Removed);
        var parts = Math.Max(1, (rows.Length + removed.Length + rowsPerEvent - 1) / rowsPerEvent);
        var id = new ChangesEventId(selection, page.Mark, isStale).ToString();
        for (var i = 0; i < parts; i++)
        {
            var first = i * rowsPerEvent;
            var ofRows = rows[Math.Min(first, rows.Length)..Math.Min(first + rowsPerEvent, rows.Length)];
            var left = rowsPerEvent - ofRows.Length;
            var firstRemoved = Math.Clamp(first - rows.Length, 0, removed.Length);
            var ofRemoved = removed[firstRemoved..Math.Min(firstRemoved + left, removed.Length)];
            if (i == parts - 1) Line(buffer, "id: ", id);
            Line(buffer, "event: ", name);
            buffer.Write("data: "u8);
            Data(buffer, page, ofRows, ofRemoved, i + 1, parts);
            buffer.Write("\n\n"u8);
        }

        return buffer.WrittenMemory;
    }

    private static void Data(ArrayBufferWriter<byte> buffer, ChangesPage page, ReadOnlySpan<IndicatorValue> rows, ReadOnlySpan<IndicatorValue> removed, int part, int parts)
    {
        var spec = page.Indicator.Definition.Spec;
        using var writer = new Utf8JsonWriter(buffer, s_json);
        writer.WriteStartObject();
        writer.WriteString("indicator", page.Indicator.Id);
        writer.WriteNumber("version", page.Version);
        writer.WriteString("watermark", page.Watermark);
        writer.WriteNumber("definition", page.Indicator.Definition.Version);
        writer.WriteString("unit", spec.Unit);
        if (page.AsOf == DateTimeOffset.MinValue) writer.WriteNull("asOf");
        else writer.WriteString("asOf", AnswerWriter.Instant(page.AsOf));
        writer.WriteNumber("part", part);
        writer.WriteNumber("parts", parts);
        writer.WriteStartArray("rows");
        AnswerWriter.WriteRows(writer, spec, rows);
        writer.WriteEndArray();
        writer.WriteStartArray("removed");
        AnswerWriter.WritePlaces(writer, spec, removed);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void Line(ArrayBufferWriter<byte> buffer, string name, string value)
    {
        Encoding.ASCII.GetBytes(name, buffer);
        Encoding.ASCII.GetBytes(value, buffer);
        buffer.Write("\n"u8);
    }

    private static ReadOnlySpan<IndicatorValue> Span(IReadOnlyList<IndicatorValue> rows) => rows is List<IndicatorValue> list ? CollectionsMarshal.AsSpan(list) : rows.ToArray();
}
