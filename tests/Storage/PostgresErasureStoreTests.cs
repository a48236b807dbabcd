using DataHub.Feeds;
using DataHub.Storage.Postgres;
using DataHub.Support;

namespace DataHub.Storage;

[NeedsPostgres]
public sealed class PostgresErasureStoreTests : ErasureStoreConformance
{
    private PostgresScratch _scratch = null!;

    private protected override async Task<(IErasureStore Erasures, ILogStore Log, IHistoryStore History)> CreateAsync()
    {
        _scratch = await PostgresScratch.CreateAsync();
        var database = _scratch.Open();
        var history = new PostgresHistoryStore(database);
        return (new PostgresErasureStore(database, history), new PostgresLogStore(database), history);
    }

    protected override async Task CloseAsync() => await _scratch.DisposeAsync();
}
