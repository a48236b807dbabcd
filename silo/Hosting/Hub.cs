using System.Globalization;
using System.Net;
using System.Net.Sockets;

using DataHub.Catalog;
using DataHub.Demo;
using DataHub.Feeds;
using DataHub.Storage;
using DataHub.Storage.Sqlite;

using Microsoft.AspNetCore.Connections;
using Microsoft.Data.Sqlite;

namespace DataHub.Hosting;

/// <summary>Puts a whole hub together in one process: silo, stores, streams, front-end. The same for the program and for tests.</summary>
internal static class Hub
{
    /// <summary>A hub ready to start. Disposing it frees the folder.</summary>
    /// <exception cref="StartException">The settings or the folder do not allow a start.</exception>
    public static WebApplication Build(HubStart start)
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

        if (Settings.Check(builder.Configuration) is { Count: > 0 } faults) throw new StartException(Join(faults));
        CheckUrls(start.Urls);

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
        var host = builder.Configuration.GetSection(HostSettings.Section).Get<HostSettings>() ?? new();
        var dashboard = builder.Configuration.GetSection(DashboardSettings.Section).Get<DashboardSettings>() ?? new();

        builder.Logging.AddHubLogging();
        builder.WebHost.UseStaticWebAssets();
        builder.WebHost.UseUrls(start.Urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = host.MaxConnections;
            // Every endpoint bounds its own body; this is the net under all of them.
            kestrel.Limits.MaxRequestBodySize = 2_000_000_001;
        });
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = host.StopTimeout);

        builder.Services.AddSingleton(start.Time);
        builder.Services.AddSingleton(start);
        builder.Services.AddSingleton(folder);
        builder.Services.AddSingleton(_ => new Ownership(stores));
        builder.Services.AddSettings();
        builder.Services.PostConfigure<IngestOptions>(ingest =>
        {
            if (ingest.SpoolFolder.Length == 0) ingest.SpoolFolder = Path.Combine(folder.Path, "spool");
        });
        builder.Host.UseOrleans(silo => silo.AddEmbeddedSilo(stores, host, dashboard));
        builder.Services.AddFrontEnd();
        builder.Services.AddSingleton<AdminKey>();
        builder.Services.AddHostedService<FirstStart>();
        builder.Services.AddHostedService<ErasureResumption>();
        builder.Services.AddSingleton<Health>();
        builder.Services.AddHostedService(services => services.GetRequiredService<Health>());
        builder.Services.AddSingleton<Metrics>();
        builder.Services.AddHostedService(services => services.GetRequiredService<Metrics>());
        builder.Services.AddDemo();
        start.Services?.Invoke(builder.Services);

        var hub = builder.Build();
        // What is made first is closed last: nothing writes any more when the files are closed.
        _ = hub.Services.GetRequiredService<Ownership>();
        hub.UseFrontEnd();
        hub.MapFrontEnd();
        Health.Map(hub);
        Metrics.Map(hub);
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

    private static void CheckUrls(string urls)
    {
        foreach (var url in urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            try
            {
                var address = BindingAddress.Parse(url);
                if (address is { Scheme: "http", PathBase: "", IsUnixPipe: false, Port: >= 0 and <= 65_535, Host.Length: > 0 })
                {
                    CheckFree(url, address);
                    continue;
                }
            }
            catch (FormatException)
            {
                // Told below, with what is allowed.
            }

            throw BadUrl(url);
        }

        if (string.IsNullOrWhiteSpace(urls)) throw BadUrl(urls);

        static StartException BadUrl(string url) => new(new(
            $"--urls hat den Wert „{url}“; erlaubt ist http://ADRESSE:PORT mit einem Port von 0 bis 65535, etwa {HubStart.DefaultUrl}, mehrere durch Semikolon getrennt.",
            $"--urls has the value “{url}”; allowed is http://ADDRESS:PORT with a port from 0 to 65535, such as {HubStart.DefaultUrl}, several separated by semicolons."));
    }

    /// <summary>Listens for a moment, so that a port that is taken is told before anything has started.</summary>
    private static void CheckFree(string url, BindingAddress address)
    {
        if (address.Port == 0) return;
        var ip = IPAddress.TryParse(address.Host, out var given) ? given : address.Host == "localhost" ? IPAddress.Loopback : IPAddress.Any;
        try
        {
            // As the server does; otherwise connections of an earlier run that are still closing would count as a listener.
            using var probe = new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            probe.Bind(new IPEndPoint(ip, address.Port));
            probe.Listen();
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new StartException(new(
                $"Die Adresse {url} ist schon belegt. Das andere Programm beenden oder mit --urls eine andere angeben, etwa --urls http://127.0.0.1:8081.",
                $"The address {url} is in use already. Stop the other program or name another with --urls, such as --urls http://127.0.0.1:8081."), e);
        }
        catch (SocketException e)
        {
            throw new StartException(new(
                $"Auf {url} kann dieser Rechner nicht hören ({e.Message}). Mit --urls eine seiner eigenen Adressen und einen Port ab 1024 angeben.",
                $"This machine cannot listen on {url} ({e.Message}). Name one of its own addresses and a port from 1024 with --urls."), e);
        }
    }

    private static LocalText Join(IReadOnlyList<LocalText> faults) =>
        new(string.Join(" ", faults.Select(fault => fault.De)), string.Join(" ", faults.Select(fault => fault.In(Language.English))));

    /// <summary>Lets the container close what was opened before there was one.</summary>
    private sealed class Ownership(SqliteStores stores) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => stores.DisposeAsync();
    }
}
