using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>What can be said about a recipe without its tables. An empty answer: it can be calculated, given tables that have its columns.</summary>
internal static class RecipeCheck
{
    public static RecipeProblem[] Check(RecipeSpec recipe)
    {
        var problems = new RecipeProblems();
        Id(problems, "id", recipe.Id, hyphens: true);
        People(problems, "title", recipe.Title);
        if (recipe.Source is not null) Text(problems, "source", recipe.Source);
        switch (recipe)
        {
            case CompositeIndexSpec index: CompositeIndexCheck.Check(index, problems); break;
            case LibraryUseSpec library: LibraryUse(library, problems); break;
            case RateSpec rate: Rate(rate, problems); break;
            default: throw new ArgumentException($"{recipe.GetType().Name} is a recipe without rules.", nameof(recipe));
        }

        return problems.ToArray();
    }

    public static void Id(RecipeProblems problems, string path, string id, bool hyphens = false)
    {
        if (id.Length is > 0 and <= RecipeLimits.IdLength && char.IsAsciiLetterLower(id[0]) && id.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_' || (hyphens && c == '-'))) return;
        problems.Add(
            path, RecipeCodes.InvalidName,
            $"Ein kleiner Buchstabe a–z, dann Kleinbuchstaben, Ziffern, Unterstriche{(hyphens ? " und Bindestriche" : "")}; höchstens {RecipeLimits.IdLength} Zeichen.",
            $"A lower-case letter a–z, then lower-case letters, digits, underscores{(hyphens ? " and hyphens" : "")}; at most {RecipeLimits.IdLength} characters.");
    }

    public static void Column(RecipeProblems problems, string path, string name)
    {
        if (name.Length is > 0 and <= TableColumn.LongestName) return;
        problems.Add(path, RecipeCodes.InvalidName, $"Der Name einer Spalte hat 1 bis {TableColumn.LongestName} Zeichen.", $"The name of a column has 1 to {TableColumn.LongestName} characters.");
    }

    public static void People(RecipeProblems problems, string path, LocalText text)
    {
        Text(problems, $"{path}.de", text.De);
        if (text.En is not null) Text(problems, $"{path}.en", text.En);
    }

    public static void Text(RecipeProblems problems, string path, string text, bool mayBeEmpty = false)
    {
        if (text.Length <= RecipeLimits.TextLength && (mayBeEmpty || !string.IsNullOrWhiteSpace(text))) return;
        problems.Add(path, RecipeCodes.InvalidName, $"Ein Text von {(mayBeEmpty ? 0 : 1)} bis {RecipeLimits.TextLength} Zeichen.", $"A text of {(mayBeEmpty ? 0 : 1)} to {RecipeLimits.TextLength} characters.");
    }

    public static void Count(RecipeProblems problems, string path, int count, int least, int most)
    {
        if (count < least) problems.Add(path, RecipeCodes.TooFew, $"Mindestens {least}; hier sind es {count}.", $"At least {least}; here are {count}.");
        if (count > most) problems.Add(path, RecipeCodes.TooMany, $"Höchstens {most}; hier sind es {count}.", $"At most {most}; here are {count}.");
    }

    /// <summary>Columns of results are unique whatever their case.</summary>
    public static void Unique(RecipeProblems problems, string path, string name, HashSet<string> names)
    {
        if (!names.Add(name)) problems.Add(path, RecipeCodes.Duplicate, $"„{name}“ gibt es schon; jeder Name einmal (Groß- und Kleinschreibung zählen nicht).", $"\"{name}\" is there already; each name once, whatever its case.");
    }

    private static void LibraryUse(LibraryUseSpec spec, RecipeProblems problems)
    {
        Count(problems, "groups", spec.Groups.Length, 1, RecipeLimits.GroupColumns);
        var names = new HashSet<string>(["stock", "loans", "active", "share_of_stock", "share_of_loans", "turnover", "efficiency", "activation", "state"], StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < spec.Groups.Length; i++)
        {
            Column(problems, $"groups[{i}]", spec.Groups[i]);
            Unique(problems, $"groups[{i}]", spec.Groups[i], names);
        }

        var within = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < spec.Within.Length; i++)
        {
            Unique(problems, $"within[{i}]", spec.Within[i], within);
            if (!spec.Groups.Contains(spec.Within[i], StringComparer.Ordinal))
                problems.Add($"within[{i}]", RecipeCodes.UnknownReference, "Anteile beziehen sich auf Spalten aus groups.", "Shares refer to columns of groups.");
        }

        Column(problems, "stock", spec.Stock);
        Column(problems, "loans", spec.Loans);
        if (spec.Active is not null) Column(problems, "active", spec.Active);
    }

    private static void Rate(RateSpec spec, RecipeProblems problems)
    {
        var names = new HashSet<string>(["count", "inhabitants", "rate", "city_rate", "ratio_to_city", "rank", "previous_date", "previous_rate", "trend", "state"], StringComparer.OrdinalIgnoreCase);
        Column(problems, "area", spec.Area);
        Unique(problems, "area", spec.Area, names);
        Column(problems, "date", spec.Date);
        Unique(problems, "date", spec.Date, names);
        Column(problems, "count", spec.Count);
        if (!(spec.Per is > 0 and <= 1e9)) problems.Add("per", RecipeCodes.InvalidNumber, "Größer als 0 und höchstens 1 000 000 000.", "Above 0 and at most 1 000 000 000.");
        Column(problems, "population.area", spec.Population.Area);
        Column(problems, "population.from", spec.Population.From);
        Column(problems, "population.inhabitants", spec.Population.Inhabitants);
        if (spec.Reform is not { } reform) return;
        Column(problems, "reform.oldArea", reform.OldArea);
        Column(problems, "reform.newArea", reform.NewArea);
        Column(problems, "reform.share", reform.Share);
    }
}
