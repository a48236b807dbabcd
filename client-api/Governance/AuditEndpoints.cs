using System.Globalization;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Indicators;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.OpenApi;

namespace DataHub.Governance;

/// <summary>The audit log: who did what, to be searched, exported and verified; and the lawful deletion of content.</summary>
internal static class AuditEndpoints
{
    private const string ExampleEntry =
        """{ "sequence": 2, "id": "01JDCB4Z6H8W4T0V9R5XK2M3NA", "at": "2026-11-27T08:00:00Z", "action": "key.created", "agency": "senumvk", "actor": "key:platform.b4Xk29Qz", "object": "agency:senumvk", "outcome": "done", "detail": { "key": "Qz7t3KpA", "role": "push" }, "link": "5c1f…", "leaf": "90ab…", "salt": "e3b0…", "content": "{\"v\":1,…}" }""";

    private const string ExampleCsv =
        "sequence,id,at,action,agency,actor,object,outcome,detail,link,leaf,salt,content\r\n2,01JDCB4Z6H8W4T0V9R5XK2M3NA,2026-11-27T08:00:00Z,key.created,senumvk,key:platform.b4Xk29Qz,agency:senumvk,done,\"{\"\"key\"\":\"\"Qz7t3KpA\"\"}\",5c1f…,90ab…,e3b0…,\"{\"\"v\"\":1,…}\"\r\n";

    private static readonly string[] s_list = ["from", "until", "action", "agency", "actor", "object", "outcome", "order", "limit", "after", "format"];
    private static readonly string[] s_formats = ["json", "ndjson", "csv"];
    private static readonly HashSet<string> s_members = ["sequences", "reason", "authority"];

    public static void MapAuditEndpoints(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/v1/audit").WithTags("Governance");
        group.MapRead("", ListAsync)
            .WithSummary("The audit log, newest first. Admins of the platform see everything, those of an agency what is their agency's business.")
            .WithDescription("As application/x-ndjson or text/csv without limit: everything that is asked for, oldest first; `silo audit verify --file` verifies an unfiltered one. content is the text that was hashed: leaf = SHA-256(salt, content in UTF-8), link = SHA-256(link before, sequence as 8 bytes, most significant first, leaf), the link before the first being SHA-256 of the text “datahub audit chain 1”. Where content was lawfully deleted, it is null, and an entry audit.deleted names the sequence.")
            .Takes("from", "Happened at or after: an instant with offset, or a day.")
            .Takes("until", "Happened before: an instant with offset, or a day.")
            .Takes("action", "The action begins with this, such as key. or key.created.")
            .Takes("agency", "Whose business it is.")
            .Takes("actor", "Who did it: key:{agency}.{key id}, person:{subject}, hub or public.")
            .Takes("object", "What it was done to, such as agency:umwelt.")
            .Takes("outcome", "done or refused.")
            .Takes("order", "newest or oldest first.")
            .Takes("limit", $"Entries of the page, 1 to {IAuditGrain.MaxEvents}.", JsonSchemaType.Integer)
            .Takes("after", "From the next of an earlier answer.")
            .Takes("format", $"One of {string.Join(", ", s_formats)}; goes before Accept.")
            .Produces<JsonDocument>(StatusCodes.Status200OK, "application/json", "application/x-ndjson", "text/csv").Refuses(400, 401, 403, 406, 503)
            .Example($$"""{ "entries": [ {{ExampleEntry}} ], "next": null }""", 200)
            .Example(ExampleEntry + "\n", 200, "application/x-ndjson")
            .Example(ExampleCsv, 200, "text/csv");
        group.MapRead("head", HeadAsync)
            .WithSummary("The end of the chain, to be noted outside of the hub: with it anybody can prove later that nothing before was changed or cut off. For admin keys.")
            .Produces<AuditHeadJson>().Refuses(401, 403, 503)
            .Example("""{ "sequence": 4711, "link": "5c1fa2…", "head": "4711:5c1fa2…" }""", 200);
        group.MapPost("deletions", DeleteAsync)
            .WithSummary("Deletes the content of entries for good. Their hashes stay, and an entry says what was deleted, why and on what ground. For admins of the platform.")
            .WithDescription($"At most {AuditEvents.MaxDeletion} sequences; entries about deletions cannot be deleted. What was deleted before is passed over, so repeating is harmless; entry is null where nothing was left. reason and authority stay and must not say what was deleted.")
            .Accepts<JsonDocument>("application/json").Produces<AuditDeletionJson>().Refuses(400, 401, 403, 413, 415, 422, 503)
            .Example("""{ "sequences": [2], "reason": "Antrag auf Löschung", "authority": "Art. 17 DSGVO, Az. 2026-11/17" }""")
            .Example("""{ "deleted": [2], "entry": 4712 }""", 200);
    }

