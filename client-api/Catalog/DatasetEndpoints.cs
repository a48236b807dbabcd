using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Xml;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace DataHub.Catalog;

/// <summary>Datasets with their contracts, and their feeds (design §5). Descriptions are open; rows need not be.</summary>
internal static class DatasetEndpoints
{
    private const string Json = "application/json; charset=utf-8";

    private static readonly LocalText s_dataset = new("Datensatz", "Dataset"), s_feed = new("Datenquelle", "Feed");

    public static void MapDatasetEndpoints(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/v1/datasets").WithTags("Datasets");
        group.MapRead("", ListAsync).WithSummary("Lists the datasets, by id.").Produces<DatasetListJson>().Paged();
        group.MapPut("{dataset}", PutAsync)
            .WithSummary("Creates or changes a dataset with its contract; for admin keys of the publisher or the platform. New optional fields make a new contract version; a change that would give stored rows another meaning is refused.")
            .Accepts<JsonDocument>("application/json").Produces<JsonDocument>().Produces<JsonDocument>(StatusCodes.Status201Created).Refuses(400, 401, 403, 409, 413, 415, 422, 503)
            .Example(DatasetExample);
        group.MapRead("{dataset}", GetAsync).WithSummary("One dataset with its present contract.").Produces<JsonDocument>().Produces(StatusCodes.Status304NotModified).Refuses(404);
        group.MapRead("{dataset}/release", GetStateAsync).WithSummary("Where a dataset stands in its life, with the checklist: what is required before it may be released, and what is recommended.")
            .Produces<ReleaseJson>().Refuses(404);
        group.MapPost("{dataset}/release", MoveAsync).WithSummary("Takes a step in a dataset's life: DRAFT, READY, AVAILABLE, RETIRED. What holds personal data is declared READY by one and made AVAILABLE by another.")
            .WithDescription("A step is done whole or not at all: once AVAILABLE is answered, the data can be read on every route. A step that lacks something is refused with 409 and the checklist. Repeating is harmless.")
            .Accepts<StateBodyJson>("application/json").Produces<ReleaseJson>().Refuses(400, 401, 403, 404, 409, 422)
            .Example("""{ "state": "AVAILABLE" }""");
        group.MapRead("{dataset}/feeds", ListFeedsAsync).WithSummary("The dataset's feeds, by id.").Produces<FeedListJson>().Paged().Refuses(404);
        group.MapPut("{dataset}/feeds/{feed}", PutFeedAsync).WithSummary("Creates or changes a feed; for admin keys of the publisher or the platform.")
            .Accepts<FeedBodyJson>("application/json").Produces<FeedJson>().Produces<FeedJson>(StatusCodes.Status201Created).Refuses(400, 401, 403, 404, 422)
            .Example("""{ "title": { "de": "Messnetz", "en": "Stations" }, "rhythm": "PT15M", "csv": { "delimiter": ";", "encoding": "windows-1252", "decimalChar": ",", "groupChar": ".", "dateTimeFormat": "%d.%m.%Y %H:%M", "nullValues": ["-"], "header": { "Messstelle": "station", "Zeit": "time" }, "ignore": ["Bemerkung"], "skipRows": 2 } }""");
        group.MapRead("{dataset}/feeds/{feed}", GetFeedAsync).WithSummary("One feed; every dataset has a feed default.").Produces<FeedJson>().Refuses(404);
    }

