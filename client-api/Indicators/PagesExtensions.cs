using DataHub.Catalog;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Net.Http.Headers;

namespace DataHub.Indicators;

/// <summary>The pages for people: the front page, where a number comes from, the list of error messages, and what a person sees when something goes wrong.</summary>
public static class PagesExtensions
{
    /// <summary>Paths that programs use; their errors are problems, never pages.</summary>
    private static readonly string[] s_programs = ["/api", "/assets", "/health", "/metrics", "/openapi", "/sta", "/open311", "/catalog", "/dsp", "/ogc", "/.well-known"];

    /// <summary>What the pages need. The host supplies the cluster client, <see cref="AreaDirectory"/> and <see cref="PageOptions"/>.</summary>
    public static IServiceCollection AddPages(this IServiceCollection services)
    {
        services.TryAddSingleton<MapShapes>();
        services.TryAddSingleton<ValuesMemory>();
        services.TryAddSingleton<CitySource>();
        services.TryAddSingleton<ExplainedSource>();
        services.TryAddSingleton<PageRenderer>();
        return services;
    }

    /// <summary>Routes <c>/</c>, <c>/indicators/{indicator}/explain</c>, <c>/problems</c>, <c>/problems/{word}</c> and <c>/assets</c>.</summary>
    public static IEndpointRouteBuilder MapPages(this IEndpointRouteBuilder routes)
    {
        routes.MapRead("/", FrontAsync).ExcludeFromDescription();
        routes.MapRead(ExplainAddress.Route, ExplainAsync).ExcludeFromDescription();
        routes.MapRead("/problems", (HttpContext http, PageRenderer pages) => ProblemsAsync(http, null, pages)).ExcludeFromDescription();
        routes.MapRead("/problems/{word}", (HttpContext http, string word, PageRenderer pages) => ProblemsAsync(http, word, pages)).ExcludeFromDescription();
        routes.MapRead(PageAssets.Route, PageAssets.Answer).ExcludeFromDescription();
        return routes;
    }

