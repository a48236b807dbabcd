using System.Text.Json;

using DataHub.Catalog;
using DataHub.Sharing;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;

namespace DataHub.Indicators;

/// <summary>
/// Values of several indicators in one call (<c>GET /api/v1/values</c>): each as its own route answers it, with its own
/// version and next page; one ETag over all. Those of one dataset are of one moment and name one watermark.
/// </summary>
internal static class ManyValuesEndpoints
{
    /// <summary>Most rows of one answer, all indicators together.</summary>
    private const int MaxRows = 20_000;

    private static readonly LocalText s_indicator = new("Indikator", "Indicator");
    private static readonly string[] s_known = ["indicator", "latest", "from", "to", "level", "area", "whole", "watermark", "asOf", "limit", "format"];
    private static readonly string[] s_formats = ["json", "csv", "ndjson", "csv-de"];

    private const string Example = """
        { "indicators": [ { "indicator": "no2-hourly", "version": 184, "watermark": "w1.kw", "definition": 3, "unit": "ug/m3", "license": "dl-de/by-2-0", "asOf": "2026-11-23T08:01:02Z",
          "title": { "de": "Stickstoffdioxid, Stundenmittel" }, "publisher": "senumvk", "timeZone": "Europe/Berlin", "describedBy": "/api/v1/indicators/no2-hourly", "explainedBy": "/api/v1/indicators/no2-hourly/explain?asOf=w1.kw&definition=3",
          "rows": [ { "area": "01", "from": "2026-11-23T08:00:00Z", "to": "2026-11-23T09:00:00Z", "value": 23.4, "count": 12, "state": "ok" } ], "next": null } ] }
        """;

    public static void MapManyValuesEndpoints(this IEndpointRouteBuilder routes) => routes.MapRead("/api/v1/values", AnswerAsync)
        .WithTags("Indicators")
        .WithSummary("Values of several indicators, each with its own version and state, those of one dataset as of one watermark; CSV and NDJSON in the long form, a row per indicator, window, area and dimensions.")
        .Takes("indicator", "Ids, separated by commas, in the order in which they are answered; as many as DataHub:Answer:MaxIndicators allows, 20 unless it is set.")
        .Takes("latest", "true: only the last value of each area and combination of dimensions.", JsonSchemaType.Boolean)
        .Takes("from", "Windows that begin at or after: a day (its begin in each indicator's time zone) or an instant with Z or offset.")
        .Takes("to", "Windows that begin before; as from.")
        .Takes("level", "Areas rolled up to this level; 0 is the coarsest.", JsonSchemaType.Integer)
        .Takes("area", "Only this area, or with a deeper level what lies in it there.")
        .Takes("whole", "true: all areas together in one row.", JsonSchemaType.Boolean)
        .Takes("watermark", "The indicators of its dataset must include this; else 503 after a bounded wait.")
        .Takes("asOf", "As it was known then: an instant with Z or offset, a day (its begin in each indicator's time zone), or a watermark of the dataset that all of them are of.")
        .Takes("limit", $"Rows of each indicator, 1 to {ValuesParameters.MaxLimit}, all together at most {MaxRows}; {ValuesParameters.DefaultLimit} where absent. An indicator with more has a next, which leads to its own route; in CSV and NDJSON a header Link with its id as title.", JsonSchemaType.Integer)
        .Takes("format", $"One of {string.Join(", ", s_formats)}; goes before Accept.")
        .Produces<ManyValuesJson>(StatusCodes.Status200OK, "application/json", "text/csv", "application/x-ndjson").Produces(StatusCodes.Status304NotModified)
        .Refuses(400, 401, 403, 404, 406, 410, 422, 429, 503)
        .WithDescription(IndicatorEndpoints.ThroughAgreement + " Where one of the indicators is refused none is given, and no fetch of the others has begun.")
        .Example(Example, StatusCodes.Status200OK)
        .Example("indicator,area,from,to,value,count,state,unit,definition,version\r\nno2-hourly,01,2026-11-23T08:00:00Z,2026-11-23T09:00:00Z,23.4,12,ok,ug/m3,3,184\r\n", StatusCodes.Status200OK, "text/csv")
        .Example("""{"indicator":"no2-hourly","area":"01","from":"2026-11-23T08:00:00Z","to":"2026-11-23T09:00:00Z","value":23.4,"count":12,"state":"ok","unit":"ug/m3","definition":3,"version":184}""" + "\n", StatusCodes.Status200OK, "application/x-ndjson");

    private static async Task<IResult> AnswerAsync(HttpContext http, IGrainFactory grains, IOptions<AnswerOptions> options)
    {
        var latest = http.Request.Query["latest"].ToString();
        var (query, invalid) = ValuesParameters.Read(http, latest == "true", s_known);
        if (invalid is not null) return invalid;
        if (latest is not ("" or "true" or "false")) return Requests.InvalidParameter(http, "latest", new("latest muss true oder false sein.", "latest must be true or false."));
        var (format, notAcceptable) = AnswerFormats.Choose(http, s_formats);
        if (notAcceptable is not null) return notAcceptable;
        var ids = http.Request.Query["indicator"].ToString().Split(',');
        if (Wrong(http, ids, query!, options.Value.MaxIndicators) is { } wrong) return wrong;

        var (pages, refused) = await PagesAsync(ids, query!, http, grains);
        if (refused is not null) return refused;
        Watermarks(http, ids, pages.Select(page => page.Current));
        return format == AnswerFormat.Json ? Together(pages, query!, http.Request.PathBase.Value ?? "").Answer(varies: true) : await LongAsync(pages, query!, format, http);
    }

