using DataHub.Catalog;

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
        services.AddPushing();
        services.AddSingleton<PushSpool>();
        services.AddHostedService(provider => provider.GetRequiredService<PushSpool>());
        services.AddSingleton<QuarantineService>();
        services.AddSingleton<FeedQuotas>();
        return services;
    }

    /// <summary>The way of rows into datasets, without HTTP: silos need it too, whose pipelines write.</summary>
    public static IServiceCollection AddPushing(this IServiceCollection services)
    {
        services.AddMetrics();
        services.TryAddSingleton<AreaDirectory>();
        services.TryAddSingleton<BodyBudget>();
        services.TryAddSingleton<IPushTarget, ClusterPushTarget>();
        services.TryAddSingleton<DatasetDirectory>();
        services.TryAddSingleton<IngestMetrics>();
        services.TryAddSingleton<PushService>();
        services.TryAddSingleton<DecodeGate>(_ => new());
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
