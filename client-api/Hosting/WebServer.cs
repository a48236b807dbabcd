using Microsoft.Extensions.DependencyInjection.Extensions;

namespace DataHub.Hosting;

/// <summary>What every program that takes requests does alike.</summary>
internal static class WebServer
{
    /// <summary>Logging, the addresses, the net of limits under all endpoints, and the bound of an orderly stop.</summary>
    public static void AddWebServer(this WebApplicationBuilder builder, string urls, HostSettings host)
    {
        builder.Logging.AddHubLogging();
        builder.WebHost.UseStaticWebAssets();
        builder.WebHost.UseUrls(ListenAddresses.Split(urls));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = host.MaxConnections;
            // Every endpoint bounds its own body; this is the net under all of them.
            kestrel.Limits.MaxRequestBodySize = 2_000_000_001;
        });
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = host.StopTimeout);
    }

    /// <summary>Health and metrics.</summary>
    /// <typeparam name="TProbe">What has to answer for the program to be ready.</typeparam>
    public static void AddOperations<TProbe>(this IServiceCollection services)
        where TProbe : class, IHealthProbe
    {
        services.TryAddSingleton<IHealthProbe, TProbe>();
        services.AddSingleton<Health>();
        services.AddHostedService(provider => provider.GetRequiredService<Health>());
        services.AddSingleton<Metrics>();
        services.AddHostedService(provider => provider.GetRequiredService<Metrics>());
    }

    /// <summary>The routes of <see cref="AddOperations"/>.</summary>
    public static void MapOperations(this IEndpointRouteBuilder routes)
    {
        Health.Map(routes);
        Metrics.Map(routes);
    }
}
