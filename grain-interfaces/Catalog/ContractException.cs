namespace DataHub.Catalog;

/// <summary>A schema that cannot be a contract, with everything that is wrong with it.</summary>
public sealed class ContractException : Exception
{
    public ContractException(IReadOnlyList<ContractProblem> problems)
        : base(string.Join(" ", problems.Select(p => p.Detail.De)))
    {
        Problems = problems;
    }

    /// <summary>At least one.</summary>
    public IReadOnlyList<ContractProblem> Problems { get; }
}
