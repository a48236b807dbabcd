using DataHub.Feeds;
using DataHub.Storage.Sqlite;
using DataHub.Support;

namespace DataHub.Storage;

public sealed class SqliteLogStoreTests : LogStoreConformance
{
    private readonly SqliteFolder _folder = new();

    private protected override Task<ILogStore> CreateAsync(TimeProvider time) => Task.FromResult<ILogStore>(new SqliteLogStore(_folder.Open("log.db", "Log"), time));

    private protected override Task<ILogStore> CrashAsync(TimeProvider time) => Task.FromResult<ILogStore>(new SqliteLogStore(_folder.Crash("log.db", "Log"), time));

    protected override async Task CloseAsync() => await _folder.DisposeAsync();
}
