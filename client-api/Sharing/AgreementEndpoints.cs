using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;

using DataHub.Catalog;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace DataHub.Sharing;

/// <summary>Agreements between agencies, and the charter that they keep.</summary>
internal static class AgreementEndpoints
{
    private static readonly LocalText s_agreement = new("Vereinbarung", "Agreement");

    public static void MapAgreementEndpoints(this IEndpointRouteBuilder routes)
    {
        routes.MapRead("/api/v1/charter", CharterOf).WithTags("Agreements").WithSummary("The Data-Sharing-Charta: the principles that both sides of every agreement acknowledge.").Produces<CharterJson>();
        var group = routes.MapGroup("/api/v1/agreements").WithTags("Agreements");
        group.MapRead("", ListAsync).WithSummary("Lists the agreements that the caller may see, by id.")
            .Takes("agency", "Only those of which this agency is a side; absent: of the key's own agency, of people all.")
            .Produces<AgreementListJson>().Paged();
        group.MapPut("{agreement}", PutAsync).WithSummary("Drafts an agreement on a dataset, changes a draft, or makes a counter-offer while it is offered or negotiated; that clears what was agreed.")
            .WithDescription("The provider drafts: whoever gives roles on the dataset. Counter-offers come from either side; for the recipient acts whoever manages that agency. provider, recipient and dataset are fixed by the first draft. Durations are ISO 8601.")
            .Takes("side", "provider or recipient, for those who may act for both.")
            .Accepts<AgreementTerms>("application/json").Produces<AgreementJson>().Produces<AgreementJson>(StatusCodes.Status201Created).Refuses(400, 401, 403, 404, 409, 422);
        group.MapRead("{agreement}", GetAsync).WithSummary("One agreement: where it stands, its terms, what the caller may do next, and every clause of the charter held against it. For its two sides and the platform.")
            .Produces<AgreementJson>().Refuses(404);
        group.MapPost("{agreement}/acts", ActAsync).WithSummary("Offers, agrees, withdraws, suspends, resumes, revokes, gives notice, fulfils a duty or acknowledges the charter. A refusal says why and changes nothing.")
            .WithDescription($"act is one of {string.Join(", ", AgreementWords.Acts)}. suspend and revoke need a reason, fulfil-duty a duty and evidence. With version an act is refused when other terms stand by now.")
            .Accepts<AgreementActJson>("application/json").Produces<AgreementJson>().Refuses(400, 401, 403, 404, 409, 422);
        group.MapRead("{agreement}/events", EventsAsync).WithSummary("Everything that happened to an agreement, oldest first, with the chain of hashes: hash = SHA-256(previous, then the bytes of content).")
            .WithDescription("The hash before the first event is the SHA-256 of the ASCII characters “datahub agreement chain 1”. content is the very text that was hashed, in UTF-8.")
            .Takes("limit", $"Events of the page, 1 to {Requests.MaxPage}.", Microsoft.OpenApi.JsonSchemaType.Integer)
            .Takes("after", "Only events with a greater number; as in the answer's next.")
            .Produces<AgreementEventsJson>().Refuses(400, 404);
        group.MapRead("{agreement}/usage", UsageAsync).WithSummary("What was read through an agreement in a month, by day, reader, purpose and operation: for both sides the same.")
            .WithDescription("Whoever gives something first takes an allowance, which is stored; what of it was used is told within seconds. open: allowances that are out, and what may be given on them. Where upperBound is true nobody told what was given (a server died): at most this much, maybe nothing. The report may name more than was delivered, never less.")
            .Takes("month", "Such as 2026-11, in UTC; absent: the present one.")
            .Produces<AgreementUsageJson>().Refuses(400, 404);
        group.MapPut("{agreement}/derived/{dataset}", DeriveAsync).WithSummary("Notes that a dataset of the recipient's is derived from what the agreement gives. When the agreement is over it is kept, frozen or deleted, as use.derived says. For the recipient's side, while it runs.")
            .Accepts<DerivedBodyJson>("application/json").Produces<AgreementEffectJson>().Refuses(400, 401, 403, 404, 409, 422, 429);
        group.MapRead("{agreement}/effect", EffectAsync).WithSummary("What the end of the agreement would bring, or brought: indicators that would not be given any more, who read through it lately, and what becomes of derived datasets with their feeds and indicators.")
            .Produces<AgreementEffectJson>().Refuses(404);
        group.MapRead("{agreement}/text", TextAsync).WithSummary("The agreement as a text for people, German or English by Accept-Language, to read or print; names version and hash.")
            .Produces(StatusCodes.Status200OK, contentType: "text/html", additionalContentTypes: "text/plain").Refuses(404);
        group.MapRead("{agreement}/odrl", OdrlAsync).WithSummary("The agreement as an ODRL 2.2 policy (JSON-LD).")
            .Produces<System.Text.Json.Nodes.JsonObject>(StatusCodes.Status200OK, "application/ld+json").Refuses(404);
    }

