using DataHub.Catalog;

namespace DataHub.Sharing;

/// <summary>A principle of the charter.</summary>
/// <param name="Id">A stable word.</param>
/// <param name="Title">Its name.</param>
/// <param name="Text">What both sides acknowledge.</param>
public sealed record CharterClause(string Id, LocalText Title, LocalText Text);

/// <summary>Whether terms keep a principle.</summary>
/// <param name="Clause">The principle's id.</param>
/// <param name="Fulfilled">Null: no program can tell, the sides acknowledge it.</param>
/// <param name="Text">What is asked for, or what is missing.</param>
[GenerateSerializer, Immutable, Alias("datahub.CharterCheck")]
public sealed record CharterCheck([property: Id(0)] string Clause, [property: Id(1)] bool? Fulfilled, [property: Id(2)] LocalText Text);

/// <summary>
/// The Data-Sharing-Charta: principles that both sides of every agreement acknowledge, and against which terms are checked
/// before they are offered. A new text is a new version; whoever acknowledged an older one acknowledges anew before agreeing.
/// </summary>
public static class Charter
{
    /// <summary>Of the text below.</summary>
    public const string Version = "1";

    /// <summary>In the order in which they are read.</summary>
    public static IReadOnlyList<CharterClause> Clauses { get; } =
    [
        new("common-good", new("Gemeinwohl", "Common good"), new("Daten werden geteilt, weil es der Stadt und den Menschen in ihr nützt.", "Data is shared because it serves the city and its people.")),
        new("purpose", new("Zweckbindung", "Purpose"), new("Daten dienen nur den vereinbarten Zwecken. Wo personenbezogene Felder übergehen, ist auch gesagt, wozu sie nie dienen.", "Data serves the agreed purposes only. Where personal fields are given it is said too what they never serve.")),
        new("sovereignty", new("Souveränität", "Sovereignty"), new("Wer Daten bereitstellt, behält die Entscheidung darüber: Weitergabe ohne Zustimmung gibt es nur bei Daten, die ohnehin offen sind.", "Whoever provides data keeps deciding about it: only data that is open anyway is passed on without consent.")),
        new("proportionality", new("Verhältnismäßigkeit", "Proportionality"), new("Es geht so wenig über wie nötig: Personenbezogene Felder nur für einen begrenzten Teil der Zeilen, Werte aus solchen Datensätzen nur ab einer Mindestzahl.", "As little is given as is needed: personal fields for a limited part of the rows only, values of such datasets from a minimum count on.")),
        new("transparency", new("Transparenz", "Transparency"), new("Beide Seiten sehen Bedingungen, Rechtsgrundlage und alles, was mit der Vereinbarung geschieht.", "Both sides see the terms, the legal basis and everything that happens to the agreement.")),
        new("reciprocity", new("Gegenseitigkeit", "Reciprocity"), new("Wer Daten erhält, teilt Erkenntnisse und Berichtigungen mit der bereitstellenden Seite.", "Whoever receives data shares findings and corrections with the provider.")),
        new("security", new("Sicherheit", "Security"), new("Daten sind auf dem Weg und am Ziel geschützt. Personenbezogene Felder gehen nur an benannte Schlüssel, Gruppen oder Netze.", "Data is protected on its way and where it arrives. Personal fields go to named keys, groups or networks only.")),
        new("fair-cost", new("Faire Kosten", "Fair cost"), new("Kosten werden offen benannt und decken höchstens den Aufwand der Bereitstellung.", "Costs are named openly and cover the effort of providing at most.")),
        new("accountability", new("Rechenschaft", "Accountability"), new("Wer Daten erhält, berichtet, wozu sie gedient haben; jede Vereinbarung hat dafür eine Pflicht mit Frist.", "Whoever receives data reports what it served; every agreement has a duty with a date for that.")),
        new("openness", new("Offenheit der Ergebnisse", "Openness of results"), new("Was aus den Daten entsteht, darf wenigstens zusammengefasst veröffentlicht werden, außer wo personenbezogene Felder übergehen.", "What is made of the data may be published at least as aggregates, except where personal fields are given.")),
        new("exit", new("Ausstieg", "Exit"), new("Jede Seite kommt in angemessener Zeit heraus: Die Kündigungsfrist ist höchstens ein Jahr, und personenbezogene Felder werden danach gelöscht.", "Each side gets out in reasonable time: notice is a year at most, and personal fields are deleted afterwards.")),
    ];
}
