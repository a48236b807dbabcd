using DataHub.Feeds;
using DataHub.Storage.Sqlite;
using DataHub.Support;

namespace DataHub.Storage;

public sealed class SqliteErasureStoreTests : ErasureStoreConformance
{
    private readonly TemporaryFolder _folder = new();
    private SqliteStores _stores = null!;

    private protected override Task<(IErasureStore Erasures, ILogStore Log, IHistoryStore History)> CreateAsync()
    {
        _stores = SqliteStores.Open(new() { Folder = _folder.FullName }, TimeProvider.System);
        return Task.FromResult((_stores.Erasures, _stores.Log, _stores.History));
    }

    protected override async Task CloseAsync()
    {
        await _stores.DisposeAsync();
        _folder.Dispose();
    }
}