    private static Microsoft.AspNetCore.Http.HttpResults.Ok<CharterJson> CharterOf() => TypedResults.Ok(new CharterJson(Charter.Version, [.. Charter.Clauses.Select(clause => new CharterClauseJson(clause.Id, clause.Title, clause.Text))]));

    private static async Task<IResult> ListAsync(HttpContext http, IGrainFactory grains)
    {
        if (http.ReadPage(out var after, out var limit) is { } problem) return problem;
        var caller = http.Caller();
        var agency = http.Request.Query["agency"].ToString() is { Length: > 0 } named ? named : caller.IsPlatformAdmin ? null : caller.Agency;
        if (agency is not null && !CatalogIds.IsValid(agency)) return Requests.InvalidParameter(http, "agency", new($"„{agency}“ ist keine Kennung.", $"“{agency}” is no id."));
        http.Response.Headers.CacheControl = "no-store";
        if (caller.IsPublic) return TypedResults.Ok(new AgreementListJson([], null));
        var ids = await grains.GetGrain<ICatalogGrain>(agency is null ? CatalogKinds.Agreements : CatalogKinds.AgreementsOf(agency)).ListAsync(caller, after, limit);
        var found = await Task.WhenAll(ids.Select(id => SeenAsync(grains.GetGrain<ISharingAgreementGrain>(id), caller)));
        var next = ids.Length == limit ? http.Next(ids[^1], limit) + (http.Request.Query.ContainsKey("agency") ? "&agency=" + agency : "") : null;
        return TypedResults.Ok(new AgreementListJson([.. found.OfType<AgreementInfo>().Select(info => new AgreementSummaryJson(
            info.Id, AgreementWords.Of(info.State), info.Terms.Title, info.Terms.Provider, info.Terms.Recipient, info.Terms.Dataset, info.Version, info.Ends))], next));
    }

    /// <summary>One whose events do not hold together answers nothing (log event 1271), and keeps nobody from the others.</summary>
    public static async Task<AgreementInfo?> SeenAsync(ISharingAgreementGrain agreement, Caller caller)
    {
        try
        {
            return await agreement.GetAsync(caller);
        }
        catch (AgreementLogException)
        {
            return null;
        }
    }

    private static async Task<IResult> PutAsync(string agreement, HttpContext http, IGrainFactory grains)
    {
        var (terms, problem) = await http.ReadJsonAsync<AgreementTerms>();
        if (problem is not null) return problem;
        if (!CatalogIds.IsValid(agreement)) return Problems.Problem(http, ProblemTypes.InvalidId, new($"„{agreement}“ ist keine Kennung.", $"“{agreement}” is no id."), ("id", agreement));
        if (!Side(http.Request.Query["side"].ToString(), out var side)) return Requests.InvalidParameter(http, "side", s_side);
        var result = await grains.GetGrain<ISharingAgreementGrain>(agreement).PutAsync(http.Caller(), terms!, side);
        if (result.Refusal != CatalogRefusal.None) return Refused(http, result);
        var json = AgreementJson.Of(result.Agreement!, Language.Of(http));
        return result.Created ? TypedResults.Created($"/api/v1/agreements/{agreement}", json) : TypedResults.Ok(json);
    }

