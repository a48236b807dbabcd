using System.Collections.Concurrent;
using System.Runtime.InteropServices;

using DataHub.Feeds;

namespace DataHub.Storage.Sqlite;

/// <summary>
/// History in <c>history.db</c>. Rows whose key contains their time lie many in one segment; any other costs its place in
/// the table (which lies by time) and in the indexes of its area and key. Everything else is written once per batch or series.
/// </summary>
/// <param name="keptBytes">Segments in which keys were looked up are kept in memory up to so many bytes.</param>
/// <param name="segmentRows">Rows of a segment at most.</param>
internal sealed partial class SqliteHistoryStore(SqliteFile file, long keptBytes = 16 << 20, int segmentRows = SegmentRules.MaxRows) : IHistoryStore
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
        var prepared = Prepared.Of(batches, segmentRows);
        return file.WriteAsync(session => Apply(session, partition, expected, batches, prepared), cancellationToken);
    }

    /// <summary>What can be made ready before it is the writer's turn.</summary>
    private sealed record Prepared(byte[][][] Quarantined, IReadOnlyList<StoredSegment> Segments, bool? ByTime)
    {
        public static Prepared Of(IReadOnlyList<HistoryBatch> batches, int segmentRows)
        {
            var telling = batches.FirstOrDefault(batch => batch.Changes.Length > 0);
            IReadOnlyList<StoredSegment> segments = telling is { KeyHasTime: true } ? [.. SegmentRules.Cut(batches, segmentRows).Select(StoredSegment.Of)] : [];
            return new([.. batches.Select(b => Array.ConvertAll(b.Batch.Quarantined, LogBatchCodec.EncodeQuarantined))], segments, telling?.KeyHasTime);
        }
    }

    private const string MovePosition =
        """
        INSERT INTO history_position (partition_key, sequence, accepted, by_time) VALUES (?1, ?2, ?3, coalesce(?4, 0))
        ON CONFLICT (partition_key) DO UPDATE SET sequence = excluded.sequence, accepted = accepted + excluded.accepted, by_time = coalesce(?4, by_time)
        RETURNING id
        """;

    private static bool Apply(SqliteSession session, string partition, long expected, IReadOnlyList<HistoryBatch> batches, Prepared prepared)
    {
        if (Position(session, partition).Position.Sequence != expected) return false;
        if (batches.Count == 0) return true;
        var move = session.Statement(MovePosition).Bind(1, partition).Bind(2, batches[^1].Batch.Sequence).Bind(3, batches.Sum(b => (long)b.Accepted)).Bind(4, prepared.ByTime is { } byTime ? (byTime ? 1 : 0) : null);
        move.Step();
        var id = move.Int64(0);
        move.Run();

        var areaIds = new Dictionary<string, long>(StringComparer.Ordinal);
        var counts = new Dictionary<(string Dataset, string Feed), (PushCounts Counts, int Pushes, long LastReceived, long NewestRow)>();
        var hours = new Dictionary<(string Dataset, string Feed, long Hour), (PushCounts Counts, int Pushes)>();
        for (var i = 0; i < batches.Count; i++)
        {
            InsertBatchRow(session, id, batches[i].Batch);
            if (!batches[i].KeyHasTime) ApplyRecords(session, id, batches[i], areaIds);
            if (batches[i].Batch.Push is not { } push) continue;
            InsertQuarantined(session, id, batches[i].Batch, push, prepared.Quarantined[i]);
            if (batches[i].Batch.Act is { } act) Settle(session, id, batches[i].Batch, push, act);
            var isPush = batches[i].Batch.Act is null;
            var count = counts.GetValueOrDefault((push.Dataset, push.Feed), (default, 0, 0, long.MinValue));
            counts[(push.Dataset, push.Feed)] = (
                count.Counts + push.Counts, count.Pushes + (isPush && push.Part == 0 ? 1 : 0), isPush ? Math.Max(count.LastReceived, batches[i].Batch.ReceivedAt.UtcTicks) : count.LastReceived,
                Math.Max(count.NewestRow, NewestRow(batches[i].Changes)));
            var hour = (push.Dataset, push.Feed, batches[i].Batch.ReceivedAt.UtcTicks / TimeSpan.TicksPerHour);
            var inHour = hours.GetValueOrDefault(hour);
            hours[hour] = (inHour.Counts + push.Counts, inHour.Pushes + (isPush && push.Part == 0 ? 1 : 0));
        }

        InsertSegments(session, id, batches[^1].Batch.Sequence, level: 0, prepared.Segments);
        AddCounts(session, id, counts);
        AddHours(session, id, hours);
        return true;
    }

    private const string InsertHistoryBatch = "INSERT INTO history_batch (partition_id, sequence, received_at, feed, receipt) VALUES (?1, ?2, ?3, ?4, ?5)";

    private static void InsertBatchRow(SqliteSession session, long id, LogBatch batch) => session.Statement(InsertHistoryBatch)
        .Bind(1, id).Bind(2, batch.Sequence).Bind(3, batch.ReceivedAt.UtcTicks).Bind(4, batch.Push?.Feed).Bind(5, batch.Push?.Receipt).Run();

    private const string InsertVersion =
        """
        INSERT INTO record_version (partition_id, time, row_key, from_sequence, to_sequence, area_id, contract_version, packed)
        VALUES (?1, ?2, ?3, ?4, 9223372036854775807, ?5, ?6, ?7)
        """;

    private static void ApplyRecords(SqliteSession session, long id, HistoryBatch batch, Dictionary<string, long> areaIds)
    {
        var insert = session.Statement(InsertVersion).Bind(1, id).Bind(4, batch.Batch.Sequence).Bind(6, batch.Batch.ContractVersion);
        foreach (var change in batch.Changes)
        {
            if (change.Change != RowChange.New) EndStanding(session, id, batch, change);
            if (change.Change == RowChange.Retraction) continue;
            insert.Bind(2, change.Time).Bind(3, change.Key).Bind(5, AreaId(session, change.Area, areaIds)).Bind(7, change.Values).Run();
        }
    }

    private const string EndVersion =
        """
        UPDATE record_version INDEXED BY record_version_standing SET to_sequence = ?3
        WHERE partition_id = ?1 AND row_key = ?2 AND to_sequence = 9223372036854775807 AND from_sequence < ?3
        """;

    /// <summary>What began and ended in one batch never stood for anybody, and leaves no version.</summary>
    private const string DropVersion =
        """
        DELETE FROM record_version INDEXED BY record_version_standing
        WHERE partition_id = ?1 AND row_key = ?2 AND to_sequence = 9223372036854775807 AND from_sequence = ?3
        """;

    private static void EndStanding(SqliteSession session, long id, HistoryBatch batch, HistoryChange change)
    {
        var sequence = batch.Batch.Sequence;
        if (Ran(EndVersion) > 0 || Ran(DropVersion) > 0) return;
        throw new InvalidOperationException(
            $"Partition {batch.Batch.Partition}, sequence {sequence}: a {(change.Change == RowChange.Correction ? "correction" : "retraction")} of a key under which nothing stands.");

        int Ran(string sql) => session.Statement(sql).Bind(1, id).Bind(2, change.Key).Bind(3, sequence).Run();
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
        INSERT INTO series_newest (partition_id, series_key, newest) VALUES (?1, ?2, ?3)
        ON CONFLICT (partition_id, series_key) DO UPDATE SET newest = excluded.newest WHERE excluded.newest > newest
        """;

    private const string MoveSeries = "UPDATE history_position SET series_sequence = ?2 WHERE id = ?1";

    public Task<bool> RaiseSeriesAsync(string partition, long expected, IReadOnlyList<KeyValuePair<byte[], long>> newest, long? upTo, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(newest);
        return file.WriteAsync(
            session =>
            {
                var (id, position) = Position(session, partition);
                if (position.Sequence != expected) return false;
                if (id is null) return true;
                var raise = session.Statement(RaiseNewest).Bind(1, id);
                foreach (var (series, time) in newest) raise.Bind(2, series).Bind(3, time).Run();
                if (upTo is not null) session.Statement(MoveSeries).Bind(1, id).Bind(2, upTo).Run();
                return true;
            },
            cancellationToken);
    }

    private const string InsertQuarantine =
        """
        INSERT INTO quarantined_row (partition_id, sequence, idx, dataset, feed, receipt, received_at, cause, value, state, payload)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
        """;

    private static void InsertQuarantined(SqliteSession session, long id, LogBatch batch, PushRecord push, byte[][] rows)
    {
        for (var i = 0; i < rows.Length; i++)
        {
            var row = batch.Quarantined[i];
            session.Statement(InsertQuarantine)
                .Bind(1, id).Bind(2, batch.Sequence).Bind(3, i).Bind(4, push.Dataset).Bind(5, push.Feed).Bind(6, push.Receipt).Bind(7, batch.ReceivedAt.UtcTicks)
                .Bind(8, QuarantineCause.Of(row)).Bind(9, QuarantineCause.Value(row)).Bind(10, (int)(row.IsErased ? QuarantineState.Erased : QuarantineState.Open)).Bind(11, rows[i]).Run();
        }
    }

    /// <summary>Once. Where history is written anew, a row whose content was erased since is settled all the same.</summary>
    private const string SettleRow =
        """
        UPDATE quarantined_row SET state = ?4, settled_sequence = ?5, corrected = ?6
        WHERE partition_id = ?1 AND sequence = ?2 AND idx = ?3 AND state IN (0, 4)
        """;

    private const string InsertAct =
        """
        INSERT INTO quarantine_act (partition_id, sequence, dataset, feed, receipt, received_at, kind, agency, key_id, reason, rule, accepted, duplicate, discarded)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
        """;

    private static void Settle(SqliteSession session, long id, LogBatch batch, PushRecord push, QuarantineAct act)
    {
        foreach (var row in act.Rows)
        {
            var settled = session.Statement(SettleRow)
                .Bind(1, id).Bind(2, row.Sequence).Bind(3, row.Index).Bind(4, (int)row.Outcome).Bind(5, batch.Sequence).Bind(6, row.Corrected).Run();
            if (settled == 0)
            {
                throw new InvalidOperationException(
                    $"Partition {batch.Partition}, sequence {batch.Sequence}: an act on quarantined row {row.Sequence}.{row.Index}, which is not open.");
            }
        }

        session.Statement(InsertAct)
            .Bind(1, id).Bind(2, batch.Sequence).Bind(3, push.Dataset).Bind(4, push.Feed).Bind(5, push.Receipt).Bind(6, batch.ReceivedAt.UtcTicks)
            .Bind(7, (int)act.Kind).Bind(8, push.Agency).Bind(9, act.KeyId).Bind(10, act.Reason).Bind(11, act.Rule)
            .Bind(12, Count(QuarantineState.Accepted)).Bind(13, Count(QuarantineState.Duplicate)).Bind(14, Count(QuarantineState.Discarded)).Run();

        int Count(QuarantineState outcome) => act.Rows.Count(row => row.Outcome == outcome);
    }

    private const string AddCount =
        """
        INSERT INTO feed_count (dataset, feed, partition_id, pushes, received, accepted, duplicate, quarantined, last_received, newest_row)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        ON CONFLICT (dataset, feed, partition_id) DO UPDATE SET
          pushes = pushes + excluded.pushes, received = received + excluded.received, accepted = accepted + excluded.accepted,
          duplicate = duplicate + excluded.duplicate, quarantined = quarantined + excluded.quarantined,
          last_received = max(last_received, excluded.last_received), newest_row = max(newest_row, excluded.newest_row)
        """;

    private static long NewestRow(HistoryChange[] changes)
    {
        var newest = long.MinValue;
        foreach (var change in changes)
        {
            if (change.Change != RowChange.Retraction && change.Time > newest) newest = change.Time;
        }

        return newest;
    }

    private static void AddCounts(SqliteSession session, long id, Dictionary<(string Dataset, string Feed), (PushCounts Counts, int Pushes, long LastReceived, long NewestRow)> counts)
    {
        foreach (var ((dataset, feed), (count, pushes, lastReceived, newestRow)) in counts)
        {
            session.Statement(AddCount).Bind(1, dataset).Bind(2, feed).Bind(3, id).Bind(4, pushes)
                .Bind(5, count.Received).Bind(6, count.Accepted).Bind(7, count.Duplicate).Bind(8, count.Quarantined).Bind(9, lastReceived).Bind(10, newestRow).Run();
        }
    }

    private const string AddHour =
        """
        INSERT INTO feed_hour (dataset, feed, hour, partition_id, pushes, received, accepted, duplicate, quarantined)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
        ON CONFLICT (dataset, feed, hour, partition_id) DO UPDATE SET
          pushes = pushes + excluded.pushes, received = received + excluded.received, accepted = accepted + excluded.accepted,
          duplicate = duplicate + excluded.duplicate, quarantined = quarantined + excluded.quarantined
        """;

    private static void AddHours(SqliteSession session, long id, Dictionary<(string Dataset, string Feed, long Hour), (PushCounts Counts, int Pushes)> hours)
    {
        foreach (var ((dataset, feed, hour), (count, pushes)) in hours)
        {
            session.Statement(AddHour).Bind(1, dataset).Bind(2, feed).Bind(3, hour).Bind(4, id).Bind(5, pushes)
                .Bind(6, count.Received).Bind(7, count.Accepted).Bind(8, count.Duplicate).Bind(9, count.Quarantined).Run();
        }
    }

    private const string SelectStanding =
        """
        SELECT row_key, time, area_id, contract_version, packed, from_sequence FROM record_version INDEXED BY record_version_standing
        WHERE partition_id = ?1 AND row_key = ?2 AND to_sequence = 9223372036854775807
        """;

    public Task<KeyLookUp> FindKeysAsync(string partition, IReadOnlyList<HistoryKey> keys, CancellationToken cancellationToken) => file.LookUpAsync(
        session =>
        {
            var rows = new HistoryRow?[keys.Count];
            var (id, position) = Position(session, partition);
            if (id is null) return new KeyLookUp(0, rows);
            var lookUp = new SegmentLookUp(this, session, id.Value);
            for (var i = 0; i < rows.Length; i++)
            {
                if (keys[i].Time is { } time)
                {
                    rows[i] = lookUp.Under(time, keys[i].Key) is [.., { Holds: true } last] ? last.Segment.Row(last.Row) : null;
                    continue;
                }

                var statement = session.Statement(SelectStanding).Bind(1, id).Bind(2, keys[i].Key);
                if (!statement.Step()) continue;
                rows[i] = Row(session, statement);
                statement.Reset();
            }

            return new(position.Sequence, rows);
        },
        cancellationToken);

    private const string SelectNewest = "SELECT newest FROM series_newest WHERE partition_id = ?1 AND series_key = ?2";

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

            return new(position.Series, newest);
        },
        cancellationToken);

    private const string SelectWindow =
        """
        SELECT row_key, time, area_id, contract_version, packed, from_sequence FROM record_version
        WHERE partition_id = ?1 AND time >= ?2 AND time < ?3 AND from_sequence <= ?4 AND to_sequence > ?4
        ORDER BY time, row_key
        """;

    private const string SelectWindowOfArea =
        """
        SELECT row_key, time, area_id, contract_version, packed, from_sequence FROM record_version INDEXED BY record_version_area
        WHERE partition_id = ?1 AND area_id = (SELECT id FROM area WHERE area_key = ?5)
          AND time >= ?2 AND time < ?3 AND from_sequence <= ?4 AND to_sequence > ?4
        ORDER BY time, row_key
        """;

    public Task<IReadOnlyList<HistoryRow>> ReadWindowAsync(string partition, long asOf, string? area, long from, long to, CancellationToken cancellationToken) =>
        file.ScanAsync<IReadOnlyList<HistoryRow>>(
            session =>
            {
                var (id, position) = Position(session, partition);
                if (asOf > position.Sequence) throw NotReached(partition, asOf, position.Sequence);

                var rows = new List<HistoryRow>();
                if (id is null) return rows;
                if (IsByTime(session, partition))
                {
                    var areas = area is null ? null : new HashSet<string>(StringComparer.Ordinal) { area };
                    foreach (var versions in Scan(session, id.Value, from, to, null, areas))
                        rows.AddRange(versions.Where(version => version.StoodAt(asOf) && version.IsIn(areas)).Select(version => version.Segment.Row(version.Row)));
                    return rows;
                }

                var statement = session.Statement(area is null ? SelectWindow : SelectWindowOfArea).Bind(1, id).Bind(2, from).Bind(3, to).Bind(4, asOf);
                if (area is not null) statement.Bind(5, area);
                while (statement.Step()) rows.Add(Row(session, statement));
                return rows;
            },
            cancellationToken);

    private const string SelectVersions =
        """
        SELECT row_key, time, area_id, contract_version, packed, from_sequence, to_sequence FROM record_version
        WHERE partition_id = ?1 AND time >= ?2 AND time < ?3 AND (time, row_key) > (?4, ?5) AND from_sequence <= ?6 AND to_sequence > ?6
        ORDER BY time, row_key
        """;

    /// <summary>Stood at one of two sequences and not at the other.</summary>
    private const string SelectMoved =
        """
        SELECT row_key, time, area_id, contract_version, packed, from_sequence, to_sequence FROM record_version
        WHERE partition_id = ?1 AND time >= ?2 AND time < ?3 AND (time, row_key) > (?4, ?5)
          AND (from_sequence <= ?6 AND to_sequence > ?6) <> (from_sequence <= ?7 AND to_sequence > ?7)
        ORDER BY time, row_key, to_sequence
        """;

    private const string SelectVersionsOfArea =
        """
        SELECT row_key, time, area_id, contract_version, packed, from_sequence, to_sequence FROM record_version INDEXED BY record_version_area
        WHERE partition_id = ?1 AND area_id = ?8 AND time >= ?2 AND time < ?3 AND (time, row_key) > (?4, ?5) AND from_sequence <= ?6 AND to_sequence > ?6
        ORDER BY time, row_key
        """;

    public Task<VersionPage> VersionsAsync(string partition, VersionQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1);
        return file.ScanAsync(
            session =>
            {
                var (id, position) = Position(session, partition);
                if (query.AsOf > position.Sequence) throw NotReached(partition, query.AsOf, position.Sequence);
                if (id is null) return new VersionPage([], false);
                if (IsByTime(session, partition)) return SegmentVersions(session, id.Value, query);
                var areas = query.Areas is null ? null : AreaIds(session, query.Areas);
                if (areas is { Count: 0 }) return new VersionPage([], false);

                // One area's rows lie in its index; of several, and of those that moved, the rows of the time are read.
                var single = areas is { Count: 1 } && query.Since is null;
                var statement = session.Statement(query.Since is not null ? SelectMoved : single ? SelectVersionsOfArea : SelectVersions);
                BindRange(statement, new(id.Value, query.From, query.To, query.After)).Bind(6, query.AsOf);
                if (query.Since is { } since) statement.Bind(7, since);
                if (single) statement.Bind(8, areas!.Single());

                var versions = new List<HistoryVersion>();
                var (keys, more) = (0, false);
                while (statement.Step())
                {
                    if (areas is not null && !single && (statement.IsNull(2) || !areas.Contains(statement.Int64(2)))) continue;
                    var row = Row(session, statement);
                    if ((versions.Count == 0 || versions[^1].Row.Time != row.Time || !versions[^1].Row.Key.AsSpan().SequenceEqual(row.Key)) && ++keys > query.Limit)
                    {
                        more = true;
                        statement.Reset();
                        break;
                    }

                    versions.Add(new(row, statement.Int64(6), null));
                }

                return new VersionPage(query.WithPush ? WithPushes(session, id.Value, versions) : versions, more);
            },
            cancellationToken);
    }

    private const string SelectEarlier =
        """
        SELECT row_key, time, area_id, contract_version, packed, from_sequence, to_sequence FROM record_version INDEXED BY record_version_key
        WHERE partition_id = ?1 AND row_key = ?2 AND to_sequence <= ?3 ORDER BY from_sequence DESC LIMIT ?4
        """;

    public Task<IReadOnlyList<HistoryVersion>[]> EarlierAsync(string partition, IReadOnlyList<HistoryKey> keys, long asOf, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return file.ScanAsync(
            session =>
            {
                var earlier = new IReadOnlyList<HistoryVersion>[keys.Count];
                var (id, position) = Position(session, partition);
                if (asOf > position.Sequence) throw NotReached(partition, asOf, position.Sequence);
                for (var i = 0; i < earlier.Length; i++)
                {
                    var versions = new List<HistoryVersion>();
                    earlier[i] = versions;
                    if (id is null) continue;
                    if (keys[i].Time is { } time)
                    {
                        var ended = new SegmentLookUp(this, session, id.Value).Under(time, keys[i].Key).Where(version => version.Holds && version.To <= asOf).ToArray();
                        versions.AddRange(ended.TakeLast(limit).Select(version => new HistoryVersion(version.Segment.Row(version.Row), version.To, null)));
                    }
                    else
                    {
                        var statement = session.Statement(SelectEarlier).Bind(1, id).Bind(2, keys[i].Key).Bind(3, asOf).Bind(4, limit);
                        while (statement.Step()) versions.Add(new(Row(session, statement), statement.Int64(6), null));
                        versions.Reverse();
                    }

                    earlier[i] = WithPushes(session, id.Value, versions);
                }

                return earlier;
            },
            cancellationToken);
    }

    private const string SelectPushOf = "SELECT received_at, feed, receipt FROM history_batch WHERE partition_id = ?1 AND sequence = ?2";

    private static HistoryVersion[] WithPushes(SqliteSession session, long id, List<HistoryVersion> versions)
    {
        var pushes = new Dictionary<long, VersionPush?>();
        var statement = session.Statement(SelectPushOf);
        return [.. versions.Select(version => version with { Push = Of(version.Row.FromSequence) })];

        VersionPush? Of(long sequence)
        {
            if (pushes.TryGetValue(sequence, out var push)) return push;
            if (statement.Bind(1, id).Bind(2, sequence).Step())
            {
                push = new(new(statement.Int64(0), TimeSpan.Zero), statement.IsNull(1) ? null : statement.Text(1), statement.IsNull(2) ? null : statement.Text(2));
                statement.Reset();
            }

            return pushes[sequence] = push;
        }
    }

    private static ArgumentOutOfRangeException NotReached(string partition, long asOf, long stored) => new(
        nameof(asOf), asOf, $"History of {partition} is stored up to {stored}; wait until it has reached the sequence.");

    public Task<HistoryPage> QueryAsync(string partition, long? from, long? to, IReadOnlySet<string>? areas, RowCursor? after, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return file.ScanAsync(
            session =>
            {
                var (id, position) = Position(session, partition);
                if (id is null) return new HistoryPage(0, [], false);
                var range = new TimeRange(id.Value, from ?? long.MinValue, to ?? long.MaxValue, after);
                if (IsByTime(session, partition)) return InSegments(session, position.Sequence, range, areas, limit);
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
        SELECT row_key, time, area_id, contract_version, packed, from_sequence FROM record_version
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
        SELECT row_key, time, area_id, contract_version, packed, from_sequence FROM record_version INDEXED BY record_version_area
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
    /// <remarks>The place after which a page begins bounds the time too: comparing the pair alone would read everything before it.</remarks>
    private static SqliteStatement BindRange(SqliteStatement statement, TimeRange range) => statement
        .Bind(1, range.Partition).Bind(2, Math.Max(range.From, range.After?.Time ?? long.MinValue)).Bind(3, range.To).Bind(4, range.After?.Time ?? long.MinValue).Bind(5, range.After?.Key ?? []);

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

    private const string QuarantineColumns =
        """
        SELECT p.partition_key, q.sequence, q.idx, q.feed, q.receipt, q.received_at, q.payload, q.cause, q.state, q.corrected,
          (SELECT receipt FROM quarantine_act a WHERE a.partition_id = q.partition_id AND a.sequence = q.settled_sequence)
        FROM quarantined_row q JOIN history_position p ON p.id = q.partition_id
        """;

    private const string QuarantineOrder = "ORDER BY q.received_at DESC, q.partition_id DESC, q.sequence DESC, q.idx DESC LIMIT ?2";

    private const string SelectQuarantined = QuarantineColumns + " WHERE q.partition_id = ?1 AND q.sequence = ?2 AND q.idx = ?3 AND (?4 IS NULL OR q.state = ?4)";

    private const string SelectPlace = "SELECT received_at, partition_id FROM quarantined_row WHERE partition_id = ?1 AND sequence = ?2 AND idx = ?3";

    public Task<IReadOnlyList<QuarantineEntry>> QuarantineAsync(string dataset, QuarantineQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        return file.ScanAsync<IReadOnlyList<QuarantineEntry>>(
            session => query.Ids is { } ids ? QuarantinedById(session, dataset, ids, query.State) : Quarantined(session, dataset, query), cancellationToken);
    }

    private static List<QuarantineEntry> QuarantinedById(SqliteSession session, string dataset, QuarantineId[] ids, QuarantineState? state)
    {
        var entries = new List<QuarantineEntry>(ids.Length);
        foreach (var id in ids.Distinct())
        {
            if (Position(session, PartitionKeys.Of(dataset, id.Partition)).Id is not { } partition) continue;
            var statement = session.Statement(SelectQuarantined).Bind(1, partition).Bind(2, id.Sequence).Bind(3, id.Index).Bind(4, (long?)state);
            if (!statement.Step()) continue;
            entries.Add(Entry(statement));
            statement.Reset();
        }

        return entries;
    }

    private static List<QuarantineEntry> Quarantined(SqliteSession session, string dataset, QuarantineQuery query)
    {
        // The filters decide the index; unused ones are not in the text. Few texts come of it, and each must be one string: statements are kept by it.
        var sql = new System.Text.StringBuilder(QuarantineColumns).Append(" WHERE q.dataset = ?1");
        if (query.State is not null) sql.Append(" AND q.state = ?3");
        if (query.Cause is not null) sql.Append(" AND q.cause = ?4");
        if (query.Value is not null) sql.Append(" AND q.value = ?5");
        if (query.Receipt is not null) sql.Append(" AND q.receipt = ?6");
        if (query.Feed is not null) sql.Append(" AND q.feed = ?7");
        if (query.After is not null) sql.Append(" AND (q.received_at, q.partition_id, q.sequence, q.idx) ").Append(query.OldestFirst ? '>' : '<').Append(" (?8, ?9, ?10, ?11)");
        var entries = new List<QuarantineEntry>();
        (long ReceivedAt, long Partition)? place = null;
        if (query.After is { } after)
        {
            if (Position(session, PartitionKeys.Of(dataset, after.Partition)).Id is not { } partition) return entries;
            var at = session.Statement(SelectPlace).Bind(1, partition).Bind(2, after.Sequence).Bind(3, after.Index);
            if (!at.Step()) return entries;
            place = (at.Int64(0), at.Int64(1));
            at.Reset();
        }

        var statement = session.Statement(string.Intern(sql.Append(' ').Append(query.OldestFirst ? QuarantineOrder.Replace(" DESC", "", StringComparison.Ordinal) : QuarantineOrder).ToString())).Bind(1, dataset).Bind(2, query.Limit);
        if (query.State is { } state) statement.Bind(3, (int)state);
        if (query.Cause is not null) statement.Bind(4, query.Cause);
        if (query.Value is not null) statement.Bind(5, query.Value);
        if (query.Receipt is not null) statement.Bind(6, query.Receipt);
        if (query.Feed is not null) statement.Bind(7, query.Feed);
        if (place is { } behind) statement.Bind(8, behind.ReceivedAt).Bind(9, behind.Partition).Bind(10, query.After!.Value.Sequence).Bind(11, query.After.Value.Index);
        while (statement.Step()) entries.Add(Entry(statement));
        return entries;
    }

    private static QuarantineEntry Entry(SqliteStatement row) => new(
        new(PartitionKeys.Number(row.Text(0)), row.Int64(1), row.Int32(2)), row.Text(3), row.Text(4), new DateTimeOffset(row.Int64(5), TimeSpan.Zero), LogBatchCodec.DecodeQuarantined(row.Blob(6)))
    {
        Cause = row.Text(7),
        State = (QuarantineState)row.Int32(8),
        Corrected = row.IsNull(9) ? null : row.Text(9),
        Act = row.IsNull(10) ? null : row.Text(10),
    };

    private const string SelectGroups =
        """
        SELECT cause, count(*), min(received_at), max(received_at) FROM quarantined_row
        WHERE dataset = ?1 AND state = ?2 AND (?3 IS NULL OR feed = ?3) GROUP BY cause ORDER BY 2 DESC, 1 LIMIT ?4
        """;

    private const string SelectGroupValues =
        """
        SELECT value, count(*) FROM quarantined_row
        WHERE dataset = ?1 AND state = ?2 AND cause = ?4 AND value IS NOT NULL AND (?3 IS NULL OR feed = ?3) GROUP BY value ORDER BY 2 DESC, 1 LIMIT 10
        """;

    public Task<IReadOnlyList<QuarantineGroup>> QuarantineGroupsAsync(string dataset, string? feed, QuarantineState state, int limit, CancellationToken cancellationToken) =>
        file.ScanAsync<IReadOnlyList<QuarantineGroup>>(
            session =>
            {
                var groups = new List<QuarantineGroup>();
                var statement = session.Statement(SelectGroups).Bind(1, dataset).Bind(2, (int)state).Bind(3, feed).Bind(4, limit);
                while (statement.Step())
                    groups.Add(new(statement.Text(0), statement.Int64(1), new DateTimeOffset(statement.Int64(2), TimeSpan.Zero), new DateTimeOffset(statement.Int64(3), TimeSpan.Zero), []));

                for (var i = 0; i < groups.Count; i++)
                {
                    var values = new List<QuarantineValue>();
                    var found = session.Statement(SelectGroupValues).Bind(1, dataset).Bind(2, (int)state).Bind(3, feed).Bind(4, groups[i].Cause);
                    while (found.Step()) values.Add(new(found.Text(0), found.Int64(1)));
                    groups[i] = groups[i] with { Values = [.. values] };
                }

                return groups;
            },
            cancellationToken);

    private const string SelectState = "SELECT state FROM quarantined_row WHERE partition_id = ?1 AND sequence = ?2 AND idx = ?3";

    public Task<QuarantineState?[]> QuarantineStatesAsync(string partition, IReadOnlyList<(long Sequence, int Index)> rows, CancellationToken cancellationToken) => file.LookUpAsync(
        session =>
        {
            var states = new QuarantineState?[rows.Count];
            if (Position(session, partition).Id is not { } id) return states;
            var statement = session.Statement(SelectState);
            for (var i = 0; i < states.Length; i++)
            {
                if (!statement.Bind(1, id).Bind(2, rows[i].Sequence).Bind(3, rows[i].Index).Step()) continue;
                states[i] = (QuarantineState)statement.Int32(0);
                statement.Reset();
            }

            return states;
        },
        cancellationToken);

    private const string SelectActs =
        """
        SELECT a.receipt, a.feed, a.received_at, a.kind, a.agency, a.key_id, a.reason, a.rule, a.accepted, a.duplicate, a.discarded, p.partition_key, a.sequence
        FROM quarantine_act a JOIN history_position p ON p.id = a.partition_id
        WHERE a.dataset = ?1 AND (a.received_at, a.partition_id, a.sequence) < (?2, ?3, ?4)
        ORDER BY a.received_at DESC, a.partition_id DESC, a.sequence DESC LIMIT ?5
        """;

    private const string SelectActPlace = "SELECT received_at FROM quarantine_act WHERE partition_id = ?1 AND sequence = ?2";

    public Task<IReadOnlyList<QuarantineActEntry>> QuarantineActsAsync(string dataset, QuarantineId? after, int limit, CancellationToken cancellationToken) =>
        file.ScanAsync<IReadOnlyList<QuarantineActEntry>>(
            session =>
            {
                var acts = new List<QuarantineActEntry>();
                var (at, partition, sequence) = (long.MaxValue, long.MaxValue, long.MaxValue);
                if (after is { } last)
                {
                    if (Position(session, PartitionKeys.Of(dataset, last.Partition)).Id is not { } id) return acts;
                    var place = session.Statement(SelectActPlace).Bind(1, id).Bind(2, last.Sequence);
                    if (!place.Step()) return acts;
                    (at, partition, sequence) = (place.Int64(0), id, last.Sequence);
                    place.Reset();
                }

                var row = session.Statement(SelectActs).Bind(1, dataset).Bind(2, at).Bind(3, partition).Bind(4, sequence).Bind(5, limit);
                while (row.Step())
                {
                    acts.Add(new(
                        row.Text(0), row.Text(1), new DateTimeOffset(row.Int64(2), TimeSpan.Zero), (QuarantineActKind)row.Int32(3), Text(row, 4), Text(row, 5), Text(row, 6), Text(row, 7),
                        row.Int64(8), row.Int64(9), row.Int64(10), new(PartitionKeys.Number(row.Text(11)), row.Int64(12), 0)));
                }

                return acts;

                static string? Text(SqliteStatement row, int column) => row.IsNull(column) ? null : row.Text(column);
            },
            cancellationToken);

    private const string SelectCounts =
        """
        SELECT feed, sum(received), sum(accepted), sum(duplicate), sum(quarantined), max(last_received), sum(pushes), max(newest_row)
        FROM feed_count WHERE dataset = ?1 GROUP BY feed ORDER BY feed
        """;

    private const string SelectDiscarded = "SELECT feed, count(*) FROM quarantined_row WHERE dataset = ?1 AND state IN (3, 4) GROUP BY feed";

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
                    NewestRow = statement.Int64(7) == long.MinValue ? null : new DateTimeOffset(statement.Int64(7), TimeSpan.Zero),
                });
            }

            var gone = session.Statement(SelectDiscarded).Bind(1, dataset);
            while (gone.Step())
            {
                var (feed, discarded) = (gone.Text(0), gone.Int64(1));
                var place = counts.FindIndex(count => count.Feed == feed);
                counts[place] = counts[place] with { Discarded = discarded };
            }

            return counts;
        },
        cancellationToken);

    private const string SelectCountsSince =
        """
        SELECT feed, sum(received), sum(accepted), sum(duplicate), sum(quarantined), sum(pushes)
        FROM feed_hour WHERE dataset = ?1 AND hour >= ?2 GROUP BY feed ORDER BY feed
        """;

    public Task<IReadOnlyList<FeedCounts>> CountsSinceAsync(string dataset, DateTimeOffset since, CancellationToken cancellationToken) => file.ScanAsync<IReadOnlyList<FeedCounts>>(
        session =>
        {
            var counts = new List<FeedCounts>();
            var statement = session.Statement(SelectCountsSince).Bind(1, dataset).Bind(2, since.UtcTicks / TimeSpan.TicksPerHour);
            while (statement.Step())
                counts.Add(new(statement.Text(0), statement.Int64(1), statement.Int64(2), statement.Int64(3), statement.Int64(4), null) { Pushes = statement.Int64(5) });
            return counts;
        },
        cancellationToken);

    private const string SelectReceipts =
        """
        SELECT DISTINCT receipt FROM history_batch INDEXED BY history_batch_receipt
        WHERE partition_id = ?1 AND feed = ?2 AND receipt IS NOT NULL AND receipt >= ?3 AND receipt < ?4 ORDER BY receipt DESC LIMIT ?5
        """;

    public Task<IReadOnlyList<string>> ReceiptsAsync(string partition, string feed, string from, string before, int limit, CancellationToken cancellationToken) =>
        file.LookUpAsync<IReadOnlyList<string>>(
            session =>
            {
                var receipts = new List<string>();
                if (Position(session, partition).Id is not { } id) return receipts;
                var statement = session.Statement(SelectReceipts).Bind(1, id).Bind(2, feed).Bind(3, from).Bind(4, before).Bind(5, limit);
                while (statement.Step()) receipts.Add(statement.Text(0));
                return receipts;
            },
            cancellationToken);

    private const string SelectReceived = "SELECT coalesce(sum(received), 0) FROM feed_hour WHERE dataset = ?1 AND feed = ?2 AND hour >= ?3";

    public Task<long> ReceivedSinceAsync(string dataset, string feed, DateTimeOffset since, CancellationToken cancellationToken) => file.LookUpAsync(
        session =>
        {
            var statement = session.Statement(SelectReceived).Bind(1, dataset).Bind(2, feed).Bind(3, since.UtcTicks / TimeSpan.TicksPerHour);
            statement.Step();
            var received = statement.Int64(0);
            statement.Reset();
            return received;
        },
        cancellationToken);

    private const string DropRows = "DELETE FROM record_version WHERE partition_id = ?1";
    private const string DropSegments = "DELETE FROM segment WHERE partition_id = ?1";
    private const string DropSeries = "DELETE FROM series_newest WHERE partition_id = ?1";
    private const string DropBatches = "DELETE FROM history_batch WHERE partition_id = ?1";
    private const string DropQuarantine = "DELETE FROM quarantined_row WHERE partition_id = ?1";
    private const string DropActs = "DELETE FROM quarantine_act WHERE partition_id = ?1";
    private const string DropCounts = "DELETE FROM feed_count WHERE partition_id = ?1";
    private const string DropHours = "DELETE FROM feed_hour WHERE partition_id = ?1";
    private const string DropPosition = "DELETE FROM history_position WHERE id = ?1";

    public Task ResetAsync(string partition, CancellationToken cancellationToken) => file.WriteAsync(
        session =>
        {
            if (Position(session, partition).Id is not { } id) return false;
            foreach (var sql in (string[])[DropRows, DropSegments, DropSeries, DropBatches, DropQuarantine, DropActs, DropCounts, DropHours, DropPosition]) session.Statement(sql).Bind(1, id).Run();
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

    private const string SelectHistoryPosition = "SELECT id, sequence, accepted, series_sequence FROM history_position WHERE partition_key = ?1";

    private static (long? Id, HistoryPosition Position) Position(SqliteSession session, string partition)
    {
        var statement = session.Statement(SelectHistoryPosition).Bind(1, partition);
        if (!statement.Step()) return (null, default);
        var found = (statement.Int64(0), new HistoryPosition(statement.Int64(1), statement.Int64(2)) { Series = statement.Int64(3) });
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
