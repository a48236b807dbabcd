using DataHub.Storage.Postgres;

using Orleans.Configuration;
using Orleans.Dashboard;
using Orleans.Runtime;
using Orleans.Serialization;

namespace DataHub.Hosting;

/// <summary>One silo of a cluster on PostgreSQL.</summary>
internal static class ClusterSilo
{
    /// <summary>What Orleans' own providers know Npgsql by.</summary>
    private const string Invariant = "Npgsql";

    public static void AddClusterSilo(this ISiloBuilder silo, PostgresStores stores, ClusterSettings cluster, SiloHostSettings host, DashboardSettings dashboard, TlsCertificates? tls)
    {
        var address = cluster.Address();
        silo.Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (cluster.ClusterId, cluster.ServiceId));
        silo.Configure<EndpointOptions>(options =>
        {
            options.AdvertisedIPAddress = address;
            (options.SiloPort, options.GatewayPort) = (cluster.SiloPort, cluster.GatewayPort);
        });
        if (Environment.GetEnvironmentVariable("POD_NAME") is { Length: > 0 } pod) silo.Configure<SiloOptions>(options => options.SiloName = pod);
        silo.UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = (Invariant, stores.ProvidersConnectionString));
        silo.Configure<ClusterMembershipOptions>(options =>
        {
            // A silo that was killed is declared dead within about two seconds, one that is frozen too; and after all were
            // killed at once a new one waits for half a minute at most.
            options.ProbeTimeout = TimeSpan.FromSeconds(1);
            options.NumMissedProbesLimit = 2;
            options.TableRefreshTimeout = TimeSpan.FromSeconds(10);
            options.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(5);
            options.DefunctSiloExpiration = TimeSpan.FromDays(1);
        });
        silo.Configure<SiloMessagingOptions>(options =>
        {
            options.MaxEnqueuedRequestsSoftLimit = host.MaxWaitingCalls * 3 / 4;
            options.MaxEnqueuedRequestsHardLimit = host.MaxWaitingCalls;
        });
        silo.Configure<LoadSheddingOptions>(options =>
        {
            options.LoadSheddingEnabled = cluster.ShedAtCpu < 100;
            options.CpuThreshold = cluster.ShedAtCpu;
        });
        silo.Configure<GrainCollectionOptions>(options => options.EnableActivationSheddingOnMemoryPressure = true);
        // What the database's driver throws can travel, inside of Orleans' own exceptions too: a type without a codec would put
        // an error of the serializer in its place.
        silo.Services.Configure<ExceptionSerializationOptions>(options => options.SupportedNamespacePrefixes.Add(nameof(Npgsql)));
        silo.AddMutualTls(tls);
        silo.AddPostgresStorage(stores);
        silo.AddLogStreams();
        silo.AddPostgresWakeUps();
        silo.Services.AddHostedService<Streams.ShardMoves>();
        silo.Services.AddHostedService(services => ActivatorUtilities.CreateInstance<PostgresDescriptions>(services, cluster));
        if (dashboard.Enabled) silo.AddDashboard(options => options.HideTrace = true);
    }

    /// <summary>A client of the running cluster, for commands: it has the database's credentials and finds the silos there.</summary>
    public static void UseCluster(this IClientBuilder client, PostgresOptions postgres, ClusterSettings cluster, TlsCertificates? tls = null)
    {
        client.Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (cluster.ClusterId, cluster.ServiceId));
        client.UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = (Invariant, PostgresDatabase.ProvidersConnectionString(postgres)));
        client.AddMutualTls(tls);
    }

    /// <summary>Certificates between silos, and asked for at the gateway.</summary>
    private static void AddMutualTls(this ISiloBuilder silo, TlsCertificates? certificates)
    {
        if (certificates is null) return;
        silo.Services.AddMutualTls(certificates);
        silo.Configure<SiloConnectionOptions>(options =>
        {
            options.ConfigureSiloInboundConnection(connection => connection.UseTls((tls, context, next) => tls.AcceptAsync(context, next, fromSilos: true)));
            options.ConfigureSiloOutboundConnection(connection => connection.UseTls((tls, context, next) => tls.ConnectAsync(context, next)));
            options.ConfigureGatewayInboundConnection(connection => connection.UseTls((tls, context, next) => tls.AcceptAsync(context, next, fromSilos: false)));
        });
    }
}
