using DataHub.Feeds;

using Npgsql;

namespace DataHub.Storage.Postgres;

/// <summary>Erasures in PostgreSQL, and the overwriting of log and history.</summary>
internal sealed class PostgresErasureStore(PostgresDatabase database, PostgresHistoryStore store) : IErasureStore
{
    private const string Columns = "id, dataset, step, requested_at, finished_at, agency, key_id, reason, authority, fields, keys, versions, quarantined, batches, compacted, work";

    private const string Upsert =
        $"""
        INSERT INTO erasure ({Columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
        ON CONFLICT (id) DO UPDATE SET step = excluded.step, finished_at = excluded.finished_at, keys = excluded.keys, versions = excluded.versions,
          quarantined = excluded.quarantined, batches = excluded.batches, compacted = excluded.compacted, work = excluded.work
        """;

    public Task SaveAsync(StoredErasure erasure, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(erasure);
        var info = erasure.Info;
        return database.WriteAsync(
            [
                new PostgresStatement(Upsert)
                    .Bind(info.Id).Bind(info.Dataset).Bind((int)info.Step).Bind(info.Requested.UtcTicks).BindNullable(info.Finished?.UtcTicks).BindNullable(info.Agency).BindNullable(info.KeyId)
                    .Bind(PostgresText.Bytes(info.Reason)).Bind(PostgresText.Bytes(info.Authority)).Bind(PostgresText.Bytes(string.Join('\n', info.Fields)))
                    .Bind(info.Keys).Bind(info.Versions).Bind(info.Quarantined).Bind(info.Batches).BindNullable(info.Compacted).BindNullable(erasure.Work),
            ],
            cancellationToken);
    }

    private const string SelectOne = $"SELECT {Columns} FROM erasure WHERE id = $1";

    public async Task<StoredErasure?> FindAsync(string id, CancellationToken cancellationToken) => (await database.ReadAsync(
        new PostgresStatement(SelectOne).Bind(id), static row => new StoredErasure(InfoOf(row), row.IsDBNull(15) ? null : row.Blob(15)), cancellationToken)).FirstOrDefault();

    private const string SelectList = $"SELECT {Columns} FROM erasure WHERE dataset = $1 AND ($2::text IS NULL OR id < $2) ORDER BY id DESC LIMIT $3";

    public async Task<IReadOnlyList<ErasureInfo>> ListAsync(string dataset, string? after, int limit, CancellationToken cancellationToken) =>
        await database.ReadAsync(new PostgresStatement(SelectList).Bind(dataset).BindNullable(after).Bind((long)limit), InfoOf, cancellationToken);

    private const string SelectPending = "SELECT id, dataset FROM erasure WHERE step < 3 ORDER BY id";

    public async Task<IReadOnlyList<(string Id, string Dataset)>> PendingAsync(CancellationToken cancellationToken) =>
        await database.ReadAsync(new PostgresStatement(SelectPending), static row => (row.GetString(0), row.GetString(1)), cancellationToken);

    private const string OverwriteBatches =
        """
        WITH written AS (
          UPDATE batch b SET payload = n.payload FROM unnest($2::bigint[], $3::bytea[]) AS n (sequence, payload)
          WHERE b.partition_id = (SELECT id FROM partition_head WHERE partition_key = $1) AND b.sequence = n.sequence
          RETURNING 1)
        SELECT require(count(*) = cardinality($2::bigint[]), 'DH002') FROM written
        """;

    private const string OverwritePushes =
        """
        UPDATE push p SET payload = n.payload FROM unnest($2::bigint[], $3::bytea[]) AS n (sequence, payload)
        WHERE p.partition_id = (SELECT id FROM partition_head WHERE partition_key = $1) AND p.sequence = n.sequence
        """;

