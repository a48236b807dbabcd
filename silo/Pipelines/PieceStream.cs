namespace DataHub.Pipelines;

/// <summary>The content of a file in the store, read from its beginning to its end, one piece in memory.</summary>
/// <param name="read">Told how many bytes were read so far.</param>
internal sealed class PieceStream(IFileStore files, string name, Action<long>? read = null) : Stream
{
    private byte[] _piece = [];
    private int _at, _next;
    private long _before;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _before + _at;
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_at == _piece.Length)
        {
            if (await files.ReadAsync(name, _next, cancellationToken) is not { } piece) return 0;
            _before += _piece.Length;
            (_piece, _at) = (piece, 0);
            _next++;
            read?.Invoke(_before + piece.Length);
        }

        var count = Math.Min(buffer.Length, _piece.Length - _at);
        _piece.AsSpan(_at, count).CopyTo(buffer.Span);
        _at += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Only for libraries that cannot wait otherwise; steps run on threads of their own.</summary>
    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
