using System.Collections.Concurrent;
using System.Text.Json;

using DataHub.Indicators;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.OpenApi;

namespace DataHub.Catalog;

/// <summary>The page that shows <c>/openapi/v1.json</c> to people.</summary>
internal sealed class ApiPages([FromKeyedServices("v1")] IOpenApiDocumentProvider description, PageRenderer pages)
{
    private const int LongestSearch = 200;

    // The description stays as it is while the program runs: four pages are all there are without a search.
    private readonly ConcurrentDictionary<(string Language, bool Chosen), PageBody> _rendered = new();
    private ApiView? _view;

    /// <summary>Answers with the page, or with what a search (<c>?q=</c>) finds.</summary>
    public async Task AnswerAsync(HttpContext http)
    {
        var query = PageQuery.Of(http);
        var search = http.Request.Query["q"].ToString().Trim();
        search = search[..Math.Min(search.Length, LongestSearch)];
        var view = _view ??= await ReadAsync(http.RequestAborted);
        if (search.Length > 0)
        {
            var found = await RenderAsync(query, view.Matching(search), view.Count, search);
            await found.WriteAsync(http, StatusCodes.Status200OK, query.Language);
            return;
        }

        if (!_rendered.TryGetValue((query.Language, query.LanguageChosen), out var body))
            body = _rendered[(query.Language, query.LanguageChosen)] = await RenderAsync(query, view, view.Count, null);
        await body.WriteAsync(http, StatusCodes.Status200OK, query.Language);
    }

    private Task<PageBody> RenderAsync(PageQuery query, ApiView view, int total, string? search) => pages.RenderAsync<ApiPage>(new()
    {
        [nameof(ApiPage.Display)] = Display.In(query.Language),
        [nameof(ApiPage.View)] = view,
        [nameof(ApiPage.Total)] = total,
        [nameof(ApiPage.Search)] = search,
        [nameof(ApiPage.LanguageChosen)] = query.LanguageChosen,
    });

    private async Task<ApiView> ReadAsync(CancellationToken cancellationToken)
    {
        var document = await description.GetOpenApiDocumentAsync(cancellationToken);
        using var json = JsonDocument.Parse(await document.SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1, cancellationToken));
        return ApiView.Of(json.RootElement);
    }
}

/// <summary>Registration of the page.</summary>
internal static class ApiPagesExtensions
{
    public static void AddApiPages(this IServiceCollection services) => services.TryAddSingleton<ApiPages>();

    /// <summary>Route <c>/api</c>.</summary>
    public static void MapApiPages(this IEndpointRouteBuilder routes) =>
        routes.MapRead("/api", (HttpContext http, ApiPages pages) => pages.AnswerAsync(http)).ExcludeFromDescription();
}
