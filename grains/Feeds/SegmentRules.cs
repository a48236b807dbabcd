namespace DataHub.Feeds;

/// <summary>How versions are cut into segments, and segments joined.</summary>
internal static class SegmentRules
{
    /// <summary>Rows of a segment at most: what is read to find one of them.</summary>
    public const int MaxRows = 1_024;

    /// <summary>Runs (what one transaction brought for a day, or joined) of one level that may lie over one another before they are joined.</summary>
    public const int MaxRuns = 8;

    /// <summary>More rows than this are not joined any more: it is done in one piece of work.</summary>
    public const int MaxJoinedRows = 500_000;

    /// <summary>At so many joinings a row has been through enough.</summary>
    public const int MaxLevel = 6;

    /// <summary>So many segments may share a time and count as lying side by side all the same.</summary>
    private const int SideBySide = 4;

    /// <summary>The day (of UTC) of a time in ticks: the number of days since 0001-01-01, negative before.</summary>
    public static long Day(long time) => Math.DivRem(time, TimeSpan.TicksPerDay) is var (day, rest) && rest < 0 ? day - 1 : day;

    /// <summary>The first tick of the day of a time, as far as numbers go.</summary>
    public static long DayStart(long time)
    {
        var day = Day(time);
        return day * (decimal)TimeSpan.TicksPerDay < long.MinValue ? long.MinValue : day * TimeSpan.TicksPerDay;
    }

    /// <summary>The segments of what batches of one partition change; of several changes of one key in one batch the last leaves a version.</summary>
    /// <exception cref="InvalidOperationException">The changes of a key do not follow from one another.</exception>
    public static IReadOnlyList<HistorySegment> Cut(IReadOnlyList<HistoryBatch> batches, int maxRows = MaxRows)
    {
        var entries = new Entry[batches.Sum(batch => batch.Changes.Length)];
        var (count, sorted) = (0, true);
        for (var b = 0; b < batches.Count; b++)
        {
            for (var row = 0; row < batches[b].Changes.Length; row++)
            {
                ref readonly var change = ref batches[b].Changes[row];
                entries[count] = new(change.Time, change.Key, b, row);
                if (count > 0 && sorted) sorted = entries[count - 1].CompareTo(entries[count]) <= 0;
                count++;
            }
        }

        if (!sorted) Array.Sort(entries);
        var builder = new SegmentBuilder(maxRows);
        for (var first = 0; first < entries.Length;)
        {
            var last = first;
            while (last + 1 < entries.Length && entries[last + 1].Batch == entries[first].Batch && entries[last + 1].SameKey(entries[first])) last++;
            Add(builder, batches[entries[first].Batch], entries.AsSpan(first, last + 1 - first));
            first = last + 1;
        }

        return builder.Build();
    }

    /// <summary>The versions of segments in as few segments as they fit into.</summary>
    /// <exception cref="InvalidDataException">The changes of a key do not follow from one another.</exception>
    public static IReadOnlyList<HistorySegment> Join(IReadOnlyList<HistorySegment> segments, int maxRows = MaxRows)
    {
        var builder = new SegmentBuilder(maxRows);
        foreach (var versions in Keys(segments))
        {
            var stands = (bool?)null;
            foreach (var version in versions)
            {
                var (segment, row) = (version.Segment, version.Row);
                // What lies in other segments is not known here: only what follows the first is judged.
                if (stands is { } before && before != (segment.Changes[row] != RowChange.New))
                    throw new InvalidDataException($"Sequence {version.From}: a {segment.Changes[row]} of a key under which {(before ? "a row" : "nothing")} stands.");
                stands = version.Holds;
                builder.Add(segment.Times[row], segment.Key(row), version.From, segment.Changes[row], segment.Area(row), segment.ContractVersions[row], segment.Value(row));
            }
        }

        return builder.Build();
    }