    private static async Task<IResult> GetAsync(string agreement, HttpContext http, IGrainFactory grains) =>
        await FindAsync(agreement, http, grains) is { } info ? TypedResults.Ok(AgreementJson.Of(info, Language.Of(http))) : Problems.NotFound(http, s_agreement, agreement);

    private static async Task<IResult> ActAsync(string agreement, HttpContext http, IGrainFactory grains)
    {
        var (body, problem) = await http.ReadJsonAsync<AgreementActJson>();
        if (problem is not null) return problem;
        if (!CatalogIds.IsValid(agreement)) return Problems.NotFound(http, s_agreement, agreement);

        // Whoever may not know of it is told nothing about acts either.
        if (await FindAsync(agreement, http, grains) is null)
            return http.Caller().IsPublic ? Authentication.Forbidden(http, new("Dafür handelt eine der beiden Seiten, mit Schlüssel oder angemeldet.", "One of the two sides does this, with a key or signed in.")) : Problems.NotFound(http, s_agreement, agreement);
        if (!AgreementWords.Acts.Contains(body!.Act, StringComparer.Ordinal))
        {
            return Problems.Problem(http, ProblemTypes.InvalidAgreement, new(
                $"act: „{body.Act}“ gibt es nicht; erlaubt sind: {string.Join(", ", AgreementWords.Acts)}.", $"act: There is no “{body.Act}”; allowed are: {string.Join(", ", AgreementWords.Acts)}."));
        }

        if (!Side(body.Side, out var side)) return Problems.Problem(http, ProblemTypes.InvalidAgreement, s_side);
        var result = await grains.GetGrain<ISharingAgreementGrain>(agreement).ActAsync(http.Caller(), new(AgreementWords.Act(body.Act)!.Value, side, body.Version, body.Reason, body.Duty, body.Evidence, body.Charter));
        return result.Refusal == CatalogRefusal.None ? TypedResults.Ok(AgreementJson.Of(result.Agreement!, Language.Of(http))) : Refused(http, result);
    }

    private static async Task<IResult> EventsAsync(string agreement, HttpContext http, IGrainFactory grains)
    {
        if (http.ReadPage(out var text, out var limit) is { } problem) return problem;
        var after = 0;
        if (text is not null && !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out after))
            return Requests.InvalidParameter(http, "after", new("after ist die Nummer eines Ereignisses.", "after is the number of an event."));
        http.Response.Headers.CacheControl = "no-store";

        // One more on both ends: the event before names the hash that the first one follows.
        var from = Math.Max(0, after - 1);
        if (!CatalogIds.IsValid(agreement) || await grains.GetGrain<ISharingAgreementGrain>(agreement).EventsAsync(http.Caller(), from, Math.Min(limit + 2, Requests.MaxPage)) is not { } found)
            return Problems.NotFound(http, s_agreement, agreement);
        var previous = from == after || found.Length == 0 ? AgreementContent.Genesis.ToArray() : found[0].Hash;
        var events = new List<AgreementEventJson>();
        foreach (var record in found.Skip(after - from).Take(limit))
        {
            events.Add(AgreementEventJson.Of(AgreementContent.Read(agreement, record.Content)!, record, previous));
            previous = record.Hash;
        }