    public Task OverwriteAsync(string partition, IReadOnlyList<LogBatch> batches, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batches);
        if (batches.Count == 0) return Task.CompletedTask;
        LogBatch[] pushed = [.. batches.Where(batch => batch.Push is not null)];
        return database.WriteAsync(
            [
                new PostgresStatement(OverwriteBatches).Bind(partition).Bind((long[])[.. batches.Select(b => b.Sequence)]).Bind((byte[][])[.. batches.Select(LogBatchCodec.Encode)]),
                new PostgresStatement(OverwritePushes).Bind(partition).Bind((long[])[.. pushed.Select(b => b.Sequence)]).Bind((byte[][])[.. pushed.Select(b => LogBatchCodec.EncodePush(b.Push!))]),
            ],
            cancellationToken);
    }

    private const string Partition = "(SELECT id FROM history_position WHERE partition_key = $1)";

    private const string DropRecords =
        $"""
        DELETE FROM record_version v USING unnest($2::bigint[], $3::bytea[], $4::bigint[]) AS n (time, row_key, from_sequence)
        WHERE v.partition_id = {Partition} AND v.time = n.time AND v.row_key = n.row_key AND v.from_sequence = n.from_sequence
        """;

    private const string DropSeries = $"DELETE FROM series_newest WHERE partition_id = {Partition} AND series_key = ANY ($2::bytea[])";

    private const string SelectQuarantined =
        $"""
        SELECT q.sequence, q.idx, q.payload FROM unnest($2::bigint[], $3::int[]) AS i (sequence, idx)
        JOIN quarantined_row q ON q.partition_id = {Partition} AND q.sequence = i.sequence AND q.idx = i.idx
        """;

    /// <summary>An open row is erased; one that was settled stays settled, without its content.</summary>
    private const string OverwriteQuarantined =
        $"""
        UPDATE quarantined_row q SET payload = n.payload, value = NULL, corrected = NULL, state = CASE q.state WHEN 0 THEN 4 ELSE q.state END
        FROM unnest($2::bigint[], $3::int[], $4::bytea[]) AS n (sequence, idx, payload)
        WHERE q.partition_id = {Partition} AND q.sequence = n.sequence AND q.idx = n.idx
        """;

    private const string OverwriteAct = $"UPDATE quarantine_act SET rule = $3, reason = $4 WHERE partition_id = {Partition} AND sequence = $2";

    public async Task EraseHistoryAsync(string partition, HistoryErasure erasure, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(erasure);
        PostgresStatement Begin(string sql) => new PostgresStatement(sql).Bind(partition);
        long[] times = [.. erasure.Versions.Select(v => v.Time)], from = [.. erasure.Versions.Select(v => v.From)];
        byte[][] keys = [.. erasure.Versions.Select(v => v.Key)];
        var statements = new List<PostgresStatement>
        {
            Begin(DropRecords).Bind(times).Bind(keys).Bind(from), Begin(DropSeries).Bind([.. erasure.Series]),
        };
        statements.AddRange(await store.EraseVersionsAsync(partition, erasure.Versions, cancellationToken));

        // Nothing but an erasure changes a quarantined row's content, and a repeated one comes to the same.
        var rows = await database.ReadAsync(
            Begin(SelectQuarantined).Bind((long[])[.. erasure.Quarantined.Select(q => q.Sequence)]).Bind((int[])[.. erasure.Quarantined.Select(q => q.Index)]),
            static row => (Sequence: row.GetInt64(0), Index: row.GetInt32(1), Content: LogBatchCodec.DecodeQuarantined(row.Blob(2))), cancellationToken);
        statements.Add(Begin(OverwriteQuarantined)
            .Bind((long[])[.. rows.Select(r => r.Sequence)]).Bind((int[])[.. rows.Select(r => r.Index)]).Bind((byte[][])[.. rows.Select(r => LogBatchCodec.EncodeQuarantined(Erased(r.Content)))]));
        if (erasure.Act is { } act) statements.Add(Begin(OverwriteAct).Bind(act.Sequence).BindNullable(PostgresText.BytesOrNull(act.Rule)).BindNullable(PostgresText.BytesOrNull(act.Reason)));
        await database.WriteAsync(statements, cancellationToken);

        static QuarantinedRow Erased(QuarantinedRow row) => new(row.Row, System.Array.ConvertAll(row.Errors, error => error with { Value = null }), QuarantinedRow.ErasedRaw);
    }

    /// <summary>The lock keeps the position where it is until the series are gone.</summary>
    private const string LockPosition = "SELECT require(sequence <= $2 AND series_sequence >= sequence, 'DH001') FROM history_position WHERE partition_key = $1 FOR UPDATE";

    public Task<bool> EraseSeriesAsync(string partition, IReadOnlyCollection<byte[]> series, long upTo, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(series);
        return database.WriteAsync(
            [new PostgresStatement(LockPosition).Bind(partition).Bind(upTo), new PostgresStatement(DropSeries).Bind(partition).Bind([.. series])], cancellationToken);
    }

    private static readonly string[] s_overwritten =
        ["batch", "push", "history_segment", "record_version", "series_newest", "quarantined_row", "quarantine_act", "file_piece", "orleans.grain_state"];

    /// <summary>
    /// Takes dead versions of rows out of their pages, where the silo's role may (<c>silo migrate</c> cannot grant it before PostgreSQL 17);
    /// archived write-ahead logs and backups are the operator's.
    /// </summary>
    /// <returns>False: PostgreSQL's own vacuum does it in time, and copies may be in its write-ahead log until that is recycled.</returns>
    public async Task<bool> CompactAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.Source.OpenConnectionAsync(cancellationToken);
        foreach (var table in s_overwritten)
        {
            // Who may not is told by a warning of the server, not by an error.
            await using var vacuum = new NpgsqlCommand($"VACUUM {table}", connection) { CommandTimeout = 0 };
            await vacuum.ExecuteNonQueryAsync(cancellationToken);
        }

        return false;
    }

    private static ErasureInfo InfoOf(NpgsqlDataReader row) => new(
        row.GetString(0), row.GetString(1), (ErasureStep)row.GetInt32(2), new DateTimeOffset(row.GetInt64(3), TimeSpan.Zero),
        row.IsDBNull(4) ? null : new DateTimeOffset(row.GetInt64(4), TimeSpan.Zero), row.TextOrNull(5), row.TextOrNull(6), row.FreeText(7), row.FreeText(8), row.FreeText(9).Split('\n'),
        row.GetInt64(10), row.GetInt64(11), row.GetInt64(12), row.GetInt64(13), row.IsDBNull(14) ? null : row.GetBoolean(14));
}
