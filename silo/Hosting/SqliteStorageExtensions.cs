using DataHub.Feeds;
using DataHub.Storage;
using DataHub.Storage.Sqlite;

using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

using Orleans.Configuration;

namespace DataHub.Hosting;

/// <summary>Everything the hub stores, in SQLite files of one folder.</summary>
public static class SqliteStorageExtensions
{
    /// <summary>Name of the grains' storage in <c>[PersistentState("…", "state")]</c>.</summary>
    public const string StateProvider = "state";

    /// <summary>
    /// Registers the log, history and cell stores and the storage of grains' state. The files are opened at start and
    /// closed with the host's services; settings out of their range and a folder in use end the start with the reason.
    /// </summary>
    public static ISiloBuilder AddSqliteStorage(this ISiloBuilder builder, Action<SqliteStorageOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddOptions<SqliteStorageOptions>().Configure(configure).ValidateOnStart();
        builder.Services.TryAddSingleton<IValidateOptions<SqliteStorageOptions>, Validation>();
        builder.Services.AddSingleton(services => SqliteStores.Open(
            services.GetRequiredService<IOptions<SqliteStorageOptions>>().Value, services.GetService<TimeProvider>() ?? TimeProvider.System));
        return builder.AddStores();
    }

    /// <summary>The same over files that somebody else has opened and will close: several silos of a test share them.</summary>
    internal static ISiloBuilder AddSqliteStorage(this ISiloBuilder builder, SqliteStores stores)
    {
        builder.Services.AddSingleton(stores);
        return builder.AddStores();
    }

    private static ISiloBuilder AddStores(this ISiloBuilder builder)
    {
        builder.Services.AddSingleton(services => services.GetRequiredService<SqliteStores>().Log);
        builder.Services.AddSingleton(services => services.GetRequiredService<SqliteStores>().History);
        builder.Services.AddSingleton(services => services.GetRequiredService<SqliteStores>().Cells);
        builder.Services.AddSingleton(services => services.GetRequiredService<SqliteStores>().Audit);
        builder.Services.AddSingleton(services => services.GetRequiredService<SqliteStores>().Content);
        builder.Services.AddSingleton(services =>
        {
            var stores = services.GetRequiredService<SqliteStores>();
            stores.CompactUpToBytes = (long)services.GetRequiredService<IOptions<ErasureOptions>>().Value.CompactUpToMiB << 20;
            return stores.Erasures;
        });
        return builder.AddAdoNetGrainStorage(StateProvider, options => options.Configure<SqliteStores>((storage, stores) =>
        {
            // The historic name; it loads Microsoft.Data.Sqlite.
            storage.Invariant = "System.Data.SQLite";
            storage.ConnectionString = stores.StateConnectionString;
            storage.GrainStorageSerializer = new GrainStateSerializer();
        }));
    }

    private sealed class Validation : IValidateOptions<SqliteStorageOptions>
    {
        public ValidateOptionsResult Validate(string? name, SqliteStorageOptions options) =>
            options.Problems() is { Count: > 0 } problems ? ValidateOptionsResult.Fail(problems) : ValidateOptionsResult.Success;
    }
}
