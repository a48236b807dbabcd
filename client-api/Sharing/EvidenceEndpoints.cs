using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Indicators;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace DataHub.Sharing;

/// <summary>Single records for one procedure, the log of who asked, and what the person concerned is shown of it.</summary>
internal static class EvidenceEndpoints
{
    private const string Model = "The hub's own model of asking once only: it follows no specification of a register or of a cross-border system, and speaks no protocol of one.";

    private static readonly LocalText s_dataset = new("Datensatz", "Dataset");

    public static void MapEvidenceEndpoints(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/v1/datasets/{dataset}/evidence").WithTags("Agreements");
        group.MapPost("", AskAsync)
            .WithSummary("Asks for one record by its whole primary key, for one procedure: norm, purpose, procedure, file number and who asks are logged for both agencies before it is answered.")
            .WithDescription(
                $"Given through a sharing agreement in force whose delivery.form is evidence, for a purpose that it names (header DataHub-Purpose), or by right. A record that the agreement does not give is answered as one that does not exist: found is false. No copy is kept; the log has a hash of the answer and a keyed hash of the record's key. hash is the SHA-256 of salt and content, and only the answer has the salt. fileNumber and requester must not name the person. {Model}")
            .Accepts<EvidenceRequestJson>("application/json").Produces<EvidenceJson>().Refuses(400, 401, 403, 404, 413, 415, 422, 429, 503);
        group.MapRead("", ListAsync)
            .WithSummary("Who asked for single records on a day, oldest first: all for the provider, its own questions for an agency that may ask. Others get 404.")
            .WithDescription("A page may hold fewer entries than its limit, even none, while next is there. Entries are deleted after DataHub:Sharing:KeepEvidence, two years by default.")
            .Takes("day", "Such as 2026-11-23, in UTC; absent: today.")
            .Takes("limit", $"Entries of the page, 1 to {Requests.MaxPage}.", Microsoft.OpenApi.JsonSchemaType.Integer)
            .Takes("after", "From the next of an earlier answer.")
            .Produces<EvidenceListJson>().Refuses(400, 404, 503);
        group.MapPost("inquiries", InquireAsync)
            .WithSummary("Who asked for one record, what, when and why, newest first: for the provider, to show it to the person concerned. As JSON, or as a page or a text to print, German or English by Accept-Language.")
            .WithDescription("Noted in the audit log with its reason, which must not name the person.")
            .Takes("format", "json, html or text; goes before Accept.")
            .Accepts<EvidenceInquiryRequestJson>("application/json")
            .Produces<EvidenceInquiryJson>(StatusCodes.Status200OK, "application/json").Produces<string>(StatusCodes.Status200OK, "text/html", "text/plain").Refuses(400, 401, 403, 404, 413, 415, 422, 503);
    }

    private static async Task<IResult> AskAsync(string dataset, HttpContext http, IGrainFactory grains)
    {
        if (http.Caller().IsPublic) return Authentication.Forbidden(http, new("Nachweise gibt es nur mit Schlüssel oder angemeldet.", "Evidence is given with a key or signed in only."));
        if (!CatalogIds.IsValid(dataset)) return Problems.NotFound(http, s_dataset, dataset);
        var (body, unreadable) = await http.ReadJsonAsync<EvidenceRequestJson>();
        if (unreadable is not null) return unreadable;
        http.Response.Headers.CacheControl = "no-store";
        var result = await grains.GetGrain<IDatasetRowsGrain>(dataset).EvidenceAsync(http.Caller(), new(Key(body!.Key), body.LegalNorm, body.Procedure, body.FileNumber, body.Requester));
        if (Refused(http, result.Refusal, result.Detail, dataset) is { } refused) return refused;

        // The key or the session may have ended while it was looked up: what was logged as given is then not given after all.
        if (!await Authentication.IsStillAsync(http)) return Later(http);
        var entry = result.Entry!;
        http.Response.Headers[Requests.WatermarkHeader] = entry.Watermark;
        using var record = JsonDocument.Parse(result.Content!);
        return TypedResults.Ok(new EvidenceJson(
            entry.Id, entry.At, entry.Dataset, entry.Found, entry.Found ? record.RootElement.Clone() : null, result.Content!, Convert.ToHexStringLower(result.Salt!), Convert.ToHexStringLower(entry.ContentHash),
            entry.Agreement, entry.Agreement is null ? null : entry.Version, entry.Purpose, entry.Watermark));
    }

