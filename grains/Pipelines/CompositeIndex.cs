using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>
/// Calculates a <see cref="CompositeIndexSpec"/>. Equal rows give equal results to the last bit, whatever their order and
/// however they are cut into blocks.
/// </summary>
internal static class CompositeIndex
{
    /// <param name="spec">What to calculate.</param>
    /// <param name="columns">Of <paramref name="rows"/>.</param>
    /// <param name="rows">At most <see cref="RecipeLimits.Rows"/>.</param>
    /// <param name="previous">The result of an earlier edition; null: nothing is compared and there are no columns for it.</param>
    public static RecipeResult Compute(CompositeIndexSpec spec, TableColumn[] columns, IReadOnlyList<RowBlock> rows, RecipeTable? previous = null)
    {
        if (RecipeCheck.Check(spec) is { Length: > 0 } wrong) return RecipeResult.Refused(wrong);

        var problems = new RecipeProblems();
        var input = new RecipeInput(new(columns, rows), problems);
        if (!input.FitsLimit("") || SortedRows.Of(input, spec.Key, "key") is not { } sorted) return RecipeResult.Refused(problems.ToArray());
        var ranked = RankedRows.Of(spec, input, sorted.Order);
        var before = previous is null ? null : PreviousEdition.Read(spec, input.Named(spec.Key)!, previous, problems);
        if (ranked is null || problems.Any) return RecipeResult.Refused(problems.ToArray());

        var notes = new List<RecipeNote>(ranked.Notes);
        var indices = new IndexFigures[spec.Indices.Length];
        for (var i = 0; i < indices.Length; i++)
        {
            if (IndexFigures.Of(spec.Indices[i], $"indices[{i}]", ranked, notes, problems) is { } figures) indices[i] = figures;
        }

        if (problems.Any) return RecipeResult.Refused(problems.ToArray());
        var slots = before is null ? ResultSlots.Of(sorted) : ResultSlots.Of(sorted, before.Rows);
        var result = new ResultColumns(slots);
        AddGiven(spec, input, sorted, before, ranked, result);
        foreach (var index in indices) index.AddTo(result);
        foreach (var cross in spec.CrossClasses) AddCross(cross, indices, result);
        before?.AddTo(result, ranked, indices, notes);
        return result.Build(notes);
    }

    private static void AddGiven(CompositeIndexSpec spec, RecipeInput input, SortedRows sorted, PreviousEdition? before, RankedRows ranked, ResultColumns result)
    {
        result.AddKey(input.Named(spec.Key)!, sorted, before?.Rows);
        foreach (var name in spec.Carry) result.AddCarried(input.Named(name)!, input.Any(name, "carry")!, sorted);
        result.AddTexts(CompositeIndexColumns.Excluded, position => ranked.Reasons[position]?.De);
        result.AddTexts(CompositeIndexColumns.ExcludedEn, position => ranked.Reasons[position]?.In("en"));
    }

    private static void AddCross(CrossClassSpec cross, IndexFigures[] indices, ResultColumns result)
    {
        var parts = cross.Parts.Select(part => (Part: part, Figures: Array.Find(indices, figures => figures.Spec.Id == part.Index)!)).ToArray();
        result.AddTexts(cross.Id, position => parts[0].Figures.Class(position) is null ? null : string.Concat(parts.Select(p => Shown(p.Part, p.Figures, position))));
    }

    private static string Shown(CrossPart part, IndexFigures figures, int position)
    {
        var type = figures.Class(position)!.Value;
        return part.Before + (part.Texts.Length > 0 ? part.Texts[type] : figures.Spec.Classes[type].Label);
    }
}
