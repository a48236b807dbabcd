using System.Globalization;

using DataHub.Catalog;
using DataHub.Demo;
using DataHub.Feeds;
using DataHub.Storage;
using DataHub.Storage.Sqlite;

using Microsoft.Data.Sqlite;

namespace DataHub.Hosting;

/// <summary>Puts a whole hub together in one process: silo, stores, streams, front-end; with a connection to PostgreSQL, a silo of a cluster (<see cref="ClusterHub"/>). The same for the program and for tests.</summary>
internal static class Hub
{
    /// <summary>Everything that can be set: those of the front-end too, which an embedded hub has in it.</summary>
    public static Settings Settings { get; } = new(typeof(CatalogOptions).Assembly, typeof(RequestOptions).Assembly, typeof(Hub).Assembly);

    /// <summary>A hub, or a silo of a cluster, ready to start. Disposing it frees the folder or the connections.</summary>
    /// <exception cref="StartException">The settings, the folder or the database do not allow a start.</exception>
    public static WebApplication Build(HubStart start)
    {
        var builder = Configure(start);
        ListenAddresses.Check(start.Urls);
        return ClusterHub.IsAskedFor(builder.Configuration) ? ClusterHub.Build(builder, start) : BuildEmbedded(builder, start);
    }

    /// <summary>The settings, checked.</summary>
    /// <exception cref="StartException">There is one that does not exist or has no allowed value.</exception>
    public static WebApplicationBuilder Configure(HubStart start)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            ApplicationName = typeof(Hub).Assembly.GetName().Name,
            ContentRootPath = AppContext.BaseDirectory,
        });
        builder.Configuration.AddInMemoryCollection(start.Settings);
        if (start.Data is not null) builder.Configuration.AddInMemoryCollection([new($"{SqliteStorageOptions.Section}:{nameof(SqliteStorageOptions.Folder)}", start.Data)]);
        if (start.Demo)
        {
            builder.Configuration.AddInMemoryCollection(
            [
                new($"{DemoOptions.Section}:{nameof(DemoOptions.Enabled)}", "true"),
                new($"{DemoOptions.Section}:{nameof(DemoOptions.Rate)}", start.DemoRate.ToString(CultureInfo.InvariantCulture)),
            ]);
        }

        Settings.Require(builder.Configuration);
        return builder;
    }

    private static WebApplication BuildEmbedded(WebApplicationBuilder builder, HubStart start)
    {
        var storage = builder.Configuration.GetSection(SqliteStorageOptions.Section).Get<SqliteStorageOptions>() ?? new();
        var folder = DataFolder.Open(storage.Folder);
        folder.Fix(builder.Configuration.GetSection(LogOptions.Section).GetValue(nameof(LogOptions.Shards), new LogOptions().Shards));
        storage.Folder = folder.Path;
        var stores = OpenStores(storage, start.Time);
        try
        {
            return Build(builder, start, folder, stores);
        }
        catch
        {
            stores.DisposeAsync().AsTask().GetAwaiter().GetResult();
            throw;
        }
    }

    private static WebApplication Build(WebApplicationBuilder builder, HubStart start, DataFolder folder, SqliteStores stores)
    {
        var host = builder.Configuration.GetSection(SiloHostSettings.Section).Get<SiloHostSettings>() ?? new();
        var dashboard = builder.Configuration.GetSection(DashboardSettings.Section).Get<DashboardSettings>() ?? new();

        builder.AddWebServer(start.Urls, host);
        builder.Services.AddSingleton(start.Time);
        builder.Services.AddSingleton(start);
        builder.Services.AddSingleton(folder);
        builder.Services.AddSingleton(_ => new Ownership(stores));
        Settings.AddTo(builder.Services);
        builder.Services.PostConfigure<IngestOptions>(ingest =>
        {
            if (ingest.SpoolFolder.Length == 0) ingest.SpoolFolder = Path.Combine(folder.Path, "spool");
        });
        builder.Host.UseOrleans(silo => silo.AddEmbeddedSilo(stores, host, dashboard));
        builder.Services.AddFrontEnd();
        builder.Services.UseSignIn(builder.Configuration, folder.Path, start.Urls);
        builder.Services.AddSingleton<AdminKey>();
        builder.Services.AddHostedService<FirstStart>();
        builder.Services.AddHostedService<ErasureResumption>();
        builder.Services.AddHostedService<OutboxResumption>();
        builder.Services.AddHostedService<AgreementCatchUp>();
        builder.Services.AddPipelines();
        builder.Services.AddOperations<GrainsAnswer>();
        builder.Services.AddDemo(builder.Configuration);
        start.Services?.Invoke(builder.Services);

        var hub = builder.Build();
        // What is made first is closed last: nothing writes any more when the files are closed.
        _ = hub.Services.GetRequiredService<Ownership>();
        hub.UseFrontEnd();
        hub.MapFrontEnd();
        hub.MapOperations();
        if (dashboard.Enabled) hub.MapDashboard();
        return hub;
    }

    private static SqliteStores OpenStores(SqliteStorageOptions options, TimeProvider time)
    {
        try
        {
            return SqliteStores.Open(options, time);
        }
        catch (Exception e) when (e is FolderInUseException)
        {
            throw new StartException(new(
                $"Der Ordner {options.Folder} wird schon von einem laufenden Hub benutzt. Diesen beenden oder mit --data einen anderen Ordner angeben.",
                $"The folder {options.Folder} is in use by a running hub already. Stop that one or name another folder with --data."), e);
        }
        catch (Exception e) when (e is SchemaException or SqliteException)
        {
            throw new StartException(new(
                $"Die Datenbanken in {options.Folder} lassen sich nicht öffnen: {e.Message}",
                $"The databases in {options.Folder} cannot be opened: {e.Message}"), e);
        }
    }

    /// <summary>Lets the container close what was opened before there was one.</summary>
    private sealed class Ownership(SqliteStores stores) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => stores.DisposeAsync();
    }
}