    private static IResult? Wrong(HttpContext http, string[] ids, ValuesQuery query, int most)
    {
        if (ids is [""]) return Requests.InvalidParameter(http, "indicator", new("indicator fehlt: Kennungen, durch Kommas getrennt.", "indicator is missing: ids, separated by commas."));
        if (ids.Length > most)
        {
            return Requests.InvalidParameter(http, "indicator", new(
                $"indicator: {ids.Length} Indikatoren sind zu viele, höchstens {most} (DataHub:Answer:MaxIndicators).",
                $"indicator: {ids.Length} indicators are too many, {most} at most (DataHub:Answer:MaxIndicators)."));
        }

        if (ids.GroupBy(id => id, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
            return Requests.InvalidParameter(http, "indicator", new($"indicator: „{twice.Key}“ steht zweimal da.", $"indicator: “{twice.Key}” occurs twice."));
        if (Array.Find(ids, id => !CatalogIds.IsValid(id)) is { } unknown) return Problems.NotFound(http, s_indicator, unknown);
        return query.Limit * ids.Length <= MaxRows
            ? null
            : Requests.InvalidParameter(http, "limit", new(
                $"limit: Bei {ids.Length} Indikatoren höchstens {MaxRows / ids.Length}.", $"limit: With {ids.Length} indicators {MaxRows / ids.Length} at most."));
    }

    /// <summary>A page of each, those of one dataset as of one watermark.</summary>
    private static async Task<(ValuesPage[] Pages, IResult? Problem)> PagesAsync(string[] ids, ValuesQuery query, HttpContext http, IGrainFactory grains)
    {
        var caller = http.Caller();
        var infos = await Task.WhenAll(ids.Select(id => grains.GetGrain<IIndicatorGrain>(id).GetAsync(caller)));
        if (Array.FindIndex(infos, info => info is null) is >= 0 and var unknown) return ([], Problems.NotFound(http, s_indicator, ids[unknown]));
        var groups = infos.GroupBy(info => info!.Definition.Spec.Dataset, info => info!.Id, StringComparer.Ordinal).ToArray();
        if (query.AtLeast is { } watermark && !Array.Exists(groups, group => group.Key == watermark.Dataset))
        {
            return ([], Requests.InvalidParameter(http, "watermark", new(
                $"watermark: Er gehört zu „{watermark.Dataset}“, keiner der Indikatoren liegt dort.", $"watermark: It is of “{watermark.Dataset}”, none of the indicators is.")));
        }

        var results = await Task.WhenAll(groups.Select(group => grains.GetGrain<IDatasetValuesGrain>(group.Key).ValuesAsync(
            caller, [.. group], group.Key == query.AtLeast?.Dataset ? query : query with { AtLeast = null })));
        if (Array.Find(results, result => result.Refusal != ReadRefusal.None) is { } refused)
        {
            var problem = IndicatorEndpoints.Refused(http, refused.Indicator!, new(refused.Refusal, null, refused.Detail) { RetryAfter = refused.RetryAfter });
            return ([], await http.NotGivenAsync(problem, results.SelectMany(result => result.Pages, (_, page) => page.Begun)));
        }


        var pages = results.SelectMany(result => result.Pages).ToDictionary(page => page.Indicator.Id, StringComparer.Ordinal);
        return (Array.ConvertAll(ids, id => pages[id]), null);
    }

    /// <summary>The answers as each indicator's own route gives them, in one document.</summary>
    private static Rendered Together(ValuesPage[] pages, ValuesQuery query, string pathBase)
    {
        var each = Array.ConvertAll(pages, page => AnswerWriter.Write(
            page, ValuesTable.Metadata(page, pathBase, query.Latest), IndicatorEndpoints.Next(page, query, AnswerFormat.Json, pathBase)));
        using var body = new MemoryStream(each.Sum(one => one.Length + 1) + 32);
        body.Write("""{"indicators":["""u8);
        for (var i = 0; i < each.Length; i++)
        {
            if (i > 0) body.Write(","u8);
            body.Write(each[i]);
        }

        body.Write("]}"u8);
        return Rendered.Of(body.ToArray(), AnswerFormats.ContentType(AnswerFormat.Json));
    }

    /// <summary>All rows in one table.</summary>
    private static async Task<IResult> LongAsync(ValuesPage[] pages, ValuesQuery query, AnswerFormat format, HttpContext http)
    {
        var pathBase = http.Request.PathBase.Value ?? "";
        var headers = new List<(string, string)>();
        foreach (var page in pages)
        {
            if (IndicatorEndpoints.Next(page, query, format, pathBase) is { } next) headers.Add(("Link", $"<{next}>; rel=\"next\"; title=\"{page.Indicator.Id}\""));
            headers.Add(("Link", $"<{pathBase}/api/v1/indicators/{page.Indicator.Id}>; rel=\"describedby\"; title=\"{page.Indicator.Id}\"; type=\"application/json\""));
        }

        headers.Add(("Content-Disposition", $"attachment; filename=\"values.{AnswerFormats.FileEnding(format)}\""));
        var (body, problem) = await AnswerRendering.WriteAsync(http, ValuesTable.Long(pages, pathBase, nested: format == AnswerFormat.NdJson), format, null);
        return problem is not null ? await http.NotGivenAsync(problem, pages.Select(page => page.Begun)) : (Rendered.Of(body, AnswerFormats.ContentType(format)) with { Headers = headers }).Answer(varies: true);
    }

    /// <summary>How far each is current: <c>no2-hourly=w1.…, pm10-hourly=w1.…</c>.</summary>
    private static void Watermarks(HttpContext http, string[] ids, IEnumerable<string?> current) =>
        http.Response.Headers[Requests.WatermarkHeader] = string.Join(", ", ids.Zip(current, (id, watermark) => $"{id}={watermark}"));
}

/// <summary>For the description of the interface.</summary>
internal sealed record ManyValuesJson(ValuesJson[] Indicators);
