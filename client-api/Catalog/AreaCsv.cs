using System.Globalization;
using System.Text;
using Sylvan.Data.Csv;

namespace DataHub.Catalog;

/// <summary>Area systems as CSV: <c>id,parent,name,level[,population]</c>, UTF-8, parent empty at level 0 (design §5).</summary>
internal static class AreaCsv
{
    public const string ContentType = "text/csv";

    private static readonly string[] s_required = ["id", "parent", "name", "level"];

    /// <param name="body">With or without byte order mark; columns in any order.</param>
    /// <exception cref="AreaImportException">Not CSV, a column is missing or unknown, or a number is not one; names the row, counted from 1 without the header.</exception>
    public static AreaImport Read(ReadOnlyMemory<byte> body)
    {
        using var text = new StringReader(Decode(body.Span));
        try
        {
            using var csv = CsvDataReader.Create(text, new() { Delimiter = ',', HasHeaders = true });
            var columns = Columns(csv);
            var areas = new List<Area>();
            while (csv.Read())
            {
                var row = areas.Count + 1;
                if (csv.RowFieldCount != csv.FieldCount)
                    throw Wrong($"Zeile {row} hat {csv.RowFieldCount} Spalten, die Kopfzeile {csv.FieldCount}.", $"Row {row} has {csv.RowFieldCount} columns, the header has {csv.FieldCount}.");
                string? Field(string name) => columns.TryGetValue(name, out var at) && csv.GetString(at).Trim() is { Length: > 0 } value ? value : null;
                long? Number(string name) => Field(name) is not { } value ? null
                    : long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number
                    : throw Wrong($"Zeile {row}, Spalte {name}: „{value}“ ist keine ganze Zahl.", $"Row {row}, column {name}: “{value}” is not an integer.");
                if (Field("id") is not { } id) throw Wrong($"Zeile {row}: die Kennung (id) fehlt.", $"Row {row}: the id is missing.");
                if (Number("level") is not (>= 0 and <= 100) and var level)
                    throw Wrong($"Zeile {row}, Gebiet „{id}“: die Ebene (level) muss eine Zahl von 0 an sein, nicht „{level}“.", $"Row {row}, area “{id}”: level must be a number from 0, not “{level}”.");
                areas.Add(new(id, Field("parent"), Field("name") ?? "", (int)Number("level")!.Value, Number("population"), null));
            }

            return new(null, areas, [], []);
        }
        catch (CsvFormatException e)
        {
            throw Wrong($"Nicht lesbar um Zeile {e.RowNumber}: {e.Message}", $"Not readable around row {e.RowNumber}: {e.Message}");
        }
    }

    /// <summary>The whole system, levels in order, ids in order within a level, lines ended by CR LF (RFC 4180).</summary>
    public static byte[] Write(AreaTree tree)
    {
        var text = new StringBuilder("id,parent,name,level,population\r\n");
        for (var level = 0; level < tree.Levels; level++)
        {
            foreach (var area in tree.AtLevel(level))
            {
                text.Append(Quoted(area.Id)).Append(',').Append(Quoted(area.Parent)).Append(',').Append(Quoted(area.Name)).Append(',')
                    .Append(CultureInfo.InvariantCulture, $"{area.Level},{area.Population}\r\n");
            }
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static string Quoted(string? value) =>
        value is null ? "" : value.AsSpan().ContainsAny("\",\r\n") ? $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : value;

    private static Dictionary<string, int> Columns(CsvDataReader csv)
    {
        var columns = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < csv.FieldCount; i++)
        {
            var name = csv.GetName(i).Trim();
            if (!s_required.Contains(name) && name != "population")
                throw Wrong($"Die Spalte „{name}“ ist unbekannt; bekannt sind id, parent, name, level und population.", $"The column “{name}” is unknown; id, parent, name, level and population are known.");
            if (!columns.TryAdd(name, i)) throw Wrong($"Die Spalte „{name}“ kommt mehrmals vor.", $"The column “{name}” occurs more than once.");
        }

        return s_required.FirstOrDefault(name => !columns.ContainsKey(name)) is { } missing
            ? throw Wrong($"Die Spalte „{missing}“ fehlt.", $"The column “{missing}” is missing.")
            : columns;
    }

    private static string Decode(ReadOnlySpan<byte> body)
    {
        if (body.StartsWith(Encoding.UTF8.Preamble)) body = body[Encoding.UTF8.Preamble.Length..];
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(body);
        }
        catch (DecoderFallbackException e)
        {
            throw Wrong($"Byte {e.Index} ist kein UTF-8.", $"Byte {e.Index} is not UTF-8.");
        }
    }

    private static AreaImportException Wrong(string de, string en) => new(ProblemTypes.InvalidCsv, new(de, en));
}
