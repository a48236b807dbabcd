using System.Text.Json.Serialization;

using DataHub.Catalog;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace DataHub.Pipelines;

/// <summary>Keys with which an agency's jobs fetch from other hosts; what they are is never told again.</summary>
internal static class PullKeyEndpoints
{
    private static readonly LocalText s_agency = new("Behörde", "Agency"), s_key = new("Schlüssel für andere Server", "Key for other hosts");

    public static void MapPullKeyEndpoints(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/v1/agencies/{agency}/pull-keys").WithTags("Pipelines");
        group.MapRead("", ListAsync).WithSummary("The agency's keys for other hosts, without the keys themselves. For admin keys of the agency or the platform.")
            .Produces<PullKeyListJson>().Paged().Refuses(401, 403, 404);
        group.MapPut("{key}", PutAsync).WithSummary("Stores a key for another host, or puts another in its place. For admin keys of the agency or the platform.")
            .WithDescription("Steps of the agency's jobs name it (read.key). It is sent as Authorization: Bearer to this host only, by https (by http only to an address of the machine itself that the operator lists), after a redirect to another host not any more. Nobody is ever told it again. Runs that fetch from now on use it.")
            .Accepts<PullKeyRequestJson>("application/json").Produces<PullKeyJson>().Produces<PullKeyJson>(StatusCodes.Status201Created).Refuses(400, 401, 403, 404, 422, 503);
        group.MapRead("{key}", GetAsync).WithSummary("To which host a key is sent, and who put it when; not the key itself. For admin keys of the agency or the platform.")
            .Produces<PullKeyJson>().Refuses(401, 403, 404);
        group.MapDelete("{key}", DeleteAsync).WithSummary("Deletes a key for another host: steps that name it fail until there is one again. For admin keys of the agency or the platform.")
            .WithDescription("Backups made before have it until they are deleted: withdraw it at the other host too.")
            .Produces<PullKeyJson>().Refuses(401, 403, 404, 503);
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
        var names = await grains.GetGrain<ICatalogGrain>(CatalogKinds.PullKeysOf(agency)).ListAsync(http.Caller(), after, limit);
        var found = await Task.WhenAll(names.Select(name => Key(grains, agency, name).GetAsync(http.Caller())));
        return TypedResults.Ok(new PullKeyListJson([.. found.Where(one => one.Refusal == CatalogRefusal.None).Select(one => PullKeyJson.Of(one.Key!))], names.Length == limit ? http.Next(names[^1], limit) : null));
    }

    private static async Task<IResult> PutAsync(string agency, string key, HttpContext http, IGrainFactory grains)
    {
        var (body, problem) = await http.ReadJsonAsync<PullKeyRequestJson>();
        if (problem is not null) return problem;
        if (!CatalogIds.IsValid(agency)) return Problems.NotFound(http, s_agency, agency);
        if (!CatalogIds.IsValid(key)) return Problems.Problem(http, ProblemTypes.InvalidId, new($"„{key}“ ist keine Kennung.", $"“{key}” is no id."), ("id", key));
        var result = await Key(grains, agency, key).PutAsync(http.Caller(), body!.Host ?? "", new(body.Key ?? ""));
        if (result.Refusal != CatalogRefusal.None) return CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidAgency);
        http.Response.Headers.CacheControl = "no-store";
        var json = PullKeyJson.Of(result.Key!);
        return json.Version == 1 ? TypedResults.Created($"/api/v1/agencies/{agency}/pull-keys/{key}", json) : TypedResults.Ok(json);
    }

    private static Task<IResult> GetAsync(string agency, string key, HttpContext http, IGrainFactory grains) => AnswerAsync(agency, key, http, grains, grain => grain.GetAsync(http.Caller()));

    private static Task<IResult> DeleteAsync(string agency, string key, HttpContext http, IGrainFactory grains) => AnswerAsync(agency, key, http, grains, grain => grain.DeleteAsync(http.Caller()));

    private static async Task<IResult> AnswerAsync(string agency, string key, HttpContext http, IGrainFactory grains, Func<IPullKeyGrain, Task<PullKeyResult>> ask)
    {
        if (!CatalogIds.IsValid(agency)) return Problems.NotFound(http, s_agency, agency);
        if (!CatalogIds.IsValid(key)) return Problems.NotFound(http, s_key, key);
        var result = await ask(Key(grains, agency, key));
        http.Response.Headers.CacheControl = "no-store";
        return result.Refusal == CatalogRefusal.None ? TypedResults.Ok(PullKeyJson.Of(result.Key!)) : CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidAgency);
    }

    private static IPullKeyGrain Key(IGrainFactory grains, string agency, string key) => grains.GetGrain<IPullKeyGrain>(PullKeys.Key(agency, key));
}

/// <param name="Host">A name or address, with a port where it is not 443.</param>
/// <param name="Key">As the other host gave it out, without the word Bearer.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record PullKeyRequestJson([property: JsonRequired] string? Host, [property: JsonRequired] string? Key)
{
    /// <summary>Whatever prints a request has no key in it.</summary>
    public override string ToString() => $"key for {Host}";
}

internal sealed record PullKeyListJson(PullKeyJson[] Keys, string? Next);

/// <param name="Name">By which steps name it (read.key).</param>
/// <param name="Version">Counts how often it was put; the first is 1.</param>
/// <param name="Set">When it was put last.</param>
internal sealed record PullKeyJson(string Name, string Host, int Version, DateTimeOffset Set, string By)
{
    public static PullKeyJson Of(PullKeyInfo key) => new(key.Name, key.Host, key.Version, key.Set, key.By);
}
