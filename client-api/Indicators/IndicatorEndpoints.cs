using System.Text.Json;

using DataHub.Catalog;
using DataHub.Sharing;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace DataHub.Indicators;

/// <summary>Definitions of indicators and their values (design §5).</summary>
internal static class IndicatorEndpoints
{
    private const string DefinitionExample = """
        { "title": { "de": "Stickstoffdioxid, Stundenmittel" }, "dataset": "air-quality", "measure": { "function": "mean", "field": "no2" },
          "window": "PT1H", "groupBy": ["area"], "filter": "no2 IS NOT NULL AND station NOT LIKE 'test-%'", "decimals": 1, "unit": "ug/m3", "access": "open", "disclosure": { "minimumCount": 0 } }
        """;

    private const string FormulaDescription = """
        Instead of `measure` a `formula` derives the values from other indicators of the same dataset that have the same window, time zone and groups;
        these, and the time zone, are then left out or given the same:

        `{ "title": { "de": "Unfälle je 1.000 Einwohner" }, "dataset": "accidents", "formula": "accidents / population * 1000", "decimals": 2, "access": "open" }`

        - `+ - * /`, parentheses, numbers; an id bare where it is a letter followed by letters and digits, else in double quotes: `"no2-hourly" / 2`
        - `population`: inhabitants of the row's area, or the sum of its parts
        - `share(x)`: x of the row by x of all areas together in the same window
        - `previous(x)`, `change(x)`: x in the window before, and the difference to it
        - `rank(x)`: 1 for the greatest of all areas of the answer's level; equal ones share the smaller number
        - `min(x, y, …)`, `max(x, y, …)`, `abs(x)`, `round(x, places)`

        A row stands wherever an input has one. Where something is missing its `state` is `missing`, where one would divide by zero `undefined`, and its value null;
        what is made of a suppressed value is suppressed. Its `count` is the smallest of those of its inputs.
        """;

    /// <summary>Of routes that answer through an agreement.</summary>
    internal const string ThroughAgreement =
        "Values that are not open are given by right, or through a sharing agreement in force with the caller's agency: the header DataHub-Purpose then names one of its purposes. Where it names a rhythm (delivery.rhythm) the same reader begins the same fetch once in it, else 429 with Retry-After; the pages of a fetch go on without waiting.";

    private const string ValuesExample = """
        { "indicator": "no2-hourly", "version": 184, "watermark": "w1.kw", "definition": 3, "unit": "ug/m3", "license": "dl-de/by-2-0", "asOf": "2026-11-23T08:01:02Z",
          "title": { "de": "Stickstoffdioxid, Stundenmittel" }, "publisher": "senumvk", "timeZone": "Europe/Berlin", "describedBy": "/api/v1/indicators/no2-hourly", "explainedBy": "/api/v1/indicators/no2-hourly/explain?asOf=w1.kw&definition=3",
          "rows": [ { "area": "01", "from": "2026-11-23T08:00:00Z", "to": "2026-11-23T09:00:00Z", "value": 23.4, "count": 12, "state": "ok" } ], "next": null }
        """;

    private static readonly LocalText s_indicator = new("Indikator", "Indicator");
    private static readonly TimeSpan s_retryAfter = TimeSpan.FromSeconds(1);

    public static IServiceCollection AddIndicatorsApi(this IServiceCollection services) => services.AddSingleton<RenderedAnswers>().AddSingleton<IndicatorGrains>().AddSingleton<LeasedIndicators>().AddSingleton<LeasedAnswers>();

