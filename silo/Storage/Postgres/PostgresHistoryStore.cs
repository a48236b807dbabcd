using System.Collections.Concurrent;
using System.Text;

using DataHub.Feeds;

using Npgsql;

namespace DataHub.Storage.Postgres;

/// <summary>
/// History in PostgreSQL. Versions of rows whose key contains their time lie many in one segment, in a table divided by
/// year, the others in one of their own. What a partition applies is one round trip and one commit.
/// </summary>
/// <param name="segmentRows">Rows of a segment at most.</param>
internal sealed partial class PostgresHistoryStore(PostgresDatabase database, int segmentRows = SegmentRules.MaxRows) : IHistoryStore
{
    /// <summary>With so many areas or fewer a query reads each area's index; with more, it reads by time and leaves out the others.</summary>
    private const int FewAreas = 32;

    private const string Standing = "9223372036854775807";

    // Ids are given once and areas never go away, so what was read once holds for good.
    private readonly ConcurrentDictionary<string, long> _idOfArea = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<long, string> _areaOfId = new();
    private readonly ConcurrentDictionary<int, bool> _years = new();

    private const string SelectPosition = "SELECT id, sequence, accepted, by_time, series_sequence FROM history_position WHERE partition_key = $1";

    public async Task<HistoryPosition> PositionAsync(string partition, CancellationToken cancellationToken)
    {
        var found = await database.ReadAsync(new PostgresStatement(SelectPosition).Bind(partition), PlaceOf, cancellationToken);
        return found.Count == 0 ? default : new(found[0].Sequence, found[0].Accepted) { Series = found[0].Series };
    }

    public async Task<bool> ApplyAsync(string partition, long expected, IReadOnlyList<HistoryBatch> batches, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batches);
        CheckSequences(partition, expected, batches);
        if (batches.Count == 0) return (await PositionAsync(partition, cancellationToken)).Sequence == expected;

