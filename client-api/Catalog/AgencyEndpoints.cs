using System.Text.Json.Serialization;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace DataHub.Catalog;

/// <summary>Agencies and their API keys (design §5).</summary>
internal static class AgencyEndpoints
{
    private static readonly LocalText s_agency = new("Behörde", "Agency");
    private static readonly TimeSpan s_overlap = TimeSpan.FromDays(7);

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
            .Example("""{ "role": "push", "label": "Messnetz", "scope": { "feeds": [ "air-quality/default" ] }, "expires": "2027-12-31T23:00:00Z" }""");
        group.MapPost("{agency}/keys/{id}/rotation", RotateKeyAsync).WithSummary("Makes a key that takes the place of another, with the same role and scope; both are valid for a while. For admin keys of the agency or the platform.")
            .WithDescription("overlap says how long the old key lives on (ISO 8601, P7D without it); it never lives longer than it would have. Two keys at most are valid at once: the next rotation waits until the old one has ended or was revoked.")
            .Accepts<RotationBodyJson>("application/json").Produces<NewKeyJson>(StatusCodes.Status201Created).Refuses(400, 401, 403, 404, 409, 422)
            .Example("""{ "overlap": "P7D", "expires": "2027-12-31T23:00:00Z" }""");
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
        var (scope, unknown) = KeyScopeJson.Read(body!.Scope);
        if (unknown is not null) return Problems.Problem(http, ProblemTypes.InvalidAgency, unknown);
        return Made(http, agency, await grains.GetGrain<IAgencyGrain>(agency).MakeKeyAsync(http.Caller(), new(body.Role, body.Label, scope, body.Expires)));
    }

    private static async Task<IResult> RotateKeyAsync(string agency, string id, HttpContext http, IGrainFactory grains)
    {
        var (body, problem) = await http.ReadJsonAsync<RotationBodyJson>();
        if (problem is not null) return problem;
        if (!CatalogIds.IsValid(agency)) return Problems.NotFound(http, s_agency, agency);
        var overlap = s_overlap;
        if (body!.Overlap is not null && !JsonObjectReader.TryDuration(body.Overlap, out overlap))
        {
            return Problems.Problem(http, ProblemTypes.InvalidAgency, new(
                $"overlap: „{body.Overlap}“ ist keine Dauer aus Tagen, Stunden, Minuten und Sekunden nach ISO 8601, etwa P7D.",
                $"overlap: “{body.Overlap}” is no duration of days, hours, minutes and seconds as in ISO 8601, such as P7D."));
        }

        return Made(http, agency, await grains.GetGrain<IAgencyGrain>(agency).RotateKeyAsync(http.Caller(), id, overlap, body.Expires));
    }

    private static IResult Made(HttpContext http, string agency, KeyResult result)
    {
        if (result.Refusal != CatalogRefusal.None) return CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidAgency);
        http.Response.Headers.CacheControl = "no-store";
        var key = result.Key!;
        return TypedResults.Created($"/api/v1/agencies/{agency}/keys/{key.Id}", new NewKeyJson(key.Id, result.Secret!, key.Role, key.Label, key.Created, KeyScopeJson.Of(key.Scope), key.Expires));
    }

    private static async Task<IResult> ListKeysAsync(string agency, HttpContext http, IGrainFactory grains)
    {
        if (http.ReadPage(out var after, out var limit) is { } problem) return problem;
        if (!CatalogIds.IsValid(agency)) return Problems.NotFound(http, s_agency, agency);
        var result = await grains.GetGrain<IAgencyGrain>(agency).ListKeysAsync(http.Caller());
        if (result.Refusal == CatalogRefusal.NotFound) return Problems.NotFound(http, s_agency, agency);
        if (result.Refusal != CatalogRefusal.None) return Authentication.Forbidden(http, result.Detail!);
        var page = result.Keys.OrderBy(key => key.Id, StringComparer.Ordinal).Where(key => after is null || string.CompareOrdinal(key.Id, after) > 0).Take(limit + 1).ToArray();
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new KeyListJson(
            [.. page.Take(limit).Select(key => KeyJson.Of(key))],
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
}

/// <param name="Name">For people.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record AgencyBodyJson([property: JsonRequired] LocalText Name);

internal sealed record AgencyJson(string Id, LocalText Name);

/// <param name="Next">Path and query of the next page; null on the last.</param>
internal sealed record AgencyListJson(AgencyJson[] Agencies, string? Next);

/// <param name="Role">read, push or admin.</param>
/// <param name="Label">What the key is for.</param>
/// <param name="Scope">What it is narrowed to.</param>
/// <param name="Expires">When it ends by itself.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record KeyBodyJson([property: JsonRequired] KeyRole Role, string? Label = null, KeyScopeJson? Scope = null, DateTimeOffset? Expires = null);

/// <param name="Overlap">ISO 8601 duration for which the old key lives on; P7D without it.</param>
/// <param name="Expires">When the new key ends by itself.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record RotationBodyJson(string? Overlap = null, DateTimeOffset? Expires = null);

/// <summary>What a key is narrowed to; a member that is absent narrows nothing.</summary>
/// <param name="Operations">Rights, such as push or read-rows.</param>
/// <param name="Datasets">Ids.</param>
/// <param name="Feeds">dataset/feed.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record KeyScopeJson(string[]? Operations = null, string[]? Datasets = null, string[]? Feeds = null)
{
    /// <returns>The scope, or which word is unknown. One that narrows nothing is none.</returns>
    public static (KeyScope? Scope, LocalText? Unknown) Read(KeyScopeJson? json)
    {
        if (json is null or { Operations: null, Datasets: null, Feeds: null }) return (null, null);
        AccessRights? operations = json.Operations is null ? null : AccessRights.None;
        foreach (var word in json.Operations ?? [])
        {
            if (AccessWords.Right(word) is not { } right)
                return (null, new($"scope.operations: „{word}“ gibt es nicht; erlaubt sind: {string.Join(", ", AccessWords.Rights)}.", $"scope.operations: There is no “{word}”; allowed are: {string.Join(", ", AccessWords.Rights)}."));
            operations |= right;
        }

        return (new(operations, json.Datasets, json.Feeds), null);
    }

    public static KeyScopeJson? Of(KeyScope? scope) => scope is null ? null : new(
        scope.Operations is not { } operations ? null : [.. AccessWords.Rights.Where(word => (operations & AccessWords.Right(word)) != 0)], scope.Datasets, scope.Feeds);
}

/// <param name="Key">The whole key; in this answer only.</param>
internal sealed record NewKeyJson(string Id, string Key, KeyRole Role, string? Label, DateTimeOffset Created, KeyScopeJson? Scope, DateTimeOffset? Expires);

/// <param name="LastUsed">Null: not yet.</param>
/// <param name="ReplacedBy">The key that takes its place; both are valid until this one expires.</param>
internal sealed record KeyJson(
    string Id, KeyRole Role, string? Label, DateTimeOffset Created, DateTimeOffset? Revoked, KeyScopeJson? Scope, DateTimeOffset? Expires, DateTimeOffset? LastUsed, string? ReplacedBy)
{
    public static KeyJson Of(KeyInfo key) => new(key.Id, key.Role, key.Label, key.Created, key.Revoked, KeyScopeJson.Of(key.Scope), key.Expires, key.LastUsed, key.ReplacedBy);
}

internal sealed record KeyListJson(KeyJson[] Keys, string? Next);
