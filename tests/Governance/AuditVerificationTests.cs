using CsCheck;

using DataHub.Support;

using static DataHub.Support.AuditLogs;

namespace DataHub.Governance;

public sealed class AuditVerificationTests
{
    private static List<AuditEntry> Ten => Log(8, [3L, 5L], [6L]);

    private static AuditHead Head => AuditChain.HeadOf(Ten[^1]);

    [Fact]
    public void A_log_with_lawful_deletions_is_whole_and_says_how_many_there_were()
    {
        var verified = Verify(Ten, Head, Head);
        Assert.Empty(verified.Faults);
        Assert.Equal((10, 3, Head), (verified.Entries, verified.Deleted, verified.Head));
        Assert.Empty(Verify([], AuditHead.Empty, AuditHead.Empty).Faults);
        Assert.Empty(Verify(Ten, Head, AuditChain.HeadOf(Ten[3])).Faults);
    }

    [Fact]
    public void A_missing_entry_is_named_and_so_are_several() => Assert.All(
        [(Ten.Where(e => e.Sequence != 4), new AuditFault(AuditFaultKind.Missing, 4, 4)), (Ten.Where(e => e.Sequence is < 1 or > 2), new(AuditFaultKind.Missing, 1, 2))],
        (((IEnumerable<AuditEntry> Log, AuditFault Fault) found) => Assert.Equal([found.Fault], Verify(found.Log, Head).Faults)));

    [Fact]
    public void A_cut_tail_is_found_by_the_head_and_where_that_was_cut_too_by_one_that_was_noted_elsewhere()
    {
        Assert.Equal([new AuditFault(AuditFaultKind.Head, 9, 10), new(AuditFaultKind.Lost, 6)], Verify(Ten[..9], Head).Faults.Reverse());
        var cut = Log(9)[..7];
        Assert.Empty(Verify(cut, AuditChain.HeadOf(cut[^1])).Faults);
        Assert.Equal([new AuditFault(AuditFaultKind.Expected, 7, 9)], Verify(cut, AuditChain.HeadOf(cut[^1]), AuditChain.HeadOf(Log(9)[^1])).Faults);
        Assert.Equal([new AuditFault(AuditFaultKind.Head, 10, 9)], Verify(Ten, AuditChain.HeadOf(Ten[8])).Faults);
    }

    [Fact]
    public void A_log_written_anew_with_right_hashes_is_found_by_a_head_that_was_noted_before()
    {
        var salts = 100;
        var anew = AuditChain.Next(AuditHead.Empty, Enumerable.Range(1, 8).Select(n => Event(n, agency: n == 2 ? "andere" : "umwelt")), () => Salt(++salts));
        Assert.Empty(Verify(anew, AuditChain.HeadOf(anew[^1])).Faults);
        Assert.Equal([new AuditFault(AuditFaultKind.Expected, 8, 4)], Verify(anew, AuditChain.HeadOf(anew[^1]), AuditChain.HeadOf(Log(8)[3])).Faults);
    }

    [Fact]
    public void Changed_content_is_found_at_its_place_only()
    {
        AssertFaults(Changed(2, e => e with { Content = AuditContent.Write(Event(2, actor: "hub")) }), new AuditFault(AuditFaultKind.Content, 2));
        AssertFaults(Changed(2, e => e with { Salt = Salt(99) }), new AuditFault(AuditFaultKind.Content, 2));
        AssertFaults(Changed(2, e => e with { Salt = null }), new AuditFault(AuditFaultKind.Content, 2));
        AssertFaults(Changed(2, e => e with { Columns = e.Columns with { Actor = "hub" } }), new AuditFault(AuditFaultKind.Columns, 2));
        AssertFaults(Changed(2, e => e with { Columns = AuditColumns.None }), new AuditFault(AuditFaultKind.Columns, 2));
        AssertFaults(Changed(2, e => e with { Link = e.Leaf }), new AuditFault(AuditFaultKind.Link, 2));

        // Content and leaf together, which fit each other then.
        AssertFaults(Changed(2, e => e with { Content = AuditContent.Write(Event(2, actor: "hub")), Columns = AuditColumns.Of(Event(2, actor: "hub")), Leaf = AuditContent.Leaf(e.Salt!, AuditContent.Write(Event(2, actor: "hub"))) }), new AuditFault(AuditFaultKind.Link, 2));

        // And the link too: the next one tells.
        var forged = Changed(2, e =>
        {
            var made = AuditChain.Next(AuditChain.HeadOf(Ten[0]), Event(2, actor: "hub"), e.Salt!);
            return made;
        });
        AssertFaults(forged, new AuditFault(AuditFaultKind.Link, 3));

        // Of a deleted entry only the hashes are left to be changed.
        AssertFaults(Changed(3, e => e with { Leaf = e.Link }), new AuditFault(AuditFaultKind.Link, 3));
    }

