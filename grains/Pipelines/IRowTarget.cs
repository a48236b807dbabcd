using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>Puts the rows of a table into a dataset by the way of every push.</summary>
internal interface IRowTarget
{
    /// <summary>Pushes a table. With the same key and the same table again it stores nothing twice, and completes what is missing.</summary>
    /// <param name="written">Told how many rows were taken so far.</param>
    /// <exception cref="StepException">The dataset does not take them.</exception>
    Task<RowsWritten> WriteAsync(RowsToWrite rows, Action<long> written, CancellationToken cancellationToken);
}

/// <param name="By">Who writes, as the push's receipt names it.</param>
/// <param name="Sha256">Of the table.</param>
/// <param name="Batch">One by its number.</param>
internal sealed record RowsToWrite(
    Caller Caller, string Dataset, string Feed, RunStep By, byte[] Sha256, TableColumn[] Columns, long Rows, int Batches, Func<int, Task<RowBlock>> Batch)
{
    /// <summary>The push's idempotency key.</summary>
    public string Key => $"run {By.Run} {By.Step}";
}

/// <param name="Watermark">Includes every row.</param>
/// <param name="Errors">Of quarantined rows, the first ones.</param>
internal sealed record RowsWritten(string Receipt, PushCounts Counts, string? Watermark, RowError[] Errors);
