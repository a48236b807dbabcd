using System.Diagnostics;

using DataHub.Hosting;
using DataHub.Storage.Sqlite;
using DataHub.Support;

using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace DataHub.Storage;

public sealed class SqliteStoresTests : IDisposable
{
    private const long Full = 2;

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task Every_writing_connection_waits_for_the_disk()
    {
        await using var stores = SqliteStores.Open(Options(), TimeProvider.System);

        Assert.Equal(["log.db", "history.db", "cells.db", "state.db", "audit.db", "files.db"], stores.Files.Select(f => f.Name));
        foreach (var file in stores.Files)
        {
            Assert.Equal(Full, await file.WriteAsync(s => s.Number("PRAGMA synchronous"), default));
            Assert.Equal(1, await file.WriteAsync(s => s.Number("PRAGMA foreign_keys"), default));
            Assert.Equal("wal", await file.WriteAsync(JournalMode, default));
        }

        static string JournalMode(SqliteSession session)
        {
            var statement = session.Statement("PRAGMA journal_mode");
            statement.Step();
            var mode = statement.Text(0);
            statement.Reset();
            return mode;
        }
    }

    [Fact]
    public async Task The_connections_of_the_grains_storage_wait_for_the_disk_too()
    {
        await using var stores = SqliteStores.Open(Options(), TimeProvider.System);
        await using var connection = new SqliteConnection(stores.StateConnectionString);
        await connection.OpenAsync();

        // Both as such a connection is opened, and after what the provider's own statement says.
        Assert.Equal(Full, await ScalarAsync(connection, "PRAGMA synchronous"));
        Assert.Equal("wal", await ScalarAsync(connection, "PRAGMA journal_mode"));
        foreach (var key in (string[])["WriteToStorageKey", "ClearStorageKey", "DeleteStorageKey"])
        {
            var sql = (string?)await ScalarAsync(connection, $"SELECT QueryText FROM OrleansQuery WHERE QueryKey = '{key}'");
            Assert.Contains("PRAGMA synchronous = FULL", sql, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Readers_cannot_write()
    {
        await using var stores = SqliteStores.Open(Options(), TimeProvider.System);

        await Assert.ThrowsAsync<SqliteException>(() => stores.Files[0].LookUpAsync(s => s.Run("DELETE FROM incarnation"), default));
        await Assert.ThrowsAsync<SqliteException>(() => stores.Files[0].ScanAsync(s => s.Run("DELETE FROM incarnation"), default));

        Assert.NotEqual(Guid.Empty, await stores.Log.IncarnationAsync(default));
    }

    [Fact]
    public async Task A_reader_sees_one_snapshot_while_the_writer_goes_on()
    {
        await using var stores = SqliteStores.Open(Options(), TimeProvider.System);
        var file = stores.Files[0];

        var (before, after) = await file.LookUpAsync(
            s =>
            {
                var first = s.Number("SELECT count(*) FROM shard_head");
                stores.Log.ClaimAsync(0, default).GetAwaiter().GetResult();
                return (first, s.Number("SELECT count(*) FROM shard_head"));
            },
            default);

        Assert.Equal((0, 0), (before, after));
        Assert.Equal(1, await file.LookUpAsync(s => s.Number("SELECT count(*) FROM shard_head"), default));
    }

    [Fact]
    public async Task Closing_writes_everything_back_into_the_files()
    {
        var stores = SqliteStores.Open(Options(), TimeProvider.System);
        await stores.Log.ClaimAsync(0, default);
        await stores.DisposeAsync();

        Assert.Empty(Directory.EnumerateFiles(_folder.FullName, "*-wal"));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => stores.Log.ClaimAsync(0, default));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => stores.Log.IncarnationAsync(default));
        await using var again = SqliteStores.Open(Options(), TimeProvider.System);
        Assert.Equal(2, (await again.Log.ClaimAsync(0, default)).Epoch);
    }

    [Fact]
    public async Task A_second_hub_on_the_same_folder_is_refused_in_both_languages()
    {
        await using (var first = SqliteStores.Open(Options(), TimeProvider.System))
        {
            var e = Assert.Throws<FolderInUseException>(() => SqliteStores.Open(Options(), TimeProvider.System));

            Assert.Contains($"Der Ordner {_folder.FullName}", e.Message, StringComparison.Ordinal);
            Assert.Contains($"The folder {_folder.FullName}", e.Message, StringComparison.Ordinal);
        }

        await using var second = SqliteStores.Open(Options(), TimeProvider.System);
        Assert.NotEqual(Guid.Empty, await second.Log.IncarnationAsync(default));
    }

    [Fact]
    public async Task The_lock_on_the_folder_holds_against_other_processes()
    {
        if (OperatingSystem.IsWindows()) return; // flock(1) is the other process here.
        await using var stores = SqliteStores.Open(Options(), TimeProvider.System);

        using var other = Process.Start("flock", ["--nonblock", "--conflict-exit-code", "9", Path.Combine(_folder.FullName, "lock"), "true"]);
        await other.WaitForExitAsync();

        Assert.Equal(9, other.ExitCode);
    }

    [Fact]
    public async Task A_schema_of_a_newer_program_is_refused_and_lets_go_of_the_folder()
    {
        await using (var stores = SqliteStores.Open(Options(), TimeProvider.System))
        {
            await stores.Files[1].WriteAsync(s => s.Run("INSERT INTO schema_migration VALUES (99, 'later', 'x', 0)"), default);
        }

        for (var i = 0; i < 2; i++)
        {
            var e = Assert.Throws<SchemaException>(() => SqliteStores.Open(Options(), TimeProvider.System));
            Assert.Contains("history.db", e.Message, StringComparison.Ordinal);
            Assert.Contains("0099_later", e.Message, StringComparison.Ordinal);
            Assert.Contains("start the newer program", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_migration_that_was_edited_after_it_was_applied_is_noticed()
    {
        await using (var stores = SqliteStores.Open(Options(), TimeProvider.System))
        {
            await stores.Files[0].WriteAsync(s => s.Run("UPDATE schema_migration SET checksum = 'other'"), default);
        }

        Assert.Contains("0001_log", Assert.Throws<SchemaException>(() => SqliteStores.Open(Options(), TimeProvider.System)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Migrations_are_applied_once_in_order_and_all_or_nothing()
    {
        using var session = SqliteSession.Open(Path.Combine(_folder.FullName, "m.db"), []);
        Migration[] one = [new(1, "one", "CREATE TABLE a (x)")];
        Migration[] broken = [.. one, new(2, "two", "CREATE TABLE b (x); INSERT INTO nowhere VALUES (1)")];
        Migration[] two = [.. one, new(2, "two", "CREATE TABLE b (x); INSERT INTO b VALUES (1)")];

        SqliteMigrations.Apply(session, "m.db", "Test", one, TimeProvider.System);
        Assert.Throws<SqliteException>(() => SqliteMigrations.Apply(session, "m.db", "Test", broken, TimeProvider.System));
        Assert.Equal(0, session.Number("SELECT count(*) FROM sqlite_schema WHERE name = 'b'"));
        SqliteMigrations.Apply(session, "m.db", "Test", two, TimeProvider.System);
        SqliteMigrations.Apply(session, "m.db", "Test", two, TimeProvider.System);

        Assert.Equal(1, session.Number("SELECT count(*) FROM b"));
        Assert.Equal(2, session.Number("SELECT count(*) FROM schema_migration"));
        Assert.Throws<SchemaException>(() => SqliteMigrations.Apply(session, "m.db", "Test", one, TimeProvider.System));
    }

    [Fact]
    public void A_setting_out_of_its_range_is_named_with_its_value_and_the_range()
    {
        var options = new SqliteStorageOptions { Folder = " ", Readers = 0, WriterQueue = 1, UnitsPerCommit = 0, WriterCacheMiB = 0, ReaderCacheMiB = 0, CheckpointPages = 1 };

        var e = Assert.Throws<ArgumentException>(() => SqliteStores.Open(options, TimeProvider.System));

        Assert.Equal(7, options.Problems().Count);
        Assert.Contains("DataHub:Storage:Readers = 0; erlaubt / allowed: 1–64", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_with_a_wrong_setting_does_not_start()
    {
        using var host = SqliteHost.Build(_folder.FullName, options => options.Readers = 1_000);

        var e = await Assert.ThrowsAnyAsync<OptionsValidationException>(() => host.StartAsync());

        Assert.Contains("DataHub:Storage:Readers = 1000", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_on_a_folder_in_use_does_not_start_and_says_which()
    {
        await using var stores = SqliteStores.Open(Options(), TimeProvider.System);
        using var host = SqliteHost.Build(_folder.FullName);

        var e = await Assert.ThrowsAnyAsync<Exception>(() => host.StartAsync());

        Assert.Contains(_folder.FullName, e.ToString(), StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private SqliteStorageOptions Options() => new() { Folder = _folder.FullName };

    private static async Task<object?> ScalarAsync(SqliteConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Only texts of this class.
        command.CommandText = sql;
#pragma warning restore CA2100
        return await command.ExecuteScalarAsync();
    }
}
