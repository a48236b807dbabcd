using System.Collections.Concurrent;

namespace DataHub.Storage.Sqlite;

/// <summary>
/// One database file: WAL, synchronous FULL, one writer, pooled readers that see snapshots. Closing writes the WAL back.
/// </summary>
/// <remarks>
/// No memory-mapped reading: every connection would map the file for itself, and the hub's memory would grow with its
/// data; the system's page cache is one copy for all.
/// </remarks>
internal sealed class SqliteFile : IAsyncDisposable, IDisposable
{
    private const string BeginRead = "BEGIN";
    private const string EndRead = "COMMIT";
    private const string UndoRead = "ROLLBACK";

    private readonly string _path;
    private readonly string[] _readerPragmas;
    private readonly SemaphoreSlim _readers;
    private readonly int _readerCount;
    private readonly ConcurrentBag<SqliteSession> _idle = [];
    private int _closed;

    private SqliteFile(string path, SqliteStorageOptions options, SqliteWriter writer)
    {
        _path = path;
        Writer = writer;
        _readerCount = options.Readers;
        _readers = new(options.Readers, options.Readers);
        _readerPragmas =
        [
            "PRAGMA query_only = ON", "PRAGMA busy_timeout = 5000", "PRAGMA temp_store = MEMORY", $"PRAGMA cache_size = -{options.ReaderCacheMiB * 1_024}",
        ];
    }

    public string Name => Path.GetFileName(_path);

    public SqliteWriter Writer { get; }

    /// <summary>Opens the file, makes it where it is not there, and brings its schema up to date.</summary>
    /// <param name="path">Of the file; its folder must exist.</param>
    /// <param name="family">Folder of its migrations.</param>
    /// <exception cref="SchemaException">The schema is newer than this program, or not what its migrations made.</exception>
    public static SqliteFile Open(string path, string family, SqliteStorageOptions options, TimeProvider time)
    {
        var session = SqliteSession.Open(path,
        [
            "PRAGMA busy_timeout = 5000",
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = FULL",
            "PRAGMA foreign_keys = ON",
            // What is overwritten or deleted is filled with zeros: erased content must not lie about in freed pages.
            "PRAGMA secure_delete = ON",
            "PRAGMA temp_store = MEMORY",
            $"PRAGMA cache_size = -{options.WriterCacheMiB * 1_024}",
            $"PRAGMA wal_autocheckpoint = {options.CheckpointPages}",
            "PRAGMA journal_size_limit = 67108864",
        ]);
        try
        {
            SqliteMigrations.Apply(session, Path.GetFileName(path), family, time);
        }
        catch
        {
            session.Dispose();
            throw;
        }

        return new(path, options, new(session, Path.GetFileName(path), options.WriterQueue, options.UnitsPerCommit));
    }

    /// <summary>Runs work in a transaction on the writer; see <see cref="SqliteWriter.ExecuteAsync"/>.</summary>
    public Task<T> WriteAsync<T>(Func<SqliteSession, T> work, CancellationToken cancellationToken) => Writer.ExecuteAsync(work, cancellationToken);

    /// <summary>A few pages from one snapshot, on the caller's thread: a hop to another one would cost more.</summary>
    public async Task<T> LookUpAsync<T>(Func<SqliteSession, T> read, CancellationToken cancellationToken)
    {
        await _readers.WaitAsync(cancellationToken);
        try
        {
            return Read(read);
        }
        finally
        {
            _readers.Release();
        }
    }

    /// <summary>Possibly many pages from one snapshot, away from the caller's thread, which may be a grain's.</summary>
    public async Task<T> ScanAsync<T>(Func<SqliteSession, T> read, CancellationToken cancellationToken)
    {
        await _readers.WaitAsync(cancellationToken);
        try
        {
            return await Task.Run(() => Read(read), cancellationToken);
        }
        finally
        {
            _readers.Release();
        }
    }

    /// <summary>Writes the file anew without its freed pages, where it is not larger than allowed, and empties the write-ahead log.</summary>
    /// <returns>False where it is larger.</returns>
    public async Task<bool> CompactAsync(long upToBytes, CancellationToken cancellationToken)
    {
        var small = new FileInfo(_path).Length <= upToBytes;
        if (small) await Writer.ExecuteAloneAsync(session =>
        {
            session.Reset();
            session.Script("VACUUM");
        }, cancellationToken);
        for (var attempt = 0; ; attempt++)
        {
            // Readers that hold an old snapshot keep it in the log for a moment.
            var emptied = false;
            await Writer.ExecuteAloneAsync(session => emptied = session.Checkpoint(), cancellationToken);
            if (emptied) return small;
            if (attempt == 100) throw new InvalidOperationException($"The write-ahead log of {Name} could not be emptied: readers hold it.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken);
        }
    }

    /// <inheritdoc cref="DisposeAsync"/>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>Lets readers and writer finish, writes the WAL back into the file and closes it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _closed, 1) != 0) return;
        for (var i = 0; i < _readerCount; i++) await _readers.WaitAsync();
        while (_idle.TryTake(out var session)) session.Dispose();

        // The last connection to close writes the WAL back and removes it.
        Writer.Dispose();
        _readers.Release(_readerCount);
    }

    private T Read<T>(Func<SqliteSession, T> read)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _closed) != 0, this);
        if (!_idle.TryTake(out var session)) session = SqliteSession.Open(_path, _readerPragmas);
        var sound = false;
        try
        {
            session.Run(BeginRead);
            var result = read(session);
            session.Run(EndRead);
            sound = true;
            return result;
        }
        catch (Exception) when (session.InTransaction)
        {
            session.Reset();
            session.Run(UndoRead);
            sound = true;
            throw;
        }
        finally
        {
            if (sound) _idle.Add(session);
            else session.Dispose();
        }
    }
}