    public static void MapIndicatorEndpoints(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/v1/indicators").WithTags("Indicators");
        group.MapRead("", ListAsync).WithSummary("Lists the indicators, by id.").Produces<IndicatorListJson>().Paged().Refuses(400);
        group.MapPut("{indicator}", PutAsync).WithSummary("Creates or changes an indicator; for admin keys of the dataset's publisher or the platform. A changed definition answers once it has been computed from everything stored.")
            .Accepts<IndicatorBodyJson>("application/json").Produces<IndicatorJson>().Produces<IndicatorJson>(StatusCodes.Status201Created).Refuses(400, 401, 403, 409, 422)
            .WithDescription(FormulaDescription).Example(DefinitionExample);
        group.MapRead("{indicator}", GetAsync).WithSummary("An indicator's definition.").Produces<IndicatorJson>().Refuses(404);
        group.MapRead("{indicator}/values", (string indicator, HttpContext http, IndicatorGrains grains, RenderedAnswers answers, LeasedIndicators leased, LeasedAnswers lent) => AnswerAsync(indicator, latest: false, http, grains, answers, leased, lent))
            .WithSummary("Values by window, area and dimensions.").TakesQuery()
            .Produces<ValuesJson>(StatusCodes.Status200OK, AnswerFormats.Types[0], AnswerFormats.Types[1..]).Produces(StatusCodes.Status304NotModified).Refuses(400, 401, 403, 404, 406, 410, 422, 429, 503)
            .WithDescription(ThroughAgreement)
            .Example(ValuesExample, StatusCodes.Status200OK);
        group.MapRead("{indicator}/latest", (string indicator, HttpContext http, IndicatorGrains grains, RenderedAnswers answers, LeasedIndicators leased, LeasedAnswers lent) => AnswerAsync(indicator, latest: true, http, grains, answers, leased, lent))
            .WithSummary("The last value of each area and combination of dimensions.").TakesQuery()
            .Produces<ValuesJson>(StatusCodes.Status200OK, AnswerFormats.Types[0], AnswerFormats.Types[1..]).Produces(StatusCodes.Status304NotModified).Refuses(400, 401, 403, 404, 406, 410, 422, 429, 503)
            .WithDescription(ThroughAgreement)
            .Example(ValuesExample, StatusCodes.Status200OK);
        group.MapRead("{indicator}/csvw", CsvwAsync)
            .WithSummary("What the columns of the values' CSV hold: CSV on the Web (W3C), with title, publisher, licence and units.")
            .Takes("format", "csv or csv-de: which of the two it describes.")
            .Produces<JsonDocument>(StatusCodes.Status200OK, AnswerCsvw.ContentType).Produces(StatusCodes.Status304NotModified).Refuses(400, 404);
    }

    private static RouteHandlerBuilder TakesQuery(this RouteHandlerBuilder route) => route
        .Takes("from", "Windows that begin at or after: a day (its begin in the indicator's time zone) or an instant with Z or offset.")
        .Takes("to", "Windows that begin before; as from.")
        .Takes("level", "Areas rolled up to this level; 0 is the coarsest.", JsonSchemaType.Integer)
        .Takes("area", "Only this area, or with a deeper level what lies in it there.")
        .Takes("whole", "true: all areas together in one row.", JsonSchemaType.Boolean)
        .Takes("watermark", "The answer must include this; else 503 after a bounded wait.")
        .Takes("asOf", "As it was known then: an instant with Z or offset, a day (its begin in the indicator's time zone), or the watermark of an earlier answer, which with definition gives a published figure again. Windows that were not over then are preliminary; areas are those of then, as far as that version of the area system is kept.")
        .Takes("definition", "By this version of the definition, from history; see the route definitions. The stricter of its own and the present disclosure rules holds.", JsonSchemaType.Integer)
        .Takes("limit", $"Rows of the page, 1 to {ValuesParameters.MaxLimit}; {ValuesParameters.DefaultLimit} where absent.", JsonSchemaType.Integer)
        .Takes("after", "Continues a page; as in the answer's next.")
        .Takes("format", $"One of {string.Join(", ", AnswerFormats.Words)}; goes before Accept. csv-de has semicolons, decimal commas and a byte order mark.")
        .Takes("meta", "true: the first line is {\"@meta\":{…}}; ndjson only.", JsonSchemaType.Boolean);

    private static async Task<IResult> ListAsync(HttpContext http, IGrainFactory grains)
    {
        if (http.ReadPage(out var after, out var limit) is { } problem) return problem;
        var ids = await grains.GetGrain<ICatalogGrain>(CatalogKinds.Indicators).ListAsync(http.Caller(), after, limit);
        var indicators = await Task.WhenAll(ids.Select(id => grains.GetGrain<IIndicatorGrain>(id).GetAsync(http.Caller())));
        return TypedResults.Ok(new IndicatorListJson(
            [.. indicators.OfType<IndicatorInfo>().Select(IndicatorJson.Of)], ids.Length == limit ? http.Next(ids[^1], limit) : null));
    }

