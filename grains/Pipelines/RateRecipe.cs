using System.Globalization;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Indicators;

namespace DataHub.Pipelines;

/// <summary>Calculates a <see cref="RateSpec"/>. Sums are exact, so the order of the rows does not matter to the last bit.</summary>
internal static class RateRecipe
{
    /// <param name="spec">What to calculate.</param>
    /// <param name="counts">Area, date, count.</param>
    /// <param name="population">Area, first day, inhabitants.</param>
    /// <param name="crosswalk">Old area, new area, share; needed where the recipe has a reform.</param>
    public static RecipeResult Compute(RateSpec spec, RecipeTable counts, RecipeTable population, RecipeTable? crosswalk = null)
    {
        if (RecipeCheck.Check(spec) is { Length: > 0 } wrong) return RecipeResult.Refused(wrong);

        var problems = new RecipeProblems();
        var input = new RecipeInput(counts, problems);
        var areas = input.Key(spec.Area, "area");
        var reform = spec.Reform is null ? null : Crosswalk.Read(spec.Reform, crosswalk, areas?.Kind, problems);
        var inhabitants = InhabitantsByDate.Read(spec, population, areas?.Kind, reform, problems);
        if (!input.FitsLimit("") || problems.Any) return RecipeResult.Refused(problems.ToArray());

        var notes = new List<RecipeNote>();
        var cells = Cells(spec, input, areas!, reform, notes);
        if (problems.Any) return RecipeResult.Refused(problems.ToArray());
        foreach (var ((area, day), cell) in cells) cell.Divide(inhabitants!.Of(area, day), spec.Per);
        return Build(spec, areas!.Kind, cells, notes);
    }

    private static Dictionary<(string Area, long Day), RateCell> Cells(RateSpec spec, RecipeInput input, Column areas, Crosswalk? reform, List<RecipeNote> notes)
    {
        var cells = new Dictionary<(string Area, long Day), RateCell>();
        var dates = input.Date(spec.Date, "date");
        var counts = input.Numbers(spec.Count, "count", negative: false);
        if (dates is null || counts is null) return cells;

        var (missing, distributed) = (0, 0);
        var unknown = new SortedSet<string>(StringComparer.Ordinal);
        for (var row = 0; row < input.Count; row++)
        {
            if (areas.IsNull(row) || dates.IsNull(row))
            {
                missing++;
                continue;
            }

            var (area, day) = (KeyOrder.Text(areas, row), dates.Integers![row]);
            if (reform is null || day >= reform.Day)
            {
                Cell(area, day).Add(counts[row]);
                continue;
            }

            distributed++;
            if (reform.SharesOf(area) is not { } shares) unknown.Add(area);
            else foreach (var (to, share) in shares) Cell(to, day).Add(Standardiser.Settle(counts[row] * share));
        }

        if (missing > 0) input.Problems.Add("area", RecipeCodes.MissingKey, $"{missing} Zeilen haben keine Fläche oder kein Datum.", $"{missing} rows have no area or no date.");
        if (unknown.Count > 0) input.Problems.Add("reform.oldArea", RecipeCodes.UnknownArea, $"{unknown.Count} alte Flächen stehen in keiner Umschlüsselung, zuerst „{unknown.Min}“.", $"{unknown.Count} old areas are in no crosswalk, the first \"{unknown.Min}\".");
        if (cells.Count > RecipeLimits.Rows) input.Problems.Add("reform", RecipeCodes.TooManyRows, $"Nach der Umschlüsselung mehr als {RecipeLimits.Rows} Zeilen.", $"More than {RecipeLimits.Rows} rows after the crosswalk.");
        if (distributed > 0) notes.Add(new("reform", RecipeNotes.Distributed, new($"{distributed} Zeilen vor dem {spec.Reform!.On:dd.MM.yyyy} sind auf neue Flächen verteilt.", $"{distributed} rows before {spec.Reform.On.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)} are distributed to new areas.")));
        return cells;

        RateCell Cell(string area, long day)
        {
            if (cells.TryGetValue((area, day), out var cell)) return cell;

            // One beyond the limit is enough to refuse it.
            cell = new();
            if (cells.Count <= RecipeLimits.Rows) cells[(area, day)] = cell;
            return cell;
        }
    }

    private static RecipeResult Build(RateSpec spec, ColumnKind kind, Dictionary<(string Area, long Day), RateCell> cells, List<RecipeNote> notes)
    {
        var keys = cells.Keys.ToArray();
        var areas = kind == ColumnKind.Text
            ? Column.OfTexts([.. keys.Select(key => key.Area)])
            : Column.OfIntegers([.. keys.Select(key => long.Parse(key.Area, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture))]);
        var days = Column.OfIntegers([.. keys.Select(key => key.Day)]);
        var order = KeyOrder.Of(keys.Length, areas, days);

        var dates = keys.GroupBy(key => key.Day, key => cells[key]).ToDictionary(date => date.Key, date => CityRate.Of([.. date], spec.Per));
        var before = Before([.. dates.Keys.Order()]);
        var result = new ResultColumns([.. order.Select((_, i) => new ResultSlot(i, -1))]);
        result.AddCarried(new(spec.Area, kind == ColumnKind.Text ? FieldType.String : FieldType.Integer), areas, new(areas, order));
        result.AddCarried(new(spec.Date, FieldType.Date), days, new(areas, order));
        result.AddNumbers("count", i => At(i).Count);
        result.AddNumbers("inhabitants", i => At(i).Inhabitants);
        result.AddNumbers("rate", i => At(i).Rate);
        result.AddNumbers("city_rate", i => dates[DayOf(i)].Rate);
        result.AddNumbers("ratio_to_city", i => dates[DayOf(i)].Rate is { } city and not 0 ? At(i).Rate / city : null);
        result.AddIntegers("rank", FieldType.Integer, slot => At(slot.Position).Rate is { } rate ? dates[DayOf(slot.Position)].RankOf(rate) : null);
        result.AddIntegers("previous_date", FieldType.Date, slot => before[DayOf(slot.Position)]);
        result.AddNumbers("previous_rate", Previous);
        result.AddNumbers("trend", i => At(i).Rate - Previous(i));
        result.AddTexts("state", i => At(i).State);
        return result.Build(notes);

        RateCell At(int position) => cells[keys[order[position]]];
        long DayOf(int position) => keys[order[position]].Day;
        double? Previous(int position) => before[DayOf(position)] is { } day && cells.TryGetValue((keys[order[position]].Area, day), out var cell) ? cell.Rate : null;
    }

    private static Dictionary<long, long?> Before(long[] days)
    {
        var before = new Dictionary<long, long?>();
        for (var i = 0; i < days.Length; i++) before[days[i]] = i == 0 ? null : days[i - 1];
        return before;
    }
}
