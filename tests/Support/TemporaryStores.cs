using DataHub.Feeds;
using DataHub.Indicators;
using DataHub.Storage.Postgres;
using DataHub.Storage.Sqlite;

namespace DataHub.Support;

/// <summary>The hub's real stores in a folder, or a database, of a test's own, each with faults and delays before it.</summary>
internal sealed class TemporaryStores : IAsyncDisposable
{
    private readonly TemporaryFolder? _folder;
    private readonly PostgresScratch? _database;

    private TemporaryStores(SqliteStores sqlite, TemporaryFolder folder)
        : this(sqlite.Log, sqlite.History, sqlite.Cells) => (Sqlite, _folder) = (sqlite, folder);

    private TemporaryStores(PostgresStores postgres, PostgresScratch database)
        : this(postgres.Log, postgres.History, postgres.Cells) => (Postgres, _database) = (postgres, database);

    private TemporaryStores(ILogStore log, IHistoryStore history, ICellStore cells)
    {
        (RealLog, RealHistory, RealCells) = (log, history, cells);
        (Log, History, Cells) = (new(log), new(history), new(cells));
    }

    public SqliteStores? Sqlite { get; }

    public PostgresStores? Postgres { get; }

    public FaultyLogStore Log { get; }

    public FaultyHistoryStore History { get; }

    public FaultyCellStore Cells { get; }

    /// <summary>Without faults before it, for looking behind everybody's back.</summary>
    public ILogStore RealLog { get; }

    public IHistoryStore RealHistory { get; }

    public ICellStore RealCells { get; }

    public static TemporaryStores Open()
    {
        var folder = new TemporaryFolder();
        return new(SqliteStores.Open(new() { Folder = folder.FullName }, TimeProvider.System), folder);
    }

    public static async Task<TemporaryStores> OpenPostgresAsync()
    {
        var database = await PostgresScratch.CreateAsync();
        return new(await PostgresStores.OpenAsync(new() { ConnectionString = database.ConnectionString, MaxConnections = 12 }, shards: 4, TimeProvider.System, CancellationToken.None), database);
    }

    public async ValueTask DisposeAsync()
    {
        if (Sqlite is not null) await Sqlite.DisposeAsync();
        if (Postgres is not null) await Postgres.DisposeAsync();
        _folder?.Dispose();
        if (_database is not null) await _database.DisposeAsync();
    }
}
