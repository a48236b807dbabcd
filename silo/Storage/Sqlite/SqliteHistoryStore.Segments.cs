using DataHub.Feeds;

namespace DataHub.Storage.Sqlite;

/// <summary>Partitions whose keys contain the time: their versions lie in segments.</summary>
internal sealed partial class SqliteHistoryStore
{
    private readonly SegmentCache _kept = new(keptBytes);

    private const string SelectByTime = "SELECT by_time FROM history_position WHERE partition_key = ?1";

    private static bool IsByTime(SqliteSession session, string partition)
    {
        var statement = session.Statement(SelectByTime).Bind(1, partition);
        if (!statement.Step()) return false;
        var byTime = statement.Int32(0) == 1;
        statement.Reset();
        return byTime;
    }

    private const string InsertSegment =
        """
        INSERT INTO segment (partition_id, day, level, run, first_time, last_time, row_count, ends, areas, payload)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        """;

    private static void InsertSegments(SqliteSession session, long id, long run, int level, IReadOnlyList<StoredSegment> segments)
    {
        foreach (var segment in segments)
        {
            session.Statement(InsertSegment)
                .Bind(1, id).Bind(2, SegmentRules.Day(segment.FirstTime)).Bind(3, level).Bind(4, run).Bind(5, segment.FirstTime).Bind(6, segment.LastTime)
                .Bind(7, segment.Rows).Bind(8, segment.HasEnds ? 1 : 0).Bind(9, segment.Areas).Bind(10, segment.Payload).Run();
        }
    }

    private const string SelectSegments =
        """
        SELECT id, ends, areas, payload FROM segment INDEXED BY segment_time
        WHERE partition_id = ?1 AND first_time >= ?2 AND first_time < ?3 AND last_time >= ?4 ORDER BY first_time
        """;

    /// <summary>All versions under each time and key of a range, by time and key; oldest first. Only areas that are asked for are sure to be whole.</summary>
    private IEnumerable<IReadOnlyList<SegmentVersion>> Scan(SqliteSession session, long id, long from, long to, RowCursor? after, IReadOnlySet<string>? areas)
    {
        var first = Math.Max(from, after?.Time ?? long.MinValue);
        var scan = new SegmentScan(from, to, after);
        var statement = session.Another(SelectSegments);
        try
        {
            statement.Bind(1, id).Bind(2, SegmentRules.DayStart(first)).Bind(3, to).Bind(4, first);
            while (true)
            {
                while (scan.NeedsSegment)
                {
                    if (!statement.Step()) scan.Close();
                    else if (Matters(statement, areas)) scan.Add(_kept.Find(statement.Int64(0)) ?? Decode(statement));
                }

                if (!scan.Next()) yield break;
                yield return scan.Versions;
            }
        }
        finally
        {
            statement.Dispose();
        }

        // One that ends versions matters whatever its areas: they may be of another.
        static bool Matters(SqliteStatement statement, IReadOnlySet<string>? areas) =>
            areas is null || statement.Int32(1) == 1 || Array.Exists(SegmentCodec.DecodeAreas(statement.Blob(2)), areas.Contains);
    }

    private static HistorySegment Decode(SqliteStatement statement) => SegmentCodec.DecodeRows(statement.Blob(3), SegmentCodec.DecodeAreas(statement.Blob(2)));

    private VersionPage SegmentVersions(SqliteSession session, long id, VersionQuery query)
    {
        var page = new SegmentVersionPage(query);
        foreach (var underKey in Scan(session, id, query.From, query.To, query.After, query.Areas))
        {
            if (!page.Take(underKey)) break;
        }

        return new(query.WithPush ? WithPushes(session, id, page.Versions) : page.Versions, page.More);
    }

    private HistoryPage InSegments(SqliteSession session, long sequence, TimeRange range, IReadOnlySet<string>? areas, int limit)
    {
        var page = new SegmentRowPage(areas, limit);
        foreach (var underKey in Scan(session, range.Partition, range.From, range.To, range.After, areas))
        {
            if (!page.Take(underKey)) break;
        }

        return new(sequence, page.Rows, page.More);
    }

    /// <summary>What lies under single keys; segments of one time are read once.</summary>
    private sealed class SegmentLookUp(SqliteHistoryStore store, SqliteSession session, long id)
    {
        private readonly Dictionary<long, HistorySegment[]> _at = [];

        /// <summary>All versions under a time and key, oldest first.</summary>
        public List<SegmentVersion> Under(long time, byte[] key)
        {
            if (!_at.TryGetValue(time, out var segments)) _at.Add(time, segments = [.. At(time)]);
            return SegmentVersion.Under(segments, time, key);
        }

        private IEnumerable<HistorySegment> At(long time)
        {
            var statement = session.Statement(SelectSegments).Bind(1, id).Bind(2, SegmentRules.DayStart(time)).Bind(3, time + 1).Bind(4, time);
            while (statement.Step())
            {
                var number = statement.Int64(0);
                if (store._kept.Find(number) is not { } segment) store._kept.Keep(number, segment = Decode(statement));
                yield return segment;
            }
        }
    }

    private const string SelectRuns =
        """
        SELECT level, count(DISTINCT run), sum(row_count) FROM segment INDEXED BY segment_run
        WHERE partition_id = ?1 AND day = ?2 AND level < ?3 GROUP BY level ORDER BY level
        """;

