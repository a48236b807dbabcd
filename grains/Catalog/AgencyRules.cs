using System.Security.Cryptography;

namespace DataHub.Catalog;

/// <summary>Who may do what with agencies and keys, and what comes of it. Pure.</summary>
internal static class AgencyRules
{
    /// <summary>Longest name and label, in characters.</summary>
    public const int MaxTextLength = 200;

    /// <summary>Admins of the agency itself and of the platform.</summary>
    public static bool MayManage(Caller caller, string agency) => AccessRules.May(caller, AccessRights.ManageAgency, Holding.OfAgency(agency));

    public static (AgencyState State, AgencyResult Result) Put(AgencyState state, string id, Caller caller, LocalText name)
    {
        if (!caller.IsPlatformAdmin) return (state, new(CatalogRefusal.Forbidden, null, new("Nötig ist ein Admin-Schlüssel der Plattform.", "An admin key of the platform is needed.")));
        if (!CatalogIds.IsValid(id)) return (state, new(CatalogRefusal.Invalid, null, new($"Die Kennung „{id}“ hat nicht die Form {CatalogIds.Pattern}.", $"The id “{id}” does not match {CatalogIds.Pattern}.")));
        if (TextFault(name) is { } fault) return (state, new(CatalogRefusal.Invalid, null, new("name: " + fault.De, "name: " + fault.En)));
        return (state.Name == name ? state : state with { Name = name }, new(CatalogRefusal.None, new(id, name), null));
    }

    /// <param name="key">The new key; taken only if nothing speaks against it.</param>
    public static (AgencyState State, CatalogRefusal Refusal, LocalText? Detail) AddKey(
        AgencyState state, string id, Caller caller, StoredKey key, int maxKeys)
    {
        if (!MayManage(caller, id)) return (state, CatalogRefusal.Forbidden, NeedsAdmin(id));
        if (state.Name is null) return (state, CatalogRefusal.NotFound, new($"Die Behörde „{id}“ gibt es nicht.", $"The agency “{id}” does not exist."));
        if (key.Role is not (KeyRole.Read or KeyRole.Push or KeyRole.Admin)) return (state, CatalogRefusal.Invalid, new("role: read, push oder admin ist nötig.", "role: read, push or admin is needed."));
        if (key.Label is { Length: > MaxTextLength }) return (state, CatalogRefusal.Invalid, new($"label: höchstens {MaxTextLength} Zeichen.", $"label: at most {MaxTextLength} characters."));
        if (key.Expires <= key.Created) return (state, CatalogRefusal.Invalid, new("expires: Der Zeitpunkt muss in der Zukunft liegen.", "expires: The instant must lie in the future."));
        if (ScopeFault(key.Scope) is { } fault) return (state, CatalogRefusal.Invalid, fault);
        if (caller.Scope?.Operations is { } own && ((key.Scope?.Operations ?? AccessRules.Of(key.Role)) & AccessRules.Of(key.Role) & ~own) != 0)
        {
            return (state, CatalogRefusal.Forbidden, new(
                $"Der Schlüssel „{caller.KeyId}“ ist auf Vorgänge beschränkt und gibt keine Schlüssel aus, die mehr dürfen; scope.operations enger fassen.",
                $"The key “{caller.KeyId}” is narrowed to operations and gives out no keys that may do more; narrow scope.operations."));
        }

        if (state.Keys.Count(k => k.Lives(key.Created)) >= maxKeys)
        {
            return (state, CatalogRefusal.TooMany, new(
                $"Die Behörde „{id}“ hat {maxKeys} gültige Schlüssel, so viele, wie DataHub:Catalog:MaxKeys erlaubt; erst einen zurückziehen.",
                $"The agency “{id}” has {maxKeys} living keys, as many as DataHub:Catalog:MaxKeys allows; revoke one first."));
        }

        // Two keys with one id would make the list and a revocation ambiguous; one in 62^8, and the caller just asks again.
        if (state.Keys.Any(k => k.Id == key.Id)) return (state, CatalogRefusal.Conflict, new("Die gezogene Schlüsselkennung gibt es schon; bitte wiederholen.", "The drawn key id exists already; ask again."));
        return (state with { Keys = Trim([.. state.Keys, key], key.Created, maxKeys) }, CatalogRefusal.None, null);
    }

