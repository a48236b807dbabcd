using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace DataHub.Feeds;

/// <summary>Everything about rows over HTTP: pushes, receipts, quarantine, rows, counts.</summary>
public static class FeedsApi
{
    public static IServiceCollection AddFeedsApi(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.AddSingleton<BodyBudget>();
        services.AddSingleton<PushSpool>();
        services.AddHostedService(provider => provider.GetRequiredService<PushSpool>());
        services.AddSingleton<IPushTarget, ClusterPushTarget>();
        services.AddSingleton<DatasetDirectory>();
        services.AddSingleton<IngestMetrics>();
        services.AddSingleton<PushService>();
        services.AddSingleton<QuarantineService>();
        services.AddSingleton<FeedQuotas>();
        services.AddSingleton<DecodeGate>(_ => new());
        return services;
    }

    public static IEndpointRouteBuilder MapFeedsEndpoints(this IEndpointRouteBuilder routes)
    {
        routes.MapPushEndpoints();
        routes.MapRowsEndpoints();
        routes.MapQuarantineEndpoints();
        routes.MapErasureEndpoints();
        routes.MapFeedStateEndpoints();
        return routes;
    }
}