    private const string SelectLevel =
        """
        SELECT id, ends, areas, payload, first_time, last_time, row_count, run FROM segment INDEXED BY segment_run
        WHERE partition_id = ?1 AND day = ?2 AND level = ?3 ORDER BY first_time
        """;

    private const string RaiseLevel = "UPDATE segment SET level = level + 1 WHERE id = ?1";
    private const string DropSegment = "DELETE FROM segment WHERE id = ?1";

    public async Task<bool> JoinAsync(string partition, long expected, long day, CancellationToken cancellationToken)
    {
        while (true)
        {
            var crowd = await file.LookUpAsync(session => Crowded(session, partition, day), cancellationToken);
            if (crowd is null) return (await PositionAsync(partition, cancellationToken)).Sequence == expected;

            // What is read stays true: segments do not change, and those that were taken away meanwhile are missed below.
            var lie = await file.LookUpAsync(session => Level(session, crowd, decode: false), cancellationToken);
            var joined = Array.Empty<StoredSegment>();
            if (!SegmentRules.LieSideBySide([.. lie.Select(segment => (segment.FirstTime, segment.LastTime, segment.Rows))], segmentRows))
            {
                lie = await file.ScanAsync(session => Level(session, crowd, decode: true), cancellationToken);
                joined = [.. SegmentRules.Join([.. lie.Select(segment => segment.Segment!)], segmentRows).Select(StoredSegment.Of)];
            }

            if (!await file.WriteAsync(session => Replace(session, partition, expected, crowd, lie, joined), cancellationToken)) return false;
        }
    }

    private sealed record Crowd(long Partition, long Day, int Level);

    private sealed record LyingSegment(long Id, long FirstTime, long LastTime, int Rows, long Run, HistorySegment? Segment);

    private static Crowd? Crowded(SqliteSession session, string partition, long day)
    {
        if (Position(session, partition).Id is not { } id) return null;
        var statement = session.Statement(SelectRuns).Bind(1, id).Bind(2, day).Bind(3, SegmentRules.MaxLevel);
        while (statement.Step())
        {
            var (level, runs, rows) = (statement.Int32(0), statement.Int64(1), statement.Int64(2));
            if (runs < SegmentRules.MaxRuns || rows > SegmentRules.MaxJoinedRows) continue;
            statement.Reset();
            return new(id, day, level);
        }

        return null;
    }

    private static List<LyingSegment> Level(SqliteSession session, Crowd crowd, bool decode)
    {
        var found = new List<LyingSegment>();
        var statement = session.Statement(SelectLevel).Bind(1, crowd.Partition).Bind(2, crowd.Day).Bind(3, crowd.Level);
        while (statement.Step())
            found.Add(new(statement.Int64(0), statement.Int64(4), statement.Int64(5), statement.Int32(6), statement.Int64(7), decode ? Decode(statement) : null));
        return found;
    }

    private static bool Replace(SqliteSession session, string partition, long expected, Crowd crowd, List<LyingSegment> lie, StoredSegment[] joined)
    {
        if (Position(session, partition).Position.Sequence != expected) return false;
        foreach (var segment in lie)
        {
            if (session.Statement(joined.Length == 0 ? RaiseLevel : DropSegment).Bind(1, segment.Id).Run() != 1)
                throw new InvalidOperationException($"History of {partition}: a segment of day {crowd.Day} was taken away while it was joined; it is joined later.");
        }

        if (joined.Length > 0) InsertSegments(session, crowd.Partition, lie.Max(segment => segment.Run), crowd.Level + 1, joined);
        return true;
    }

    private const string SelectHolding =
        """
        SELECT id, ends, areas, payload, level, run FROM segment INDEXED BY segment_time
        WHERE partition_id = ?1 AND first_time >= ?2 AND first_time <= ?3 AND last_time >= ?3 ORDER BY first_time
        """;

    /// <summary>Takes versions out of the segments that hold them, within the writer's transaction.</summary>
    internal void EraseVersions(SqliteSession session, long id, IReadOnlyList<(long Time, byte[] Key, long From)> versions)
    {
        foreach (var day in versions.GroupBy(version => SegmentRules.Day(version.Time)))
        {
            var holding = new Dictionary<long, (HistorySegment Segment, int Level, long Run)>();
            foreach (var time in day.Select(version => version.Time).Distinct())
            {
                var statement = session.Statement(SelectHolding).Bind(1, id).Bind(2, SegmentRules.DayStart(time)).Bind(3, time);
                while (statement.Step()) holding.TryAdd(statement.Int64(0), (Decode(statement), statement.Int32(4), statement.Int64(5)));
            }

            if (holding.Count == 0) continue;
            var left = SegmentRules.Without([.. holding.Values.Select(held => held.Segment)], day.Select(version => new SegmentPlace(version.Time, version.Key, version.From)).ToHashSet(), segmentRows);
            foreach (var segment in holding.Keys) session.Statement(DropSegment).Bind(1, segment).Run();
            InsertSegments(session, id, holding.Values.Max(held => held.Run), holding.Values.Max(held => held.Level), [.. left.Select(StoredSegment.Of)]);
        }
    }

    /// <summary>Lets go of what is kept in memory.</summary>
    internal void Forget() => _kept.Clear();
}
