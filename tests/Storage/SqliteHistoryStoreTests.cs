using DataHub.Feeds;
using DataHub.Storage.Sqlite;
using DataHub.Support;

namespace DataHub.Storage;

public sealed class SqliteHistoryStoreTests : HistoryStoreConformance
{
    private readonly SqliteFolder _folder = new();

    private protected override Task<IHistoryStore> CreateAsync() => Task.FromResult<IHistoryStore>(new SqliteHistoryStore(_folder.Open("history.db", "History"), segmentRows: 3));

    private protected override Task<IHistoryStore> CrashAsync() => Task.FromResult<IHistoryStore>(new SqliteHistoryStore(_folder.Crash("history.db", "History"), segmentRows: 3));

    protected override async Task CloseAsync() => await _folder.DisposeAsync();
}
