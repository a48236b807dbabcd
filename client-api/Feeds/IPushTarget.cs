using System.Collections.Concurrent;

using DataHub.Catalog;

using Microsoft.Extensions.Logging;

using Orleans.Runtime;

namespace DataHub.Feeds;

/// <summary>What a push needs of the cluster.</summary>
internal interface IPushTarget
{
    /// <summary>The dataset as it stands, or null.</summary>
    Task<DatasetInfo?> DatasetAsync(string dataset);

    /// <summary>The areas that rows are resolved with, or null where there is no such version (any more).</summary>
    ValueTask<IRowAreas?> AreasAsync(string system, int version, CancellationToken cancellationToken);

    /// <summary>Hands a part to its shard. A cluster that does not answer is a refusal, not an exception.</summary>
    Task<AppendResult> AppendAsync(int shard, Caller caller, PushPart part);
}

/// <summary>The cluster itself.</summary>
internal sealed partial class ClusterPushTarget(IGrainFactory grains, AreaDirectory areas, ILogger<ClusterPushTarget> logger) : IPushTarget
{
    // Orleans looks the interface's attributes up anew for every reference it makes.
    private readonly ConcurrentDictionary<int, ILogShardGrain> _shards = new();

    public Task<DatasetInfo?> DatasetAsync(string dataset) => grains.GetGrain<IDatasetGrain>(dataset).GetAsync(Caller.Hub);

    public async ValueTask<IRowAreas?> AreasAsync(string system, int version, CancellationToken cancellationToken) =>
        await areas.GetAsync(system, version, cancellationToken) is { } index ? new IndexedAreas(index) : null;

    public async Task<AppendResult> AppendAsync(int shard, Caller caller, PushPart part)
    {
        try
        {
            return await _shards.GetOrAdd(shard, static (number, grains) => grains.GetGrain<ILogShardGrain>(number), grains).AppendAsync(caller, part);
        }
        catch (LimitExceededException e)
        {
            LogNoAnswer(shard, e.GetType().Name);
            return AppendResult.Refused(AppendRefusal.Full, $"shard {shard}");
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            // The shard is moving or its silo is gone. Whether the part was stored is not known here.
            LogNoAnswer(shard, e.GetType().Name);
            return AppendResult.Refused(AppendRefusal.Unavailable, $"shard {shard}");
        }
    }

    [LoggerMessage(1140, LogLevel.Warning, "Shard {Shard} did not answer: {Exception}")]
    private partial void LogNoAnswer(int shard, string exception);
}
