using System.Globalization;
using System.Text.Json.Serialization;

using DataHub.Catalog;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace DataHub.Pipelines;

/// <summary>Keys with which an agency's jobs make pseudonyms, by purpose; their bytes are never told.</summary>
internal static class PseudonymKeyEndpoints
{
    private static readonly LocalText s_agency = new("Behörde", "Agency"), s_key = new("Schlüssel für Pseudonyme", "Key for pseudonyms");

    public static void MapPseudonymKeyEndpoints(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/v1/agencies/{agency}/pseudonym-keys").WithTags("Pipelines");
        group.MapRead("", ListAsync).WithSummary("The purposes for which the agency has keys that make pseudonyms, with their versions and without their bytes. For admin keys of the agency or the platform.")
            .Produces<PseudonymKeyListJson>().Paged().Refuses(401, 403, 404);
        group.MapPost("{purpose}/rotation", RotateAsync).WithSummary("Makes a new version of a purpose's key, the first one too. For admin keys of the agency or the platform.")
            .WithDescription("Runs that are started from now on use it; runs that repeat earlier ones use the version that those pinned. Pseudonyms of two versions cannot be tied to each other.")
            .Produces<PseudonymKeysJson>(StatusCodes.Status201Created).Refuses(400, 401, 403, 404, 422, 503);
        group.MapPost("{purpose}/versions/{version}/destruction", DestroyAsync).WithSummary("Destroys a version of a key, for ever. For admin keys of the agency or the platform.")
            .WithDescription("No run can use it any more, and nobody can find out by trying whom a pseudonym stands for. Backups made before have it until they are deleted. Repeating is harmless.")
            .Accepts<DestructionJson>("application/json").Produces<PseudonymKeysJson>().Refuses(400, 401, 403, 404, 422);
    }

    private static async Task<IResult> ListAsync(string agency, HttpContext http, IGrainFactory grains)
    {
        if (http.ReadPage(out var after, out var limit) is { } problem) return problem;
        if (!CatalogIds.IsValid(agency)) return Problems.NotFound(http, s_agency, agency);
        // All keys of an agency are for the same eyes.
        var may = await grains.GetGrain<IAgencyGrain>(agency).ListKeysAsync(http.Caller());
        if (may.Refusal == CatalogRefusal.NotFound) return Problems.NotFound(http, s_agency, agency);
        if (may.Refusal != CatalogRefusal.None) return Authentication.Forbidden(http, may.Detail!);
        http.Response.Headers.CacheControl = "no-store";
        var purposes = await grains.GetGrain<ICatalogGrain>(CatalogKinds.PseudonymKeysOf(agency)).ListAsync(http.Caller(), after, limit);
        var found = await Task.WhenAll(purposes.Select(purpose => Keys(grains, agency, purpose).GetAsync(http.Caller())));
        return TypedResults.Ok(new PseudonymKeyListJson(
            [.. found.Where(one => one.Refusal == CatalogRefusal.None).Select(one => PseudonymKeysJson.Of(one.Keys!))], purposes.Length == limit ? http.Next(purposes[^1], limit) : null));
    }

    private static async Task<IResult> RotateAsync(string agency, string purpose, HttpContext http, IGrainFactory grains)
    {
        if (!CatalogIds.IsValid(agency)) return Problems.NotFound(http, s_agency, agency);
        if (!CatalogIds.IsValid(purpose)) return Problems.Problem(http, ProblemTypes.InvalidId, new($"„{purpose}“ ist keine Kennung.", $"“{purpose}” is no id."), ("id", purpose));
        var result = await Keys(grains, agency, purpose).RotateAsync(http.Caller());
        return result.Refusal == CatalogRefusal.None
            ? TypedResults.Created($"/api/v1/agencies/{agency}/pseudonym-keys", PseudonymKeysJson.Of(result.Keys!))
            : CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidAgency);
    }

    private static async Task<IResult> DestroyAsync(string agency, string purpose, string version, HttpContext http, IGrainFactory grains)
    {
        var (body, problem) = await http.ReadJsonAsync<DestructionJson>();
        if (problem is not null) return problem;
        if (!CatalogIds.IsValid(agency)) return Problems.NotFound(http, s_agency, agency);
        if (!CatalogIds.IsValid(purpose) || !int.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return Problems.NotFound(http, s_key, $"{purpose} {version}");
        var result = await Keys(grains, agency, purpose).DestroyAsync(http.Caller(), number, body!.Reason);
        return result.Refusal == CatalogRefusal.None ? TypedResults.Ok(PseudonymKeysJson.Of(result.Keys!)) : CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidAgency);
    }

    private static IPseudonymKeysGrain Keys(IGrainFactory grains, string agency, string purpose) => grains.GetGrain<IPseudonymKeysGrain>(PseudonymPurposes.Key(agency, purpose));
}

/// <param name="Reason">For the audit log.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record DestructionJson([property: JsonRequired] string Reason);

internal sealed record PseudonymKeyListJson(PseudonymKeysJson[] Keys, string? Next);

/// <param name="Versions">Oldest first.</param>
internal sealed record PseudonymKeysJson(string Purpose, PseudonymKeyJson[] Versions)
{
    public static PseudonymKeysJson Of(PseudonymKeysInfo keys) => new(
        keys.Purpose, Array.ConvertAll(keys.Versions, version => new PseudonymKeyJson(version.Version, version.Created, version.By, version.Destroyed, version.DestroyedBy, version.Reason)));
}

/// <param name="Destroyed">When; null: it was not.</param>
internal sealed record PseudonymKeyJson(int Version, DateTimeOffset Created, string By, DateTimeOffset? Destroyed, string? DestroyedBy, string? Reason);
