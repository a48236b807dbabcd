using Orleans.Runtime;
using Orleans.Streams;

namespace DataHub.Streams;

/// <summary>Each silo reads the streams of the shards that are written on it.</summary>
internal sealed class ShardQueueBalancer(IServiceProvider services, ShardHome home, ILogger<ShardQueueBalancer> logger) : QueueBalancerBase(services, logger)
{
    private QueueId[] _queues = [];
    private IReadOnlyCollection<SiloAddress> _active = [];

    public override Task Initialize(IStreamQueueMapper queueMapper)
    {
        _queues = [.. queueMapper.GetAllQueues()];
        return base.Initialize(queueMapper);
    }

    public override IEnumerable<QueueId> GetMyQueues()
    {
        var active = _active;
        return [.. _queues.Where(queue => SiloAddress.Equals(home.Of((int)queue.GetNumericId(), active)))];
    }

    protected override void OnClusterMembershipChange(HashSet<SiloAddress> activeSilos)
    {
        _active = [.. activeSilos];
        _ = NotifyListeners();
    }
}
