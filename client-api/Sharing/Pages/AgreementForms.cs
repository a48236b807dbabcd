using DataHub.Catalog;
using DataHub.Indicators;

using Microsoft.AspNetCore.Http;

namespace DataHub.Sharing;

/// <summary>
/// The forms of the pages of agreements: those for what the reader's side may do now, and the one that was refused, with
/// what was entered. Who may is the grain's to say. Pure.
/// </summary>
/// <param name="display">Language and forms.</param>
/// <param name="entry">What was entered and refused; null: nothing.</param>
internal sealed class AgreementForms(Display display, StewardEntry? entry)
{
    /// <summary>Ids of the forms that are no act; the others are called as their act.</summary>
    public const string Draft = "draft", Terms = "terms";

    private static readonly AgreementAct[] s_plain =
        [AgreementAct.AcknowledgeCharter, AgreementAct.Offer, AgreementAct.Agree, AgreementAct.Withdraw, AgreementAct.Resume, AgreementAct.End];

    /// <summary>Acts that stop what is given: they are explained on a page of their own before they are done.</summary>
    public static readonly AgreementAct[] Stops = [AgreementAct.Suspend, AgreementAct.Revoke];

    /// <summary>The id of an act's form; of a duty for each duty.</summary>
    public static string Id(string act, string duty) => act == AgreementWords.Of(AgreementAct.FulfilDuty) && CatalogIds.IsValid(duty) ? $"{act}-{duty}" : act;

    /// <summary>What has been done, by the word in the address that the reader is sent to.</summary>
    public string? Done(HttpContext http)
    {
        var word = http.Request.Query["done"].ToString();
        return word switch
        {
            Draft => display.Say("Der Entwurf ist angelegt. Die andere Seite kann ihn schon lesen; verhandelt wird, sobald er angeboten ist.", "The draft is made. The other side can read it already; it is negotiated once it is offered."),
            Terms => display.Say("Die Bedingungen sind gespeichert.", "The terms are stored."),
            "acknowledge-charter" => display.Say("Die Charta ist anerkannt.", "The charter is acknowledged."),
            "offer" => display.Say("Die Vereinbarung ist angeboten.", "The agreement is offered."),
            "agree" => display.Say("Die Zustimmung ist gegeben.", "The agreement is agreed to."),
            "withdraw" => display.Say("Das Angebot ist zurückgezogen; es ist wieder ein Entwurf.", "The offer is withdrawn; it is a draft again."),
            "suspend" => display.Say("Die Vereinbarung ist ausgesetzt; das gilt innerhalb einer Sekunde überall.", "The agreement is suspended; that holds everywhere within a second."),
            "resume" => display.Say("Die Vereinbarung ist fortgesetzt.", "The agreement is resumed."),
            "revoke" => display.Say("Die Vereinbarung ist widerrufen; das gilt innerhalb einer Sekunde überall.", "The agreement is revoked; that holds everywhere within a second."),
            "end" => display.Say("Die Vereinbarung ist gekündigt.", "Notice is given."),
            _ when word.StartsWith("fulfil-duty", StringComparison.Ordinal) => display.Say("Der Nachweis ist abgelegt.", "The evidence is on record."),
            _ => null,
        };
    }

    /// <param name="agencies">Ids that are proposed.</param>
    /// <param name="datasets">Ids that are proposed.</param>
    public StewardForm OfDraft(string[] agencies, string[] datasets) => Form(Draft, display.Say("Vereinbarung entwerfen", "Draft an agreement"), "/agreements", display.Say("Entwurf anlegen", "Make the draft"),
    [
        new("id", display.Say("Kennung", "Id"))
        {
            Required = true,
            MaxLength = CatalogIds.MaxLength,
            Hint = display.Say($"höchstens {CatalogIds.MaxLength} Kleinbuchstaben (a–z), Ziffern und Bindestriche; bleibt für immer", $"at most {CatalogIds.MaxLength} small letters (a–z), digits and hyphens; stays for ever"),
        },
        .. AgreementTermsFields.Of(display, null, Entered(Draft), agencies, datasets),
    ], []);

