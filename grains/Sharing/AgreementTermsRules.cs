using System.Net;

using DataHub.Catalog;
using DataHub.Indicators;

namespace DataHub.Sharing;

/// <summary>Whether terms hold together, in themselves and with the dataset they are about. Pure; each fault names the member.</summary>
internal static class AgreementTermsRules
{
    /// <summary>The terms with what was left out, every instant in UTC.</summary>
    public static AgreementTerms Normal(AgreementTerms terms) => terms with
    {
        Purposes = terms.Purposes ?? [],
        ForbiddenPurposes = terms.ForbiddenPurposes ?? [],
        LegalBasis = string.IsNullOrWhiteSpace(terms.LegalBasis) ? null : terms.LegalBasis,
        Data = (terms.Data ?? new()) with { From = terms.Data?.From?.ToUniversalTime(), To = terms.Data?.To?.ToUniversalTime() },
        Delivery = terms.Delivery ?? new(),
        Use = terms.Use ?? new(),
        Duties = [.. (terms.Duties ?? []).Select(duty => duty is null ? null! : duty with { Due = duty.Due?.ToUniversalTime() })],
        FourEyes = terms.FourEyes ?? new(),
        Term = terms.Term is null ? null! : terms.Term with { From = terms.Term.From.ToUniversalTime(), Until = terms.Term.Until.ToUniversalTime() },
    };

    /// <summary>What is wrong with terms in themselves; null: nothing.</summary>
    /// <param name="terms"><see cref="Normal"/> ones.</param>
    public static LocalText? Fault(AgreementTerms terms) =>
        TextFault("title", terms.Title) ?? PartiesFault(terms) ?? PurposesFault("purposes", terms.Purposes) ?? PurposesFault("forbiddenPurposes", terms.ForbiddenPurposes)
        ?? BothFault(terms)
        ?? (terms.LegalBasis is { Length: > AgreementLimits.MaxReason } ? TooLong("legalBasis", AgreementLimits.MaxReason) : null)
        ?? TermFault(terms.Term) ?? DataFault(terms.Data) ?? DeliveryFault(terms.Delivery) ?? UseFault(terms.Use, terms.Recipient) ?? DutiesFault(terms) ?? EvidenceFault(terms)
        ?? (AgreementContent.Terms(terms).Length > AgreementLimits.MaxBytes
            ? new($"Die Bedingungen sind zusammen länger als {AgreementLimits.MaxBytes} Byte.", $"The terms together are longer than {AgreementLimits.MaxBytes} bytes.")
            : null);

    /// <summary>What is wrong with them for this dataset; null: nothing.</summary>
    /// <param name="areas">Ids of the dataset's area system with their levels; null where it has none.</param>
    public static LocalText? Fault(AgreementTerms terms, DatasetInfo dataset, IReadOnlyDictionary<string, int>? areas, IndicatorOptions limits)
    {
        if (dataset.Spec.Publisher != terms.Provider)
            return new($"provider: „{terms.Dataset}“ veröffentlicht {dataset.Spec.Publisher}, nicht {terms.Provider}.", $"provider: “{terms.Dataset}” is published by {dataset.Spec.Publisher}, not {terms.Provider}.");
        var fields = dataset.Spec.Schema.Fields;
        if (terms.Data.Fields?.FirstOrDefault(name => !Array.Exists(fields, field => field.Name == name)) is { } unknown)
            return new($"data.fields: Das Feld „{unknown}“ gibt es in „{terms.Dataset}“ nicht.", $"data.fields: There is no field “{unknown}” in “{terms.Dataset}”.");
        if (terms.Data.Filter is { } filter && RowPredicates.Fault(filter, fields, FilterLimits.Of(limits)) is { } fault)
            return new("data.filter: " + fault.De, "data.filter: " + fault.In("en"));
        if (terms.Data.Areas is null && terms.Data.FinestLevel is null) return null;
        if (areas is null)
        {
            var member = terms.Data.Areas is null ? "data.finestLevel" : "data.areas";
            return new($"{member}: „{terms.Dataset}“ hat kein Gebietssystem.", $"{member}: “{terms.Dataset}” has no area system.");
        }

        if (terms.Data.Areas?.FirstOrDefault(area => !areas.ContainsKey(area)) is { } nowhere)
            return new($"data.areas: Das Gebiet „{nowhere}“ gibt es in „{dataset.Spec.AreaSystem}“ nicht.", $"data.areas: There is no area “{nowhere}” in “{dataset.Spec.AreaSystem}”.");
        var finest = areas.Count == 0 ? 0 : areas.Values.Max();
        return terms.Data.FinestLevel > finest ? new($"data.finestLevel: höchstens {finest}, die feinste Ebene von „{dataset.Spec.AreaSystem}“.", $"data.finestLevel: at most {finest}, the finest level of “{dataset.Spec.AreaSystem}”.") : null;
    }