    /// <summary>A key takes the place of another; for a while both are valid, and never more than two.</summary>
    /// <param name="key">Of the new key only id, hash, making and end count.</param>
    public static (AgencyState State, CatalogRefusal Refusal, LocalText? Detail, StoredKey? Key) Rotate(
        AgencyState state, string id, Caller caller, string keyId, StoredKey key, TimeSpan overlap, int maxKeys)
    {
        if (!MayManage(caller, id)) return (state, CatalogRefusal.Forbidden, NeedsAdmin(id), null);
        var old = Array.Find(state.Keys, k => k.Id == keyId);
        if (state.Name is null || old is null) return (state, CatalogRefusal.NotFound, NoKey(id, keyId), null);
        if (!old.Lives(key.Created)) return (state, CatalogRefusal.Conflict, new($"Der Schlüssel „{keyId}“ gilt nicht mehr; einen neuen anlegen.", $"The key “{keyId}” is not valid any more; make a new one."), null);
        if (old.ReplacedBy is not null && state.Keys.Any(k => k.Id == old.ReplacedBy && k.Lives(key.Created)))
        {
            return (state, CatalogRefusal.Conflict, new(
                $"Der Schlüssel „{keyId}“ wird schon von „{old.ReplacedBy}“ abgelöst; höchstens zwei gelten zugleich.",
                $"The key “{keyId}” is being replaced by “{old.ReplacedBy}” already; two at most are valid at once."), null);
        }

        if (Array.Find(state.Keys, k => k.ReplacedBy == keyId && k.Lives(key.Created)) is { } before)
        {
            return (state, CatalogRefusal.Conflict, new(
                $"Der Schlüssel „{keyId}“ löst gerade „{before.Id}“ ab, der bis {before.Expires:u} gilt; höchstens zwei gelten zugleich. „{before.Id}“ vorher zurückziehen.",
                $"The key “{keyId}” is replacing “{before.Id}”, which is valid until {before.Expires:u}; two at most are valid at once. Revoke “{before.Id}” first."), null);
        }

        if (overlap < TimeSpan.Zero || overlap > MaxOverlap) return (state, CatalogRefusal.Invalid, new("overlap: PT0S bis P366D.", "overlap: PT0S to P366D."), null);
        var made = key with { Role = old.Role, Label = old.Label, Scope = old.Scope };

        // Both count while both are valid: one more than the limit is what a rotation needs.
        var (next, refusal, detail) = AddKey(state, id, caller, made, maxKeys + 1);
        if (refusal != CatalogRefusal.None) return (state, refusal, detail, null);
        var ends = key.Created + overlap;
        var keys = Array.ConvertAll(next.Keys, k => k.Id != keyId ? k : k with { ReplacedBy = made.Id, Expires = k.Expires < ends ? k.Expires : ends });
        return (next with { Keys = keys }, CatalogRefusal.None, null, made);
    }

    /// <summary>Longest time that two keys of a rotation are valid at once.</summary>
    public static readonly TimeSpan MaxOverlap = TimeSpan.FromDays(366);

