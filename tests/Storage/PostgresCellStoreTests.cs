using DataHub.Indicators;
using DataHub.Storage.Postgres;
using DataHub.Support;

namespace DataHub.Storage;

[NeedsPostgres]
public sealed class PostgresCellStoreTests : CellStoreConformance
{
    private PostgresScratch _scratch = null!;

    private protected override async Task<ICellStore> CreateAsync()
    {
        _scratch = await PostgresScratch.CreateAsync();
        return new PostgresCellStore(_scratch.Open());
    }

    private protected override Task<ICellStore> CrashAsync() => Task.FromResult<ICellStore>(new PostgresCellStore(_scratch.Open()));

    protected override async Task<long> StoredCellsAsync() =>
        (await _scratch.Open().ReadAsync(new("SELECT count(*) FROM cell"), row => row.GetInt64(0), CancellationToken.None))[0];

    protected override async Task CloseAsync() => await _scratch.DisposeAsync();
}