        var more = found.Length > after - from + events.Count || (events.Count > 0 && found.Length == Requests.MaxPage);
        return TypedResults.Ok(new AgreementEventsJson([.. events], more ? http.Next(events[^1].Number.ToString(CultureInfo.InvariantCulture), limit) : null));
    }

    private static async Task<IResult> UsageAsync(string agreement, HttpContext http, IGrainFactory grains, TimeProvider time)
    {
        var month = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        if (http.Request.Query["month"].ToString() is { Length: > 0 } text && !DateOnly.TryParseExact(text, "yyyy-MM", CultureInfo.InvariantCulture, DateTimeStyles.None, out month))
            return Requests.InvalidParameter(http, "month", new("month ist ein Monat wie 2026-11.", "month is a month such as 2026-11."));
        http.Response.Headers.CacheControl = "no-store";
        return CatalogIds.IsValid(agreement) && await grains.GetGrain<ISharingAgreementGrain>(agreement).UsageAsync(http.Caller(), month) is { } usage
            ? TypedResults.Ok(AgreementUsageJson.Of(agreement, month, usage))
            : Problems.NotFound(http, s_agreement, agreement);
    }

    private static async Task<IResult> DeriveAsync(string agreement, string dataset, HttpContext http, IGrainFactory grains)
    {
        var (body, problem) = await http.ReadJsonAsync<DerivedBodyJson>();
        if (problem is not null) return problem;
        if (!CatalogIds.IsValid(agreement)) return Problems.NotFound(http, s_agreement, agreement);
        if (await FindAsync(agreement, http, grains) is null)
            return http.Caller().IsPublic ? Authentication.Forbidden(http, new("Das vermerkt die empfangende Seite, mit Schlüssel oder angemeldet.", "The recipient's side notes this, with a key or signed in.")) : Problems.NotFound(http, s_agreement, agreement);
        var result = await grains.GetGrain<ISharingAgreementGrain>(agreement).DeriveAsync(http.Caller(), dataset, body!.Text);
        return result.Refusal == CatalogRefusal.None ? await EffectAsync(agreement, http, grains) : Refused(http, result);
    }

    private static async Task<IResult> EffectAsync(string agreement, HttpContext http, IGrainFactory grains)
    {
        http.Response.Headers.CacheControl = "no-store";
        return CatalogIds.IsValid(agreement) && await grains.GetGrain<ISharingAgreementGrain>(agreement).EffectAsync(http.Caller()) is { } effect
            ? TypedResults.Ok(AgreementEffectJson.Of(agreement, effect, Language.Of(http)))
            : Problems.NotFound(http, s_agreement, agreement);
    }

    private static async Task<IResult> TextAsync(string agreement, HttpContext http, IGrainFactory grains)
    {
        if (await FindAsync(agreement, http, grains) is not { } info) return Problems.NotFound(http, s_agreement, agreement);
        http.Response.Headers.Vary = "Accept, Accept-Language";
        var language = Language.Of(http);
        http.Response.Headers.ContentLanguage = language;
        var plain = http.Request.Headers.Accept.ToString() is { } accept && accept.Contains("text/plain", StringComparison.OrdinalIgnoreCase) && !accept.Contains("text/html", StringComparison.OrdinalIgnoreCase);
        return plain
            ? TypedResults.Text(AgreementText.Plain(info, language), "text/plain", Encoding.UTF8)
            : TypedResults.Text(AgreementText.Html(info, language), "text/html", Encoding.UTF8);
    }

    private static async Task<IResult> OdrlAsync(string agreement, HttpContext http, IGrainFactory grains) =>
        await FindAsync(agreement, http, grains) is { } info
            ? TypedResults.Text(AgreementOdrl.Of(info).ToJsonString(WireJson.Options), "application/ld+json", Encoding.UTF8)
            : Problems.NotFound(http, s_agreement, agreement);

    private static async Task<AgreementInfo?> FindAsync(string agreement, HttpContext http, IGrainFactory grains)
    {
        http.Response.Headers.CacheControl = "no-store";
        return CatalogIds.IsValid(agreement) ? await grains.GetGrain<ISharingAgreementGrain>(agreement).GetAsync(http.Caller()) : null;
    }

    private static IResult Refused(HttpContext http, AgreementResult result)
    {
        if (result.Failed.Length == 0) return CatalogProblems.From(http, result.Refusal, result.Detail, ProblemTypes.InvalidAgreement);
        var language = Language.Of(http);
        return Problems.Problem(http, ProblemTypes.Conflict, result.Detail!, ("charter", result.Failed.Select(check => CharterCheckJson.Of(check, language)).ToArray()));
    }

    private static readonly LocalText s_side = new("side: provider oder recipient.", "side: provider or recipient.");

    private static bool Side(string? word, out AgreementSide? side)
    {
        side = string.IsNullOrEmpty(word) ? null : AgreementWords.Side(word);
        return string.IsNullOrEmpty(word) || side is AgreementSide.Provider or AgreementSide.Recipient;
    }
}