    /// <summary>Whether an error of this request is to be a page: it accepts HTML and is not for a path that programs use.</summary>
    public static bool IsForPeople(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
            && Array.TrueForAll(s_programs, p => !request.Path.StartsWithSegments(p))
            && MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted)
            && accepted.Any(a => a.MediaType.Equals("text/html", StringComparison.OrdinalIgnoreCase) && a.Quality is null or > 0);
    }

    /// <summary>Answers with the error page of a status. The response must not have started.</summary>
    /// <param name="why">What was wrong in this case; null: what the status says in general.</param>
    public static async Task WriteErrorAsync(HttpContext http, int status, string? why = null)
    {
        ArgumentNullException.ThrowIfNull(http);
        var query = PageQuery.Of(http);
        var display = Display.In(query.Language);
        var (heading, text) = status switch
        {
            404 => (display.Say("Diese Seite gibt es nicht.", "This page does not exist."),
                display.Say("Vielleicht wurde der Indikator oder das Gebiet umbenannt, oder die Adresse hat einen Tippfehler.", "Perhaps the indicator or the area was renamed, or the address has a typing mistake.")),
            503 => (display.Say("Der Hub antwortet gerade nicht vollständig.", "The hub does not answer completely at the moment."),
                display.Say("Ein Teil startet oder zieht um. Bitte in einigen Sekunden neu laden; gespeicherte Daten sind nicht betroffen.", "A part of it is starting or moving. Please load the page again in some seconds; stored data are not affected.")),
            >= 500 => (display.Say("Das hätte nicht geschehen dürfen.", "This should not have happened."),
                display.Say("Im Hub ist ein Fehler aufgetreten. Die Betreiber finden ihn unter der Kennung des Vorgangs; gespeicherte Daten sind nicht betroffen.", "An error occurred in the hub. The operators find it by the id of the request; stored data are not affected.")),
            _ => (display.Say("Das hat nicht geklappt.", "That did not work."),
                display.Say("Die Anfrage war so nicht möglich.", "The request was not possible in this form.")),
        };

        var body = await http.RequestServices.GetRequiredService<PageRenderer>().RenderAsync<ErrorPage>(new()
        {
            [nameof(ErrorPage.Display)] = display,
            [nameof(ErrorPage.Status)] = status,
            [nameof(ErrorPage.Heading)] = heading,
            [nameof(ErrorPage.Text)] = why ?? text,
            [nameof(ErrorPage.TraceId)] = status >= 500 ? Errors.TraceId(http) : null,
            [nameof(ErrorPage.LinkIn)] = (Func<string, string>)(language => $"{http.Request.PathBase}{http.Request.Path}?lang={language}"),
            [nameof(ErrorPage.Home)] = query.LanguageChosen ? "/?lang=" + query.Language : "/",
        });
        await body.WriteAsync(http, status, query.Language);
    }

    private static async Task FrontAsync(HttpContext http, CitySource city, PageRenderer pages)
    {
        var query = PageQuery.Of(http);
        var caller = http.Caller();
        var view = await city.ReadAsync(query, caller, http.RequestAborted);
        if (view is null)
        {
            // Without a body: what every request passes makes it a page or a problem.
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        var address = $"{http.Request.Scheme}://{http.Request.Host}";
        var body = caller.IsPublic ? await pages.FrontPageAsync(query, view, address) : await pages.OwnFrontPageAsync(view, address);
        if (!await KeepAsync(http)) return;
        await body.WriteAsync(http, StatusCodes.Status200OK, query.Language);
    }

    /// <summary>
    /// Before a page is given that somebody in particular may see: that nobody keeps it, and that what allowed it still holds
    /// although it was some time in the making.
    /// </summary>
    /// <returns>False where it does not; then that is answered.</returns>
    private static async Task<bool> KeepAsync(HttpContext http)
    {
        if (http.Caller().IsPublic) return true;
        if (!await Authentication.IsStillAsync(http))
        {
            await WriteErrorAsync(http, StatusCodes.Status503ServiceUnavailable);
            return false;
        }

        http.Response.OnStarting(() =>
        {
            http.Response.Headers.CacheControl = "private, no-store";
            return Task.CompletedTask;
        });
        return true;
    }

    private static async Task ExplainAsync(HttpContext http, string indicator, ExplainedSource source, PageRenderer pages)
    {
        var query = PageQuery.Of(http);
        var (view, status, why) = await source.ReadAsync(http, indicator, query);
        if (view is null)
        {
            await WriteErrorAsync(http, status, why);
            return;
        }

        var body = await pages.RenderAsync<ExplainedNumber>(new() { [nameof(ExplainedNumber.View)] = view });
        if (!await KeepAsync(http)) return;
        await body.WriteAsync(http, StatusCodes.Status200OK, query.Language);
    }

    /// <summary>The page of the words that say why a row did not pass.</summary>
    private const string RowCodes = "rows";

    private static async Task ProblemsAsync(HttpContext http, string? word, PageRenderer pages)
    {
        var query = PageQuery.Of(http);
        var only = word is null ? null : ProblemTypes.Find(word);
        var rows = word == RowCodes;
        if (word is not null && only is null && !rows)
        {
            // Without a body: what every request passes makes it a page or a problem.
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        // Nothing is asked of any grain: the meaning of an error is most wanted while the hub does not answer.
        var body = await pages.RenderAsync<ProblemList>(new()
        {
            [nameof(ProblemList.Display)] = Display.In(query.Language),
            [nameof(ProblemList.Only)] = only,
            [nameof(ProblemList.Rows)] = rows,
            [nameof(ProblemList.Chosen)] = query.LanguageChosen,
        });
        await body.WriteAsync(http, StatusCodes.Status200OK, query.Language);
    }
}
