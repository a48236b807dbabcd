using System.Text.Json.Serialization;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace DataHub.Catalog;

/// <summary>Dataspaces, and the roles that are given in them.</summary>
internal static class DataspaceEndpoints
{
    private static readonly LocalText s_dataspace = new("Datenraum", "Dataspace");

    public static void MapDataspaceEndpoints(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/v1/dataspaces").WithTags("Dataspaces");
        group.MapRead("", ListAsync).WithSummary("Lists the dataspaces, by id.").Produces<DataspaceListJson>().Paged();
        group.MapPut("{dataspace}", PutAsync).WithSummary("Creates or changes a dataspace; for admin keys of its owner or the platform, and its coordinators.")
            .Accepts<DataspaceBodyJson>("application/json").Produces<DataspaceJson>().Produces<DataspaceJson>(StatusCodes.Status201Created).Refuses(400, 401, 403, 409, 422)
            .Example("""{ "title": { "de": "Umwelt", "en": "Environment" }, "description": "Was Messnetze liefern.", "owner": "senumvk" }""");
        group.MapRead("{dataspace}", GetAsync).WithSummary("One dataspace with those of its datasets that the caller may know of.").Produces<DataspaceJson>().Refuses(404);
        group.MapRead("{dataspace}/grants", ListGrantsAsync).WithSummary("The roles given in a dataspace: who, when, why, until when; those that are over too. For its coordinators and admin keys of its owner or the platform.")
            .Produces<GrantListJson>().Paged().Refuses(401, 403, 404);
        group.MapPost("{dataspace}/grants", GrantAsync).WithSummary("Gives a role to a group, in the dataspace or for one of its datasets. For its coordinators and admin keys of its owner or the platform.")
            .WithDescription("Roles: reader (Lesen), editor (Redaktion), developer (Entwicklung), coordinator (Koordination), releaser (Freigabe). None includes another. In the dataspace platform there is the role administrator only.")
            .Accepts<GrantBodyJson>("application/json").Produces<GrantJson>().Produces<GrantJson>(StatusCodes.Status201Created).Refuses(400, 401, 403, 404, 422)
            .Example("""{ "group": "senumvk/auswertung", "role": "reader", "why": "Jahresbericht 2026", "until": "2027-03-31T22:00:00Z" }""");
        group.MapPost("{dataspace}/grants/{grant}/revocation", RevokeAsync).WithSummary("Takes a role away, within a second everywhere. Repeating is harmless.")
            .Accepts<WhyBodyJson>("application/json").Produces<GrantJson>().Refuses(400, 401, 403, 404, 422)
            .Example("""{ "why": "Bericht ist fertig" }""");
    }

