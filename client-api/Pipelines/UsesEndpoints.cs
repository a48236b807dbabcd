using System.Text.Json.Serialization;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Indicators;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.OpenApi;

namespace DataHub.Pipelines;

/// <summary>What uses a dataset, or what one push brought.</summary>
internal static class UsesEndpoints
{
    private const string Description =
        "Agreements, runs of agencies' own tools that told of it (foreign-run), indicators (with the page that shows them), jobs, and complete runs with what they wrote; level 1 and on: uses of what runs before had written. Only what the caller may know of is told, and not how much else there is. complete is false where a limit was reached: runs are followed over a few levels, the newest first.";

    private static readonly string[] s_known = ["limit", "after"];
    private static readonly LocalText s_dataset = new("Datensatz", "Dataset"), s_receipt = new("Quittung", "Receipt");

    public static void MapUsesEndpoints(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/v1").WithTags("Pipelines");
        group.MapRead("datasets/{dataset}/uses", OfDatasetAsync).WithSummary("What uses a dataset: indicators, jobs and their runs, agreements, and what uses the datasets that those runs wrote.")
            .WithDescription(Description).Takes("limit", $"Uses of the page, 1 to {Requests.MaxPage}.", JsonSchemaType.Integer).Takes("after", "From the next of an earlier answer.")
            .Produces<UsesJson>().Refuses(400, 404);
        group.MapRead("receipts/{receipt}/uses", OfReceiptAsync).WithSummary("What uses the rows of a push: what uses their dataset, and of the runs those that read it when they were there.")
            .WithDescription(Description).Takes("limit", $"Uses of the page, 1 to {Requests.MaxPage}.", JsonSchemaType.Integer).Takes("after", "From the next of an earlier answer.")
            .Produces<UsesJson>().Refuses(400, 401, 404, 503);
    }

    private static async Task<IResult> OfDatasetAsync(string dataset, HttpContext http, IGrainFactory grains)
    {
        if (!CatalogIds.IsValid(dataset) || await grains.GetGrain<IDatasetGrain>(dataset).GetAsync(http.Caller()) is null) return Problems.NotFound(http, s_dataset, dataset);
        return await AnswerAsync(http, grains, dataset, null, null, DateTimeOffset.MinValue);
    }

    private static async Task<IResult> OfReceiptAsync(string receipt, HttpContext http, IGrainFactory grains)
    {
        if (http.Caller().IsPublic) return Authentication.Forbidden(http, new("Nötig ist ein Schlüssel der Behörde, die geliefert hat.", "A key of the agency that pushed is needed."));
        if (!ReceiptIds.IsValid(receipt)) return Problems.NotFound(http, s_receipt, receipt);
        var result = await grains.GetGrain<IReceiptGrain>(receipt).GetAsync(http.Caller());
        if (result.Refusal == ReadRefusal.NotFound) return Problems.NotFound(http, s_receipt, receipt);
        if (result.Refusal != ReadRefusal.None) return RowsEndpoints.Refused(http, result.Refusal, result.Detail, receipt);
        return await AnswerAsync(http, grains, result.Parts[0].Push.Dataset, receipt, Watermark.TryParse(result.Watermark, out var watermark) ? watermark : null, result.Parts.Max(part => part.ReceivedAt));
    }

    private static async Task<IResult> AnswerAsync(HttpContext http, IGrainFactory grains, string dataset, string? receipt, Watermark? from, DateTimeOffset since)
    {
        if (RowsParameters.Strict(http, s_known) is { } unknown) return unknown;
        if (RowsParameters.Limit(http, Requests.MaxPage, 100, out var limit) is { } badLimit) return badLimit;
        var after = RowsParameters.Text(http, "after");
        if (after is not null && after.Split('/') is not [_, _, _, _]) return RowsParameters.BadCursor(http);

        http.Response.Headers.CacheControl = "no-store";
        var uses = await DataUses.OfAsync(grains, http.Caller(), dataset, from, since);
        var page = uses.All.Where(use => after is null || string.CompareOrdinal(use.Place, after) > 0).Take(limit + 1).ToArray();
        return TypedResults.Ok(new UsesJson(
            dataset, receipt, [.. page.Take(limit).Select(DataUseJson.Of)], !uses.IsPartial, page.Length > limit ? http.Next(page[limit - 1].Place, limit) : null));
    }
}

/// <param name="Receipt">The push that was asked about; absent: the whole dataset.</param>
/// <param name="Complete">False where a limit was reached: there may be more.</param>
internal sealed record UsesJson(string Dataset, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Receipt, DataUseJson[] Uses, bool Complete, string? Next);

/// <param name="Kind">agreement, foreign-run (of an agency's own tools), indicator, job or run.</param>
/// <param name="Level">0: it uses what was asked about; 1: it uses what a run of level 0 wrote; and so on.</param>
/// <param name="Dataset">Which it uses.</param>
/// <param name="Page">Where people see it.</param>
/// <param name="Recipient">Of an agreement.</param>
/// <param name="Job">Of a run; of a foreign-run with its namespace.</param>
/// <param name="Watermark">As of which a run read.</param>
/// <param name="Wrote">What a run wrote, each push with its receipt.</param>
internal sealed record DataUseJson(
    string Kind, string Id, int Level, string Dataset, LocalText? Title, string? Page,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? State,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Recipient,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Job,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Namespace,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? Ended,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Watermark,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DataWritten[]? Wrote)
{
    public static DataUseJson Of(DataUse use) => new(
        use.Kind, use.Id, use.Level, use.Dataset, use.Title, use.Page, use.State, use.Recipient, use.Job, use.Namespace, use.Ended, use.Watermark, use.Kind == "run" ? use.Wrote : null);
}
