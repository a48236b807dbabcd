using DataHub.Hosting;
using DataHub.Storage.Sqlite;
using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

using Orleans.Storage;

namespace DataHub.Storage;

public sealed class SqliteGrainStorageTests : GrainStorageConformance
{
    private readonly TemporaryFolder _folder = new();
    private IHost _host = null!;

    private protected override async Task<IGrainStorage> CreateAsync()
    {
        _host = SqliteHost.Build(_folder.FullName);
        await _host.StartAsync();
        return _host.Services.GetRequiredKeyedService<IGrainStorage>(SqliteStorageExtensions.StateProvider);
    }

    protected override async Task CloseAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
        Assert.False(File.Exists(Path.Combine(_folder.FullName, "state.db-wal")));
        _folder.Dispose();
    }
}
