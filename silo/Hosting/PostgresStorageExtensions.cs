using DataHub.Feeds;
using DataHub.Storage;
using DataHub.Storage.Postgres;

using Orleans.Configuration;

namespace DataHub.Hosting;

/// <summary>Everything a silo of a cluster stores, in PostgreSQL.</summary>
internal static class PostgresStorageExtensions
{
    /// <summary>
    /// Registers the stores, the storage of grains' state, and the wake-ups between silos. The stores are closed with the
    /// host's services.
    /// </summary>
    public static ISiloBuilder AddPostgresStorage(this ISiloBuilder builder, PostgresStores stores)
    {
        builder.Services.AddSingleton(_ => stores);
        builder.Services.AddSingleton(services => services.GetRequiredService<PostgresStores>().Log);
        builder.Services.AddSingleton(services => services.GetRequiredService<PostgresStores>().History);
        builder.Services.AddSingleton(services => services.GetRequiredService<PostgresStores>().Cells);
        builder.Services.AddSingleton(services => services.GetRequiredService<PostgresStores>().Erasures);
        return builder.AddAdoNetGrainStorage(SqliteStorageExtensions.StateProvider, options => options.Configure<PostgresStores>((storage, postgres) =>
        {
            storage.Invariant = "Npgsql";
            storage.ConnectionString = postgres.ProvidersConnectionString;
            storage.GrainStorageSerializer = new GrainStateSerializer();
        }));
    }

    /// <summary>Has this silo tell the others of what it appends, and hear of theirs. After <c>AddLogStreams</c>.</summary>
    public static ISiloBuilder AddPostgresWakeUps(this ISiloBuilder builder)
    {
        builder.Services.AddSingleton(services => new PostgresWakeUps(
            services.GetRequiredService<PostgresStores>().Database, services.GetRequiredService<LogTails>(), services.GetRequiredService<ILogger<PostgresWakeUps>>()));
        builder.Services.AddSingleton<ILogNotifier>(services => services.GetRequiredService<PostgresWakeUps>());
        builder.Services.AddHostedService(services => services.GetRequiredService<PostgresWakeUps>());
        return builder;
    }
}
