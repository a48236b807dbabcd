using System.Collections.Concurrent;

using DataHub.Feeds;

using Npgsql;

namespace DataHub.Storage.Postgres;

/// <summary>The log in PostgreSQL. An append is one round trip and one commit.</summary>
/// <param name="clock">Null: the database's clock, as everywhere but in tests that turn their own.</param>
internal sealed class PostgresLogStore(PostgresDatabase database, TimeProvider? clock = null) : ILogStore
{
    /// <summary>How long an idempotency key is remembered.</summary>
    public static readonly TimeSpan KeyLifetime = TimeSpan.FromDays(30);

    /// <summary>How far ahead the months of the log are made.</summary>
    private static readonly TimeSpan s_ahead = TimeSpan.FromDays(70);


    private readonly TimeProvider _time = clock ?? TimeProvider.System;

    // Ids are given once and partitions never go away, so what was read once holds for good.
    private readonly ConcurrentDictionary<string, long> _idOf = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<long, string> _nameOf = new();
    private long _monthsUntil;

    private const string SelectIncarnation = "SELECT id FROM incarnation";

    public async Task<Guid> IncarnationAsync(CancellationToken cancellationToken)
    {
        var found = await database.ReadAsync(new(SelectIncarnation), static row => row.GetGuid(0), cancellationToken);
        return found.Count == 1 ? found[0] : throw new SchemaException("Dem Log fehlt seine Kennung. The log has lost its incarnation id.");
    }

    private const string RaiseEpoch =
        """
        INSERT INTO shard_head AS h (shard, epoch, position, received_at) VALUES ($1, 1, 0, 0)
        ON CONFLICT (shard) DO UPDATE SET epoch = h.epoch + 1
        RETURNING epoch, position
        """;

    public async Task<ShardHead> ClaimAsync(int shard, CancellationToken cancellationToken)
    {
        Check(shard);
        await MakeMonthsAsync(_time.GetUtcNow().UtcTicks, cancellationToken);
        await using var connection = await database.Source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var head = (await PostgresDatabase.ReadAsync(connection, new PostgresStatement(RaiseEpoch).Bind(shard), static row => (Epoch: row.GetInt64(0), Position: row.GetInt64(1)), cancellationToken))[0];
        // The head's row is locked by now: no append of the writer before can come between.
        var partitions = await PostgresDatabase.ReadAsync(connection, new PostgresStatement(SelectPartitions).Bind(shard), PartitionHeadOf, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return new(head.Epoch, head.Position, partitions);
    }

    public async Task<bool> AppendAsync(int shard, long epoch, long expectedPosition, IReadOnlyList<LogBatch> batches, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batches);
        Check(shard);
        CheckPlaces(shard, expectedPosition, batches);
        if (batches.Count == 0) throw new ArgumentException("Nothing to append.", nameof(batches));

        long? now = clock is null ? null : _time.GetUtcNow().UtcTicks;
        await MakeMonthsAsync(_time.GetUtcNow().UtcTicks, cancellationToken);
        var statements = AppendStatements(shard, epoch, expectedPosition, batches, now);
        var (done, receivedAt) = await database.WriteAsync(statements, static row => row.GetInt64(0), cancellationToken);
        if (!done) return false;
        foreach (var batch in batches) batch.ReceivedAt = new DateTimeOffset(receivedAt, TimeSpan.Zero);
        return true;
    }

    private const string MoveHead =
        """
        WITH moved AS (
          UPDATE shard_head SET position = $4, received_at = greatest(received_at, coalesce($5, ticks(clock_timestamp())))
          WHERE shard = $1 AND epoch = $2 AND position = $3
          RETURNING received_at)
        SELECT max(received_at), require(count(*) = 1, 'DH001') FROM moved
        """;

