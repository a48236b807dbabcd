namespace DataHub.Feeds;

/// <summary>The log: append-only, one writer per shard by compare-and-swap (design §2.2, §2.3, I3).</summary>
/// <remarks>
/// A call that throws may or may not have happened; only the caller that knows how to find out may repeat it.
/// Nothing here retries.
/// </remarks>
internal interface ILogStore
{
    /// <summary>Names this log since its last restore; part of every watermark.</summary>
    Task<Guid> IncarnationAsync(CancellationToken cancellationToken);

    /// <summary>Makes the caller the shard's only writer: raises its epoch and reads its head in the same transaction.</summary>
    Task<ShardHead> ClaimAsync(int shard, CancellationToken cancellationToken);

    /// <summary>
    /// Commits the batches together, if the shard still has this epoch and position; positions and sequences must
    /// continue the head's without holes. Sets <see cref="LogBatch.ReceivedAt"/> on each: the store's clock, one
    /// instant for all, not before the shard's last.
    /// </summary>
    /// <returns>False if another writer has claimed the shard or the position is another; nothing is stored then.</returns>
    Task<bool> AppendAsync(int shard, long epoch, long expectedPosition, IReadOnlyList<LogBatch> batches, CancellationToken cancellationToken);

    /// <summary>Batches of a shard after a position, in order; fewer than asked only at the head or at <paramref name="maxBytes"/> (at least one is returned if there is one).</summary>
    Task<IReadOnlyList<LogBatch>> ReadShardAsync(int shard, long after, int maxBatches, int maxBytes, CancellationToken cancellationToken);

    /// <summary>Batches of a partition after a sequence, in order; limits as in <see cref="ReadShardAsync"/>.</summary>
    Task<IReadOnlyList<LogBatch>> ReadPartitionAsync(string partition, long after, int maxBatches, int maxBytes, CancellationToken cancellationToken);

    /// <summary>Last sequence of a partition; 0 where it has none.</summary>
    Task<long> HeadAsync(string partition, CancellationToken cancellationToken);

    /// <summary>
    /// The partition's last sequence received at or before an instant; 0 where there is none. Waits for appends under way,
    /// so that the answer stays the same for ever, if the instant lies before the store's clock.
    /// </summary>
    Task<long> SequenceAtAsync(string partition, DateTimeOffset instant, CancellationToken cancellationToken);

    /// <summary>The shard's position at which a partition's sequence stands; 0 for sequence 0; the shard's head for a sequence beyond the partition's.</summary>
    Task<long> PositionOfAsync(int shard, string partition, long sequence, CancellationToken cancellationToken);

    /// <summary>All partitions that the shard's log holds, with their last sequence.</summary>
    Task<IReadOnlyList<PartitionHead>> PartitionsAsync(int shard, CancellationToken cancellationToken);

    /// <summary>The part stored under an idempotency key (scope: feed), or null.</summary>
    Task<PartReceipt?> FindPushAsync(string dataset, string feed, string idempotencyKey, int part, CancellationToken cancellationToken);

    /// <summary>All stored parts of a receipt, in order; empty where unknown.</summary>
    Task<IReadOnlyList<PartReceipt>> FindReceiptAsync(string receipt, CancellationToken cancellationToken);
}

/// <param name="Epoch">To be named in every append.</param>
/// <param name="Position">Of the last batch; 0 where there is none.</param>
/// <param name="Partitions">Those with at least one batch.</param>
internal sealed record ShardHead(long Epoch, long Position, IReadOnlyList<PartitionHead> Partitions);

/// <param name="ContractVersion">That of the partition's last batch.</param>
/// <param name="AreaVersion">That of the partition's last batch.</param>
internal sealed record PartitionHead(string Partition, long Sequence, int ContractVersion, int AreaVersion);