    private static async Task<IResult> ListAsync(string dataset, HttpContext http, IGrainFactory grains, TimeProvider time)
    {
        if (http.ReadPage(out var after, out var limit) is { } problem) return problem;
        var day = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        if (http.Request.Query["day"].ToString() is { Length: > 0 } text && !DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out day))
            return Requests.InvalidParameter(http, "day", new("day ist ein Tag wie 2026-11-23.", "day is a day such as 2026-11-23."));
        http.Response.Headers.CacheControl = "no-store";
        if (!CatalogIds.IsValid(dataset)) return Problems.NotFound(http, s_dataset, dataset);
        var result = await grains.GetGrain<IEvidenceLogGrain>(dataset).ListAsync(http.Caller(), new(day, after, limit));
        if (result.Refusal == ReadRefusal.Invalid) return RowsParameters.BadCursor(http);
        if (Refused(http, result.Refusal, null, dataset) is { } refused) return refused;
        var next = result.Next is null ? null : string.Create(CultureInfo.InvariantCulture, $"{http.Next(result.Next, limit)}&day={day:yyyy-MM-dd}");
        return TypedResults.Ok(new EvidenceListJson(dataset, day, [.. result.Entries.Select(EvidenceEntryJson.Of)], next));
    }

    private static async Task<IResult> InquireAsync(string dataset, HttpContext http, IGrainFactory grains)
    {
        if (http.Caller().IsPublic) return Authentication.Forbidden(http, new("Auskunft gibt die veröffentlichende Behörde, mit Schlüssel oder angemeldet.", "The publishing agency gives this information, with a key or signed in."));
        if (!CatalogIds.IsValid(dataset)) return Problems.NotFound(http, s_dataset, dataset);
        if (Format(http) is not { } format) return Requests.InvalidParameter(http, "format", new("format: json, html oder text.", "format: json, html or text."));
        var (body, unreadable) = await http.ReadJsonAsync<EvidenceInquiryRequestJson>();
        if (unreadable is not null) return unreadable;
        http.Response.Headers.CacheControl = "no-store";
        var result = await grains.GetGrain<IEvidenceLogGrain>(dataset).InquireAsync(http.Caller(), new(Key(body!.Key), body.Reason));
        if (Refused(http, result.Refusal, result.Detail, dataset) is { } refused) return refused;
        if (!await Authentication.IsStillAsync(http)) return Later(http);

        var names = new Dictionary<string, LocalText>(StringComparer.Ordinal);
        foreach (var agency in result.Entries.Select(entry => entry.Agency).Append(result.Dataset!.Spec.Publisher).Distinct(StringComparer.Ordinal))
            names[agency] = (await grains.GetGrain<IAgencyGrain>(agency).GetAsync(http.Caller()))?.Name ?? new(agency, null);
        var inquiry = EvidenceInquiryJson.Of(result, names);
        if (format == "json") return TypedResults.Ok(inquiry);
        http.Response.Headers.Vary = "Accept, Accept-Language";
        var language = Language.Of(http);
        http.Response.Headers.ContentLanguage = language;
        return format == "html"
            ? TypedResults.Text(EvidenceText.Html(inquiry, language), "text/html", Encoding.UTF8)
            : TypedResults.Text(EvidenceText.Plain(inquiry, language), "text/plain", Encoding.UTF8);
    }

    /// <summary>Null: another word.</summary>
    private static string? Format(HttpContext http)
    {
        if (http.Request.Query["format"].ToString() is { Length: > 0 } word) return word is "json" or "html" or "text" ? word : null;
        foreach (var range in http.Request.Headers.Accept.ToString().Split(',', 32, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            switch (range.Split(';', 2)[0].Trim().ToLowerInvariant())
            {
                case "text/html": return "html";
                case "text/plain": return "text";
                case "application/json" or "*/*": return "json";
            }
        }

        return "json";
    }

    private static EvidenceKeyPart[] Key(Dictionary<string, JsonElement> key) => [.. key.Select(part => new EvidenceKeyPart(part.Key, part.Value.GetRawText()))];

    private static IResult? Refused(HttpContext http, ReadRefusal refusal, LocalText? detail, string dataset) => refusal switch
    {
        ReadRefusal.None => null,
        ReadRefusal.NotFound => Problems.NotFound(http, s_dataset, dataset),
        ReadRefusal.Forbidden => Authentication.Forbidden(http, detail ?? ProblemTypes.Forbidden.Help),
        ReadRefusal.Invalid => Problems.Problem(http, ProblemTypes.InvalidEvidence, detail!),
        ReadRefusal.TooMany => Problems.Later(http, ProblemTypes.TooManyRequests, detail!, TimeSpan.FromHours(1)),
        ReadRefusal.NotYet => Problems.Later(http, ProblemTypes.NotYet, ProblemTypes.NotYet.Help, TimeSpan.FromSeconds(1)),
        _ => Later(http),
    };

    private static IResult Later(HttpContext http) => Problems.Later(http, ProblemTypes.Unavailable, ProblemTypes.Unavailable.Help, TimeSpan.FromSeconds(1));
}

