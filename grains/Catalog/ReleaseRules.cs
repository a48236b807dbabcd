namespace DataHub.Catalog;

/// <summary>
/// The life of a dataset: DRAFT → READY → AVAILABLE → RETIRED, and back. What is required for a step, who may take it,
/// and that four eyes release what holds personal data. Pure.
/// </summary>
internal static class ReleaseRules
{
    /// <summary>Where a new dataset begins, when nothing is said: as far as it is complete and whoever puts it may go.</summary>
    public static ReleaseState Beginning(Caller caller, string id, DatasetSpec spec, DataspaceInfo? dataspace) =>
        !DatasetChecklist.IsComplete(spec) ? ReleaseState.Draft
        : !DatasetChecklist.IsPersonal(spec) && MayRelease(caller, id, spec, dataspace) ? ReleaseState.Available
        : ReleaseState.Ready;

    /// <summary>A step, or why it is refused; a refusal changes nothing.</summary>
    /// <param name="info">As it stands, or as it will after what else is put with it.</param>
    /// <param name="from">Where it stands.</param>
    public static (DatasetInfo Info, CatalogRefusal Refusal, LocalText? Detail, ReleaseCheck[] Checks) Step(Caller caller, DatasetInfo info, ReleaseState from, ReleaseState to, DateTimeOffset now)
    {
        if (!Enum.IsDefined(to)) return Refused(CatalogRefusal.Invalid, new("state: DRAFT, READY, AVAILABLE oder RETIRED.", "state: DRAFT, READY, AVAILABLE or RETIRED."));
        var held = info.Holding with { Access = AccessClass.Internal, State = ReleaseState.Draft };
        if (to == from)
        {
            // To repeat a step is harmless, for those who may see where it stands.
            return AccessRules.Decide(caller, AccessRights.ReadMetadata, held).Missing is { } unseen ? Refused(CatalogRefusal.Forbidden, unseen) : (info, CatalogRefusal.None, null, []);
        }

        // Between draft and ready those who maintain the description decide, everything else is a release or takes one back.
        var right = from is ReleaseState.Draft or ReleaseState.Ready && to is ReleaseState.Draft or ReleaseState.Ready ? AccessRights.EditMetadata : AccessRights.Release;
        if (AccessRules.Decide(caller, right, held).Missing is { } missing
            && (right != AccessRights.EditMetadata || !AccessRules.May(caller, AccessRights.EditDefinitions, held)))
            return Refused(CatalogRefusal.Forbidden, missing);

        var checks = DatasetChecklist.Of(info.Spec);
        if (to is ReleaseState.Ready or ReleaseState.Available && checks.Where(check => check is { Required: true, Fulfilled: false }).ToArray() is { Length: > 0 } lacking)
        {
            return (info, CatalogRefusal.Conflict, new(
                $"Für {Word(to)} fehlt: {string.Join("; ", lacking.Select(check => check.Text.De))}.",
                $"For {Word(to)} there is missing: {string.Join("; ", lacking.Select(check => check.Text.In("en")))}."), checks);
        }

        if (to == ReleaseState.Retired && from != ReleaseState.Available)
            return Refused(CatalogRefusal.Conflict, new($"Ausgemustert wird, was verfügbar ist; „{info.Id}“ ist {Word(from)}.", $"What is available is retired; “{info.Id}” is {Word(from)}."));
        if (to == ReleaseState.Available && DatasetChecklist.IsPersonal(info.Spec))
        {
            if (from != ReleaseState.Ready || info.Release?.ReadyBy is not { } first)
            {
                return Refused(CatalogRefusal.Conflict, new(
                    $"„{info.Id}“ hat personenbezogene Felder: Zuerst erklärt eine Person den Datensatz für READY, dann gibt ihn eine andere frei.",
                    $"“{info.Id}” has personal fields: first one person declares the dataset READY, then another releases it."));
            }

            if (first == caller.Subject)
            {
                return Refused(CatalogRefusal.Conflict, new(
                    $"„{info.Id}“ hat personenbezogene Felder: Freigeben muss jemand anderes als {first}, der ihn für READY erklärt hat.",
                    $"“{info.Id}” has personal fields: it must be released by somebody else than {first}, who declared it READY."));
            }
        }

        return (Stepped(info, caller, to, now), CatalogRefusal.None, null, checks);

        (DatasetInfo, CatalogRefusal, LocalText?, ReleaseCheck[]) Refused(CatalogRefusal refusal, LocalText detail) => (info, refusal, detail, []);
    }

