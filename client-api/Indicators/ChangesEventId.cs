using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

using DataHub.Feeds;

using MessagePack;

namespace DataHub.Indicators;

/// <summary>What a viewer has seen, as it stands in an event's <c>id</c>. Opaque to clients.</summary>
/// <param name="Selection">From <see cref="SelectionOf"/>: an id of another selection continues nothing.</param>
/// <param name="Mark">Up to where.</param>
/// <param name="IsStale">Whether it was shown marked stale.</param>
internal sealed record ChangesEventId(ulong Selection, ChangeMark Mark, bool IsStale)
{
    private const string Prefix = "e1.";

    /// <summary>Identifies an indicator and a selection of its values.</summary>
    /// <param name="through">The agreement and version that it is seen through; null: by right.</param>
    public static ulong SelectionOf(string indicator, ValuesQuery selection, string? through = null)
    {
        var text = FormattableString.Invariant(
            $"{indicator}|{selection.Latest}|{selection.From?.UtcTicks}|{selection.To?.UtcTicks}|{selection.FromDay?.DayNumber}|{selection.ToDay?.DayNumber}|{selection.Level}|{selection.Whole}|{selection.Area}");
        if (through is not null) text = $"{through}|{text}";
        return BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    /// <summary>The text form, <c>e1.</c> and base64url.</summary>
    public override string ToString()
    {
        var buffer = new ArrayBufferWriter<byte>(128);
        var writer = new MessagePackWriter(buffer);
        writer.WriteArrayHeader(6);
        writer.Write(Selection);
        writer.Write(Mark.Definition);
        writer.Write(Mark.AreaVersion);
        writer.Write(Mark.Watermark.ToString());
        writer.Write(Mark.At.UtcTicks);
        writer.Write(IsStale);
        writer.Flush();
        return Prefix + Base64Url.EncodeToString(buffer.WrittenSpan);
    }

    /// <summary>Reads what <see cref="ToString"/> wrote; anything else is false.</summary>
    public static bool TryParse(string? text, out ChangesEventId? id)
    {
        id = null;
        if (text is null || text.Length > 8_192 || !text.StartsWith(Prefix, StringComparison.Ordinal)) return false;
        try
        {
            var reader = new MessagePackReader(Base64Url.DecodeFromChars(text.AsSpan(Prefix.Length)));
            if (reader.ReadArrayHeader() != 6) return false;
            var (selection, definition, areas) = (reader.ReadUInt64(), reader.ReadInt32(), reader.ReadInt32());
            if (!Watermark.TryParse(reader.ReadString(), out var watermark)) return false;
            var at = reader.ReadInt64();
            if (at < 0 || at > DateTime.MaxValue.Ticks) return false;
            id = new(selection, new(definition, areas, watermark!, new(at, TimeSpan.Zero)), reader.ReadBoolean());
            return true;
        }
        catch (Exception e) when (e is FormatException or MessagePackSerializationException or EndOfStreamException or OverflowException or InvalidOperationException or ArgumentException)
        {
            return false;
        }
    }
}