    /// <summary>The same without some versions; those around them hold as they held.</summary>
    public static IReadOnlyList<HistorySegment> Without(IReadOnlyList<HistorySegment> segments, IReadOnlySet<SegmentPlace> versions, int maxRows = MaxRows)
    {
        var builder = new SegmentBuilder(maxRows);
        foreach (var versionsOfKey in Keys(segments))
        {
            var stands = false;
            foreach (var version in versionsOfKey)
            {
                var (segment, row) = (version.Segment, version.Row);
                var holds = version.Holds && !versions.Contains(new(segment.Times[row], segment.Key(row).ToArray(), version.From));
                if (!holds && !stands) continue;
                builder.Add(
                    segment.Times[row], segment.Key(row), version.From, !holds ? RowChange.Retraction : stands ? RowChange.Correction : RowChange.New,
                    holds ? segment.Area(row) : null, segment.ContractVersions[row], holds ? segment.Value(row) : []);
                stands = holds;
            }
        }

        return builder.Build();
    }

    /// <summary>Full segments that hardly share a time: joining them would come to the same.</summary>
    public static bool LieSideBySide(IReadOnlyList<(long FirstTime, long LastTime, int Rows)> segments, int maxRows = MaxRows)
    {
        if (segments.Sum(segment => (long)segment.Rows) < segments.Count * (long)maxRows / 2) return false;
        var ends = new PriorityQueue<long, long>();
        foreach (var (first, last, _) in segments.OrderBy(segment => segment.FirstTime))
        {
            while (ends.TryPeek(out var end, out _) && end < first) ends.Dequeue();
            ends.Enqueue(last, last);
            if (ends.Count > SideBySide) return false;
        }

        return true;
    }

    private static IEnumerable<IReadOnlyList<SegmentVersion>> Keys(IReadOnlyList<HistorySegment> segments)
    {
        var scan = new SegmentScan(long.MinValue, long.MaxValue);
        foreach (var segment in segments.OrderBy(segment => segment.FirstTime)) scan.Add(segment);
        scan.Close();
        while (scan.Next()) yield return scan.Versions;
    }

    private static void Add(SegmentBuilder builder, HistoryBatch batch, ReadOnlySpan<Entry> sameKey)
    {
        var stood = batch.Changes[sameKey[0].Row].Change != RowChange.New;
        var stands = stood;
        foreach (var entry in sameKey)
        {
            var change = batch.Changes[entry.Row].Change;
            if (stands != (change != RowChange.New))
                throw new InvalidOperationException($"Partition {batch.Batch.Partition}, sequence {batch.Batch.Sequence}: a {change} of a key under which {(stands ? "a row" : "nothing")} stands.");
            stands = change != RowChange.Retraction;
        }

        // What began and ended in one batch never stood for anybody, and leaves no version.
        if (!stood && !stands) return;
        ref readonly var last = ref batch.Changes[sameKey[^1].Row];
        builder.Add(
            last.Time, last.Key, batch.Batch.Sequence, !stands ? RowChange.Retraction : stood ? RowChange.Correction : RowChange.New,
            stands ? last.Area : null, batch.Batch.ContractVersion, stands ? last.Values : []);
    }

    private readonly record struct Entry(long Time, byte[] Key, int Batch, int Row) : IComparable<Entry>
    {
        public int CompareTo(Entry other)
        {
            if (Time != other.Time) return Time < other.Time ? -1 : 1;
            var byKey = Key.AsSpan().SequenceCompareTo(other.Key);
            if (byKey != 0) return byKey;
            return Batch != other.Batch ? Batch.CompareTo(other.Batch) : Row.CompareTo(other.Row);
        }

        public bool SameKey(in Entry other) => Time == other.Time && Key.AsSpan().SequenceEqual(other.Key);
    }
}

/// <summary>Names a version within a partition.</summary>
internal readonly record struct SegmentPlace(long Time, byte[] Key, long From)
{
    public bool Equals(SegmentPlace other) => Time == other.Time && From == other.From && Key.AsSpan().SequenceEqual(other.Key);

    public override int GetHashCode() => HashCode.Combine(Time, From, ByteKeyComparer.Instance.GetHashCode(Key));
}
