using DataHub.Indicators;
using DataHub.Storage.Sqlite;
using DataHub.Support;

namespace DataHub.Storage;

public sealed class SqliteCellStoreTests : CellStoreConformance
{
    private readonly SqliteFolder _folder = new();

    private protected override Task<ICellStore> CreateAsync() => Task.FromResult<ICellStore>(new SqliteCellStore(_folder.Open("cells.db", "Cells")));

    private protected override Task<ICellStore> CrashAsync() => Task.FromResult<ICellStore>(new SqliteCellStore(_folder.Crash("cells.db", "Cells")));

    protected override Task<long> StoredCellsAsync() =>
        ((SqliteCellStore)Cells).File.LookUpAsync(session => session.Number("SELECT count(*) FROM cell") ?? 0, default);

    protected override async Task CloseAsync() => await _folder.DisposeAsync();
}
