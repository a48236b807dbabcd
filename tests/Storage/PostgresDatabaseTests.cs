using DataHub.Storage.Postgres;
using DataHub.Support;

using Npgsql;

namespace DataHub.Storage;

/// <summary>The database itself: its schema's steps, who may do what, and what a silo checks before it works with it.</summary>
public sealed class PostgresDatabaseTests
{
    [PostgresFact]
    public async Task An_empty_database_is_migrated_once_however_many_try_at_once()
    {
        var server = await PostgresServer.SharedAsync();
        var database = await server.CreateEmptyDatabaseAsync();
        var applied = await Task.WhenAll(Enumerable.Range(0, 6).Select(async _ =>
        {
            await using var connection = await OpenAsync(database);
            return await PostgresMigrations.ApplyAsync(connection, null, default);
        }));

        Assert.Equal(PostgresMigrations.Known.Count, applied.Sum());
        await using var after = await OpenAsync(database);
        Assert.Empty(await PostgresMigrations.PendingAsync(after, default));
        await PostgresMigrations.RequireCurrentAsync(after, default);
        await server.DropDatabaseAsync(database);
    }

    [PostgresFact]
    public async Task A_migration_that_fails_leaves_those_before_it_and_nothing_of_itself()
    {
        var server = await PostgresServer.SharedAsync();
        var database = await server.CreateEmptyDatabaseAsync();
        Migration[] one = [new(1, "one", "CREATE TABLE datahub.a (x int)")];
        Migration[] broken = [.. one, new(2, "two", "CREATE TABLE datahub.b (x int); INSERT INTO nowhere VALUES (1)")];
        Migration[] mended = [.. one, new(2, "two", "CREATE TABLE datahub.b (x int); INSERT INTO datahub.b VALUES (1)")];
        await using var connection = await OpenAsync(database);

        await Assert.ThrowsAsync<PostgresException>(() => PostgresMigrations.ApplyAsync(connection, broken, null, default));
        Assert.Equal(["two"], (await PostgresMigrations.PendingAsync(connection, mended, default)).Select(migration => migration.Name));
        Assert.Equal(1, await PostgresMigrations.ApplyAsync(connection, mended, null, default));

        var newer = await Assert.ThrowsAsync<SchemaException>(() => PostgresMigrations.ApplyAsync(connection, one, null, default));
        Assert.Contains("0002_two", newer.Message, StringComparison.Ordinal);
        var other = await Assert.ThrowsAsync<SchemaException>(() => PostgresMigrations.ApplyAsync(connection, broken, null, default));
        Assert.Contains("0002_two", other.Message, StringComparison.Ordinal);
        await connection.CloseAsync();
        await server.DropDatabaseAsync(database);
    }

    [PostgresFact]
    public async Task A_migration_takes_as_long_as_it_takes_whatever_a_command_may()
    {
        var server = await PostgresServer.SharedAsync();
        var database = await server.CreateEmptyDatabaseAsync();
        await using (var connection = await OpenAsync(database + ";Command Timeout=1"))
            Assert.Equal(1, await PostgresMigrations.ApplyAsync(connection, [new(1, "slow", "SELECT pg_sleep(2.5)")], null, default));
        await server.DropDatabaseAsync(database);
    }

    [PostgresFact]
    public async Task Rows_of_the_sixth_version_whose_key_contains_the_time_are_cut_into_segments()
    {
        var server = await PostgresServer.SharedAsync();
        var database = await server.CreateEmptyDatabaseAsync();
        await using (var connection = await OpenAsync(database))
        {
            await PostgresMigrations.ApplyAsync(connection, [.. PostgresMigrations.Known.Take(6)], null, default);
            foreach (var sql in (string[])
                     [
                         "INSERT INTO datahub.history_position (id, partition_key, sequence, accepted, by_time) OVERRIDING SYSTEM VALUE VALUES (1, 'air/0', 5, 7, true)",
                         "INSERT INTO datahub.area (id, area_key) OVERRIDING SYSTEM VALUE VALUES (1, '01'), (2, '02')",
                         Sqlite.SqliteUpgradeTests.VersionsBefore("datahub.observed_version", "", "", @"'\x"),
                     ])
            {
                await using var insert = new NpgsqlCommand(sql, connection);
                await insert.ExecuteNonQueryAsync();
            }

            await PostgresMigrations.ApplyAsync(connection, null, default);
        }

        await using (var opened = PostgresDatabase.Open(new() { ConnectionString = database })) await Sqlite.SqliteUpgradeTests.AssertVersionsAsync(new PostgresHistoryStore(opened));
        await server.DropDatabaseAsync(database);
    }