    private static LocalText? PartiesFault(AgreementTerms terms)
    {
        foreach (var (member, id) in new[] { ("provider", terms.Provider), ("recipient", terms.Recipient), ("dataset", terms.Dataset) })
        {
            if (!CatalogIds.IsValid(id)) return new($"{member}: „{id}“ hat nicht die Form {CatalogIds.Pattern}.", $"{member}: “{id}” does not match {CatalogIds.Pattern}.");
        }

        return terms.Provider == terms.Recipient ? new("recipient: Eine Behörde vereinbart nichts mit sich selbst.", "recipient: An agency agrees on nothing with itself.") : null;
    }

    private static LocalText? PurposesFault(string member, AgreementPurpose[] purposes)
    {
        if (purposes.Length > AgreementLimits.MaxPurposes) return TooMany(member, AgreementLimits.MaxPurposes);
        if (member == "purposes" && purposes.Length == 0) return new("purposes: mindestens ein Zweck.", "purposes: at least one purpose.");
        for (var i = 0; i < purposes.Length; i++)
        {
            if (!CatalogIds.IsValid(purposes[i]?.Id)) return new($"{member}[{i}].id: „{purposes[i]?.Id}“ hat nicht die Form {CatalogIds.Pattern}.", $"{member}[{i}].id: “{purposes[i]?.Id}” does not match {CatalogIds.Pattern}.");
            if (TextFault($"{member}[{i}].text", purposes[i].Text) is { } fault) return fault;
            if (Array.FindIndex(purposes, purpose => purpose.Id == purposes[i].Id) < i) return Twice($"{member}[{i}].id", purposes[i].Id);
        }

        return null;
    }

    private static LocalText? BothFault(AgreementTerms terms) =>
        terms.ForbiddenPurposes.FirstOrDefault(forbidden => Array.Exists(terms.Purposes, purpose => purpose.Id == forbidden.Id)) is { } both
            ? new($"forbiddenPurposes: „{both.Id}“ ist auch erlaubt.", $"forbiddenPurposes: “{both.Id}” is allowed too.")
            : null;

    private static LocalText? TermFault(AgreementTerm? term)
    {
        if (term is null) return new("term: fehlt.", "term: is missing.");
        if (term.From.Year is < AgreementLimits.FirstYear or > AgreementLimits.LastYear)
            return new($"term.from: vom Jahr {AgreementLimits.FirstYear} bis zum Jahr {AgreementLimits.LastYear}.", $"term.from: from the year {AgreementLimits.FirstYear} to the year {AgreementLimits.LastYear}.");
        if (term.Until <= term.From) return new("term.until: muss nach term.from liegen.", "term.until: must be after term.from.");
        if (term.Until > term.From.AddYears(AgreementLimits.MaxYears)) return new($"term.until: höchstens {AgreementLimits.MaxYears} Jahre nach term.from.", $"term.until: at most {AgreementLimits.MaxYears} years after term.from.");
        return AgreementDuration.IsValid(term.Notice) ? null : NoDuration("term.notice", term.Notice);
    }

    private static LocalText? DataFault(AgreementData data)
    {
        if (ListFault("data.fields", data.Fields, AgreementLimits.MaxFields) is { } fields) return fields;
        if (data.To <= data.From) return new("data.to: muss nach data.from liegen.", "data.to: must be after data.from.");
        if (ListFault("data.areas", data.Areas, AgreementLimits.MaxAreas) is { } areas) return areas;
        if (data.FinestLevel < 0) return new("data.finestLevel: 0 oder mehr.", "data.finestLevel: 0 or more.");
        return data.SmallestGroup is < 0 or > AgreementLimits.MaxSmallestGroup ? new($"data.smallestGroup: 0 bis {AgreementLimits.MaxSmallestGroup}.", $"data.smallestGroup: 0 to {AgreementLimits.MaxSmallestGroup}.") : null;
    }

    private static LocalText? DeliveryFault(AgreementDelivery delivery)
    {
        if (delivery.Rhythm is not null && !AgreementDuration.IsValid(delivery.Rhythm)) return NoDuration("delivery.rhythm", delivery.Rhythm);
        return delivery.RowsPerDay is < 1 or > AgreementLimits.MaxRowsPerDay ? new($"delivery.rowsPerDay: 1 bis {AgreementLimits.MaxRowsPerDay}.", $"delivery.rowsPerDay: 1 to {AgreementLimits.MaxRowsPerDay}.") : null;
    }

    /// <summary>Single records are finer than any level or group.</summary>
    private static LocalText? EvidenceFault(AgreementTerms terms) =>
        terms.Delivery.Form == AgreementForm.Evidence && (terms.Data.FinestLevel is not null || terms.Data.SmallestGroup > 1)
            ? new("delivery.form: evidence gibt einzelne Datensätze; data.finestLevel und data.smallestGroup gibt es dafür nicht.", "delivery.form: evidence gives single records; there is no data.finestLevel and no data.smallestGroup for them.")
            : null;

