using System.Globalization;

using DataHub.Catalog;
using DataHub.Indicators;

using Microsoft.AspNetCore.Http;

namespace DataHub.Sharing;

/// <summary>Takes the forms of the pages of agreements: the same grain calls as the interface's, in the name of whoever has signed in.</summary>
internal sealed class AgreementActs(IGrainFactory grains, AgreementPages pages)
{
    private static readonly LocalText s_side = new("Für welche Seite: provider oder recipient.", "For which side: provider or recipient.");

    public Task DraftAsync(HttpContext http) => StewardActs.ActAsync(http, _ => AgreementForms.Draft, entry => pages.ListAsync(http, entry), async fields =>
    {
        var id = fields["id"];
        if (!CatalogIds.IsValid(id))
            return StewardActs.Outcome.BadId(id) with { Faults = new Dictionary<string, LocalText> { ["id"] = StewardActs.Outcome.BadId(id).Fault! } };
        var grain = grains.GetGrain<ISharingAgreementGrain>(id);
        // Whoever drafts changes nothing that is there, whether he may see it or not.
        if (await grain.GetAsync(http.Caller()) is not null) return Taken(id);
        var outcome = await PutAsync(http, grain, fields, null, null, "/agreements/" + id);
        return outcome.Status == StatusCodes.Status404NotFound ? Taken(id) : outcome;
    }, AgreementTermsFields.Size);

    public Task ChangeAsync(HttpContext http, string agreement) => StewardActs.ActAsync(http, _ => AgreementForms.Terms, entry => pages.OneAsync(http, agreement, entry), async fields =>
    {
        var (info, side, refused) = await FindAsync(http, agreement, fields);
        if (refused is not null) return refused;
        if (Version(fields) is { } version && version != info!.Version)
        {
            return StewardActs.Outcome.Refused(CatalogRefusal.Conflict, new(
                $"Inzwischen gilt Fassung {info.Version}, nicht {version}; was sich geändert hat, steht auf dieser Seite. Noch einmal senden heißt: dieses Gegenangebot trotzdem.",
                $"By now version {info.Version} stands, not {version}; what has changed is said on this page. To send it again means: this counter-offer nevertheless."));
        }

        return await PutAsync(http, grains.GetGrain<ISharingAgreementGrain>(agreement), fields, info!.Terms, side, "/agreements/" + agreement);
    }, AgreementTermsFields.Size);

    public Task ActAsync(HttpContext http, string agreement) => StewardActs.ActAsync(http, fields => AgreementForms.Id(fields["act"], fields["duty"]), entry => AgainAsync(http, agreement, entry), async fields =>
    {
        var (_, side, refused) = await FindAsync(http, agreement, fields);
        if (refused is not null) return refused;
        if (!AgreementWords.Acts.Contains(fields["act"], StringComparer.Ordinal))
            return StewardActs.Outcome.Refused(CatalogRefusal.Invalid, new($"„{fields["act"]}“ gibt es nicht; erlaubt sind: {string.Join(", ", AgreementWords.Acts)}.", $"There is no “{fields["act"]}”; allowed are: {string.Join(", ", AgreementWords.Acts)}."));
        var result = await grains.GetGrain<ISharingAgreementGrain>(agreement).ActAsync(http.Caller(), new(
            AgreementWords.Act(fields["act"])!.Value, side, Version(fields), fields.Optional("reason"), fields.Optional("duty"), fields.Optional("evidence"), fields.Optional("charter")));
        return StewardActs.Outcome.Of(result.Refusal, result.Detail, "/agreements/" + agreement, AgreementPages.Standing);
    });

    private Task AgainAsync(HttpContext http, string agreement, StewardEntry entry) =>
        Array.Find(AgreementForms.Stops, act => entry.Form == "form-" + AgreementWords.Of(act)) is var stop && stop != default
            ? pages.StopAsync(http, agreement, stop, entry)
            : pages.OneAsync(http, agreement, entry);

    /// <summary>The agreement and the side that is named; or why not.</summary>
    private async Task<(AgreementInfo? Info, AgreementSide? Side, StewardActs.Outcome? Refused)> FindAsync(HttpContext http, string agreement, StewardActs.Fields fields)
    {
        if (!CatalogIds.IsValid(agreement) || await grains.GetGrain<ISharingAgreementGrain>(agreement).GetAsync(http.Caller()) is not { } info) return (null, null, StewardActs.Outcome.Refused(CatalogRefusal.NotFound, null));
        var side = AgreementWords.Side(fields["side"]);
        return fields["side"].Length > 0 && side is not (AgreementSide.Provider or AgreementSide.Recipient) ? (null, null, StewardActs.Outcome.Refused(CatalogRefusal.Invalid, s_side)) : (info, side, null);
    }

    private static async Task<StewardActs.Outcome> PutAsync(HttpContext http, ISharingAgreementGrain grain, StewardActs.Fields fields, AgreementTerms? standing, AgreementSide? side, string path)
    {
        var entered = AgreementTermsFields.Read(fields.All, standing);
        if (entered.Faults.Count > 0)
        {
            return StewardActs.Outcome.Refused(CatalogRefusal.Invalid, new("Nichts ist gespeichert: Was an einzelnen Feldern nicht stimmt, steht dort.", "Nothing is stored: what is wrong with single fields is said there.")) with { Faults = entered.Faults };
        }

        var result = await grain.PutAsync(http.Caller(), entered.Terms, side);
        var outcome = StewardActs.Outcome.Of(result.Refusal, result.Detail, path, AgreementPages.Standing);
        if (outcome.Fault is not { } fault) return outcome;
        var names = AgreementTermsFields.Of(Display.German, standing, fields.All, [], []).Select(field => field.Name).ToHashSet(StringComparer.Ordinal);
        var faults = new Dictionary<string, LocalText>(StringComparer.Ordinal);
        foreach (var check in result.Failed)
        {
            if (AgreementTermsFields.FieldOf(check.Clause) is { } field) faults.TryAdd(field, check.Text);
        }

        if (result.Refusal == CatalogRefusal.Invalid && entered.About(fault, names) is { } about) faults.TryAdd(about.Field, about.Why);
        return outcome with { Faults = faults };
    }

    private static StewardActs.Outcome Taken(string id)
    {
        var why = new LocalText($"Die Kennung „{id}“ ist schon vergeben.", $"The id “{id}” is taken already.");
        return StewardActs.Outcome.Refused(CatalogRefusal.Conflict, why) with { Faults = new Dictionary<string, LocalText> { ["id"] = why } };
    }

    private static int? Version(StewardActs.Fields fields) => int.TryParse(fields["version"], NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : null;
}