    [Fact]
    public void Lost_content_is_told_from_deleted_content()
    {
        AssertFaults(Changed(2, AuditChain.WithoutContent), new AuditFault(AuditFaultKind.Lost, 2));
        AssertFaults(Changed(2, e => AuditChain.WithoutContent(e) with { Salt = e.Salt }), new(AuditFaultKind.Remains, 2), new(AuditFaultKind.Lost, 2));
        AssertFaults(Changed(3, e => e with { Columns = AuditColumns.Of(Event(3)) }), new AuditFault(AuditFaultKind.Remains, 3));
        // The entry that says so is lost itself: then so is what it named.
        AssertFaults(Changed(9, AuditChain.WithoutContent), new(AuditFaultKind.Lost, 3), new(AuditFaultKind.Lost, 5), new(AuditFaultKind.Lost, 9));
        // Or it was made to name one more.
        AssertFaults(Changed(9, e => e with { Content = AuditContent.Write(Deletion(2, 3, 5)) }), new(AuditFaultKind.Content, 9), new(AuditFaultKind.Lost, 3), new(AuditFaultKind.Lost, 5));
    }

    [Fact]
    public void A_deletion_whose_content_is_there_still_is_told()
    {
        var whole = Log(8);
        AssertFaults(Changed(5, _ => whole[4]), new AuditFault(AuditFaultKind.NotDeleted, 9, 5));
        var log = Log(2);
        log.Add(AuditChain.Next(AuditChain.HeadOf(log[^1]), Deletion(7), Salt(7)));
        Assert.Equal([new AuditFault(AuditFaultKind.NotDeleted, 3, 7)], Verify(log, AuditChain.HeadOf(log[^1])).Faults);
    }

    [Fact]
    public void Swapped_and_doubled_entries_are_told()
    {
        var swapped = Ten;
        (swapped[0], swapped[1]) = (swapped[1], swapped[0]);
        Assert.Equal([new AuditFault(AuditFaultKind.Missing, 1, 1), new(AuditFaultKind.OutOfOrder, 1, 2)], Verify(swapped, Head).Faults);
        var rows = Ten;
        (rows[0], rows[1]) = (rows[1] with { Sequence = 1 }, rows[0] with { Sequence = 2 });
        Assert.Equal([new AuditFault(AuditFaultKind.Link, 1), new(AuditFaultKind.Link, 2), new(AuditFaultKind.Link, 3)], Verify(rows, Head).Faults);
        var doubled = Ten;
        doubled.Insert(4, doubled[3]);
        Assert.Equal([new AuditFault(AuditFaultKind.OutOfOrder, 4, 4)], Verify(doubled, Head).Faults);
    }

    [Fact]
    public void Of_a_selection_contents_and_neighbours_are_checked_and_gaps_are_no_faults()
    {
        var part = Ten.Where(e => e.Sequence is 2 or 3 or 7).ToList();
        Assert.Empty(Verify(part, null, isPart: true).Faults);
        part[2] = part[2] with { Content = AuditContent.Write(Event(7, actor: "hub")) };
        Assert.Equal([new AuditFault(AuditFaultKind.Content, 7)], Verify(part, null, isPart: true).Faults);
        part[1] = part[1] with { Leaf = part[1].Link };
        Assert.Equal([new AuditFault(AuditFaultKind.Link, 3), new(AuditFaultKind.Content, 7)], Verify(part, null, isPart: true).Faults);
    }