    private static LocalText? UseFault(AgreementUse use, string recipient)
    {
        if (ListFault("use.groups", use.Groups, AgreementLimits.MaxGroups) is { } groups) return groups;
        if (use.Groups?.FirstOrDefault(group => !Subjects.IsGroup(group) || Subjects.AgencyOf(group) != recipient) is { } other)
            return new($"use.groups: „{other}“ ist keine Gruppe von {recipient}; erwartet wird {recipient}/Gruppe.", $"use.groups: “{other}” is no group of {recipient}; expected is {recipient}/group.");
        if (ListFault("use.keys", use.Keys, AgreementLimits.MaxKeys) is { } keys) return keys;
        if (ListFault("use.networks", use.Networks, AgreementLimits.MaxNetworks) is { } networks) return networks;
        return use.Networks?.FirstOrDefault(network => !IPNetwork.TryParse(network, out _)) is { } no
            ? new($"use.networks: „{no}“ ist kein Netz wie 192.0.2.0/24 oder 2001:db8::/32.", $"use.networks: “{no}” is no network such as 192.0.2.0/24 or 2001:db8::/32.")
            : null;
    }

    private static LocalText? DutiesFault(AgreementTerms terms)
    {
        if (terms.Duties.Length > AgreementLimits.MaxDuties) return TooMany("duties", AgreementLimits.MaxDuties);
        for (var i = 0; i < terms.Duties.Length; i++)
        {
            var (member, duty) = ($"duties[{i}]", terms.Duties[i]);
            if (!CatalogIds.IsValid(duty?.Id)) return new($"{member}.id: „{duty?.Id}“ hat nicht die Form {CatalogIds.Pattern}.", $"{member}.id: “{duty?.Id}” does not match {CatalogIds.Pattern}.");
            if (Array.FindIndex(terms.Duties, other => other.Id == duty!.Id) < i) return Twice($"{member}.id", duty!.Id);
            if (TextFault($"{member}.text", duty!.Text) is { } text) return text;
            if (duty.Due is null == duty.Every is null) return new($"{member}: entweder due oder every.", $"{member}: either due or every.");
            if (duty.Due <= terms.Term.From) return new($"{member}.due: muss nach term.from liegen.", $"{member}.due: must be after term.from.");
            if (duty.Due > terms.Term.Until.AddYears(AgreementLimits.MaxYears)) return new($"{member}.due: höchstens {AgreementLimits.MaxYears} Jahre nach term.until.", $"{member}.due: at most {AgreementLimits.MaxYears} years after term.until.");
            if (duty.Every is null) continue;
            if (!AgreementDuration.IsValid(duty.Every)) return NoDuration($"{member}.every", duty.Every);
            if (AgreementDuration.Add(terms.Term.From, duty.Every) < terms.Term.From.AddDays(1)) return new($"{member}.every: mindestens ein Tag (P1D).", $"{member}.every: at least a day (P1D).");
        }

        return null;
    }

    private static LocalText? TextFault(string member, LocalText? text) =>
        string.IsNullOrWhiteSpace(text?.De) ? new($"{member}: Ein deutscher Text fehlt.", $"{member}: A German text is missing.")
        : text is { De.Length: > AgreementLimits.MaxText } or { En.Length: > AgreementLimits.MaxText } ? TooLong(member, AgreementLimits.MaxText)
        : null;

    private static LocalText? ListFault(string member, string[]? list, int most)
    {
        if (list is null) return null;
        if (list.Length == 0) return new($"{member}: Eine leere Liste erlaubt nichts; weglassen heißt alle.", $"{member}: An empty list allows nothing; leave it out for all.");
        if (list.Length > most) return TooMany(member, most);
        for (var i = 0; i < list.Length; i++)
        {
            if (string.IsNullOrWhiteSpace(list[i]) || list[i].Length > 200) return new($"{member}[{i}]: 1 bis 200 Zeichen.", $"{member}[{i}]: 1 to 200 characters.");
            if (Array.IndexOf(list, list[i]) < i) return Twice($"{member}[{i}]", list[i]);
        }

        return null;
    }

    private static LocalText TooLong(string member, int most) => new($"{member}: höchstens {most} Zeichen.", $"{member}: at most {most} characters.");

    private static LocalText TooMany(string member, int most) => new($"{member}: höchstens {most} Einträge.", $"{member}: at most {most} entries.");

    private static LocalText Twice(string member, string id) => new($"{member}: „{id}“ kommt schon vor.", $"{member}: “{id}” occurs already.");

    private static LocalText NoDuration(string member, string? text) => new(
        $"{member}: „{text}“ ist keine Dauer nach ISO 8601 wie PT1H, P14D oder P1M, höchstens 20 Jahre.", $"{member}: “{text}” is no duration of ISO 8601 such as PT1H, P14D or P1M, at most 20 years.");
}