/// <param name="Key">Every field of the primary key with its value.</param>
/// <param name="LegalNorm">The norm on which it is asked for.</param>
/// <param name="Procedure">What it is needed in.</param>
/// <param name="FileNumber">Of the procedure at the agency that asks.</param>
/// <param name="Requester">The office or official who asks.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record EvidenceRequestJson(
    [property: JsonRequired] Dictionary<string, JsonElement> Key, [property: JsonRequired] string LegalNorm, [property: JsonRequired] string Procedure, [property: JsonRequired] string FileNumber,
    [property: JsonRequired] string Requester);

/// <param name="Id">Of the question, as in the log.</param>
/// <param name="Found">Whether there is a record that may be given.</param>
/// <param name="Record">The fields that are given; null where there is none.</param>
/// <param name="Content">The very text that was hashed.</param>
/// <param name="Salt">What stands before it, in hexadecimal.</param>
/// <param name="Hash">SHA-256 of salt and content, as in the log, in hexadecimal.</param>
/// <param name="Agreement">Through which it is given; null: by right.</param>
internal sealed record EvidenceJson(
    string Id, DateTimeOffset At, string Dataset, bool Found, JsonElement? Record, string Content, string Salt, string Hash, string? Agreement, int? Version, string Purpose, string Watermark);

/// <param name="Agency">That asked.</param>
/// <param name="By">Key or person, as in the audit log.</param>
/// <param name="Fields">Names of the fields that were given.</param>
/// <param name="Hash">Of the answer, in hexadecimal.</param>
/// <param name="RecordHash">The same for all questions about one record; whose it is cannot be told by it.</param>
internal sealed record EvidenceEntryJson(
    string Id, DateTimeOffset At, string Agency, string By, string Requester, string LegalNorm, string Purpose, string Procedure, string FileNumber, string? Agreement, int? Version, bool Found,
    string[] Fields, string Watermark, string Hash, string RecordHash)
{
    public static EvidenceEntryJson Of(EvidenceEntry entry) => new(
        entry.Id, entry.At, entry.Agency, entry.Subject, entry.Requester, entry.LegalNorm, entry.Purpose, entry.Procedure, entry.FileNumber, entry.Agreement, entry.Agreement is null ? null : entry.Version,
        entry.Found, entry.Fields, entry.Watermark, Convert.ToHexStringLower(entry.ContentHash), entry.RecordHash);
}

/// <param name="Next">Path and query of the next page; null on the last.</param>
internal sealed record EvidenceListJson(string Dataset, DateOnly Day, EvidenceEntryJson[] Entries, string? Next);

/// <param name="Key">Every field of the primary key with its value.</param>
/// <param name="Reason">Why it is inquired.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record EvidenceInquiryRequestJson([property: JsonRequired] Dictionary<string, JsonElement> Key, [property: JsonRequired] string Reason);

internal sealed record EvidenceAgencyJson(string Id, LocalText Name);

/// <param name="Title">For people, where the contract has one.</param>
internal sealed record EvidenceFieldJson(string Name, LocalText? Title);

/// <param name="Fields">What was told; empty where it was told that there is no record.</param>
internal sealed record EvidenceQuestionJson(
    string Id, DateTimeOffset At, EvidenceAgencyJson Agency, string Requester, string LegalNorm, string Purpose, LocalText? PurposeText, string Procedure, string FileNumber, string? Agreement, int? Version,
    bool Found, EvidenceFieldJson[] Fields);

/// <param name="KeptDays">After so many days a question is deleted from the log.</param>
internal sealed record EvidenceInquiryJson(string Dataset, LocalText Title, EvidenceAgencyJson Publisher, DateTimeOffset At, int KeptDays, EvidenceQuestionJson[] Questions)
{
    /// <param name="names">Of the agencies that occur.</param>
    public static EvidenceInquiryJson Of(EvidenceInquiryResult result, IReadOnlyDictionary<string, LocalText> names)
    {
        var spec = result.Dataset!.Spec;
        return new(
            result.Dataset.Id, spec.Title, Agency(spec.Publisher), result.At, (int)result.Kept.TotalDays,
            [.. result.Entries.Select(entry => new EvidenceQuestionJson(
                entry.Id, entry.At, Agency(entry.Agency), entry.Requester, entry.LegalNorm, entry.Purpose, entry.PurposeText, entry.Procedure, entry.FileNumber, entry.Agreement,
                entry.Agreement is null ? null : entry.Version, entry.Found, [.. entry.Fields.Select(name => new EvidenceFieldJson(name, Array.Find(spec.Schema.Fields, field => field.Name == name)?.Title))]))]);

        EvidenceAgencyJson Agency(string id) => new(id, names[id]);
    }
}
