using DataHub.Feeds;

namespace DataHub.Storage.Sqlite;

/// <summary>Erasures in <c>log.db</c>, and the overwriting of <c>log.db</c> and <c>history.db</c>.</summary>
/// <param name="store">On the same <paramref name="history"/>.</param>
/// <param name="files">All files of the hub.</param>
internal sealed class SqliteErasureStore(SqliteFile log, SqliteFile history, SqliteHistoryStore store, IReadOnlyList<SqliteFile> files, Func<long> compactUpToBytes) : IErasureStore
{
    private const string Columns = "id, dataset, step, requested_at, finished_at, agency, key_id, reason, authority, fields, keys, versions, quarantined, batches, compacted, work";

    private const string Upsert =
        $"""
        INSERT INTO erasure ({Columns}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
        ON CONFLICT (id) DO UPDATE SET step = excluded.step, finished_at = excluded.finished_at, keys = excluded.keys, versions = excluded.versions,
          quarantined = excluded.quarantined, batches = excluded.batches, compacted = excluded.compacted, work = excluded.work
        """;

    public Task SaveAsync(StoredErasure erasure, CancellationToken cancellationToken) => log.WriteAsync(
        session =>
        {
            var info = erasure.Info;
            var statement = session.Statement(Upsert)
                .Bind(1, info.Id).Bind(2, info.Dataset).Bind(3, (int)info.Step).Bind(4, info.Requested.UtcTicks).Bind(5, info.Finished?.UtcTicks)
                .Bind(6, info.Agency).Bind(7, info.KeyId).Bind(8, info.Reason).Bind(9, info.Authority).Bind(10, string.Join('\n', info.Fields))
                .Bind(11, info.Keys).Bind(12, info.Versions).Bind(13, info.Quarantined).Bind(14, info.Batches).Bind(15, info.Compacted is { } compacted ? (compacted ? 1 : 0) : null);
            return (erasure.Work is { } work ? statement.Bind(16, work) : statement.Bind(16, (long?)null)).Run();
        },
        cancellationToken);

    private const string SelectOne = $"SELECT {Columns} FROM erasure WHERE id = ?1";

    public Task<StoredErasure?> FindAsync(string id, CancellationToken cancellationToken) => log.LookUpAsync(
        session =>
        {
            var row = session.Statement(SelectOne).Bind(1, id);
            if (!row.Step()) return null;
            var found = new StoredErasure(Info(row), row.IsNull(15) ? null : row.Blob(15));
            row.Reset();
            return found;
        },
        cancellationToken);

    private const string SelectList = $"SELECT {Columns} FROM erasure WHERE dataset = ?1 AND (?2 IS NULL OR id < ?2) ORDER BY id DESC LIMIT ?3";

    public Task<IReadOnlyList<ErasureInfo>> ListAsync(string dataset, string? after, int limit, CancellationToken cancellationToken) => log.LookUpAsync<IReadOnlyList<ErasureInfo>>(
        session =>
        {
            var found = new List<ErasureInfo>();
            var row = session.Statement(SelectList).Bind(1, dataset).Bind(2, after).Bind(3, limit);
            while (row.Step()) found.Add(Info(row));
            return found;
        },
        cancellationToken);

    private const string SelectPending = "SELECT id, dataset FROM erasure WHERE step < 3 ORDER BY id";

    public Task<IReadOnlyList<(string Id, string Dataset)>> PendingAsync(CancellationToken cancellationToken) => log.LookUpAsync<IReadOnlyList<(string, string)>>(
        session =>
        {
            var found = new List<(string, string)>();
            var row = session.Statement(SelectPending);
            while (row.Step()) found.Add((row.Text(0), row.Text(1)));
            return found;
        },
        cancellationToken);

    private const string OverwriteBatch =
        "UPDATE batch SET payload = ?3 WHERE partition_id = (SELECT id FROM partition_head WHERE partition_key = ?1) AND sequence = ?2 RETURNING id";

    private const string OverwritePush = "UPDATE push SET payload = ?2 WHERE batch_id = ?1";