    /// <summary>What is done at once.</summary>
    /// <param name="subject">Of the reader.</param>
    public StewardForm[] OfActs(AgreementInfo info, string subject)
    {
        var standing = new AgreementStanding(display, info);
        var forms = new List<StewardForm>();
        foreach (var act in s_plain)
        {
            if (Shown(info, standing, act, AgreementWords.Of(act), subject) is not { } sides) continue;
            var (heading, button, note) = Words(act, info);
            forms.Add(Act(info, act, AgreementWords.Of(act), heading, button, sides, [], act == AgreementAct.AcknowledgeCharter ? [("charter", Charter.Version)] : []) with { Note = note });
        }

        if (Shown(info, standing, AgreementAct.Change, Terms, subject) is { } change)
        {
            var draft = info.State == AgreementState.Draft;
            var fields = AgreementTermsFields.Of(display, info.Terms, Entered(Terms), [], []);
            forms.Add(Form(Terms, draft ? display.Say("Entwurf ändern", "Change the draft") : display.Say("Gegenangebot machen", "Make a counter-offer"), $"/agreements/{info.Id}/{Terms}",
                draft ? display.Say("Speichern", "Store") : display.Say("Gegenangebot senden", "Send the counter-offer"), change.Length > 1 ? [Side(change), .. fields] : fields, Hidden(info, change)) with
            {
                Note = display.Say(
                    draft ? "Parteien und Datensatz liegen fest." : "Parteien und Datensatz liegen fest. Ein Gegenangebot hebt auf, was schon zugestimmt ist.",
                    draft ? "Parties and dataset are fixed." : "Parties and dataset are fixed. A counter-offer voids what was agreed to."),
            });
        }

        return [.. forms];
    }

    /// <summary>One for each duty that can be fulfilled now.</summary>
    public StewardForm[] OfDuties(AgreementInfo info, string subject, DateTimeOffset now)
    {
        var standing = new AgreementStanding(display, info);
        var act = AgreementWords.Of(AgreementAct.FulfilDuty);
        var forms = new List<StewardForm>();
        foreach (var duty in info.Terms.Duties)
        {
            var id = Id(act, duty.Id);
            var open = Array.Find(info.Duties, one => one.Duty == duty.Id) is { } how && standing.IsOpen(how, now);
            if (Shown(info, standing, AgreementAct.FulfilDuty, id, subject) is not { } sides || (!open && !WasRefused(id))) continue;
            forms.Add(Act(info, AgreementAct.FulfilDuty, id, display.Say($"Pflicht „{duty.Id}“ erfüllen", $"Fulfil the duty “{duty.Id}”"), display.Say("Nachweis ablegen", "Put the evidence on record"), sides,
                [new("evidence", display.Say("Nachweis", "Evidence"), StewardFieldKind.Lines) { Required = true, MaxLength = AgreementLimits.MaxReason, Hint = display.Say("ein Text oder ein Link; beide Seiten sehen ihn", "a text or a link; both sides see it") }],
                ("duty", duty.Id)));
        }

        return [.. forms];
    }

    /// <summary>Of a page that explains it; null: it cannot be done now.</summary>
    public StewardForm? OfStop(AgreementInfo info, AgreementAct act, string subject)
    {
        var word = AgreementWords.Of(act);
        if (Shown(info, new(display, info), act, word, subject) is not { } sides) return null;
        return Act(info, act, word, null, act == AgreementAct.Revoke ? display.Say("Jetzt widerrufen", "Revoke now") : display.Say("Jetzt aussetzen", "Suspend now"), sides,
            [new("reason", display.Say("Warum", "Why"), StewardFieldKind.Lines) { Required = true, MaxLength = AgreementLimits.MaxReason, Hint = display.Say("beide Seiten sehen es", "both sides see it") }]);
    }

    /// <summary>Why something was refused that has none of these forms; null: nothing was.</summary>
    public string? Left(IEnumerable<StewardForm> forms) => entry is null || forms.Any(form => form.Id == entry.Form) ? null : entry.Fault;