    /// <summary>Each partition's head moves to its last batch, from where its first continues; a new one begins.</summary>
    private const string MovePartitions =
        """
        WITH move AS (
          SELECT * FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::int[], $6::int[]) AS m (partition_key, before, last, contract_version, area_version)),
        moved AS (
          UPDATE partition_head h SET sequence = m.last, contract_version = m.contract_version, area_version = m.area_version
          FROM move m WHERE h.partition_key = m.partition_key AND h.shard = $1 AND h.sequence = m.before
          RETURNING 1),
        made AS (
          INSERT INTO partition_head (partition_key, shard, sequence, contract_version, area_version)
          SELECT partition_key, $1, last, contract_version, area_version FROM move WHERE before = 0
          ON CONFLICT (partition_key) DO NOTHING
          RETURNING 1)
        SELECT require((SELECT count(*) FROM moved) + (SELECT count(*) FROM made) = cardinality($2::text[]), 'DH002')
        """;

    private const string InsertBatches =
        """
        INSERT INTO batch (shard, position, partition_id, sequence, received_at, payload)
        SELECT $1, b.position, p.id, b.sequence, h.received_at, b.payload
        FROM shard_head h, unnest($2::bigint[], $3::text[], $4::bigint[], $5::bytea[]) AS b (position, partition_key, sequence, payload)
        JOIN partition_head p USING (partition_key)
        WHERE h.shard = $1
        """;

    private const string InsertPushes =
        """
        INSERT INTO push (shard, position, receipt, part, partition_id, sequence, received_at, payload)
        SELECT $1, b.position, b.receipt, b.part, p.id, b.sequence, h.received_at, b.payload
        FROM shard_head h, unnest($2::bigint[], $3::text[], $4::bigint[], $5::bytea[], $6::text[], $7::int[]) AS b (position, partition_key, sequence, payload, receipt, part)
        JOIN partition_head p USING (partition_key)
        WHERE h.shard = $1
        """;

    /// <summary>A key that has outlived its time is taken over; one that is alive stays, and the append is refused.</summary>
    private const string InsertKeys =
        """
        WITH put AS (
          INSERT INTO push_key AS k (dataset, feed, idempotency_key, part, shard, position, received_at)
          SELECT b.dataset, b.feed, b.idempotency_key, b.part, $1, b.position, h.received_at
          FROM shard_head h, unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::int[]) AS b (position, dataset, feed, idempotency_key, part)
          WHERE h.shard = $1
          ON CONFLICT (dataset, feed, idempotency_key, part)
          DO UPDATE SET shard = excluded.shard, position = excluded.position, received_at = excluded.received_at WHERE k.received_at < excluded.received_at - $7
          RETURNING 1)
        SELECT require(count(*) = cardinality($2::bigint[]), 'DH002') FROM put
        """;

    private static List<PostgresStatement> AppendStatements(int shard, long epoch, long expectedPosition, IReadOnlyList<LogBatch> batches, long? now)
    {
        var pushed = new List<LogBatch>(batches.Count);
        var keyed = new List<LogBatch>(batches.Count);
        foreach (var batch in batches)
        {
            if (batch.Push is null) continue;
            pushed.Add(batch);
            if (batch.Push.IdempotencyKey is not null) keyed.Add(batch);
        }

        var moves = Moves(batches);
        var statements = new List<PostgresStatement>(5)
        {
            new PostgresStatement(MoveHead).Bind(shard).Bind(epoch).Bind(expectedPosition).Bind(expectedPosition + batches.Count).BindNullable(now),
            new PostgresStatement(MovePartitions).Bind(shard)
                .Bind(Array(moves, m => m.Last.Partition)).Bind(Array(moves, m => m.Before)).Bind(Array(moves, m => m.Last.Sequence))
                .Bind(Array(moves, m => m.Last.ContractVersion)).Bind(Array(moves, m => m.Last.AreaVersion)),
            new PostgresStatement(InsertBatches).Bind(shard)
                .Bind(Array(batches, b => b.Position)).Bind(Array(batches, b => b.Partition)).Bind(Array(batches, b => b.Sequence)).Bind(Array(batches, LogBatchCodec.Encode)),
        };
        if (pushed.Count > 0)
        {
            statements.Add(new PostgresStatement(InsertPushes).Bind(shard)
                .Bind(Array(pushed, b => b.Position)).Bind(Array(pushed, b => b.Partition)).Bind(Array(pushed, b => b.Sequence)).Bind(Array(pushed, b => LogBatchCodec.EncodePush(b.Push!)))
                .Bind(Array(pushed, b => b.Push!.Receipt)).Bind(Array(pushed, b => b.Push!.Part)));
        }

        if (keyed.Count > 0)
        {
            statements.Add(new PostgresStatement(InsertKeys).Bind(shard)
                .Bind(Array(keyed, b => b.Position)).Bind(Array(keyed, b => b.Push!.Dataset)).Bind(Array(keyed, b => b.Push!.Feed))
                .Bind(Array(keyed, b => b.Push!.IdempotencyKey!)).Bind(Array(keyed, b => b.Push!.Part)).Bind(KeyLifetime.Ticks));
        }

        return statements;
    }

