namespace DataHub.Catalog;

/// <summary>What roles, rights and reasons are called: by people in both languages, and on the wire.</summary>
public static class AccessWords
{
    private static readonly Dictionary<string, AccessRights> s_rights = Enum.GetValues<AccessRights>().Where(right => right != AccessRights.None).ToDictionary(Of, StringComparer.Ordinal);

    /// <summary>Words of all rights on the wire.</summary>
    public static IReadOnlyCollection<string> Rights => s_rights.Keys;

    /// <summary><c>read-rows</c>, <c>edit-definitions</c>, ….</summary>
    public static string Of(AccessRights right) => right switch
    {
        AccessRights.ReadMetadata => "read-metadata",
        AccessRights.ReadRows => "read-rows",
        AccessRights.ReadReceipts => "read-receipts",
        AccessRights.Push => "push",
        AccessRights.EditMetadata => "edit-metadata",
        AccessRights.EditDefinitions => "edit-definitions",
        AccessRights.Release => "release",
        AccessRights.Erase => "erase",
        AccessRights.Grant => "grant",
        AccessRights.ManageAgency => "manage-agency",
        AccessRights.Administer => "administer",
        _ => "",
    };

    /// <summary><c>DRAFT</c>, <c>READY</c>, <c>AVAILABLE</c>, <c>RETIRED</c>.</summary>
    public static string Of(ReleaseState state) => state.ToString().ToUpperInvariant();

    /// <summary>For people.</summary>
    public static LocalText Name(ReleaseState state) => state switch
    {
        ReleaseState.Draft => new("Entwurf", "draft"),
        ReleaseState.Ready => new("wartet auf Freigabe", "waits for release"),
        ReleaseState.Available => new("verfügbar", "available"),
        _ => new("ausgemustert", "retired"),
    };

    /// <summary>The right that a word of the wire means, or null.</summary>
    public static AccessRights? Right(string word) => s_rights.TryGetValue(word, out var right) ? right : null;

    /// <summary>For people.</summary>
    public static LocalText Name(AccessRights right) => right switch
    {
        AccessRights.ReadMetadata => new("Beschreibung lesen", "Read the description"),
        AccessRights.ReadRows => new("Zeilen und Werte lesen", "Read rows and values"),
        AccessRights.ReadReceipts => new("Quittungen und Quarantäne sehen", "See receipts and quarantine"),
        AccessRights.Push => new("Zeilen liefern", "Push rows"),
        AccessRights.EditMetadata => new("Beschreibung pflegen", "Maintain the description"),
        AccessRights.EditDefinitions => new("Verträge, Datenquellen und Indikatoren ändern", "Change contracts, feeds and indicators"),
        AccessRights.Release => new("Freigeben", "Release"),
        AccessRights.Erase => new("Zeilen löschen", "Erase rows"),
        AccessRights.Grant => new("Rollen vergeben", "Give roles"),
        AccessRights.ManageAgency => new("Schlüssel und Gruppen verwalten", "Manage keys and groups"),
        AccessRights.Administer => new("Plattform verwalten", "Administer the platform"),
        _ => new("", ""),
    };

    /// <summary>For people: Lesen, Redaktion, Entwicklung, Koordination, Freigabe, Plattformverwaltung.</summary>
    public static LocalText Name(DataspaceRole role) => role switch
    {
        DataspaceRole.Reader => new("Lesen", "reader"),
        DataspaceRole.Editor => new("Redaktion", "editor"),
        DataspaceRole.Developer => new("Entwicklung", "developer"),
        DataspaceRole.Coordinator => new("Koordination", "coordinator"),
        DataspaceRole.Releaser => new("Freigabe", "releaser"),
        DataspaceRole.Administrator => new("Plattformverwaltung", "administrator"),
        _ => new("keine", "none"),
    };

    /// <summary>As in „Admin-Schlüssel“ and “admin key”.</summary>
    public static LocalText Name(KeyRole role) => role switch
    {
        KeyRole.Read => new("Lese", "read"),
        KeyRole.Push => new("Push", "push"),
        KeyRole.Admin => new("Admin", "admin"),
        _ => new("", ""),
    };

    /// <summary>For people.</summary>
    public static LocalText Name(AccessReason reason) => reason switch
    {
        AccessReason.Openness => new("offen für alle", "open to everybody"),
        AccessReason.Key => new("Schlüssel der Behörde", "key of the agency"),
        AccessReason.Grant => new("Rolle im Datenraum", "role in the dataspace"),
        AccessReason.Platform => new("Verwaltung der Plattform", "administration of the platform"),
        AccessReason.Hub => new("der Hub selbst", "the hub itself"),
        AccessReason.Agreement => new("Vereinbarung, für einen Zweck, den sie nennt", "sharing agreement, for a purpose that it names"),
        _ => new("nichts erlaubt es", "nothing allows it"),
    };
}
