namespace DataHub.Catalog;

/// <summary>What a dataset needs before it may be ready or available. Pure.</summary>
public static class DatasetChecklist
{
    /// <summary>The checklist of a dataset: what it needs before it may be ready or available, then what is recommended.</summary>
    public static ReleaseCheck[] Of(DatasetSpec spec)
    {
        var checks = new List<ReleaseCheck>
        {
            new("title", true, !string.IsNullOrWhiteSpace(spec.Title.De), new("Titel", "Title")),
            new("publisher", true, spec.Publisher.Length > 0, new("Veröffentlichende Behörde", "Publisher")),
            new("license", true, !string.IsNullOrWhiteSpace(spec.License), new("Lizenz oder Nutzungsbedingung", "Licence or terms of use")),
            new("access", true, Enum.IsDefined(spec.Access), new("Zugangsklasse", "Access class")),
            new("schema", true, spec.Schema.Fields.Length > 0, new("Vertrag", "Contract")),
        };
        if (IsPersonal(spec)) checks.Add(new("legalBasis", true, !string.IsNullOrWhiteSpace(spec.LegalBasis), new("Rechtsgrundlage, weil der Vertrag personenbezogene Felder hat", "Legal basis, because the contract has personal fields")));
        checks.Add(new("description", false, spec.Description is not null, new("Beschreibung", "Description")));
        checks.Add(new("titleEn", false, !string.IsNullOrWhiteSpace(spec.Title.En), new("Englischer Titel", "English title")));
        checks.Add(new("areaSystem", false, spec.AreaSystem is not null, new("Gebietssystem", "Area system")));
        checks.Add(new("dataspace", false, spec.Dataspace is not null, new("Datenraum", "Dataspace")));
        return [.. checks];
    }

    public static bool IsComplete(DatasetSpec spec) => Of(spec).All(check => check.Fulfilled || !check.Required);

    /// <summary>Whether two must release it.</summary>
    public static bool IsPersonal(DatasetSpec spec) => spec.Schema.Fields.Any(field => field.Role == FieldRole.Personal);
}
