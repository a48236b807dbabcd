using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

using DataHub.Catalog;

using Microsoft.AspNetCore.Http;

using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace DataHub.Pipelines;

/// <summary>
/// Definitions as YAML 1.2 (yaml.org/spec/1.2.2, core schema): what JSON can say and no more. Without anchors, aliases and
/// tags; a plain number with leading zeros is a text.
/// </summary>
internal static partial class JobYaml
{
    /// <summary>RFC 9512.</summary>
    public const string Type = "application/yaml";

    public const string Example = """
        title: Luftgüte übernehmen
        agency: senumvk
        steps:
        - id: zeilen
          read:
            dataset: air-quality
        - id: mittel
          transform:
            inputs:
            - zeilen
            sql: |-
              SELECT station, avg(no2) AS no2
              FROM zeilen GROUP BY station
        """;

    /// <summary>Mappings and sequences within one another.</summary>
    private const int Deepest = 64;

    [GeneratedRegex(@"^[-+]?(0|[1-9][0-9]*)$")]
    private static partial Regex Integer();

    [GeneratedRegex(@"^[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")]
    private static partial Regex Number();

    /// <summary>What readers of YAML 1.1 and 1.2 take for something else than a text: numbers of all bases, dates, times, yes and no.</summary>
    [GeneratedRegex("^([-+.]?[0-9][-+.:_0-9a-zA-Z]*|[-+]?\\.(inf|nan)|~|null|true|false|yes|no|on|off|y|n|)$", RegexOptions.IgnoreCase)]
    private static partial Regex LooksLikeOther();

    public static bool IsYaml(string? contentType) => contentType?.Split(';')[0].Trim() is Type or "application/x-yaml" or "text/yaml";

    public static bool IsAsked(HttpContext http) => http.Request.Headers.Accept.Any(accept => accept?.Split(',').Any(one => IsYaml(one)) is true);

    /// <summary>The body as a document of a type, as strictly as JSON is read.</summary>
    public static async Task<(T? Document, IResult? Problem)> ReadYamlAsync<T>(this HttpContext http)
        where T : class
    {
        var (bytes, problem) = await http.ReadDocumentBytesAsync();
        if (problem is not null) return (null, problem);
        try
        {
            return JsonSerializer.Deserialize<T>(ToJson(new UTF8Encoding(false, true).GetString(bytes.Span)), WireJson.Options) is { } document
                ? (document, null)
                : (null, Wrong(http, new("Der Inhalt ist leer.", "The body is empty.")));
        }
        catch (YamlException e)
        {
            return (null, Wrong(http, new($"Zeile {e.Start.Line}, Stelle {e.Start.Column}: {Reason(e).De}", $"Line {e.Start.Line}, place {e.Start.Column}: {Reason(e).In("en")}")));
        }
        catch (JsonException e)
        {
            // Lines of the JSON that it became say nothing to whoever wrote YAML.
            return (null, Wrong(http, Requests.Fault(e, withLine: false)));
        }
        catch (DecoderFallbackException)
        {
            return (null, Wrong(http, new("Der Inhalt ist kein UTF-8.", "The body is not in UTF-8.")));
        }
    }