    [PostgresFact]
    public async Task A_silo_does_not_open_a_database_that_is_not_as_it_needs_it()
    {
        var server = await PostgresServer.SharedAsync();
        var empty = await server.CreateEmptyDatabaseAsync();
        Assert.Contains("silo migrate", (await RefusedAsync(new() { ConnectionString = empty })).Message, StringComparison.Ordinal);
        await server.DropDatabaseAsync(empty);

        await using var scratch = await PostgresScratch.CreateAsync();
        Assert.Contains("MaxConnections", (await RefusedAsync(new() { ConnectionString = scratch.ConnectionString, MaxConnections = 400 })).Message, StringComparison.Ordinal);
        await using (await PostgresStores.OpenAsync(new() { ConnectionString = scratch.ConnectionString }, shards: 4, TimeProvider.System, default))
        {
            Assert.Contains("Shards", (await RefusedAsync(new() { ConnectionString = scratch.ConnectionString }, shards: 5)).Message, StringComparison.Ordinal);
        }

        await ExecuteAsync(scratch.ConnectionString, "INSERT INTO datahub.schema_migration (number, name, checksum) VALUES (9999, 'of_tomorrow', 'x')");
        Assert.Contains("9999_of_tomorrow", (await RefusedAsync(new() { ConnectionString = scratch.ConnectionString })).Message, StringComparison.Ordinal);

        static async Task<SchemaException> RefusedAsync(PostgresOptions options, int shards = 4) =>
            await Assert.ThrowsAsync<SchemaException>(() => PostgresStores.OpenAsync(options, shards, TimeProvider.System, default));
    }

    [PostgresFact]
    public async Task A_connection_writes_through_whatever_the_database_says_and_a_server_that_does_not_is_refused()
    {
        await using var server = await PostgresServer.StartAsync();
        var connectionString = await server.CreateDatabaseAsync();
        await ExecuteAsync(connectionString, $"ALTER DATABASE {new NpgsqlConnectionStringBuilder(connectionString).Database} SET synchronous_commit = off");
        await using (var database = PostgresDatabase.Open(new() { ConnectionString = connectionString }))
        {
            for (var use = 1; use <= 3; use++) Assert.Equal(["on"], await database.ReadAsync(new("SHOW synchronous_commit"), row => row.GetString(0), default));
            Assert.Equal(["force_generic_plan"], await database.ReadAsync(new("SHOW plan_cache_mode"), row => row.GetString(0), default));
            Assert.Equal(["on"], await database.ReadAsync(new("SHOW fsync"), row => row.GetString(0), default));
        }

        // Those of Orleans' own providers too, in every use of one and the same connection.
        await using (var providers = NpgsqlDataSource.Create(PostgresDatabase.ProvidersConnectionString(new() { ConnectionString = connectionString })))
        {
            for (var use = 1; use <= 3; use++)
            {
                await using var command = providers.CreateCommand("SHOW synchronous_commit");
                Assert.Equal("on", await command.ExecuteScalarAsync());
            }
        }

        await ExecuteAsync(connectionString, "ALTER SYSTEM SET fsync = off");
        await ExecuteAsync(connectionString, "SELECT pg_reload_conf()");
        for (var tries = 0; tries < 100 && await ScalarAsync(connectionString, "SHOW fsync") is "on"; tries++) await Task.Delay(20);
        await using var unsafely = PostgresDatabase.Open(new() { ConnectionString = connectionString });
        var refused = await Assert.ThrowsAsync<SchemaException>(() => unsafely.ReadAsync(new("SELECT 1"), row => row.GetInt32(0), default));
        Assert.Contains("fsync = off", refused.Message, StringComparison.Ordinal);
    }

