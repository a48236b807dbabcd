using DataHub.Feeds;
using DataHub.Storage.Postgres;
using DataHub.Support;

namespace DataHub.Storage;

[NeedsPostgres]
public sealed class PostgresHistoryStoreTests : HistoryStoreConformance
{
    private PostgresScratch _scratch = null!;

    private protected override async Task<IHistoryStore> CreateAsync()
    {
        _scratch = await PostgresScratch.CreateAsync();
        return new PostgresHistoryStore(_scratch.Open(), segmentRows: 3);
    }

    private protected override Task<IHistoryStore> CrashAsync() => Task.FromResult<IHistoryStore>(new PostgresHistoryStore(_scratch.Open(), segmentRows: 3));

    protected override async Task CloseAsync() => await _scratch.DisposeAsync();
}