/// <param name="Act">What to do.</param>
/// <param name="Side">provider or recipient, for those who may act for both.</param>
/// <param name="Version">Of the terms that were read; another one that stands by now is a refusal.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record AgreementActJson(
    [property: JsonRequired] string Act, string? Side = null, int? Version = null, string? Reason = null, string? Duty = null, string? Evidence = null, string? Charter = null);

internal sealed record CharterClauseJson(string Id, LocalText Title, LocalText Text);

internal sealed record CharterJson(string Version, CharterClauseJson[] Clauses);

/// <param name="Fulfilled">Null: no program can tell.</param>
internal sealed record CharterCheckJson(string Clause, bool? Fulfilled, string Text)
{
    public static CharterCheckJson Of(CharterCheck check, string language) => new(check.Clause, check.Fulfilled, check.Text.In(language));
}

internal sealed record AgreementSummaryJson(string Id, string State, LocalText Title, string Provider, string Recipient, string Dataset, int Version, DateTimeOffset Ends);

/// <param name="Next">Path and query of the next page; null on the last.</param>
internal sealed record AgreementListJson(AgreementSummaryJson[] Agreements, string? Next);

internal sealed record AgreementSignatureJson(string Side, string Who, DateTimeOffset At);

internal sealed record DutyStandingJson(string Duty, DateTimeOffset? Next, DateTimeOffset? MissedSince, DateTimeOffset? FulfilledAt, string? Evidence);

/// <param name="TermsHash">SHA-256 of the terms as they stand in the events, in hexadecimal.</param>
/// <param name="Head">Hash of the last event, in hexadecimal.</param>
/// <param name="Sides">The sides that the caller acts for.</param>
/// <param name="Next">What the caller may do next.</param>
internal sealed record AgreementJson(
    string Id, string State, int Version, string TermsHash, int Events, string Head, DateTimeOffset? Since, DateTimeOffset Ends, string[] Sides, string[] Next, AgreementTerms Terms,
    AgreementSignatureJson[] Signatures, string[] Acknowledged, CharterCheckJson[] Charter, DutyStandingJson[] Duties, string? SuspendedBy, string? Reason)
{
    public static AgreementJson Of(AgreementInfo info, string language) => new(
        info.Id, AgreementWords.Of(info.State), info.Version, AgreementContent.TermsHash(info.Terms), info.Events, Convert.ToHexStringLower(info.Head), info.Since, info.Ends,
        [.. info.Sides.Select(AgreementWords.Of)], [.. info.Next.Select(AgreementWords.Of)], info.Terms,
        [.. info.Signatures.Select(signature => new AgreementSignatureJson(AgreementWords.Of(signature.Side), signature.Who, signature.At))], [.. info.Acknowledged.Select(AgreementWords.Of)],
        [.. info.Checks.Select(check => CharterCheckJson.Of(check, language))],
        [.. info.Duties.Select(duty => new DutyStandingJson(duty.Duty, duty.Next, duty.MissedSince, duty.FulfilledAt, duty.Evidence))],
        info.SuspendedBy is { } side ? AgreementWords.Of(side) : null, info.Reason);
}

/// <param name="Previous">Hash of the event before, in hexadecimal.</param>
/// <param name="Content">The very text that was hashed.</param>
internal sealed record AgreementEventJson(
    int Number, DateTimeOffset At, string Who, string Side, string Act, int Version, string? Reason, string? Duty, DateTimeOffset? Due, string? Evidence, string? Charter, string Previous, string Hash, string Content)
{
    public static AgreementEventJson Of(AgreementEvent happened, AgreementRecord record, byte[] previous) => new(
        happened.Number, happened.At, happened.Who, AgreementWords.Of(happened.Side), AgreementWords.Of(happened.Act), happened.Version, happened.Reason, happened.Duty, happened.Due, happened.Evidence, happened.Charter,
        Convert.ToHexStringLower(previous), Convert.ToHexStringLower(record.Hash), Encoding.UTF8.GetString(record.Content));
}

