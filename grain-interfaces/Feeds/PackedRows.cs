using System.Buffers;

using MessagePack;

using Orleans.Serialization.Cloning;

namespace DataHub.Feeds;

/// <summary>Rows as they travel between processes: packed as in the log (<see cref="RowBlockCodec"/>), not compressed.</summary>
/// <param name="Bytes">MessagePack.</param>
/// <param name="Kinds">Of a block without rows, of which nothing is packed: what its columns are. Else null.</param>
[GenerateSerializer, Immutable, Alias("datahub.PackedRows")]
internal readonly record struct PackedRows([property: Id(0)] byte[] Bytes, [property: Id(1)] byte[]? Kinds);

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
        if (surrogate.Kinds is { } kinds) return new() { Count = 0, Columns = Array.ConvertAll(kinds, kind => Empty((ColumnKind)kind)) };
        var reader = new MessagePackReader(surrogate.Bytes);
        return RowBlockCodec.Read(ref reader);
    }

    public PackedRows ConvertToSurrogate(in RowBlock value)
    {
        if (value.Count == 0) return new([], Array.ConvertAll(value.Columns, column => (byte)column.Kind));
        var buffer = _buffer ?? new(4_096);
        _buffer = null;
        buffer.ResetWrittenCount();
        var writer = new MessagePackWriter(buffer);
        RowBlockCodec.Write(ref writer, value);
        writer.Flush();
        var packed = new PackedRows(buffer.WrittenSpan.ToArray(), null);
        if (buffer.Capacity <= LargestKeptBuffer) _buffer = buffer;
        return packed;
    }

    private static Column Empty(ColumnKind kind) => kind switch
    {
        ColumnKind.Text => Column.OfTexts([]),
        ColumnKind.Number => Column.OfNumbers([]),
        ColumnKind.Integer => Column.OfIntegers([]),
        ColumnKind.Boolean => Column.OfBooleans([]),
        _ => throw new InvalidDataException($"there is no column kind {kind}"),
    };
}

/// <summary>Rows are immutable: a copy is the block itself.</summary>
[RegisterCopier]
internal sealed class RowBlockCopier : IDeepCopier<RowBlock>
{
    public RowBlock? DeepCopy(RowBlock? input, CopyContext context) => input;
}
