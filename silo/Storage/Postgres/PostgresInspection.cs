using DataHub.Indicators;

using Npgsql;

using Orleans.Runtime;

namespace DataHub.Storage.Postgres;

/// <summary>What operators' commands read from a cluster's database, and the two things that they change there.</summary>
/// <param name="connection">Open; its search path is the schema <c>datahub</c>.</param>
internal sealed class PostgresInspection(NpgsqlConnection connection)
{
    private const string SelectServer =
        """
        SELECT current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit'), current_setting('full_page_writes'),
          current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
          (SELECT count(*) FROM pg_stat_activity WHERE datid IS NOT NULL AND application_name NOT LIKE 'datahub/%' AND pid <> pg_backend_pid()),
          (SELECT coalesce(sum(split_part(name, '/', 2)::int), 0) FROM (
            SELECT DISTINCT application_name AS name FROM pg_stat_activity WHERE application_name ~ '^datahub/[0-9]{1,4}/') silos),
          (SELECT count(DISTINCT application_name) FROM pg_stat_activity WHERE application_name ~ '^datahub/[0-9]{1,4}/' AND datname = current_database())
        """;

    /// <summary>The server's settings that the hub depends on, and who may hold connections.</summary>
    public async Task<ServerFacts> ServerAsync(CancellationToken cancellationToken) => (await PostgresDatabase.ReadAsync(
        connection, new(SelectServer),
        static row => new ServerFacts(row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetInt32(4), row.GetInt64(5), row.GetInt64(6), row.GetInt64(7)),
        cancellationToken))[0];

    private const string SelectClock = "SELECT clock_timestamp()";

    /// <summary>The database's clock.</summary>
    public async Task<DateTimeOffset> ClockAsync(CancellationToken cancellationToken) =>
        (await PostgresDatabase.ReadAsync(connection, new(SelectClock), static row => new DateTimeOffset(row.GetDateTime(0)), cancellationToken))[0];

    private const string SelectIncarnation = "SELECT id FROM incarnation";

    public async Task<Guid?> IncarnationAsync(CancellationToken cancellationToken) =>
        (await PostgresDatabase.ReadAsync(connection, new(SelectIncarnation), static row => (Guid?)row.GetGuid(0), cancellationToken)).FirstOrDefault();

    private const string SelectShards = "SELECT shards FROM installation";

    /// <summary>How many shards were fixed at the first start; 0 before it.</summary>
    public async Task<int> ShardsAsync(CancellationToken cancellationToken) =>
        (await PostgresDatabase.ReadAsync(connection, new(SelectShards), static row => row.GetInt32(0), cancellationToken)).FirstOrDefault();

    private const string SelectHeads = "SELECT shard, epoch, position FROM shard_head ORDER BY shard";

    public async Task<IReadOnlyList<(int Shard, long Epoch, long Position)>> HeadsAsync(CancellationToken cancellationToken) =>
        await PostgresDatabase.ReadAsync(connection, new(SelectHeads), static row => (row.GetInt32(0), row.GetInt64(1), row.GetInt64(2)), cancellationToken);

    private const string SelectSilos =
        """
        SELECT silo_name, address, port, generation, status, start_time, iam_alive_time, suspect_times FROM orleans.membership
        WHERE deployment_id = $1 ORDER BY silo_name, start_time
        """;

    /// <summary>The silos of the cluster as they stand in membership, those that have gone too.</summary>
    public async Task<IReadOnlyList<SiloFacts>> SilosAsync(string clusterId, CancellationToken cancellationToken) => await PostgresDatabase.ReadAsync(
        connection, new PostgresStatement(SelectSilos).Bind(clusterId),
        static row => new SiloFacts(
            row.GetString(0), row.GetString(1), row.GetInt32(2), row.GetInt32(3), (SiloStatus)row.GetInt32(4),
            new DateTimeOffset(row.GetDateTime(5)), new DateTimeOffset(row.GetDateTime(6)), row.TextOrNull(7)),
        cancellationToken);

