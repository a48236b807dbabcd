using System.Data;
using System.Text;

using Npgsql;

namespace DataHub.Storage.Postgres;

/// <summary>The one way to the database: a pool of connections whose settings were read back, and three ways to use one.</summary>
/// <remarks>Nothing is tried again here. Every connection writes through: what is committed is on disk.</remarks>
internal sealed class PostgresDatabase : IAsyncDisposable
{
    /// <summary>SQLSTATE with which a statement ends its transaction because somebody else was faster (<c>datahub.require</c>).</summary>
    public const string Superseded = "DH001";

    /// <summary>SQLSTATE of a broken precondition: the caller's fault or the database's, not a race.</summary>
    public const string Broken = "DH002";

    /// <summary>Connections beside the pool: that which listens, and those of Orleans' own providers.</summary>
    public const int Listeners = 1, Providers = 4;

    private readonly NpgsqlDataSource _source;

    private PostgresDatabase(NpgsqlDataSource source, string listener) => (_source, ListenerConnectionString) = (source, listener);

    /// <summary>For the one connection that waits for notifications; not pooled.</summary>
    public string ListenerConnectionString { get; }

    /// <summary>For a connection of the caller's own; it is one of the pool's.</summary>
    public NpgsqlDataSource Source => _source;

    /// <param name="options">Validated.</param>
    /// <exception cref="ArgumentException">The connection string cannot be read.</exception>
    public static PostgresDatabase Open(PostgresOptions options)
    {
        var builder = new NpgsqlDataSourceBuilder(ConnectionString(options, options.MaxConnections - Listeners - Providers));
        // Plans are made once: every query was written for an index, whatever the statistics of the day say.
        builder.UsePhysicalConnectionInitializer(
            connection => Check(connection, async: false, CancellationToken.None).GetAwaiter().GetResult(),
            connection => Check(connection, async: true, CancellationToken.None));
        return new(builder.Build(), new NpgsqlConnectionStringBuilder(ConnectionString(options, 1)) { Pooling = false, MaxAutoPrepare = 0, KeepAlive = 10 }.ConnectionString);
    }

    /// <summary>For Orleans' own providers, which have a pool of their own over the schema <c>orleans</c>.</summary>
    public static string ProvidersConnectionString(PostgresOptions options) =>
        new NpgsqlConnectionStringBuilder(ConnectionString(options, Providers)) { SearchPath = "orleans", MaxAutoPrepare = 0, Options = WriteThrough(options) }.ConnectionString;

    /// <summary>Those connections are not ours to initialize: they are told as they are made.</summary>
    private static string WriteThrough(PostgresOptions options) => $"{new NpgsqlConnectionStringBuilder(options.ConnectionString).Options} -c synchronous_commit=on".TrimStart();

    /// <summary>The configured connection string with the hub's own settings in it.</summary>
    /// <param name="connections">Most that a pool over it may hold.</param>
    public static string ConnectionString(PostgresOptions options, int connections) => new NpgsqlConnectionStringBuilder(options.ConnectionString)
    {
        // So every silo can count what all of them may hold.
        ApplicationName = $"datahub/{options.MaxConnections}/{Environment.MachineName}/{Environment.ProcessId}",
        SearchPath = "datahub",
        MaxPoolSize = connections,
        MinPoolSize = 0,
        MaxAutoPrepare = 200,
        AutoPrepareMinUsages = 2,
        Timeout = (int)Math.Ceiling(options.ConnectTimeout.TotalSeconds),
        CommandTimeout = (int)Math.Ceiling(options.CommandTimeout.TotalSeconds),
        // What a connection was told at its start holds as long as it does; a reset would take it back at every use.
        NoResetOnClose = true,
        TcpKeepAlive = true,
        TcpKeepAliveTime = 5,
        TcpKeepAliveInterval = 1,
        IncludeErrorDetail = false,
    }.ConnectionString;

    /// <summary>Runs the statements in one round trip and one transaction: all of them or none.</summary>
    /// <returns>False where a statement said that somebody else was faster (<see cref="Superseded"/>); nothing was done then.</returns>
    /// <exception cref="InvalidOperationException">A statement said that the rows do not fit what stands (<see cref="Broken"/>); nothing was done.</exception>
    public async Task<bool> WriteAsync(IReadOnlyList<PostgresStatement> statements, CancellationToken cancellationToken) =>
        (await WriteAsync(statements, static _ => true, cancellationToken)).Done;

