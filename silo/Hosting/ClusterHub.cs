using System.Diagnostics;

using DataHub.Catalog;
using DataHub.Demo;
using DataHub.Feeds;
using DataHub.Storage;
using DataHub.Storage.Postgres;

using Microsoft.Extensions.Configuration.Memory;

using Npgsql;

namespace DataHub.Hosting;

/// <summary>Puts a silo of a cluster together: stores in PostgreSQL, no folder, no public routes. Its addresses are for operators only: health, metrics, dashboard.</summary>
internal static class ClusterHub
{
    /// <summary>Whether the configuration asks for a cluster.</summary>
    public static bool IsAskedFor(IConfiguration configuration) => Postgres(configuration).ConnectionString.Length > 0;

    public static PostgresOptions Postgres(IConfiguration configuration) => configuration.GetSection(PostgresOptions.Section).Get<PostgresOptions>() ?? new();

    public static ClusterSettings Cluster(IConfiguration configuration) => configuration.GetSection(ClusterSettings.Section).Get<ClusterSettings>() ?? new();

    /// <exception cref="StartException">The settings or the database do not allow a start.</exception>
    public static WebApplication Build(WebApplicationBuilder builder, HubStart start)
    {
        if (start.Data is not null) throw NotHere("--data");
        if (start.Demo || builder.Configuration.GetSection(DemoOptions.Section).GetValue(nameof(DemoOptions.Enabled), false)) throw NotHere("--demo");
        // A cluster has more shards than one process unless somebody says how many; first in line, so that everything else goes before it.
        ((IConfigurationBuilder)builder.Configuration).Sources.Insert(0, new MemoryConfigurationSource
        {
            InitialData = [new($"{LogOptions.Section}:{nameof(LogOptions.Shards)}", $"{ClusterSettings.Shards}")],
        });
        var cluster = Cluster(builder.Configuration);
        _ = cluster.Address();
        if (cluster.AdminKeyFile.Length > 0) _ = AdminKeyAdoption.Read(cluster.AdminKeyFile);
        var tls = TlsCertificates.Open(builder.Configuration, silo: true, start.Time);
        var postgres = Postgres(builder.Configuration);
        var shards = builder.Configuration.GetSection(LogOptions.Section).GetValue(nameof(LogOptions.Shards), ClusterSettings.Shards);
        var stores = OpenAsync(postgres, shards, start).GetAwaiter().GetResult();
        try
        {
            return Build(builder, start, stores, cluster, tls);
        }
        catch
        {
            stores.Dispose();
            throw;
        }
    }

    private static WebApplication Build(WebApplicationBuilder builder, HubStart start, PostgresStores stores, ClusterSettings cluster, TlsCertificates? tls)
    {
        var host = builder.Configuration.GetSection(SiloHostSettings.Section).Get<SiloHostSettings>() ?? new();
        var dashboard = builder.Configuration.GetSection(DashboardSettings.Section).Get<DashboardSettings>() ?? new();

        builder.AddWebServer(start.Urls, host);
        builder.Services.AddSingleton(start.Time);
        builder.Services.AddSingleton(_ => new Ownership(stores));
        Hub.Settings.AddTo(builder.Services);
        builder.Host.UseOrleans(silo => silo.AddClusterSilo(stores, cluster, host, dashboard, tls));
        // Said here too, so that nobody looks for it in vain.
        if (builder.Configuration.GetValue<bool>($"{SignInSettings.Section}:{nameof(SignInSettings.Local)}")) _ = SignIn.Open(builder.Configuration, embedded: false, start.Urls);
        // Its own routes are for operators with keys; tokens and pages are the front-ends'.
        builder.Services.AddSingleton<KeyRing>().AddSingleton<PeopleRing>().AddSignIn();
        builder.Services.AddHostedService<AdminKeyAdoption>();
        builder.Services.AddHostedService<ErasureResumption>();
        builder.Services.AddHostedService<OutboxResumption>();
        builder.Services.AddHostedService<AgreementCatchUp>();
        builder.Services.AddPipelines();
        builder.Services.AddOperations<SiloIsActive>();
        start.Services?.Invoke(builder.Services);

        var silo = builder.Build();
        // What is made first is closed last: nothing writes any more when the connections are closed.
        _ = silo.Services.GetRequiredService<Ownership>();
        silo.UseApiKeys();
        silo.MapOperations();
        if (dashboard.Enabled) silo.MapDashboard();
        return silo;
    }

    /// <summary>
    /// Opens the stores. A database that does not answer yet, or whose migration is still to come, is waited for as long as
    /// <see cref="PostgresOptions.StartPatience"/> says: where everything starts at once, the database is seldom first.
    /// </summary>
    private static async Task<PostgresStores> OpenAsync(PostgresOptions postgres, int shards, HubStart start)
    {
        for (var begun = Stopwatch.GetTimestamp(); ; await Task.Delay(TimeSpan.FromSeconds(1)))
        {
            try
            {
                return await PostgresStores.OpenAsync(postgres, shards, start.Time, CancellationToken.None);
            }
            catch (SchemaException e) when (!e.MayPass || Stopwatch.GetElapsedTime(begun) > postgres.StartPatience)
            {
                throw new StartException(new(e.Message, e.Message), e);
            }
            catch (NpgsqlException e) when (Stopwatch.GetElapsedTime(begun) > postgres.StartPatience)
            {
                throw new StartException(new(
                    $"PostgreSQL antwortet nicht wie nötig ({e.Message}); die Verbindung steht in DataHub:Postgres:ConnectionString.",
                    $"PostgreSQL does not answer as needed ({e.Message}); the connection is in DataHub:Postgres:ConnectionString."), e);
            }
            catch (Exception e) when (e is SchemaException or NpgsqlException)
            {
                await Console.Error.WriteLineAsync($"Warte auf die Datenbank / waiting for the database: {e.Message}");
            }
            catch (ArgumentException e)
            {
                throw new StartException(new(
                    "Die Einstellung DataHub:Postgres:ConnectionString ist nicht lesbar; erlaubt ist etwa Host=db;Database=datahub;Username=silo;Password=….",
                    "The setting DataHub:Postgres:ConnectionString cannot be read; allowed is such as Host=db;Database=datahub;Username=silo;Password=…."), e);
            }
        }
    }

    private static StartException NotHere(string option) => new(new(
        $"{option} gibt es nur im eingebetteten Hub; mit DataHub:Postgres:ConnectionString läuft das Programm als Silo eines Clusters.",
        $"{option} is for an embedded hub only; with DataHub:Postgres:ConnectionString the program runs as a silo of a cluster."));

    /// <summary>Lets the container close what was opened before there was one.</summary>
    private sealed class Ownership(PostgresStores stores) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => stores.DisposeAsync();
    }
}
