using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>Says what a dataset would make of the rows of a table, by the very reading of every push. Nothing is stored, and nothing is counted.</summary>
internal interface IRowTrial
{
    /// <summary>Asks the dataset as it stands: one version of its contract and of its areas for all rows.</summary>
    /// <param name="tried">Told how many rows were looked at so far.</param>
    /// <exception cref="StepException">There is no such dataset, the caller may not push into it, or it takes no rows any more.</exception>
    Task<RowsTried> TryAsync(RowsToTry rows, Action<long> tried, CancellationToken cancellationToken);
}

/// <param name="Caller">Who would write.</param>
/// <param name="Batch">One by its number.</param>
internal sealed record RowsToTry(Caller Caller, string Dataset, TableColumn[] Columns, int Batches, Func<int, Task<RowBlock>> Batch);

/// <param name="Contract">Version of the contract.</param>
/// <param name="AreaSystem">With which rows were placed; null: the dataset has none.</param>
/// <param name="AreaVersion">Of the area system.</param>
/// <param name="Quarantined">Rows that would go to quarantine.</param>
/// <param name="First">What is wrong with the first of them, masked for personal fields; null: none would.</param>
/// <param name="Refusal">Why the table would not be taken at all, such as for a column that the contract does not know; null: it would.</param>
internal sealed record RowsTried(int Contract, string? AreaSystem, int AreaVersion, long Quarantined, RowError? First, LocalText? Refusal)
{
    /// <summary>Every row would be taken.</summary>
    public bool IsKept => Quarantined == 0 && Refusal is null;
}
