using System.Collections.Concurrent;
using System.Runtime.InteropServices;

using DataHub.Feeds;

namespace DataHub.Storage.Sqlite;

/// <summary>
/// History in <c>history.db</c>. A row costs its place in the table (which lies by time) and in the index of its area,
/// and where the key does not say the time in that of the keys; everything else is written once per batch or series.
/// </summary>
internal sealed class SqliteHistoryStore(SqliteFile file) : IHistoryStore
{
    /// <summary>With so many areas or fewer a query reads each area's index; with more, it reads by time and leaves out the others.</summary>
    private const int FewAreas = 32;

    // Ids are given once and areas never go away, so what was read once holds for good.
    private readonly ConcurrentDictionary<long, string> _areaOf = new();

    public SqliteFile File => file;

    public Task<HistoryPosition> PositionAsync(string partition, CancellationToken cancellationToken) =>
        file.LookUpAsync(session => Position(session, partition).Position, cancellationToken);

    public Task<bool> ApplyAsync(string partition, long expected, IReadOnlyList<HistoryBatch> batches, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batches);
        CheckSequences(partition, expected, batches);
        var quarantined = batches.Select(b => Array.ConvertAll(b.Batch.Quarantined, LogBatchCodec.EncodeQuarantined)).ToArray();
        return file.WriteAsync(session => Apply(session, partition, expected, batches, quarantined), cancellationToken);
    }

    private const string MovePosition =
        """
        INSERT INTO history_position (partition_key, sequence, accepted) VALUES (?1, ?2, ?3)
        ON CONFLICT (partition_key) DO UPDATE SET sequence = excluded.sequence, accepted = accepted + excluded.accepted
        RETURNING id
        """;

    private static bool Apply(SqliteSession session, string partition, long expected, IReadOnlyList<HistoryBatch> batches, byte[][][] quarantined)
    {
        if (Position(session, partition).Position.Sequence != expected) return false;
        if (batches.Count == 0) return true;
        var move = session.Statement(MovePosition).Bind(1, partition).Bind(2, batches[^1].Batch.Sequence).Bind(3, batches.Sum(b => (long)b.Changes.Length));
        move.Step();
        var id = move.Int64(0);
        move.Run();

        var areaIds = new Dictionary<string, long>(StringComparer.Ordinal);
        var newest = new Dictionary<byte[], long>(ByteKeyComparer.Instance);
        var counts = new Dictionary<(string Dataset, string Feed), (PushCounts Counts, int Pushes, long LastReceived)>();
        for (var i = 0; i < batches.Count; i++)
        {
            InsertBatchRow(session, id, batches[i].Batch);
            ApplyRows(session, id, batches[i], areaIds, newest);
            if (batches[i].Batch.Push is not { } push) continue;
            InsertQuarantined(session, id, batches[i].Batch, push, quarantined[i]);
            var count = counts.GetValueOrDefault((push.Dataset, push.Feed));
            counts[(push.Dataset, push.Feed)] = (
                count.Counts + push.Counts, count.Pushes + (push.Part == 0 ? 1 : 0), Math.Max(count.LastReceived, batches[i].Batch.ReceivedAt.UtcTicks));
        }

        RaiseSeries(session, id, newest);
        AddCounts(session, id, counts);
        return true;
    }

    private const string InsertHistoryBatch = "INSERT INTO history_batch (partition_id, sequence, received_at, feed, receipt) VALUES (?1, ?2, ?3, ?4, ?5)";

    private static void InsertBatchRow(SqliteSession session, long id, LogBatch batch) => session.Statement(InsertHistoryBatch)
        .Bind(1, id).Bind(2, batch.Sequence).Bind(3, batch.ReceivedAt.UtcTicks).Bind(4, batch.Push?.Feed).Bind(5, batch.Push?.Receipt).Run();

    private const string InsertVersion =
        """
        INSERT INTO row_version (partition_id, time, row_key, from_sequence, to_sequence, time_keyed, area_id, contract_version, packed)
        VALUES (?1, ?2, ?3, ?4, 9223372036854775807, ?5, ?6, ?7, ?8)
        """;

    private static void ApplyRows(SqliteSession session, long id, HistoryBatch batch, Dictionary<string, long> areaIds, Dictionary<byte[], long> newest)
    {
        var insert = session.Statement(InsertVersion).Bind(1, id).Bind(4, batch.Batch.Sequence).Bind(5, batch.KeyHasTime ? 1 : 0).Bind(7, batch.Batch.ContractVersion);
        foreach (var change in batch.Changes)
        {
            if (change.Change != RowChange.New) EndStanding(session, id, batch, change);
            if (change.Change == RowChange.Retraction) continue;
            insert.Bind(2, change.Time).Bind(3, change.Key).Bind(6, AreaId(session, change.Area, areaIds)).Bind(8, change.Values).Run();
            if (change.Series is not { } series || change.Time == long.MinValue) continue;
            ref var last = ref CollectionsMarshal.GetValueRefOrAddDefault(newest, series, out var known);
            if (!known || change.Time > last) last = change.Time;
        }
    }

    private const string EndVersion =
        """
        UPDATE row_version INDEXED BY row_version_standing SET to_sequence = ?3
        WHERE partition_id = ?1 AND row_key = ?2 AND time_keyed = 0 AND to_sequence = 9223372036854775807 AND from_sequence < ?3
        """;

    /// <summary>What began and ended in one batch never stood for anybody, and leaves no version.</summary>
    private const string DropVersion =
        """
        DELETE FROM row_version INDEXED BY row_version_standing
        WHERE partition_id = ?1 AND row_key = ?2 AND time_keyed = 0 AND to_sequence = 9223372036854775807 AND from_sequence = ?3
        """;

    private const string EndVersionAtTime =
        """
        UPDATE row_version SET to_sequence = ?3
        WHERE partition_id = ?1 AND time = ?4 AND row_key = ?2 AND to_sequence = 9223372036854775807 AND from_sequence < ?3
        """;

    private const string DropVersionAtTime =
        """
        DELETE FROM row_version
        WHERE partition_id = ?1 AND time = ?4 AND row_key = ?2 AND to_sequence = 9223372036854775807 AND from_sequence = ?3
        """;

    private static void EndStanding(SqliteSession session, long id, HistoryBatch batch, HistoryChange change)
    {
        var sequence = batch.Batch.Sequence;
        if (Ran(batch.KeyHasTime ? EndVersionAtTime : EndVersion) > 0 || Ran(batch.KeyHasTime ? DropVersionAtTime : DropVersion) > 0) return;
        throw new InvalidOperationException(
            $"Partition {batch.Batch.Partition}, sequence {sequence}: a {(change.Change == RowChange.Correction ? "correction" : "retraction")} of a key under which nothing stands.");

        int Ran(string sql)
        {
            var statement = session.Statement(sql).Bind(1, id).Bind(2, change.Key).Bind(3, sequence);
            return (batch.KeyHasTime ? statement.Bind(4, change.Time) : statement).Run();
        }
    }

    private const string SelectAreaId = "SELECT id FROM area WHERE area_key = ?1";

    private const string InsertArea = "INSERT INTO area (area_key) VALUES (?1) RETURNING id";

    private static long? AreaId(SqliteSession session, string? area, Dictionary<string, long> known)
    {
        if (area is null) return null;
        if (known.TryGetValue(area, out var id)) return id;
        var statement = session.Statement(SelectAreaId).Bind(1, area);
        if (!statement.Step())
        {
            statement = session.Statement(InsertArea).Bind(1, area);
            statement.Step();
        }

        id = statement.Int64(0);
        statement.Run();
        known.Add(area, id);
        return id;
    }

    private const string RaiseNewest =
        """
        INSERT INTO series (partition_id, series_key, newest) VALUES (?1, ?2, ?3)
        ON CONFLICT (partition_id, series_key) DO UPDATE SET newest = excluded.newest WHERE excluded.newest > newest
        """;

    private static void RaiseSeries(SqliteSession session, long id, Dictionary<byte[], long> newest)
    {
        var statement = session.Statement(RaiseNewest);
        foreach (var (series, time) in newest) statement.Bind(1, id).Bind(2, series).Bind(3, time).Run();
    }

    private const string InsertQuarantine =
        "INSERT INTO quarantine (dataset, feed, partition_id, receipt, received_at, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

    private static void InsertQuarantined(SqliteSession session, long id, LogBatch batch, PushRecord push, byte[][] rows)
    {
        foreach (var row in rows)
        {
            session.Statement(InsertQuarantine)
                .Bind(1, push.Dataset).Bind(2, push.Feed).Bind(3, id).Bind(4, push.Receipt).Bind(5, batch.ReceivedAt.UtcTicks).Bind(6, row).Run();
        }
    }

    private const string AddCount =
        """
        INSERT INTO feed_count (dataset, feed, partition_id, pushes, received, accepted, duplicate, quarantined, last_received)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
        ON CONFLICT (dataset, feed, partition_id) DO UPDATE SET
          pushes = pushes + excluded.pushes, received = received + excluded.received, accepted = accepted + excluded.accepted,
          duplicate = duplicate + excluded.duplicate, quarantined = quarantined + excluded.quarantined,
          last_received = max(last_received, excluded.last_received)
        """;

    private static void AddCounts(SqliteSession session, long id, Dictionary<(string Dataset, string Feed), (PushCounts Counts, int Pushes, long LastReceived)> counts)
    {
        foreach (var ((dataset, feed), (count, pushes, lastReceived)) in counts)
        {
            session.Statement(AddCount).Bind(1, dataset).Bind(2, feed).Bind(3, id).Bind(4, pushes)
                .Bind(5, count.Received).Bind(6, count.Accepted).Bind(7, count.Duplicate).Bind(8, count.Quarantined).Bind(9, lastReceived).Run();
        }
    }

    private const string SelectStanding =
        """
        SELECT row_key, time, area_id, contract_version, packed, from_sequence FROM row_version INDEXED BY row_version_standing
        WHERE partition_id = ?1 AND row_key = ?2 AND time_keyed = 0 AND to_sequence = 9223372036854775807
        """;

    private const string SelectStandingAtTime =
        """
        SELECT row_key, time, area_id, contract_version, packed, from_sequence FROM row_version
        WHERE partition_id = ?1 AND time = ?3 AND row_key = ?2 AND to_sequence = 9223372036854775807
        """;

    public Task<KeyLookUp> FindKeysAsync(string partition, IReadOnlyList<HistoryKey> keys, CancellationToken cancellationToken) => file.LookUpAsync(
        session =>
        {
            var rows = new HistoryRow?[keys.Count];
            var (id, position) = Position(session, partition);
            if (id is null) return new KeyLookUp(0, rows);
            for (var i = 0; i < rows.Length; i++)
            {
                var statement = session.Statement(keys[i].Time is null ? SelectStanding : SelectStandingAtTime).Bind(1, id).Bind(2, keys[i].Key);
                if (keys[i].Time is { } time) statement.Bind(3, time);
                if (!statement.Step()) continue;
                rows[i] = Row(session, statement);
                statement.Reset();
            }

            return new(position.Sequence, rows);
        },
        cancellationToken);

    private const string SelectNewest = "SELECT newest FROM series WHERE partition_id = ?1 AND series_key = ?2";

    public Task<SeriesLookUp> FindSeriesAsync(string partition, IReadOnlyList<byte[]> series, CancellationToken cancellationToken) => file.LookUpAsync(
        session =>
        {
            var newest = new long?[series.Count];
            var (id, position) = Position(session, partition);
            if (id is null) return new SeriesLookUp(0, newest);
            var statement = session.Statement(SelectNewest);
            for (var i = 0; i < newest.Length; i++)
            {
                if (!statement.Bind(1, id).Bind(2, series[i]).Step()) continue;
                newest[i] = statement.Int64(0);
                statement.Reset();
            }

            return new(position.Sequence, newest);
        },
        cancellationToken);

    private const string SelectWindow =
        """
        SELECT row_key, time, area_id, contract_version, packed, from_sequence FROM row_version
        WHERE partition_id = ?1 AND time >= ?2 AND time < ?3 AND from_sequence <= ?4 AND to_sequence > ?4
        ORDER BY time, row_key
        """;

    private const string SelectWindowOfArea =
        """
        SELECT row_key, time, area_id, contract_version, packed, from_sequence FROM row_version INDEXED BY row_version_area
        WHERE partition_id = ?1 AND area_id = (SELECT id FROM area WHERE area_key = ?5)
          AND time >= ?2 AND time < ?3 AND from_sequence <= ?4 AND to_sequence > ?4
        ORDER BY time, row_key
        """;

    public Task<IReadOnlyList<HistoryRow>> ReadWindowAsync(string partition, long asOf, string? area, long from, long to, CancellationToken cancellationToken) =>
        file.ScanAsync<IReadOnlyList<HistoryRow>>(
            session =>
            {
                var (id, position) = Position(session, partition);
                if (asOf > position.Sequence)
                {
                    throw new ArgumentOutOfRangeException(nameof(asOf), asOf, $"History of {partition} is stored up to {position.Sequence}; wait until it has reached the sequence.");
                }

                var rows = new List<HistoryRow>();
                if (id is null) return rows;
                var statement = session.Statement(area is null ? SelectWindow : SelectWindowOfArea).Bind(1, id).Bind(2, from).Bind(3, to).Bind(4, asOf);
                if (area is not null) statement.Bind(5, area);
                while (statement.Step()) rows.Add(Row(session, statement));
                return rows;
            },
            cancellationToken);

    public Task<HistoryPage> QueryAsync(string partition, long? from, long? to, IReadOnlySet<string>? areas, RowCursor? after, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return file.ScanAsync(
            session =>
            {
                var (id, position) = Position(session, partition);
                if (id is null) return new HistoryPage(0, [], false);
                var range = new TimeRange(id.Value, from ?? long.MinValue, to ?? long.MaxValue, after);
                var rows = areas is null ? ByTime(session, range, null, limit)
                    : areas.Count <= FewAreas ? ByArea(session, range, AreaIds(session, areas), limit)
                    : ByTime(session, range, AreaIds(session, areas), limit);
                var more = rows.Count > limit;
                if (more) rows.RemoveAt(limit);
                return new(position.Sequence, rows, more);
            },
            cancellationToken);
    }

    private readonly record struct TimeRange(long Partition, long From, long To, RowCursor? After);

    private const string SelectStandingByTime =
        """
        SELECT row_key, time, area_id, contract_version, packed, from_sequence FROM row_version
        WHERE partition_id = ?1 AND time >= ?2 AND time < ?3 AND (time, row_key) > (?4, ?5) AND to_sequence = 9223372036854775807
        ORDER BY time, row_key
        """;

    private List<HistoryRow> ByTime(SqliteSession session, TimeRange range, HashSet<long>? areaIds, int limit)
    {
        var rows = new List<HistoryRow>();
        var statement = BindRange(session.Statement(SelectStandingByTime), range);
        while (rows.Count <= limit && statement.Step())
        {
            if (areaIds is null || (!statement.IsNull(2) && areaIds.Contains(statement.Int64(2)))) rows.Add(Row(session, statement));
        }

        statement.Reset();
        return rows;
    }

    private const string SelectStandingByArea =
        """
        SELECT row_key, time, area_id, contract_version, packed, from_sequence FROM row_version INDEXED BY row_version_area
        WHERE partition_id = ?1 AND area_id = ?6 AND time >= ?2 AND time < ?3 AND (time, row_key) > (?4, ?5) AND to_sequence = 9223372036854775807
        ORDER BY time, row_key
        """;

    /// <summary>Merges the areas' rows, each read no further than needed.</summary>
    private List<HistoryRow> ByArea(SqliteSession session, TimeRange range, HashSet<long> areaIds, int limit)
    {
        var statements = new List<SqliteStatement>(areaIds.Count);
        try
        {
            var heads = new PriorityQueue<(SqliteStatement Statement, HistoryRow Row), HistoryRow>(InOrder);
            foreach (var areaId in areaIds)
            {
                var statement = session.Another(SelectStandingByArea);
                statements.Add(statement);
                BindRange(statement, range).Bind(6, areaId);
                if (statement.Step()) Push(heads, statement, Row(session, statement));
            }

            var rows = new List<HistoryRow>();
            while (rows.Count <= limit && heads.TryDequeue(out var head, out _))
            {
                rows.Add(head.Row);
                if (head.Statement.Step()) Push(heads, head.Statement, Row(session, head.Statement));
            }

            return rows;
        }
        finally
        {
            foreach (var statement in statements) statement.Dispose();
        }

        static void Push(PriorityQueue<(SqliteStatement, HistoryRow), HistoryRow> heads, SqliteStatement statement, HistoryRow row) => heads.Enqueue((statement, row), row);
    }

    private static readonly Comparer<HistoryRow> InOrder = Comparer<HistoryRow>.Create(
        (a, b) => a.Time != b.Time ? a.Time.CompareTo(b.Time) : ByteKeyComparer.Instance.Compare(a.Key, b.Key));

    /// <summary>Without a cursor the pair is compared with one before the first: nothing has an empty key.</summary>
    private static SqliteStatement BindRange(SqliteStatement statement, TimeRange range) => statement
        .Bind(1, range.Partition).Bind(2, range.From).Bind(3, range.To).Bind(4, range.After?.Time ?? long.MinValue).Bind(5, range.After?.Key ?? []);

    private static HashSet<long> AreaIds(SqliteSession session, IReadOnlySet<string> areas)
    {
        var ids = new HashSet<long>(areas.Count);
        var statement = session.Statement(SelectAreaId);
        foreach (var area in areas)
        {
            if (!statement.Bind(1, area).Step()) continue;
            ids.Add(statement.Int64(0));
            statement.Reset();
        }

        return ids;
    }

    private const string SelectQuarantine =
        """
        SELECT id, feed, receipt, received_at, payload FROM quarantine
        WHERE dataset = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3
        """;

    private const string SelectQuarantineOfFeed =
        """
        SELECT id, feed, receipt, received_at, payload FROM quarantine
        WHERE dataset = ?1 AND feed = ?4 AND id < ?2 ORDER BY id DESC LIMIT ?3
        """;

    public Task<IReadOnlyList<QuarantineEntry>> QuarantineAsync(string dataset, string? feed, long? before, int limit, CancellationToken cancellationToken) =>
        file.ScanAsync<IReadOnlyList<QuarantineEntry>>(
            session =>
            {
                var entries = new List<QuarantineEntry>();
                var statement = session.Statement(feed is null ? SelectQuarantine : SelectQuarantineOfFeed).Bind(1, dataset).Bind(2, before ?? long.MaxValue).Bind(3, limit);
                if (feed is not null) statement.Bind(4, feed);
                while (statement.Step())
                {
                    entries.Add(new(
                        statement.Int64(0), statement.Text(1), statement.Text(2), new DateTimeOffset(statement.Int64(3), TimeSpan.Zero),
                        LogBatchCodec.DecodeQuarantined(statement.Blob(4))));
                }

                return entries;
            },
            cancellationToken);

    private const string SelectCounts =
        """
        SELECT feed, sum(received), sum(accepted), sum(duplicate), sum(quarantined), max(last_received), sum(pushes)
        FROM feed_count WHERE dataset = ?1 GROUP BY feed ORDER BY feed
        """;

    public Task<IReadOnlyList<FeedCounts>> CountsAsync(string dataset, CancellationToken cancellationToken) => file.LookUpAsync<IReadOnlyList<FeedCounts>>(
        session =>
        {
            var counts = new List<FeedCounts>();
            var statement = session.Statement(SelectCounts).Bind(1, dataset);
            while (statement.Step())
            {
                counts.Add(new(
                    statement.Text(0), statement.Int64(1), statement.Int64(2), statement.Int64(3), statement.Int64(4), new DateTimeOffset(statement.Int64(5), TimeSpan.Zero))
                {
                    Pushes = statement.Int64(6),
                });
            }

            return counts;
        },
        cancellationToken);

    private const string DropRows = "DELETE FROM row_version WHERE partition_id = ?1";
    private const string DropSeries = "DELETE FROM series WHERE partition_id = ?1";
    private const string DropBatches = "DELETE FROM history_batch WHERE partition_id = ?1";
    private const string DropQuarantine = "DELETE FROM quarantine WHERE partition_id = ?1";
    private const string DropCounts = "DELETE FROM feed_count WHERE partition_id = ?1";
    private const string DropPosition = "DELETE FROM history_position WHERE id = ?1";

    public Task ResetAsync(string partition, CancellationToken cancellationToken) => file.WriteAsync(
        session =>
        {
            if (Position(session, partition).Id is not { } id) return false;
            foreach (var sql in (string[])[DropRows, DropSeries, DropBatches, DropQuarantine, DropCounts, DropPosition]) session.Statement(sql).Bind(1, id).Run();
            return true;
        },
        cancellationToken);

    private static void CheckSequences(string partition, long expected, IReadOnlyList<HistoryBatch> batches)
    {
        for (var i = 0; i < batches.Count; i++)
        {
            var batch = batches[i].Batch;
            if (batch.Partition != partition || batch.Sequence != expected + 1 + i)
            {
                throw new ArgumentException($"Batch {i} is sequence {batch.Sequence} of {batch.Partition}; expected {expected + 1 + i} of {partition}.", nameof(batches));
            }
        }
    }

    private const string SelectHistoryPosition = "SELECT id, sequence, accepted FROM history_position WHERE partition_key = ?1";

    private static (long? Id, HistoryPosition Position) Position(SqliteSession session, string partition)
    {
        var statement = session.Statement(SelectHistoryPosition).Bind(1, partition);
        if (!statement.Step()) return (null, default);
        var found = (statement.Int64(0), new HistoryPosition(statement.Int64(1), statement.Int64(2)));
        statement.Reset();
        return found;
    }

    private HistoryRow Row(SqliteSession session, SqliteStatement statement) => new(
        statement.Blob(0), statement.Int64(1), statement.IsNull(2) ? null : Area(session, statement.Int64(2)), statement.Int32(3), statement.Blob(4), statement.Int64(5));

    private const string SelectArea = "SELECT area_key FROM area WHERE id = ?1";

    private string Area(SqliteSession session, long id)
    {
        if (_areaOf.TryGetValue(id, out var known)) return known;
        var statement = session.Statement(SelectArea).Bind(1, id);
        statement.Step();
        var area = statement.Text(0);
        statement.Reset();
        _areaOf[id] = area;
        return area;
    }
}
