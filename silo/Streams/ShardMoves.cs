using DataHub.Feeds;

using Orleans.Core.Internal;
using Orleans.Runtime;

namespace DataHub.Streams;

/// <summary>
/// Lets shards, folds and histories go where they belong once silos have come or gone: they live for long and would otherwise
/// stay where they were, and a silo that joined would have nothing to do.
/// </summary>
internal sealed partial class ShardMoves(
    IClusterMembershipService membership, ILocalSiloDetails self, IGrainFactory grains, ShardHome home, TimeProvider time, ILogger<ShardMoves> logger) : BackgroundService
{
    /// <summary>Silos often come and go together; each move costs a few readings of the store.</summary>
    private static readonly TimeSpan s_settle = TimeSpan.FromSeconds(3), s_again = TimeSpan.FromSeconds(60);

    private const int AtOnce = 8;

    private static readonly GrainType[] s_kinds = [GrainType.Create("datahub.log-shard"), GrainType.Create("datahub.aggregation"), GrainType.Create("datahub.history")];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var seen = MembershipVersion.MinValue;
        var looked = time.GetTimestamp();
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(s_settle, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested) return;
            var snapshot = membership.CurrentSnapshot;
            if (snapshot.Version == seen && time.GetElapsedTime(looked) < s_again) continue;
            try
            {
                await MoveAsync([.. snapshot.Members.Values.Where(silo => silo.Status == SiloStatus.Active).Select(silo => silo.SiloAddress)], stoppingToken);
                (seen, looked) = (snapshot.Version, time.GetTimestamp());
            }
            catch (Exception e)
            {
                // A grain that moves or a silo that goes meanwhile; nothing depends on this look.
                if (!stoppingToken.IsCancellationRequested) LogFailed(e.GetType().Name);
            }
        }
    }

    private async Task MoveAsync(IReadOnlyCollection<SiloAddress> active, CancellationToken stoppingToken)
    {
        if (!active.Contains(self.SiloAddress)) return;
        var here = await grains.GetGrain<IManagementGrain>(0).GetDetailedGrainStatistics(null, [self.SiloAddress], stoppingToken);
        var strangers = here.Select(grain => grain.GrainId).Where(grain => s_kinds.Contains(grain.Type) && home.Of(grain, active) != self.SiloAddress).Distinct().ToArray();
        if (strangers.Length == 0) return;
        foreach (var some in strangers.Chunk(AtOnce))
        {
            await Task.WhenAll(some.Select(grain => grains.GetGrain(grain).AsReference<IGrainManagementExtension>().MigrateOnIdle().AsTask()));
            await Task.Delay(TimeSpan.FromMilliseconds(100), time, stoppingToken);
        }

        LogMoved(strangers.Length, active.Count);
    }

    [LoggerMessage(1170, LogLevel.Information, "{Grains} shards and consumers move to where they belong among {Silos} silos")]
    private partial void LogMoved(int grains, int silos);

    [LoggerMessage(1171, LogLevel.Warning, "Shards and consumers could not be looked through ({Exception}); the next look is soon")]
    private partial void LogFailed(string exception);
}
