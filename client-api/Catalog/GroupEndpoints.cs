using System.Text.Json.Serialization;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace DataHub.Catalog;

/// <summary>Groups of an agency and who is in them.</summary>
internal static class GroupEndpoints
{
    private static readonly LocalText s_group = new("Gruppe", "Group");

    public static void MapGroupEndpoints(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/v1/agencies/{agency}/groups").WithTags("Agencies");
        group.MapRead("", ListAsync).WithSummary("The groups of an agency, by id. For admin keys of the agency or the platform.").Produces<GroupListJson>().Paged().Refuses(401, 403, 404);
        group.MapPut("{group}", PutAsync).WithSummary("Creates or renames a group. For admin keys of the agency or the platform.")
            .Accepts<GroupBodyJson>("application/json").Produces<GroupJson>().Produces<GroupJson>(StatusCodes.Status201Created).Refuses(400, 401, 403, 404, 422)
            .Example("""{ "name": { "de": "Auswertung", "en": "Analysis" } }""");
        group.MapRead("{group}", GetAsync).WithSummary("One group with its members. For admin keys of the agency or the platform.").Produces<GroupJson>().Refuses(401, 403, 404);
        group.MapPut("{group}/members/{person}", AddAsync).WithSummary("Takes somebody into a group, or changes reason and end. Whom the issuer's claims put into it is not listed here.")
            .WithDescription("person is issuer:subject, such as oidc:8f3c0a52; the issuer is the name that the configuration gives it.")
            .Accepts<MemberBodyJson>("application/json").Produces<GroupJson>().Produces<GroupJson>(StatusCodes.Status201Created).Refuses(400, 401, 403, 404, 422)
            .Example("""{ "why": "Neue Kollegin", "until": "2027-12-31T23:00:00Z" }""");
        group.MapDelete("{group}/members/{person}", RemoveAsync).WithSummary("Ends a membership, within a second everywhere. Repeating is harmless.").Produces(StatusCodes.Status204NoContent).Refuses(401, 403, 404);
    }

    private static async Task<IResult> ListAsync(string agency, HttpContext http, IGrainFactory grains)
    {
        if (http.ReadPage(out var after, out var limit) is { } problem) return problem;
        if (!CatalogIds.IsValid(agency)) return Problems.NotFound(http, new("Behörde", "Agency"), agency);
        // The keys of an agency and its groups are for the same eyes.
        var may = await grains.GetGrain<IAgencyGrain>(agency).ListKeysAsync(http.Caller());
        if (may.Refusal == CatalogRefusal.NotFound) return Problems.NotFound(http, new("Behörde", "Agency"), agency);
        if (may.Refusal != CatalogRefusal.None) return Authentication.Forbidden(http, may.Detail!);
        var ids = await grains.GetGrain<ICatalogGrain>(CatalogKinds.GroupsOf(agency)).ListAsync(http.Caller(), after, limit);
        var found = await Task.WhenAll(ids.Select(id => grains.GetGrain<IGroupGrain>(Subjects.Group(agency, id)).GetAsync(http.Caller())));
        return TypedResults.Ok(new GroupListJson(
            [.. found.Where(one => one.Refusal == CatalogRefusal.None).Select(one => new GroupSummaryJson(one.Group!.Id, one.Group.Name, one.Group.Members.Length))], ids.Length == limit ? http.Next(ids[^1], limit) : null));
    }

    private static async Task<IResult> PutAsync(string agency, string group, HttpContext http, IGrainFactory grains)
    {
        var (body, problem) = await http.ReadJsonAsync<GroupBodyJson>();
        if (problem is not null) return problem;
        if (!Subjects.IsGroup(Subjects.Group(agency, group))) return Problems.Problem(http, ProblemTypes.InvalidId, new($"„{agency}/{group}“ ist keine Gruppe.", $"“{agency}/{group}” is no group."), ("id", group));
        return Answer(http, await grains.GetGrain<IGroupGrain>(Subjects.Group(agency, group)).PutAsync(http.Caller(), body!.Name));
    }

    private static async Task<IResult> GetAsync(string agency, string group, HttpContext http, IGrainFactory grains) =>
        Find(agency, group, grains) is { } grain ? Answer(http, await grain.GetAsync(http.Caller())) : Problems.NotFound(http, s_group, group);

    private static async Task<IResult> AddAsync(string agency, string group, string person, HttpContext http, IGrainFactory grains)
    {
        var (body, problem) = await http.ReadJsonAsync<MemberBodyJson>();
        if (problem is not null) return problem;
        return Find(agency, group, grains) is { } grain ? Answer(http, await grain.AddMemberAsync(http.Caller(), person, body!.Why, body.Until)) : Problems.NotFound(http, s_group, group);
    }

    private static async Task<IResult> RemoveAsync(string agency, string group, string person, HttpContext http, IGrainFactory grains)
    {
        if (Find(agency, group, grains) is not { } grain) return Problems.NotFound(http, s_group, group);
        var result = await grain.RemoveMemberAsync(http.Caller(), person);
        return result.Refusal == CatalogRefusal.None ? TypedResults.NoContent() : CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidAgency);
    }

    private static IGroupGrain? Find(string agency, string group, IGrainFactory grains) =>
        Subjects.IsGroup(Subjects.Group(agency, group)) ? grains.GetGrain<IGroupGrain>(Subjects.Group(agency, group)) : null;

    private static IResult Answer(HttpContext http, GroupResult result)
    {
        if (result.Refusal != CatalogRefusal.None) return CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidAgency);
        http.Response.Headers.CacheControl = "no-store";
        var json = new GroupJson(result.Group!.Id, result.Group.Name, [.. result.Group.Members.Select(member => new MemberJson(member.Person, member.By, member.At, member.Why, member.Until))]);
        return result.Created ? TypedResults.Created($"/api/v1/agencies/{json.Id.Replace("/", "/groups/", StringComparison.Ordinal)}", json) : TypedResults.Ok(json);
    }
}

/// <param name="Name">For people.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record GroupBodyJson([property: JsonRequired] LocalText Name);

/// <param name="Why">For whoever asks later.</param>
/// <param name="Until">When the membership ends by itself.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record MemberBodyJson([property: JsonRequired] string Why, DateTimeOffset? Until = null);

internal sealed record MemberJson(string Person, string By, DateTimeOffset At, string Why, DateTimeOffset? Until);

/// <param name="Id">agency/group.</param>
internal sealed record GroupJson(string Id, LocalText Name, MemberJson[] Members);

internal sealed record GroupSummaryJson(string Id, LocalText Name, int Members);

/// <param name="Next">Path and query of the next page; null on the last.</param>
internal sealed record GroupListJson(GroupSummaryJson[] Groups, string? Next);