/// <param name="Text">How it is derived.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record DerivedBodyJson(string? Text = null);

/// <param name="NotGiven">Why the agreement does not give it; null: it does, and would not any more.</param>
internal sealed record EffectIndicatorJson(string Id, LocalText Title, string? NotGiven);

internal sealed record EffectReaderJson(string Reader, string Purpose, string Operation, string Object, DateOnly Last, long Requests, long Rows);

/// <param name="State">noted; once the agreement is over kept, frozen, deleting or deleted.</param>
/// <param name="Erasure">Its receipt: <c>GET /api/v1/datasets/{dataset}/erasures/{erasure}</c>.</param>
/// <param name="Trouble">Why it is not done yet.</param>
internal sealed record EffectDerivedJson(string Dataset, string? Text, DateTimeOffset Since, string State, DateTimeOffset? Settled, string? Erasure, long? Keys, string? Trouble, string[] Feeds, string[] Indicators);

/// <param name="Derived">What becomes of derived data: kept, frozen or deleted.</param>
internal sealed record AgreementEffectJson(string Agreement, string Derived, EffectIndicatorJson[] Indicators, EffectReaderJson[] Readers, EffectDerivedJson[] Datasets)
{
    public static AgreementEffectJson Of(string agreement, AgreementEffect effect, string language) => new(
        agreement, AgreementWords.Of(effect.Rule),
        [.. effect.Indicators.Select(one => new EffectIndicatorJson(one.Id, one.Title, one.NotGiven?.In(language)))],
        [.. effect.Readers.Select(one => new EffectReaderJson(one.Subject, one.Purpose, one.Operation, one.Object, one.Last, one.Requests, one.Rows))],
        [.. effect.Derived.Select(one => new EffectDerivedJson(
            one.Standing.Note.Dataset, one.Standing.Note.Text, one.Standing.Since, AgreementWords.Of(one.Standing.State), one.Standing.Settled, one.Standing.Erasure,
            one.Standing.State == DerivedState.Deleted ? one.Standing.Keys : null, one.Standing.Trouble?.In(language), one.Feeds, one.Indicators))]);
}

/// <param name="Reader">Key or person, as in the audit log; empty where a day had too many different ones to tell apart.</param>
/// <param name="Operation">rows, values, latest, changes, explain, diff, evidence; unknown where nobody told.</param>
/// <param name="Object">What was read.</param>
/// <param name="Requests">Answers; of changes the parts that were sent.</param>
/// <param name="Rows">Rows or values in them.</param>
/// <param name="UpperBound">At most so much, maybe nothing.</param>
internal sealed record UsageEntryJson(DateOnly Day, int Version, string Reader, string Purpose, string Operation, string Object, long Requests, long Rows, bool UpperBound)
{
    public static UsageEntryJson Of(UsageEntry entry) => new(entry.Day, entry.Version, entry.Subject, entry.Purpose, entry.Operation, entry.Object, entry.Requests, entry.Rows, entry.IsUpperBound);
}

/// <param name="Open">Allowances that are out, or of which has not been told yet.</param>
internal sealed record AgreementUsageJson(string Agreement, string Month, UsageEntryJson[] Entries, UsageEntryJson[] Open)
{
    public static AgreementUsageJson Of(string agreement, DateOnly month, AgreementUsage usage) => new(
        agreement, month.ToString("yyyy-MM", CultureInfo.InvariantCulture),
        [.. usage.Entries.OrderBy(entry => entry.Day).ThenBy(entry => entry.Subject, StringComparer.Ordinal).ThenBy(entry => entry.Purpose, StringComparer.Ordinal).ThenBy(entry => entry.Operation, StringComparer.Ordinal)
            .ThenBy(entry => entry.Object, StringComparer.Ordinal).Select(UsageEntryJson.Of)],
        [.. usage.Open.Select(UsageEntryJson.Of)]);
}

internal sealed record AgreementEventsJson(AgreementEventJson[] Events, string? Next);