    private static async Task<IResult> PutAsync(string indicator, HttpContext http, IGrainFactory grains)
    {
        var (body, problem) = await http.ReadJsonAsync<IndicatorBodyJson>();
        if (problem is not null) return problem;
        if (!CatalogIds.IsValid(indicator)) return Problems.Problem(http, ProblemTypes.InvalidId, ProblemTypes.InvalidId.Help, ("id", indicator));
        var (spec, fault) = body!.ToSpec();
        if (fault is not null) return Problems.Problem(http, ProblemTypes.InvalidIndicator, fault);
        var result = await grains.GetGrain<IIndicatorGrain>(indicator).PutAsync(http.Caller(), spec!);
        if (result.Refusal != CatalogRefusal.None) return CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidIndicator);
        var json = IndicatorJson.Of(result.Indicator!);
        return result.Created ? TypedResults.Created($"/api/v1/indicators/{indicator}", json) : TypedResults.Ok(json);
    }

    private static async Task<IResult> GetAsync(string indicator, HttpContext http, IGrainFactory grains) =>
        CatalogIds.IsValid(indicator) && await grains.GetGrain<IIndicatorGrain>(indicator).GetAsync(http.Caller()) is { } info
            ? TypedResults.Ok(IndicatorJson.Of(info))
            : Problems.NotFound(http, s_indicator, indicator);

    private static async Task<IResult> CsvwAsync(string indicator, HttpContext http, IGrainFactory grains)
    {
        var (german, problem) = AnswerCsvw.Form(http);
        if (problem is not null) return problem;
        if (!CatalogIds.IsValid(indicator) || await grains.GetGrain<IIndicatorGrain>(indicator).GetAsync(http.Caller()) is not { } info)
            return Problems.NotFound(http, s_indicator, indicator);
        var metadata = ValuesTable.Metadata(info, http.Request.PathBase.Value ?? "", latest: false);
        return AnswerCsvw.Write(metadata, ValuesTable.Fields(info.Definition.Spec, nested: false), metadata.DescribedBy + "/values", german).Answer();
    }

    private static async Task<IResult> AnswerAsync(
        string indicator, bool latest, HttpContext http, IndicatorGrains grains, RenderedAnswers answers, LeasedIndicators leased, LeasedAnswers lent)
    {
        // What is everybody's is also theirs who have a key, which has been checked by now.
        if (lent.Find(http) is { } again) return again;
        if (!CatalogIds.IsValid(indicator)) return Problems.NotFound(http, s_indicator, indicator);
        var (format, notAcceptable) = AnswerFormats.Choose(http);
        if (notAcceptable is not null) return notAcceptable;
        var (query, invalid) = ValuesParameters.Read(http, latest);
        if (invalid is not null) return invalid;

        var (answer, current, problem) = await RenderAsync(indicator, query!, format, http, grains, answers, leased);
        if (problem is not null) return problem;
        http.Response.Headers[Requests.WatermarkHeader] = current;
        return answer!.Answer(varies: true);
    }

    /// <summary>One grain call: it decides whether this caller may see the values, and says so cheaply where the rendered answer still holds.</summary>
    /// <returns>The answer and how far it is current, or the problem to answer with.</returns>
    private static async Task<(Rendered? Answer, string? Current, IResult? Problem)> RenderAsync(
        string indicator, ValuesQuery query, AnswerFormat format, HttpContext http, IndicatorGrains grains, RenderedAnswers answers, LeasedIndicators leased)
    {
        // Who says what a request is for may see it through an agreement: less than others, and his alone.
        var caller = http.Caller();
        var key = new AnswerKey(indicator, query with { AtLeast = null }, format, http.Request.PathBase.Value ?? "") { Reader = caller.Use is { } use ? $"{caller.Subject} {use.Purpose} {use.Address}" : null };
        var past = query.AsOf is not null || query.Definition is not null;
        var known = past ? null : answers.Find(key);
        var lease = leased.Find(indicator);
        var number = lease?.Number ?? 0;
        var result = await grains.Get(indicator).ValuesAsync(caller, query with { KnownVersion = known?.Version, KnownThrough = known?.Through, KnownRows = known?.Rows ?? 0 });
        if (result.Page is not { } page) return (null, null, Refused(http, indicator, result));
        if (!page.NotModified)
        {
            var next = Next(page, query, format, key.PathBase);
            var metadata = ValuesTable.Metadata(page, key.PathBase, query.Latest);
            var (body, tooLarge) = format == AnswerFormat.Json
                ? (AnswerWriter.Write(page, metadata, next), null)
                : await AnswerRendering.WriteAsync(http, await TableAsync(page, metadata, format, http), format, next);
            if (tooLarge is not null) return (null, null, await http.NotGivenAsync(tooLarge, page.Begun));
            known = new(page.Version, AnswerRendering.Rendered(body, metadata, format, next), page.Rows.Length, page.Through);
            if (!past) answers.Keep(key, known);
        }

        // What the grain gave a caller without a key is everybody's. Of what it gave others only the grain knows: a definition
        // may be open that still answers while another, which is not, is being filled.
        if (!past && caller == Caller.Public)
        {
            leased.Asked(indicator);
            // A request that names a watermark must not be answered by what another one without it was.
            if (lease is not null && number != 0 && query.AtLeast is null)
            {
                known!.Lend(lease, number, page.Current, page.ValidUntil, http.GetEndpoint());
                answers.Note(AnswerRequest.Of(http.Request), key);
            }
        }

        return (known!.Rendered, page.Current, null);
    }

    /// <summary>Path and query of an indicator's next page; null on the last.</summary>
    internal static string? Next(ValuesPage page, ValuesQuery query, AnswerFormat format, string pathBase) => page.Next is null
        ? null
        : ValuesParameters.Next($"{pathBase}/api/v1/indicators/{page.Indicator.Id}/{(query.Latest ? "latest" : "values")}", Pinned(page, query), page.Next, format);

    /// <summary>A query of the past with exactly the moment and definition that the page is of: what follows is of the same.</summary>
    private static ValuesQuery Pinned(ValuesPage page, ValuesQuery query) => query.AsOf is null && query.Definition is null
        ? query
        : query with { AsOf = new(null, null, Feeds.Watermark.TryParse(page.Watermark, out var watermark) ? watermark : null), Definition = page.Indicator.Definition.Version };

    private static async Task<AnswerTable> TableAsync(ValuesPage page, AnswerMetadata metadata, AnswerFormat format, HttpContext http)
    {
        if (format != AnswerFormat.GeoJson) return ValuesTable.Of(page, metadata, nested: format is AnswerFormat.NdJson or AnswerFormat.NdJsonMeta);
        var areas = metadata is { AreaSystem: { } system, AreaVersion: { } version }
            ? await http.RequestServices.GetRequiredService<AreaDirectory>().GetAsync(system, version, http.RequestAborted)
            : null;
        return ValuesTable.WithAreas(page, metadata, areas?.Tree);
    }

    /// <summary>Why values are not given, for whoever has been answered already.</summary>
    internal static (ProblemType Type, LocalText Detail) Reason(ValuesResult refusal)
    {
        var type = refusal.Refusal switch
        {
            ReadRefusal.NotFound => ProblemTypes.NotFound,
            ReadRefusal.Forbidden => ProblemTypes.Forbidden,
            ReadRefusal.Gone => ProblemTypes.WatermarkGone,
            ReadRefusal.Invalid => ProblemTypes.InvalidParameter,
            ReadRefusal.TooMany => ProblemTypes.TooManyCells,
            ReadRefusal.TooOften => ProblemTypes.TooManyRequests,
            _ => ProblemTypes.Unavailable,
        };
        return (type, refusal.Detail ?? type.Help);
    }

    internal static IResult Refused(HttpContext http, string indicator, ValuesResult result)
    {
        var detail = result.Detail ?? ProblemTypes.Unavailable.Help;
        return result.Refusal switch
        {
            ReadRefusal.NotFound => Problems.NotFound(http, s_indicator, indicator),
            ReadRefusal.Forbidden => Authentication.Forbidden(http, detail),
            ReadRefusal.NotYet => Problems.Later(http, ProblemTypes.NotYet, detail, s_retryAfter),
            ReadRefusal.Gone => Problems.Problem(http, ProblemTypes.WatermarkGone, detail),
            ReadRefusal.Invalid => Problems.Problem(http, ProblemTypes.InvalidParameter, detail),
            ReadRefusal.TooMany => Problems.Problem(http, ProblemTypes.TooManyCells, detail),
            ReadRefusal.Unavailable => Problems.Later(http, ProblemTypes.Unavailable, detail, s_retryAfter),
            ReadRefusal.TooOften => Problems.Later(http, ProblemTypes.TooManyRequests, detail, result.RetryAfter),
            _ => throw new InvalidOperationException($"indicator {indicator} answered neither with a page nor with a refusal"),
        };
    }
}
