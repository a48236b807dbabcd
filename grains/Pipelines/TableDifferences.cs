using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>What differs between two tables, cell by cell, as questions in SQL over the tables <c>a</c> and <c>b</c>. Pure.</summary>
internal static class TableDifferences
{
    /// <summary>Cells that are named.</summary>
    public const int Cells = 1_000;

    /// <summary>Columns whose cells are named, the first ones.</summary>
    private const int NamedColumns = 200;

    /// <summary>Columns of a key.</summary>
    public const int KeyColumns = 20;

    /// <summary>Why two tables cannot be compared by a key, or null.</summary>
    public static LocalText? Fault(IReadOnlyList<string> key, TableColumn[] a, TableColumn[] b)
    {
        if (key.Count is 0 or > KeyColumns) return new($"key: 1 bis {KeyColumns} Spalten, die eine Zeile ausmachen.", $"key: 1 to {KeyColumns} columns that make out a row.");
        return key.FirstOrDefault(name => Find(a, name) is null || Find(b, name) is null) is { } missing
            ? new($"key: Die Spalte „{missing}“ haben nicht beide Tabellen.", $"key: Not both tables have the column “{missing}”.")
            : null;
    }

    /// <summary>The questions: rows with a repeated key in a and in b; rows only in a, only in b and in both, and those in both that differ; how many cells differ by column; and the first cells that do.</summary>
    public static IReadOnlyList<string> Questions(IReadOnlyList<string> key, TableColumn[] a, TableColumn[] b)
    {
        var keys = string.Join(", ", key.Select(Name));
        var on = string.Join(" AND ", key.Select(name => $"{Value("a", name)} IS NOT DISTINCT FROM {Value("b", name)}"));
        string[] others = [.. a.Select(column => column.Name).Where(name => !key.Contains(name, StringComparer.OrdinalIgnoreCase) && Find(b, name) is not null)];
        var differs = others.Length == 0 ? "false" : string.Join(" OR ", others.Select(Differs));
        var questions = new List<string>
        {
            Repeated("a"),
            Repeated("b"),
            $"""
            SELECT
              (SELECT count(*) FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE {on})) AS only_a,
              (SELECT count(*) FROM b WHERE NOT EXISTS (SELECT 1 FROM a WHERE {on})) AS only_b,
              (SELECT count(*) FROM a JOIN b ON {on}) AS both_have,
              (SELECT count(*) FROM a JOIN b ON {on} WHERE {differs}) AS changed
            """,
        };
        if (others.Length == 0) return questions;
        questions.Add($"SELECT {string.Join(", ", others.Select((name, i) => $"count(*) FILTER (WHERE {Differs(name)}) AS c{i}"))} FROM a JOIN b ON {on}");
        var texts = string.Join(" || ' · ' || ", key.Select(name => $"coalesce(CAST(a.{Name(name)} AS VARCHAR), '–')"));
        string[] named = [.. others.Take(NamedColumns)];
        // Joined once; what differs is looked for in the rows that do.
        var both = string.Join(", ", named.Select((name, i) => $"{Differs(name)} AS d{i}, CAST(a.{Name(name)} AS VARCHAR) AS a{i}, CAST(b.{Name(name)} AS VARCHAR) AS b{i}"));
        var cells = string.Join(" UNION ALL ", named.Select((_, i) => $"SELECT row_key, {i} AS place, a{i} AS before, b{i} AS after FROM changed WHERE d{i}"));
        questions.Add($"WITH changed AS MATERIALIZED (SELECT {texts} AS row_key, {both} FROM a JOIN b ON {on} WHERE {differs}) SELECT * FROM ({cells}) AS cells ORDER BY row_key, place LIMIT {Cells}");
        return questions;

        string Repeated(string table) => $"SELECT count(*) AS repeated FROM (SELECT 1 FROM {table} GROUP BY {keys} HAVING count(*) > 1) AS groups";

        string Differs(string name) => $"{Value("a", name)} IS DISTINCT FROM {Value("b", name)}";

        // Of another type in the other table, it is compared as a number or as its text.
        string Value(string table, string name)
        {
            var (left, right) = (Find(a, name)!.Type, Find(b, name)!.Type);
            var column = $"{table}.{Name(name)}";
            if (left == right) return column;
            return $"CAST({column} AS {(left is FieldType.Integer or FieldType.Number && right is FieldType.Integer or FieldType.Number ? "DOUBLE" : "VARCHAR")})";
        }
    }

    /// <summary>The answers put together.</summary>
    /// <param name="answers">Of the questions, in their order; an empty one has no rows.</param>
    public static RunDifferences Read(IReadOnlyList<string> key, TableColumn[] a, TableColumn[] b, IReadOnlyList<RowBlock[]> answers)
    {
        string[] others = [.. a.Select(column => column.Name).Where(name => !key.Contains(name, StringComparer.OrdinalIgnoreCase) && Find(b, name) is not null)];
        string[] onlyA = [.. a.Where(column => Find(b, column.Name) is null).Select(column => column.Name)], onlyB = [.. b.Where(column => Find(a, column.Name) is null).Select(column => column.Name)];
        var counts = answers[2][0];
        var changes = answers.Count < 5
            ? []
            : others.Select((name, i) => new ColumnChange(name, Number(answers[3][0], i))).Where(change => change.Cells > 0).ToArray();
        var cells = answers.Count < 5 ? [] : answers[4].SelectMany(block => Enumerable.Range(0, block.Count).Select(row => new CellChange(
            block.Columns[0].Texts![row]!, others[(int)block.Columns[1].AsNumber(row)!], block.Columns[2].Texts![row], block.Columns[3].Texts![row]))).ToArray();
        return new([.. key], Number(counts, 2) - Number(counts, 3), Number(counts, 3), Number(counts, 0), Number(counts, 1), changes, cells) { ColumnsOnlyBefore = onlyA, ColumnsOnlyAfter = onlyB };

        static long Number(RowBlock block, int column) => (long)block.Columns[column].AsNumber(0)!;
    }

    private static TableColumn? Find(TableColumn[] columns, string name) => Array.Find(columns, column => string.Equals(column.Name, name, StringComparison.OrdinalIgnoreCase));

    private static string Name(string identifier) => $"\"{identifier.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
