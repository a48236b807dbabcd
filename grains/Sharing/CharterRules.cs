using DataHub.Catalog;

namespace DataHub.Sharing;

/// <summary>Holds terms against the charter and the class of the dataset, clause by clause. Pure.</summary>
internal static class CharterRules
{
    /// <summary>Greatest notice period, and fewest rows behind a value of a dataset with personal fields.</summary>
    public const string LongestNotice = "P1Y";

    public const int FewestPersonal = 5;

    /// <summary>Every clause in its order, with what is asked for and whether it is there.</summary>
    public static CharterCheck[] Check(AgreementTerms terms, DatasetSpec dataset)
    {
        var personal = dataset.Schema.Fields.Where(field => field.Role == FieldRole.Personal).Select(field => field.Name).ToHashSet(StringComparer.Ordinal);
        var given = terms.Data.Fields is { } fields && Array.Exists(fields, personal.Contains);
        return [.. Charter.Clauses.Select(clause => Of(clause.Id))];

        CharterCheck Of(string clause) => clause switch
        {
            "purpose" => new(clause, !given || terms.ForbiddenPurposes.Length > 0, given
                ? new("Zwecke sind genannt, und weil personenbezogene Felder übergehen, auch verbotene (forbiddenPurposes).", "Purposes are named, and because personal fields are given, forbidden ones too (forbiddenPurposes).")
                : new("Zwecke sind genannt (purposes).", "Purposes are named (purposes).")),
            "sovereignty" => new(clause, terms.Use.OnwardTransfer != OnwardTransfer.Allowed || dataset.Access == AccessClass.Open, new(
                "Frei weitergegeben werden nur offene Daten (use.onwardTransfer).", "Only open data is passed on freely (use.onwardTransfer).")),
            "proportionality" => new(clause, Proportionate(), new(
                $"Personenbezogene Felder nur mit einer Begrenzung nach Zeit, Gebiet oder Zeilenfilter (data.to, data.areas, data.filter) oder einzeln als Nachweis (delivery.form evidence), Werte aus Datensätzen mit solchen Feldern nur ab {FewestPersonal} Zeilen (data.smallestGroup).",
                $"Personal fields only with a limit by time, area or row filter (data.to, data.areas, data.filter) or one by one as evidence (delivery.form evidence), values of datasets with such fields only from {FewestPersonal} rows on (data.smallestGroup).")),
            "transparency" => new(clause, !string.IsNullOrWhiteSpace(terms.LegalBasis), new("Die Rechtsgrundlage ist genannt (legalBasis).", "The legal basis is named (legalBasis).")),
            "security" => new(clause, !given || terms.Use.Keys is { Length: > 0 } || terms.Use.Groups is { Length: > 0 } || terms.Use.Networks is { Length: > 0 }, new(
                "Personenbezogene Felder gehen nur an benannte Schlüssel, Gruppen oder Netze (use.keys, use.groups, use.networks).", "Personal fields go to named keys, groups or networks only (use.keys, use.groups, use.networks).")),
            "accountability" => new(clause, Array.Exists(terms.Duties, duty => duty.Kind == DutyKind.Report), new("Es gibt eine Berichtspflicht (duties, kind report).", "There is a duty to report (duties, kind report).")),
            "openness" => new(clause, given || terms.Use.Publication != PublicationRule.None, new(
                "Ergebnisse dürfen wenigstens zusammengefasst veröffentlicht werden (use.publication).", "Results may be published at least as aggregates (use.publication).")),
            "exit" => new(clause, AgreementDuration.Add(terms.Term.From, terms.Term.Notice) <= AgreementDuration.Add(terms.Term.From, LongestNotice)
                && (!given || Array.Exists(terms.Duties, duty => duty.Kind == DutyKind.Delete)), new(
                "Die Kündigungsfrist ist höchstens ein Jahr (term.notice); wo personenbezogene Felder übergehen, gibt es eine Löschpflicht (duties, kind delete).",
                "Notice is a year at most (term.notice); where personal fields are given there is a duty to delete (duties, kind delete).")),
            _ => new(clause, null, new("Kein Programm kann das prüfen; beide Seiten erkennen es an.", "No program can check this; both sides acknowledge it.")),
        };

        bool Proportionate()
        {
            var values = terms.Delivery.Form is AgreementForm.Both or AgreementForm.Values;
            return (!given || terms.Delivery.Form == AgreementForm.Evidence || terms.Data.To is not null || terms.Data.Areas is not null || terms.Data.Filter is not null)
                && (personal.Count == 0 || !values || terms.Data.SmallestGroup >= FewestPersonal);
        }
    }
}
