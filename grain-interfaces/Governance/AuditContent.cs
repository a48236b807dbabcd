using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace DataHub.Governance;

/// <summary>
/// The form in which an event is hashed and stored, and the hashes of the chain. An export can be verified with any
/// SHA-256, without this program:
/// <list type="bullet">
/// <item>content = JSON in UTF-8 without white space outside of texts, its members in this order:
/// <c>{"v":1,"id":…,"at":…,"action":…,"agency":…,"actor":…,"object":…,"outcome":…,"detail":{…}}</c>; <c>at</c> is UTC as
/// <c>2026-11-27T08:00:00.0000000Z</c>, <c>agency</c> may be null, <c>outcome</c> is <c>done</c> or <c>refused</c>, names in
/// <c>detail</c> are in ascending order of their UTF-16 units. What is stored and exported are the very bytes that were hashed:
/// nobody has to make them again.</item>
/// <item>leaf = SHA-256(salt ‖ content), salt being 16 random bytes of the entry's own.</item>
/// <item>link(n) = SHA-256(link(n − 1) ‖ n ‖ leaf(n)), n being 8 bytes, most significant first, from 1.</item>
/// <item>link(0) = <see cref="Genesis"/> = SHA-256 of the 21 ASCII characters <c>datahub audit chain 1</c>.</item>
/// </list>
/// Of deleted content the leaf stays, so the chain goes on through it; without the salt, which is deleted with it, nobody
/// can find out by trying what the content was. An entry with the action <c>audit.deleted</c> names in <c>detail.sequences</c>
/// the places, separated by commas, whose content was deleted; content that is missing and is named by none was lost.
/// </summary>
public static class AuditContent
{
    public const int SaltLength = 16, HashLength = SHA256.HashSizeInBytes;

    private const string TimeForm = "yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'";

    private static readonly byte[] s_genesis = SHA256.HashData("datahub audit chain 1"u8);
    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly string[] s_members = ["v", "id", "at", "action", "agency", "actor", "object", "outcome", "detail"];

    /// <summary>The link before the first entry.</summary>
    public static ReadOnlySpan<byte> Genesis => s_genesis;

    /// <summary>SHA-256(salt ‖ content).</summary>
    public static byte[] Leaf(ReadOnlySpan<byte> salt, ReadOnlySpan<byte> content)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(salt);
        hash.AppendData(content);
        return hash.GetHashAndReset();
    }

    /// <summary>SHA-256(previous ‖ sequence, 8 bytes, most significant first ‖ leaf).</summary>
    public static byte[] Link(ReadOnlySpan<byte> previous, long sequence, ReadOnlySpan<byte> leaf)
    {
        Span<byte> place = stackalloc byte[sizeof(long)];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(place, sequence);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(previous);
        hash.AppendData(place);
        hash.AppendData(leaf);
        return hash.GetHashAndReset();
    }

    /// <summary>The event's bytes.</summary>
    /// <exception cref="ArgumentException">A text is not valid UTF-16; <see cref="AuditEvents.Fault"/> finds that before.</exception>
    public static byte[] Write(AuditEvent happened)
    {
        ArgumentNullException.ThrowIfNull(happened);
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer, s_json))
        {
            writer.WriteStartObject();
            writer.WriteNumber("v", 1);
            writer.WriteString("id", happened.Id);
            writer.WriteString("at", Time(happened.At));
            writer.WriteString("action", happened.Action);
            writer.WriteString("agency", happened.Agency);
            writer.WriteString("actor", happened.Actor);
            writer.WriteString("object", happened.Object);
            writer.WriteString("outcome", Word(happened.Outcome));
            writer.WriteStartObject("detail");
            foreach (var detail in happened.Detail.OrderBy(detail => detail.Name, StringComparer.Ordinal)) writer.WriteString(detail.Name, detail.Text);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>What <see cref="Write"/> wrote; null where the bytes are not that.</summary>
    public static AuditEvent? Read(ReadOnlyMemory<byte> content)
    {
        try
        {
            using var document = JsonDocument.Parse(content);
            var root = document.RootElement;
            if (!root.EnumerateObject().Select(member => member.Name).SequenceEqual(s_members) || root.GetProperty("v").GetInt32() != 1) return null;
            if (Outcome(root.GetProperty("outcome").GetString()) is not { } outcome) return null;
            if (!DateTime.TryParseExact(root.GetProperty("at").GetString(), TimeForm, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at)) return null;
            return new(
                root.GetProperty("id").GetString()!, new(at), root.GetProperty("action").GetString()!, root.GetProperty("agency").GetString(), root.GetProperty("actor").GetString()!,
                root.GetProperty("object").GetString()!, outcome, [.. root.GetProperty("detail").EnumerateObject().Select(member => new AuditDetail(member.Name, member.Value.GetString()!))]);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    /// <summary><c>done</c> or <c>refused</c>.</summary>
    public static string Word(AuditOutcome outcome) => outcome == AuditOutcome.Done ? "done" : "refused";

    /// <summary>What a word stands for; null where it is another.</summary>
    public static AuditOutcome? Outcome(string? word) => word switch
    {
        "done" => AuditOutcome.Done,
        "refused" => AuditOutcome.Refused,
        _ => null,
    };

    /// <summary>An instant as content has it.</summary>
    public static string Time(DateTimeOffset at) => at.UtcDateTime.ToString(TimeForm, CultureInfo.InvariantCulture);
}
