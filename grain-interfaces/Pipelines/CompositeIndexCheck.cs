namespace DataHub.Pipelines;

/// <summary>The rules of <see cref="CompositeIndexSpec"/>.</summary>
internal static class CompositeIndexCheck
{
    public static void Check(CompositeIndexSpec spec, RecipeProblems problems)
    {
        var names = new HashSet<string>([CompositeIndexColumns.Excluded, CompositeIndexColumns.ExcludedEn, CompositeIndexColumns.Comparison], StringComparer.OrdinalIgnoreCase);
        RecipeCheck.Column(problems, "key", spec.Key);
        RecipeCheck.Unique(problems, "key", spec.Key, names);

        RecipeCheck.Count(problems, "carry", spec.Carry.Length, 0, RecipeLimits.CarriedColumns);
        for (var i = 0; i < spec.Carry.Length; i++)
        {
            RecipeCheck.Column(problems, $"carry[{i}]", spec.Carry[i]);
            RecipeCheck.Unique(problems, $"carry[{i}]", spec.Carry[i], names);
        }

        RecipeCheck.Count(problems, "exclusions", spec.Exclusions.Length, 0, RecipeLimits.Exclusions);
        for (var i = 0; i < spec.Exclusions.Length; i++) Exclusion(spec.Exclusions[i], $"exclusions[{i}]", problems);

        RecipeCheck.Count(problems, "indices", spec.Indices.Length, 1, RecipeLimits.Indices);
        for (var i = 0; i < spec.Indices.Length; i++) Index(spec.Indices[i], $"indices[{i}]", names, problems);

        RecipeCheck.Count(problems, "crossClasses", spec.CrossClasses.Length, 0, RecipeLimits.CrossClasses);
        for (var i = 0; i < spec.CrossClasses.Length; i++) Cross(spec, spec.CrossClasses[i], $"crossClasses[{i}]", names, problems);
    }

    private static void Exclusion(ExclusionSpec exclusion, string path, RecipeProblems problems)
    {
        RecipeCheck.Column(problems, $"{path}.column", exclusion.Column);
        RecipeCheck.People(problems, $"{path}.reason", exclusion.Reason);
        if (exclusion.EqualTo is not null) RecipeCheck.Text(problems, $"{path}.equals", exclusion.EqualTo, mayBeEmpty: true);
        if (exclusion.NotEqualTo is not null) RecipeCheck.Text(problems, $"{path}.notEquals", exclusion.NotEqualTo, mayBeEmpty: true);
        var said = (exclusion.EqualTo is null ? 0 : 1) + (exclusion.NotEqualTo is null ? 0 : 1) + (exclusion.IsNull ? 1 : 0);
        if (said != 1) problems.Add(path, RecipeCodes.ConditionIncomplete, $"Genau eines von equals, notEquals und isNull; hier sind es {said}.", $"Exactly one of equals, notEquals and isNull; here are {said}.");
    }

    private static void Index(IndexSpec index, string path, HashSet<string> names, RecipeProblems problems)
    {
        RecipeCheck.Id(problems, $"{path}.id", index.Id);
        RecipeCheck.People(problems, $"{path}.name", index.Name);
        RecipeCheck.Count(problems, $"{path}.indicators", index.Indicators.Length, 1, RecipeLimits.Indicators);
        for (var i = 0; i < index.Indicators.Length; i++)
        {
            var (indicator, at) = (index.Indicators[i], $"{path}.indicators[{i}]");
            RecipeCheck.Column(problems, $"{at}.column", indicator.Column);
            var column = CompositeIndexColumns.Standardised(index, indicator.Column);
            if (indicator.Column.Length <= TableColumn.LongestName) RecipeCheck.Column(problems, $"{at}.column", column);
            RecipeCheck.Unique(problems, $"{at}.column", column, names);
            if (!(indicator.Weight is > 0 and <= RecipeLimits.GreatestWeight))
                problems.Add($"{at}.weight", RecipeCodes.InvalidNumber, $"Ein Gewicht ist größer als 0 und höchstens {RecipeLimits.GreatestWeight}; was den Index senkt, sagt direction.", $"A weight is above 0 and at most {RecipeLimits.GreatestWeight}; direction says what lowers the index.");
            Known(indicator.Direction, $"{at}.direction", problems);
        }

        Known(index.Standardisation, $"{path}.standardisation", problems);
        Known(index.Combine, $"{path}.combine", problems);
        Known(index.Restandardise, $"{path}.restandardise", problems);
        foreach (var name in new[]
        {
            CompositeIndexColumns.Sum(index), CompositeIndexColumns.Value(index), CompositeIndexColumns.Class(index), CompositeIndexColumns.ClassName(index),
            CompositeIndexColumns.PreviousClass(index), CompositeIndexColumns.Change(index), CompositeIndexColumns.ValueChange(index),
        }) RecipeCheck.Unique(problems, $"{path}.id", name, names);
        Classes(index, path, problems);
    }

