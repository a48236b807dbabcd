using DataHub.Storage.Sqlite;

namespace DataHub.Support;

/// <summary>The hub's real stores in a folder of a test's own, each with faults and delays before it.</summary>
internal sealed class TemporaryStores : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();

    private TemporaryStores()
    {
        Sqlite = SqliteStores.Open(new() { Folder = _folder.FullName }, TimeProvider.System);
        Log = new(Sqlite.Log);
        History = new(Sqlite.History);
        Cells = new(Sqlite.Cells);
    }

    public SqliteStores Sqlite { get; }

    public FaultyLogStore Log { get; }

    public FaultyHistoryStore History { get; }

    public FaultyCellStore Cells { get; }

    public static TemporaryStores Open() => new();

    public async ValueTask DisposeAsync()
    {
        await Sqlite.DisposeAsync();
        _folder.Dispose();
    }
}