    private static async Task<IResult> PutAsync(string dataset, HttpContext http, IGrainFactory grains)
    {
        var (body, unreadable) = await http.ReadJsonAsync<JsonDocument>();
        if (unreadable is not null) return unreadable;
        using var document = body!;
        var (spec, invalid) = DatasetJson.Parse(http, document.RootElement);
        if (invalid is not null) return invalid;
        if (!CatalogIds.IsValid(dataset)) return Problems.Problem(http, ProblemTypes.InvalidId, new($"„{dataset}“ ist keine Kennung.", $"“{dataset}” is no id."), ("id", dataset));

        var result = await grains.GetGrain<IDatasetGrain>(dataset).PutAsync(http.Caller(), spec!);
        if (result.Refusal != CatalogRefusal.None) return CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidDataset, result.Problems, result.Checks);
        if (result.Created) http.Response.Headers.Location = $"/api/v1/datasets/{dataset}";
        return new Document(DatasetJson.Render(result.Dataset!), result.Created ? StatusCodes.Status201Created : StatusCodes.Status200OK);
    }

    private static async Task<IResult> GetAsync(string dataset, HttpContext http, IGrainFactory grains) =>
        await FindAsync(dataset, http, grains) is { } info
            ? Rendered.Of(DatasetJson.Render(info), Json).Answer()
            : Problems.NotFound(http, s_dataset, dataset);

    private static async Task<IResult> ListAsync(HttpContext http, IGrainFactory grains)
    {
        if (http.ReadPage(out var after, out var limit) is { } problem) return problem;
        var ids = await grains.GetGrain<ICatalogGrain>(CatalogKinds.Datasets).ListAsync(http.Caller(), after, limit);
        var datasets = await Task.WhenAll(ids.Select(id => grains.GetGrain<IDatasetGrain>(id).GetAsync(http.Caller())));
        return Rendered.Json(new DatasetListJson(
            [.. datasets.OfType<DatasetInfo>().Select(info => new DatasetSummaryJson(info.Id, info.Spec.Title, info.Spec.Publisher, info.Spec.Kind, info.Spec.Access, info.Spec.License, info.Modified))],
            ids.Length == limit ? http.Next(ids[^1], limit) : null)).Answer();
    }

    private static async Task<IResult> GetStateAsync(string dataset, HttpContext http, IGrainFactory grains) =>
        await FindAsync(dataset, http, grains) is { } info ? TypedResults.Ok(ReleaseJson.Of(info, Language.Of(http))) : Problems.NotFound(http, s_dataset, dataset);

    private static async Task<IResult> MoveAsync(string dataset, HttpContext http, IGrainFactory grains)
    {
        var (body, problem) = await http.ReadJsonAsync<StateBodyJson>();
        if (problem is not null) return problem;
        if (!DatasetJson.TryState(body!.State, out var to))
        {
            return Problems.Problem(http, ProblemTypes.InvalidDataset, new(
                $"state: „{body.State}“ gibt es nicht; erlaubt sind DRAFT, READY, AVAILABLE und RETIRED.", $"state: There is no “{body.State}”; allowed are DRAFT, READY, AVAILABLE and RETIRED."));
        }

        if (!CatalogIds.IsValid(dataset)) return Problems.NotFound(http, s_dataset, dataset);
        var result = await grains.GetGrain<IDatasetGrain>(dataset).MoveAsync(http.Caller(), to);
        if (result.Refusal == CatalogRefusal.Forbidden && result.Dataset is null && !http.Caller().IsPublic) return Problems.NotFound(http, s_dataset, dataset);
        return result.Refusal == CatalogRefusal.None
            ? TypedResults.Ok(ReleaseJson.Of(result.Dataset!, Language.Of(http)))
            : CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidDataset, checks: result.Checks);
    }

    private static async Task<IResult> PutFeedAsync(string dataset, string feed, HttpContext http, IGrainFactory grains)
    {
        var (body, problem) = await http.ReadJsonAsync<FeedBodyJson>();
        if (problem is not null) return problem;
        if (!CatalogIds.IsValid(dataset)) return Problems.NotFound(http, s_dataset, dataset);
        TimeSpan? rhythm = null;
        try
        {
            if (body!.Rhythm is not null) rhythm = XmlConvert.ToTimeSpan(body.Rhythm);
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            return Problems.Problem(http, ProblemTypes.InvalidFeed, new(
                $"rhythm: „{body!.Rhythm}“ ist keine Dauer nach ISO 8601, etwa PT15M oder P1D.",
                $"rhythm: “{body.Rhythm}” is no ISO 8601 duration, such as PT15M or P1D."));
        }

        var result = await grains.GetGrain<IDatasetGrain>(dataset).PutFeedAsync(http.Caller(), new(feed, body.Title, rhythm) { Csv = body.Csv?.Profile(), Quota = body.Quota is { } quota ? new FeedQuota(quota.RowsPerSecond, quota.BytesPerSecond, quota.RowsPerDay) : null });
        if (result.Refusal != CatalogRefusal.None) return CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidFeed);
        var json = FeedJson.Of(result.Dataset!.Feeds.First(f => f.Id == feed));
        return result.Created ? TypedResults.Created($"/api/v1/datasets/{dataset}/feeds/{feed}", json) : TypedResults.Ok(json);
    }

    private static async Task<IResult> GetFeedAsync(string dataset, string feed, HttpContext http, IGrainFactory grains)
    {
        if (await FindAsync(dataset, http, grains) is not { } info) return Problems.NotFound(http, s_dataset, dataset);
        return Array.Find(info.Feeds, f => f.Id == feed) is { } found ? TypedResults.Ok(FeedJson.Of(found)) : Problems.NotFound(http, s_feed, feed);
    }

    private static async Task<IResult> ListFeedsAsync(string dataset, HttpContext http, IGrainFactory grains)
    {
        if (http.ReadPage(out var after, out var limit) is { } problem) return problem;
        if (await FindAsync(dataset, http, grains) is not { } info) return Problems.NotFound(http, s_dataset, dataset);
        var page = info.Feeds.Where(feed => after is null || string.CompareOrdinal(feed.Id, after) > 0).Take(limit + 1).ToArray();
        return TypedResults.Ok(new FeedListJson([.. page.Take(limit).Select(FeedJson.Of)], page.Length > limit ? http.Next(page[limit - 1].Id, limit) : null));
    }

    private static async Task<DatasetInfo?> FindAsync(string dataset, HttpContext http, IGrainFactory grains) =>
        CatalogIds.IsValid(dataset) ? await grains.GetGrain<IDatasetGrain>(dataset).GetAsync(http.Caller()) : null;

    private const string DatasetExample =
        """
        { "title": { "de": "Luftgüte", "en": "Air quality" }, "publisher": "senumvk", "kind": "observations", "access": "open",
          "license": "dl-de/by-2-0", "areaSystem": "demo",
          "schema": { "primaryKey": ["station", "time"], "fields": [
            { "name": "station", "type": "string", "role": "series", "constraints": { "required": true, "maxLength": 64 } },
            { "name": "time", "type": "datetime", "role": "time", "constraints": { "required": true } },
            { "name": "area", "type": "string", "role": "area" },
            { "name": "no2", "type": "number", "role": "measure", "unit": "ug/m3", "constraints": { "minimum": 0, "maximum": 2000 } } ] } }
        """;

    /// <summary>Bytes that are JSON already.</summary>
    private sealed class Document(byte[] body, int status) : IResult, IStatusCodeHttpResult
    {
        public int? StatusCode => status;

        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.StatusCode = status;
            httpContext.Response.ContentType = Json;
            httpContext.Response.ContentLength = body.Length;
            httpContext.Response.BodyWriter.Write(body);
            return httpContext.Response.BodyWriter.FlushAsync(httpContext.RequestAborted).AsTask();
        }
    }
}

