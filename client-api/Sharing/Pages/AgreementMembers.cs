using System.Globalization;

using DataHub.Catalog;
using DataHub.Indicators;

namespace DataHub.Sharing;

/// <summary>The members of terms as people call them, and what stands in them. Pure.</summary>
internal static class AgreementMembers
{
    private static readonly Dictionary<string, LocalText> s_labels = new(StringComparer.Ordinal)
    {
        ["title.de"] = new("Titel", "Title in German"),
        ["title.en"] = new("Titel auf Englisch", "Title in English"),
        ["provider"] = new("Bereitstellende Behörde", "Providing agency"),
        ["recipient"] = new("Empfangende Behörde", "Receiving agency"),
        ["dataset"] = new("Datensatz", "Dataset"),
        ["legalBasis"] = new("Rechtsgrundlage", "Legal basis"),
        ["data.fields"] = new("Felder", "Fields"),
        ["data.from"] = new("Zeilen ab (UTC)", "Rows from (UTC)"),
        ["data.to"] = new("Zeilen vor (UTC)", "Rows before (UTC)"),
        ["data.areas"] = new("Gebiete", "Areas"),
        ["data.filter"] = new("Nur Zeilen mit", "Only rows with"),
        ["data.finestLevel"] = new("Feinste Gebietsebene", "Finest level of areas"),
        ["data.smallestGroup"] = new("Werte erst ab so vielen Zeilen", "Values only from so many rows on"),
        ["delivery.form"] = new("Form", "Form"),
        ["delivery.rhythm"] = new("Abstand zwischen Abrufen, mindestens", "At least so long between requests"),
        ["delivery.rowsPerDay"] = new("Zeilen je Tag, höchstens", "Rows a day, at most"),
        ["use.groups"] = new("Gruppen", "Groups"),
        ["use.keys"] = new("Schlüssel", "Keys"),
        ["use.networks"] = new("Netze", "Networks"),
        ["use.onwardTransfer"] = new("Weitergabe", "Passing on"),
        ["use.publication"] = new("Veröffentlichung", "Publication"),
        ["use.derived"] = new("Abgeleitete Daten am Ende", "Derived data at the end"),
        ["term.from"] = new("Beginn (UTC)", "Begin (UTC)"),
        ["term.until"] = new("Ende (UTC)", "End (UTC)"),
        ["term.notice"] = new("Kündigungsfrist", "Notice"),
        ["fourEyes.provider"] = new("Auf der bereitstellenden Seite stimmen zu", "On the provider's side there agree"),
        ["fourEyes.recipient"] = new("Auf der empfangenden Seite stimmen zu", "On the recipient's side there agree"),
    };

    public static string Label(string member, Display display) => s_labels[member].In(display.Language);

    public static LocalText Name(AgreementForm form) => form switch
    {
        AgreementForm.Rows => new("Zeilen", "rows"),
        AgreementForm.Values => new("Werte von Indikatoren", "values of indicators"),
        AgreementForm.Evidence => new("einzelne Datensätze als Nachweis, je Verfahren", "single records as evidence, each for one procedure"),
        _ => new("Zeilen und Werte", "rows and values"),
    };

    public static LocalText Name(OnwardTransfer transfer) => transfer switch
    {
        OnwardTransfer.None => new("keine", "none"),
        OnwardTransfer.WithConsent => new("mit Zustimmung", "with consent"),
        _ => new("erlaubt", "allowed"),
    };

    /// <summary>How something was read.</summary>
    public static LocalText Operation(string operation) => operation switch
    {
        UsageOperations.Rows => new("Zeilen", "rows"),
        UsageOperations.Values => new("Werte", "values"),
        UsageOperations.Latest => new("letzte Werte", "latest values"),
        UsageOperations.Changes => new("laufende Änderungen", "live changes"),
        UsageOperations.Explain => new("Erklärung", "explanation"),
        UsageOperations.Diff => new("Unterschiede", "differences"),
        UsageOperations.Evidence => new("Nachweise", "evidence"),
        _ => new("noch nicht gemeldet, höchstens", "not told yet, at most"),
    };

    public static LocalText Name(DerivedRule rule) => rule switch
    {
        DerivedRule.Frozen => new("nehmen nichts mehr an", "take nothing more"),
        DerivedRule.Deleted => new("werden gelöscht, mit Beleg", "are deleted, with a receipt"),
        _ => new("bleiben", "are kept"),
    };

    public static LocalText Name(PublicationRule rule) => rule switch
    {
        PublicationRule.None => new("keine", "none"),
        PublicationRule.AggregatesOnly => new("nur zusammengefasst", "aggregates only"),
        _ => new("frei", "free"),
    };

    public static LocalText Name(DutyKind kind) => kind switch
    {
        DutyKind.Report => new("Bericht", "report"),
        DutyKind.Delete => new("Löschung", "deletion"),
        DutyKind.Renew => new("Erneuerung", "renewal"),
        _ => new("Sonstiges", "other"),
    };

    public static LocalText Name(DutyMiss miss) => miss == DutyMiss.Suspension ? new("Aussetzung", "suspension") : new("Vermerk", "notice");

    public static LocalText People(bool two) => two ? new("zwei Personen", "two people") : new("eine Person", "one person");

