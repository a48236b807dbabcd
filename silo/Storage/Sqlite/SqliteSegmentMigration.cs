using DataHub.Feeds;

namespace DataHub.Storage.Sqlite;

/// <summary>Cuts versions of rows whose key contains their time, which lay one by one in <c>row_version</c>, into segments.</summary>
internal static class SqliteSegmentMigration
{
    private const string SelectPartitions = "SELECT DISTINCT partition_id FROM row_version WHERE time_keyed = 1";

    private const string SelectVersions =
        """
        SELECT v.time, v.row_key, v.from_sequence, v.to_sequence, a.area_key, v.contract_version, v.packed
        FROM row_version v LEFT JOIN area a ON a.id = v.area_id
        WHERE v.partition_id = ?1 AND v.time_keyed = 1 ORDER BY v.time, v.row_key, v.to_sequence
        """;

    private const string InsertSegment =
        """
        INSERT INTO segment (partition_id, day, level, run, first_time, last_time, row_count, ends, areas, payload)
        VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6, ?7, ?8, ?9)
        """;

    private const string MarkPartition = "UPDATE history_position SET by_time = 1 WHERE id = ?1";

    public static void Run(SqliteSession session)
    {
        var partitions = new List<long>();
        var found = session.Statement(SelectPartitions);
        while (found.Step()) partitions.Add(found.Int64(0));
        foreach (var partition in partitions)
        {
            session.Statement(MarkPartition).Bind(1, partition).Run();
            Cut(session, partition);
        }
    }

    private static void Cut(SqliteSession session, long partition)
    {
        var builder = new SegmentBuilder(SegmentRules.MaxRows);
        // The version before, as long as the next one may follow it.
        (long Time, byte[] Key, long To, int ContractVersion)? before = null;
        var row = session.Statement(SelectVersions).Bind(1, partition);
        while (row.Step())
        {
            var (time, key, from, to, contract) = (row.Int64(0), row.Blob(1), row.Int64(2), row.Int64(3), row.Int32(5));
            var same = before is { } last && last.Time == time && last.Key.AsSpan().SequenceEqual(key);
            if (!same || before!.Value.To != from) End();
            builder.Add(time, key, from, same && before!.Value.To == from ? RowChange.Correction : RowChange.New, row.IsNull(4) ? null : row.Text(4), contract, row.Blob(6));
            before = (time, key, to, contract);
            Store(builder.Take());
        }

        End();
        Store(builder.Build());

        // It ended, and nothing took its place at that moment.
        void End()
        {
            if (before is { To: < long.MaxValue } ended) builder.Add(ended.Time, ended.Key, ended.To, RowChange.Retraction, null, ended.ContractVersion, []);
        }

        void Store(IReadOnlyList<HistorySegment> segments)
        {
            foreach (var segment in segments.Select(StoredSegment.Of))
            {
                session.Statement(InsertSegment)
                    .Bind(1, partition).Bind(2, SegmentRules.Day(segment.FirstTime)).Bind(3, SegmentRules.MaxLevel).Bind(4, segment.FirstTime).Bind(5, segment.LastTime)
                    .Bind(6, segment.Rows).Bind(7, segment.HasEnds ? 1 : 0).Bind(8, segment.Areas).Bind(9, segment.Payload).Run();
            }
        }
    }
}