    private static void Classes(IndexSpec index, string path, RecipeProblems problems)
    {
        RecipeCheck.Count(problems, $"{path}.classes", index.Classes.Length, 0, RecipeLimits.Classes);
        var labels = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        IndexClass? before = null;
        for (var i = 0; i < index.Classes.Length; i++)
        {
            var (type, at) = (index.Classes[i], $"{path}.classes[{i}]");
            RecipeCheck.Text(problems, $"{at}.label", type.Label);
            RecipeCheck.Unique(problems, $"{at}.label", type.Label, labels);
            RecipeCheck.People(problems, $"{at}.name", type.Name);
            var ends = (type.Below is null ? 0 : 1) + (type.UpTo is null ? 0 : 1);
            if (i == index.Classes.Length - 1)
            {
                if (ends > 0) problems.Add(at, RecipeCodes.InvalidBound, "Die letzte Klasse hat kein oberes Ende; was darüber liegt, gehörte sonst zu keiner.", "The last class has no upper end; what lies above would be in none.");
                return;
            }

            if (ends != 1)
            {
                problems.Add(at, RecipeCodes.InvalidBound, "Genau eines von below (Grenze gehört nicht dazu) und upTo (gehört dazu).", "Exactly one of below (the bound is outside) and upTo (it is inside).");
                continue;
            }

            var member = type.Below is null ? $"{at}.upTo" : $"{at}.below";
            if (!double.IsFinite(End(type))) problems.Add(member, RecipeCodes.InvalidNumber, "Eine Grenze ist eine endliche Zahl.", "A bound is a finite number.");
            else if (before is not null && !Ascends(before, type)) problems.Add(member, RecipeCodes.NotAscending, "Klassen stehen in aufsteigender Ordnung; diese wäre leer.", "Classes ascend; this one would be empty.");
            before = type;
        }
    }

    private static double End(IndexClass type) => type.Below ?? type.UpTo ?? double.PositiveInfinity;

    /// <summary>Below 1 and then up to 1 leaves the class of exactly 1.</summary>
    private static bool Ascends(IndexClass before, IndexClass type) =>
        End(before) < End(type) || (End(before) == End(type) && before.Below is not null && type.UpTo is not null);

    private static void Cross(CompositeIndexSpec spec, CrossClassSpec cross, string path, HashSet<string> names, RecipeProblems problems)
    {
        RecipeCheck.Id(problems, $"{path}.id", cross.Id);
        RecipeCheck.Unique(problems, $"{path}.id", cross.Id, names);
        RecipeCheck.Count(problems, $"{path}.parts", cross.Parts.Length, 2, RecipeLimits.CrossParts);
        for (var i = 0; i < cross.Parts.Length; i++)
        {
            var (part, at) = (cross.Parts[i], $"{path}.parts[{i}]");
            RecipeCheck.Text(problems, $"{at}.before", part.Before, mayBeEmpty: true);
            for (var t = 0; t < part.Texts.Length; t++) RecipeCheck.Text(problems, $"{at}.texts[{t}]", part.Texts[t], mayBeEmpty: true);
            if (Array.Find(spec.Indices, index => index.Id == part.Index) is not { Classes.Length: > 0 } index)
                problems.Add($"{at}.index", RecipeCodes.UnknownReference, "Kein Index mit Klassen heißt so.", "No index with classes is called so.");
            else if (part.Texts.Length > 0 && part.Texts.Length != index.Classes.Length)
                problems.Add($"{at}.texts", RecipeCodes.MemberTogether, $"Für jede der {index.Classes.Length} Klassen ein Text oder gar keiner.", $"A text for each of the {index.Classes.Length} classes, or none at all.");
        }
    }

    private static void Known<T>(T value, string path, RecipeProblems problems) where T : struct, Enum
    {
        if (!Enum.IsDefined(value)) problems.Add(path, RecipeCodes.UnknownWord, "Das gibt es nicht.", "There is no such thing.");
    }
}
