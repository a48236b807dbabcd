using DataHub.Catalog;

using Microsoft.Extensions.Options;

using Orleans.Configuration;
using Orleans.Messaging;
using Orleans.Runtime;

namespace DataHub.Hosting;

/// <summary>Puts a front-end of a cluster together: the routes of an embedded hub over an Orleans client, without any access to a database.</summary>
internal static class FrontEndHost
{
    public static Settings Settings { get; } = new(typeof(FrontEndHost).Assembly);

    /// <summary>A front-end ready to start. It takes requests at once and answers them with 503 until the first silo is there.</summary>
    /// <exception cref="StartException">The settings do not allow a start.</exception>
    public static WebApplication Build(FrontEndStart start)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            ApplicationName = typeof(FrontEndHost).Assembly.GetName().Name,
            ContentRootPath = AppContext.BaseDirectory,
        });
        builder.Configuration.AddInMemoryCollection(start.Settings);
        Settings.Require(builder.Configuration);
        ListenAddresses.Check(start.Urls);
        var cluster = builder.Configuration.GetSection(FrontEndClusterOptions.Section).Get<FrontEndClusterOptions>() ?? new();
        _ = GatewayAddress.ParseAll(cluster.Gateways);
        var tls = TlsCertificates.Open(builder.Configuration, silo: false, TimeProvider.System);
        var host = builder.Configuration.GetSection(HostSettings.Section).Get<HostSettings>() ?? new();

        builder.AddWebServer(start.Urls, host);
        // Tells of each attempt; one line in a while says the same.
        builder.Logging.AddFilter("Orleans.Runtime.Messaging.ConnectionManager", LogLevel.Error);
        builder.Services.AddSingleton(TimeProvider.System);
        Settings.AddTo(builder.Services);
        builder.Host.UseOrleansClient(client => client.AddCluster(cluster, tls));
        // The client is started when it is connected; meanwhile the addresses are listened on, so that probes are answered.
        builder.Services.Configure<HostOptions>(options => options.ServicesStartConcurrently = true);
        builder.Services.AddFrontEnd();
        builder.Services.UseSignIn(builder.Configuration, dataFolder: null, start.Urls);
        builder.Services.AddOperations<GrainsAnswer>();
        start.Services?.Invoke(builder.Services);

        var app = builder.Build();
        app.UseFrontEnd(gate: UntilThereIsASilo(app.Services.GetRequiredService<Health>()));
        app.MapFrontEnd();
        app.MapOperations();
        return app;
    }

    /// <summary>Before the client was connected it does not even know what grains there are. Health and metrics need none.</summary>
    private static Func<HttpContext, RequestDelegate, Task> UntilThereIsASilo(Health health) => (http, next) =>
        health.HasStarted || http.Request.Path.StartsWithSegments("/health") || http.Request.Path.StartsWithSegments("/metrics")
            ? next(http)
            : throw new SiloUnavailableException("no silo has answered yet");

    private static void AddCluster(this IClientBuilder client, FrontEndClusterOptions cluster, TlsCertificates? tls)
    {
        client.Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (cluster.ClusterId, cluster.ServiceId));
        client.Configure<GatewayOptions>(options => options.GatewayListRefreshPeriod = cluster.GatewayRefresh);
        client.Configure<ClientMessagingOptions>(options => options.ResponseTimeout = cluster.CallTimeout);
        client.Configure<ConnectionOptions>(options =>
        {
            // A silo that is gone refuses at once or does not answer at all; neither is waited for long.
            options.OpenConnectionTimeout = TimeSpan.FromSeconds(2);
            options.ConnectionRetryDelay = TimeSpan.FromMilliseconds(200);
        });
        client.Services.AddSingleton<Orleans.Serialization.ITypeConverter, StoreExceptions>();
        client.AddMutualTls(tls);
        client.Services.AddSingleton<GatewayList>();
        client.Services.AddSingleton<IGatewayListProvider>(services => services.GetRequiredService<GatewayList>());
        client.Services.AddSingleton<ClusterConnection>();
        client.Services.AddSingleton<IClientConnectionRetryFilter>(services => services.GetRequiredService<ClusterConnection>());
        client.Services.AddSingleton<IClusterConnectionStatusObserver>(services => services.GetRequiredService<ClusterConnection>());
        client.AddOutgoingGrainCallFilter<RepeatedCalls>();
    }
}
