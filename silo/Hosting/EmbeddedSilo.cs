using System.Net;
using System.Net.Sockets;

using DataHub.Catalog;
using DataHub.Storage.Sqlite;

using Orleans.Configuration;
using Orleans.Dashboard;

namespace DataHub.Hosting;

/// <summary>The only silo of an embedded hub.</summary>
internal static class EmbeddedSilo
{
    private const string Name = "datahub";

    public static void AddEmbeddedSilo(this ISiloBuilder silo, SqliteStores stores, SiloHostSettings host, DashboardSettings dashboard)
    {
        silo.UseLocalhostClustering(siloPort: FreePort(), gatewayPort: FreePort(), serviceId: Name, clusterId: Name);
        // The front-end is in the same process: nobody comes through a gateway.
        silo.Configure<EndpointOptions>(options => options.GatewayPort = 0);
        silo.Configure<SiloMessagingOptions>(options =>
        {
            options.MaxEnqueuedRequestsSoftLimit = host.MaxWaitingCalls * 3 / 4;
            options.MaxEnqueuedRequestsHardLimit = host.MaxWaitingCalls;
        });
        silo.AddSqliteStorage(stores);
        silo.AddLogStreams();
        if (dashboard.Enabled) silo.AddDashboard(options => options.HideTrace = true);
    }

    /// <summary>The dashboard has no authentication of its own and can show state: admins of the platform only.</summary>
    public static void MapDashboard(this WebApplication hub)
    {
        const string Path = "/dashboard";
        hub.MapOrleansDashboard(Path).AddEndpointFilter(async (context, next) =>
            context.HttpContext.Caller().IsPlatformAdmin
                ? await next(context)
                : Authentication.Forbidden(context.HttpContext, new("Nötig ist ein Admin-Schlüssel der Plattform.", "An admin key of the platform is needed.")));
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
