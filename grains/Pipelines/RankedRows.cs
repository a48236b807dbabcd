using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>Which rows a composite index ranks, and why it leaves the others out.</summary>
internal sealed class RankedRows
{
    private readonly Dictionary<string, double[]> _values;

    private RankedRows(LocalText?[] reasons, int[] positions, Dictionary<string, double[]> values, RecipeNote[] notes) =>
        (Reasons, Positions, _values, Notes) = (reasons, positions, values, notes);

    /// <summary>By position; null: the row is ranked.</summary>
    public LocalText?[] Reasons { get; }

    /// <summary>Positions of the ranked rows, ascending.</summary>
    public int[] Positions { get; }

    public RecipeNote[] Notes { get; }

    /// <summary>An indicator's values of the ranked rows.</summary>
    public double[] Values(string column) => _values[column];

    /// <param name="spec">Valid.</param>
    /// <param name="input">Its table.</param>
    /// <param name="order">Row numbers by position.</param>
    /// <returns>Null where the table does not fit; the problems say why.</returns>
    public static RankedRows? Of(CompositeIndexSpec spec, RecipeInput input, int[] order)
    {
        for (var i = 0; i < spec.Carry.Length; i++) input.Any(spec.Carry[i], $"carry[{i}]");
        var conditions = spec.Exclusions.Select((exclusion, i) => ExclusionCondition.Of(exclusion, $"exclusions[{i}]", input)).ToArray();
        if (input.Problems.Any) return null;
        var numbers = Indicators(spec, input, row => !Array.Exists(conditions, applies => applies!(row)));
        if (input.Problems.Any) return null;

        var whys = spec.Exclusions.Select((exclusion, i) => (Path: $"exclusions[{i}]", exclusion.Reason, Count: 0))
            .Concat(numbers.Select(n => (n.Path, Reason: new LocalText($"Wert fehlt: {n.Column}", $"value missing: {n.Column}"), Count: 0))).ToArray();
        var reasons = new LocalText?[order.Length];
        var positions = new List<int>(order.Length);
        for (var position = 0; position < order.Length; position++)
        {
            var row = order[position];
            var why = Array.FindIndex(conditions, applies => applies!(row));
            if (why < 0 && numbers.FindIndex(n => double.IsNaN(n.Values[row])) is var missing && missing >= 0) why = conditions.Length + missing;
            if (why < 0)
            {
                positions.Add(position);
                continue;
            }

            reasons[position] = whys[why].Reason;
            whys[why].Count++;
        }

        var values = numbers.ToDictionary(n => n.Column, n => positions.Select(position => n.Values[order[position]]).ToArray(), StringComparer.Ordinal);
        RecipeNote[] notes =
        [
            new("", RecipeNotes.Rows, new($"{positions.Count} von {order.Length} Zeilen sind eingestuft.", $"{positions.Count} of {order.Length} rows are ranked.")),
            .. whys.Where(w => w.Count > 0).Select(w => new RecipeNote(w.Path, RecipeNotes.Excluded, new($"{w.Count} Zeilen nicht eingestuft: {w.Reason.De}", $"{w.Count} rows not ranked: {w.Reason.In("en")}"))),
        ];
        return new(reasons, [.. positions], values, notes);
    }

    /// <summary>Each column once, by row, with the path of the first indicator that reads it. Values of rows that are not ranked may be anything.</summary>
    private static List<(string Column, string Path, double[] Values)> Indicators(CompositeIndexSpec spec, RecipeInput input, Predicate<int> counts)
    {
        var found = new List<(string, string, double[])>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < spec.Indices.Length; i++)
        {
            for (var j = 0; j < spec.Indices[i].Indicators.Length; j++)
            {
                var column = spec.Indices[i].Indicators[j].Column;
                var path = $"indices[{i}].indicators[{j}].column";
                if (seen.Add(column) && input.Numbers(column, path, negative: true, counts) is { } values) found.Add((column, path, values));
            }
        }

        return found;
    }
}
