using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Indicators;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace DataHub;

/// <summary>The whole front-end: one line per thing it can do. It needs a cluster client and the options of this room.</summary>
public static class FrontEnd
{
    /// <summary>Services of all areas.</summary>
    public static IServiceCollection AddFrontEnd(this IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(options => WireJson.Apply(options.SerializerOptions));
        services.AddSingleton<KeyRing>();
        services.AddSingleton<AreaDirectory>();
        services.AddSingleton<AreaRenderings>();
        services.AddIndicatorsApi();
        services.AddChanges();
        services.AddFeedsApi();
        services.AddPages();
        services.AddApiPages();
        services.AddPublicDescription();
        return services;
    }

    /// <summary>What every request passes, outermost first.</summary>
    public static IApplicationBuilder UseFrontEnd(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.UseErrors(app.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger("DataHub.Http"));
        app.UseCrossOriginReads();
        app.UseApiKeys();
        return app;
    }

    /// <summary>Routes of all areas.</summary>
    public static IEndpointRouteBuilder MapFrontEnd(this IEndpointRouteBuilder routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        routes.MapAgencyEndpoints();
        routes.MapAreaEndpoints();
        routes.MapDatasetEndpoints();
        routes.MapIndicatorEndpoints();
        routes.MapExplainEndpoints();
        routes.MapDiffEndpoints();
        routes.MapChangesEndpoints();
        routes.MapManyValuesEndpoints();
        routes.MapFeedsEndpoints();
        routes.MapPages();
        routes.MapApiPages();
        routes.MapPublicDescription();
        return routes;
    }
}
