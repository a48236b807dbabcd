using DataHub.Hosting;
using DataHub.Storage.Postgres;
using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

using Npgsql;

using Orleans.Storage;

namespace DataHub.Storage;

[NeedsPostgres]
public sealed class PostgresGrainStorageTests : GrainStorageConformance
{
    private PostgresScratch _scratch = null!;
    private IHost _host = null!;
    private PostgresStores _stores = null!;

    private protected override async Task<IGrainStorage> CreateAsync()
    {
        _scratch = await PostgresScratch.CreateAsync();
        _stores = await PostgresStores.OpenAsync(new() { ConnectionString = _scratch.ConnectionString }, 4, TimeProvider.System, CancellationToken.None);
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Error);
        builder.UseOrleans(silo => silo
            .UseLocalhostClustering(Ports.Free(), Ports.Free())
            .AddPostgresStorage(_stores));
        _host = builder.Build();
        await _host.StartAsync();
        return _host.Services.GetRequiredKeyedService<IGrainStorage>(SqliteStorageExtensions.StateProvider);
    }

    protected override async Task CloseAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
        await _stores.DisposeAsync();
        await _scratch.DisposeAsync();
    }

    [PostgresFact]
    public async Task Two_rows_of_one_grain_cannot_be()
    {
        await using var connection = new NpgsqlConnection(_scratch.ConnectionString);
        await connection.OpenAsync();
        await InsertAsync();
        Assert.Equal(PostgresErrorCodes.UniqueViolation, (await Assert.ThrowsAsync<PostgresException>(InsertAsync)).SqlState);

        async Task InsertAsync()
        {
            await using var insert = new NpgsqlCommand(
                "INSERT INTO orleans.grain_state (service_id, grain_type, grain_key, grain_n0, grain_n1, version, modified_at) VALUES ('s', 't', '', 0, 1, 1, now())", connection);
            await insert.ExecuteNonQueryAsync();
        }
    }
}