    private static List<(long Before, LogBatch Last)> Moves(IReadOnlyList<LogBatch> batches)
    {
        var moves = new Dictionary<string, (long Before, LogBatch Last)>(StringComparer.Ordinal);
        foreach (var batch in batches)
        {
            if (!moves.TryGetValue(batch.Partition, out var move)) move = (batch.Sequence - 1, batch);
            else if (batch.Sequence != move.Last.Sequence + 1)
            {
                throw new InvalidOperationException($"Partition {batch.Partition}, shard {batch.Shard}: sequence {batch.Sequence} does not continue {move.Last.Sequence}.");
            }

            moves[batch.Partition] = (move.Before, batch);
        }

        // In one order everywhere, so that nobody waits for each other.
        return [.. moves.Values.OrderBy(move => move.Last.Partition, StringComparer.Ordinal)];
    }

    private const string MakeMonths = "SELECT add_log_months($1, $2)";

    private async Task MakeMonthsAsync(long now, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _monthsUntil) > now + (s_ahead.Ticks / 2)) return;
        await database.ReadAsync(new PostgresStatement(MakeMonths).Bind(now - TimeSpan.TicksPerDay).Bind(now + s_ahead.Ticks), static row => row.GetInt32(0), cancellationToken);
        Volatile.Write(ref _monthsUntil, now + s_ahead.Ticks);
    }

    private const string BatchColumns = "shard, position, partition_id, sequence, received_at, payload";

    /// <summary>Bounded by rows and by bytes, but at least one.</summary>
    private const string SelectShard =
        $"""
        SELECT {BatchColumns} FROM (
          SELECT b.*, sum(octet_length(payload)) OVER (ORDER BY position) AS bytes, row_number() OVER (ORDER BY position) AS place FROM (
            SELECT {BatchColumns} FROM batch WHERE shard = $1 AND position > $2 ORDER BY position LIMIT $3) b) c
        WHERE bytes <= $4 OR place = 1 ORDER BY position
        """;

    public async Task<IReadOnlyList<LogBatch>> ReadShardAsync(int shard, long after, int maxBatches, int maxBytes, CancellationToken cancellationToken)
    {
        Check(shard);
        ArgumentOutOfRangeException.ThrowIfNegative(after);
        return await ReadBatchesAsync(new PostgresStatement(SelectShard).Bind(shard).Bind(after).Bind((long)maxBatches).Bind((long)maxBytes), cancellationToken);
    }

    private const string SelectPartition =
        $"""
        SELECT {BatchColumns} FROM (
          SELECT b.*, sum(octet_length(payload)) OVER (ORDER BY sequence) AS bytes, row_number() OVER (ORDER BY sequence) AS place FROM (
            SELECT {BatchColumns} FROM batch WHERE partition_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3) b) c
        WHERE bytes <= $4 OR place = 1 ORDER BY sequence
        """;

    public async Task<IReadOnlyList<LogBatch>> ReadPartitionAsync(string partition, long after, int maxBatches, int maxBytes, CancellationToken cancellationToken) =>
        await IdAsync(partition, cancellationToken) is { } id
            ? await ReadBatchesAsync(new PostgresStatement(SelectPartition).Bind(id).Bind(after).Bind((long)maxBatches).Bind((long)maxBytes), cancellationToken)
            : [];

    private const string SelectHead = "SELECT sequence FROM partition_head WHERE partition_key = $1";

    public async Task<long> HeadAsync(string partition, CancellationToken cancellationToken) =>
        (await database.ReadAsync(new PostgresStatement(SelectHead).Bind(partition), static row => row.GetInt64(0), cancellationToken)).FirstOrDefault();

    /// <summary>The lock waits for an append under way, which may carry an earlier instant.</summary>
    private const string LockShard = "SELECT h.position FROM shard_head h JOIN partition_head p ON p.shard = h.shard WHERE p.partition_key = $1 FOR UPDATE OF h";

    private const string SelectSequenceAt = "SELECT sequence_at(p.id, p.sequence, $2) FROM partition_head p WHERE p.partition_key = $1";

    public async Task<long> SequenceAtAsync(string partition, DateTimeOffset instant, CancellationToken cancellationToken)
    {
        await using var connection = await database.Source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await PostgresDatabase.ReadAsync(connection, new PostgresStatement(LockShard).Bind(partition), static row => row.GetInt64(0), cancellationToken);
        var found = await PostgresDatabase.ReadAsync(connection, new PostgresStatement(SelectSequenceAt).Bind(partition).Bind(instant.UtcTicks), static row => row.GetInt64(0), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return found.FirstOrDefault();
    }

    /// <summary>What is asked for, where it lies, or how far the shard is; and whether the partition has it.</summary>
    private const string SelectPosition =
        """
        SELECT coalesce(p.sequence >= $3, false),
          (SELECT b.position FROM batch b WHERE b.partition_id = p.id AND b.sequence = $3),
          (SELECT h.position FROM shard_head h WHERE h.shard = $1)
        FROM (SELECT 1) one LEFT JOIN partition_head p ON p.partition_key = $2
        """;

    public async Task<long> PositionOfAsync(int shard, string partition, long sequence, CancellationToken cancellationToken)
    {
        Check(shard);
        ArgumentOutOfRangeException.ThrowIfNegative(sequence);
        if (sequence == 0) return 0;
        var (has, position, head) = (await database.ReadAsync(
            new PostgresStatement(SelectPosition).Bind(shard).Bind(partition).Bind(sequence),
            static row => (row.GetBoolean(0), row.IsDBNull(1) ? (long?)null : row.GetInt64(1), row.IsDBNull(2) ? 0 : row.GetInt64(2)), cancellationToken))[0];
        if (!has) return head;
        return position ?? throw new InvalidOperationException($"Partition {partition}: sequence {sequence} is no longer in the log.");
    }

    private const string SelectPartitions =
        "SELECT partition_key, sequence, contract_version, area_version FROM partition_head WHERE shard = $1 ORDER BY partition_key";

    public async Task<IReadOnlyList<PartitionHead>> PartitionsAsync(int shard, CancellationToken cancellationToken)
    {
        Check(shard);
        return await database.ReadAsync(new PostgresStatement(SelectPartitions).Bind(shard), PartitionHeadOf, cancellationToken);
    }

    private const string SelectPush =
        """
        SELECT p.payload, h.partition_key, p.sequence, p.received_at
        FROM push_key k JOIN push p ON p.shard = k.shard AND p.position = k.position JOIN partition_head h ON h.id = p.partition_id
        WHERE k.dataset = $1 AND k.feed = $2 AND k.idempotency_key = $3 AND k.part = $4 AND k.received_at >= coalesce($5, ticks(clock_timestamp())) - $6
        """;

    public async Task<PartReceipt?> FindPushAsync(string dataset, string feed, string idempotencyKey, int part, CancellationToken cancellationToken)
    {
        var found = await database.ReadAsync(
            new PostgresStatement(SelectPush).Bind(dataset).Bind(feed).Bind(idempotencyKey).Bind(part).BindNullable(clock?.GetUtcNow().UtcTicks).Bind(KeyLifetime.Ticks),
            ReceiptOf, cancellationToken);
        return found.Count == 0 ? null : found[0];
    }

    private const string SelectReceipt =
        """
        SELECT p.payload, h.partition_key, p.sequence, p.received_at FROM push p JOIN partition_head h ON h.id = p.partition_id
        WHERE p.receipt = $1 ORDER BY p.part
        """;

    public async Task<IReadOnlyList<PartReceipt>> FindReceiptAsync(string receipt, CancellationToken cancellationToken) =>
        await database.ReadAsync(new PostgresStatement(SelectReceipt).Bind(receipt), ReceiptOf, cancellationToken);

    private async Task<IReadOnlyList<LogBatch>> ReadBatchesAsync(PostgresStatement statement, CancellationToken cancellationToken)
    {
        var packed = await database.ReadAsync(
            statement,
            static row => (Shard: row.GetInt32(0), Position: row.GetInt64(1), Partition: row.GetInt64(2), Sequence: row.GetInt64(3), ReceivedAt: row.GetInt64(4), Payload: row.Blob(5)),
            cancellationToken);
        var batches = new LogBatch[packed.Count];
        for (var i = 0; i < batches.Length; i++)
        {
            var row = packed[i];
            batches[i] = LogBatchCodec.Decode(
                row.Payload, row.Shard, row.Position, await NameAsync(row.Partition, cancellationToken), row.Sequence, new DateTimeOffset(row.ReceivedAt, TimeSpan.Zero));
        }

        return batches;
    }

    private const string SelectId = "SELECT id FROM partition_head WHERE partition_key = $1";

    private async ValueTask<long?> IdAsync(string partition, CancellationToken cancellationToken)
    {
        if (_idOf.TryGetValue(partition, out var known)) return known;
        var found = await database.ReadAsync(new PostgresStatement(SelectId).Bind(partition), static row => row.GetInt64(0), cancellationToken);
        return found.Count == 0 ? null : _idOf[partition] = found[0];
    }

    private const string SelectName = "SELECT partition_key FROM partition_head WHERE id = $1";

    private async ValueTask<string> NameAsync(long id, CancellationToken cancellationToken)
    {
        if (_nameOf.TryGetValue(id, out var known)) return known;
        var found = await database.ReadAsync(new PostgresStatement(SelectName).Bind(id), static row => row.GetString(0), cancellationToken);
        return _nameOf[id] = found[0];
    }

    private static PartitionHead PartitionHeadOf(NpgsqlDataReader row) => new(row.GetString(0), row.GetInt64(1), row.GetInt32(2), row.GetInt32(3));

    private static PartReceipt ReceiptOf(NpgsqlDataReader row) =>
        new(LogBatchCodec.DecodePush(row.Blob(0)), row.GetString(1), row.GetInt64(2), new DateTimeOffset(row.GetInt64(3), TimeSpan.Zero), Replayed: false);

    private static TOut[] Array<TIn, TOut>(IReadOnlyList<TIn> items, Func<TIn, TOut> select)
    {
        var values = new TOut[items.Count];
        for (var i = 0; i < values.Length; i++) values[i] = select(items[i]);
        return values;
    }

    private static void Check(int shard)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(shard);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(shard, ushort.MaxValue);
    }

    private static void CheckPlaces(int shard, long expectedPosition, IReadOnlyList<LogBatch> batches)
    {
        for (var i = 0; i < batches.Count; i++)
        {
            var batch = batches[i];
            if (batch.Shard != shard || batch.Position != expectedPosition + 1 + i || batch.Sequence < 1)
            {
                throw new ArgumentException(
                    $"Batch {i} is made for {batch.Shard}/{batch.Position}, sequence {batch.Sequence} of {batch.Partition}; its place is {shard}/{expectedPosition + 1 + i}.", nameof(batches));
            }
        }
    }
}
