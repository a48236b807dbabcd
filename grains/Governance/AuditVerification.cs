using DataHub.Catalog;

namespace DataHub.Governance;

/// <summary>What can be wrong with an audit log.</summary>
internal enum AuditFaultKind
{
    /// <summary>Entries are missing: those from the place up to <see cref="AuditFault.Other"/>.</summary>
    Missing = 0,

    /// <summary>The entry comes after <see cref="AuditFault.Other"/>, which is not before it: reordered, or there twice.</summary>
    OutOfOrder = 1,

    /// <summary>The link is not what comes of the link before, the place and the leaf.</summary>
    Link = 2,

    /// <summary>The leaf is not the hash of salt and content: one of the three was changed.</summary>
    Content = 3,

    /// <summary>What is searched by says something else than the content, or the content is none.</summary>
    Columns = 4,

    /// <summary>The content is gone, and no entry says that it was deleted.</summary>
    Lost = 5,

    /// <summary>The content is gone, but salt or columns are left.</summary>
    Remains = 6,

    /// <summary>The entry says that the content of <see cref="AuditFault.Other"/> was deleted, but it is there (or there is no such entry before it).</summary>
    NotDeleted = 7,

    /// <summary>The stored head is not the last entry: the end is missing, or something was put behind it.</summary>
    Head = 8,

    /// <summary>A head that was noted before is not in this log.</summary>
    Expected = 9,
}

/// <param name="Sequence">The place it was found at.</param>
internal sealed record AuditFault(AuditFaultKind Kind, long Sequence, long Other = 0)
{
    /// <summary>For people: what it is.</summary>
    public LocalText Text => Kind switch
    {
        AuditFaultKind.Missing => Sequence == Other
            ? new($"Eintrag {Sequence} fehlt.", $"Entry {Sequence} is missing.")
            : new($"Die Einträge {Sequence} bis {Other} fehlen.", $"The entries {Sequence} to {Other} are missing."),
        AuditFaultKind.OutOfOrder => new($"Eintrag {Sequence} steht hinter {Other}: vertauscht oder doppelt.", $"Entry {Sequence} comes after {Other}: reordered, or there twice."),
        AuditFaultKind.Link => new($"Eintrag {Sequence}: Die Verkettung stimmt nicht; er oder seine Stelle wurde geändert.", $"Entry {Sequence}: the link is wrong; it or its place was changed."),
        AuditFaultKind.Content => new($"Eintrag {Sequence}: Der Inhalt wurde geändert; er passt nicht zu seinem Hash.", $"Entry {Sequence}: the content was changed; it does not fit its hash."),
        AuditFaultKind.Columns => new($"Eintrag {Sequence}: Was neben dem Inhalt steht (Zeit, Handlung, Behörde …), sagt etwas anderes als er.", $"Entry {Sequence}: what stands beside the content (time, action, agency …) says something else than it does."),
        AuditFaultKind.Lost => new($"Eintrag {Sequence}: Der Inhalt ist verloren; kein Eintrag sagt, dass er gelöscht wurde.", $"Entry {Sequence}: the content is lost; no entry says that it was deleted."),
        AuditFaultKind.Remains => new($"Eintrag {Sequence}: Der Inhalt ist gelöscht, aber Salz oder Suchspalten sind noch da.", $"Entry {Sequence}: the content was deleted, but salt or columns are left."),
        AuditFaultKind.NotDeleted => new($"Eintrag {Sequence} sagt, der Inhalt von {Other} sei gelöscht; er ist aber da, oder es gibt davor keinen solchen Eintrag.", $"Entry {Sequence} says that the content of {Other} was deleted; but it is there, or there is no such entry before it."),
        AuditFaultKind.Head => new($"Das Ende stimmt nicht: Vermerkt ist Eintrag {Other} als letzter, gefunden wurde {Sequence}. Einträge wurden abgeschnitten oder angehängt.", $"The end is wrong: entry {Other} is noted as the last, {Sequence} was found. Entries were cut off or put behind it."),
        _ => new($"Der früher vermerkte Stand {Other} steht so nicht in diesem Log; davor wurde etwas geändert, entfernt oder alles neu geschrieben.", $"The head {Other} that was noted earlier is not in this log; something before it was changed, removed, or all of it written anew."),
    };
}

/// <summary>Checks a log entry by entry, in order. Pure; the memory it takes grows with the number of deletions only.</summary>
/// <remarks>
/// After a fault it goes on from what is stored, so that one change is told at its place and not at every later one. Whoever
/// can write to the store can also write a whole new log with right hashes: that is found by heads that were noted elsewhere
/// (<c>expected</c>).
/// </remarks>
/// <param name="expected">A head that was noted before; null: none.</param>
/// <param name="isPart">The entries are a selection: gaps are no faults, nor is content whose deletion is not among them.</param>
internal sealed class AuditVerification(AuditHead? expected = null, bool isPart = false)
{
    /// <summary>So many faults are kept; more are counted.</summary>
    public const int MaxFaults = 1_000;

    private readonly List<AuditFault> _faults = [];

