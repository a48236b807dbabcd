using System.Buffers;

using DataHub.Feeds;

using Npgsql;

namespace DataHub.Storage.Postgres;

/// <summary>Partitions whose keys contain the time: their versions lie in segments, whose columns are arrays that SQL can read.</summary>
internal sealed partial class PostgresHistoryStore
{
    /// <summary>Segments read in one go: the first few, then more.</summary>
    private const int FirstSegments = 4, MostSegments = 32;

    private const string SegmentColumns = "s.id, s.area_set, s.times, s.froms, s.changes, s.contract_versions, s.areas, s.keys, s.packed";

    private const string Insert =
        $"""
        INSERT INTO history_segment (partition_id, level, run, day, first_time, last_time, row_count, ends, area_set, times, froms, changes, contract_versions, areas, keys, packed)
        VALUES ({Partition}, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
        """;

    private static PostgresStatement InsertSegment(PostgresStatement begun, long run, int level, HistorySegment segment) => begun
        .Bind(level).Bind(run).Bind(SegmentRules.Day(segment.FirstTime)).Bind(segment.FirstTime).Bind(segment.LastTime).Bind(segment.Count).Bind(segment.HasEnds)
        .Bind((string?[])segment.Areas).Bind(segment.Times).Bind(segment.Froms).Bind(System.Array.ConvertAll(segment.Changes, static change => (byte)change)).Bind(segment.ContractVersions)
        // Places count from 1 in SQL: 0 is none.
        .Bind(System.Array.ConvertAll(segment.AreaOf, static place => place + 1))
        .Bind(Each(segment, static (s, row) => s.Key(row).ToArray())).Bind(Each(segment, static (s, row) => s.Changes[row] == RowChange.Retraction ? null : s.Value(row).ToArray()));

    private static byte[]?[] Each(HistorySegment segment, Func<HistorySegment, int, byte[]?> value)
    {
        var values = new byte[]?[segment.Count];
        for (var row = 0; row < values.Length; row++) values[row] = value(segment, row);
        return values;
    }

    private static (long Id, HistorySegment Segment) SegmentOf(NpgsqlDataReader row)
    {
        var (keys, keyEnds) = Joined(row.GetFieldValue<byte[]?[]>(7));
        var (values, valueEnds) = Joined(row.GetFieldValue<byte[]?[]>(8));
        return (row.GetInt64(0), new()
        {
            Areas = row.GetFieldValue<string[]>(1),
            Times = row.GetFieldValue<long[]>(2),
            Froms = row.GetFieldValue<long[]>(3),
            Changes = System.Array.ConvertAll(row.GetFieldValue<byte[]>(4), static change => (RowChange)change),
            ContractVersions = row.GetFieldValue<int[]>(5),
            AreaOf = System.Array.ConvertAll(row.GetFieldValue<int[]>(6), static place => place - 1),
            Keys = keys,
            KeyEnds = keyEnds,
            Values = values,
            ValueEnds = valueEnds,
        });

        static (byte[] Bytes, int[] Ends) Joined(byte[]?[] parts)
        {
            var ends = new int[parts.Length];
            var all = new ArrayBufferWriter<byte>(Math.Max(1, parts.Sum(part => part?.Length ?? 0)));
            for (var i = 0; i < parts.Length; i++)
            {
                all.Write(parts[i]);
                ends[i] = all.WrittenCount;
            }

            return (all.WrittenSpan.ToArray(), ends);
        }
    }

    private const string SelectSegments =
        $"""
        SELECT {SegmentColumns} FROM history_segment s
        WHERE s.partition_id = $1 AND s.first_time >= $2 AND s.first_time < $3 AND s.last_time >= $4 AND (s.first_time, s.id) > ($5, $6)
          AND ($7::text[] IS NULL OR s.ends OR s.area_set && $7)
        ORDER BY s.first_time, s.id LIMIT $8
        """;

    private readonly record struct Span(long From, long To, RowCursor? After);