    /// <inheritdoc cref="WriteAsync(IReadOnlyList{PostgresStatement}, CancellationToken)"/>
    /// <param name="first">Reads the first row of the first statement.</param>
    public async Task<(bool Done, T? First)> WriteAsync<T>(IReadOnlyList<PostgresStatement> statements, Func<NpgsqlDataReader, T> first, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await using var connection = await _source.OpenConnectionAsync(cancellationToken);
        await using var batch = Batch(connection, statements);
        try
        {
            // Without a transaction of its own a batch is one: the server commits at its end, after the last statement.
            await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
            var result = await reader.ReadAsync(cancellationToken) ? first(reader) : default;
            while (await reader.NextResultAsync(cancellationToken))
            {
            }

            return (true, result);
        }
        catch (PostgresException e) when (e.SqlState == Superseded)
        {
            return default;
        }
        catch (PostgresException e) when (e.SqlState == Broken)
        {
            throw new InvalidOperationException(
                $"Nothing was stored: the rows do not fit what stands in the database. The statement that said so: {e.BatchCommand?.CommandText.Split('(')[0].Trim()}", e);
        }
    }

    /// <summary>All rows of one statement.</summary>
    public async Task<List<T>> ReadAsync<T>(PostgresStatement statement, Func<NpgsqlDataReader, T> row, CancellationToken cancellationToken)
    {
        await using var connection = await _source.OpenConnectionAsync(cancellationToken);
        return await ReadAsync(connection, statement, row, cancellationToken);
    }

    /// <summary>All rows of one statement on a connection of the caller's.</summary>
    public static async Task<List<T>> ReadAsync<T>(NpgsqlConnection connection, PostgresStatement statement, Func<NpgsqlDataReader, T> row, CancellationToken cancellationToken)
    {
        await using var batch = Batch(connection, [statement]);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken)) rows.Add(row(reader));
        return rows;
    }

    /// <summary>Several reads from one snapshot.</summary>
    public async Task<T> SnapshotAsync<T>(Func<NpgsqlConnection, Task<T>> read, CancellationToken cancellationToken)
    {
        await using var connection = await _source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        var result = await read(connection);
        await transaction.CommitAsync(cancellationToken);
        return result;
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private static NpgsqlBatch Batch(NpgsqlConnection connection, IReadOnlyList<PostgresStatement> statements)
    {
        var batch = new NpgsqlBatch(connection);
        foreach (var statement in statements) batch.BatchCommands.Add(statement.Command);
        return batch;
    }

    private const string Initialize =
        """
        SELECT set_config('synchronous_commit', 'on', false), set_config('plan_cache_mode', 'force_generic_plan', false),
          set_config('idle_in_transaction_session_timeout', '60s', false), current_setting('fsync'), current_setting('full_page_writes'),
          current_setting('server_encoding'), current_setting('server_version_num')::int
        """;

    /// <summary>Sets what the hub relies on and reads back what only the server's operator can set.</summary>
    private static async Task Check(NpgsqlConnection connection, bool async, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Initialize, connection);
        await using var reader = async ? await command.ExecuteReaderAsync(cancellationToken) : command.ExecuteReader();
        _ = async ? await reader.ReadAsync(cancellationToken) : reader.Read();
        Require(reader.GetString(0), "on", "synchronous_commit");
        Require(reader.GetString(3), "on", "fsync");
        Require(reader.GetString(4), "on", "full_page_writes");
        Require(reader.GetString(5), "UTF8", "server_encoding");
        if (reader.GetInt32(6) < 150_000)
        {
            throw new SchemaException("Der Hub braucht PostgreSQL 15 oder neuer. The hub needs PostgreSQL 15 or newer.");
        }

        static void Require(string value, string needed, string setting)
        {
            if (value == needed) return;
            throw new SchemaException(
                $"PostgreSQL läuft mit {setting} = {value}; der Hub braucht {needed}, sonst wäre Bestätigtes nicht dauerhaft. " +
                $"PostgreSQL runs with {setting} = {value}; the hub needs {needed}, or what it acknowledges would not be durable.");
        }
    }
}

/// <summary>Free text at rest: its UTF-8 bytes, because <c>text</c> cannot hold U+0000.</summary>
internal static class PostgresText
{
    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    public static byte[]? BytesOrNull(string? text) => text is null ? null : Encoding.UTF8.GetBytes(text);

    public static string FreeText(this NpgsqlDataReader reader, int column) => Encoding.UTF8.GetString(reader.GetFieldValue<byte[]>(column));

    public static string? FreeTextOrNull(this NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.FreeText(column);

    public static string? TextOrNull(this NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    public static byte[] Blob(this NpgsqlDataReader reader, int column) => reader.GetFieldValue<byte[]>(column);
}
