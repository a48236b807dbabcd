using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace DataHub.Storage.Sqlite;

/// <summary>
/// Numbered, forward only, never edited once merged: <c>Migrations/{family}/0001_name.sql</c>. What was applied stands
/// in the file's table <c>schema_migration</c> with a checksum.
/// </summary>
internal static class SqliteMigrations
{
    /// <summary>Applies what is missing, each in a transaction of its own with its entry.</summary>
    /// <exception cref="SchemaException">The file is newer than this program, or a migration that it had is another now.</exception>
    public static void Apply(SqliteSession session, string file, string family, TimeProvider time) => Apply(session, file, Known(family), time);

    internal static void Apply(SqliteSession session, string file, IReadOnlyList<Migration> known, TimeProvider time)
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
    internal static IReadOnlyList<Migration> Known(string family)
    {
        var prefix = $"DataHub.Storage.Sqlite.Migrations.{family}.";
        var assembly = Assembly.GetExecutingAssembly();
        var known = assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(name => Migration.Parse(name[prefix.Length..], Text(assembly, name)))
            .ToArray();
        for (var i = 0; i < known.Length; i++)
        {
            if (known[i].Number != i + 1) throw new InvalidOperationException($"Migration {i + 1} of {family} is missing from the program.");
        }

        return known;
    }

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

    private static string Text(Assembly assembly, string resource)
    {
        using var stream = assembly.GetManifestResourceStream(resource)!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    internal sealed record Migration(int Number, string Name, string Sql)
    {
        /// <summary>Of the text with any line ends, so that a checkout on another system is the same migration.</summary>
        public string Checksum { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Sql.ReplaceLineEndings("\n"))));

        public static Migration Parse(string file, string sql)
        {
            var name = Path.GetFileNameWithoutExtension(file);
            if (name.Length < 6 || name[4] != '_' || !int.TryParse(name.AsSpan(0, 4), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                throw new InvalidOperationException($"The migration {file} is not named 0001_name.sql.");
            }

            return new(number, name[5..], sql);
        }
    }
}
