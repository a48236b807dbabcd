using System.Globalization;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>Small tables for recipes, and a way to read results by column and key.</summary>
internal static class RecipeTables
{
    /// <summary>A table whose head is <c>name:type</c> and whose cells are text; an empty cell is null.</summary>
    public static RecipeTable Table(string head, params string[] lines)
    {
        var columns = head.Split(' ').Select(part => part.Split(':')).Select(part => new TableColumn(part[0], Enum.Parse<FieldType>(part[1]))).ToArray();
        var cells = lines.Select(line => line.Split('|')).ToArray();
        return new(columns, [Block(columns, cells)]);
    }

    public static RowBlock Block(TableColumn[] columns, string[][] cells) => new()
    {
        Count = cells.Length,
        Columns = [.. columns.Select((column, c) => Values(column.Type, [.. cells.Select(row => row[c])]))],
    };

    public static string? Text(this RecipeResult result, string column, int row) => Of(result, column).Texts![row];

    public static double? Number(this RecipeResult result, string column, int row) => Of(result, column) is var values && values.IsNull(row) ? null : values.AsNumber(row);

    public static IEnumerable<double> Numbers(this RecipeResult result, string column) => Of(result, column).Numbers!;

    public static IEnumerable<string?> Texts(this RecipeResult result, string column) => Of(result, column).Texts!;

    public static int Day(string date) => DateOnly.Parse(date, CultureInfo.InvariantCulture).DayNumber;

    private static Column Of(RecipeResult result, string column)
    {
        Assert.Empty(result.Problems.Select(p => $"{p.Path} {p.Code}: {p.Detail.De}"));
        var ordinal = Array.FindIndex(result.Columns, c => c.Name == column);
        Assert.True(ordinal >= 0, $"{column} is not among {string.Join(", ", result.Columns.Select(c => c.Name))}");
        return result.Rows.Columns[ordinal];
    }

    private static Column Values(FieldType type, string[] cells) => type switch
    {
        FieldType.Number => Column.OfNumbers([.. cells.Select(cell => cell.Length == 0 ? double.NaN : double.Parse(cell, CultureInfo.InvariantCulture))]),
        FieldType.Integer => Column.OfIntegers([.. cells.Select(cell => cell.Length == 0 ? Column.NullInteger : long.Parse(cell, CultureInfo.InvariantCulture))]),
        FieldType.Date => Column.OfIntegers([.. cells.Select(cell => cell.Length == 0 ? Column.NullInteger : Day(cell))]),
        FieldType.Boolean => Column.OfBooleans([.. cells.Select(cell => cell.Length == 0 ? Column.NullBoolean : cell == "true" ? (byte)1 : (byte)0)]),
        _ => Column.OfTexts([.. cells.Select(cell => cell.Length == 0 ? null : cell)]),
    };
}
