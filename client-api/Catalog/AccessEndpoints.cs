using DataHub.Feeds;
using DataHub.Indicators;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.OpenApi;

namespace DataHub.Catalog;

/// <summary>Who may do what, and why: answered by the rules that decide when it is done.</summary>
internal static class AccessEndpoints
{
    private static readonly string[] s_parameters = ["subject", "object", "right"];

    public static void MapAccessEndpoints(this IEndpointRouteBuilder routes) =>
        routes.MapRead("/api/v1/access", ExplainAsync).WithTags("Access")
            .WithSummary("Explains who may do what with a dataset, dataspace or indicator: allowed or not, by which grant, key or openness, and what is missing.")
            .WithDescription("Everybody may ask for himself and for the public; whoever gives roles there may ask for others. The grain that holds the object decides, by the same rules as when a right is used.")
            .Takes("subject", "me (the default), public, key:{agency}.{key id}, person:{issuer}:{subject} or group:{agency}/{group}.")
            .Takes("object", "dataset:{id}, dataspace:{id} or indicator:{id}.")
            .Takes("right", "One right, such as read-rows; without it all of them.", JsonSchemaType.String)
            .Produces<AccessJson>().Refuses(400, 401, 403, 404)
            .Example("""{ "subject": "public", "object": "dataset:air-quality", "rights": [ { "right": "read-rows", "name": "Zeilen und Werte lesen", "allowed": true, "because": "openness", "reason": "offen für alle", "reference": null, "missing": null } ] }""", 200);

    private static async Task<IResult> ExplainAsync(HttpContext http, IGrainFactory grains)
    {
        if (RowsParameters.Strict(http, s_parameters) is { } unknown) return unknown;
        var (subject, target, word) = (Text("subject") ?? "me", Text("object"), Text("right"));
        AccessRights? right = null;
        if (word is not null && (right = AccessWords.Right(word)) is null)
            return Requests.InvalidParameter(http, "right", new($"„{word}“ gibt es nicht; erlaubt sind: {string.Join(", ", AccessWords.Rights)}.", $"There is no “{word}”; allowed are: {string.Join(", ", AccessWords.Rights)}."));
        var (kind, id) = Split(target ?? "");
        if (kind is not ("dataset" or "dataspace" or "indicator") || !CatalogIds.IsValid(id))
            return Requests.InvalidParameter(http, "object", new("object ist dataset:Kennung, dataspace:Kennung oder indicator:Kennung.", "object is dataset:{id}, dataspace:{id} or indicator:{id}."));
        var (caller, fault) = await FindAsync(http, grains, subject);
        if (fault is not null) return fault;

        var explained = kind switch
        {
            "dataset" => await grains.GetGrain<IDatasetGrain>(id).AccessAsync(http.Caller(), caller!),
            "dataspace" => await grains.GetGrain<IDataspaceGrain>(id).AccessAsync(http.Caller(), caller!),
            _ => await grains.GetGrain<IIndicatorGrain>(id).AccessAsync(http.Caller(), caller!),
        };
        http.Response.Headers.CacheControl = "no-store";

        // Whoever may not know is not told whether there is such a thing.
        if (explained is null)
        {
            return caller!.IsPublic || caller.Subject == http.Caller().Subject
                ? Problems.NotFound(http, new("Objekt", "Object"), target!)
                : Authentication.Forbidden(http, new(
                    $"Für andere fragt, wer dort Rollen vergibt: Koordination oder Admin-Schlüssel. Entweder fehlt das Recht, oder „{target}“ gibt es nicht.",
                    $"Whoever gives roles there asks for others: coordinators or admin keys. Either the right is missing or there is no “{target}”."));
        }

        var language = Language.Of(http);
        return TypedResults.Ok(new AccessJson(
            caller!.Subject, target!, AccessWords.Of(explained.Object.State), [.. explained.Decisions.Where(decision => right is null || decision.Right == right).Select(decision => AccessDecisionJson.Of(decision, language))]));

        string? Text(string name) => http.Request.Query[name].ToString() is { Length: > 0 } text ? text : null;
    }

    /// <summary>The subject as the hub would know it if it asked now.</summary>
    private static async Task<(Caller? Caller, IResult? Fault)> FindAsync(HttpContext http, IGrainFactory grains, string subject)
    {
        var (kind, id) = Split(subject);
        switch (kind)
        {
            case "me" when id.Length == 0:
                return (http.Caller(), null);
            case "public" when id.Length == 0:
                return (Caller.Public, null);
            case "key" when id.Split('.') is [var agency, var key] && CatalogIds.IsValid(agency):
                return (await grains.GetGrain<IAgencyGrain>(agency).CallerOfAsync(Caller.Hub, key) ?? Caller.Public with { KeyId = key }, null);
            case "person" when Subjects.IsPerson(id):
                return (await grains.GetGrain<IPersonGrain>(id).ResolveAsync(Caller.Hub, null, null), null);
            case "group" when Subjects.IsGroup(id):
                var held = await grains.GetGrain<IGroupGrain>(id).HeldAsync(Caller.Hub, null, claimed: false);
                return (Caller.Public with { Person = "group:" + id, Grants = new([.. held.OrderBy(grant => grant.Id, StringComparer.Ordinal)]) { Groups = [id] } }, null);
            default:
                return (null, Requests.InvalidParameter(http, "subject", new(
                    "subject ist me, public, key:Behörde.Schlüssel, person:Aussteller:Kennung oder group:Behörde/Gruppe.", "subject is me, public, key:{agency}.{key id}, person:{issuer}:{subject} or group:{agency}/{group}.")));
        }
    }

    private static (string Kind, string Id) Split(string text) => text.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon ? (text[..colon], text[(colon + 1)..]) : (text, "");
}

/// <param name="State">Where the object stands in its life.</param>
internal sealed record AccessJson(string Subject, string Object, string State, AccessDecisionJson[] Rights);

/// <param name="Name">The right, for people.</param>
/// <param name="Because">openness, key, grant or platform; nothing where it is not allowed.</param>
/// <param name="Reference">Id of the key or grant.</param>
/// <param name="Missing">What would be needed.</param>
internal sealed record AccessDecisionJson(string Right, string Name, bool Allowed, AccessReason Because, string Reason, string? Reference, string? Missing)
{
    public static AccessDecisionJson Of(AccessDecision decision, string language) => new(
        AccessWords.Of(decision.Right), AccessWords.Name(decision.Right).In(language), decision.IsAllowed, decision.Because, AccessWords.Name(decision.Because).In(language), decision.Reference, decision.Missing?.In(language));
}