    private static async Task<IResult> PutAsync(string dataspace, HttpContext http, IGrainFactory grains)
    {
        var (body, problem) = await http.ReadJsonAsync<DataspaceBodyJson>();
        if (problem is not null) return problem;
        if (!CatalogIds.IsValid(dataspace)) return Problems.Problem(http, ProblemTypes.InvalidId, new($"„{dataspace}“ ist keine Kennung.", $"“{dataspace}” is no id."), ("id", dataspace));
        var result = await grains.GetGrain<IDataspaceGrain>(dataspace).PutAsync(http.Caller(), new(body!.Title, body.Description, body.Owner));
        if (result.Refusal != CatalogRefusal.None) return CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidDataspace);
        var json = await JsonAsync(result.Dataspace!, http, grains);
        return result.Created ? TypedResults.Created($"/api/v1/dataspaces/{dataspace}", json) : TypedResults.Ok(json);
    }

    private static async Task<IResult> GetAsync(string dataspace, HttpContext http, IGrainFactory grains) =>
        CatalogIds.IsValid(dataspace) && await grains.GetGrain<IDataspaceGrain>(dataspace).GetAsync(http.Caller()) is { } info
            ? TypedResults.Ok(await JsonAsync(info, http, grains))
            : Problems.NotFound(http, s_dataspace, dataspace);

    private static async Task<IResult> ListAsync(HttpContext http, IGrainFactory grains)
    {
        if (http.ReadPage(out var after, out var limit) is { } problem) return problem;
        var ids = await grains.GetGrain<ICatalogGrain>(CatalogKinds.Dataspaces).ListAsync(http.Caller(), after, limit);
        var found = await Task.WhenAll(ids.Select(id => grains.GetGrain<IDataspaceGrain>(id).GetAsync(http.Caller())));
        return TypedResults.Ok(new DataspaceListJson(
            [.. found.OfType<DataspaceInfo>().Select(info => new DataspaceSummaryJson(info.Id, info.Spec.Title, info.Spec.Owner))], ids.Length == limit ? http.Next(ids[^1], limit) : null));
    }

    private static async Task<IResult> ListGrantsAsync(string dataspace, HttpContext http, IGrainFactory grains)
    {
        if (http.ReadPage(out var after, out var limit) is { } problem) return problem;
        if (!CatalogIds.IsValid(dataspace)) return Problems.NotFound(http, s_dataspace, dataspace);
        var list = await grains.GetGrain<IDataspaceGrain>(dataspace).ListGrantsAsync(http.Caller());
        if (list.Refusal != CatalogRefusal.None) return CatalogProblems.From(http, list.Refusal, list.Detail, ProblemTypes.InvalidDataspace);
        var page = list.Grants.OrderBy(grant => grant.Id, StringComparer.Ordinal).Where(grant => after is null || string.CompareOrdinal(grant.Id, after) > 0).Take(limit + 1).ToArray();
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new GrantListJson([.. page.Take(limit).Select(GrantJson.Of)], page.Length > limit ? http.Next(page[limit - 1].Id, limit) : null));
    }

    private static async Task<IResult> GrantAsync(string dataspace, HttpContext http, IGrainFactory grains)
    {
        var (body, problem) = await http.ReadJsonAsync<GrantBodyJson>();
        if (problem is not null) return problem;
        if (!CatalogIds.IsValid(dataspace)) return Problems.NotFound(http, s_dataspace, dataspace);
        var result = await grains.GetGrain<IDataspaceGrain>(dataspace).GrantAsync(http.Caller(), new(body!.Group, body.Role, body.Dataset, body.Why, body.Until));
        if (result.Refusal != CatalogRefusal.None) return CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidDataspace);
        var json = GrantJson.Of(result.Grant!);
        return result.Created ? TypedResults.Created($"/api/v1/dataspaces/{dataspace}/grants/{json.Id}", json) : TypedResults.Ok(json);
    }

    private static async Task<IResult> RevokeAsync(string dataspace, string grant, HttpContext http, IGrainFactory grains)
    {
        var (body, problem) = await http.ReadJsonAsync<WhyBodyJson>();
        if (problem is not null) return problem;
        if (!CatalogIds.IsValid(dataspace)) return Problems.NotFound(http, s_dataspace, dataspace);
        var result = await grains.GetGrain<IDataspaceGrain>(dataspace).RevokeGrantAsync(http.Caller(), grant, body!.Why);
        return result.Refusal == CatalogRefusal.None ? TypedResults.Ok(GrantJson.Of(result.Grant!)) : CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidDataspace);
    }

    /// <summary>A dataset may have moved on, or be none that the caller may know of.</summary>
    private static async Task<DataspaceJson> JsonAsync(DataspaceInfo info, HttpContext http, IGrainFactory grains)
    {
        var datasets = await Task.WhenAll(info.Datasets.Select(id => grains.GetGrain<IDatasetGrain>(id).GetAsync(http.Caller())));
        return new(info.Id, info.Spec.Title, info.Spec.Description, info.Spec.Owner, info.Issued, info.Modified, [.. datasets.OfType<DatasetInfo>().Where(dataset => dataset.Spec.Dataspace == info.Id).Select(dataset => dataset.Id)]);
    }
}

/// <param name="Owner">The agency whose admin keys act for it; fixed.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record DataspaceBodyJson([property: JsonRequired] LocalText Title, [property: JsonRequired] string Owner, LocalText? Description = null);

internal sealed record DataspaceJson(string Id, LocalText Title, LocalText? Description, string Owner, DateTimeOffset Issued, DateTimeOffset Modified, string[] Datasets);

internal sealed record DataspaceSummaryJson(string Id, LocalText Title, string Owner);

/// <param name="Next">Path and query of the next page; null on the last.</param>
internal sealed record DataspaceListJson(DataspaceSummaryJson[] Dataspaces, string? Next);

/// <param name="Group">agency/group.</param>
/// <param name="Dataset">Narrows it to one dataset of the dataspace.</param>
/// <param name="Why">For whoever asks later.</param>
/// <param name="Until">When it ends by itself.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record GrantBodyJson([property: JsonRequired] string Group, [property: JsonRequired] DataspaceRole Role, [property: JsonRequired] string Why, string? Dataset = null, DateTimeOffset? Until = null);

/// <param name="Why">For whoever asks later.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record WhyBodyJson([property: JsonRequired] string Why);

internal sealed record RevocationJson(string By, DateTimeOffset At, string Why);

internal sealed record GrantJson(string Id, string Group, DataspaceRole Role, string? Dataset, string By, DateTimeOffset At, string Why, DateTimeOffset? Until, RevocationJson? Revoked)
{
    public static GrantJson Of(GrantInfo grant) => new(
        grant.Id, grant.Group, grant.Role, grant.Dataset, grant.By, grant.At, grant.Why, grant.Until,
        grant.RevokedAt is { } at ? new(grant.RevokedBy!, at, grant.RevokedWhy!) : null);
}

internal sealed record GrantListJson(GrantJson[] Grants, string? Next);