    private static IAuditGrain Grain(IGrainFactory grains) => grains.GetGrain<IAuditGrain>(IAuditGrain.Main);

    private static async Task<IResult> ListAsync(HttpContext http, IGrainFactory grains)
    {
        var (format, notAcceptable) = AnswerFormats.Choose(http, s_formats);
        if (notAcceptable is not null) return notAcceptable;
        var (query, whole, invalid) = Query(http, format);
        if (invalid is not null) return invalid;
        var page = await Grain(grains).ReadAsync(http.Caller(), query!);
        if (Refused(http, page.Refusal, page.Detail) is { } refused) return refused;

        var next = page.Next is { } last && !whole ? Next(http, query!, last, format) : null;
        http.Response.Headers.Append("Vary", "Accept");
        if (format == AnswerFormat.Json)
        {
            return new JsonAnswer(RowsEndpoints.Render(writer =>
            {
                writer.WriteStartArray("entries");
                foreach (var record in page.Records) AuditExport.Write(writer, record);
                writer.WriteEndArray();
                writer.WriteString("next", next);
            }), Language.Of(http));
        }

        if (next is not null) http.Response.Headers.Link = $"<{next}>; rel=\"next\"";
        return new AuditExport(page, format, MoreAsync, whole);

        // A long export ends where the key or the role does, not where the log does.
        async Task<AuditPage> MoreAsync(long after)
        {
            var more = await Grain(grains).ReadAsync(http.Caller(), query! with { After = after });
            return await Authentication.IsStillAsync(http) ? more : new(ReadRefusal.Forbidden, [], null, null);
        }
    }

