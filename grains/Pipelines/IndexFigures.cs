using DataHub.Catalog;
using DataHub.Indicators;

namespace DataHub.Pipelines;

/// <summary>All figures of one index: each standardised indicator, their sum, the value, the class.</summary>
internal sealed class IndexFigures
{
    private readonly double[][] _standardised;
    private readonly double[] _sums;
    private readonly double[] _values;

    /// <summary>By position: the row's place among the ranked ones, or −1.</summary>
    private readonly int[] _places;

    private IndexFigures(IndexSpec spec, double[][] standardised, double[] sums, double[] values, int[] places) =>
        (Spec, _standardised, _sums, _values, _places) = (spec, standardised, sums, values, places);

    public IndexSpec Spec { get; }

    /// <returns>Null where an indicator or the sum cannot be standardised; the problems say which.</returns>
    public static IndexFigures? Of(IndexSpec spec, string path, RankedRows ranked, List<RecipeNote> notes, RecipeProblems problems)
    {
        var standardised = new double[spec.Indicators.Length][];
        for (var i = 0; i < standardised.Length; i++)
        {
            var indicator = spec.Indicators[i];
            var values = ranked.Values(indicator.Column);

            // Turned before: least and greatest, first and last rank change places with it.
            if (indicator.Direction == IndicatorDirection.LowerIsMore) values = [.. values.Select(value => 0.0 - value)];
            if (Standardised(values, spec.Standardisation, indicator.Column, $"{path}.indicators[{i}]", notes, problems) is { } done) standardised[i] = done;
        }

        if (problems.Any || Combined(spec, path, standardised, ranked.Positions.Length, problems) is not { } sums) return null;
        if (Standardised(sums, spec.Restandardise, CompositeIndexColumns.Sum(spec), $"{path}.restandardise", notes, problems) is not { } final) return null;

        var places = new int[ranked.Reasons.Length];
        Array.Fill(places, -1);
        for (var i = 0; i < ranked.Positions.Length; i++) places[ranked.Positions[i]] = i;
        return new(spec, standardised, sums, final, places);
    }

    /// <summary>Null where the row is not ranked.</summary>
    public double? Value(int position) => _places[position] < 0 ? null : _values[_places[position]];

    /// <summary>The class's place in the recipe; null where the row is not ranked or the index has no classes.</summary>
    public int? Class(int position)
    {
        if (_places[position] < 0 || Spec.Classes.Length == 0) return null;
        var value = _values[_places[position]];
        return Array.FindIndex(Spec.Classes, type => type.Below is { } below ? value < below : type.UpTo is not { } upTo || value <= upTo);
    }

    public void AddTo(ResultColumns result)
    {
        for (var i = 0; i < _standardised.Length; i++)
        {
            var values = _standardised[i];
            result.AddNumbers(CompositeIndexColumns.Standardised(Spec, Spec.Indicators[i].Column), position => At(values, position));
        }

        result.AddNumbers(CompositeIndexColumns.Sum(Spec), position => At(_sums, position));
        result.AddNumbers(CompositeIndexColumns.Value(Spec), position => At(_values, position));
        if (Spec.Classes.Length == 0) return;
        result.AddTexts(CompositeIndexColumns.Class(Spec), position => Class(position) is { } type ? Spec.Classes[type].Label : null);
        result.AddTexts(CompositeIndexColumns.ClassName(Spec), position => Class(position) is { } type ? Spec.Classes[type].Name.De : null);
    }

    private double? At(double[] values, int position) => _places[position] < 0 ? null : values[_places[position]];

    private static double[]? Combined(IndexSpec spec, string path, double[][] standardised, int count, RecipeProblems problems)
    {
        var weights = new ExactSum();
        foreach (var indicator in spec.Indicators) weights.Add(indicator.Weight);
        var by = spec.Combine == Combination.Mean ? weights.Round() : 1;

        var combined = new double[count];
        for (var row = 0; row < count; row++)
        {
            var sum = new ExactSum();
            for (var i = 0; i < standardised.Length; i++)
            {
                var term = Standardiser.Settle(standardised[i][row] * spec.Indicators[i].Weight);
                if (Math.Abs(term) > 1e150)
                {
                    problems.Add(path, RecipeCodes.ValueOutOfRange, "Wert mal Gewicht geht über 1e150 hinaus.", "Value times weight goes beyond 1e150.");
                    return null;
                }

                sum.Add(term);
            }

            combined[row] = Standardiser.Settle(sum.Round() / by);
        }

        return combined;
    }

    private static double[]? Standardised(double[] values, Standardisation how, string what, string path, List<RecipeNote> notes, RecipeProblems problems)
    {
        if (Standardiser.Of(values, how, out var described) is { } done)
        {
            if (described is not null) notes.Add(new(path, RecipeNotes.Standardised, new($"{what}: {described.De}", $"{what}: {described.In("en")}")));
            return done;
        }

        if (values.Length < 2)
            problems.Add(path, RecipeCodes.TooFewRows, $"„{what}“ lässt sich nicht vergleichen: eingestuft werden {values.Length} Zeilen, nötig sind 2.", $"\"{what}\" cannot be compared: {values.Length} rows are ranked, 2 are needed.");
        else
            problems.Add(path, RecipeCodes.NoSpread, $"„{what}“ unterscheidet nichts: alle {values.Length} Werte sind gleich.", $"\"{what}\" tells nothing apart: all {values.Length} values are equal.");
        return null;
    }
}
