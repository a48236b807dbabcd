using DataHub.Feeds;
using DataHub.Hosting;
using DataHub.Storage;
using DataHub.Storage.Postgres;

using Npgsql;

using Orleans.Runtime;

namespace DataHub.Operator;

/// <summary>What every operator's command begins with: the settings, and one connection to the cluster's database.</summary>
internal sealed class OperatorSession : IAsyncDisposable
{
    /// <summary>A silo that has not written its sign of life for so long does not run; it is due every five seconds.</summary>
    public static readonly TimeSpan SilentAfter = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private readonly IConfiguration _configuration;

    private OperatorSession(IConfiguration configuration, NpgsqlConnection connection)
    {
        (_configuration, Connection) = (configuration, connection);
        Database = new(connection);
    }

    public NpgsqlConnection Connection { get; }

    public PostgresInspection Database { get; }

    public ClusterSettings Cluster => ClusterHub.Cluster(_configuration);

    /// <summary>What one silo with these settings may hold.</summary>
    public int SiloConnections => ClusterHub.Postgres(_configuration).MaxConnections;

    /// <summary>For pools of a command's own, which hold less than a silo's.</summary>
    public PostgresOptions Postgres
    {
        get
        {
            var options = ClusterHub.Postgres(_configuration);
            options.MaxConnections = 8;
            return options;
        }
    }

    /// <exception cref="StartException">There is no cluster in the settings, or its database does not answer.</exception>
    public static async Task<OperatorSession> OpenAsync(CancellationToken cancellationToken)
    {
        var configuration = Hub.Configure(new HubStart { Urls = "http://127.0.0.1:0" }).Configuration;
        if (!ClusterHub.IsAskedFor(configuration))
        {
            throw new StartException(new(
                "Diesen Befehl gibt es nur im Cluster: DataHub:Postgres:ConnectionString (Umgebungsvariable DATAHUB__POSTGRES__CONNECTIONSTRING) nennt dessen Datenbank.",
                "This command is for a cluster: DataHub:Postgres:ConnectionString (environment variable DATAHUB__POSTGRES__CONNECTIONSTRING) names its database."));
        }

        try
        {
            var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(PostgresDatabase.ConnectionString(ClusterHub.Postgres(configuration), 1))
            {
                ApplicationName = "datahub command",
                Pooling = false,
                MaxAutoPrepare = 0,
            }.ConnectionString);
            try
            {
                await connection.OpenAsync(cancellationToken);
            }
            catch
            {
                await connection.DisposeAsync();
                throw;
            }

            return new(configuration, connection);
        }
        catch (NpgsqlException e)
        {
            throw new StartException(new(
                $"PostgreSQL ist nicht erreichbar: {e.Message} Läuft der Server, und stimmt DataHub:Postgres:ConnectionString?",
                $"PostgreSQL cannot be reached: {e.Message} Does the server run, and is DataHub:Postgres:ConnectionString right?"), e);
        }
        catch (ArgumentException e)
        {
            throw new StartException(new(
                "Die Einstellung DataHub:Postgres:ConnectionString ist nicht lesbar.",
                "The setting DataHub:Postgres:ConnectionString cannot be read."), e);
        }
    }

    /// <summary>For commands that cannot do without this program's schema.</summary>
    /// <exception cref="StartException">The database has another.</exception>
    public async Task RequireSchemaAsync(CancellationToken cancellationToken)
    {
        try
        {
            await PostgresMigrations.RequireCurrentAsync(Connection, cancellationToken);
        }
        catch (SchemaException e)
        {
            throw new StartException(new(e.Message, e.Message), e);
        }
    }

    /// <summary>Silos that stand in membership as active and give signs of life.</summary>
    public async Task<IReadOnlyList<SiloFacts>> ActiveAsync(CancellationToken cancellationToken)
    {
        var now = await Database.ClockAsync(cancellationToken);
        return [.. (await Database.SilosAsync(Cluster.ClusterId, cancellationToken)).Where(silo => silo.Status == SiloStatus.Active && now - silo.Alive < SilentAfter)];
    }

    /// <summary>A client of the running cluster; to be stopped and disposed.</summary>
    /// <exception cref="StartException">No silo answers.</exception>
    public Task<IHost> ConnectAsync() => ConnectAsync(_configuration, Postgres);

    /// <inheritdoc cref="ConnectAsync()"/>
    public static async Task<IHost> ConnectAsync(IConfiguration configuration, PostgresOptions postgres)
    {
        var tls = TlsCertificates.Open(configuration, silo: false, TimeProvider.System);
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.UseOrleansClient(client => client.UseCluster(postgres, ClusterHub.Cluster(configuration), tls));
        var host = builder.Build();
        using var patience = new CancellationTokenSource(s_patience);
        try
        {
            await host.StartAsync(patience.Token);
            return host;
        }
        catch (Exception e)
        {
            host.Dispose();
            if (e is not (OrleansException or OperationCanceledException or System.Data.Common.DbException)) throw;
            throw new StartException(new(
                $"Kein Silo des Clusters antwortet ({e.Message}). Mindestens eines muss laufen.",
                $"No silo of the cluster answers ({e.Message}). At least one must be running."), e);
        }
    }

    /// <summary>Where each shard belongs among these silos, by its number; nowhere without a silo.</summary>
    public static string?[] Homes(int shards, IReadOnlyCollection<SiloFacts> active)
    {
        var home = new Streams.ShardHome(Microsoft.Extensions.Options.Options.Create(new LogOptions { Shards = Math.Max(1, shards) }));
        var names = active.GroupBy(silo => silo.Endpoint).ToDictionary(group => group.Key, group => group.MaxBy(silo => silo.Generation)!.Name);
        return [.. Enumerable.Range(0, shards).Select(shard => home.Of(shard, active.Select(silo => silo.SiloAddress)) is { } address ? names.GetValueOrDefault(address.Endpoint.ToString()) : null)];
    }

    public ValueTask DisposeAsync() => Connection.DisposeAsync();
}
