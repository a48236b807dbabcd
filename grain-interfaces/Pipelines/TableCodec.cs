using System.Buffers;

using DataHub.Feeds;

using MessagePack;

namespace DataHub.Pipelines;

/// <summary>A batch of a table's rows as bytes: equal rows are equal bytes, whoever wrote them.</summary>
internal static class TableCodec
{
    /// <summary>Rows of every batch of a table but its last.</summary>
    public const int BatchRows = 10_000;

    /// <summary>Of the envelope in which a batch is stored.</summary>
    public const byte Magic = (byte)'T', Version = 1;

    public static void Write(IBufferWriter<byte> to, RowBlock rows)
    {
        var writer = new MessagePackWriter(to);
        RowBlockCodec.Write(ref writer, rows);
        writer.Flush();
    }

    public static byte[] ToBytes(RowBlock rows)
    {
        var buffer = new ArrayBufferWriter<byte>(64 * 1024);
        Write(buffer, rows);
        return buffer.WrittenSpan.ToArray();
    }

    /// <exception cref="InvalidDataException">These are not rows.</exception>
    public static RowBlock Read(ReadOnlyMemory<byte> bytes)
    {
        var reader = new MessagePackReader(bytes);
        return RowBlockCodec.Read(ref reader);
    }
}