    /// <summary>Hands over all versions under each time and key of a range, by time and key; oldest first. Only areas that are asked for are sure to be whole.</summary>
    /// <param name="take">False: no more.</param>
    private static async Task ScanAsync(
        NpgsqlConnection connection, long id, Span span, IReadOnlySet<string>? areas, Func<IReadOnlyList<SegmentVersion>, bool> take, CancellationToken cancellationToken)
    {
        var first = Math.Max(span.From, span.After?.Time ?? long.MinValue);
        var scan = new SegmentScan(span.From, span.To, span.After);
        var (waiting, limit, behind) = (new Queue<HistorySegment>(), FirstSegments, (Time: long.MinValue, Id: 0L));
        var last = false;
        while (true)
        {
            while (scan.NeedsSegment)
            {
                if (waiting.TryDequeue(out var segment)) scan.Add(segment);
                else if (last) scan.Close();
                else await ReadAsync();
            }

            if (!scan.Next() || !take(scan.Versions)) return;
        }

        async Task ReadAsync()
        {
            var page = await PostgresDatabase.ReadAsync(
                connection,
                new PostgresStatement(SelectSegments).Bind(id).Bind(SegmentRules.DayStart(first)).Bind(span.To).Bind(first).Bind(behind.Time).Bind(behind.Id)
                    .BindNullable(areas is null ? null : (string[])[.. areas]).Bind((long)limit),
                SegmentOf, cancellationToken);
            foreach (var (_, segment) in page) waiting.Enqueue(segment);
            last = page.Count < limit;
            if (page.Count > 0) behind = (page[^1].Segment.FirstTime, page[^1].Id);
            limit = Math.Min(2 * limit, MostSegments);
        }
    }

    private static async Task<IReadOnlyList<HistoryRow>> WindowInSegmentsAsync(
        NpgsqlConnection connection, long id, long asOf, string? area, long from, long to, CancellationToken cancellationToken)
    {
        var rows = new List<HistoryRow>();
        var areas = area is null ? null : new HashSet<string>(StringComparer.Ordinal) { area };
        await ScanAsync(
            connection, id, new(from, to, null), areas,
            versions =>
            {
                rows.AddRange(versions.Where(version => version.StoodAt(asOf) && version.IsIn(areas)).Select(version => version.Segment.Row(version.Row)));
                return true;
            },
            cancellationToken);
        return rows;
    }

    private static async Task<VersionPage> VersionsInSegmentsAsync(NpgsqlConnection connection, long id, VersionQuery query, CancellationToken cancellationToken)
    {
        var page = new SegmentVersionPage(query);
        await ScanAsync(connection, id, new(query.From, query.To, query.After), query.Areas, page.Take, cancellationToken);
        return new(query.WithPush ? await WithPushesAsync(connection, id, page.Versions, cancellationToken) : page.Versions, page.More);
    }

    private static async Task<HistoryPage> RowsInSegmentsAsync(NpgsqlConnection connection, Place place, Span span, IReadOnlySet<string>? areas, int limit, CancellationToken cancellationToken)
    {
        var page = new SegmentRowPage(areas, limit);
        await ScanAsync(connection, place.Id, span, areas, page.Take, cancellationToken);
        return new(place.Sequence, page.Rows, page.More);
    }

    /// <summary>All versions under times and keys, oldest first; only they leave the server.</summary>
    private const string UnderKeys =
        """
        SELECT k.place, s.froms[i.n], get_byte(s.changes, i.n - 1), s.area_set[s.areas[i.n]], s.contract_versions[i.n], s.packed[i.n]
        FROM unnest($2::bytea[], $3::bigint[], $4::bigint[]) WITH ORDINALITY AS k (row_key, time, day_start, place)
        JOIN history_segment s ON s.partition_id = $1 AND s.first_time >= k.day_start AND s.first_time <= k.time AND s.last_time >= k.time
        CROSS JOIN LATERAL unnest(array_positions(s.keys, k.row_key)) AS i (n)
        WHERE s.times[i.n] = k.time
        ORDER BY k.place, s.froms[i.n]
        """;

    private readonly record struct Found(long Place, long From, bool Holds, string? Area, int ContractVersion, byte[]? Values)
    {
        public HistoryRow Row(HistoryKey key) => new(key.Key, key.Time!.Value, Area, ContractVersion, Values!, From);
    }

