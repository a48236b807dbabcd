using System.Buffers.Binary;

namespace DataHub.Pipelines;

/// <summary>Reads the messages of <see cref="SqlWorkerProtocol"/>, one after another, into the same memory.</summary>
internal sealed class SqlWorkerReader(Stream from)
{
    /// <summary>Bytes that are made room for beyond what a message needs.</summary>
    private const int MostAhead = 16 * 1024 * 1024;

    private readonly byte[] _header = new byte[SqlWorkerProtocol.Header];
    private byte[] _content = [];

    /// <returns>The content holds until the next message is read.</returns>
    /// <exception cref="EndOfStreamException">The other side is gone.</exception>
    /// <exception cref="InvalidDataException">These are not messages.</exception>
    public async ValueTask<(SqlWorkerFrame Kind, ReadOnlyMemory<byte> Content)> ReadAsync()
    {
        await from.ReadExactlyAsync(_header);
        var content = Content();
        await from.ReadExactlyAsync(content);
        return (Kind, content);
    }

    /// <inheritdoc cref="ReadAsync"/>
    public (SqlWorkerFrame Kind, ReadOnlyMemory<byte> Content) Read()
    {
        from.ReadExactly(_header);
        var content = Content();
        from.ReadExactly(content.Span);
        return (Kind, content);
    }

    private SqlWorkerFrame Kind => (SqlWorkerFrame)_header[sizeof(int)];

    private Memory<byte> Content()
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(_header) - 1;
        if (length is < 0 or > SqlWorkerProtocol.LargestFrame) throw new InvalidDataException($"a message of {length} bytes");
        if (_content.Length < length)
        {
            // The old goes before the new comes: a worker has little memory.
            var next = Math.Max(length, Math.Min(2 * _content.Length, MostAhead));
            _content = [];
            _content = new byte[next];
        }

        return _content.AsMemory(0, length);
    }
}
