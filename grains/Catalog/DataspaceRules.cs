namespace DataHub.Catalog;

/// <summary>Who may do what with dataspaces, groups and roles, and what comes of it. Pure.</summary>
internal static class DataspaceRules
{
    /// <summary>The hub itself, as a dataspace: it needs nobody to make it.</summary>
    public static readonly DataspaceInfo Platform = new(
        Dataspaces.Platform, new(new("Plattform", "Platform"), new("Wer die Plattform verwaltet.", "Who administers the platform."), Caller.PlatformAgency), DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, []);

    public static (DataspaceState State, DataspaceResult Result) Put(DataspaceState state, string id, Caller caller, DataspaceSpec spec, bool ownerExists, DateTimeOffset now)
    {
        var standing = state.Info;
        var held = new Holding(null, standing?.Id, standing?.Spec.Owner ?? spec.Owner, AccessClass.Internal);
        if (AccessRules.Decide(caller, AccessRights.Grant, held).Missing is { } missing) return Refused(CatalogRefusal.Forbidden, missing);
        if (!CatalogIds.IsValid(id)) return Refused(CatalogRefusal.Invalid, new($"Die Kennung „{id}“ hat nicht die Form {CatalogIds.Pattern}.", $"The id “{id}” does not match {CatalogIds.Pattern}."));
        if (id == Dataspaces.Platform) return Refused(CatalogRefusal.Conflict, new("Der Datenraum „platform“ ist der Hub selbst und liegt fest.", "The dataspace “platform” is the hub itself and is fixed."));
        if (AgencyRules.TextFault(spec.Title) is { } title) return Refused(CatalogRefusal.Invalid, new("title: " + title.De, "title: " + title.En));
        if (spec.Description is { De.Length: > DatasetRules.MaxDescriptionLength } or { En.Length: > DatasetRules.MaxDescriptionLength })
            return Refused(CatalogRefusal.Invalid, new($"description: höchstens {DatasetRules.MaxDescriptionLength} Zeichen.", $"description: at most {DatasetRules.MaxDescriptionLength} characters."));
        if (standing is not null && standing.Spec.Owner != spec.Owner)
        {
            return Refused(CatalogRefusal.Conflict, new(
                $"owner liegt seit dem Anlegen fest: {standing.Spec.Owner}. Für etwas anderes einen neuen Datenraum anlegen.",
                $"owner has been fixed since creation: {standing.Spec.Owner}. For anything else make a new dataspace."));
        }

        if (!ownerExists)
        {
            return Refused(CatalogRefusal.Invalid, new(
                $"owner: Die Behörde „{spec.Owner}“ gibt es nicht; erst PUT /api/v1/agencies/{spec.Owner}.", $"owner: The agency “{spec.Owner}” does not exist; first PUT /api/v1/agencies/{spec.Owner}."));
        }

        if (standing?.Spec == spec) return (state, new(CatalogRefusal.None, standing, null));
        var info = standing is null ? new DataspaceInfo(id, spec, now, now, []) : standing with { Spec = spec, Modified = now };
        return (state with { Info = info }, new(CatalogRefusal.None, info, null) { Created = standing is null });

        (DataspaceState, DataspaceResult) Refused(CatalogRefusal refusal, LocalText detail) => (state, new(refusal, standing, detail));
    }

