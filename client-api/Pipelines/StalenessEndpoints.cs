using System.Text.Json.Serialization;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Indicators;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace DataHub.Pipelines;

/// <summary>Why a dataset is stale.</summary>
internal static class StalenessEndpoints
{
    private static readonly LocalText s_dataset = new("Datensatz", "Dataset");
    private static readonly string[] s_none = [];

    public static void MapStalenessEndpoints(this IEndpointRouteBuilder routes) =>
        routes.MapGroup("/api/v1/datasets/{dataset}").WithTags("Pipelines").MapRead("staleness", GetAsync)
            .WithSummary("Why a dataset is stale, in words: silent feeds, quarantine, runs that failed, wait or were not started, and inputs that are stale themselves. For keys of the publisher.")
            .WithDescription("code: retired, frozen, behind, feed-silent, feed-waiting, all-quarantined, part-quarantined, never-run, run-failed, run-ended, run-under-way, run-waiting, not-started-since or input-stale, which tells in behind why. What has stale=false does not make the dataset stale. Inputs of inputs are followed over a few levels, each dataset once.")
            .Produces<StalenessJson>().Refuses(400, 401, 403, 404, 503);

    private static async Task<IResult> GetAsync(string dataset, HttpContext http, IGrainFactory grains, TimeProvider time)
    {
        if (!CatalogIds.IsValid(dataset)) return Problems.NotFound(http, s_dataset, dataset);
        if (RowsParameters.Strict(http, s_none) is { } unknown) return unknown;
        http.Response.Headers.CacheControl = "no-store";
        var now = time.GetUtcNow();
        var (staleness, states, _) = await new StalenessFacts(grains, http.Caller(), now).JudgeAsync(dataset);
        if (staleness is not null) return TypedResults.Ok(new StalenessJson(dataset, now, staleness.IsStale, Array.ConvertAll(staleness.Reasons, reason => StaleReasonJson.Of(reason, Language.Of(http)))));
        return states.Refusal == ReadRefusal.None ? Problems.NotFound(http, s_dataset, dataset) : RowsEndpoints.Refused(http, states.Refusal, states.Detail, dataset);
    }
}

/// <param name="At">As of when.</param>
internal sealed record StalenessJson(string Dataset, DateTimeOffset At, bool Stale, StaleReasonJson[] Reasons);

/// <param name="Stale">It makes the dataset stale; else it is worth knowing.</param>
/// <param name="Dataset">An input of the job.</param>
/// <param name="Behind">Why that input is stale.</param>
internal sealed record StaleReasonJson(
    string Code, bool Stale, string Text,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? Since,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Feed,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Receipt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Job,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Run,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Dataset,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] StaleReasonJson[]? Behind)
{
    public static StaleReasonJson Of(StaleReason reason, string language) => new(
        reason.Code, reason.IsStale, reason.Text.In(language), reason.Since, reason.Feed, reason.Receipt, reason.Job, reason.Run, reason.Dataset,
        reason.Behind.Length == 0 ? null : Array.ConvertAll(reason.Behind, behind => Of(behind, language)));
}
