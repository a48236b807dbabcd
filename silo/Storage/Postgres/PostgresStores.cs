using System.Globalization;

using DataHub.Feeds;
using DataHub.Governance;
using DataHub.Indicators;
using DataHub.Pipelines;

using Npgsql;

namespace DataHub.Storage.Postgres;

/// <summary>A silo's stores over one pool of connections to PostgreSQL.</summary>
internal sealed class PostgresStores : IAsyncDisposable, IDisposable
{
    private PostgresStores(PostgresDatabase database, PostgresOptions options, TimeProvider time)
    {
        Database = database;
        Options = options;
        // Instants come from the database's clock, unless a test turns its own.
        Log = new PostgresLogStore(database, time == TimeProvider.System ? null : time);
        var history = new PostgresHistoryStore(database);
        History = history;
        Cells = new PostgresCellStore(database);
        Erasures = new PostgresErasureStore(database, history);
        Audit = new PostgresAuditStore(database);
        Content = new PostgresFileStore(database);
    }

    public PostgresDatabase Database { get; }

    public PostgresOptions Options { get; }

    public ILogStore Log { get; }

    public IHistoryStore History { get; }

    public ICellStore Cells { get; }

    public IErasureStore Erasures { get; }

    public IAuditStore Audit { get; }

    public IFileStore Content { get; }

    /// <summary>For Orleans' own providers, which make connections of their own.</summary>
    public string ProvidersConnectionString => PostgresDatabase.ProvidersConnectionString(Options);

    /// <summary>
    /// Opens the stores of a database that is as this program needs it: reachable, of this schema, with connections enough,
    /// and with the number of shards that was fixed at its first start.
    /// </summary>
    /// <param name="options">Validated.</param>
    /// <exception cref="SchemaException">The database is not as needed; the message says what to do.</exception>
    /// <exception cref="NpgsqlException">It cannot be reached.</exception>
    public static async Task<PostgresStores> OpenAsync(PostgresOptions options, int shards, TimeProvider time, CancellationToken cancellationToken)
    {
        var database = PostgresDatabase.Open(options);
        try
        {
            await using var connection = await database.Source.OpenConnectionAsync(cancellationToken);
            await PostgresMigrations.RequireCurrentAsync(connection, cancellationToken);
            await RequireConnectionsAsync(connection, options, cancellationToken);
            await RequireShardsAsync(connection, shards, cancellationToken);
            return new(database, options, time);
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    public ValueTask DisposeAsync() => Database.DisposeAsync();

    /// <summary>What every silo may hold stands in the name of its connections; all others count as they are.</summary>
    private const string SelectConnections =
        """
        SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
          (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name NOT LIKE 'datahub/%'),
          (SELECT coalesce(sum(split_part(name, '/', 2)::int), 0) FROM (
            SELECT DISTINCT application_name AS name FROM pg_stat_activity WHERE application_name ~ '^datahub/[0-9]{1,4}/' AND application_name <> current_setting('application_name')) silos)
        """;

    private static async Task RequireConnectionsAsync(NpgsqlConnection connection, PostgresOptions options, CancellationToken cancellationToken)
    {
        var (limit, others, silos) = (await PostgresDatabase.ReadAsync(
            connection, new(SelectConnections), static row => (row.GetInt32(0), row.GetInt64(1), row.GetInt64(2)), cancellationToken))[0];
        if (options.MaxConnections + others + silos <= limit) return;
        throw new SchemaException(string.Create(CultureInfo.InvariantCulture,
            $"PostgreSQL erlaubt {limit} Verbindungen; andere Silos dürfen {silos} halten, {others} sind sonst offen, und dieser will {options.MaxConnections}: DataHub:Postgres:MaxConnections senken oder max_connections erhöhen. ") +
            string.Create(CultureInfo.InvariantCulture,
            $"PostgreSQL allows {limit} connections; other silos may hold {silos}, {others} are open besides, and this one wants {options.MaxConnections}: lower DataHub:Postgres:MaxConnections or raise max_connections."));
    }

    private const string FixShards =
        """
        WITH fixed AS (INSERT INTO installation (shards) VALUES ($1) ON CONFLICT DO NOTHING RETURNING shards)
        SELECT shards FROM fixed UNION ALL SELECT shards FROM installation LIMIT 1
        """;

    private static async Task RequireShardsAsync(NpgsqlConnection connection, int shards, CancellationToken cancellationToken)
    {
        var stands = (await PostgresDatabase.ReadAsync(connection, new PostgresStatement(FixShards).Bind(shards), static row => row.GetInt32(0), cancellationToken)).FirstOrDefault(shards);
        if (stands == shards) return;
        throw new SchemaException(
            $"Die Einstellung DataHub:Log:Shards hat den Wert „{shards}“; erlaubt ist in dieser Datenbank nur {stands}, die Zahl ihres ersten Starts. " +
            $"The setting DataHub:Log:Shards has the value “{shards}”; allowed in this database is only {stands}, the number of its first start.");
    }
}