    private static async Task<ILookup<long, Found>> UnderAsync(NpgsqlConnection connection, long id, IReadOnlyList<HistoryKey> keys, CancellationToken cancellationToken) =>
        (await PostgresDatabase.ReadAsync(
            connection,
            new PostgresStatement(UnderKeys).Bind(id).Bind(Array(keys, k => k.Key)).Bind(Array(keys, k => k.Time!.Value)).Bind(Array(keys, k => SegmentRules.DayStart(k.Time!.Value))),
            static row => new Found(
                row.GetInt64(0), row.GetInt64(1), row.GetInt32(2) != (int)RowChange.Retraction, row.TextOrNull(3), row.GetInt32(4), row.IsDBNull(5) ? null : row.Blob(5)),
            cancellationToken)).ToLookup(found => found.Place);

    private Task<KeyLookUp> FindInSegmentsAsync(string partition, IReadOnlyList<HistoryKey> keys, CancellationToken cancellationToken) => database.SnapshotAsync(
        async connection =>
        {
            var rows = new HistoryRow?[keys.Count];
            var place = await PlaceAsync(connection, partition, 0, cancellationToken);
            if (place is not { } at) return new KeyLookUp(0, rows);
            var found = await UnderAsync(connection, at.Id, keys, cancellationToken);
            for (var i = 0; i < rows.Length; i++)
            {
                if (found[i + 1].LastOrDefault() is { Holds: true } last) rows[i] = last.Row(keys[i]);
            }

            return new(at.Sequence, rows);
        },
        cancellationToken);

    private static async Task<IReadOnlyList<HistoryVersion>[]> EarlierInSegmentsAsync(
        NpgsqlConnection connection, long id, IReadOnlyList<HistoryKey> keys, long asOf, int limit, CancellationToken cancellationToken)
    {
        var earlier = new IReadOnlyList<HistoryVersion>[keys.Count];
        var found = await UnderAsync(connection, id, keys, cancellationToken);
        for (var i = 0; i < earlier.Length; i++)
        {
            Found[] under = [.. found[i + 1]];
            var ended = new List<HistoryVersion>();
            for (var v = 0; v + 1 < under.Length; v++)
            {
                if (under[v].Holds && under[v + 1].From <= asOf) ended.Add(new(under[v].Row(keys[i]), under[v + 1].From, null));
            }

            earlier[i] = await WithPushesAsync(connection, id, [.. ended.TakeLast(limit)], cancellationToken);
        }

        return earlier;
    }

    private const string SelectCrowded =
        """
        SELECT s.level FROM history_segment s
        WHERE s.partition_id = (SELECT id FROM history_position WHERE partition_key = $1) AND s.day = $2 AND s.level < $3
        GROUP BY s.level HAVING count(DISTINCT s.run) >= $4 AND sum(s.row_count) <= $5 ORDER BY s.level LIMIT 1
        """;

    private const string SelectLevel =
        """
        SELECT s.id, s.first_time, s.last_time, s.row_count, s.run FROM history_segment s
        WHERE s.partition_id = (SELECT id FROM history_position WHERE partition_key = $1) AND s.day = $2 AND s.level = $3
        """;

    /// <summary>By the primary key.</summary>
    private const string ById = $"s.partition_id = {Partition} AND s.first_time = ANY ($2::bigint[]) AND s.id = ANY ($3::bigint[])";

    private const string SelectById = $"SELECT {SegmentColumns} FROM history_segment s WHERE {ById}";

    /// <summary>The lock keeps the position where it is, and others from joining, until it is done.</summary>
    private const string LockExpected = "SELECT require((SELECT sequence FROM history_position WHERE partition_key = $1 FOR UPDATE) = $2, 'DH001')";

    /// <summary>All of them, or somebody else was faster.</summary>
    private const string DropSegments =
        $"""
        WITH gone AS (DELETE FROM history_segment s WHERE {ById} RETURNING 1)
        SELECT require(count(*) = cardinality($3::bigint[]), 'DH002') FROM gone
        """;

