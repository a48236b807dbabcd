using System.Globalization;
using System.Text;
using System.Text.Json;

namespace DataHub.Demo;

/// <summary>How a feed writes its pushes.</summary>
internal enum DemoFormat
{
    Json,
    NdJson,
    Csv,
}

/// <summary>One row as an agency sends it: names and values in order. Values are text, number, boolean or null.</summary>
internal sealed record DemoRow(params (string Name, object? Value)[] Fields)
{
    public object? this[string name] => Array.Find(Fields, f => f.Name == name).Value;

    public DemoRow With(string name, object? value) => new([.. Fields.Select(f => f.Name == name ? (name, value) : f)]);

    public DemoRow Without(string name) => new([.. Fields.Where(f => f.Name != name)]);

    public DemoRow Add(string name, object? value) => new([.. Fields, (name, value)]);

    public static string ContentType(DemoFormat format) => format switch
    {
        DemoFormat.Json => "application/json",
        DemoFormat.NdJson => "application/x-ndjson",
        _ => "text/csv",
    };

    /// <param name="rows">For CSV all with the same fields.</param>
    /// <param name="format">How to write them.</param>
    public static byte[] Write(IReadOnlyList<DemoRow> rows, DemoFormat format)
    {
        if (format == DemoFormat.Csv) return WriteCsv(rows);
        using var body = new MemoryStream();
        using (var json = new Utf8JsonWriter(body, new() { Encoder = WireJson.Options.Encoder }))
        {
            if (format == DemoFormat.Json) json.WriteStartArray();
            foreach (var row in rows)
            {
                json.WriteStartObject();
                foreach (var (name, value) in row.Fields)
                {
                    json.WritePropertyName(name);
                    JsonSerializer.Serialize(json, value, WireJson.Options);
                }

                json.WriteEndObject();
                if (format != DemoFormat.NdJson) continue;
                json.Flush();
                body.WriteByte((byte)'\n');
                json.Reset();
            }

            if (format == DemoFormat.Json) json.WriteEndArray();
        }

        return body.ToArray();
    }

    /// <summary>An instant as agencies write it.</summary>
    public static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);

    private static byte[] WriteCsv(IReadOnlyList<DemoRow> rows)
    {
        var text = new StringBuilder();
        text.AppendJoin(',', rows[0].Fields.Select(f => f.Name)).Append("\r\n");
        foreach (var row in rows) text.AppendJoin(',', row.Fields.Select(f => Convert.ToString(f.Value, CultureInfo.InvariantCulture))).Append("\r\n");
        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
