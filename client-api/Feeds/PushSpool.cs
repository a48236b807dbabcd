using System.Buffers;
using System.IO.MemoryMappedFiles;

using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DataHub.Feeds;

/// <summary>Large bodies on disk while they are read. Each file goes with its push; what a killed process left goes at start.</summary>
internal sealed partial class PushSpool(IOptions<IngestOptions> options, ILogger<PushSpool> logger) : IHostedService
{
    private const string Extension = ".push";

    private readonly BodyBudget _budget = new();
    private readonly string _folder = options.Value.SpoolFolder.Length > 0
        ? options.Value.SpoolFolder
        : Path.Combine(Path.GetTempPath(), $"datahub-spool-{Environment.ProcessId}");

    /// <summary>Bytes on disk now.</summary>
    public long Used => _budget.Used;

    public string Folder => _folder;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (!Directory.Exists(_folder)) return Task.CompletedTask;
        var left = Directory.GetFiles(_folder, "*" + Extension);
        foreach (var file in left) File.Delete(file);
        if (left.Length > 0) LogLeft(_folder, left.Length);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>A new empty file.</summary>
    /// <exception cref="IOException">The disk does not take it.</exception>
    /// <param name="agency">Whose body it takes.</param>
    public SpooledBody New(string agency)
    {
        Directory.CreateDirectory(_folder);
        return new(Path.Combine(_folder, Guid.NewGuid().ToString("N") + Extension), agency, _budget, options.Value.MaxSpoolBytes);
    }

    [LoggerMessage(1143, LogLevel.Information, "{Folder}: {Files} bodies that an earlier process left were deleted")]
    private partial void LogLeft(string folder, int files);
}

/// <summary>The disk has no more room for bodies, by its budget or in truth.</summary>
internal sealed class SpoolFullException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>A body in a file of its own: written once, then read as memory.</summary>
internal sealed class SpooledBody(string path, string agency, BodyBudget budget, long limit) : IDisposable
{
    private readonly FileStream _file = new(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete, 1, FileOptions.DeleteOnClose | FileOptions.Asynchronous);
    private long _length;
    private MappedBytes? _mapped;

    public long Length => _length;

    /// <exception cref="SpoolFullException">There is no room.</exception>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        // A single push is not let past the budget, as it is for memory: a full disk stops the hub.
        if (!budget.TryTake(agency, bytes.Length, limit / 2)) throw new SpoolFullException("DataHub:Ingest:MaxSpoolBytes");
        _length += bytes.Length;
        if (budget.Used > limit) throw new SpoolFullException("DataHub:Ingest:MaxSpoolBytes");
        try
        {
            await _file.WriteAsync(bytes, cancellationToken);
        }
        catch (IOException e)
        {
            throw new SpoolFullException(e.Message, e);
        }
    }

    /// <summary>What was written, mapped into memory: pages come and go as they are looked at.</summary>
    public ReadOnlyMemory<byte> Map() => (_mapped ??= new(_file, checked((int)_length))).Memory;

    public void Dispose()
    {
        (_mapped as IDisposable)?.Dispose();
        _file.Dispose();
        budget.Return(agency, _length);
        _length = 0;
    }

    private sealed unsafe class MappedBytes : MemoryManager<byte>
    {
        private readonly MemoryMappedFile _map;
        private readonly MemoryMappedViewAccessor _view;
        private readonly int _length;
        private byte* _start;

        public MappedBytes(FileStream file, int length)
        {
            _length = length;
            _map = MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            _view = _map.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
            _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
            _start += _view.PointerOffset;
        }

        public override Span<byte> GetSpan() => _start is null ? throw new ObjectDisposedException(nameof(SpooledBody)) : new(_start, _length);

        public override MemoryHandle Pin(int elementIndex = 0) => new(_start + elementIndex);

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
            if (_start is null) return;
            _start = null;
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
            _view.Dispose();
            _map.Dispose();
        }
    }
}