    [PostgresFact]
    public async Task A_silos_role_may_read_and_write_and_nothing_else_and_an_analysts_not_even_that()
    {
        await using var scratch = await PostgresScratch.CreateAsync();
        var silo = await LoginAsync(scratch, "datahub_silo");
        var analyst = await LoginAsync(scratch, "datahub_analyst");

        await using (var stores = await PostgresStores.OpenAsync(new() { ConnectionString = silo }, shards: 4, TimeProvider.System, default))
        {
            var head = await stores.Log.ClaimAsync(0, default);
            var batch = LogBatches.At(0, 1, "air/0", 1, 3, LogBatches.Push("01A", key: "k"));
            Assert.True(await stores.Log.AppendAsync(0, head.Epoch, 0, [batch], default));
            Assert.True(await stores.History.ApplyAsync("air/0", 0, [new(batch, [new(Feeds.RowChange.New, [1], DateTime.UtcNow.Ticks, "01", [2])]) { KeyHasTime = true }], default));
            Assert.True(await stores.Cells.FlushAsync("air/0", [new("mean", 1, -1, 1, 0, 1, DateTimeOffset.UtcNow)], [new("mean", 1, 0, "01", "", 1, [3])], default));
        }

        foreach (var sql in new[]
                 {
                     "DROP TABLE datahub.batch", "TRUNCATE datahub.push", "ALTER TABLE datahub.cell ADD COLUMN x int", "CREATE TABLE datahub.x (y int)",
                     "DELETE FROM datahub.schema_migration", "UPDATE datahub.schema_migration SET checksum = ''", "CREATE ROLE somebody", "DROP FUNCTION datahub.require(boolean, text)",
                 })
        {
            Assert.Equal("42501", (await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(silo, sql))).SqlState);
        }

        foreach (var sql in new[] { "SELECT * FROM datahub.batch", "SELECT * FROM datahub.cell", "DELETE FROM datahub.push", "SELECT datahub.add_log_months(0, 1)" })
        {
            Assert.Equal("42501", (await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(analyst, sql))).SqlState);
        }
    }

    [PostgresFact]
    public async Task The_command_shows_what_is_missing_applies_it_and_has_nothing_to_do_the_second_time()
    {
        var server = await PostgresServer.SharedAsync();
        var database = await server.CreateEmptyDatabaseAsync();
        var count = PostgresMigrations.Known.Count;

        var shown = await HubProcess.RunAsync(null, "migrate", "--dry-run", "--connection", database);
        Assert.Equal(0, shown.ExitCode);
        Assert.Contains("0001_base", shown.Output, StringComparison.Ordinal);
        Assert.Equal("f", (await ScalarAsync(database, "SELECT (to_regnamespace('datahub') IS NOT NULL)::text"))?.ToString()?[..1]);

        var applied = await HubProcess.RunAsync(null, "migrate", "--connection", database);
        Assert.Equal(0, applied.ExitCode);
        Assert.Contains($"{count} angewandt auf / applied to", applied.Output, StringComparison.Ordinal);
        Assert.Contains("0 angewandt auf / applied to", (await HubProcess.RunAsync(null, "migrate", "--connection", database)).Output, StringComparison.Ordinal);

        var unreachable = await HubProcess.RunAsync(null, "migrate", "--connection", "Host=127.0.0.1;Port=1;Username=x;Password=y;Timeout=2");
        Assert.Equal(2, unreachable.ExitCode);
        Assert.Contains("nicht erreichbar", unreachable.Errors, StringComparison.Ordinal);
        Assert.Equal(2, (await HubProcess.RunAsync(null, "migrate")).ExitCode);
        await server.DropDatabaseAsync(database);
    }

    private static async Task<string> LoginAsync(PostgresScratch scratch, string role)
    {
        var name = $"login_{Guid.NewGuid():N}";
        await ExecuteAsync(scratch.ConnectionString, $"CREATE ROLE {name} LOGIN PASSWORD 'tests-only' IN ROLE {role}");
        return new NpgsqlConnectionStringBuilder(scratch.ConnectionString) { Username = name, Password = "tests-only" }.ConnectionString;
    }

    private static async Task<NpgsqlConnection> OpenAsync(string connectionString)
    {
        var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync();
        return connection;
    }

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = await OpenAsync(connectionString);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<object?> ScalarAsync(string connectionString, string sql)
    {
        await using var connection = await OpenAsync(connectionString);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
