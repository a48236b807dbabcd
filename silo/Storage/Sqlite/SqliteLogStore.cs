using System.Collections.Concurrent;

using DataHub.Feeds;

namespace DataHub.Storage.Sqlite;

/// <summary>The log in <c>log.db</c>. Appends of all shards that wait together share a commit.</summary>
internal sealed class SqliteLogStore(SqliteFile file, TimeProvider time) : ILogStore
{
    /// <summary>How long an idempotency key is remembered.</summary>
    public static readonly TimeSpan KeyLifetime = TimeSpan.FromDays(30);

    private const int PositionBits = 47;
    private const long GreatestPosition = (1L << PositionBits) - 1;

    // Ids are given once and partitions never go away, so what was read once holds for good.
    private readonly ConcurrentDictionary<string, long> _idOf = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<long, string> _nameOf = new();

    public SqliteFile File => file;

    private const string SelectIncarnation = "SELECT id FROM incarnation";

    public Task<Guid> IncarnationAsync(CancellationToken cancellationToken) => file.LookUpAsync(
        static session =>
        {
            var statement = session.Statement(SelectIncarnation);
            if (!statement.Step()) throw new SchemaException("Dem Log fehlt seine Kennung. The log has lost its incarnation id.");
            var id = new Guid(statement.Blob(0));
            statement.Reset();
            return id;
        },
        cancellationToken);

    private const string RaiseEpoch =
        """
        INSERT INTO shard_head (shard, epoch, position, received_at) VALUES (?1, 1, 0, 0)
        ON CONFLICT (shard) DO UPDATE SET epoch = epoch + 1
        RETURNING epoch, position
        """;

    public Task<ShardHead> ClaimAsync(int shard, CancellationToken cancellationToken)
    {
        Check(shard);
        return file.WriteAsync(
            session =>
            {
                var statement = session.Statement(RaiseEpoch).Bind(1, shard);
                statement.Step();
                var (epoch, position) = (statement.Int64(0), statement.Int64(1));
                statement.Run();
                return new ShardHead(epoch, position, Partitions(session, shard));
            },
            cancellationToken);
    }

    public async Task<bool> AppendAsync(int shard, long epoch, long expectedPosition, IReadOnlyList<LogBatch> batches, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batches);
        Check(shard);
        CheckPlaces(shard, expectedPosition, batches);
        if (batches.Count == 0) throw new ArgumentException("Nothing to append.", nameof(batches));

        // Packed here, on the caller's thread: the writer's only writes.
        var payloads = new byte[batches.Count][];
        var pushes = new byte[]?[batches.Count];
        for (var i = 0; i < payloads.Length; i++)
        {
            payloads[i] = LogBatchCodec.Encode(batches[i]);
            if (batches[i].Push is { } push) pushes[i] = LogBatchCodec.EncodePush(push);
        }

