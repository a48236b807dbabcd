using DataHub.Feeds;

namespace DataHub.Support;

/// <summary>A log store with faults before it.</summary>
internal sealed class FaultyLogStore(ILogStore inner, StoreFaults? faults = null) : ILogStore
{
    public StoreFaults Faults { get; } = faults ?? new();

    public Task<Guid> IncarnationAsync(CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(IncarnationAsync), () => inner.IncarnationAsync(cancellationToken));

    public Task<ShardHead> ClaimAsync(int shard, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(ClaimAsync), () => inner.ClaimAsync(shard, cancellationToken));

    public Task<bool> AppendAsync(int shard, long epoch, long expectedPosition, IReadOnlyList<LogBatch> batches, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(AppendAsync), () => inner.AppendAsync(shard, epoch, expectedPosition, batches, cancellationToken));

    public Task<IReadOnlyList<LogBatch>> ReadShardAsync(int shard, long after, int maxBatches, int maxBytes, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(ReadShardAsync), () => inner.ReadShardAsync(shard, after, maxBatches, maxBytes, cancellationToken));

    public Task<IReadOnlyList<LogBatch>> ReadPartitionAsync(string partition, long after, int maxBatches, int maxBytes, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(ReadPartitionAsync), () => inner.ReadPartitionAsync(partition, after, maxBatches, maxBytes, cancellationToken));

    public Task<long> SequenceAtAsync(string partition, DateTimeOffset instant, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(SequenceAtAsync), () => inner.SequenceAtAsync(partition, instant, cancellationToken));

    public Task<long> HeadAsync(string partition, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(HeadAsync), () => inner.HeadAsync(partition, cancellationToken));

    public Task<long> PositionOfAsync(int shard, string partition, long sequence, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(PositionOfAsync), () => inner.PositionOfAsync(shard, partition, sequence, cancellationToken));

    public Task<IReadOnlyList<PartitionHead>> PartitionsAsync(int shard, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(PartitionsAsync), () => inner.PartitionsAsync(shard, cancellationToken));

    public Task<PartReceipt?> FindPushAsync(string dataset, string feed, string idempotencyKey, int part, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(FindPushAsync), () => inner.FindPushAsync(dataset, feed, idempotencyKey, part, cancellationToken));

    public Task<IReadOnlyList<PartReceipt>> FindReceiptAsync(string receipt, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(FindReceiptAsync), () => inner.FindReceiptAsync(receipt, cancellationToken));
}
