using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>
/// How the stock of libraries is used, per group (branch, medium, subject …). Columns of the result: those of the group,
/// <c>stock</c>, <c>loans</c>, <c>active</c> (items), <c>share_of_stock</c>, <c>share_of_loans</c>, <c>turnover</c> (loans per item),
/// <c>efficiency</c> (share of loans / share of stock), <c>activation</c> (share of items loaned at least once), <c>state</c>.
/// </summary>
/// <param name="Groups">1 to <see cref="RecipeLimits.GroupColumns"/> texts or integers; rows that agree in all are added up.</param>
/// <param name="Stock">Items held, not negative.</param>
/// <param name="Loans">Loans in the period, not negative.</param>
[GenerateSerializer, Immutable, Alias("datahub.LibraryUseSpec")]
public sealed record LibraryUseSpec(string Id, LocalText Title, [property: Id(0)] string[] Groups, [property: Id(1)] string Stock, [property: Id(2)] string Loans) : RecipeSpec(Id, Title)
{
    /// <summary>Items loaned at least once in the period, not negative; null: there is no activation.</summary>
    [Id(3)] public string? Active { get; init; }

    /// <summary>Some of <see cref="Groups"/>: shares are of the rows that agree in these; empty: of all rows.</summary>
    [Id(4)] public string[] Within { get; init; } = [];
}