        var receivedAt = await file.WriteAsync(session => Append(session, shard, epoch, expectedPosition, batches, payloads, pushes), cancellationToken);
        if (receivedAt is not { } ticks) return false;
        foreach (var batch in batches) batch.ReceivedAt = new DateTimeOffset(ticks, TimeSpan.Zero);
        return true;
    }

    private const string MoveHead =
        """
        UPDATE shard_head SET position = ?4, received_at = max(received_at, ?5)
        WHERE shard = ?1 AND epoch = ?2 AND position = ?3
        RETURNING received_at
        """;

    private const string InsertBatch = "INSERT INTO batch (id, partition_id, sequence, received_at, payload) VALUES (?1, ?2, ?3, ?4, ?5)";

    private const string InsertPush =
        "INSERT INTO push (batch_id, receipt, part, partition_id, sequence, received_at, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

    /// <summary>A key that has outlived its time is taken over; one that is alive stays, and the append is refused.</summary>
    private const string InsertKey =
        """
        INSERT INTO push_key (dataset, feed, idempotency_key, part, batch_id, received_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (dataset, feed, idempotency_key, part)
        DO UPDATE SET batch_id = excluded.batch_id, received_at = excluded.received_at WHERE received_at < ?7
        """;

    /// <returns>Ticks at which the batches were received; null where the shard stands elsewhere, and nothing was changed.</returns>
    private long? Append(SqliteSession session, int shard, long epoch, long expectedPosition, IReadOnlyList<LogBatch> batches, byte[][] payloads, byte[]?[] pushes)
    {
        var head = session.Statement(MoveHead)
            .Bind(1, shard).Bind(2, epoch).Bind(3, expectedPosition).Bind(4, expectedPosition + batches.Count).Bind(5, time.GetUtcNow().UtcTicks);
        if (!head.Step()) return null;
        var receivedAt = head.Int64(0);
        head.Run();

        var partitionIds = MovePartitions(session, shard, batches);
        for (var i = 0; i < batches.Count; i++)
        {
            var batch = batches[i];
            var (id, partitionId) = (Id(shard, batch.Position), partitionIds[batch.Partition]);
            session.Statement(InsertBatch).Bind(1, id).Bind(2, partitionId).Bind(3, batch.Sequence).Bind(4, receivedAt).Bind(5, payloads[i]).Run();
            if (batch.Push is not { } push) continue;
            session.Statement(InsertPush)
                .Bind(1, id).Bind(2, push.Receipt).Bind(3, push.Part).Bind(4, partitionId).Bind(5, batch.Sequence).Bind(6, receivedAt).Bind(7, pushes[i]).Run();
            if (push.IdempotencyKey is not { } key) continue;
            var stored = session.Statement(InsertKey)
                .Bind(1, push.Dataset).Bind(2, push.Feed).Bind(3, key).Bind(4, push.Part).Bind(5, id).Bind(6, receivedAt).Bind(7, receivedAt - KeyLifetime.Ticks).Run();
            if (stored == 0)
            {
                throw new InvalidOperationException(
                    $"Idempotency key of feed {push.Dataset}/{push.Feed}, part {push.Part}, receipt {push.Receipt}: another push has stored it; look it up before appending.");
            }
        }

        return receivedAt;
    }

    private const string MovePartition =
        """
        INSERT INTO partition_head (partition_key, shard, sequence, contract_version, area_version)
        SELECT ?1, ?2, ?4, ?5, ?6 WHERE ?3 = 0 OR EXISTS (SELECT 1 FROM partition_head WHERE partition_key = ?1)
        ON CONFLICT (partition_key)
        DO UPDATE SET sequence = excluded.sequence, contract_version = excluded.contract_version, area_version = excluded.area_version
        WHERE shard = ?2 AND sequence = ?3
        RETURNING id
        """;

    /// <summary>Moves each partition's head to its last batch, from where its first continues.</summary>
    private static Dictionary<string, long> MovePartitions(SqliteSession session, int shard, IReadOnlyList<LogBatch> batches)
    {
        var moves = new Dictionary<string, (long Before, LogBatch Last)>(StringComparer.Ordinal);
        foreach (var batch in batches)
        {
            if (!moves.TryGetValue(batch.Partition, out var move)) move = (batch.Sequence - 1, batch);
            else if (batch.Sequence != move.Last.Sequence + 1) throw Hole(batch, move.Last.Sequence);
            moves[batch.Partition] = (move.Before, batch);
        }

        var ids = new Dictionary<string, long>(moves.Count, StringComparer.Ordinal);
        foreach (var (partition, (before, last)) in moves)
        {
            var statement = session.Statement(MovePartition)
                .Bind(1, partition).Bind(2, shard).Bind(3, before).Bind(4, last.Sequence).Bind(5, last.ContractVersion).Bind(6, last.AreaVersion);
            if (!statement.Step()) throw Hole(last, null);
            ids.Add(partition, statement.Int64(0));
            statement.Run();
        }

        return ids;
    }

    private static InvalidOperationException Hole(LogBatch batch, long? after) => new(
        $"Partition {batch.Partition}, shard {batch.Shard}: sequence {batch.Sequence} does not continue " +
        (after is null ? "what is stored, or the partition belongs to another shard." : $"{after}."));

    private const string SelectShard =
        """
        SELECT id, partition_id, sequence, received_at, payload FROM batch
        WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3
        """;

    public async Task<IReadOnlyList<LogBatch>> ReadShardAsync(int shard, long after, int maxBatches, int maxBytes, CancellationToken cancellationToken)
    {
        Check(shard);
        ArgumentOutOfRangeException.ThrowIfNegative(after);
        return await ReadAsync(
            session => session.Statement(SelectShard).Bind(1, Id(shard, after)).Bind(2, Id(shard, GreatestPosition)).Bind(3, maxBatches), maxBytes, cancellationToken);
    }

    private const string SelectPartition =
        """
        SELECT id, partition_id, sequence, received_at, payload FROM batch
        WHERE partition_id = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3
        """;

    public async Task<IReadOnlyList<LogBatch>> ReadPartitionAsync(string partition, long after, int maxBatches, int maxBytes, CancellationToken cancellationToken) =>
        await ReadAsync(
            session => PartitionId(session, partition) is { } id ? session.Statement(SelectPartition).Bind(1, id).Bind(2, after).Bind(3, maxBatches) : null,
            maxBytes,
            cancellationToken);

    private const string SelectHead = "SELECT sequence FROM partition_head WHERE partition_key = ?1";

    public Task<long> HeadAsync(string partition, CancellationToken cancellationToken) => file.LookUpAsync(session => Head(session, partition), cancellationToken);

    /// <summary>So long before now an instant may still have appends under way that carry an earlier one.</summary>
    private static readonly TimeSpan s_settled = TimeSpan.FromSeconds(30);

    private const string SelectReceivedAt = "SELECT received_at FROM batch WHERE partition_id = ?1 AND sequence = ?2";

    public Task<long> SequenceAtAsync(string partition, DateTimeOffset instant, CancellationToken cancellationToken)
    {
        // Appends take their instant in the writer's turn: in a turn of its own the search comes after all earlier ones.
        return time.GetUtcNow() - instant > s_settled ? file.LookUpAsync(Search, cancellationToken) : file.WriteAsync(Search, cancellationToken);

        // Instants never fall along a partition, which lies in one shard.
        long Search(SqliteSession session)
        {
            if (PartitionId(session, partition) is not { } id) return 0;
            var (low, high) = (0L, Head(session, partition));
            while (low < high)
            {
                var middle = high - ((high - low) / 2);
                if (ReceivedAt(session, id, middle) is { } at && at > instant.UtcTicks) high = middle - 1;
                else low = middle;
            }

            return low;
        }

        static long? ReceivedAt(SqliteSession session, long id, long sequence)
        {
            var statement = session.Statement(SelectReceivedAt).Bind(1, id).Bind(2, sequence);
            if (!statement.Step()) return null;
            var at = statement.Int64(0);
            statement.Reset();
            return at;
        }
    }

    private const string SelectPosition = "SELECT id FROM batch WHERE partition_id = ?1 AND sequence = ?2";

    private const string SelectShardHead = "SELECT position FROM shard_head WHERE shard = ?1";

    public Task<long> PositionOfAsync(int shard, string partition, long sequence, CancellationToken cancellationToken)
    {
        Check(shard);
        ArgumentOutOfRangeException.ThrowIfNegative(sequence);
        if (sequence == 0) return Task.FromResult(0L);
        return file.LookUpAsync(
            session =>
            {
                if (sequence <= Head(session, partition) && PartitionId(session, partition) is { } partitionId)
                {
                    var at = session.Statement(SelectPosition).Bind(1, partitionId).Bind(2, sequence);
                    if (!at.Step()) throw new InvalidOperationException($"Partition {partition}: sequence {sequence} is no longer in the log.");
                    var id = at.Int64(0);
                    at.Reset();
                    return id & GreatestPosition;
                }

                var head = session.Statement(SelectShardHead).Bind(1, shard);
                if (!head.Step()) return 0;
                var position = head.Int64(0);
                head.Reset();
                return position;
            },
            cancellationToken);
    }

    public Task<IReadOnlyList<PartitionHead>> PartitionsAsync(int shard, CancellationToken cancellationToken)
    {
        Check(shard);
        return file.LookUpAsync<IReadOnlyList<PartitionHead>>(session => Partitions(session, shard), cancellationToken);
    }

    private const string SelectPush =
        """
        SELECT p.payload, p.partition_id, p.sequence, p.received_at
        FROM push_key k JOIN push p ON p.batch_id = k.batch_id
        WHERE k.dataset = ?1 AND k.feed = ?2 AND k.idempotency_key = ?3 AND k.part = ?4 AND k.received_at >= ?5
        """;

    public async Task<PartReceipt?> FindPushAsync(string dataset, string feed, string idempotencyKey, int part, CancellationToken cancellationToken)
    {
        var oldest = (time.GetUtcNow() - KeyLifetime).UtcTicks;
        var found = await file.LookUpAsync(
            session => Receipts(session.Statement(SelectPush).Bind(1, dataset).Bind(2, feed).Bind(3, idempotencyKey).Bind(4, part).Bind(5, oldest), session), cancellationToken);
        return found.Count == 0 ? null : found[0];
    }

    private const string SelectReceipt = "SELECT payload, partition_id, sequence, received_at FROM push WHERE receipt = ?1 ORDER BY part";

    public Task<IReadOnlyList<PartReceipt>> FindReceiptAsync(string receipt, CancellationToken cancellationToken) => file.LookUpAsync<IReadOnlyList<PartReceipt>>(
        session => Receipts(session.Statement(SelectReceipt).Bind(1, receipt), session), cancellationToken);

    private static long Id(int shard, long position) => ((long)shard << PositionBits) | position;

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

    private const string SelectPartitions =
        "SELECT partition_key, sequence, contract_version, area_version FROM partition_head WHERE shard = ?1 ORDER BY partition_key";

    private static List<PartitionHead> Partitions(SqliteSession session, int shard)
    {
        var heads = new List<PartitionHead>();
        var statement = session.Statement(SelectPartitions).Bind(1, shard);
        while (statement.Step()) heads.Add(new(statement.Text(0), statement.Int64(1), statement.Int32(2), statement.Int32(3)));
        return heads;
    }

    private static long Head(SqliteSession session, string partition)
    {
        var statement = session.Statement(SelectHead).Bind(1, partition);
        if (!statement.Step()) return 0;
        var head = statement.Int64(0);
        statement.Reset();
        return head;
    }

    private const string SelectPartitionId = "SELECT id FROM partition_head WHERE partition_key = ?1";

    private long? PartitionId(SqliteSession session, string partition)
    {
        if (_idOf.TryGetValue(partition, out var known)) return known;
        var statement = session.Statement(SelectPartitionId).Bind(1, partition);
        if (!statement.Step()) return null;
        var id = statement.Int64(0);
        statement.Reset();
        _idOf[partition] = id;
        return id;
    }

    private const string SelectPartitionName = "SELECT partition_key FROM partition_head WHERE id = ?1";

    private string PartitionName(SqliteSession session, long id)
    {
        if (_nameOf.TryGetValue(id, out var known)) return known;
        var statement = session.Statement(SelectPartitionName).Bind(1, id);
        statement.Step();
        var name = statement.Text(0);
        statement.Reset();
        _nameOf[id] = name;
        return name;
    }

    /// <summary>Reads the packed batches from one snapshot and unpacks them after it is let go.</summary>
    private async Task<LogBatch[]> ReadAsync(Func<SqliteSession, SqliteStatement?> select, int maxBytes, CancellationToken cancellationToken)
    {
        var packed = await file.ScanAsync(
            session =>
            {
                var found = new List<(long Id, string Partition, long Sequence, long ReceivedAt, byte[] Payload)>();
                if (select(session) is not { } statement) return found;
                var bytes = 0L;
                while (statement.Step())
                {
                    bytes += statement.BlobLength(4);
                    if (bytes > maxBytes && found.Count > 0)
                    {
                        statement.Reset();
                        break;
                    }

                    found.Add((statement.Int64(0), PartitionName(session, statement.Int64(1)), statement.Int64(2), statement.Int64(3), statement.Blob(4)));
                }

                return found;
            },
            cancellationToken);
        var batches = new LogBatch[packed.Count];
        for (var i = 0; i < batches.Length; i++)
        {
            var (id, partition, sequence, receivedAt, payload) = packed[i];
            batches[i] = LogBatchCodec.Decode(payload, (int)(id >> PositionBits), id & GreatestPosition, partition, sequence, new DateTimeOffset(receivedAt, TimeSpan.Zero));
        }

        return batches;
    }

    private List<PartReceipt> Receipts(SqliteStatement statement, SqliteSession session)
    {
        var receipts = new List<PartReceipt>();
        while (statement.Step())
        {
            receipts.Add(new(
                LogBatchCodec.DecodePush(statement.Blob(0)), PartitionName(session, statement.Int64(1)), statement.Int64(2),
                new DateTimeOffset(statement.Int64(3), TimeSpan.Zero), Replayed: false));
        }

        return receipts;
    }
}