    private static LocalText? ScopeFault(KeyScope? scope)
    {
        if (scope is null) return null;
        if (scope.Operations is AccessRights.None) return new("scope.operations: Mindestens ein Vorgang ist nötig.", "scope.operations: At least one operation is needed.");
        foreach (var (member, list) in new[] { ("datasets", scope.Datasets), ("feeds", scope.Feeds) })
        {
            if (list is { Length: 0 or > KeyScope.MaxEntries }) return new($"scope.{member}: 1 bis {KeyScope.MaxEntries} Einträge.", $"scope.{member}: 1 to {KeyScope.MaxEntries} entries.");
            if (Array.Find(list ?? [], one => member == "feeds" ? !Subjects.IsGroup(one) : !CatalogIds.IsValid(one)) is { } bad)
                return member == "feeds"
                    ? new($"scope.feeds: „{bad}“ hat nicht die Form Datensatz/Datenquelle.", $"scope.feeds: “{bad}” is not of the form dataset/feed.")
                    : new($"scope.datasets: Die Kennung „{bad}“ hat nicht die Form {CatalogIds.Pattern}.", $"scope.datasets: The id “{bad}” does not match {CatalogIds.Pattern}.");
        }

        return null;
    }

    public static (AgencyState State, AgencyResult Result) Revoke(AgencyState state, string id, Caller caller, string keyId, DateTimeOffset now, int maxKeys)
    {
        if (!MayManage(caller, id)) return (state, new(CatalogRefusal.Forbidden, null, NeedsAdmin(id)));
        var place = Array.FindIndex(state.Keys, k => k.Id == keyId);
        if (state.Name is null || place < 0) return (state, new(CatalogRefusal.NotFound, null, NoKey(id, keyId)));
        var info = new AgencyInfo(id, state.Name);
        var key = state.Keys[place];
        if (key.Revoked is not null) return (state, new(CatalogRefusal.None, info, null));

        // The platform must stay administrable: nobody could make the next key.
        if (id == Caller.PlatformAgency && Administers(key) && !state.Keys.Any(k => k.Id != keyId && Administers(k)))
        {
            return (state, new(CatalogRefusal.Conflict, info, new("Dies ist der letzte Admin-Schlüssel der Plattform; erst einen anderen anlegen.", "This is the last admin key of the platform; make another first.")));
        }

        StoredKey[] keys = [.. state.Keys[..place], key with { Revoked = now }, .. state.Keys[(place + 1)..]];
        return (state with { Keys = Trim(keys, now, maxKeys) }, new(CatalogRefusal.None, info, null));

        bool Administers(StoredKey k) => k is { Role: KeyRole.Admin, Scope: null } && k.Lives(now);
    }

    /// <summary>Keys that are over are kept for the list, but not for ever: the oldest make room.</summary>
    private static StoredKey[] Trim(StoredKey[] keys, DateTimeOffset now, int maxKeys)
    {
        var over = keys.Where(k => !k.Lives(now)).OrderBy(k => k.Revoked ?? k.Expires).ToArray();
        return over.Length <= maxKeys ? keys : [.. keys.Except(over[..(over.Length - maxKeys)])];
    }

    /// <summary>The caller a presented key stands for; null for an unknown, expired or revoked one.</summary>
    public static Caller? Authenticate(AgencyState state, string id, string keyId, byte[] secretHash, DateTimeOffset now)
    {
        foreach (var key in state.Keys)
        {
            if (key.Id == keyId && key.Lives(now) && CryptographicOperations.FixedTimeEquals(key.Hash, secretHash)) return new(id, key.Role, key.Id) { Scope = key.Scope };
        }

        return null;
    }

    private static LocalText NoKey(string id, string keyId) => new($"Die Behörde „{id}“ hat keinen Schlüssel „{keyId}“.", $"The agency “{id}” has no key “{keyId}”.");

    /// <summary>What is wrong with a text for people, or null.</summary>
    public static LocalText? TextFault(LocalText? text) => text switch
    {
        null => new("Ein Text ist nötig.", "A text is needed."),
        _ when string.IsNullOrWhiteSpace(text.De) => new("Der deutsche Text darf nicht leer sein.", "The German text must not be empty."),
        { De.Length: > MaxTextLength } or { En.Length: > MaxTextLength } => new($"Höchstens {MaxTextLength} Zeichen.", $"At most {MaxTextLength} characters."),
        _ => null,
    };

    private static LocalText NeedsAdmin(string agency) => AccessRules.Missing(AccessRights.ManageAgency, Holding.OfAgency(agency));
}
