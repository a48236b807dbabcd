using DataHub.Feeds;
using DataHub.Indicators;
using DataHub.Storage.Sqlite;

namespace DataHub.Support;

internal sealed class TemporaryStores : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly SqliteStores _stores;

    private TemporaryStores()
    {
        _stores = SqliteStores.Open(new() { Folder = _folder.FullName }, TimeProvider.System);
    }

    public ILogStore Log => _stores.Log;
    public IHistoryStore History => _stores.History;
    public ICellStore Cells => _stores.Cells;
    public static TemporaryStores Open() => new();
    public async ValueTask DisposeAsync() { await _stores.DisposeAsync(); _folder.Dispose(); }
}