    private const string SelectLags =
        $"""
        SELECT h.partition_key, h.shard, h.sequence, coalesce(f.sequence, 0), coalesce(p.sequence, 0),
          CASE WHEN coalesce(f.sequence, 0) < h.sequence THEN (SELECT min(received_at) FROM batch WHERE partition_id = h.id AND sequence = coalesce(f.sequence, 0) + 1) END,
          CASE WHEN coalesce(p.sequence, 0) < h.sequence THEN (SELECT min(received_at) FROM batch WHERE partition_id = h.id AND sequence = coalesce(p.sequence, 0) + 1) END
        FROM partition_head h
        LEFT JOIN fold_position f ON f.partition_key = h.partition_key AND f.indicator = '{PartitionFold.Position}' AND f.version = 0
        LEFT JOIN history_position p ON p.partition_key = h.partition_key
        ORDER BY h.shard, h.partition_key
        """;

    /// <summary>Per partition where its log ends and how far its consumers have stored it.</summary>
    public async Task<IReadOnlyList<PartitionFacts>> PartitionsAsync(CancellationToken cancellationToken) => await PostgresDatabase.ReadAsync(
        connection, new(SelectLags),
        static row => new PartitionFacts(
            row.GetString(0), row.GetInt32(1), row.GetInt64(2),
            new(row.GetInt64(3), row.IsDBNull(5) ? null : new DateTimeOffset(row.GetInt64(5), TimeSpan.Zero)),
            new(row.GetInt64(4), row.IsDBNull(6) ? null : new DateTimeOffset(row.GetInt64(6), TimeSpan.Zero))),
        cancellationToken);

    private const string Evict =
        """
        WITH raised AS (
          UPDATE orleans.membership_version SET version = version + 1, modified_at = clock_timestamp()
          WHERE deployment_id = $1 AND EXISTS (
            SELECT 1 FROM orleans.membership WHERE deployment_id = $1 AND address = $2 AND port = $3 AND generation = $4 AND status <> 6)
          RETURNING deployment_id)
        UPDATE orleans.membership m SET status = 6 FROM raised
        WHERE m.deployment_id = raised.deployment_id AND m.address = $2 AND m.port = $3 AND m.generation = $4
        RETURNING 1
        """;

    /// <summary>Declares a silo dead. The others notice when they next read membership; it ends itself when it does.</summary>
    /// <returns>False if it was dead already.</returns>
    public async Task<bool> EvictAsync(string clusterId, SiloFacts silo, CancellationToken cancellationToken) => (await PostgresDatabase.ReadAsync(
        connection, new PostgresStatement(Evict).Bind(clusterId).Bind(silo.Address).Bind(silo.Port).Bind(silo.Generation), static row => row.GetInt32(0), cancellationToken)).Count > 0;

    private const string RenewIncarnation =
        """
        WITH renewed AS (UPDATE incarnation SET id = gen_random_uuid() RETURNING id),
        silos AS (DELETE FROM orleans.membership),
        raised AS (UPDATE orleans.membership_version SET version = version + 1, modified_at = clock_timestamp())
        SELECT id FROM renewed
        """;

    /// <summary>Gives the log a new id, and forgets the silos that the restored membership knows: none of them runs on this database.</summary>
    public async Task<Guid> RenewIncarnationAsync(CancellationToken cancellationToken) =>
        (await PostgresDatabase.ReadAsync(connection, new(RenewIncarnation), static row => row.GetGuid(0), cancellationToken))[0];
}

/// <param name="Limit">Connections for all but superusers.</param>
/// <param name="Others">Connections of other programs.</param>
/// <param name="Promised">What silos, of all hubs on the server, may hold together.</param>
/// <param name="Processes">Silos and their commands that hold connections to this database.</param>
internal sealed record ServerFacts(string Version, string Fsync, string SynchronousCommit, string FullPageWrites, int Limit, long Others, long Promised, long Processes);

/// <summary>A silo as it stands in membership.</summary>
/// <param name="Suspected">Who suspected it and when, as Orleans writes it; null: nobody.</param>
internal sealed record SiloFacts(string Name, string Address, int Port, int Generation, SiloStatus Status, DateTimeOffset Started, DateTimeOffset Alive, string? Suspected)
{
    public string Endpoint => $"{Address}:{Port}";

    public SiloAddress SiloAddress => Orleans.Runtime.SiloAddress.New(System.Net.IPAddress.Parse(Address), Port, Generation);
}

/// <param name="Head">Last sequence in the log.</param>
internal sealed record PartitionFacts(string Partition, int Shard, long Head, ConsumerFacts Fold, ConsumerFacts History);

/// <param name="Sequence">Stored up to here.</param>
/// <param name="WaitsSince">When the first batch that is not stored was received; null where there is none.</param>
internal sealed record ConsumerFacts(long Sequence, DateTimeOffset? WaitsSince);
