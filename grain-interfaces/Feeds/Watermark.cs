using System.Buffers.Text;

using MessagePack;

namespace DataHub.Feeds;

/// <summary>How far an answer is current: one sequence per partition of a dataset, in one incarnation of the log. Opaque to clients.</summary>
/// <param name="Incarnation">Renewed by a restore; a watermark of another one is gone (410).</param>
/// <param name="Dataset">Id of the dataset.</param>
/// <param name="Sequences">Per partition, by its number.</param>
[GenerateSerializer, Immutable, Alias("datahub.Watermark")]
public sealed record Watermark([property: Id(0)] Guid Incarnation, [property: Id(1)] string Dataset, [property: Id(2)] long[] Sequences)
{
    private const string Prefix = "w1.";

    /// <summary>The text form, <c>w1.</c> and base64url.</summary>
    public override string ToString()
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(64);
        var writer = new MessagePackWriter(buffer);
        writer.WriteArrayHeader(2 + Sequences.Length);
        writer.Write(Incarnation.ToByteArray());
        writer.Write(Dataset);
        foreach (var sequence in Sequences) writer.Write(sequence);
        writer.Flush();
        return Prefix + Base64Url.EncodeToString(buffer.WrittenSpan);
    }

    /// <summary>Reads what <see cref="ToString"/> wrote; anything else is false.</summary>
    public static bool TryParse(string? text, out Watermark? watermark)
    {
        watermark = null;
        if (text is null || text.Length > 4_096 || !text.StartsWith(Prefix, StringComparison.Ordinal)) return false;
        try
        {
            var reader = new MessagePackReader(Base64Url.DecodeFromChars(text.AsSpan(Prefix.Length)));
            var count = reader.ReadArrayHeader();
            if (count is < 3 or > 1_026) return false;
            var incarnation = System.Buffers.BuffersExtensions.ToArray(reader.ReadBytes() ?? default);
            var dataset = reader.ReadString();
            if (incarnation.Length != 16 || dataset is null) return false;
            var sequences = new long[count - 2];
            for (var i = 0; i < sequences.Length; i++) sequences[i] = reader.ReadInt64();
            watermark = new(new Guid(incarnation), dataset, sequences);
            return true;
        }
        catch (Exception e) when (e is FormatException or MessagePackSerializationException or EndOfStreamException or OverflowException or InvalidOperationException or ArgumentException)
        {
            return false;
        }
    }

    public bool Equals(Watermark? other) =>
        other is not null && Incarnation == other.Incarnation && Dataset == other.Dataset && Sequences.AsSpan().SequenceEqual(other.Sequences);

    public override int GetHashCode() => HashCode.Combine(Incarnation, Dataset, Sequences.Length, Sequences.Length > 0 ? Sequences[0] : 0);
}
