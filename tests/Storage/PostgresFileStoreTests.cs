using DataHub.Pipelines;
using DataHub.Storage.Postgres;
using DataHub.Support;

namespace DataHub.Storage;

[NeedsPostgres]
public sealed class PostgresFileStoreTests : FileStoreConformance
{
    private PostgresScratch _scratch = null!;

    private protected override async Task<IFileStore> CreateAsync()
    {
        _scratch = await PostgresScratch.CreateAsync();
        return new PostgresFileStore(_scratch.Open());
    }

    protected override async Task CloseAsync() => await _scratch.DisposeAsync();
}
