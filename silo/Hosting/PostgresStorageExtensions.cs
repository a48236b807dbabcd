using DataHub.Feeds;
using DataHub.Indicators;
using DataHub.Storage;
using DataHub.Storage.Postgres;

namespace DataHub.Hosting;

/// <summary>Everything the hub stores, in PostgreSQL.</summary>
internal static class PostgresStorageExtensions
{
    /// <summary>Registers the stores over a database that somebody else has opened and will close, and the storage of grains' state.</summary>
    /// <param name="orleansConnection">Connection string of Orleans' own provider.</param>
    public static ISiloBuilder AddPostgresStorage(this ISiloBuilder silo, PostgresDatabase database, string orleansConnection)
    {
        silo.Services.AddSingleton(database);
        silo.Services.AddSingleton<ILogStore, PostgresLogStore>();
        silo.Services.AddSingleton<ICellStore, PostgresCellStore>();
        return silo.AddPostgresState(orleansConnection);
    }

    /// <summary>The storage of grains' state alone.</summary>
    public static ISiloBuilder AddPostgresState(this ISiloBuilder silo, string orleansConnection) =>
        silo.AddAdoNetGrainStorage(SqliteStorageExtensions.StateProvider, options =>
        {
            options.Invariant = "Npgsql";
            options.ConnectionString = orleansConnection;
            options.GrainStorageSerializer = new GrainStateSerializer();
        });
}