    /// <summary>What an act was, once it has happened.</summary>
    public static LocalText Name(AgreementAct act) => act switch
    {
        AgreementAct.Change => new("Bedingungen geändert", "terms changed"),
        AgreementAct.Offer => new("angeboten", "offered"),
        AgreementAct.Agree => new("zugestimmt", "agreed"),
        AgreementAct.Withdraw => new("Angebot zurückgezogen", "offer withdrawn"),
        AgreementAct.Suspend => new("ausgesetzt", "suspended"),
        AgreementAct.Resume => new("fortgesetzt", "resumed"),
        AgreementAct.Revoke => new("widerrufen", "revoked"),
        AgreementAct.End => new("gekündigt", "notice given"),
        AgreementAct.FulfilDuty => new("Pflicht erfüllt", "duty fulfilled"),
        AgreementAct.AcknowledgeCharter => new("Charta anerkannt", "charter acknowledged"),
        AgreementAct.Activate => new("wirksam geworden", "became active"),
        AgreementAct.Expire => new("beendet", "ended"),
        _ => new("Pflicht versäumt", "duty missed"),
    };

    /// <summary>What differs between two versions, in words: one sentence for each member.</summary>
    public static string[] Differences(AgreementTerms before, AgreementTerms after, Display display)
    {
        var (old, now) = (Of(before, display), Of(after, display));
        var keys = now.Select(one => one.Key).Concat(old.Select(one => one.Key).Except(now.Select(one => one.Key), StringComparer.Ordinal));
        return [.. keys.Select(key => Sentence(old.Find(one => one.Key == key), now.Find(one => one.Key == key))).OfType<string>()];

        string? Sentence((string Key, string Label, string Value) was, (string Key, string Label, string Value) stands) => (was.Value, stands.Value) switch
        {
            (null, _) => display.Say($"{stands.Label} ist neu: „{stands.Value}“.", $"{stands.Label} is new: “{stands.Value}”."),
            (_, null) => display.Say($"{was.Label} entfällt; vorher: „{was.Value}“.", $"{was.Label} is gone; it was: “{was.Value}”."),
            _ when was.Value == stands.Value => null,
            _ => display.Say($"{stands.Label}: vorher „{was.Value}“, jetzt „{stands.Value}“.", $"{stands.Label}: was “{was.Value}”, is now “{stands.Value}”."),
        };
    }

    /// <summary>Each member with what stands in it.</summary>
    private static List<(string Key, string Label, string Value)> Of(AgreementTerms terms, Display display)
    {
        var all = new List<(string Key, string Label, string Value)>();
        var language = display.Language;
        Add("title.de", terms.Title.De);
        Add("title.en", terms.Title.En ?? display.Say("keiner", "none"));
        AddPurposes("purposes/", display.Say("Zweck", "Purpose"), terms.Purposes);
        AddPurposes("forbiddenPurposes/", display.Say("Verbotener Zweck", "Forbidden purpose"), terms.ForbiddenPurposes);
        Add("legalBasis", terms.LegalBasis ?? display.Say("nicht genannt", "not named"));
        Add("data.fields", List(terms.Data.Fields, display.Say("alle, die nicht personenbezogen sind", "all that are not personal")));
        Add("data.from", terms.Data.From is { } from ? Instant(from) : display.Say("von Anfang an", "from the beginning"));
        Add("data.to", terms.Data.To is { } to ? Instant(to) : display.Say("ohne Ende", "without end"));
        Add("data.areas", List(terms.Data.Areas, display.Say("alle", "all")));
        Add("data.filter", terms.Data.Filter ?? display.Say("alle Zeilen", "all rows"));
        Add("data.finestLevel", terms.Data.FinestLevel?.ToString(CultureInfo.InvariantCulture) ?? display.Say("jede", "any"));
        Add("data.smallestGroup", terms.Data.SmallestGroup.ToString(CultureInfo.InvariantCulture));
        Add("delivery.form", Name(terms.Delivery.Form).In(language));
        Add("delivery.rhythm", terms.Delivery.Rhythm ?? display.Say("beliebig", "any"));
        Add("delivery.rowsPerDay", terms.Delivery.RowsPerDay?.ToString(CultureInfo.InvariantCulture) ?? display.Say("unbegrenzt", "unlimited"));
        Add("use.groups", List(terms.Use.Groups, display.Say("alle", "all")));
        Add("use.keys", List(terms.Use.Keys, display.Say("alle", "all")));
        Add("use.networks", List(terms.Use.Networks, display.Say("alle", "all")));
        Add("use.onwardTransfer", Name(terms.Use.OnwardTransfer).In(language));
        Add("use.publication", Name(terms.Use.Publication).In(language));
        Add("use.derived", Name(terms.Use.Derived ?? DerivedRule.Kept).In(language));
        foreach (var duty in terms.Duties)
        {
            all.Add(("duties/" + duty.Id, display.Say($"Pflicht „{duty.Id}“", $"Duty “{duty.Id}”"), string.Join("; ",
                Both(duty.Text), Name(duty.Kind).In(language),
                duty.Due is { } due ? display.Say("bis ", "by ") + Instant(due) : display.Say("wiederkehrend ", "recurring ") + duty.Every,
                display.Say("versäumt: ", "missed: ") + Name(duty.Missed).In(language))));
        }

        Add("term.from", Instant(terms.Term.From));
        Add("term.until", Instant(terms.Term.Until));
        Add("term.notice", terms.Term.Notice);
        Add("fourEyes.provider", People(terms.FourEyes.Provider).In(language));
        Add("fourEyes.recipient", People(terms.FourEyes.Recipient).In(language));
        return all;

        void Add(string member, string value) => all.Add((member, Label(member, display), value));

        void AddPurposes(string key, string label, AgreementPurpose[] purposes)
        {
            foreach (var purpose in purposes) all.Add((key + purpose.Id, display.Say($"{label} „{purpose.Id}“", $"{label} “{purpose.Id}”"), Both(purpose.Text)));
        }

        static string Both(LocalText text) => text.En is { } english ? $"{text.De} / {english}" : text.De;

        static string List(string[]? list, string none) => list is null ? none : string.Join(", ", list);

        static string Instant(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.FFFFFFF 'UTC'", CultureInfo.InvariantCulture);
    }
}
