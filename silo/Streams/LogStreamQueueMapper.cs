using DataHub.Catalog;

using Orleans.Runtime;
using Orleans.Streams;

namespace DataHub.Streams;

/// <summary>Queue number = shard number; a partition's stream is in the queue of the shard that holds it.</summary>
internal sealed class LogStreamQueueMapper : IConsistentRingStreamQueueMapper
{
    private readonly QueueId[] _queues;

    public LogStreamQueueMapper(string name, int shards)
    {
        _queues = new QueueId[shards];
        // Spread evenly over the ring, so that silos take equal shares.
        for (var shard = 0; shard < shards; shard++)
        {
            _queues[shard] = QueueId.GetQueueId(name, (uint)shard, (uint)((ulong)uint.MaxValue * (ulong)shard / (ulong)shards));
        }
    }

    public IEnumerable<QueueId> GetAllQueues() => _queues;

    public QueueId GetQueueForStream(StreamId streamId) => _queues[DatasetRules.ShardOf(streamId.GetKeyAsString(), _queues.Length)];

    public IEnumerable<QueueId> GetQueuesForRange(IRingRange range) => _queues.Where(queue => range.InRange(queue.GetUniformHashCode()));
}
