namespace DataHub.Feeds;

/// <summary>
/// Merges segments that come by their first time: all versions under one time and key after those under the one before.
/// It asks for the next segment only when it has come to its time.
/// </summary>
/// <remarks>
/// <code>
/// while (true)
/// {
///     while (scan.NeedsSegment) { if (next segment there is) scan.Add(segment); else scan.Close(); }
///     if (!scan.Next()) break;
///     … scan.Versions …
/// }
/// </code>
/// </remarks>
/// <param name="from">Only times at or after.</param>
/// <param name="to">Only times before.</param>
/// <param name="after">Only behind this place; null: all.</param>
internal sealed class SegmentScan(long from, long to, RowCursor? after = null)
{
    private readonly PriorityQueue<HistorySegment, Place> _open = new(PlaceOrder.Instance);
    private readonly List<SegmentVersion> _versions = [];
    private long _opened = long.MinValue;
    private bool _closed;

    /// <summary>The versions under one time and key, oldest first.</summary>
    public IReadOnlyList<SegmentVersion> Versions => _versions;

    public bool NeedsSegment => !_closed && (!_open.TryPeek(out _, out var first) || first.Time >= _opened);

    public void Add(HistorySegment segment)
    {
        _opened = segment.FirstTime;
        var start = after is { } cursor && cursor.Time >= from ? Behind(segment, cursor) : segment.Find(from, []);
        if (start < segment.Count && segment.Times[start] < to) Open(segment, start);
    }

    /// <summary>There are no more segments.</summary>
    public void Close() => _closed = true;

    /// <summary>Moves to the next time and key.</summary>
    public bool Next()
    {
        _versions.Clear();
        if (!_open.TryDequeue(out var segment, out var place)) return false;
        var time = place.Time;
        var key = place.Segment.Key(place.Row);
        Take(segment, place.Row);
        while (_open.TryPeek(out segment, out var next) && next.Time == time && next.Segment.Key(next.Row).SequenceEqual(key))
        {
            _open.Dequeue();
            Take(segment, next.Row);
        }

        SegmentVersion.InOrder(_versions);
        return true;

        // All rows of the segment under the place, and the segment back with what is behind them.
        void Take(HistorySegment taken, int row)
        {
            var first = row;
            do
            {
                _versions.Add(new(taken, row, long.MaxValue));
                row++;
            }
            while (row < taken.Count && taken.Times[row] == taken.Times[first] && taken.Key(row).SequenceEqual(taken.Key(first)));

            if (row < taken.Count && taken.Times[row] < to) Open(taken, row);
        }
    }

    private static int Behind(HistorySegment segment, RowCursor cursor)
    {
        var row = segment.Find(cursor.Time, cursor.Key);
        while (row < segment.Count && segment.Times[row] == cursor.Time && segment.Key(row).SequenceEqual(cursor.Key)) row++;
        return row;
    }

    private void Open(HistorySegment segment, int row) => _open.Enqueue(segment, new(segment, row));

    private readonly record struct Place(HistorySegment Segment, int Row)
    {
        public long Time => Segment.Times[Row];
    }

    private sealed class PlaceOrder : IComparer<Place>
    {
        public static PlaceOrder Instance { get; } = new();

        public int Compare(Place x, Place y)
        {
            var byTime = x.Time.CompareTo(y.Time);
            return byTime != 0 ? byTime : x.Segment.Key(x.Row).SequenceCompareTo(y.Segment.Key(y.Row));
        }
    }
}

/// <summary>A version as it lies in a segment.</summary>
/// <param name="To">Holds before this sequence; the greatest number while it stands.</param>
internal readonly record struct SegmentVersion(HistorySegment Segment, int Row, long To)
{
    public long From => Segment.Froms[Row];

    /// <summary>Something stands under the key from here on.</summary>
    public bool Holds => Segment.Changes[Row] != RowChange.Retraction;

    public bool StoodAt(long sequence) => Holds && From <= sequence && To > sequence;

    /// <summary>Of one of the areas; null: whatever its area.</summary>
    public bool IsIn(IReadOnlySet<string>? areas) => areas is null || (Segment.Area(Row) is { } area && areas.Contains(area));

    /// <summary>What lies under a time and key in segments, oldest first.</summary>
    public static List<SegmentVersion> Under(IEnumerable<HistorySegment> segments, long time, byte[] key)
    {
        var found = new List<SegmentVersion>();
        foreach (var segment in segments)
        {
            for (var row = segment.Find(time, key); row < segment.Count && segment.Times[row] == time && segment.Key(row).SequenceEqual(key); row++) found.Add(new(segment, row, long.MaxValue));
        }

        InOrder(found);
        return found;
    }

    /// <summary>Puts versions of one time and key in order, each ending where the next begins.</summary>
    public static void InOrder(List<SegmentVersion> versions)
    {
        if (versions.Count > 1) versions.Sort(static (a, b) => a.From.CompareTo(b.From));
        for (var i = 1; i < versions.Count; i++) versions[i - 1] = versions[i - 1] with { To = versions[i].From };
    }
}
