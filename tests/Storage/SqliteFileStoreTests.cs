using DataHub.Pipelines;
using DataHub.Storage.Sqlite;
using DataHub.Support;

namespace DataHub.Storage;

public sealed class SqliteFileStoreTests : FileStoreConformance
{
    private readonly SqliteFolder _folder = new();

    private protected override Task<IFileStore> CreateAsync() => Task.FromResult<IFileStore>(new SqliteFileStore(_folder.Open(SqliteFileStore.FileName, SqliteFileStore.Family)));

    protected override async Task CloseAsync() => await _folder.DisposeAsync();
}