    [Fact]
    public void Every_single_change_of_anything_stored_is_found_and_lawful_deletions_never_are() => Gen.Select(Gen.Int[1, 12], Gen.Int[0, 1_000_000]).Sample((events, seed) =>
    {
        var random = new Random(seed);
        var places = Enumerable.Range(1, events).Select(n => (long)n).OrderBy(_ => random.Next()).Take(random.Next(events + 1)).ToArray();
        var log = places.Length == 0 ? Log(events) : Log(events, [.. places.Chunk(random.Next(1, 4)).Select(chunk => chunk.Order().ToArray())]);
        var head = AuditChain.HeadOf(log[^1]);
        var whole = Verify(log, head);
        Assert.Empty(whole.Faults);
        Assert.Equal(places.Length, whole.Deleted);

        var (changed, changedHead) = Mutated([.. log], head, random);
        Assert.NotEqual(0, Verify(changed, changedHead).FaultCount);
    }, iter: 5_000);

    private static (List<AuditEntry> Log, AuditHead Head) Mutated(List<AuditEntry> log, AuditHead head, Random random)
    {
        var place = random.Next(log.Count);
        var entry = log[place];
        switch (random.Next(12))
        {
            case 0: log.RemoveAt(place); break;
            case 1: log.Insert(random.Next(place, log.Count + 1), entry); break;
            case 2: log[place] = entry with { Link = Flip(entry.Link) }; break;
            case 3: log[place] = entry with { Leaf = Flip(entry.Leaf) }; break;
            case 4: log[place] = entry with { Salt = entry.Salt is null ? Salt(random.Next()) : Flip(entry.Salt) }; break;
            case 5: log[place] = entry with { Content = entry.Content is null ? AuditContent.Write(Event(place + 1)) : Flip(entry.Content) }; break;
            case 6: log[place] = entry with { Columns = Other(entry.Columns) }; break;
            case 7: log[place] = entry.Content is null ? entry with { Leaf = Flip(entry.Leaf) } : AuditChain.WithoutContent(entry); break;
            case 8: log[place] = entry with { Sequence = entry.Sequence + random.Next(1, 3) }; break;
            case 9: head = random.Next(2) == 0 ? head with { Link = Flip(head.Link) } : head with { Sequence = head.Sequence + (random.Next(2) == 0 ? 1 : -1) }; break;
            case 10 when log.Count > 1: (log[place], log[(place + 1) % log.Count]) = (log[(place + 1) % log.Count], log[place]); break;
            default: log.RemoveRange(place, log.Count - place); break;
        }

        return (log, head);

        byte[] Flip(byte[] bytes)
        {
            var changed = (byte[])bytes.Clone();
            changed[random.Next(changed.Length)] ^= (byte)(1 << random.Next(8));
            return changed;
        }

        AuditColumns Other(AuditColumns columns) => random.Next(7) switch
        {
            0 => columns with { Id = columns.Id + "x" },
            1 => columns with { At = columns.At is { } at ? at + 1 : 7 },
            2 => columns with { Action = columns.Action + "x" },
            3 => columns with { Agency = columns.Agency is null ? "x" : null },
            4 => columns with { Actor = columns.Actor is null ? "x" : null },
            5 => columns with { Object = columns.Object + "x" },
            _ => columns with { Outcome = columns.Outcome is null ? 0 : 1 - columns.Outcome },
        };
    }

    private static List<AuditEntry> Changed(int sequence, Func<AuditEntry, AuditEntry> change)
    {
        var log = Ten;
        log[sequence - 1] = change(log[sequence - 1]);
        return log;
    }

    private static void AssertFaults(List<AuditEntry> log, params AuditFault[] faults) => Assert.Equal(faults, Verify(log, Head).Faults);
}
