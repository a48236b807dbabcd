namespace DataHub.Feeds;

/// <summary>Erasures under way and done, and the overwriting that only they may do (design §2.3).</summary>
internal interface IErasureStore
{
    /// <summary>Stores an erasure as it stands now.</summary>
    Task SaveAsync(StoredErasure erasure, CancellationToken cancellationToken);

    /// <summary>Null where there is none.</summary>
    Task<StoredErasure?> FindAsync(string id, CancellationToken cancellationToken);

    /// <summary>Erasures of a dataset, newest first.</summary>
    /// <param name="after">Only those behind this one; null: all.</param>
    Task<IReadOnlyList<ErasureInfo>> ListAsync(string dataset, string? after, int limit, CancellationToken cancellationToken);

    /// <summary>Ids and datasets of all erasures that are not done, oldest first.</summary>
    Task<IReadOnlyList<(string Id, string Dataset)>> PendingAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Puts batches of a partition in the place of those with the same sequences, with the receipts of their pushes.
    /// The only change ever made to a stored batch. Repeating is harmless.
    /// </summary>
    Task OverwriteAsync(string partition, IReadOnlyList<LogBatch> batches, CancellationToken cancellationToken);

    /// <summary>Takes row versions, quarantined content, series, and texts of acts out of history. Repeating is harmless.</summary>
    Task EraseHistoryAsync(string partition, HistoryErasure erasure, CancellationToken cancellationToken);

    /// <summary>
    /// Takes series out of history of which nothing is left up to a sequence. Repeating is harmless. Refused where history is further, or has
    /// not stored its series (<see cref="HistoryPosition.Series"/>): what it stores later could bring them back.
    /// </summary>
    /// <returns>False, and nothing is taken out, where history is further than that: there may be new rows of them.</returns>
    Task<bool> EraseSeriesAsync(string partition, IReadOnlyCollection<byte[]> series, long upTo, CancellationToken cancellationToken);

    /// <summary>Sees to it that nothing overwritten is left in freed pages and write-ahead logs.</summary>
    /// <returns>False where a store was too large to be written anew; its freed pages were filled with zeros, but pages moved about earlier may hold copies.</returns>
    Task<bool> CompactAsync(CancellationToken cancellationToken);
}

/// <param name="Work">What the erasure needs to go on, the values looked for among it; null once it is done.</param>
internal sealed record StoredErasure(ErasureInfo Info, byte[]? Work);

/// <summary>What is to be taken out of a partition's history.</summary>
/// <param name="Versions">By time, key and the sequence from which they held.</param>
/// <param name="Series">Series by which no new row is told.</param>
/// <param name="Quarantined">By sequence and index.</param>
/// <param name="Act">What remains of the act of a batch, by its sequence; null where nothing of it goes.</param>
internal sealed record HistoryErasure(
    IReadOnlyList<(long Time, byte[] Key, long From)> Versions, IReadOnlyList<byte[]> Series, IReadOnlyList<(long Sequence, int Index)> Quarantined,
    (long Sequence, string? Rule, string? Reason)? Act);
