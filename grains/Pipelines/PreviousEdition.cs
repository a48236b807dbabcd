using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>An earlier result of the same recipe, and how this one moved against it.</summary>
internal sealed class PreviousEdition
{
    private readonly CompositeIndexSpec _spec;

    /// <summary>By index of the recipe.</summary>
    private readonly (double[] Values, Column? Classes)[] _figures;

    private PreviousEdition(CompositeIndexSpec spec, SortedRows rows, (double[] Values, Column? Classes)[] figures) => (_spec, Rows, _figures) = (spec, rows, figures);

    public SortedRows Rows { get; }

    /// <returns>Null where this is no earlier result; the problems, all with the path <c>previous</c>, say why.</returns>
    public static PreviousEdition? Read(CompositeIndexSpec spec, TableColumn key, RecipeTable table, RecipeProblems problems)
    {
        const string Path = "previous";
        var input = new RecipeInput(table, problems);
        if (!input.FitsLimit(Path) || SortedRows.Of(input, spec.Key, Path) is not { } rows) return null;
        if (input.Named(spec.Key)!.Type != key.Type)
        {
            problems.Add(Path, RecipeCodes.ColumnType, $"„{spec.Key}“ hat in der vorigen Ausgabe einen anderen Typ.", $"\"{spec.Key}\" is of another type in the previous edition.");
            return null;
        }

        var figures = new (double[] Values, Column? Classes)[spec.Indices.Length];
        for (var i = 0; i < figures.Length; i++)
        {
            var index = spec.Indices[i];
            var values = input.Numbers(CompositeIndexColumns.Value(index), Path, negative: true);
            var classes = index.Classes.Length == 0 ? null : input.Key(CompositeIndexColumns.Class(index), Path);
            if (classes is { Kind: not ColumnKind.Text })
                problems.Add(Path, RecipeCodes.ColumnType, $"„{CompositeIndexColumns.Class(index)}“ ist kein Text.", $"\"{CompositeIndexColumns.Class(index)}\" is not a text.");
            if (values is not null) figures[i] = (values, classes);
        }

        return problems.Any ? null : new(spec, rows, figures);
    }

    public void AddTo(ResultColumns result, RankedRows ranked, IndexFigures[] indices, List<RecipeNote> notes)
    {
        var words = result.Slots.ToDictionary(slot => slot, slot => Word(slot, ranked));
        result.AddTexts(CompositeIndexColumns.Comparison, slot => words[slot]);
        for (var i = 0; i < indices.Length; i++)
        {
            var (figures, before) = (indices[i], _figures[i]);
            result.AddNumbers(CompositeIndexColumns.ValueChange(figures.Spec), slot =>
                words[slot] == EditionComparison.Compared ? figures.Value(slot.Position) - before.Values[Rows.Order[slot.Before]] : null);
            if (before.Classes is not { } classes) continue;

            result.AddTexts(CompositeIndexColumns.PreviousClass(figures.Spec), slot => slot.Before < 0 ? null : classes.Texts![Rows.Order[slot.Before]]);
            var unknown = 0;
            result.AddIntegers(CompositeIndexColumns.Change(figures.Spec), FieldType.Integer, slot =>
            {
                if (words[slot] != EditionComparison.Compared) return null;
                var was = Array.FindIndex(figures.Spec.Classes, type => type.Label == classes.Texts![Rows.Order[slot.Before]]);
                if (was >= 0) return figures.Class(slot.Position) - was;
                unknown++;
                return null;
            });
            if (unknown > 0)
            {
                notes.Add(new($"indices[{i}].classes", RecipeNotes.UnknownClass, new(
                    $"{unknown} Zeilen hatten in der vorigen Ausgabe eine Klasse, die es nicht mehr gibt; ihre Änderung fehlt.",
                    $"{unknown} rows had a class in the previous edition that is no more; their change is missing.")));
            }
        }
    }

    private string Word(ResultSlot slot, RankedRows ranked)
    {
        if (slot.Before < 0) return EditionComparison.New;
        if (slot.Position < 0) return EditionComparison.Gone;
        var wasRanked = Array.TrueForAll(_figures, figures => !double.IsNaN(figures.Values[Rows.Order[slot.Before]]));
        return (ranked.Reasons[slot.Position] is null, wasRanked) switch
        {
            (true, true) => EditionComparison.Compared,
            (true, false) => EditionComparison.ExcludedBefore,
            (false, true) => EditionComparison.ExcludedNow,
            (false, false) => EditionComparison.ExcludedInBoth,
        };
    }
}
