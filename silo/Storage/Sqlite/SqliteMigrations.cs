namespace DataHub.Storage.Sqlite;

/// <summary>
/// Numbered, forward only, never edited once merged: <c>Migrations/{family}/0001_name.sql</c>. What was applied stands
/// in the file's table <c>schema_migration</c> with a checksum.
/// </summary>
internal static class SqliteMigrations
{
    /// <summary>Applies what is missing, each in a transaction of its own with its entry.</summary>
    /// <exception cref="SchemaException">The file is newer than this program, or a migration that it had is another now.</exception>
    public static void Apply(SqliteSession session, string file, string family, TimeProvider time) => Apply(session, file, family, Known(family), time);

    /// <summary>What a migration does besides, in its transaction, because SQL cannot.</summary>
    private static readonly Dictionary<(string Family, int Number), Action<SqliteSession>> s_works = new() { [("History", 6)] = SqliteSegmentMigration.Run };

    internal static void Apply(SqliteSession session, string file, string family, IReadOnlyList<Migration> known, TimeProvider time)
    {
        session.Script(
            """
            CREATE TABLE IF NOT EXISTS schema_migration (
              number INTEGER PRIMARY KEY,
              name TEXT NOT NULL,
              checksum TEXT NOT NULL,
              applied_at INTEGER NOT NULL
            ) STRICT
            """);
        session.Script("BEGIN IMMEDIATE");
        try
        {
            var applied = Applied(session);
            Check(file, known, applied);
            foreach (var migration in known.Skip(applied.Count))
            {
                session.Script(migration.Sql);
                if (s_works.GetValueOrDefault((family, migration.Number)) is { } work) work(session);
                session.Statement(InsertMigration)
                    .Bind(1, migration.Number).Bind(2, migration.Name).Bind(3, migration.Checksum).Bind(4, time.GetUtcNow().UtcTicks).Run();
            }

            session.Script("COMMIT");
        }
        catch
        {
            if (session.InTransaction) session.Script("ROLLBACK");
            throw;
        }
    }

    /// <summary>The migrations of a family in this program, by number.</summary>
    internal static IReadOnlyList<Migration> Known(string family) => Migration.Known($"Sqlite.Migrations.{family}");

    private const string InsertMigration = "INSERT INTO schema_migration (number, name, checksum, applied_at) VALUES (?1, ?2, ?3, ?4)";

    private const string SelectMigrations = "SELECT number, name, checksum FROM schema_migration ORDER BY number";

    private static List<(int Number, string Name, string Checksum)> Applied(SqliteSession session)
    {
        var applied = new List<(int, string, string)>();
        var statement = session.Statement(SelectMigrations);
        while (statement.Step()) applied.Add((statement.Int32(0), statement.Text(1), statement.Text(2)));
        return applied;
    }

    private static void Check(string file, IReadOnlyList<Migration> known, List<(int Number, string Name, string Checksum)> applied)
    {
        if (applied.Count > known.Count)
        {
            var newest = applied[^1];
            throw new SchemaException(
                $"{file} hat das Schema {newest.Number:D4}_{newest.Name}, dieses Programm kennt nur {known.Count:D4}: bitte das neuere Programm starten. " +
                $"{file} has schema {newest.Number:D4}_{newest.Name}, this program knows only {known.Count:D4}: start the newer program.");
        }

        for (var i = 0; i < applied.Count; i++)
        {
            if (applied[i].Number == known[i].Number && applied[i].Checksum == known[i].Checksum) continue;
            throw new SchemaException(
                $"{file}: Die Migration {applied[i].Number:D4}_{applied[i].Name} lautet im Programm anders als die angewandte. Bitte das Programm starten, das die Datei angelegt hat. " +
                $"{file}: migration {applied[i].Number:D4}_{applied[i].Name} is not the one that was applied. Start the program that made the file.");
        }
    }
}