    /// <summary>A document, as people edit it.</summary>
    public static string Write<T>(T document)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        var emitter = new Emitter(text, new EmitterSettings(bestIndent: 2, bestWidth: int.MaxValue, isCanonical: false, maxSimpleKeyLength: 1_024));
        emitter.Emit(new StreamStart());
        emitter.Emit(new DocumentStart(null, null, isImplicit: true));
        Emit(emitter, JsonSerializer.SerializeToElement(document, WireJson.Options));
        emitter.Emit(new DocumentEnd(isImplicit: true));
        emitter.Emit(new StreamEnd());
        return text.ToString();
    }

    /// <exception cref="YamlException">It is no YAML, or more than JSON can say.</exception>
    public static ReadOnlySpan<byte> ToJson(string yaml)
    {
        var parser = new Parser(new StringReader(yaml));
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _))
            {
                json.WriteNullValue();
            }
            else
            {
                parser.Consume<DocumentStart>();
                Read(parser, json, 0);
                parser.Consume<DocumentEnd>();
                if (!parser.Accept<StreamEnd>(out _)) throw new YamlException(parser.Current!.Start, parser.Current.End, "second document");
            }
        }

        return buffer.WrittenSpan;
    }

    private static void Read(Parser parser, Utf8JsonWriter json, int depth)
    {
        if (parser.Current is AnchorAlias or NodeEvent { Anchor.IsEmpty: false } or NodeEvent { Tag.IsEmpty: false }) throw new YamlException(parser.Current.Start, parser.Current.End, "anchor, alias or tag");
        if (depth > Deepest) throw new YamlException(parser.Current!.Start, parser.Current.End, "too deep");
        if (parser.TryConsume<MappingStart>(out _))
        {
            var keys = new HashSet<string>(StringComparer.Ordinal);
            json.WriteStartObject();
            while (!parser.TryConsume<MappingEnd>(out _))
            {
                if (parser.Current is NodeEvent { Anchor.IsEmpty: false } or NodeEvent { Tag.IsEmpty: false }) throw new YamlException(parser.Current.Start, parser.Current.End, "anchor, alias or tag");
                var key = parser.Consume<Scalar>();
                if (!keys.Add(key.Value)) throw new YamlException(key.Start, key.End, "twice");
                json.WritePropertyName(key.Value);
                Read(parser, json, depth + 1);
            }

            json.WriteEndObject();
            return;
        }

        if (parser.TryConsume<SequenceStart>(out _))
        {
            json.WriteStartArray();
            while (!parser.TryConsume<SequenceEnd>(out _)) Read(parser, json, depth + 1);
            json.WriteEndArray();
            return;
        }

        var scalar = parser.Consume<Scalar>();
        if (scalar.Style != ScalarStyle.Plain) json.WriteStringValue(scalar.Value);
        else Plain(scalar.Value, json);
    }

    private static void Plain(string text, Utf8JsonWriter json)
    {
        switch (text)
        {
            case "" or "~" or "null" or "Null" or "NULL":
                json.WriteNullValue();
                break;
            case "true" or "True" or "TRUE":
                json.WriteBooleanValue(true);
                break;
            case "false" or "False" or "FALSE":
                json.WriteBooleanValue(false);
                break;
            default:
                if (Integer().IsMatch(text) && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer)) json.WriteNumberValue(integer);
                else if (Number().IsMatch(text) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)) json.WriteNumberValue(number);
                else json.WriteStringValue(text);
                break;
        }
    }

    private static void Emit(Emitter emitter, JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                emitter.Emit(new MappingStart(AnchorName.Empty, TagName.Empty, isImplicit: true, MappingStyle.Block));
                foreach (var property in element.EnumerateObject())
                {
                    Text(emitter, property.Name);
                    Emit(emitter, property.Value);
                }

                emitter.Emit(new MappingEnd());
                break;
            case JsonValueKind.Array:
                emitter.Emit(new SequenceStart(AnchorName.Empty, TagName.Empty, isImplicit: true, SequenceStyle.Block));
                foreach (var item in element.EnumerateArray()) Emit(emitter, item);
                emitter.Emit(new SequenceEnd());
                break;
            case JsonValueKind.String:
                Text(emitter, element.GetString()!);
                break;
            default:
                emitter.Emit(new Scalar(AnchorName.Empty, TagName.Empty, element.GetRawText(), ScalarStyle.Plain, isPlainImplicit: true, isQuotedImplicit: false));
                break;
        }
    }

    private static void Text(Emitter emitter, string text)
    {
        var isOther = LooksLikeOther().IsMatch(text);
        // Line breaks of other kinds, and blanks at an end of a line, do not survive in a block.
        var isBlock = text.Contains('\n', StringComparison.Ordinal) && !text.Any(c => (char.IsControl(c) && c != '\n') || c is '\u2028' or '\u2029' or '\uFEFF') && !text.Split('\n').Any(line => line.EndsWith(' ')) && !text.StartsWith(' ') && !text.StartsWith('\n');
        emitter.Emit(new Scalar(AnchorName.Empty, TagName.Empty, text, isBlock ? ScalarStyle.Literal : isOther ? ScalarStyle.DoubleQuoted : ScalarStyle.Any, isPlainImplicit: !isOther && !isBlock, isQuotedImplicit: true));
    }

    private static LocalText Reason(YamlException fault) => fault.Message switch
    {
        var message when message.Contains("anchor, alias", StringComparison.Ordinal) => new("Anker, Verweise und Tags (&, *, !) gibt es hier nicht", "anchors, aliases and tags (&, *, !) are not allowed here"),
        var message when message.EndsWith("twice", StringComparison.Ordinal) => new("dieses Element steht zweimal da", "this member stands twice"),
        var message when message.EndsWith("too deep", StringComparison.Ordinal) => new($"tiefer als {Deepest} ineinander", $"deeper than {Deepest} within one another"),
        var message when message.EndsWith("second document", StringComparison.Ordinal) => new("nur ein Dokument", "one document only"),
        _ => new($"kein lesbares YAML ({fault.Message})", $"not readable as YAML ({fault.Message})"),
    };

    private static IResult Wrong(HttpContext http, LocalText detail) => Problems.Problem(http, ProblemTypes.InvalidJson, detail);
}
