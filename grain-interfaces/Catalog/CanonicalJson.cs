using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace DataHub.Catalog;

/// <summary>
/// JSON values as text that is equal where the values are: members in ordinal order of their names, no white space,
/// integers as their digits, other numbers as the shortest text of the double.
/// </summary>
internal static class CanonicalJson
{
    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <returns>False where an object has a member twice, a number is not finite, or a text is not valid Unicode.</returns>
    public static bool TryWrite(JsonElement element, out string text)
    {
        text = "";
        var buffer = new ArrayBufferWriter<byte>(256);
        using var writer = new Utf8JsonWriter(buffer, s_options);
        try
        {
            if (!Write(writer, element)) return false;
        }
        catch (InvalidOperationException)
        {
            // System.Text.Json's word for an escaped surrogate without its other half.
            return false;
        }

        writer.Flush();
        text = Encoding.UTF8.GetString(buffer.WrittenSpan);
        return true;
    }

    private static bool Write(Utf8JsonWriter writer, JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                string? last = null;
                foreach (var member in element.EnumerateObject().OrderBy(m => m.Name, StringComparer.Ordinal))
                {
                    if (member.Name == last) return false;
                    writer.WritePropertyName(last = member.Name);
                    if (!Write(writer, member.Value)) return false;
                }

                writer.WriteEndObject();
                return true;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in element.EnumerateArray())
                    if (!Write(writer, item)) return false;
                writer.WriteEndArray();
                return true;
            case JsonValueKind.Number:
                return WriteNumber(writer, element);
            case JsonValueKind.String:
                writer.WriteStringValue(element.GetString());
                return true;
            default:
                element.WriteTo(writer);
                return true;
        }
    }

    private static bool WriteNumber(Utf8JsonWriter writer, JsonElement element)
    {
        var raw = element.GetRawText();
        // Integers of any length are their own canonical text, but for minus zero.
        if (raw.AsSpan().IndexOfAny('.', 'e', 'E') < 0)
        {
            writer.WriteRawValue(raw == "-0" ? "0" : raw, skipInputValidation: true);
            return true;
        }

        var number = double.Parse(raw, CultureInfo.InvariantCulture);
        if (!double.IsFinite(number)) return false;
        // 1.0 and 1e0 are 1.
        if (number == Math.Truncate(number) && Math.Abs(number) < 1e15) writer.WriteNumberValue((long)number);
        else writer.WriteNumberValue(number);
        return true;
    }
}
