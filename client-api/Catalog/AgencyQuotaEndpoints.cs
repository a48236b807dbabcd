using System.Text.Json.Serialization;

using DataHub.Feeds;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace DataHub.Catalog;

/// <summary>What an agency may use of the hub, and what it has used.</summary>
internal static class AgencyQuotaEndpoints
{
    private static readonly LocalText s_agency = new("Behörde", "Agency");

    public static void MapAgencyQuotaEndpoints(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/v1/agencies/{agency}/quota").WithTags("Agencies");
        group.MapPut("", PutAsync).WithSummary("Sets what an agency may use; for admin keys of the platform.")
            .WithDescription("rowsPerSecond counts the rows of all feeds of the datasets that the agency publishes, on average over ten seconds; bytesPerDay their bodies after decompression, from midnight to midnight in Europe/Berlin; datasets those that are not retired. A member that is absent or null: the hub's default (DataHub:Quota:Agency…); 0: no limit. It takes effect within four seconds. Beyond it pushes get 429 with Retry-After.")
            .Accepts<AgencyQuotaBodyJson>("application/json").Produces<AgencyQuotaJson>().Refuses(400, 401, 403, 404, 422)
            .Example("""{ "rowsPerSecond": 5000, "bytesPerDay": 20000000000, "datasets": 200 }""");
        group.MapRead("", GetAsync).WithSummary("What an agency may use, and what it has used today. For admin keys of the agency or the platform.")
            .Produces<AgencyQuotaJson>().Refuses(401, 403, 404);
    }

    private static async Task<IResult> PutAsync(string agency, HttpContext http, IGrainFactory grains)
    {
        var (body, problem) = await http.ReadJsonAsync<AgencyQuotaBodyJson>();
        if (problem is not null) return problem;
        if (!CatalogIds.IsValid(agency)) return Problems.NotFound(http, s_agency, agency);
        return Answer(http, agency, await grains.GetGrain<IAgencyQuotaGrain>(agency).PutAsync(http.Caller(), new(body!.RowsPerSecond, body.BytesPerDay, body.Datasets)));
    }

    private static async Task<IResult> GetAsync(string agency, HttpContext http, IGrainFactory grains) =>
        CatalogIds.IsValid(agency) ? Answer(http, agency, await grains.GetGrain<IAgencyQuotaGrain>(agency).GetAsync(http.Caller())) : Problems.NotFound(http, s_agency, agency);

    private static IResult Answer(HttpContext http, string agency, AgencyQuotaResult result)
    {
        if (result.Refusal != CatalogRefusal.None) return CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidAgency);
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new AgencyQuotaJson(agency, AgencyLimitsJson.Of(result.Quota), AgencyLimitsJson.Of(result.Holds), new(result.RowsToday, result.BytesToday, result.Datasets), [.. result.Quotas.Select(QuotaReadingJson.Of)]));
    }
}

/// <param name="RowsPerSecond">Null: the hub's default; 0: no limit.</param>
/// <param name="BytesPerDay">Null: the hub's default; 0: no limit.</param>
/// <param name="Datasets">Null: the hub's default; 0: no limit.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record AgencyQuotaBodyJson(long? RowsPerSecond = null, long? BytesPerDay = null, long? Datasets = null);

/// <param name="Set">As the platform set it; null: the hub's default, 0: no limit.</param>
/// <param name="Holds">What holds; null: no limit.</param>
/// <param name="Standing">How the limits of pushes stand, as the RateLimit fields of a push tell it.</param>
internal sealed record AgencyQuotaJson(string Agency, AgencyLimitsJson Set, AgencyLimitsJson Holds, AgencyUseJson Used, QuotaReadingJson[] Standing);

internal sealed record AgencyLimitsJson(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] long? RowsPerSecond,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] long? BytesPerDay,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] long? Datasets)
{
    public static AgencyLimitsJson Of(AgencyQuota quota) => new(quota.RowsPerSecond, quota.BytesPerDay, quota.Datasets);
}

/// <param name="RowsToday">Since midnight in Europe/Berlin.</param>
/// <param name="BytesToday">Of bodies after decompression.</param>
/// <param name="Datasets">That are not retired.</param>
internal sealed record AgencyUseJson(long RowsToday, long BytesToday, int Datasets);

/// <param name="Window">Seconds.</param>
/// <param name="Reset">Seconds until all of it is there again.</param>
internal sealed record QuotaReadingJson(string Name, long Quota, int Window, long Remaining, int Reset)
{
    public static QuotaReadingJson Of(QuotaReading reading) => new(reading.Name, reading.Quota, reading.Window, reading.Remaining, reading.Reset);
}