    public Task OverwriteAsync(string partition, IReadOnlyList<LogBatch> batches, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batches);
        var payloads = batches.Select(batch => (batch.Sequence, Payload: LogBatchCodec.Encode(batch), Push: batch.Push is null ? null : LogBatchCodec.EncodePush(batch.Push))).ToArray();
        return log.WriteAsync(
            session =>
            {
                foreach (var (sequence, payload, push) in payloads)
                {
                    var statement = session.Statement(OverwriteBatch).Bind(1, partition).Bind(2, sequence).Bind(3, payload);
                    if (!statement.Step()) throw new InvalidOperationException($"Partition {partition}: sequence {sequence} is not in the log.");
                    var id = statement.Int64(0);
                    statement.Run();
                    if (push is not null) session.Statement(OverwritePush).Bind(1, id).Bind(2, push).Run();
                }

                return true;
            },
            cancellationToken);
    }

    private const string SelectPartition = "SELECT id FROM history_position WHERE partition_key = ?1";
    private const string DropVersion = "DELETE FROM record_version WHERE partition_id = ?1 AND time = ?2 AND row_key = ?3 AND from_sequence = ?4";
    private const string DropSeries = "DELETE FROM series_newest WHERE partition_id = ?1 AND series_key = ?2";
    private const string SelectQuarantined = "SELECT payload FROM quarantined_row WHERE partition_id = ?1 AND sequence = ?2 AND idx = ?3";

    /// <summary>An open row is erased; one that was settled stays settled, without its content.</summary>
    private const string OverwriteQuarantined =
        """
        UPDATE quarantined_row SET payload = ?4, value = NULL, corrected = NULL, state = CASE state WHEN 0 THEN 4 ELSE state END
        WHERE partition_id = ?1 AND sequence = ?2 AND idx = ?3
        """;

    private const string OverwriteAct = "UPDATE quarantine_act SET rule = ?3, reason = ?4 WHERE partition_id = ?1 AND sequence = ?2";

    public async Task EraseHistoryAsync(string partition, HistoryErasure erasure, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(erasure);
        await history.WriteAsync(
            session =>
            {
                var position = session.Statement(SelectPartition).Bind(1, partition);
                if (!position.Step()) return false;
                var id = position.Int64(0);
                position.Reset();
                foreach (var (time, key, from) in erasure.Versions) session.Statement(DropVersion).Bind(1, id).Bind(2, time).Bind(3, key).Bind(4, from).Run();
                store.EraseVersions(session, id, erasure.Versions);
                foreach (var series in erasure.Series) session.Statement(DropSeries).Bind(1, id).Bind(2, series).Run();
                foreach (var (sequence, index) in erasure.Quarantined)
                {
                    var row = session.Statement(SelectQuarantined).Bind(1, id).Bind(2, sequence).Bind(3, index);
                    if (!row.Step()) continue;
                    var content = LogBatchCodec.DecodeQuarantined(row.Blob(0));
                    row.Reset();
                    var erased = new QuarantinedRow(content.Row, Array.ConvertAll(content.Errors, error => error with { Value = null }), QuarantinedRow.ErasedRaw);
                    session.Statement(OverwriteQuarantined).Bind(1, id).Bind(2, sequence).Bind(3, index).Bind(4, LogBatchCodec.EncodeQuarantined(erased)).Run();
                }

                if (erasure.Act is { } act) session.Statement(OverwriteAct).Bind(1, id).Bind(2, act.Sequence).Bind(3, act.Rule).Bind(4, act.Reason).Run();
                return true;
            },
            cancellationToken);
        store.Forget();
    }

    private const string SelectSequence = "SELECT id, sequence, series_sequence FROM history_position WHERE partition_key = ?1";

    public Task<bool> EraseSeriesAsync(string partition, IReadOnlyCollection<byte[]> series, long upTo, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(series);
        return history.WriteAsync(
            session =>
            {
                var position = session.Statement(SelectSequence).Bind(1, partition);
                if (!position.Step()) return true;
                var (id, sequence, raised) = (position.Int64(0), position.Int64(1), position.Int64(2));
                position.Reset();
                if (sequence > upTo || raised < sequence) return false;
                foreach (var one in series) session.Statement(DropSeries).Bind(1, id).Bind(2, one).Run();
                return true;
            },
            cancellationToken);
    }

    public async Task<bool> CompactAsync(CancellationToken cancellationToken)
    {
        var all = true;
        foreach (var file in files) all &= await file.CompactAsync(compactUpToBytes(), cancellationToken);
        return all;
    }

    private static ErasureInfo Info(SqliteStatement row) => new(
        row.Text(0), row.Text(1), (ErasureStep)row.Int32(2), new DateTimeOffset(row.Int64(3), TimeSpan.Zero), row.IsNull(4) ? null : new DateTimeOffset(row.Int64(4), TimeSpan.Zero),
        row.IsNull(5) ? null : row.Text(5), row.IsNull(6) ? null : row.Text(6), row.Text(7), row.Text(8), row.Text(9).Split('\n'),
        row.Int64(10), row.Int64(11), row.Int64(12), row.Int64(13), row.IsNull(14) ? null : row.Int32(14) == 1);
}
