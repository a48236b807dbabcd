using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Governance;

namespace DataHub.Support;

/// <summary>Audit logs for tests.</summary>
internal static class AuditLogs
{
    public static readonly DateTimeOffset Noon = new(2026, 11, 27, 12, 0, 0, TimeSpan.Zero);

    public static AuditEvent Event(int number, string action = "key.created", string? agency = "umwelt", string @object = "agency:umwelt", AuditOutcome outcome = AuditOutcome.Done, string actor = "key:platform.b4Xk29Qz") => new(
        $"01JDCB4Z6H8W4T0V9R5X{number:D6}", Noon.AddMinutes(number), action, agency, actor, @object, outcome, [new("key", $"k{number}"), new("label", "Größe\0 „𝔘“")]);

    public static byte[] Salt(int number)
    {
        var salt = new byte[AuditContent.SaltLength];
        new Random(number).NextBytes(salt);
        return salt;
    }

    /// <summary>A log of so many events, with these places lawfully deleted by an entry each at its end.</summary>
    public static List<AuditEntry> Log(int events, params long[][] deletions)
    {
        var salts = 0;
        var entries = AuditChain.Next(AuditHead.Empty, Enumerable.Range(1, events).Select(number => Event(number)), () => Salt(++salts));
        foreach (var places in deletions)
        {
            entries.Add(AuditChain.Next(AuditChain.HeadOf(entries[^1]), Deletion(places), Salt(++salts)));
            foreach (var place in places) entries[(int)place - 1] = AuditChain.WithoutContent(entries[(int)place - 1]);
        }

        return entries;
    }

    public static AuditEvent Deletion(params long[] places)
    {
        var happened = AuditEvents.Of(
            Noon, new Caller("platform", KeyRole.Admin, "b4Xk29Qz"), AuditEvents.ContentDeleted, null, "audit:main", AuditOutcome.Done, ("sequences", AuditChain.Places(places)), ("reason", "Antrag"), ("authority", "Art. 17 DSGVO"));
        return happened with { Id = $"01JDCB4Z6H8W4T0V9R5Y{places[0]:D6}" };
    }

    public static AuditVerification Verify(IEnumerable<AuditEntry> entries, AuditHead? head, AuditHead? expected = null, bool isPart = false)
    {
        var verification = new AuditVerification(expected, isPart);
        foreach (var entry in entries) verification.Next(entry);
        verification.End(head);
        return verification;
    }

    public static void AssertEqual(AuditEntry expected, AuditEntry actual)
    {
        Assert.Equal(expected.Sequence, actual.Sequence);
        Assert.Equal(expected.Link, actual.Link);
        Assert.Equal(expected.Leaf, actual.Leaf);
        Assert.Equal(expected.Salt, actual.Salt);
        Assert.Equal(expected.Content, actual.Content);
        Assert.Equal(expected.Columns, actual.Columns);
    }

    public static void AssertEqual(IReadOnlyList<AuditEntry> expected, IReadOnlyList<AuditEntry> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (var i = 0; i < expected.Count; i++) AssertEqual(expected[i], actual[i]);
    }
}