    private static async Task<IResult> HeadAsync(HttpContext http, IGrainFactory grains)
    {
        var result = await Grain(grains).HeadAsync(http.Caller());
        if (Refused(http, result.Refusal, result.Detail) is { } refused) return refused;
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new AuditHeadJson(result.Head!.Sequence, Convert.ToHexStringLower(result.Head.Link), result.Head.ToString()));
    }

    private static async Task<IResult> DeleteAsync(HttpContext http, IGrainFactory grains)
    {
        if (!http.Caller().IsPlatformAdmin) return Authentication.Forbidden(http, new("Nötig ist ein Admin-Schlüssel der Plattform.", "An admin key of the platform is needed."));
        var (body, unreadable) = await http.ReadJsonAsync<JsonDocument>();
        if (unreadable is not null) return unreadable;
        using var document = body!;
        var faults = new List<DocumentFault>();
        var reader = new JsonObjectReader(document.RootElement, "", faults, s_members);
        var (reason, authority, sequences) = (reader.Text("reason", required: true), reader.Text("authority", required: true), reader.Get("sequences"));
        var places = new List<long>();
        if (sequences.ValueKind == JsonValueKind.Array && sequences.GetArrayLength() <= AuditEvents.MaxDeletion && sequences.EnumerateArray().All(place => place.ValueKind == JsonValueKind.Number && place.TryGetInt64(out _)))
            places.AddRange(sequences.EnumerateArray().Select(place => place.GetInt64()));
        else
            reader.Fault("sequences", $"Hier werden 1 bis {AuditEvents.MaxDeletion} ganze Zahlen erwartet.", $"1 to {AuditEvents.MaxDeletion} integers are expected here.");
        if (faults.Count > 0)
        {
            return Problems.Problem(http, ProblemTypes.InvalidAct,
                new($"{faults[0].Path}: {faults[0].Detail.De}", $"{faults[0].Path}: {faults[0].Detail.In(Language.English)}"),
                ("errors", faults.Select(fault => new { path = fault.Path, detail = fault.Detail.In(Language.Of(http)) }).ToArray()));
        }

        var result = await Grain(grains).DeleteContentAsync(http.Caller(), [.. places], reason!, authority!);
        if (Refused(http, result.Refusal, result.Detail) is { } refused) return refused;
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new AuditDeletionJson(result.Deleted, result.Entry));
    }

    /// <summary>The query, and whether everything is asked for, not a page.</summary>
    private static (AuditQuery? Query, bool Whole, IResult? Problem) Query(HttpContext http, AnswerFormat format)
    {
        if (RowsParameters.Strict(http, s_list) is { } unknown) return (null, false, unknown);
        if (RowsParameters.Time(http, "from", out var from) is { } badFrom) return (null, false, badFrom);
        if (RowsParameters.Time(http, "until", out var until) is { } badUntil) return (null, false, badUntil);
        if (from >= until) return Bad("until", new("until muss nach from liegen; das Ende gehört nicht mehr dazu.", "until must be after from; the end itself does not belong to the range."));
        foreach (var name in (string[])["action", "agency", "actor", "object"])
        {
            if (RowsParameters.Text(http, name) is { } text && (text.Length is 0 or > AuditEvents.MaxObjectLength || text.Any(char.IsControl)))
                return Bad(name, new($"{name} muss ein Text von 1 bis {AuditEvents.MaxObjectLength} Zeichen sein.", $"{name} must be a text of 1 to {AuditEvents.MaxObjectLength} characters."));
        }

        AuditOutcome? outcome = null;
        if (RowsParameters.Text(http, "outcome") is { } word && (outcome = AuditContent.Outcome(word)) is null) return Bad("outcome", new("outcome muss done oder refused sein.", "outcome must be done or refused."));
        var order = RowsParameters.Text(http, "order");
        if (order is not (null or "newest" or "oldest")) return Bad("order", new("order muss newest oder oldest sein.", "order must be newest or oldest."));
        if (http.ReadPage(out var place, out var limit) is { } badLimit) return (null, false, badLimit);
        long? after = null;
        if (place is not null)
        {
            if (!long.TryParse(place, NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)) return (null, false, RowsParameters.BadCursor(http));
            after = sequence;
        }

        var whole = format != AnswerFormat.Json && RowsParameters.Text(http, "limit") is null;
        return (new(from, until, RowsParameters.Text(http, "action"), RowsParameters.Text(http, "agency"), RowsParameters.Text(http, "actor"), RowsParameters.Text(http, "object"), outcome,
            after, whole ? IAuditGrain.MaxEvents : limit, order is null ? format != AnswerFormat.Json : order == "oldest"), whole, null);

        (AuditQuery?, bool, IResult?) Bad(string name, LocalText detail) => (null, false, Requests.InvalidParameter(http, name, detail));
    }

    /// <summary>Path and query of the page after an entry.</summary>
    private static string Next(HttpContext http, AuditQuery query, long after, AnswerFormat format)
    {
        var link = new StringBuilder($"{http.Request.PathBase}{http.Request.Path}?limit=").Append(query.Limit.ToString(CultureInfo.InvariantCulture)).Append("&order=").Append(query.OldestFirst ? "oldest" : "newest");
        foreach (var name in (string[])["from", "until", "action", "agency", "actor", "object", "outcome"])
        {
            if (RowsParameters.Text(http, name) is { } text) link.Append('&').Append(name).Append('=').Append(Uri.EscapeDataString(text));
        }

        if (AnswerFormats.Parameters(format) is { } named) link.Append('&').Append(named);
        return link.Append("&after=").Append(after.ToString(CultureInfo.InvariantCulture)).ToString();
    }

    private static IResult? Refused(HttpContext http, ReadRefusal refusal, LocalText? detail) => refusal switch
    {
        ReadRefusal.None => null,
        ReadRefusal.Forbidden => Authentication.Forbidden(http, detail!),
        ReadRefusal.Invalid => Problems.Problem(http, ProblemTypes.InvalidAct, detail!),
        _ => Problems.Later(http, ProblemTypes.Unavailable, ProblemTypes.Unavailable.Help, TimeSpan.FromSeconds(1)),
    };
}

/// <param name="Head">Both in one text, as <c>silo audit verify --expect</c> takes it.</param>
internal sealed record AuditHeadJson(long Sequence, string Link, string Head);

/// <param name="Deleted">Entries whose content was deleted by this request.</param>
/// <param name="Entry">The entry that says so; null where nothing was left to delete.</param>
internal sealed record AuditDeletionJson(long[] Deleted, long? Entry);
