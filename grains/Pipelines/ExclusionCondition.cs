using System.Globalization;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>Compiles an exclusion for the columns of one table.</summary>
internal static class ExclusionCondition
{
    /// <returns>Whether it applies to a row; null where it does not fit the table.</returns>
    public static Predicate<int>? Of(ExclusionSpec exclusion, string path, RecipeInput input)
    {
        if (input.Any(exclusion.Column, $"{path}.column") is not { } column) return null;
        if (exclusion.IsNull) return column.IsNull;
        var value = exclusion.EqualTo ?? exclusion.NotEqualTo!;
        if (Has(column, input.Named(exclusion.Column)!.Type, value) is { } has) return exclusion.EqualTo is not null ? has : row => !has(row);
        input.Problems.Add(path, RecipeCodes.ColumnType,
            $"„{exclusion.Column}“ lässt sich nicht mit „{value}“ vergleichen: verglichen werden Texte, Zahlen sowie true und false.",
            $"\"{exclusion.Column}\" cannot be compared with \"{value}\": texts, numbers, true and false can.");
        return null;
    }

    private static Predicate<int>? Has(Column column, FieldType type, string value) => type switch
    {
        FieldType.Integer when long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer) => row => !column.IsNull(row) && column.Integers![row] == integer,
        FieldType.Number when double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) => row => column.Numbers![row] == number,
        FieldType.Boolean when value is "true" or "false" => row => column.Booleans![row] == (value == "true" ? 1 : 0),
        _ when column.Kind == ColumnKind.Text => row => string.Equals(column.Texts![row], value, StringComparison.Ordinal),
        _ => null,
    };
}
