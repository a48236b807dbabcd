using System.Security.Cryptography;

namespace DataHub.Catalog;

/// <summary>Who may do what with agencies and keys, and what comes of it. Pure.</summary>
internal static class AgencyRules
{
    /// <summary>Longest name and label, in characters.</summary>
    public const int MaxTextLength = 200;

    /// <summary>Admins of the agency itself and of the platform.</summary>
    public static bool MayAdminister(Caller caller, string agency) =>
        caller.IsPlatformAdmin || (caller.Agency == agency && caller.Role == KeyRole.Admin);

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
        if (!MayAdminister(caller, id)) return (state, CatalogRefusal.Forbidden, NeedsAdmin(id));
        if (state.Name is null) return (state, CatalogRefusal.NotFound, new($"Die Behörde „{id}“ gibt es nicht.", $"The agency “{id}” does not exist."));
        if (key.Role is not (KeyRole.Read or KeyRole.Push or KeyRole.Admin)) return (state, CatalogRefusal.Invalid, new("role: read, push oder admin ist nötig.", "role: read, push or admin is needed."));
        if (key.Label is { Length: > MaxTextLength }) return (state, CatalogRefusal.Invalid, new($"label: höchstens {MaxTextLength} Zeichen.", $"label: at most {MaxTextLength} characters."));
        if (state.Keys.Count(k => k.Revoked is null) >= maxKeys)
        {
            return (state, CatalogRefusal.TooMany, new(
                $"Die Behörde „{id}“ hat {maxKeys} gültige Schlüssel, so viele, wie DataHub:Catalog:MaxKeys erlaubt; erst einen zurückziehen.",
                $"The agency “{id}” has {maxKeys} living keys, as many as DataHub:Catalog:MaxKeys allows; revoke one first."));
        }

        // Two keys with one id would make the list and a revocation ambiguous; one in 62^8, and the caller just asks again.
        if (state.Keys.Any(k => k.Id == key.Id)) return (state, CatalogRefusal.Conflict, new("Die gezogene Schlüsselkennung gibt es schon; bitte wiederholen.", "The drawn key id exists already; ask again."));
        return (state with { Keys = [.. state.Keys, key] }, CatalogRefusal.None, null);
    }

    public static (AgencyState State, AgencyResult Result) Revoke(AgencyState state, string id, Caller caller, string keyId, DateTimeOffset now, int maxKeys)
    {
        if (!MayAdminister(caller, id)) return (state, new(CatalogRefusal.Forbidden, null, NeedsAdmin(id)));
        var place = Array.FindIndex(state.Keys, k => k.Id == keyId);
        if (state.Name is null || place < 0) return (state, new(CatalogRefusal.NotFound, null, new($"Die Behörde „{id}“ hat keinen Schlüssel „{keyId}“.", $"The agency “{id}” has no key “{keyId}”.")));
        var info = new AgencyInfo(id, state.Name);
        var key = state.Keys[place];
        if (key.Revoked is not null) return (state, new(CatalogRefusal.None, info, null));

        // The platform must stay administrable: nobody could make the next key.
        if (id == Caller.PlatformAgency && key.Role == KeyRole.Admin && state.Keys.Count(k => k is { Revoked: null, Role: KeyRole.Admin }) == 1)
        {
            return (state, new(CatalogRefusal.Conflict, info, new("Dies ist der letzte Admin-Schlüssel der Plattform; erst einen anderen anlegen.", "This is the last admin key of the platform; make another first.")));
        }

        var keys = state.Keys.ToList();
        keys[place] = key with { Revoked = now };

        // Revoked keys are kept for the list, but not for ever: the oldest make room.
        while (keys.Count(k => k.Revoked is not null) > maxKeys)
        {
            keys.Remove(keys.Where(k => k.Revoked is not null).MinBy(k => k.Revoked)!);
        }

        return (state with { Keys = [.. keys] }, new(CatalogRefusal.None, info, null));
    }

    /// <summary>The caller a presented key stands for; null for an unknown or revoked one.</summary>
    public static Caller? Authenticate(AgencyState state, string id, string keyId, byte[] secretHash)
    {
        foreach (var key in state.Keys)
        {
            if (key.Id == keyId && key.Revoked is null && CryptographicOperations.FixedTimeEquals(key.Hash, secretHash)) return new(id, key.Role, key.Id);
        }

        return null;
    }

    /// <summary>What is wrong with a text for people, or null.</summary>
    public static LocalText? TextFault(LocalText? text) => text switch
    {
        null => new("Ein Text ist nötig.", "A text is needed."),
        _ when string.IsNullOrWhiteSpace(text.De) => new("Der deutsche Text darf nicht leer sein.", "The German text must not be empty."),
        { De.Length: > MaxTextLength } or { En.Length: > MaxTextLength } => new($"Höchstens {MaxTextLength} Zeichen.", $"At most {MaxTextLength} characters."),
        _ => null,
    };

    private static LocalText NeedsAdmin(string agency) =>
        new($"Nötig ist ein Admin-Schlüssel von „{agency}“ oder der Plattform.", $"An admin key of “{agency}” or of the platform is needed.");
}
