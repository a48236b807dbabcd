using DataHub.Feeds;
using DataHub.Storage.Postgres;
using DataHub.Support;

namespace DataHub.Storage;

[NeedsPostgres]
public sealed class PostgresLogStoreTests : LogStoreConformance
{
    private PostgresScratch _scratch = null!;

    private protected override async Task<ILogStore> CreateAsync(TimeProvider time)
    {
        _scratch = await PostgresScratch.CreateAsync();
        return new PostgresLogStore(_scratch.Open(), time);
    }

    private protected override Task<ILogStore> CrashAsync(TimeProvider time) => Task.FromResult<ILogStore>(new PostgresLogStore(_scratch.Open(), time));

    protected override async Task CloseAsync() => await _scratch.DisposeAsync();
}
