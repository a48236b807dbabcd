using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace DataHub.Indicators;

/// <summary>Writes values in JSON as design §5 shows them. The bytes are a function of query and version alone: how far the answer is current says a header.</summary>
internal static class AnswerWriter
{
    private static readonly JsonWriterOptions s_json = new() { Encoder = WireJson.Options.Encoder, SkipValidation = true };

    private static readonly JsonEncodedText
        s_area = JsonEncodedText.Encode("area"), s_from = JsonEncodedText.Encode("from"), s_to = JsonEncodedText.Encode("to"), s_dimensions = JsonEncodedText.Encode("dimensions"),
        s_value = JsonEncodedText.Encode("value"), s_count = JsonEncodedText.Encode("count"), s_state = JsonEncodedText.Encode("state"), s_ok = JsonEncodedText.Encode("ok"),
        s_coverage = JsonEncodedText.Encode("coverage"), s_series = JsonEncodedText.Encode("series"), s_before = JsonEncodedText.Encode("before"),
        s_target = JsonEncodedText.Encode("target"), s_met = JsonEncodedText.Encode("met"), s_open = JsonEncodedText.Encode("open"), s_missed = JsonEncodedText.Encode("missed"),
        s_suppressed = JsonEncodedText.Encode("suppressed"), s_preliminary = JsonEncodedText.Encode("preliminary"), s_stale = JsonEncodedText.Encode("stale"),
        s_none = JsonEncodedText.Encode("missing"), s_undefined = JsonEncodedText.Encode("undefined");

    /// <param name="page">With its rows.</param>
    /// <param name="metadata">What the answer says about itself.</param>
    /// <param name="next">Link to the next page, or null.</param>
    public static byte[] Write(ValuesPage page, AnswerMetadata metadata, string? next)
    {
        var buffer = new ArrayBufferWriter<byte>(1_024 + page.Rows.Length * 128);
        var spec = page.Indicator.Definition.Spec;
        using var writer = new Utf8JsonWriter(buffer, s_json);
        writer.WriteStartObject();
        writer.WriteString("indicator", page.Indicator.Id);
        writer.WriteNumber("version", page.Version);
        writer.WriteString("watermark", page.Watermark);
        writer.WriteNumber("definition", page.Indicator.Definition.Version);
        writer.WriteString("unit", spec.Unit);
        writer.WriteString("license", page.Indicator.License);
        writer.WritePropertyName("asOf");
        var instants = new Instants();
        if (page.AsOf == DateTimeOffset.MinValue) writer.WriteNullValue();
        else writer.WriteStringValue(instants.Text(page.AsOf));
        metadata.WriteRest(writer);

        writer.WriteStartArray("rows");
        WriteRows(writer, spec, page.Rows);
        writer.WriteEndArray();
        writer.WriteString("next", next);
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>All members of one value, in the object that is being written.</summary>
    public static void WriteMembers(Utf8JsonWriter writer, IndicatorSpec spec, in IndicatorValue value)
    {
        WritePlace(writer, spec, value);
        WriteState(writer, spec, value);
    }

    /// <summary>Where a value stands: area, window, dimensions.</summary>
    public static void WritePlace(Utf8JsonWriter writer, IndicatorSpec spec, in IndicatorValue value)
    {
        if (spec.ByArea) writer.WriteString(s_area, value.Area);
        writer.WriteString(s_from, Instant(value.From));
        writer.WriteString(s_to, Instant(value.To));
        if (value.Dimensions is not { } dimensions) return;
        writer.WriteStartObject(s_dimensions);
        for (var i = 0; i < dimensions.Length; i++) writer.WriteString(spec.Dimensions[i], dimensions[i]);
        writer.WriteEndObject();
    }

    /// <summary>What a value says: value, count, state, coverage, target.</summary>
    public static void WriteState(Utf8JsonWriter writer, IndicatorSpec spec, in IndicatorValue row)
    {
        if (row.Value is { } value) writer.WriteNumber(s_value, value);
        else writer.WriteNull(s_value);
        if (row.Count is { } count) writer.WriteNumber(s_count, count);
        else writer.WriteNull(s_count);
        writer.WriteString(s_state, row.State switch
        {
            ValueState.Suppressed => s_suppressed,
            ValueState.Preliminary => s_preliminary,
            ValueState.Stale => s_stale,
            ValueState.Missing => s_none,
            ValueState.Undefined => s_undefined,
            _ => s_ok,
        });
        if (row.Coverage is { } coverage)
        {
            writer.WriteStartObject(s_coverage);
            writer.WriteNumber(s_series, coverage.Series);
            writer.WriteNumber(s_before, coverage.Before);
            writer.WriteEndObject();
        }
        else if (spec.Coverage is true)
        {
            writer.WriteNull(s_coverage);
        }

        if (spec.Target is not null && row.Target is null) writer.WriteNull(s_target);
        else if (row.Target is { } target) writer.WriteString(s_target, target switch { TargetState.Met => s_met, TargetState.Open => s_open, _ => s_missed });
    }

    /// <summary>Rows as the elements of an array that has been begun.</summary>
    public static void WriteRows(Utf8JsonWriter writer, IndicatorSpec spec, ReadOnlySpan<IndicatorValue> rows)
    {
        var names = Array.ConvertAll(spec.Dimensions, name => JsonEncodedText.Encode(name, s_json.Encoder));
        var (froms, tos) = (new Instants(), new Instants());
        foreach (ref readonly var row in rows)
        {
            writer.WriteStartObject();
            if (spec.ByArea) writer.WriteString(s_area, row.Area);
            writer.WriteString(s_from, froms.Text(row.From));
            writer.WriteString(s_to, tos.Text(row.To));
            if (row.Dimensions is { } dimensions)
            {
                writer.WriteStartObject(s_dimensions);
                for (var i = 0; i < names.Length; i++) writer.WriteString(names[i], dimensions[i]);
                writer.WriteEndObject();
            }

            WriteState(writer, spec, row);
            writer.WriteEndObject();
        }
    }

    /// <summary>The places of rows that are there no more, as the elements of an array that has been begun.</summary>
    public static void WritePlaces(Utf8JsonWriter writer, IndicatorSpec spec, ReadOnlySpan<IndicatorValue> places)
    {
        var names = Array.ConvertAll(spec.Dimensions, name => JsonEncodedText.Encode(name, s_json.Encoder));
        var froms = new Instants();
        foreach (ref readonly var place in places)
        {
            writer.WriteStartObject();
            if (spec.ByArea) writer.WriteString(s_area, place.Area);
            writer.WriteString(s_from, froms.Text(place.From));
            if (place.Dimensions is { } dimensions)
            {
                writer.WriteStartObject(s_dimensions);
                for (var i = 0; i < names.Length; i++) writer.WriteString(names[i], dimensions[i]);
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }
    }

    /// <summary>An instant as it is written everywhere.</summary>
    public static string Instant(DateTimeOffset instant) => new Instants().Text(instant).ToString();

    /// <summary>Instants as <c>2026-11-23T08:00:00Z</c>, with fractions only where there are any; the last one is kept, since rows share them.</summary>
    private sealed class Instants
    {
        private readonly char[] _text = new char[32];
        private int _length;
        private long _ticks = -1;

        public ReadOnlySpan<char> Text(DateTimeOffset instant)
        {
            if (instant.UtcTicks != _ticks)
            {
                instant.UtcDateTime.TryFormat(_text, out _length, "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);
                _ticks = instant.UtcTicks;
            }

            return _text.AsSpan(0, _length);
        }
    }
}
