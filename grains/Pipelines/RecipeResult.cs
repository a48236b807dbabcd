using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>What a recipe makes of its tables. Where there are problems there is nothing else.</summary>
/// <param name="Columns">Of the result.</param>
/// <param name="Rows">In the order of the key.</param>
/// <param name="Notes">What whoever reads it should know.</param>
/// <param name="Problems">Why there is no result.</param>
internal sealed record RecipeResult(TableColumn[] Columns, RowBlock Rows, RecipeNote[] Notes, RecipeProblem[] Problems)
{
    public static RecipeResult Refused(RecipeProblem[] problems) => new([], RowBlock.Empty, [], problems);
}
