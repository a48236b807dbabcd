using System.Text.Json.Serialization;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace DataHub.Catalog;

/// <summary>Agencies and their API keys (design §5).</summary>
internal static class AgencyEndpoints
{
    private static readonly LocalText s_agency = new("Behörde", "Agency");

    public static void MapAgencyEndpoints(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/v1/agencies").WithTags("Agencies");
        group.MapRead("", ListAsync).WithSummary("Lists the agencies, by id.").Produces<AgencyListJson>().Paged();
        group.MapPut("{agency}", PutAsync).WithSummary("Creates or renames an agency; for admin keys of the platform.")
            .Accepts<AgencyBodyJson>("application/json").Produces<AgencyJson>().Produces<AgencyJson>(StatusCodes.Status201Created).Refuses(400, 401, 403, 422)
            .Example("""{ "name": { "de": "Senatsverwaltung für Umwelt", "en": "Department for the Environment" } }""");
        group.MapRead("{agency}", GetAsync).WithSummary("One agency.").Produces<AgencyJson>().Refuses(404);
        group.MapPost("{agency}/keys", CreateKeyAsync).WithSummary("Makes a key; it is shown in this answer only. For admin keys of the agency or the platform.")
            .Accepts<KeyBodyJson>("application/json").Produces<NewKeyJson>(StatusCodes.Status201Created).Refuses(400, 401, 403, 404, 422)
            .Example("""{ "role": "push", "label": "Messnetz" }""");
        group.MapRead("{agency}/keys", ListKeysAsync).WithSummary("The keys without their secrets; for admin keys of the agency or the platform.")
            .Produces<KeyListJson>().Paged().Refuses(401, 403, 404);
        group.MapDelete("{agency}/keys/{id}", RevokeKeyAsync).WithSummary("Ends a key, within half a second everywhere. For admin keys of the agency or the platform.")
            .Produces(StatusCodes.Status204NoContent).Refuses(401, 403, 404, 409);
    }

    private static async Task<IResult> PutAsync(string agency, HttpContext http, IGrainFactory grains)
    {
        var (body, problem) = await http.ReadJsonAsync<AgencyBodyJson>();
        if (problem is not null) return problem;
        var grain = grains.GetGrain<IAgencyGrain>(agency);
        var existed = await grain.GetAsync(http.Caller()) is not null;
        var result = await grain.PutAsync(http.Caller(), body!.Name);
        if (result.Refusal != CatalogRefusal.None) return CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidAgency);
        var json = new AgencyJson(result.Agency!.Id, result.Agency.Name);
        return existed ? TypedResults.Ok(json) : TypedResults.Created($"/api/v1/agencies/{agency}", json);
    }

    private static async Task<IResult> GetAsync(string agency, HttpContext http, IGrainFactory grains) =>
        CatalogIds.IsValid(agency) && await grains.GetGrain<IAgencyGrain>(agency).GetAsync(http.Caller()) is { } info
            ? TypedResults.Ok(new AgencyJson(info.Id, info.Name))
            : Problems.NotFound(http, s_agency, agency);

    private static async Task<IResult> ListAsync(HttpContext http, IGrainFactory grains)
    {
        if (http.ReadPage(out var after, out var limit) is { } problem) return problem;
        var ids = await grains.GetGrain<ICatalogGrain>(CatalogKinds.Agencies).ListAsync(http.Caller(), after, limit);
        var agencies = await Task.WhenAll(ids.Select(id => grains.GetGrain<IAgencyGrain>(id).GetAsync(http.Caller())));
        return TypedResults.Ok(new AgencyListJson(
            [.. agencies.OfType<AgencyInfo>().Select(info => new AgencyJson(info.Id, info.Name))],
            ids.Length == limit ? http.Next(ids[^1], limit) : null));
    }

    private static async Task<IResult> CreateKeyAsync(string agency, HttpContext http, IGrainFactory grains)
    {
        var (body, problem) = await http.ReadJsonAsync<KeyBodyJson>();
        if (problem is not null) return problem;
        if (!CatalogIds.IsValid(agency)) return Problems.NotFound(http, s_agency, agency);
        var result = await grains.GetGrain<IAgencyGrain>(agency).CreateKeyAsync(http.Caller(), body!.Role, body.Label);
        if (result.Refusal != CatalogRefusal.None) return CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidAgency);
        http.Response.Headers.CacheControl = "no-store";
        var key = result.Key!;
        return TypedResults.Created($"/api/v1/agencies/{agency}/keys/{key.Id}", new NewKeyJson(key.Id, result.Secret!, key.Role, key.Label, key.Created));
    }

    private static async Task<IResult> ListKeysAsync(string agency, HttpContext http, IGrainFactory grains)
    {
        if (http.ReadPage(out var after, out var limit) is { } problem) return problem;
        if (!CatalogIds.IsValid(agency)) return Problems.NotFound(http, s_agency, agency);
        var result = await grains.GetGrain<IAgencyGrain>(agency).ListKeysAsync(http.Caller());
        if (result.Refusal == CatalogRefusal.NotFound) return Problems.NotFound(http, s_agency, agency);
        if (result.Refusal != CatalogRefusal.None) return Authentication.Forbidden(http, NeedsAdmin(agency));
        var page = result.Keys.OrderBy(key => key.Id, StringComparer.Ordinal).Where(key => after is null || string.CompareOrdinal(key.Id, after) > 0).Take(limit + 1).ToArray();
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new KeyListJson(
            [.. page.Take(limit).Select(key => new KeyJson(key.Id, key.Role, key.Label, key.Created, key.Revoked))],
            page.Length > limit ? http.Next(page[limit - 1].Id, limit) : null));
    }

    private static async Task<IResult> RevokeKeyAsync(string agency, string id, HttpContext http, IGrainFactory grains)
    {
        if (!CatalogIds.IsValid(agency)) return Problems.NotFound(http, s_agency, agency);
        var result = await grains.GetGrain<IAgencyGrain>(agency).RevokeKeyAsync(http.Caller(), id);
        return result.Refusal == CatalogRefusal.None
            ? TypedResults.NoContent()
            : CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidAgency);
    }

    private static LocalText NeedsAdmin(string agency) =>
        new($"Nötig ist ein Admin-Schlüssel von „{agency}“ oder der Plattform.", $"An admin key of “{agency}” or of the platform is needed.");
}

/// <param name="Name">For people.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record AgencyBodyJson([property: JsonRequired] LocalText Name);

internal sealed record AgencyJson(string Id, LocalText Name);

/// <param name="Next">Path and query of the next page; null on the last.</param>
internal sealed record AgencyListJson(AgencyJson[] Agencies, string? Next);

/// <param name="Role">read, push or admin.</param>
/// <param name="Label">What the key is for.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record KeyBodyJson([property: JsonRequired] KeyRole Role, string? Label = null);

/// <param name="Key">The whole key; in this answer only.</param>
internal sealed record NewKeyJson(string Id, string Key, KeyRole Role, string? Label, DateTimeOffset Created);

internal sealed record KeyJson(string Id, KeyRole Role, string? Label, DateTimeOffset Created, DateTimeOffset? Revoked);

internal sealed record KeyListJson(KeyJson[] Keys, string? Next);
