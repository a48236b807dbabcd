using DataHub.Feeds;
using DataHub.Governance;
using DataHub.Indicators;
using DataHub.Pipelines;

using Microsoft.Data.Sqlite;

namespace DataHub.Storage.Sqlite;

/// <summary>
/// The embedded hub's six databases in one folder: <c>log.db</c>, <c>history.db</c>, <c>cells.db</c>, <c>state.db</c> for
/// the grains' state, <c>audit.db</c>, and <c>files.db</c> for uploaded files and the tables between steps. Closing writes everything back and lets go of the folder.
/// </summary>
internal sealed class SqliteStores : IAsyncDisposable, IDisposable
{
    private readonly FolderLock _folder;
    private readonly List<SqliteFile> _files = [];

    private SqliteStores(FolderLock folder, string path)
    {
        _folder = folder;
        StateConnectionString = new SqliteConnectionStringBuilder { DataSource = Path.Combine(path, "state.db") }.ConnectionString;
    }

    public required ILogStore Log { get; init; }

    public required IHistoryStore History { get; init; }

    public required ICellStore Cells { get; init; }

    public required IErasureStore Erasures { get; init; }

    public required IAuditStore Audit { get; init; }

    /// <summary>Content of files and of the tables between steps.</summary>
    public required IFileStore Content { get; init; }

    /// <summary>Files up to so many bytes are written anew after an erasure (<see cref="ErasureOptions.CompactUpToMiB"/>).</summary>
    public long CompactUpToBytes { get; set; } = 2L << 30;

    /// <summary>For Orleans' own storage provider, which opens connections of its own.</summary>
    public string StateConnectionString { get; }

    /// <summary>Every file with its writer.</summary>
    public IReadOnlyList<SqliteFile> Files => _files;

    /// <summary>Takes the folder, opens the files and brings their schemas up to date.</summary>
    /// <exception cref="FolderInUseException">Another process has the folder.</exception>
    /// <exception cref="SchemaException">A file was made by a newer program.</exception>
    /// <exception cref="ArgumentException">A setting is out of its range; the message says which.</exception>
    public static SqliteStores Open(SqliteStorageOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Problems() is { Count: > 0 } problems) throw new ArgumentException(string.Join("; ", problems), nameof(options));
        var path = Path.GetFullPath(options.Folder);
        var folder = FolderLock.Take(path);
        var opened = new List<SqliteFile>();
        try
        {
            var log = Open("log.db", "Log");
            var history = Open("history.db", "History");
            var cells = Open("cells.db", "Cells");
            Open("state.db", "State");
            var audit = Open(SqliteAuditStore.FileName, SqliteAuditStore.Family);
            var content = Open(SqliteFileStore.FileName, SqliteFileStore.Family);
            var rows = new SqliteHistoryStore(history, (long)options.SegmentCacheMiB << 20);
            SqliteStores? made = null;
            var stores = made = new SqliteStores(folder, path)
            {
                Erasures = new SqliteErasureStore(log, history, rows, opened, () => made!.CompactUpToBytes),
                Log = new SqliteLogStore(log, time),
                History = rows,
                Cells = new SqliteCellStore(cells),
                Audit = new SqliteAuditStore(audit),
                Content = new SqliteFileStore(content),
            };
            stores._files.AddRange(opened);
            return stores;
        }
        catch
        {
            foreach (var file in opened) file.Dispose();
            folder.Dispose();
            throw;
        }

        SqliteFile Open(string name, string family)
        {
            var file = SqliteFile.Open(Path.Combine(path, name), family, options, time);
            opened.Add(file);
            return file;
        }
    }

    /// <summary>For containers that close what they hold without waiting.</summary>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    public async ValueTask DisposeAsync()
    {
        // ADO.NET keeps connections of the grains' storage for reuse; they would hold the file.
        using (var state = new SqliteConnection(StateConnectionString)) SqliteConnection.ClearPool(state);
        foreach (var file in _files) await file.DisposeAsync();
        _folder.Dispose();
    }
}
