using System.Globalization;
using System.Net;
using System.Text;

using DataHub.Catalog;

namespace DataHub.Sharing;

/// <summary>An agreement as people read it, in German or English: made of the same terms as the policy for machines.</summary>
internal static class AgreementText
{
    /// <summary>Lines of text.</summary>
    public static string Plain(AgreementInfo info, string language)
    {
        var text = new StringBuilder();
        text.Append(info.Terms.Title.In(language)).Append('\n').Append('=', Math.Min(80, info.Terms.Title.In(language).Length)).Append("\n\n");
        foreach (var (title, lines) in Sections(info, language))
        {
            text.Append(title).Append('\n');
            foreach (var line in lines) text.Append("  - ").Append(line).Append('\n');
            text.Append('\n');
        }

        return text.ToString();
    }

    /// <summary>A page that prints as it stands: no script, no address outside of the hub.</summary>
    public static string Html(AgreementInfo info, string language)
    {
        var title = WebUtility.HtmlEncode(info.Terms.Title.In(language));
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"<!doctype html>\n<html lang=\"{language}\">\n<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title></head>\n<body>\n<main>\n<h1>{title}</h1>\n");
        foreach (var (heading, lines) in Sections(info, language))
        {
            text.Append(CultureInfo.InvariantCulture, $"<h2>{WebUtility.HtmlEncode(heading)}</h2>\n<ul>\n");
            foreach (var line in lines) text.Append("<li>").Append(WebUtility.HtmlEncode(line)).Append("</li>\n");
            text.Append("</ul>\n");
        }

