namespace DataHub.Catalog;

/// <summary>
/// Who may do what, and why: the one place where it is decided. What nothing allows is denied. Pure; whoever holds an
/// object asks it with the caller's claims, and <c>GET /api/v1/access</c> answers from it too.
/// </summary>
internal static class AccessRules
{
    /// <summary>Everything within an agency.</summary>
    private const AccessRights OfAnAgency =
        AccessRights.ReadMetadata | AccessRights.ReadRows | AccessRights.ReadReceipts | AccessRights.Push | AccessRights.EditMetadata | AccessRights.EditDefinitions
        | AccessRights.Release | AccessRights.Erase | AccessRights.Grant | AccessRights.ManageAgency;

    /// <summary>The rights that can be asked for, one by one.</summary>
    public static readonly AccessRights[] Each = [.. Enum.GetValues<AccessRights>().Where(right => right != AccessRights.None)];

    private static readonly DataspaceRole[] s_roles = [.. Enum.GetValues<DataspaceRole>().Where(role => role is not (DataspaceRole.None or DataspaceRole.Administrator))];

    /// <summary>What a key may do with what belongs to its agency.</summary>
    public static AccessRights Of(KeyRole role) => role switch
    {
        KeyRole.Read => AccessRights.ReadMetadata | AccessRights.ReadRows | AccessRights.ReadReceipts,
        KeyRole.Push => AccessRights.ReadMetadata | AccessRights.ReadReceipts | AccessRights.Push,
        KeyRole.Admin => OfAnAgency,
        _ => AccessRights.None,
    };

    /// <summary>What a role may do with what belongs to its dataspace.</summary>
    public static AccessRights Of(DataspaceRole role) => role switch
    {
        DataspaceRole.Reader => AccessRights.ReadMetadata | AccessRights.ReadRows,
        DataspaceRole.Editor => AccessRights.ReadMetadata | AccessRights.EditMetadata,
        DataspaceRole.Developer => AccessRights.ReadMetadata | AccessRights.ReadRows | AccessRights.ReadReceipts | AccessRights.Push | AccessRights.EditDefinitions,
        DataspaceRole.Coordinator => AccessRights.ReadMetadata | AccessRights.ReadRows | AccessRights.ReadReceipts | AccessRights.EditMetadata | AccessRights.Release
            | AccessRights.Erase | AccessRights.Grant,
        DataspaceRole.Releaser => AccessRights.ReadMetadata | AccessRights.ReadRows | AccessRights.Release,
        DataspaceRole.Administrator => OfAnAgency | AccessRights.Administer,
        _ => AccessRights.None,
    };

    /// <summary>What everybody may do.</summary>
    public static AccessRights OfEverybody(Holding holding) => holding.State != ReleaseState.Available
        ? AccessRights.None
        : holding.Access == AccessClass.Open ? AccessRights.ReadMetadata | AccessRights.ReadRows : AccessRights.ReadMetadata;

    public static bool May(Caller caller, AccessRights right, Holding holding, string? feed = null) => Decide(caller, right, holding, feed).IsAllowed;

    /// <param name="right">One right.</param>
    /// <param name="feed">Into which rows are pushed; null where it is not about a feed.</param>
    public static AccessDecision Decide(Caller caller, AccessRights right, Holding holding, string? feed = null)
    {
        if ((OfEverybody(holding) & right) != 0) return new(right, AccessReason.Openness, null, null);
        if (caller == Caller.Hub) return new(right, AccessReason.Hub, null, null);
        if (caller.Agency is not null)
        {
            var platform = caller is { Agency: Caller.PlatformAgency, Role: KeyRole.Admin };
            var rights = platform ? OfAnAgency | AccessRights.Administer : caller.Agency == holding.Publisher ? Of(caller.Role) : AccessRights.None;
            if ((rights & right) != 0)
            {
                if (caller.Scope is null || caller.Scope.Admits(right, holding, feed)) return new(right, platform ? AccessReason.Platform : AccessReason.Key, caller.KeyId, null);
                return new(right, AccessReason.Nothing, null, new(
                    $"Der Schlüssel „{caller.KeyId}“ ist enger gefasst: Datensätze, Datenquellen oder Vorgänge, die er nennt, schließen dies nicht ein.",
                    $"The key “{caller.KeyId}” is narrower than this: the datasets, feeds or operations that it names do not include it."));
            }
        }

        foreach (var grant in caller.Grants.All)
        {
            if ((Of(grant.Role) & right) != 0 && grant.Covers(holding))
                return new(right, grant.Dataspace == Dataspaces.Platform ? AccessReason.Platform : AccessReason.Grant, grant.Id, null);
        }

        return new(right, AccessReason.Nothing, null, Missing(right, holding));
    }

    /// <summary>Every right, decided for a subject: by the rules that decide when it is used.</summary>
    /// <param name="caller">Who wants to know: the subject itself, or whoever gives roles there.</param>
    /// <returns>Null where the caller may not know.</returns>
    public static AccessExplanation? Explain(Caller caller, Caller subject, Holding holding)
    {
        // Whoever may not know of an object is not told what the public may do with it.
        var own = (subject.IsPublic || (caller.Subject == subject.Subject && !caller.IsPublic)) && May(caller, AccessRights.ReadMetadata, holding);
        return own || May(caller, AccessRights.Grant, holding with { Access = AccessClass.Internal })
            ? new(holding, [.. Each.Select(right => Decide(subject, right, holding))])
            : null;
    }

    /// <summary>What would be needed.</summary>
    public static LocalText Missing(AccessRights right, Holding holding)
    {
        if (right == AccessRights.Administer) return new("Nötig ist ein Admin-Schlüssel der Plattform oder die Rolle Plattformverwaltung.", "An admin key of the platform or the role administrator is needed.");
        var keys = new[] { KeyRole.Read, KeyRole.Push, KeyRole.Admin }.Where(role => (Of(role) & right) != 0).ToArray();
        var needed = new LocalText(
            $"Nötig ist ein {Or(keys.Select(key => AccessWords.Name(key).De + "-"), "oder")}Schlüssel von „{holding.Publisher}“ oder der Plattform",
            $"{(keys[0] == KeyRole.Admin ? "An" : "A")} {Or(keys.Select(key => AccessWords.Name(key).In("en")), "or")} key of “{holding.Publisher}” or of the platform is needed");
        var roles = s_roles.Where(role => (Of(role) & right) != 0).ToArray();
        if (holding.Dataspace is null || roles.Length == 0) return new(needed.De + ".", needed.En + ".");
        return new(
            $"{needed.De}, oder im Datenraum „{holding.Dataspace}“ die Rolle {Or(roles.Select(role => AccessWords.Name(role).De), "oder")}.",
            $"{needed.En}, or in the dataspace “{holding.Dataspace}” the role {Or(roles.Select(role => AccessWords.Name(role).In("en")), "or")}.");

        static string Or(IEnumerable<string> words, string or)
        {
            var all = words.ToArray();
            return all.Length == 1 ? all[0] : $"{string.Join(", ", all[..^1])} {or} {all[^1]}";
        }
    }
}
