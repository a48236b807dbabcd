using System.Text;

using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>The recipe that a step names, and which of the step's tables it takes. Pure.</summary>
internal static class RecipeSteps
{
    /// <summary>Recipes that the hub brings.</summary>
    public static readonly string[] Names = ["social-monitoring"];

    public static RecipeSpec? Shipped(string name) => name == "social-monitoring" ? SocialMonitoring.Spec : null;

    /// <summary>What is wrong with a step's own definition, and with the tables that it names.</summary>
    public static RecipeProblem[] Problems(RecipeStep step)
    {
        if (Recipe(step, out var problems) is not { } recipe) return problems;
        return [.. Misfits(step, recipe)];
    }

    /// <exception cref="StepException">The tables are not what the recipe needs; the reasons.</exception>
    public static RecipeResult Compute(RecipeStep step, IReadOnlyDictionary<string, RecipeTable> tables)
    {
        var recipe = Recipe(step, out var wrong);
        if (recipe is null) throw Refused(wrong);
        var input = tables[step.Input];
        var result = recipe switch
        {
            CompositeIndexSpec index => CompositeIndex.Compute(index, input.Columns, input.Rows, step.Previous is null ? null : tables[step.Previous]),
            LibraryUseSpec use => LibraryUse.Compute(use, input.Columns, input.Rows),
            RateSpec rates => RateRecipe.Compute(rates, input, tables[step.Population!], step.Crosswalk is null ? null : tables[step.Crosswalk]),
            _ => throw new InvalidOperationException($"no calculation for {recipe.GetType().Name}"),
        };
        return result.Problems.Length == 0 ? result : throw Refused(result.Problems);
    }

    private static RecipeSpec? Recipe(RecipeStep step, out RecipeProblem[] problems)
    {
        problems = [];
        if (step.Name is not null) return Shipped(step.Name);
        return step.Definition is null ? null : RecipeJson.Read(Encoding.UTF8.GetBytes(step.Definition), out problems);
    }

    private static IEnumerable<RecipeProblem> Misfits(RecipeStep step, RecipeSpec recipe)
    {
        if (step.Previous is not null && recipe is not CompositeIndexSpec) yield return new("", "misfit", new("previous gibt es nur für einen zusammengesetzten Index.", "previous is for a composite index only."));
        if (recipe is RateSpec && step.Population is null) yield return new("", "misfit", new("Raten brauchen population.", "Rates need population."));
        if (recipe is not RateSpec && (step.Population is not null || step.Crosswalk is not null)) yield return new("", "misfit", new("population und crosswalk gibt es nur für Raten.", "population and crosswalk are for rates only."));
        if (recipe is RateSpec rates && rates.Reform is null == step.Crosswalk is not null) yield return new("", "misfit", new("reform im Rezept und crosswalk gehören zusammen.", "reform in the recipe and crosswalk go together."));
    }

    private static StepException Refused(RecipeProblem[] problems)
    {
        var first = problems.Length == 0 ? new("", "", new("Das Rezept ist nicht lesbar.", "The recipe is not readable.")) : problems[0];
        return new(new($"{Place(first)}{first.Detail.De}", $"{Place(first)}{first.Detail.In("en")}"))
        {
            Notes = [.. problems.Select(problem => new StepNote("error", new($"{Place(problem)}{problem.Detail.De}", $"{Place(problem)}{problem.Detail.In("en")}")))],
        };

        static string Place(RecipeProblem problem) => problem.Path.Length == 0 ? "" : problem.Path + ": ";
    }
}
