using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>A table's rows in the order of a key that no two of them share.</summary>
/// <param name="Key">By row.</param>
/// <param name="Order">Row numbers, keys ascending; the index into it is a row's position.</param>
internal sealed record SortedRows(Column Key, int[] Order)
{
    /// <summary>Null where the key is missing, null, or there twice; the problems say which.</summary>
    public static SortedRows? Of(RecipeInput input, string key, string path)
    {
        if (input.Key(key, path) is not { } column) return null;
        var order = KeyOrder.Of(input.Count, column);
        var (missing, twice) = (0, 0);
        string? first = null;
        for (var i = 0; i < order.Length; i++)
        {
            if (column.IsNull(order[i])) missing++;
            else if (i > 0 && KeyOrder.Compare(column, order[i - 1], column, order[i]) == 0)
            {
                twice++;
                first ??= KeyOrder.Text(column, order[i]);
            }
        }

        if (missing > 0) input.Problems.Add(path, RecipeCodes.MissingKey, $"{missing} Zeilen haben keinen Wert in „{key}“.", $"{missing} rows have no value in \"{key}\".");
        if (twice > 0) input.Problems.Add(path, RecipeCodes.DuplicateKey, $"{twice} Zeilen wiederholen einen Wert von „{key}“, zuerst „{Short(first!)}“.", $"{twice} rows repeat a value of \"{key}\", the first \"{Short(first!)}\".");
        return missing + twice > 0 ? null : new(column, order);
    }

    private static string Short(string text) => text.Length <= 60 ? text : text[..60];
}
