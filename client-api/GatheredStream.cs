using System.Buffers;

namespace DataHub;

/// <summary>Takes what is written at once, until it is sent on: for writers that do not wait.</summary>
internal sealed class GatheredStream : Stream
{
    private long _sent;

    public ArrayBufferWriter<byte> Buffer { get; } = new(1 << 16);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => Position;

    public override long Position
    {
        get => _sent + Buffer.WrittenCount;
        set => throw new NotSupportedException();
    }

    /// <summary>Sends on what is there.</summary>
    public async Task SendAsync(Stream to, CancellationToken cancellationToken)
    {
        if (Buffer.WrittenCount > 0) await to.WriteAsync(Buffer.WrittenMemory, cancellationToken);
        _sent += Buffer.WrittenCount;
        Buffer.ResetWrittenCount();
    }

    public override void Write(ReadOnlySpan<byte> buffer) => Buffer.Write(buffer);

    public override void Write(byte[] buffer, int offset, int count) => Buffer.Write(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Buffer.Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