    /// <summary>Places without content for which no deletion was found yet.</summary>
    private readonly SortedSet<long> _missing = [];

    /// <summary>Places without content whose deletion was found.</summary>
    private readonly HashSet<long> _deleted = [];
    private byte[]? _link = AuditContent.Genesis.ToArray(), _otherLink;
    private bool _expectedFound = expected is null || (expected.Sequence == 0 && expected.Link.AsSpan().SequenceEqual(AuditContent.Genesis));

    /// <summary>The place of the last entry.</summary>
    public long Last { get; private set; }

    public long Entries { get; private set; }

    /// <summary>How many entries were lawfully deleted: their content is gone, and an entry says so.</summary>
    public long Deleted => _deleted.Count;

    public long FaultCount { get; private set; }

    public IReadOnlyList<AuditFault> Faults => _faults;

    /// <summary>The last entry as a head, to be noted.</summary>
    public AuditHead Head => new(Last, _link ?? []);

    /// <param name="entry">The next one, in the order in which they are stored.</param>
    /// <param name="differs">Whether something else was found beside the content that differs from it.</param>
    public void Next(AuditEntry entry, bool differs = false)
    {
        Entries++;
        if (entry.Sequence <= Last)
        {
            Tell(new(AuditFaultKind.OutOfOrder, entry.Sequence, Last));
            // What it says is checked, its place in the chain cannot be.
            CheckContent(entry, differs);
            return;
        }

        if (entry.Sequence > Last + 1)
        {
            if (!isPart) Tell(new(AuditFaultKind.Missing, Last + 1, entry.Sequence - 1));
            (_link, _otherLink) = (null, null);
        }

        // After a wrong link the next may follow from the one that is stored or from the one it should have been.
        if (_link is not null)
        {
            var right = AuditContent.Link(_link, entry.Sequence, entry.Leaf);
            var isRight = entry.Link.AsSpan().SequenceEqual(right)
                || (_otherLink is not null && entry.Link.AsSpan().SequenceEqual(AuditContent.Link(_otherLink, entry.Sequence, entry.Leaf)));
            if (!isRight) Tell(new(AuditFaultKind.Link, entry.Sequence));
            _otherLink = isRight ? null : right;
        }

        (Last, _link) = (entry.Sequence, entry.Link);
        if (expected is not null && expected.Sequence == entry.Sequence) _expectedFound = expected.Link.AsSpan().SequenceEqual(entry.Link);
        CheckContent(entry, differs);
    }

    /// <summary>Tells what only the whole shows.</summary>
    /// <param name="head">The head as it is stored apart from the entries; null where there is none, as in an export.</param>
    public void End(AuditHead? head)
    {
        if (!isPart)
        {
            foreach (var sequence in _missing) Tell(new(AuditFaultKind.Lost, sequence));
        }

        if (head is not null && (head.Sequence != Last || !head.Link.AsSpan().SequenceEqual(_link))) Tell(new(AuditFaultKind.Head, Last, head.Sequence));
        if (!_expectedFound) Tell(new(AuditFaultKind.Expected, Last, expected!.Sequence));
    }

    /// <summary>
    /// Takes back that content which was said to be deleted is there: somebody deleted it between the moment in which it was
    /// read and the one in which that was, as the entry now shows.
    /// </summary>
    /// <param name="entry">The entry that the fault names, read again.</param>
    public void Settle(AuditFault fault, AuditEntry entry)
    {
        if (fault.Kind != AuditFaultKind.NotDeleted || entry.Sequence != fault.Other || entry.Content is not null || entry.Salt is not null || entry.Columns != AuditColumns.None) return;
        if (!_faults.Remove(fault)) return;
        FaultCount--;
        _deleted.Add(entry.Sequence);
    }

    private void CheckContent(AuditEntry entry, bool differs)
    {
        if (entry.Content is null)
        {
            if (entry.Salt is not null || entry.Columns != AuditColumns.None || differs) Tell(new(AuditFaultKind.Remains, entry.Sequence));
            if (!_deleted.Contains(entry.Sequence)) _missing.Add(entry.Sequence);
            return;
        }

        if (entry.Salt is null || !entry.Leaf.AsSpan().SequenceEqual(AuditContent.Leaf(entry.Salt, entry.Content)))
        {
            // What it says is not believed: not that something was deleted either.
            Tell(new(AuditFaultKind.Content, entry.Sequence));
            return;
        }

        if (AuditContent.Read(entry.Content) is not { } happened)
        {
            Tell(new(AuditFaultKind.Columns, entry.Sequence));
            return;
        }

        if (differs || entry.Columns != AuditColumns.Of(happened)) Tell(new(AuditFaultKind.Columns, entry.Sequence));
        foreach (var place in AuditChain.DeletedBy(happened))
        {
            if (_missing.Remove(place)) _deleted.Add(place);
            else if (!_deleted.Contains(place) && !isPart) Tell(new(AuditFaultKind.NotDeleted, entry.Sequence, place));
        }
    }

    private void Tell(AuditFault fault)
    {
        FaultCount++;
        if (_faults.Count < MaxFaults) _faults.Add(fault);
    }
}
