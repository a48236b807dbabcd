using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Indicators;

namespace DataHub.Pipelines;

/// <summary>Calculates a <see cref="LibraryUseSpec"/>. Sums are exact, so the order of the rows does not matter to the last bit.</summary>
internal static class LibraryUse
{
    public static RecipeResult Compute(LibraryUseSpec spec, TableColumn[] columns, IReadOnlyList<RowBlock> rows)
    {
        if (RecipeCheck.Check(spec) is { Length: > 0 } wrong) return RecipeResult.Refused(wrong);

        var problems = new RecipeProblems();
        var input = new RecipeInput(new(columns, rows), problems);
        if (!input.FitsLimit("")) return RecipeResult.Refused(problems.ToArray());
        var groups = spec.Groups.Select((name, i) => input.Key(name, $"groups[{i}]")).ToArray();
        var stock = input.Numbers(spec.Stock, "stock", negative: false);
        var loans = input.Numbers(spec.Loans, "loans", negative: false);
        var active = spec.Active is null ? null : input.Numbers(spec.Active, "active", negative: false);
        if (problems.Any) return RecipeResult.Refused(problems.ToArray());

        var order = KeyOrder.Of(input.Count, groups!);
        var wholes = Wholes(spec, groups!, input.Count, out var wholeOf);
        var found = new List<UseGroup>();
        for (var i = 0; i < order.Length; i++)
        {
            var row = order[i];
            if (i == 0 || KeyOrder.Compare(groups!, order[i - 1], row) != 0) found.Add(new(row, wholes[wholeOf[row]]));
            found[^1].Add(stock![row], loans![row], active?[row]);
        }

        foreach (var group in found) group.AddToWhole();
        return Build(spec, input, groups!, found);
    }

    /// <summary>One total for all rows that agree in the columns within which shares are.</summary>
    private static UseTotal[] Wholes(LibraryUseSpec spec, Column[] groups, int count, out int[] wholeOf)
    {
        var within = spec.Within.Select(name => groups[Array.IndexOf(spec.Groups, name)]).ToArray();
        var order = KeyOrder.Of(count, within);
        var wholes = new List<UseTotal>();
        wholeOf = new int[count];
        for (var i = 0; i < count; i++)
        {
            if (i == 0 || KeyOrder.Compare(within, order[i - 1], order[i]) != 0) wholes.Add(new());
            wholeOf[order[i]] = wholes.Count - 1;
        }

        return [.. wholes];
    }

    private static RecipeResult Build(LibraryUseSpec spec, RecipeInput input, Column[] groups, List<UseGroup> found)
    {
        var firsts = found.Select(group => group.FirstRow).ToArray();
        var result = new ResultColumns([.. firsts.Select((_, i) => new ResultSlot(i, -1))]);
        for (var i = 0; i < groups.Length; i++) result.AddCarried(input.Named(spec.Groups[i])!, groups[i], new(groups[i], firsts));
        var uses = found.Select(group => group.Read(spec.Active is not null)).ToArray();
        result.AddNumbers("stock", i => uses[i].Stock);
        result.AddNumbers("loans", i => uses[i].Loans);
        if (spec.Active is not null) result.AddNumbers("active", i => uses[i].Active);
        result.AddNumbers("share_of_stock", i => uses[i].ShareOfStock);
        result.AddNumbers("share_of_loans", i => uses[i].ShareOfLoans);
        result.AddNumbers("turnover", i => uses[i].Turnover);
        result.AddNumbers("efficiency", i => uses[i].Efficiency);
        if (spec.Active is not null) result.AddNumbers("activation", i => uses[i].Activation);
        result.AddTexts("state", i => uses[i].State);

        var missing = uses.Count(use => use.State == UseFigures.ValueMissing);
        return result.Build(missing == 0 ? [] :
        [
            new("", RecipeNotes.ValueMissing, new(
                $"In {missing} Gruppen fehlen Werte von Bestand oder Ausleihen; sie zählen in keiner Summe.",
                $"In {missing} groups values of stock or loans are missing; they count in no total.")),
        ]);
    }
}