        return text.Append("</main>\n</body>\n</html>\n").ToString();
    }

    /// <summary>The text in its parts.</summary>
    public static IEnumerable<(string Title, string[] Lines)> Sections(AgreementInfo info, string language)
    {
        var terms = info.Terms;
        var german = language != "en";
        yield return (Say("Parteien und Gegenstand", "Parties and object"),
        [
            Say($"Bereitstellende Seite: {terms.Provider}", $"Provider: {terms.Provider}"), Say($"Empfangende Seite: {terms.Recipient}", $"Recipient: {terms.Recipient}"),
            Say($"Datensatz: {terms.Dataset}", $"Dataset: {terms.Dataset}"), Say($"Rechtsgrundlage: {terms.LegalBasis ?? "noch nicht genannt"}", $"Legal basis: {terms.LegalBasis ?? "not named yet"}"),
        ]);
        yield return (Say("Zwecke", "Purposes"),
        [
            .. terms.Purposes.Select(purpose => Say($"Erlaubt ({purpose.Id}): ", $"Allowed ({purpose.Id}): ") + purpose.Text.In(language)),
            .. terms.ForbiddenPurposes.Select(purpose => Say($"Verboten ({purpose.Id}): ", $"Forbidden ({purpose.Id}): ") + purpose.Text.In(language)),
        ]);
        yield return (Say("Daten", "Data"),
        [
            terms.Data.Fields is { } fields ? Say("Felder: ", "Fields: ") + string.Join(", ", fields) : Say("Felder: alle, die nicht personenbezogen sind", "Fields: all that are not personal"),
            Say("Zeitraum der Zeilen: ", "Period of the rows: ") + Period(terms.Data.From, terms.Data.To),
            terms.Data.Areas is { } areas ? Say("Gebiete: ", "Areas: ") + string.Join(", ", areas) : Say("Gebiete: alle", "Areas: all"),
            terms.Data.Filter is { } filter ? Say("Nur Zeilen mit: ", "Only rows with: ") + filter : Say("Zeilenfilter: keiner", "Row filter: none"),
            terms.Data.FinestLevel is { } level ? Say($"Feinste Gebietsebene: {level}", $"Finest level of areas: {level}") : Say("Feinste Gebietsebene: jede", "Finest level of areas: any"),
            terms.Data.SmallestGroup > 0 ? Say($"Werte nur ab {terms.Data.SmallestGroup} Zeilen", $"Values of at least {terms.Data.SmallestGroup} rows only") : Say("Mindestzahl für Werte: keine", "Minimum count of values: none"),
        ]);
        yield return (Say("Lieferung", "Delivery"),
        [
            Say("Form: ", "Form: ") + (terms.Delivery.Form switch { AgreementForm.Rows => Say("Zeilen", "rows"), AgreementForm.Values => Say("Werte von Indikatoren", "values of indicators"), AgreementForm.Evidence => Say("einzelne Datensätze als Nachweis, je Verfahren", "single records as evidence, each for one procedure"), _ => Say("Zeilen und Werte", "rows and values") }),
            terms.Delivery.Rhythm is { } rhythm ? Say($"Im Abstand von mindestens: {Duration(rhythm)}", $"At least so far apart: {Duration(rhythm)}") : Say("So oft wie gewünscht", "As often as wanted"),
            terms.Delivery.RowsPerDay is { } rows ? Say($"Höchstens {rows} Zeilen je Tag", $"At most {rows} rows a day") : Say("Zeilen je Tag: unbegrenzt", "Rows a day: unlimited"),
        ]);
        yield return (Say("Nutzung", "Use"),
        [
            terms.Use.Groups is { } groups ? Say("Nur Gruppen: ", "Groups only: ") + string.Join(", ", groups) : Say("Die ganze empfangende Behörde", "The whole receiving agency"),
            .. terms.Use.Keys is { } keys ? [Say("Nur Schlüssel: ", "Keys only: ") + string.Join(", ", keys)] : Array.Empty<string>(),
            .. terms.Use.Networks is { } networks ? [Say("Nur aus Netzen: ", "From networks only: ") + string.Join(", ", networks)] : Array.Empty<string>(),
            Say("Weitergabe: ", "Passing on: ") + (terms.Use.OnwardTransfer switch { OnwardTransfer.None => Say("keine", "none"), OnwardTransfer.WithConsent => Say("mit Zustimmung", "with consent"), _ => Say("erlaubt", "allowed") }),
            Say("Veröffentlichung: ", "Publication: ") + (terms.Use.Publication switch { PublicationRule.None => Say("keine", "none"), PublicationRule.AggregatesOnly => Say("nur zusammengefasst", "aggregates only"), _ => Say("frei", "free") }),
            Say("Abgeleitete Daten am Ende: ", "Derived data at the end: ") + (terms.Use.Derived switch { DerivedRule.Frozen => Say("bleiben, wie sie sind, und nehmen nichts mehr an", "stay as they are and take nothing more"), DerivedRule.Deleted => Say("werden gelöscht, mit Beleg", "are deleted, with a receipt"), _ => Say("bleiben", "are kept") }),
        ]);
        yield return (Say("Pflichten", "Duties"), terms.Duties.Length == 0 ? [Say("keine", "none")] :
        [
            .. terms.Duties.Select(Duty),
        ]);
        yield return (Say("Laufzeit", "Term"),
        [
            Say("Von ", "From ") + At(terms.Term.From) + Say(" bis ", " until ") + At(terms.Term.Until), Say("Kündigungsfrist: ", "Notice: ") + Duration(terms.Term.Notice),
            Say("Zwei stimmen zu auf Seite: ", "Two agree on the side of: ") + (terms.FourEyes is { Provider: false, Recipient: false } ? Say("keiner", "nobody")
                : string.Join(", ", new[] { (terms.FourEyes.Provider, AgreementSide.Provider), (terms.FourEyes.Recipient, AgreementSide.Recipient) }.Where(side => side.Item1).Select(side => AgreementWords.Name(side.Item2).In(language)))),
        ]);
        yield return (Say("Stand", "Standing"),
        [
            Say("Zustand: ", "State: ") + AgreementWords.Name(info.State).In(language),
            .. info.Signatures.Select(signature => Say("Zugestimmt hat für ", "Agreed for ") + $"{AgreementWords.Name(signature.Side).In(language)}: {signature.Who}, {At(signature.At)}"),
            Say($"Fassung {info.Version}, SHA-256 {AgreementContent.TermsHash(info.Terms)}", $"Version {info.Version}, SHA-256 {AgreementContent.TermsHash(info.Terms)}"),
            Say($"Ereignis {info.Events}, SHA-256 {Convert.ToHexStringLower(info.Head)}", $"Event {info.Events}, SHA-256 {Convert.ToHexStringLower(info.Head)}"),
            Say($"Data-Sharing-Charta, Fassung {Charter.Version}", $"Data-Sharing-Charta, version {Charter.Version}"),
        ]);

        string Say(string de, string en) => german ? de : en;

        // What the parties wrote stays beside the words.
        string Duration(string text) => AgreementDuration.Parts(text) is { Count: > 0 } parts
            ? string.Join(", ", parts.Select(part => string.Create(CultureInfo.InvariantCulture, $"{part.Number} {Unit(part.Unit, part.Number == 1)}"))) + $" ({text})"
            : text;

        string Unit(AgreementUnit unit, bool one) => unit switch
        {
            AgreementUnit.Year => one ? Say("Jahr", "year") : Say("Jahre", "years"),
            AgreementUnit.Month => one ? Say("Monat", "month") : Say("Monate", "months"),
            AgreementUnit.Week => one ? Say("Woche", "week") : Say("Wochen", "weeks"),
            AgreementUnit.Day => one ? Say("Tag", "day") : Say("Tage", "days"),
            AgreementUnit.Hour => one ? Say("Stunde", "hour") : Say("Stunden", "hours"),
            AgreementUnit.Minute => one ? Say("Minute", "minute") : Say("Minuten", "minutes"),
            _ => one ? Say("Sekunde", "second") : Say("Sekunden", "seconds"),
        };

        string Duty(AgreementDuty duty)
        {
            var when = duty.Due is { } due ? Say("bis ", "by ") + At(due) : Say("wiederkehrend, Abstand ", "recurring, interval ") + Duration(duty.Every!);
            var missed = duty.Missed == DutyMiss.Suspension ? Say("versäumt: Aussetzung", "missed: suspension") : Say("versäumt: Vermerk", "missed: notice");
            return $"{duty.Text.In(language)} ({duty.Id}; {when}; {missed})";
        }

        string Period(DateTimeOffset? from, DateTimeOffset? to) =>
            from is null && to is null ? Say("unbegrenzt", "unlimited") : $"{(from is { } f ? At(f) : "…")} {Say("bis", "until")} {(to is { } t ? At(t) : "…")}";

        static string At(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
    }
}
