using DataHub.Catalog;

namespace DataHub.Governance;

/// <summary>Who may read what of the audit log, and what may be deleted. Pure.</summary>
internal static class AuditRules
{
    /// <summary>The query as far as the caller may see; or why not at all.</summary>
    public static (AuditQuery? Query, LocalText? Refused) Visible(Caller caller, AuditQuery query)
    {
        if (caller.IsPlatformAdmin) return (query, null);
        var agency = query.Agency ?? caller.Agency;
        return agency is null ? (null, NeedsAdmin)
            : AccessRules.Decide(caller, AccessRights.ManageAgency, Holding.OfAgency(agency)).Missing is { } missing ? (null, missing)
            : (query with { Agency = agency }, null);
    }

    /// <summary>Admins of an agency and of the platform.</summary>
    public static bool MayReadSome(Caller caller) => caller.IsPlatformAdmin || (caller.Agency is { } agency && AccessRules.May(caller, AccessRights.ManageAgency, Holding.OfAgency(agency)));

    public static LocalText NeedsAdmin { get; } = new("Nötig ist ein Admin-Schlüssel einer Behörde oder der Plattform.", "An admin key of an agency or of the platform is needed.");

    public static LocalText NeedsPlatform { get; } = new("Nötig ist ein Admin-Schlüssel der Plattform.", "An admin key of the platform is needed.");

    /// <summary>What is wrong with a request for a deletion, or null.</summary>
    public static LocalText? Fault(long[] sequences, string? reason, string? authority)
    {
        if (sequences.Length is 0 or > AuditEvents.MaxDeletion || sequences.Any(sequence => sequence < 1) || sequences.Distinct().Count() != sequences.Length)
            return new($"sequences: 1 bis {AuditEvents.MaxDeletion} verschiedene Nummern von Einträgen sind nötig.", $"sequences: 1 to {AuditEvents.MaxDeletion} different numbers of entries are needed.");
        if (TextFault(reason) is { } badReason) return new("reason: " + badReason.De, "reason: " + badReason.En);
        return TextFault(authority) is { } badAuthority ? new("authority: " + badAuthority.De, "authority: " + badAuthority.En) : null;

        static LocalText? TextFault(string? text) => string.IsNullOrWhiteSpace(text) || text.Length > AuditEvents.MaxReasonLength
            ? new($"Nötig ist ein Text von höchstens {AuditEvents.MaxReasonLength} Zeichen.", $"A text of at most {AuditEvents.MaxReasonLength} characters is needed.")
            : null;
    }

    /// <summary>Those of the entries whose content is there still; or why none of them may be deleted.</summary>
    /// <param name="found">The entries of these places that there are.</param>
    public static (long[] Sequences, LocalText? Refused) Deletable(long[] sequences, IReadOnlyList<AuditEntry> found)
    {
        var left = new List<long>();
        foreach (var sequence in sequences.Order())
        {
            if (found.FirstOrDefault(entry => entry.Sequence == sequence) is not { } entry)
                return ([], new($"sequences: Den Eintrag {sequence} gibt es nicht.", $"sequences: The entry {sequence} does not exist."));
            if (entry.Content is null) continue;
            // Without it, what it names would look like lost.
            if (entry.Record.Event is null or { Action: AuditEvents.ContentDeleted })
                return ([], new($"sequences: Eintrag {sequence} sagt, was gelöscht wurde, und bleibt.", $"sequences: The entry {sequence} says what was deleted, and stays."));
            left.Add(sequence);
        }

        return ([.. left], null);
    }

    /// <summary>What all texts that begin with this one are less than; null for the empty text.</summary>
    public static string? EndOf(string prefix)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        return prefix.Length == 0 ? null : prefix[..^1] + (char)(prefix[^1] + 1);
    }
}
