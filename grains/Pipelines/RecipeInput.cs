using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Indicators;

namespace DataHub.Pipelines;

/// <summary>Finds the columns of a table that a recipe names, and says what is wrong with them.</summary>
/// <param name="table">Whose columns.</param>
/// <param name="problems">Takes what is wrong.</param>
internal sealed class RecipeInput(RecipeTable table, RecipeProblems problems)
{
    private readonly Dictionary<int, Column> _whole = [];

    public int Count { get; } = table.Count;

    public RecipeProblems Problems => problems;

    public bool FitsLimit(string path)
    {
        if (Count <= RecipeLimits.Rows) return true;
        problems.Add(path, RecipeCodes.TooManyRows, $"Höchstens {RecipeLimits.Rows} Zeilen; hier sind es {Count}.", $"At most {RecipeLimits.Rows} rows; here are {Count}.");
        return false;
    }

    public TableColumn? Named(string name) => Array.Find(table.Columns, column => column.Name == name);

    /// <summary>Any column; null where there is none of this name.</summary>
    public Column? Any(string name, string path)
    {
        var ordinal = Array.FindIndex(table.Columns, column => column.Name == name);
        if (ordinal < 0)
        {
            problems.Add(path, RecipeCodes.UnknownColumn, $"Die Tabelle hat keine Spalte „{name}“.", $"The table has no column \"{name}\".");
            return null;
        }

        if (!_whole.TryGetValue(ordinal, out var column)) _whole[ordinal] = column = table.Whole(ordinal);
        return column;
    }

    /// <summary>A text or an integer.</summary>
    public Column? Key(string name, string path) => Typed(name, path, "Text oder ganze Zahl", "text or integer", FieldType.String, FieldType.Integer);

    public Column? Date(string name, string path) => Typed(name, path, "Datum", "date", FieldType.Date);

    /// <summary>A number or an integer whose values can be summed exactly.</summary>
    /// <param name="negative">Whether values below 0 are allowed.</param>
    /// <param name="counts">Rows whose values must be in range; null: all.</param>
    /// <returns>By row, NaN where null; null where the column does not fit.</returns>
    public double[]? Numbers(string name, string path, bool negative, Predicate<int>? counts = null)
    {
        if (Typed(name, path, "Zahl", "number", FieldType.Number, FieldType.Integer) is not { } column) return null;
        var numbers = new double[column.Length];
        var wrong = 0;
        for (var i = 0; i < numbers.Length; i++)
        {
            numbers[i] = column.AsNumber(i) + 0.0;
            if (double.IsNaN(numbers[i]) || (Summable(numbers[i]) && (negative || numbers[i] >= 0))) continue;
            if (counts is null || counts(i)) wrong++;
        }

        if (wrong == 0) return numbers;
        problems.Add(path, RecipeCodes.ValueOutOfRange,
            $"{wrong} Werte von „{name}“ liegen außerhalb: erlaubt sind 0 und Beträge von 1e-140 bis 1e150{(negative ? "" : ", nicht unter 0")}.",
            $"{wrong} values of \"{name}\" are out of range: 0 and magnitudes from 1e-140 to 1e150 are allowed{(negative ? "" : ", not below 0")}.");
        return null;
    }

    /// <summary>What <see cref="ExactSum"/> takes.</summary>
    private static bool Summable(double value) => value == 0 || Math.Abs(value) is >= 1e-140 and <= 1e150;

    private Column? Typed(string name, string path, string de, string en, params ReadOnlySpan<FieldType> allowed)
    {
        if (Any(name, path) is not { } column) return null;
        if (allowed.Contains(Named(name)!.Type)) return column;
        problems.Add(path, RecipeCodes.ColumnType, $"Die Spalte „{name}“ hat den Typ {Named(name)!.Type}; gebraucht wird: {de}.", $"Column \"{name}\" is of type {Named(name)!.Type}; needed: {en}.");
        return null;
    }
}
