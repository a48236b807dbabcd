using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Governance;
using DataHub.Indicators;
using DataHub.Pipelines;
using DataHub.Sharing;

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
        services.AddSingleton<PeopleRing>();
        services.AddSignIn();
        services.AddSingleton<AreaRenderings>();
        services.AddIndicatorsApi();
        services.AddChanges();
        services.AddFeedsApi();
        services.AddPages();
        services.AddApiPages();
        services.AddStewardPages();
        services.AddAgreementPages();
        services.AddRunPages();
        services.AddPublicDescription();
        return services;
    }

    /// <summary>What every request passes, outermost first.</summary>
    /// <param name="gate">Passed by whatever is not answered from memory.</param>
    public static IApplicationBuilder UseFrontEnd(this IApplicationBuilder app, Func<HttpContext, RequestDelegate, Task>? gate = null)
    {
        ArgumentNullException.ThrowIfNull(app);
        // Sign-in is asked for where it is needed: the middleware that the host would put before everything costs every poll.
        app.Properties["__AuthenticationMiddlewareSet"] = true;
        app.UseErrors(app.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger("DataHub.Http"));
        app.UseCrossOriginReads();
        app.UseLeasedAnswers();
        if (gate is not null) app.Use(gate);
        app.UseRouting();
        app.UseApiKeys();
        return app;
    }

    /// <summary>Routes of all areas.</summary>
    public static IEndpointRouteBuilder MapFrontEnd(this IEndpointRouteBuilder routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        routes.MapAgencyEndpoints();
        routes.MapAgencyQuotaEndpoints();
        routes.MapGroupEndpoints();
        routes.MapDataspaceEndpoints();
        routes.MapAgreementEndpoints();
        routes.MapEvidenceEndpoints();
        routes.MapAccessEndpoints();
        routes.MapMe();
        routes.MapSignInPages();
        routes.MapAreaEndpoints();
        routes.MapDatasetEndpoints();
        routes.MapIndicatorEndpoints();
        routes.MapExplainEndpoints();
        routes.MapDiffEndpoints();
        routes.MapChangesEndpoints();
        routes.MapManyValuesEndpoints();
        routes.MapFeedsEndpoints();
        routes.MapAuditEndpoints();
        routes.MapFileEndpoints();
        routes.MapJobEndpoints();
        routes.MapPseudonymKeyEndpoints();
        routes.MapPullKeyEndpoints();
        routes.MapRunEndpoints();
        routes.MapUsesEndpoints();
        routes.MapStalenessEndpoints();
        routes.MapForeignLineageEndpoints();
        routes.MapPages();
        routes.MapApiPages();
        routes.MapStewardPages();
        routes.MapAgreementPages();
        routes.MapRunPages();
        routes.MapPublicDescription();
        return routes;
    }
}
