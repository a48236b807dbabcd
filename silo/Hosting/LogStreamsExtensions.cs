using DataHub.Feeds;
using DataHub.Governance;
using DataHub.Indicators;
using DataHub.Streams;

using Microsoft.Extensions.Options;

using Orleans.Streams;

namespace DataHub.Hosting;

internal static class LogStreamsExtensions
{
    /// <summary>The log's writers, the stream over it, and the limits of both and of its consumers.</summary>
    public static ISiloBuilder AddLogStreams(this ISiloBuilder silo)
    {
        silo.Services.AddSingleton<LogTails>();
        silo.Services.AddSingleton<ILogNotifier>(services => services.GetRequiredService<LogTails>());
        silo.Services.AddSingleton<IContractSource, ContractSource>();
        silo.Services.AddOptions<LogOptions>().BindConfiguration(LogOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        silo.Services.AddOptions<ShardOptions>().BindConfiguration(ShardOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        silo.Services.AddOptions<FoldOptions>().BindConfiguration(FoldOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        silo.Services.AddSingleton(services => new FoldMemory(services.GetRequiredService<IOptions<FoldOptions>>().Value.MaxHotBytes));
        silo.Services.AddSingleton<FoldMetrics>();
        silo.Services.AddSingleton<LogMetrics>();
        silo.Services.AddOptions<AuditOptions>().BindConfiguration(AuditOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        silo.Services.AddSingleton<AuditTrail>();
        silo.Services.AddSingleton<ShardHome>();
        silo.Services.AddPlacementDirector<ShardPlacementStrategy>(services => services.GetRequiredService<ShardHome>());
        silo.AddPersistentStreams(LogStream.Provider, LogQueueAdapterFactory.Create, streams =>
        {
            streams.ConfigureStreamPubSub(StreamPubSubType.ImplicitOnly);
            streams.ConfigurePartitionBalancing((services, _) => ActivatorUtilities.CreateInstance<ShardQueueBalancer>(services));
            streams.ConfigurePullingAgent(agent => agent.Configure(options =>
            {
                // A look waits for news in memory; the store is asked twice a second at most.
                options.GetQueueMsgsTimerPeriod = TimeSpan.FromMilliseconds(5);
                options.BatchContainerBatchSize = 100;
            }));
        });
        return silo;
    }
}