    /// <summary>The dataset after a step that nothing speaks against.</summary>
    public static DatasetInfo Stepped(DatasetInfo info, Caller caller, ReleaseState to, DateTimeOffset now) => info with
    {
        State = to,
        Modified = now,
        Release = to switch
        {
            ReleaseState.Ready => new(caller.Subject, now, info.Release?.ReleasedBy, info.Release?.ReleasedAt),
            ReleaseState.Available => new(info.Release?.ReadyBy ?? caller.Subject, info.Release?.ReadyAt ?? now, caller.Subject, now),
            _ => info.Release is { } note ? note with { ReadyBy = null, ReadyAt = null } : null,
        },
    };

    /// <summary>
    /// Why what stands available cannot be changed so in place: it would be released anew without the step that a release is.
    /// </summary>
    public static LocalText? ChangeFault(DatasetInfo standing, DatasetSpec wanted)
    {
        if (standing.State is not (ReleaseState.Available or ReleaseState.Ready)) return null;
        if (!DatasetChecklist.IsComplete(wanted))
        {
            var lacking = DatasetChecklist.Of(wanted).Where(check => check is { Required: true, Fulfilled: false }).Select(check => check.Text).ToArray();

            // What was there before there were checklists goes on as it is.
            if (!DatasetChecklist.IsComplete(standing.Spec)) return null;
            return new(
                $"„{standing.Id}“ ist {Word(standing.State)}; dafür fehlt dann: {string.Join("; ", lacking.Select(text => text.De))}. Erst mit state: DRAFT zurückziehen.",
                $"“{standing.Id}” is {Word(standing.State)}; for that there would be missing: {string.Join("; ", lacking.Select(text => text.In("en")))}. First withdraw it by state: DRAFT.");
        }

        return standing.State == ReleaseState.Available && DatasetChecklist.IsPersonal(wanted) && ReleasesOtherwise(standing.Spec, wanted)
            ? new(
                $"„{standing.Id}“ würde personenbezogene Daten anders als bisher freigeben; das entscheiden zwei. Erst mit state: DRAFT zurückziehen, dann READY und von anderer Hand AVAILABLE.",
                $"“{standing.Id}” would release personal data otherwise than so far; two decide that. First withdraw it by state: DRAFT, then READY and, by another hand, AVAILABLE.")
            : null;
    }

    /// <summary>Whether personal data would be given that was not, or to others.</summary>
    private static bool ReleasesOtherwise(DatasetSpec standing, DatasetSpec wanted) =>
        (standing.Access != AccessClass.Open && wanted.Access == AccessClass.Open)
        || standing.Dataspace != wanted.Dataspace
        || wanted.Schema.Fields.Any(field => field.Role == FieldRole.Personal && !standing.Schema.Fields.Any(known => known.Name == field.Name && known.Role == FieldRole.Personal));

    /// <summary>DRAFT, READY, AVAILABLE, RETIRED.</summary>
    public static string Word(ReleaseState state) => AccessWords.Of(state);

    private static bool MayRelease(Caller caller, string id, DatasetSpec spec, DataspaceInfo? dataspace) =>
        AccessRules.May(caller, AccessRights.Release, new(id, dataspace?.Id, spec.Publisher, AccessClass.Internal, ReleaseState.Draft));
}
