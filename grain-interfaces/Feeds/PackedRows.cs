using System.Buffers;

using MessagePack;

using Orleans.Serialization.Cloning;

namespace DataHub.Feeds;

/// <summary>Rows as they travel between processes: packed as in the log (<see cref="RowBlockCodec"/>), not compressed.</summary>
/// <param name="Bytes">MessagePack.</param>
[GenerateSerializer, Immutable, Alias("datahub.PackedRows")]
internal readonly record struct PackedRows([property: Id(0)] byte[] Bytes);

/// <summary>Packs rows that go to another process. Within one they are handed on as they are.</summary>
[RegisterConverter]
internal sealed class PackedRowsConverter : IConverter<RowBlock, PackedRows>
{
    /// <summary>A buffer that once held an unusually large block is not kept.</summary>
    private const int LargestKeptBuffer = 1 << 20;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _buffer;

    /// <exception cref="InvalidDataException">The bytes are damaged.</exception>
    public RowBlock ConvertFromSurrogate(in PackedRows surrogate)
    {
        var reader = new MessagePackReader(surrogate.Bytes);
        return RowBlockCodec.Read(ref reader);
    }

    public PackedRows ConvertToSurrogate(in RowBlock value)
    {
        var buffer = _buffer ?? new(4_096);
        _buffer = null;
        buffer.ResetWrittenCount();
        var writer = new MessagePackWriter(buffer);
        RowBlockCodec.Write(ref writer, value);
        writer.Flush();
        var packed = new PackedRows(buffer.WrittenSpan.ToArray());
        if (buffer.Capacity <= LargestKeptBuffer) _buffer = buffer;
        return packed;
    }
}

/// <summary>Rows are immutable: a copy is the block itself.</summary>
[RegisterCopier]
internal sealed class RowBlockCopier : IDeepCopier<RowBlock>
{
    public RowBlock? DeepCopy(RowBlock? input, CopyContext context) => input;
}
