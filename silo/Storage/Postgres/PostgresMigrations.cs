using Npgsql;

namespace DataHub.Storage.Postgres;

/// <summary>
/// Brings the database to this program's schema: numbered, forward only, one at a time across all who try, each in a
/// transaction of its own with its entry and checksum in <c>datahub.schema_migration</c>.
/// </summary>
internal static class PostgresMigrations
{
    /// <summary>Of the advisory lock; any number that nobody else uses.</summary>
    private const long Lock = 0x44_61_74_61_48_75_62;

    public static IReadOnlyList<Migration> Known { get; } = Migration.Known("Postgres.Migrations");

    /// <summary>What applying would apply, without changing anything.</summary>
    /// <exception cref="SchemaException">The database is newer than this program, or a migration that it had is another now.</exception>
    public static async Task<IReadOnlyList<Migration>> PendingAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        await PendingAsync(connection, Known, cancellationToken);

    internal static async Task<IReadOnlyList<Migration>> PendingAsync(NpgsqlConnection connection, IReadOnlyList<Migration> known, CancellationToken cancellationToken)
    {
        var applied = await AppliedAsync(connection, cancellationToken);
        Check(connection.Database, known, applied);
        return [.. known.Skip(applied.Count)];
    }

    /// <summary>Applies what is missing. Whoever comes at the same time waits, and then finds nothing to do.</summary>
    /// <param name="applied">Told after each.</param>
    /// <exception cref="SchemaException">As in asking what is pending.</exception>
    public static Task<int> ApplyAsync(NpgsqlConnection connection, Action<Migration>? applied, CancellationToken cancellationToken) =>
        ApplyAsync(connection, Known, applied, cancellationToken);

    internal static async Task<int> ApplyAsync(NpgsqlConnection connection, IReadOnlyList<Migration> known, Action<Migration>? applied, CancellationToken cancellationToken)
    {
        await RunAsync(connection, "SELECT pg_advisory_lock($1)", cancellationToken, Lock);
        try
        {
            await RunAsync(connection, Prepare, cancellationToken);
            var pending = await PendingAsync(connection, known, cancellationToken);
            foreach (var migration in pending)
            {
                await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
                await RunAsync(connection, migration.Sql, cancellationToken);
                await RunAsync(connection, InsertMigration, cancellationToken, migration.Number, migration.Name, migration.Checksum);
                await transaction.CommitAsync(cancellationToken);
                applied?.Invoke(migration);
            }

            return pending.Count;
        }
        finally
        {
            if (connection.State == System.Data.ConnectionState.Open) await RunAsync(connection, "SELECT pg_advisory_unlock($1)", CancellationToken.None, Lock);
        }
    }

    /// <summary>Refuses a database that this program cannot work with as it is.</summary>
    /// <exception cref="SchemaException">Too old, too new, or another; the message says what to do.</exception>
    public static async Task RequireCurrentAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var applied = await AppliedAsync(connection, cancellationToken);
        Check(connection.Database, Known, applied);
        if (applied.Count == Known.Count) return;
        var has = applied.Count == 0 ? "kein Schema / no schema" : $"{applied[^1].Number:D4}_{applied[^1].Name}";
        throw new SchemaException(
            $"Die Datenbank {connection.Database} ist zu alt ({has}); dieses Programm braucht {Known[^1].Number:D4}_{Known[^1].Name}: „silo migrate“ ausführen. " +
            $"The database {connection.Database} is too old ({has}); this program needs {Known[^1].Number:D4}_{Known[^1].Name}: run “silo migrate”.")
        { MayPass = true };
    }

    private const string Prepare =
        """
        CREATE SCHEMA IF NOT EXISTS datahub;
        CREATE TABLE IF NOT EXISTS datahub.schema_migration (
          number int PRIMARY KEY,
          name text NOT NULL,
          checksum text NOT NULL,
          applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
          applied_by text NOT NULL DEFAULT current_user
        );
        """;

    private const string InsertMigration = "INSERT INTO datahub.schema_migration (number, name, checksum) VALUES ($1, $2, $3)";

    private static async Task<List<(int Number, string Name, string Checksum)>> AppliedAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var there = new NpgsqlCommand("SELECT to_regclass('datahub.schema_migration') IS NOT NULL", connection);
        if (await there.ExecuteScalarAsync(cancellationToken) is not true) return [];
        await using var command = new NpgsqlCommand("SELECT number, name, checksum FROM datahub.schema_migration ORDER BY number", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var applied = new List<(int, string, string)>();
        while (await reader.ReadAsync(cancellationToken)) applied.Add((reader.GetInt32(0), reader.GetString(1), reader.GetString(2)));
        return applied;
    }

    private static void Check(string database, IReadOnlyList<Migration> known, List<(int Number, string Name, string Checksum)> applied)
    {
        if (applied.Count > known.Count)
        {
            var newest = applied[^1];
            throw new SchemaException(
                $"Die Datenbank {database} hat das Schema {newest.Number:D4}_{newest.Name}, dieses Programm kennt nur {known.Count:D4}: bitte das neuere Programm starten. " +
                $"The database {database} has schema {newest.Number:D4}_{newest.Name}, this program knows only {known.Count:D4}: start the newer program.");
        }

        for (var i = 0; i < applied.Count; i++)
        {
            if (applied[i].Number == known[i].Number && applied[i].Checksum == known[i].Checksum) continue;
            throw new SchemaException(
                $"Datenbank {database}: Die Migration {applied[i].Number:D4}_{applied[i].Name} lautet im Programm anders als die angewandte. Bitte das Programm nehmen, das sie angewandt hat. " +
                $"Database {database}: migration {applied[i].Number:D4}_{applied[i].Name} is not the one that was applied. Use the program that applied it.");
        }
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params object[] parameters)
    {
        // A migration may have to rewrite whatever is stored, and another may be at it: neither has a time by which it must be over.
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        foreach (var value in parameters) command.Parameters.Add(new NpgsqlParameter { Value = value });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
