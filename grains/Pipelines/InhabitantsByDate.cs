using DataHub.Feeds;
using DataHub.Indicators;

namespace DataHub.Pipelines;

/// <summary>How many people live in an area on a day.</summary>
internal sealed class InhabitantsByDate
{
    private readonly Dictionary<string, List<(long From, double Inhabitants)>> _areas = new(StringComparer.Ordinal);
    private readonly Crosswalk? _reform;

    private InhabitantsByDate(Crosswalk? reform) => _reform = reform;

    /// <returns>Null where the table does not fit; the problems say why.</returns>
    public static InhabitantsByDate? Read(RateSpec spec, RecipeTable table, ColumnKind? kind, Crosswalk? reform, RecipeProblems problems)
    {
        var input = new RecipeInput(table, problems);
        var (areas, from) = (input.Key(spec.Population.Area, "population.area"), input.Date(spec.Population.From, "population.from"));
        var inhabitants = input.Numbers(spec.Population.Inhabitants, "population.inhabitants", negative: false);
        if (!input.FitsLimit("population") || areas is null || from is null || inhabitants is null) return null;
        if (areas.Kind != kind) problems.Add("population.area", RecipeCodes.ColumnType, "Die Flächen haben einen anderen Typ als die der Zahlen.", "The areas are of another type than those of the counts.");

        var found = new InhabitantsByDate(reform);
        var (missing, twice) = (0, 0);
        foreach (var row in KeyOrder.Of(input.Count, areas, from))
        {
            if (areas.IsNull(row) || from.IsNull(row) || double.IsNaN(inhabitants[row])) missing++;
            else if (!found.Add(KeyOrder.Text(areas, row), from.Integers![row], inhabitants[row])) twice++;
        }

        if (missing > 0) problems.Add("population", RecipeCodes.MissingKey, $"In {missing} Zeilen fehlen Fläche, Datum oder Zahl.", $"In {missing} rows area, date or number is missing.");
        if (twice > 0) problems.Add("population", RecipeCodes.DuplicateKey, $"{twice} Zeilen wiederholen Fläche und Datum.", $"{twice} rows repeat area and date.");
        return problems.Any ? null : found;
    }

    /// <summary>The last number at or before the day; before the reform's first one, that of the old areas, distributed. Null: there is none.</summary>
    public double? Of(string area, long day)
    {
        if (_reform is null) return Last(area, long.MinValue, day);
        if (Last(area, _reform.Day, day) is { } after) return after;
        if (_reform.PartsOf(area) is not { } parts) return null;

        var sum = new ExactSum();
        foreach (var (old, share) in parts)
        {
            if (Last(old, long.MinValue, Math.Min(day, _reform.Day - 1)) is not { } inhabitants) return null;
            sum.Add(Standardiser.Settle(inhabitants * share));
        }

        return sum.Round();
    }

    private bool Add(string area, long from, double inhabitants)
    {
        if (!_areas.TryGetValue(area, out var numbers)) _areas[area] = numbers = [];
        if (numbers.Count > 0 && numbers[^1].From == from) return false;
        numbers.Add((from, inhabitants));
        return true;
    }

    private double? Last(string area, long notBefore, long day)
    {
        if (!_areas.TryGetValue(area, out var numbers)) return null;
        var (low, high) = (0, numbers.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (numbers[middle].From <= day) low = middle + 1;
            else high = middle;
        }

        return low > 0 && numbers[low - 1].From >= notBefore ? numbers[low - 1].Inhabitants : null;
    }
}