    /// <param name="grant">Id of the new grant.</param>
    /// <param name="groupExists">Whether there is such a group.</param>
    public static (DataspaceState State, GrantResult Result) Grant(
        DataspaceState state, string id, Caller caller, GrantRequest wanted, string grant, bool groupExists, CatalogOptions limits, DateTimeOffset now)
    {
        if (state.Info is not { } info) return Refused(CatalogRefusal.NotFound, NoDataspace(id));
        if (MissingToGrant(caller, info, wanted.Dataset, wanted.Role) is { } missing) return Refused(CatalogRefusal.Forbidden, missing);
        if (!Enum.IsDefined(wanted.Role) || wanted.Role == DataspaceRole.None || (wanted.Role == DataspaceRole.Administrator) != (id == Dataspaces.Platform))
        {
            return id == Dataspaces.Platform
                ? Refused(CatalogRefusal.Invalid, new("role: Auf der Plattform gibt es nur die Rolle administrator.", "role: On the platform there is the role administrator only."))
                : Refused(CatalogRefusal.Invalid, new("role: reader, editor, developer, coordinator oder releaser.", "role: reader, editor, developer, coordinator or releaser."));
        }

        if (!Subjects.IsGroup(wanted.Group)) return Refused(CatalogRefusal.Invalid, new($"group: „{wanted.Group}“ hat nicht die Form Behörde/Gruppe.", $"group: “{wanted.Group}” is not of the form agency/group."));
        if (!groupExists)
        {
            return Refused(CatalogRefusal.Invalid, new(
                $"group: Die Gruppe „{wanted.Group}“ gibt es nicht; erst PUT /api/v1/agencies/{wanted.Group.Replace("/", "/groups/", StringComparison.Ordinal)}.",
                $"group: The group “{wanted.Group}” does not exist; first PUT /api/v1/agencies/{wanted.Group.Replace("/", "/groups/", StringComparison.Ordinal)}."));
        }

        if (wanted.Dataset is not null && !info.Datasets.Contains(wanted.Dataset, StringComparer.Ordinal))
            return Refused(CatalogRefusal.Invalid, new($"dataset: „{wanted.Dataset}“ gehört nicht zum Datenraum „{id}“.", $"dataset: “{wanted.Dataset}” does not belong to the dataspace “{id}”."));
        if (WhyFault(wanted.Why) is { } why) return Refused(CatalogRefusal.Invalid, why);
        if (wanted.Until <= now) return Refused(CatalogRefusal.Invalid, new("until: Der Zeitpunkt muss in der Zukunft liegen.", "until: The instant must lie in the future."));
        if (Array.Find(state.Grants, g => g.Holds(now) && g.Group == wanted.Group && g.Role == wanted.Role && g.Dataset == wanted.Dataset && g.Until == wanted.Until) is { } standing)
            return (state, new(CatalogRefusal.None, standing, null));
        if (state.Grants.Count(g => g.Holds(now)) >= limits.MaxGrants)
        {
            return Refused(CatalogRefusal.TooMany, new(
                $"Im Datenraum „{id}“ sind {limits.MaxGrants} Rollen vergeben, so viele, wie DataHub:Catalog:MaxGrants erlaubt; erst eine entziehen.",
                $"In the dataspace “{id}” {limits.MaxGrants} roles are given, as many as DataHub:Catalog:MaxGrants allows; revoke one first."));
        }

        var made = new GrantInfo(grant, wanted.Group, wanted.Role, wanted.Dataset, caller.Subject, now, wanted.Why, wanted.Until);
        return (state with { Grants = Trim([.. state.Grants, made], now, limits) }, new(CatalogRefusal.None, made, null) { Created = true });

        (DataspaceState, GrantResult) Refused(CatalogRefusal refusal, LocalText detail) => (state, new(refusal, null, detail));
    }

    public static (DataspaceState State, GrantResult Result) Revoke(DataspaceState state, string id, Caller caller, string grant, string why, CatalogOptions limits, DateTimeOffset now)
    {
        if (state.Info is not { } info) return Refused(CatalogRefusal.NotFound, NoDataspace(id));
        var place = Array.FindIndex(state.Grants, g => g.Id == grant);
        if (MissingToGrant(caller, info, place < 0 ? null : state.Grants[place].Dataset, place < 0 ? DataspaceRole.None : state.Grants[place].Role) is { } missing) return Refused(CatalogRefusal.Forbidden, missing);
        if (place < 0) return Refused(CatalogRefusal.NotFound, new($"Im Datenraum „{id}“ gibt es keine Rolle „{grant}“.", $"In the dataspace “{id}” there is no grant “{grant}”."));
        if (WhyFault(why) is { } fault) return Refused(CatalogRefusal.Invalid, fault);
        if (!state.Grants[place].Holds(now)) return (state, new(CatalogRefusal.None, state.Grants[place], null));
        var revoked = state.Grants[place] with { RevokedBy = caller.Subject, RevokedAt = now, RevokedWhy = why };
        return (state with { Grants = Trim([.. state.Grants[..place], revoked, .. state.Grants[(place + 1)..]], now, limits) }, new(CatalogRefusal.None, revoked, null));

        (DataspaceState, GrantResult) Refused(CatalogRefusal refusal, LocalText detail) => (state, new(refusal, null, detail));
    }

    /// <summary>The roles that a group holds at an instant.</summary>
    public static HeldGrant[] HeldBy(DataspaceState state, string group, DateTimeOffset now) => state.Info is not { } info
        ? []
        : [.. state.Grants.Where(grant => grant.Group == group && grant.Holds(now)).Select(grant => new HeldGrant(grant.Id, grant.Role, info.Id, grant.Dataset, group))];

    /// <summary>What somebody holds through several groups: each role at each place once, in the order of the ids.</summary>
    public static HeldGrants Together(IEnumerable<HeldGrant> grants, int limit) =>
        new([.. grants.OrderBy(grant => grant.Id, StringComparer.Ordinal).DistinctBy(grant => (grant.Role, grant.Dataspace, grant.Dataset)).Take(limit)]);

    public static (GroupState State, GroupResult Result) PutGroup(GroupState state, string id, Caller caller, LocalText name, bool agencyExists)
    {
        var agency = Subjects.AgencyOf(id);
        if (AccessRules.Decide(caller, AccessRights.ManageAgency, Holding.OfAgency(agency)).Missing is { } missing) return (state, new(CatalogRefusal.Forbidden, null, missing));
        if (!Subjects.IsGroup(id)) return (state, new(CatalogRefusal.Invalid, null, new($"Die Kennung „{id}“ hat nicht die Form {CatalogIds.Pattern}.", $"The id “{id}” does not match {CatalogIds.Pattern}.")));
        if (!agencyExists) return (state, new(CatalogRefusal.NotFound, null, new($"Die Behörde „{agency}“ gibt es nicht.", $"The agency “{agency}” does not exist.")));
        if (AgencyRules.TextFault(name) is { } fault) return (state, new(CatalogRefusal.Invalid, null, new("name: " + fault.De, "name: " + fault.En)));
        var next = state.Name == name ? state : state with { Name = name };
        return (next, new(CatalogRefusal.None, new(id, name, state.Members), null) { Created = state.Name is null });
    }

