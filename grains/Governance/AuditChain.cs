using System.Globalization;

namespace DataHub.Governance;

/// <summary>How entries follow one another. Pure: salts are handed in. The form of what is hashed is that of <see cref="AuditContent"/>.</summary>
internal static class AuditChain
{
    /// <summary>The entry that follows a head.</summary>
    /// <param name="salt">16 random bytes that were never used before.</param>
    public static AuditEntry Next(AuditHead head, AuditEvent happened, byte[] salt)
    {
        if (salt.Length != AuditContent.SaltLength) throw new ArgumentException($"a salt has {AuditContent.SaltLength} bytes", nameof(salt));
        var content = AuditContent.Write(happened);
        var leaf = AuditContent.Leaf(salt, content);
        var sequence = head.Sequence + 1;
        return new(sequence, AuditContent.Link(head.Link, sequence, leaf), leaf, salt, content, AuditColumns.Of(happened));
    }

    /// <summary>Entries that follow a head, one after another.</summary>
    public static List<AuditEntry> Next(AuditHead head, IEnumerable<AuditEvent> events, Func<byte[]> salt)
    {
        var entries = new List<AuditEntry>();
        foreach (var happened in events)
        {
            entries.Add(Next(head, happened, salt()));
            head = HeadOf(entries[^1]);
        }

        return entries;
    }

    /// <summary>The head once this entry is the last.</summary>
    public static AuditHead HeadOf(AuditEntry last) => new(last.Sequence, last.Link);

    /// <summary>The entry without what was deleted.</summary>
    public static AuditEntry WithoutContent(AuditEntry entry) => entry with { Salt = null, Content = null, Columns = AuditColumns.None };

    /// <summary>The places that a deletion names, as its entry has them.</summary>
    public static string Places(IEnumerable<long> sequences) => string.Join(',', sequences.Select(sequence => sequence.ToString(CultureInfo.InvariantCulture)));

    /// <summary>The places that an entry says were deleted; none where it is about something else.</summary>
    public static IReadOnlyList<long> DeletedBy(AuditEvent happened)
    {
        if (happened is not { Action: AuditEvents.ContentDeleted, Outcome: AuditOutcome.Done }) return [];
        var places = new List<long>();
        foreach (var place in (happened.Detail.FirstOrDefault(detail => detail.Name == "sequences")?.Text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (long.TryParse(place, NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)) places.Add(sequence);
        }

        return places;
    }
}
