using DataHub.Feeds;
using DataHub.Indicators;

using Microsoft.Extensions.Options;

using Orleans.Configuration;
using Orleans.Providers.Streams.Common;
using Orleans.Runtime;
using Orleans.Streams;

namespace DataHub.Streams;

/// <summary>
/// The log as persistent streams (design §2.4): a shard is a queue, a partition is a stream. Nobody writes through it;
/// the log's own writer does. Delivery is a hint: consumers keep their own positions and heal from the log.
/// </summary>
internal sealed class LogQueueAdapterFactory(
    string name,
    int shards,
    ILogStore log,
    IHistoryStore history,
    ICellStore cells,
    LogTails tails,
    TimeProvider time,
    ILoggerFactory loggers) : IQueueAdapterFactory, IQueueAdapter
{
    /// <summary>Batches that one shard's agent keeps in memory; beyond it the agent stops reading until consumers follow.</summary>
    private const int CacheSize = 4_096;

    private readonly LogStreamQueueMapper _mapper = new(name, shards);
    private readonly SimpleQueueAdapterCache _cache = new(new SimpleQueueCacheOptions { CacheSize = CacheSize }, name, loggers);

    public string Name => name;

    public bool IsRewindable => true;

    public StreamProviderDirection Direction => StreamProviderDirection.ReadOnly;

    public static LogQueueAdapterFactory Create(IServiceProvider services, string name) => new(
        name,
        services.GetRequiredService<IOptions<LogOptions>>().Value.Shards,
        services.GetRequiredService<ILogStore>(),
        services.GetRequiredService<IHistoryStore>(),
        services.GetRequiredService<ICellStore>(),
        services.GetRequiredService<LogTails>(),
        services.GetRequiredService<TimeProvider>(),
        services.GetRequiredService<ILoggerFactory>());

    public Task<IQueueAdapter> CreateAdapter() => Task.FromResult<IQueueAdapter>(this);

    public IQueueAdapterCache GetQueueAdapterCache() => _cache;

    public IStreamQueueMapper GetStreamQueueMapper() => _mapper;

    public Task<IStreamFailureHandler> GetDeliveryFailureHandler(QueueId queueId) =>
        Task.FromResult<IStreamFailureHandler>(new LogDeliveryFailureHandler(loggers.CreateLogger<LogDeliveryFailureHandler>()));

    public IQueueAdapterReceiver CreateReceiver(QueueId queueId) =>
        new LogReceiver((int)queueId.GetNumericId(), log, history, cells, tails, time);

    public Task QueueMessageBatchAsync<T>(StreamId streamId, IEnumerable<T> events, StreamSequenceToken? token, Dictionary<string, object>? requestContext) =>
        throw new NotSupportedException("The log stream is written by appending to the log.");
}