    public static (GroupState State, GroupResult Result) AddMember(
        GroupState state, string id, Caller caller, string person, string why, DateTimeOffset? until, CatalogOptions limits, DateTimeOffset now)
    {
        if (GroupFault(state, id, caller) is { } fault) return (state, fault);
        if (!Subjects.IsPerson(person)) return Refused(CatalogRefusal.Invalid, new($"Eine Person ist Aussteller:Kennung mit höchstens {Subjects.MaxLength} Zeichen, etwa oidc:8f3c.", $"A person is issuer:subject of at most {Subjects.MaxLength} characters, such as oidc:8f3c."));
        if (WhyFault(why) is { } wrong) return Refused(CatalogRefusal.Invalid, wrong);
        if (until <= now) return Refused(CatalogRefusal.Invalid, new("until: Der Zeitpunkt muss in der Zukunft liegen.", "until: The instant must lie in the future."));
        var place = Array.FindIndex(state.Members, member => member.Person == person);
        if (place >= 0 && state.Members[place] is var known && known.Why == why && known.Until == until) return (state, new(CatalogRefusal.None, InfoOf(state, id), null));
        if (place < 0 && state.Members.Length >= limits.MaxMembers)
        {
            return Refused(CatalogRefusal.TooMany, new(
                $"Die Gruppe „{id}“ hat {limits.MaxMembers} Mitglieder, so viele, wie DataHub:Catalog:MaxMembers erlaubt.", $"The group “{id}” has {limits.MaxMembers} members, as many as DataHub:Catalog:MaxMembers allows."));
        }

        var member = new MemberInfo(person, caller.Subject, now, why, until);
        var next = state with { Members = [.. state.Members.Where(m => m.Person != person).Append(member).OrderBy(m => m.Person, StringComparer.Ordinal)] };
        return (next, new(CatalogRefusal.None, InfoOf(next, id), null) { Created = place < 0 });

        (GroupState, GroupResult) Refused(CatalogRefusal refusal, LocalText detail) => (state, new(refusal, InfoOf(state, id), detail));
    }

    public static (GroupState State, GroupResult Result) RemoveMember(GroupState state, string id, Caller caller, string person)
    {
        if (GroupFault(state, id, caller) is { } fault) return (state, fault);
        var next = state.Members.Any(member => member.Person == person) ? state with { Members = [.. state.Members.Where(member => member.Person != person)] } : state;
        return (next, new(CatalogRefusal.None, InfoOf(next, id), null));
    }

    public static GroupResult GetGroup(GroupState state, string id, Caller caller) => GroupFault(state, id, caller) ?? new(CatalogRefusal.None, InfoOf(state, id), null);

    public static LocalText NoDataspace(string id) => new($"Den Datenraum „{id}“ gibt es nicht.", $"The dataspace “{id}” does not exist.");

    private static GroupInfo InfoOf(GroupState state, string id) => new(id, state.Name!, state.Members);

    private static GroupResult? GroupFault(GroupState state, string id, Caller caller) =>
        AccessRules.Decide(caller, AccessRights.ManageAgency, Holding.OfAgency(Subjects.AgencyOf(id))).Missing is { } missing ? new(CatalogRefusal.Forbidden, null, missing)
        : state.Name is null ? new(CatalogRefusal.NotFound, null, new($"Die Gruppe „{id}“ gibt es nicht.", $"The group “{id}” does not exist."))
        : null;

    /// <summary>Whoever coordinates one dataset only gives roles for that one only.</summary>
    private static LocalText? MissingToGrant(Caller caller, DataspaceInfo info, string? dataset, DataspaceRole role)
    {
        var right = info.Id == Dataspaces.Platform || role == DataspaceRole.Administrator ? AccessRights.Administer : AccessRights.Grant;
        return AccessRules.Decide(caller, right, info.Holding with { Dataset = dataset }).Missing;
    }

    private static LocalText? WhyFault(string? why) => string.IsNullOrWhiteSpace(why) || why.Length > AgencyRules.MaxTextLength
        ? new($"why: Ein Grund von 1 bis {AgencyRules.MaxTextLength} Zeichen ist nötig.", $"why: A reason of 1 to {AgencyRules.MaxTextLength} characters is needed.")
        : null;

    /// <summary>Grants that are over are kept for whoever asks, but not for ever: the oldest make room.</summary>
    private static GrantInfo[] Trim(GrantInfo[] grants, DateTimeOffset now, CatalogOptions limits)
    {
        var over = grants.Where(grant => !grant.Holds(now)).OrderBy(grant => grant.RevokedAt ?? grant.Until).ToArray();
        return over.Length <= limits.MaxGrants ? grants : [.. grants.Except(over[..(over.Length - limits.MaxGrants)])];
    }
}
