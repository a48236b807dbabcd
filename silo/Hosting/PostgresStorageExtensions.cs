using DataHub.Feeds;
using DataHub.Storage;
using DataHub.Storage.Postgres;

namespace DataHub.Hosting;

/// <summary>Everything a silo of a cluster stores, in PostgreSQL.</summary>
internal static class PostgresStorageExtensions
{
    /// <summary>Registers stores that somebody else has opened and will close, and the storage of grains' state.</summary>
    public static ISiloBuilder AddPostgresStorage(this ISiloBuilder silo, PostgresStores stores)
    {
        // The container closes what it makes; these were made before it.
        silo.Services.AddSingleton(stores);
        silo.Services.AddSingleton(stores.Database);
        silo.Services.AddSingleton(stores.Log);
        silo.Services.AddSingleton(stores.History);
        silo.Services.AddSingleton(stores.Cells);
        silo.Services.AddSingleton(stores.Erasures);
        silo.Services.AddSingleton(stores.Audit);
        silo.Services.AddSingleton(stores.Content);
        return silo.AddPostgresState(stores.ProvidersConnectionString);
    }

    /// <summary>The storage of grains' state alone.</summary>
    public static ISiloBuilder AddPostgresState(this ISiloBuilder silo, string orleansConnection) =>
        silo.AddAdoNetGrainStorage(SqliteStorageExtensions.StateProvider, options =>
        {
            options.Invariant = "Npgsql";
            options.ConnectionString = orleansConnection;
            options.GrainStorageSerializer = new GrainStateSerializer();
        });

    /// <summary>Has this silo tell the others of what it appends, and hear of theirs. After <c>AddLogStreams</c>.</summary>
    public static ISiloBuilder AddPostgresWakeUps(this ISiloBuilder silo)
    {
        silo.Services.AddSingleton<PostgresWakeUps>();
        silo.Services.AddSingleton<ILogNotifier>(services => services.GetRequiredService<PostgresWakeUps>());
        silo.Services.AddHostedService(services => services.GetRequiredService<PostgresWakeUps>());
        return silo;
    }
}
