using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace DataHub.Sharing;

/// <summary>
/// The form in which an event of an agreement is hashed and stored, and the hashes of its chain. Anybody verifies it with any
/// SHA-256, from what <c>GET /api/v1/agreements/{agreement}/events</c> answers:
/// <list type="bullet">
/// <item>content = JSON in UTF-8 without white space outside of texts, its members in this order:
/// <c>{"v":1,"agreement":…,"number":…,"at":…,"who":…,"side":…,"act":…,"version":…,"detail":{…},"terms":{…}}</c>; <c>at</c> is UTC
/// as <c>2026-11-27T08:00:00.0000000Z</c>, <c>terms</c> stands in a change only. What is stored and given are the very bytes
/// that were hashed: nobody has to make them again.</item>
/// <item>hash(n) = SHA-256(hash(n − 1) ‖ content(n)); the content names agreement and number, so no event fits at another place.</item>
/// <item>hash(0) = <see cref="Genesis"/> = SHA-256 of the 25 ASCII characters <c>datahub agreement chain 1</c>.</item>
/// </list>
/// </summary>
public static class AgreementContent
{
    private const string TimeForm = "yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'";

    private static readonly byte[] s_genesis = SHA256.HashData("datahub agreement chain 1"u8);
    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions s_terms = Options();

    /// <summary>The hash before the first event.</summary>
    public static ReadOnlySpan<byte> Genesis => s_genesis;

    /// <summary>SHA-256(previous ‖ content).</summary>
    public static byte[] Hash(ReadOnlySpan<byte> previous, ReadOnlySpan<byte> content)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(previous);
        hash.AppendData(content);
        return hash.GetHashAndReset();
    }

    /// <summary>The terms' bytes: equal terms are equal bytes.</summary>
    public static byte[] Terms(AgreementTerms terms) => JsonSerializer.SerializeToUtf8Bytes(terms, s_terms);

    /// <summary>SHA-256 of <see cref="Terms"/>, in hexadecimal: what a printed text names.</summary>
    public static string TermsHash(AgreementTerms terms) => Convert.ToHexStringLower(SHA256.HashData(Terms(terms)));

    /// <summary>The event's bytes.</summary>
    /// <param name="agreement">Its id.</param>
    public static byte[] Write(string agreement, AgreementEvent happened)
    {
        ArgumentNullException.ThrowIfNull(happened);
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer, s_json))
        {
            writer.WriteStartObject();
            writer.WriteNumber("v", 1);
            writer.WriteString("agreement", agreement);
            writer.WriteNumber("number", happened.Number);
            writer.WriteString("at", Time(happened.At));
            writer.WriteString("who", happened.Who);
            writer.WriteString("side", AgreementWords.Of(happened.Side));
            writer.WriteString("act", AgreementWords.Of(happened.Act));
            writer.WriteNumber("version", happened.Version);
            writer.WriteStartObject("detail");
            if (happened.Charter is not null) writer.WriteString("charter", happened.Charter);
            if (happened.Due is { } due) writer.WriteString("due", Time(due));
            if (happened.Duty is not null) writer.WriteString("duty", happened.Duty);
            if (happened.Evidence is not null) writer.WriteString("evidence", happened.Evidence);
            if (happened.Reason is not null) writer.WriteString("reason", happened.Reason);
            writer.WriteEndObject();
            if (happened.Terms is not null)
            {
                writer.WritePropertyName("terms");
                writer.WriteRawValue(Terms(happened.Terms));
            }

            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>What content says; null where it is not such content, or of another agreement.</summary>
    public static AgreementEvent? Read(string agreement, ReadOnlyMemory<byte> content)
    {
        try
        {
            using var document = JsonDocument.Parse(content);
            var root = document.RootElement;
            if (root.GetProperty("v").GetInt32() != 1 || root.GetProperty("agreement").GetString() != agreement) return null;
            if (AgreementWords.Act(root.GetProperty("act").GetString()) is not { } act || AgreementWords.Side(root.GetProperty("side").GetString()) is not { } side) return null;
            var detail = root.GetProperty("detail");
            return new(root.GetProperty("number").GetInt32(), Instant(root.GetProperty("at").GetString()!), root.GetProperty("who").GetString()!, side, act, root.GetProperty("version").GetInt32())
            {
                Charter = Text("charter"),
                Due = Text("due") is { } due ? Instant(due) : null,
                Duty = Text("duty"),
                Evidence = Text("evidence"),
                Reason = Text("reason"),
                Terms = root.TryGetProperty("terms", out var terms) ? terms.Deserialize<AgreementTerms>(s_terms) : null,
            };

            string? Text(string name) => detail.TryGetProperty(name, out var value) ? value.GetString() : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            return null;
        }
    }

    private static string Time(DateTimeOffset at) => at.UtcDateTime.ToString(TimeForm, CultureInfo.InvariantCulture);

    private static DateTimeOffset Instant(string text) =>
        new(DateTime.ParseExact(text, TimeForm, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal));

    private static JsonSerializerOptions Options()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web)
        {
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
        };
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