    private StewardForm Act(AgreementInfo info, AgreementAct act, string id, string? heading, string button, AgreementSide[] sides, StewardField[] fields, params (string, string)[] hidden) =>
        Form(id, heading, $"/agreements/{info.Id}/acts", button, sides.Length > 1 ? [Side(sides), .. fields] : fields, [("act", AgreementWords.Of(act)), .. Hidden(info, sides).Where(one => act != AgreementAct.AcknowledgeCharter || one.Name != "version"), .. hidden]);

    private StewardForm Form(string id, string? heading, string action, string button, StewardField[] fields, (string, string)[] hidden) =>
        new StewardForm("form-" + id, heading, action, button, hidden, fields).With(entry);

    /// <summary>For which sides a form is shown; null: it is not. One that was refused is, so that nothing that was entered is lost.</summary>
    private AgreementSide[]? Shown(AgreementInfo info, AgreementStanding standing, AgreementAct act, string id, string subject) =>
        standing.For(act, subject) is { Length: > 0 } sides ? sides : WasRefused(id) ? info.Sides : null;

    private bool WasRefused(string id) => entry?.Form == "form-" + id;

    private IFormCollection? Entered(string id) => WasRefused(id) ? entry!.Values : null;

    /// <summary>What was read, and for whom it is sent; the charter is the same whichever terms stand.</summary>
    private static (string Name, string Value)[] Hidden(AgreementInfo info, AgreementSide[] sides) =>
        [("version", AgreementStanding.Number(info.Version)), .. sides.Length == 1 ? [("side", AgreementWords.Of(sides[0]))] : Array.Empty<(string, string)>()];

    private StewardField Side(AgreementSide[] sides) => new("side", display.Say("Für", "For"), StewardFieldKind.Choice)
    {
        Value = AgreementWords.Of(sides[0]),
        Options = [.. sides.Select(side => (AgreementWords.Of(side), AgreementWords.Name(side).In(display.Language)))],
    };

    private (string Heading, string Button, string? Note) Words(AgreementAct act, AgreementInfo info) => act switch
    {
        AgreementAct.AcknowledgeCharter => (display.Say("Charta anerkennen", "Acknowledge the charter"), display.Say("Anerkennen", "Acknowledge"),
            display.Say($"Die Data-Sharing-Charta, Fassung {Charter.Version}, steht weiter unten, Klausel für Klausel.", $"The Data-Sharing-Charta, version {Charter.Version}, stands further below, clause by clause.")),
        AgreementAct.Offer => (display.Say("Anbieten", "Offer"), display.Say("Anbieten", "Offer"), display.Say("Danach kann die empfangende Seite zustimmen oder ein Gegenangebot machen.", "After that the recipient can agree or make a counter-offer.")),
        AgreementAct.Agree => (display.Say($"Fassung {info.Version} zustimmen", $"Agree to version {info.Version}"), display.Say("Zustimmen", "Agree"),
            display.Say("Haben beide Seiten zugestimmt, ändern sich die Bedingungen nur noch mit einer neuen Vereinbarung.", "Once both sides have agreed, terms change by a new agreement only.")),
        AgreementAct.Withdraw => (display.Say("Angebot zurückziehen", "Withdraw the offer"), display.Say("Zurückziehen", "Withdraw"), display.Say("Es wird wieder ein Entwurf; was zugestimmt war, ist hinfällig.", "It becomes a draft again; what was agreed to is void.")),
        AgreementAct.Resume => (display.Say("Fortsetzen", "Resume"), display.Say("Fortsetzen", "Resume"), display.Say("Daten gehen dann sofort wieder über.", "Data is given again at once.")),
        _ => (display.Say("Kündigen", "Give notice"), display.Say("Kündigen", "Give notice"),
            display.Say($"Die Vereinbarung endet nach der Kündigungsfrist ({info.Terms.Term.Notice}); das lässt sich nicht zurücknehmen.", $"The agreement ends after the notice period ({info.Terms.Term.Notice}); this cannot be taken back.")),
    };
}
