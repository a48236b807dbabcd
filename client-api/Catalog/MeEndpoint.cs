using System.Text.Json.Serialization;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace DataHub.Catalog;

/// <summary>Who the hub takes somebody for.</summary>
internal static class MeEndpoint
{
    public static void MapMe(this IEndpointRouteBuilder routes) =>
        routes.MapRead("/api/v1/me", Me).WithTags("SignIn").WithSummary("Who you are to the hub: the public, a key, or a person or machine that has signed in, with the roles held.")
            .Produces<MeJson>().Refuses(401, 403)
            .Example("""{ "subject": "person:oidc:8f3c", "kind": "person", "name": "Anna Beispiel", "groups": [ "senumvk/readers" ], "roles": [ { "role": "reader", "dataspace": "environment", "group": "senumvk/readers" } ] }""", StatusCodes.Status200OK);

    private static Ok<MeJson> Me(HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-store";
        var caller = http.Caller();
        if (caller.IsPublic) return TypedResults.Ok(new MeJson(caller.Subject, "public"));
        if (caller.Person is null) return TypedResults.Ok(new MeJson(caller.Subject, "key") { Agency = caller.Agency, Key = caller.KeyId, Role = caller.Role });
        var claims = http.Features.Get<PersonClaims>();
        return TypedResults.Ok(new MeJson(caller.Subject, "person")
        {
            Name = claims?.Name,
            // Those that give roles; what the issuer says beside them means nothing here.
            Groups = [.. caller.Grants.All.Select(grant => grant.Group).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
            Roles = [.. caller.Grants.All.Select(grant => new HeldRoleJson(grant.Role, grant.Dataspace, grant.Dataset, grant.Group))],
        });
    }

    /// <param name="Kind"><c>public</c>, <c>key</c> or <c>person</c>.</param>
    private sealed record MeJson(string Subject, string Kind)
    {
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public string? Name { get; init; }

        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public string? Agency { get; init; }

        /// <summary>The public part of the key.</summary>
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public string? Key { get; init; }

        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public KeyRole? Role { get; init; }

        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public string[]? Groups { get; init; }

        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public HeldRoleJson[]? Roles { get; init; }
    }

    private sealed record HeldRoleJson(
        DataspaceRole Role, string Dataspace, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Dataset, string Group);
}