    private const string RaiseLevel =
        $"""
        WITH raised AS (UPDATE history_segment s SET level = s.level + 1 WHERE {ById} RETURNING 1)
        SELECT require(count(*) = cardinality($3::bigint[]), 'DH002') FROM raised
        """;

    public async Task<bool> JoinAsync(string partition, long expected, long day, CancellationToken cancellationToken)
    {
        while (true)
        {
            var crowded = await database.ReadAsync(
                new PostgresStatement(SelectCrowded).Bind(partition).Bind(day).Bind(SegmentRules.MaxLevel).Bind((long)SegmentRules.MaxRuns).Bind((long)SegmentRules.MaxJoinedRows),
                static row => row.GetInt32(0), cancellationToken);
            if (crowded.Count == 0) return (await PositionAsync(partition, cancellationToken)).Sequence == expected;

            var lie = await database.ReadAsync(
                new PostgresStatement(SelectLevel).Bind(partition).Bind(day).Bind(crowded[0]),
                static row => (Id: row.GetInt64(0), FirstTime: row.GetInt64(1), LastTime: row.GetInt64(2), Rows: row.GetInt32(3), Run: row.GetInt64(4)), cancellationToken);
            PostgresStatement These(string sql) => new PostgresStatement(sql).Bind(partition).Bind(Array(lie, segment => segment.FirstTime)).Bind(Array(lie, segment => segment.Id));
            var statements = new List<PostgresStatement> { new PostgresStatement(LockExpected).Bind(partition).Bind(expected) };
            if (SegmentRules.LieSideBySide([.. lie.Select(segment => (segment.FirstTime, segment.LastTime, segment.Rows))], segmentRows))
            {
                statements.Add(These(RaiseLevel));
            }
            else
            {
                // What is read stays true: segments do not change, and those that were taken away meanwhile are missed.
                var segments = await database.ReadAsync(These(SelectById), SegmentOf, cancellationToken);
                statements.Add(These(DropSegments));
                foreach (var joined in SegmentRules.Join([.. segments.Select(segment => segment.Segment)], segmentRows))
                    statements.Add(InsertSegment(new PostgresStatement(Insert).Bind(partition), lie.Max(segment => segment.Run), crowded[0] + 1, joined));
            }

            if (!await database.WriteAsync(statements, cancellationToken)) return false;
        }
    }

    private const string SelectHolding =
        $"""
        SELECT DISTINCT ON (s.id) {SegmentColumns}, s.level, s.run FROM unnest($2::bigint[], $3::bigint[]) AS t (time, day_start)
        JOIN history_segment s ON s.partition_id = {Partition} AND s.first_time >= t.day_start AND s.first_time <= t.time AND s.last_time >= t.time
        ORDER BY s.id
        """;

    /// <summary>Statements that take versions out of the segments that hold them; they fail where a segment was joined since.</summary>
    internal async Task<List<PostgresStatement>> EraseVersionsAsync(string partition, IReadOnlyList<(long Time, byte[] Key, long From)> versions, CancellationToken cancellationToken)
    {
        var statements = new List<PostgresStatement>();
        foreach (var day in versions.GroupBy(version => SegmentRules.Day(version.Time)))
        {
            long[] times = [.. day.Select(version => version.Time).Distinct()];
            var holding = await database.ReadAsync(
                new PostgresStatement(SelectHolding).Bind(partition).Bind(times).Bind((long[])[.. times.Select(SegmentRules.DayStart)]),
                static row => (Held: SegmentOf(row), Level: row.GetInt32(9), Run: row.GetInt64(10)), cancellationToken);
            if (holding.Count == 0) continue;
            var left = SegmentRules.Without([.. holding.Select(held => held.Held.Segment)], day.Select(version => new SegmentPlace(version.Time, version.Key, version.From)).ToHashSet(), segmentRows);
            statements.Add(new PostgresStatement(DropSegments).Bind(partition).Bind(Array(holding, held => held.Held.Segment.FirstTime)).Bind(Array(holding, held => held.Held.Id)));
            foreach (var segment in left) statements.Add(InsertSegment(new PostgresStatement(Insert).Bind(partition), holding.Max(held => held.Run), holding.Max(held => held.Level), segment));
        }

        return statements;
    }
}
