using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Support;

namespace DataHub.Pipelines;

/// <summary>The indicators of all 542 planning areas of Berlin in 2021, and the official classes of those in the districts 01 and 02.</summary>
internal static class SocialData
{
    public const string Indicators = "mss/mss_2021_index_indikatoren.csv";
    public const string Official = "mss/mss_2021_indizes_bezirk_01_02.csv";

    public static TableColumn[] Columns { get; } =
    [
        new("PLR_ID", FieldType.String), new("PLR_NAME", FieldType.String), new("BEZ_ID", FieldType.String), new("EW", FieldType.Integer), new("KOM", FieldType.String),
        .. new[] { "S1", "S3", "S4", "D1", "D3", "D4" }.Select(name => new TableColumn(name, FieldType.Number)),
    ];

    public static Dictionary<string, string>[] Areas() => Read(Indicators);

    public static Dictionary<string, Dictionary<string, string>> Classes() => Read(Official).ToDictionary(row => row["PLR_ID"], StringComparer.Ordinal);

    public static RowBlock Block(IEnumerable<Dictionary<string, string>> areas) =>
        RecipeTables.Block(Columns, [.. areas.Select(area => Columns.Select(column => area[column.Name]).ToArray())]);

    /// <summary>Each row by the names of its columns.</summary>
    private static Dictionary<string, string>[] Read(string file)
    {
        var lines = SharedData.Text(file).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Cells(line.TrimEnd('\r'))).ToArray();
        return [.. lines.Skip(1).Select(cells => lines[0].Zip(cells).ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.Ordinal))];
    }

    /// <summary>No cell of these files has a line break or a quotation mark inside.</summary>
    private static List<string> Cells(string line)
    {
        var cells = new List<string>();
        var (start, quoted) = (0, false);
        for (var i = 0; i <= line.Length; i++)
        {
            if (i < line.Length && line[i] == '"') quoted = !quoted;
            if (i < line.Length && (quoted || line[i] != ',')) continue;
            cells.Add(line[start..i].Trim('"'));
            start = i + 1;
        }

        return cells;
    }
}