        var work = HistoryWork.Of(batches, segmentRows);
        await MakeAreasAsync(work.Areas, cancellationToken);
        await MakeYearsAsync(work.Segments, cancellationToken);
        return await database.WriteAsync(ApplyStatements(partition, expected, batches, work), cancellationToken);
    }

    private const string MovePosition =
        """
        WITH moved AS (
          INSERT INTO history_position AS p (partition_key, sequence, accepted, by_time)
          SELECT $1, $2, $3, $5 WHERE $4 = 0 OR EXISTS (SELECT FROM history_position WHERE partition_key = $1)
          ON CONFLICT (partition_key) DO UPDATE SET
            sequence = excluded.sequence, accepted = p.accepted + excluded.accepted, by_time = CASE WHEN $6 THEN excluded.by_time ELSE p.by_time END
          WHERE p.sequence = $4
          RETURNING 1)
        SELECT require(count(*) = 1, 'DH001') FROM moved
        """;

    /// <summary>Of the partition whose position was moved in the same transaction.</summary>
    private const string Partition = "(SELECT id FROM history_position WHERE partition_key = $1)";

    private const string InsertBatches =
        $"""
        INSERT INTO history_batch (partition_id, sequence, received_at, feed, receipt)
        SELECT {Partition}, * FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[])
        """;

    private const string RaiseNewest =
        $"""
        INSERT INTO series_newest AS s (partition_id, series_key, newest)
        SELECT {Partition}, * FROM unnest($2::bytea[], $3::bigint[])
        ON CONFLICT (partition_id, series_key) DO UPDATE SET newest = excluded.newest WHERE excluded.newest > s.newest
        """;

    private const string InsertQuarantined =
        $"""
        INSERT INTO quarantined_row (partition_id, sequence, idx, dataset, feed, receipt, received_at, cause, value, state, payload)
        SELECT {Partition}, * FROM unnest($2::bigint[], $3::int[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bytea[], $9::bytea[], $10::int[], $11::bytea[])
        """;

    /// <summary>Once. Where history is written anew, a row whose content was erased since is settled all the same.</summary>
    private const string SettleRows =
        $"""
        WITH settled AS (
          UPDATE quarantined_row q SET state = s.state, settled_sequence = s.settled_sequence, corrected = s.corrected
          FROM unnest($2::bigint[], $3::int[], $4::int[], $5::bigint[], $6::bytea[]) AS s (sequence, idx, state, settled_sequence, corrected)
          WHERE q.partition_id = {Partition} AND q.sequence = s.sequence AND q.idx = s.idx AND q.state IN (0, 4)
          RETURNING 1)
        SELECT require(count(*) = cardinality($2::bigint[]), 'DH002') FROM settled
        """;

    private const string InsertActs =
        $"""
        INSERT INTO quarantine_act (partition_id, sequence, dataset, feed, receipt, received_at, kind, agency, key_id, reason, rule, accepted, duplicate, discarded)
        SELECT {Partition}, * FROM unnest(
          $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::int[], $8::text[], $9::text[], $10::bytea[], $11::bytea[], $12::bigint[], $13::bigint[], $14::bigint[])
        """;

    private const string AddCounts =
        $"""
        INSERT INTO feed_count AS c (partition_id, dataset, feed, pushes, received, accepted, duplicate, quarantined, last_received, newest_row)
        SELECT {Partition}, * FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[])
        ON CONFLICT (dataset, feed, partition_id) DO UPDATE SET
          pushes = c.pushes + excluded.pushes, received = c.received + excluded.received, accepted = c.accepted + excluded.accepted,
          duplicate = c.duplicate + excluded.duplicate, quarantined = c.quarantined + excluded.quarantined,
          last_received = greatest(c.last_received, excluded.last_received), newest_row = greatest(c.newest_row, excluded.newest_row)
        """;

    private const string AddHours =
        $"""
        INSERT INTO feed_hour AS h (partition_id, dataset, feed, hour, pushes, received, accepted, duplicate, quarantined)
        SELECT {Partition}, * FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[])
        ON CONFLICT (dataset, feed, hour, partition_id) DO UPDATE SET
          pushes = h.pushes + excluded.pushes, received = h.received + excluded.received, accepted = h.accepted + excluded.accepted,
          duplicate = h.duplicate + excluded.duplicate, quarantined = h.quarantined + excluded.quarantined
        """;

    private List<PostgresStatement> ApplyStatements(string partition, long expected, IReadOnlyList<HistoryBatch> batches, HistoryWork work)
    {
        PostgresStatement Begin(string sql) => new PostgresStatement(sql).Bind(partition);

        var statements = new List<PostgresStatement>
        {
            Begin(MovePosition).Bind(batches[^1].Batch.Sequence).Bind(batches.Sum(b => (long)b.Accepted)).Bind(expected).Bind(work.ByTime).Bind(work.HasRows),
            Begin(InsertBatches)
                .Bind(Array(batches, b => b.Batch.Sequence)).Bind(Array(batches, b => b.Batch.ReceivedAt.UtcTicks))
                .Bind(Array(batches, b => b.Batch.Push?.Feed)).Bind(Array(batches, b => b.Batch.Push?.Receipt)),
        };
        if (work.Ends is { Count: > 0 } ends)
            statements.Add(Begin(Texts.EndVersions).Bind(Array(ends, e => e.Key)).Bind(Array(ends, e => e.Sequence)));
        if (work.Versions is { Count: > 0 } versions)
        {
            statements.Add(Begin(Texts.InsertVersions)
                .Bind(Array(versions, v => v.Time)).Bind(Array(versions, v => v.Key)).Bind(Array(versions, v => v.From)).Bind(Array(versions, v => v.To))
                .Bind(Array(versions, v => v.Area is null ? (long?)null : _idOfArea[v.Area])).Bind(Array(versions, v => v.ContractVersion)).Bind(Array(versions, v => v.Packed)));
        }

        foreach (var segment in work.Segments) statements.Add(InsertSegment(Begin(Insert), batches[^1].Batch.Sequence, level: 0, segment));
        if (work.Quarantined is { Count: > 0 } rows)
        {
            statements.Add(Begin(InsertQuarantined)
                .Bind(Array(rows, r => r.Batch.Sequence)).Bind(Array(rows, r => r.Index)).Bind(Array(rows, r => r.Batch.Push!.Dataset)).Bind(Array(rows, r => r.Batch.Push!.Feed))
                .Bind(Array(rows, r => r.Batch.Push!.Receipt)).Bind(Array(rows, r => r.Batch.ReceivedAt.UtcTicks)).Bind(Array(rows, r => PostgresText.Bytes(QuarantineCause.Of(r.Row))))
                .Bind(Array(rows, r => PostgresText.BytesOrNull(QuarantineCause.Value(r.Row)))).Bind(Array(rows, r => (int)(r.Row.IsErased ? QuarantineState.Erased : QuarantineState.Open)))
                .Bind(Array(rows, r => LogBatchCodec.EncodeQuarantined(r.Row))));
        }

        if (work.Acts is { Count: > 0 } acts)
        {
            var settled = acts.SelectMany(act => act.Act!.Rows.Select(row => (act.Sequence, Row: row))).ToArray();
            statements.Add(Begin(SettleRows)
                .Bind(Array(settled, s => s.Row.Sequence)).Bind(Array(settled, s => s.Row.Index)).Bind(Array(settled, s => (int)s.Row.Outcome)).Bind(Array(settled, s => s.Sequence))
                .Bind(Array(settled, s => PostgresText.BytesOrNull(s.Row.Corrected))));
            statements.Add(Begin(InsertActs)
                .Bind(Array(acts, a => a.Sequence)).Bind(Array(acts, a => a.Push!.Dataset)).Bind(Array(acts, a => a.Push!.Feed)).Bind(Array(acts, a => a.Push!.Receipt))
                .Bind(Array(acts, a => a.ReceivedAt.UtcTicks)).Bind(Array(acts, a => (int)a.Act!.Kind)).Bind(Array(acts, a => a.Push!.Agency)).Bind(Array(acts, a => a.Act!.KeyId))
                .Bind(Array(acts, a => PostgresText.BytesOrNull(a.Act!.Reason))).Bind(Array(acts, a => PostgresText.BytesOrNull(a.Act!.Rule)))
                .Bind(Array(acts, a => Count(a, QuarantineState.Accepted))).Bind(Array(acts, a => Count(a, QuarantineState.Duplicate))).Bind(Array(acts, a => Count(a, QuarantineState.Discarded))));
        }

        if (work.Counts.Count > 0)
        {
            KeyValuePair<(string Dataset, string Feed), FeedSum>[] counts = [.. work.Counts];
            statements.Add(Begin(AddCounts)
                .Bind(Array(counts, c => c.Key.Dataset)).Bind(Array(counts, c => c.Key.Feed)).Bind(Array(counts, c => (long)c.Value.Pushes)).Bind(Array(counts, c => (long)c.Value.Counts.Received))
                .Bind(Array(counts, c => (long)c.Value.Counts.Accepted)).Bind(Array(counts, c => (long)c.Value.Counts.Duplicate)).Bind(Array(counts, c => (long)c.Value.Counts.Quarantined))
                .Bind(Array(counts, c => c.Value.LastReceived)).Bind(Array(counts, c => c.Value.NewestRow)));
            KeyValuePair<(string Dataset, string Feed, long Hour), FeedSum>[] hours = [.. work.Hours];
            statements.Add(Begin(AddHours)
                .Bind(Array(hours, h => h.Key.Dataset)).Bind(Array(hours, h => h.Key.Feed)).Bind(Array(hours, h => h.Key.Hour)).Bind(Array(hours, h => (long)h.Value.Pushes))
                .Bind(Array(hours, h => (long)h.Value.Counts.Received)).Bind(Array(hours, h => (long)h.Value.Counts.Accepted)).Bind(Array(hours, h => (long)h.Value.Counts.Duplicate))
                .Bind(Array(hours, h => (long)h.Value.Counts.Quarantined)));
        }

        return statements;

        static long Count(LogBatch batch, QuarantineState outcome) => batch.Act!.Rows.Count(row => row.Outcome == outcome);
    }

    private const string MakeAreas = "INSERT INTO area (area_key) SELECT * FROM unnest($1::text[]) ON CONFLICT DO NOTHING";
    private const string SelectAreaIds = "SELECT id, area_key FROM area WHERE area_key = ANY ($1::text[])";
    private const string SelectAreas = "SELECT id, area_key FROM area WHERE id = ANY ($1::bigint[])";

    /// <summary>Before and apart from what needs them: an area that nobody uses in the end does no harm.</summary>
    private async Task MakeAreasAsync(IReadOnlyCollection<string> areas, CancellationToken cancellationToken)
    {
        string[] unknown = [.. areas.Where(area => !_idOfArea.ContainsKey(area)).Order(StringComparer.Ordinal)];
        if (unknown.Length == 0) return;
        await database.WriteAsync([new PostgresStatement(MakeAreas).Bind(unknown)], cancellationToken);
        await LearnAreasAsync(unknown, cancellationToken);
    }

    private async Task LearnAreasAsync(string[] areas, CancellationToken cancellationToken)
    {
        foreach (var (id, area) in await database.ReadAsync(new PostgresStatement(SelectAreaIds).Bind(areas), static row => (row.GetInt64(0), row.GetString(1)), cancellationToken))
        {
            _idOfArea[area] = id;
            _areaOfId[id] = area;
        }
    }

    private async Task<long[]> AreaIdsAsync(IReadOnlySet<string> areas, CancellationToken cancellationToken)
    {
        string[] unknown = [.. areas.Where(area => !_idOfArea.ContainsKey(area))];
        if (unknown.Length > 0) await LearnAreasAsync(unknown, cancellationToken);
        return [.. areas.Where(_idOfArea.ContainsKey).Select(area => _idOfArea[area])];
    }

    private const string MakeYears = "SELECT add_history_years($1)";

    private async Task MakeYearsAsync(IReadOnlyList<HistorySegment> segments, CancellationToken cancellationToken)
    {
        var unknown = new SortedSet<int>();
        foreach (var segment in segments)
        {
            // A day lies within one year.
            if (segment.FirstTime >= 0 && new DateTime(segment.FirstTime, DateTimeKind.Utc).Year is >= 2000 and < 2100 and var year && !_years.ContainsKey(year)) unknown.Add(year);
        }

        if (unknown.Count == 0) return;
        await database.ReadAsync(new PostgresStatement(MakeYears).Bind((int[])[.. unknown]), static row => row.GetInt32(0), cancellationToken);
        foreach (var year in unknown) _years[year] = true;
    }

    public async Task<KeyLookUp> FindKeysAsync(string partition, IReadOnlyList<HistoryKey> keys, CancellationToken cancellationToken)
    {
        if (keys.Count > 0 && keys[0].Time is not null) return await FindInSegmentsAsync(partition, keys, cancellationToken);
        var rows = new HistoryRow?[keys.Count];
        var statement = new PostgresStatement(Texts.FindKeys).Bind(partition).Bind(Array(keys, k => k.Key));
        var found = await database.ReadAsync(
            statement,
            static row => (Sequence: row.GetInt64(0), Place: row.IsDBNull(1) ? 0 : row.GetInt64(1), Row: row.IsDBNull(1) ? null : Stored.Of(row, 2)),
            cancellationToken);
        if (found.Count == 0) return new(0, rows);
        foreach (var (_, place, stored) in found)
        {
            if (stored is { } row) rows[place - 1] = await RowAsync(row, cancellationToken);
        }

        return new(found[0].Sequence, rows);
    }

    /// <summary>The lock keeps the position where it is until the times are raised.</summary>
    private const string MoveSeries =
        """
        WITH moved AS (UPDATE history_position SET series_sequence = coalesce($3, series_sequence) WHERE partition_key = $1 AND sequence = $2 RETURNING 1)
        SELECT require((SELECT count(*) FROM moved) = 1 OR ($2 = 0 AND NOT EXISTS (SELECT FROM history_position WHERE partition_key = $1)), 'DH001')
        """;

    public Task<bool> RaiseSeriesAsync(string partition, long expected, IReadOnlyList<KeyValuePair<byte[], long>> newest, long? upTo, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(newest);
        var statements = new List<PostgresStatement> { new PostgresStatement(MoveSeries).Bind(partition).Bind(expected).BindNullable(upTo) };
        if (newest.Count > 0) statements.Add(new PostgresStatement(RaiseNewest).Bind(partition).Bind(Array(newest, raised => raised.Key)).Bind(Array(newest, raised => raised.Value)));
        return database.WriteAsync(statements, cancellationToken);
    }

    private const string FindSeries =
        """
        SELECT p.series_sequence, f.place, f.newest
        FROM history_position p
        LEFT JOIN LATERAL (
          SELECT k.place, s.newest FROM unnest($2::bytea[]) WITH ORDINALITY AS k (series_key, place)
          JOIN series_newest s ON s.partition_id = p.id AND s.series_key = k.series_key) f ON true
        WHERE p.partition_key = $1
        """;

    public async Task<SeriesLookUp> FindSeriesAsync(string partition, IReadOnlyList<byte[]> series, CancellationToken cancellationToken)
    {
        var newest = new long?[series.Count];
        var found = await database.ReadAsync(
            new PostgresStatement(FindSeries).Bind(partition).Bind([.. series]),
            static row => (Sequence: row.GetInt64(0), Place: row.IsDBNull(1) ? 0 : row.GetInt64(1), Newest: row.IsDBNull(2) ? 0 : row.GetInt64(2)), cancellationToken);
        if (found.Count == 0) return new(0, newest);
        foreach (var (_, place, time) in found)
        {
            if (place > 0) newest[place - 1] = time;
        }

        return new(found[0].Sequence, newest);
    }

    public Task<IReadOnlyList<HistoryRow>> ReadWindowAsync(string partition, long asOf, string? area, long from, long to, CancellationToken cancellationToken) =>
        database.SnapshotAsync<IReadOnlyList<HistoryRow>>(
            async connection =>
            {
                var place = await PlaceAsync(connection, partition, asOf, cancellationToken);
                if (place is not { } at) return [];
                if (at.ByTime) return await WindowInSegmentsAsync(connection, at.Id, asOf, area, from, to, cancellationToken);
                var statement = new PostgresStatement(area is null ? Texts.Window : Texts.WindowOfArea).Bind(at.Id).Bind(from).Bind(to).Bind(asOf);
                if (area is not null) statement.Bind(area);
                return await RowsAsync(await PostgresDatabase.ReadAsync(connection, statement, static row => Stored.Of(row, 0), cancellationToken), cancellationToken);
            },
            cancellationToken);

    public Task<VersionPage> VersionsAsync(string partition, VersionQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1);
        return database.SnapshotAsync(
            async connection =>
            {
                var place = await PlaceAsync(connection, partition, query.AsOf, cancellationToken);
                if (place is not { } at) return new VersionPage([], false);
                if (at.ByTime) return await VersionsInSegmentsAsync(connection, at.Id, query, cancellationToken);
                var areas = query.Areas is null ? null : await AreaIdsAsync(query.Areas, cancellationToken);
                if (areas is { Length: 0 }) return new VersionPage([], false);

                // One area's rows lie in its index; of several, and of those that moved, the rows of the time are read.
                var single = areas is { Length: 1 } && query.Since is null;
                // At one sequence a key has one version; at one of two and not at the other, two at most.
                var most = query.Since is null ? query.Limit + 1L : (2L * query.Limit) + 2;
                var statement = BindRange(new(query.Since is not null ? Texts.Moved : single ? Texts.VersionsOfArea : Texts.Versions), at.Id, query.From, query.To, query.After)
                    .Bind(query.AsOf).Bind(most);
                if (single) statement.Bind(areas![0]);
                else statement.BindNullable(areas);
                if (query.Since is { } since) statement.Bind(since);

                var found = await PostgresDatabase.ReadAsync(connection, statement, static row => (Row: Stored.Of(row, 0), To: row.GetInt64(6)), cancellationToken);
                var versions = new List<HistoryVersion>(found.Count);
                var (keys, more) = (0, false);
                foreach (var (stored, to) in found)
                {
                    if ((versions.Count == 0 || versions[^1].Row.Time != stored.Time || !versions[^1].Row.Key.AsSpan().SequenceEqual(stored.Key)) && ++keys > query.Limit)
                    {
                        more = true;
                        break;
                    }

                    versions.Add(new(await RowAsync(stored, cancellationToken), to, null));
                }

                return new VersionPage(query.WithPush ? await WithPushesAsync(connection, at.Id, versions, cancellationToken) : versions, more);
            },
            cancellationToken);
    }

    public Task<IReadOnlyList<HistoryVersion>[]> EarlierAsync(string partition, IReadOnlyList<HistoryKey> keys, long asOf, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return database.SnapshotAsync(
            async connection =>
            {
                var earlier = new IReadOnlyList<HistoryVersion>[keys.Count];
                System.Array.Fill(earlier, []);
                var place = await PlaceAsync(connection, partition, asOf, cancellationToken);
                if (place is not { } at || keys.Count == 0) return earlier;
                if (keys[0].Time is not null) return await EarlierInSegmentsAsync(connection, at.Id, keys, asOf, limit, cancellationToken);
                var statement = new PostgresStatement(Texts.Earlier).Bind(at.Id).Bind(Array(keys, k => k.Key)).Bind(asOf).Bind((long)limit);
                var found = await PostgresDatabase.ReadAsync(connection, statement, static row => (Row: Stored.Of(row, 0), To: row.GetInt64(6), Key: row.GetInt64(7)), cancellationToken);
                foreach (var group in found.GroupBy(version => version.Key))
                {
                    var versions = new List<HistoryVersion>();
                    foreach (var (stored, to, _) in group) versions.Add(new(await RowAsync(stored, cancellationToken), to, null));
                    earlier[group.Key - 1] = await WithPushesAsync(connection, at.Id, versions, cancellationToken);
                }

                return earlier;
            },
            cancellationToken);
    }

    private const string SelectPushes = "SELECT sequence, received_at, feed, receipt FROM history_batch WHERE partition_id = $1 AND sequence = ANY ($2::bigint[])";

    private static async Task<HistoryVersion[]> WithPushesAsync(NpgsqlConnection connection, long partition, List<HistoryVersion> versions, CancellationToken cancellationToken)
    {
        long[] sequences = [.. versions.Select(version => version.Row.FromSequence).Distinct()];
        var pushes = (await PostgresDatabase.ReadAsync(
            connection, new PostgresStatement(SelectPushes).Bind(partition).Bind(sequences),
            static row => (Sequence: row.GetInt64(0), Push: new VersionPush(new(row.GetInt64(1), TimeSpan.Zero), row.TextOrNull(2), row.TextOrNull(3))), cancellationToken))
            .ToDictionary(push => push.Sequence, push => push.Push);
        return [.. versions.Select(version => version with { Push = pushes.GetValueOrDefault(version.Row.FromSequence) })];
    }

    public Task<HistoryPage> QueryAsync(string partition, long? from, long? to, IReadOnlySet<string>? areas, RowCursor? after, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return database.SnapshotAsync(
            async connection =>
            {
                var place = await PlaceAsync(connection, partition, 0, cancellationToken);
                if (place is not { } at) return new HistoryPage(0, [], false);
                if (at.ByTime) return await RowsInSegmentsAsync(connection, at, new(from ?? long.MinValue, to ?? long.MaxValue, after), areas, limit, cancellationToken);
                var ids = areas is null ? null : await AreaIdsAsync(areas, cancellationToken);
                if (ids is { Length: 0 }) return new HistoryPage(at.Sequence, [], false);
                var statement = BindRange(new(ids is { Length: <= FewAreas } ? Texts.StandingByArea : Texts.StandingByTime), at.Id, from ?? long.MinValue, to ?? long.MaxValue, after)
                    .Bind(limit + 1L).BindNullable(ids);
                var rows = await RowsAsync(await PostgresDatabase.ReadAsync(connection, statement, static row => Stored.Of(row, 0), cancellationToken), cancellationToken);
                var more = rows.Count > limit;
                if (more) rows.RemoveAt(limit);
                return new(at.Sequence, rows, more);
            },
            cancellationToken);
    }

    /// <summary>Without a cursor the pair is compared with one before the first: nothing has an empty key.</summary>
    private static PostgresStatement BindRange(PostgresStatement statement, long partition, long from, long to, RowCursor? after) => statement
        .Bind(partition).Bind(Math.Max(from, after?.Time ?? long.MinValue)).Bind(to).Bind(after?.Time ?? long.MinValue).Bind(after?.Key ?? []);

    private const string QuarantineColumns =
        """
        p.partition_key, q.sequence, q.idx, q.feed, q.receipt, q.received_at, q.payload, q.cause, q.state, q.corrected,
          (SELECT receipt FROM quarantine_act a WHERE a.partition_id = q.partition_id AND a.sequence = q.settled_sequence)
        """;

    private const string SelectQuarantinedById =
        $"""
        SELECT {QuarantineColumns}
        FROM unnest($1::text[], $2::bigint[], $3::int[]) WITH ORDINALITY AS i (partition_key, sequence, idx, place)
        JOIN history_position p USING (partition_key) JOIN quarantined_row q ON q.partition_id = p.id AND q.sequence = i.sequence AND q.idx = i.idx
        WHERE $4::int IS NULL OR q.state = $4
        ORDER BY i.place
        """;

    private const string SelectPlace =
        """
        SELECT q.received_at, q.partition_id FROM quarantined_row q JOIN history_position p ON p.id = q.partition_id
        WHERE p.partition_key = $1 AND q.sequence = $2 AND q.idx = $3
        """;

    public async Task<IReadOnlyList<QuarantineEntry>> QuarantineAsync(string dataset, QuarantineQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        if (query.Ids is { } asked)
        {
            QuarantineId[] ids = [.. asked.Distinct()];
            return await database.ReadAsync(
                new PostgresStatement(SelectQuarantinedById)
                    .Bind(Array(ids, id => PartitionKeys.Of(dataset, id.Partition))).Bind(Array(ids, id => id.Sequence)).Bind(Array(ids, id => id.Index)).BindNullable((int?)query.State),
                EntryOf, cancellationToken);
        }

        (long ReceivedAt, long Partition)? place = null;
        if (query.After is { } after)
        {
            var at = await database.ReadAsync(
                new PostgresStatement(SelectPlace).Bind(PartitionKeys.Of(dataset, after.Partition)).Bind(after.Sequence).Bind(after.Index),
                static row => (row.GetInt64(0), row.GetInt64(1)), cancellationToken);
            if (at.Count == 0) return [];
            place = at[0];
        }

        return await database.ReadAsync(QuarantineStatement(dataset, query, place), EntryOf, cancellationToken);
    }

    /// <summary>The filters decide the index; unused ones are not in the text.</summary>
    private static PostgresStatement QuarantineStatement(string dataset, QuarantineQuery query, (long ReceivedAt, long Partition)? place)
    {
        var direction = query.OldestFirst ? "" : " DESC";
        var sql = new StringBuilder($"SELECT {QuarantineColumns} FROM quarantined_row q JOIN history_position p ON p.id = q.partition_id WHERE q.dataset = $1");
        var bound = 2;
        var bindings = new List<Action<PostgresStatement>>();
        if (query.State is { } state) And("q.state = #", s => s.Bind((int)state));
        if (query.Cause is { } cause) And("md5(q.cause) = md5(#)", s => s.Bind(PostgresText.Bytes(cause)));
        if (query.Cause is { } same) And("q.cause = #", s => s.Bind(PostgresText.Bytes(same)));
        if (query.Value is { } value) And("q.value = #", s => s.Bind(PostgresText.Bytes(value)));
        if (query.Receipt is { } receipt) And("q.receipt = #", s => s.Bind(receipt));
        if (query.Feed is { } feed) And("q.feed = #", s => s.Bind(feed));
        if (place is { } behind)
        {
            And(
                $"(q.received_at, q.partition_id, q.sequence, q.idx) {(query.OldestFirst ? '>' : '<')} (#, #, #, #)",
                s => s.Bind(behind.ReceivedAt), s => s.Bind(behind.Partition), s => s.Bind(query.After!.Value.Sequence), s => s.Bind(query.After!.Value.Index));
        }

        sql.Append(System.Globalization.CultureInfo.InvariantCulture, $" ORDER BY q.received_at{direction}, q.partition_id{direction}, q.sequence{direction}, q.idx{direction} LIMIT ${bound}");
        var statement = new PostgresStatement(sql.ToString()).Bind(dataset);
        foreach (var bind in bindings) bind(statement);
        return statement.Bind((long)query.Limit);

        void And(string condition, params Action<PostgresStatement>[] values)
        {
            sql.Append(" AND ");
            foreach (var c in condition)
            {
                if (c == '#') sql.Append('$').Append(bound++);
                else sql.Append(c);
            }

            bindings.AddRange(values);
        }
    }

    private static QuarantineEntry EntryOf(NpgsqlDataReader row) => new(
        new(PartitionKeys.Number(row.GetString(0)), row.GetInt64(1), row.GetInt32(2)), row.GetString(3), row.GetString(4), new DateTimeOffset(row.GetInt64(5), TimeSpan.Zero),
        LogBatchCodec.DecodeQuarantined(row.Blob(6)))
    {
        Cause = row.FreeText(7),
        State = (QuarantineState)row.GetInt32(8),
        Corrected = row.FreeTextOrNull(9),
        Act = row.TextOrNull(10),
    };

    private const string SelectGroups =
        """
        SELECT cause, count(*), min(received_at), max(received_at) FROM quarantined_row
        WHERE dataset = $1 AND state = $2 AND ($3::text IS NULL OR feed = $3) GROUP BY cause ORDER BY 2 DESC, 1 LIMIT $4
        """;

    private const string SelectGroupValues =
        """
        SELECT value, count(*) FROM quarantined_row
        WHERE dataset = $1 AND state = $2 AND md5(cause) = md5($4) AND cause = $4 AND value IS NOT NULL AND ($3::text IS NULL OR feed = $3) GROUP BY value ORDER BY 2 DESC, 1 LIMIT 10
        """;

    public Task<IReadOnlyList<QuarantineGroup>> QuarantineGroupsAsync(string dataset, string? feed, QuarantineState state, int limit, CancellationToken cancellationToken) =>
        database.SnapshotAsync<IReadOnlyList<QuarantineGroup>>(
            async connection =>
            {
                var groups = await PostgresDatabase.ReadAsync(
                    connection, new PostgresStatement(SelectGroups).Bind(dataset).Bind((int)state).BindNullable(feed).Bind((long)limit),
                    static row => new QuarantineGroup(
                        row.FreeText(0), row.GetInt64(1), new DateTimeOffset(row.GetInt64(2), TimeSpan.Zero), new DateTimeOffset(row.GetInt64(3), TimeSpan.Zero), []),
                    cancellationToken);
                for (var i = 0; i < groups.Count; i++)
                {
                    var values = await PostgresDatabase.ReadAsync(
                        connection, new PostgresStatement(SelectGroupValues).Bind(dataset).Bind((int)state).BindNullable(feed).Bind(PostgresText.Bytes(groups[i].Cause)),
                        static row => new QuarantineValue(row.FreeText(0), row.GetInt64(1)), cancellationToken);
                    groups[i] = groups[i] with { Values = [.. values] };
                }

                return groups;
            },
            cancellationToken);

    private const string SelectStates =
        """
        SELECT i.place, q.state
        FROM unnest($2::bigint[], $3::int[]) WITH ORDINALITY AS i (sequence, idx, place)
        JOIN quarantined_row q ON q.partition_id = (SELECT id FROM history_position WHERE partition_key = $1) AND q.sequence = i.sequence AND q.idx = i.idx
        """;

    public async Task<QuarantineState?[]> QuarantineStatesAsync(string partition, IReadOnlyList<(long Sequence, int Index)> rows, CancellationToken cancellationToken)
    {
        var states = new QuarantineState?[rows.Count];
        var found = await database.ReadAsync(
            new PostgresStatement(SelectStates).Bind(partition).Bind(Array(rows, r => r.Sequence)).Bind(Array(rows, r => r.Index)),
            static row => (Place: row.GetInt64(0), State: (QuarantineState)row.GetInt32(1)), cancellationToken);
        foreach (var (place, state) in found) states[place - 1] = state;
        return states;
    }

    private const string SelectActs =
        """
        SELECT a.receipt, a.feed, a.received_at, a.kind, a.agency, a.key_id, a.reason, a.rule, a.accepted, a.duplicate, a.discarded, p.partition_key, a.sequence
        FROM quarantine_act a JOIN history_position p ON p.id = a.partition_id
        WHERE a.dataset = $1 AND (a.received_at, a.partition_id, a.sequence) < ($2, $3, $4)
        ORDER BY a.received_at DESC, a.partition_id DESC, a.sequence DESC LIMIT $5
        """;

    private const string SelectActPlace =
        "SELECT a.received_at, a.partition_id FROM quarantine_act a JOIN history_position p ON p.id = a.partition_id WHERE p.partition_key = $1 AND a.sequence = $2";

    public async Task<IReadOnlyList<QuarantineActEntry>> QuarantineActsAsync(string dataset, QuarantineId? after, int limit, CancellationToken cancellationToken)
    {
        var (at, partition, sequence) = (long.MaxValue, long.MaxValue, long.MaxValue);
        if (after is { } last)
        {
            var place = await database.ReadAsync(
                new PostgresStatement(SelectActPlace).Bind(PartitionKeys.Of(dataset, last.Partition)).Bind(last.Sequence), static row => (row.GetInt64(0), row.GetInt64(1)), cancellationToken);
            if (place.Count == 0) return [];
            (at, partition, sequence) = (place[0].Item1, place[0].Item2, last.Sequence);
        }

        return await database.ReadAsync(
            new PostgresStatement(SelectActs).Bind(dataset).Bind(at).Bind(partition).Bind(sequence).Bind((long)limit),
            static row => new QuarantineActEntry(
                row.GetString(0), row.GetString(1), new DateTimeOffset(row.GetInt64(2), TimeSpan.Zero), (QuarantineActKind)row.GetInt32(3), row.TextOrNull(4), row.TextOrNull(5),
                row.FreeTextOrNull(6), row.FreeTextOrNull(7), row.GetInt64(8), row.GetInt64(9), row.GetInt64(10), new(PartitionKeys.Number(row.GetString(11)), row.GetInt64(12), 0)),
            cancellationToken);
    }

    private const string SelectCounts =
        """
        SELECT feed, sum(received)::bigint, sum(accepted)::bigint, sum(duplicate)::bigint, sum(quarantined)::bigint, max(last_received), sum(pushes)::bigint, max(newest_row),
          (SELECT count(*) FROM quarantined_row q WHERE q.dataset = $1 AND q.state IN (3, 4) AND q.feed = c.feed)
        FROM feed_count c WHERE dataset = $1 GROUP BY feed ORDER BY feed
        """;

    public async Task<IReadOnlyList<FeedCounts>> CountsAsync(string dataset, CancellationToken cancellationToken) => await database.ReadAsync(
        new PostgresStatement(SelectCounts).Bind(dataset),
        static row => new FeedCounts(row.GetString(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), new DateTimeOffset(row.GetInt64(5), TimeSpan.Zero))
        {
            Pushes = row.GetInt64(6),
            NewestRow = row.GetInt64(7) == long.MinValue ? null : new DateTimeOffset(row.GetInt64(7), TimeSpan.Zero),
            Discarded = row.GetInt64(8),
        },
        cancellationToken);

    private const string SelectCountsSince =
        """
        SELECT feed, sum(received)::bigint, sum(accepted)::bigint, sum(duplicate)::bigint, sum(quarantined)::bigint, sum(pushes)::bigint
        FROM feed_hour WHERE dataset = $1 AND hour >= $2 GROUP BY feed ORDER BY feed
        """;

    public async Task<IReadOnlyList<FeedCounts>> CountsSinceAsync(string dataset, DateTimeOffset since, CancellationToken cancellationToken) => await database.ReadAsync(
        new PostgresStatement(SelectCountsSince).Bind(dataset).Bind(since.UtcTicks / TimeSpan.TicksPerHour),
        static row => new FeedCounts(row.GetString(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), null) { Pushes = row.GetInt64(5) },
        cancellationToken);

    private const string SelectReceipts =
        """
        SELECT DISTINCT receipt FROM history_batch
        WHERE partition_id = (SELECT id FROM history_position WHERE partition_key = $1) AND feed = $2 AND receipt IS NOT NULL AND receipt >= $3 AND receipt < $4
        ORDER BY receipt DESC LIMIT $5
        """;

    public async Task<IReadOnlyList<string>> ReceiptsAsync(string partition, string feed, string from, string before, int limit, CancellationToken cancellationToken) =>
        await database.ReadAsync(
            new PostgresStatement(SelectReceipts).Bind(partition).Bind(feed).Bind(from).Bind(before).Bind((long)limit), static row => row.GetString(0), cancellationToken);

    private const string SelectReceived = "SELECT coalesce(sum(received), 0)::bigint FROM feed_hour WHERE dataset = $1 AND feed = $2 AND hour >= $3";

    public async Task<long> ReceivedSinceAsync(string dataset, string feed, DateTimeOffset since, CancellationToken cancellationToken) =>
        (await database.ReadAsync(
            new PostgresStatement(SelectReceived).Bind(dataset).Bind(feed).Bind(since.UtcTicks / TimeSpan.TicksPerHour), static row => row.GetInt64(0), cancellationToken))[0];

    private static readonly string[] s_tables =
        ["history_segment", "record_version", "series_newest", "history_batch", "quarantined_row", "quarantine_act", "feed_count", "feed_hour"];

    private const string DropPosition = "DELETE FROM history_position WHERE partition_key = $1";

    public Task ResetAsync(string partition, CancellationToken cancellationToken) => database.WriteAsync(
        [
            .. s_tables.Select(table => new PostgresStatement($"DELETE FROM {table} WHERE partition_id = {Partition}").Bind(partition)), new PostgresStatement(DropPosition).Bind(partition),
        ],
        cancellationToken);

    /// <returns>Null where nothing was ever applied.</returns>
    private static async Task<Place?> PlaceAsync(NpgsqlConnection connection, string partition, long asOf, CancellationToken cancellationToken)
    {
        var found = await PostgresDatabase.ReadAsync(connection, new PostgresStatement(SelectPosition).Bind(partition), PlaceOf, cancellationToken);
        var stored = found.Count == 0 ? 0 : found[0].Sequence;
        if (asOf > stored)
        {
            throw new ArgumentOutOfRangeException(nameof(asOf), asOf, $"History of {partition} is stored up to {stored}; wait until it has reached the sequence.");
        }

        return found.Count == 0 ? null : found[0];
    }

    private static Place PlaceOf(NpgsqlDataReader row) => new(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetBoolean(3), row.GetInt64(4));

    private async Task<List<HistoryRow>> RowsAsync(List<Stored> stored, CancellationToken cancellationToken)
    {
        var rows = new List<HistoryRow>(stored.Count);
        foreach (var row in stored) rows.Add(await RowAsync(row, cancellationToken));
        return rows;
    }

    private ValueTask<HistoryRow> RowAsync(Stored stored, CancellationToken cancellationToken)
    {
        if (stored.Area is not { } id) return new(Of(null));
        return _areaOfId.TryGetValue(id, out var area) ? new(Of(area)) : LearnAsync();

        HistoryRow Of(string? area) => new(stored.Key, stored.Time, area, stored.ContractVersion, stored.Packed, stored.From);

        async ValueTask<HistoryRow> LearnAsync()
        {
            var found = await database.ReadAsync(new PostgresStatement(SelectAreas).Bind((long[])[id]), static row => row.GetString(1), cancellationToken);
            return Of(_areaOfId[id] = found[0]);
        }
    }

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

    private static TOut[] Array<TIn, TOut>(IReadOnlyList<TIn> items, Func<TIn, TOut> select)
    {
        var values = new TOut[items.Count];
        for (var i = 0; i < values.Length; i++) values[i] = select(items[i]);
        return values;
    }

    private readonly record struct Place(long Id, long Sequence, long Accepted, bool ByTime, long Series);

    /// <summary>A version as it lies in its table; columns as in <see cref="Texts.Columns"/>.</summary>
    private sealed record Stored(byte[] Key, long Time, long? Area, int ContractVersion, byte[] Packed, long From)
    {
        public static Stored Of(NpgsqlDataReader row, int first) => new(
            row.Blob(first), row.GetInt64(first + 1), row.IsDBNull(first + 2) ? null : row.GetInt64(first + 2), row.GetInt32(first + 3), row.Blob(first + 4), row.GetInt64(first + 5));
    }
}