/// <param name="State">DRAFT, READY, AVAILABLE or RETIRED.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record StateBodyJson([property: JsonRequired] string State);

/// <param name="State">DRAFT, READY, AVAILABLE or RETIRED.</param>
/// <param name="Ready">When it was declared complete.</param>
/// <param name="Released">When it was released last.</param>
/// <param name="FourEyes">Whether somebody else must release it than who declares it ready.</param>
internal sealed record ReleaseJson(string Dataset, string State, DateTimeOffset? Ready, DateTimeOffset? Released, bool FourEyes, ReleaseCheckJson[] Checklist)
{
    public static ReleaseJson Of(DatasetInfo info, string language) => new(
        info.Id, AccessWords.Of(info.State), info.Release?.ReadyAt, info.Release?.ReleasedAt, info.Spec.Schema.Fields.Any(field => field.Role == FieldRole.Personal),
        [.. DatasetChecklist.Of(info.Spec).Select(check => ReleaseCheckJson.Of(check, language))]);
}

/// <param name="Code">The member that is meant.</param>
/// <param name="Required">Without it a step is refused; else it is recommended.</param>
internal sealed record ReleaseCheckJson(string Code, bool Required, bool Fulfilled, string Text)
{
    public static ReleaseCheckJson Of(ReleaseCheck check, string language) => new(check.Code, check.Required, check.Fulfilled, check.Text.In(language));
}

internal sealed record DatasetSummaryJson(string Id, LocalText Title, string Publisher, DatasetKind Kind, AccessClass Access, string? License, DateTimeOffset Modified);

/// <param name="Next">Path and query of the next page; null on the last.</param>
internal sealed record DatasetListJson(DatasetSummaryJson[] Datasets, string? Next);

/// <param name="Rhythm">ISO 8601 duration: a push is expected at least this often.</param>
/// <param name="Csv">How the feed writes CSV; without it the file itself shows.</param>
/// <param name="Quota">Set by the platform's admins only; others leave it out and keep it.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record FeedBodyJson(string? Id = null, LocalText? Title = null, string? Rhythm = null, FeedQuotaJson? Quota = null, CsvProfileJson? Csv = null);

internal sealed record FeedJson(
    string Id,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] LocalText? Title,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Rhythm,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] FeedQuotaJson? Quota,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] CsvProfileJson? Csv)
{
    public static FeedJson Of(FeedInfo feed) => new(
        feed.Id, feed.Title, feed.Rhythm is { } rhythm ? XmlConvert.ToString(rhythm) : null,
        feed.Quota is { } quota ? new(quota.RowsPerSecond, quota.BytesPerSecond, quota.RowsPerDay) : null,
        feed.Csv is { } csv ? CsvProfileJson.Of(csv) : null);
}

/// <summary>How much a feed may push; a member that is not there is no limit.</summary>
internal sealed record FeedQuotaJson(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? RowsPerSecond = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? BytesPerSecond = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? RowsPerDay = null);

internal sealed record FeedListJson(FeedJson[] Feeds, string? Next);
