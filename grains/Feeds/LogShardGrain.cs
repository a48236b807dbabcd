using DataHub.Catalog;

using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

using Orleans.Concurrency;

namespace DataHub.Feeds;

/// <summary>Thin shell around <see cref="LogShard"/>: decides who may push, and retires with its writer.</summary>
/// <remarks>Reentrant, so that what arrives during a commit waits together for the next.</remarks>
[GrainType("datahub.log-shard"), Reentrant, ShardPlacement]
internal sealed partial class LogShardGrain(
    ILogStore log,
    IHistoryStore history,
    IContractSource contracts,
    ILogNotifier notifier,
    IOptions<ShardOptions> options,
    IOptions<QuotaOptions> quotas,
    TimeProvider time,
    LogMetrics metrics,
    IHostApplicationLifetime host,
    ILogger<LogShard> logger) : Grain, ILogShardGrain
{
    /// <summary>How long a description is believed: dataspace, state and quotas change.</summary>
    private static readonly TimeSpan DescriptionHolds = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan s_lastWord = TimeSpan.FromMilliseconds(200);

    private readonly Dictionary<string, (DatasetInfo Dataset, DateTimeOffset Asked)> _datasets = [];
    private readonly AgencyTallies _tallies = new();
    private IGrainTimer? _tell;
    private LogShard? _shard;
    private Guid _incarnation;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        try
        {
            var shard = new LogShard((int)this.GetPrimaryKeyLong(), log, history, contracts, notifier, options.Value, time, logger, metrics);
            await shard.StartAsync();
            _incarnation = await log.IncarnationAsync(cancellationToken);
            _shard = shard;
        }
        catch (Exception e)
        {
            // An expected refusal is a value: callers get 503, and the next activation claims the shard anew.
            LogNotStarted(e, this.GetPrimaryKeyLong());
        }
    }

    public async Task<AppendResult> AppendAsync(Caller caller, PushPart part)
    {
        if (await FindAsync(caller, part) is not { } dataset)
        {
            return AppendResult.Refused(AppendRefusal.NotFound, $"{part.Dataset}/{part.Feed}");
        }

        if (AccessRules.Decide(caller, AccessRights.Push, dataset.Holding, part.Feed).Missing is { } missing)
        {
            // Whoever may not know of a dataset is not told that it exists.
            return AppendResult.Refused(AccessRules.May(caller, AccessRights.ReadMetadata, dataset.Holding) ? AppendRefusal.Forbidden : AppendRefusal.NotFound, missing.In("en"));
        }

        // The hub itself retracts what is to be erased, whatever the dataset takes.
        if (dataset.Frozen is { } frozen && caller != Caller.Hub) return AppendResult.Refused(AppendRefusal.Frozen, frozen.Agreement);
        if (dataset.State == ReleaseState.Retired && caller != Caller.Hub) return AppendResult.Refused(AppendRefusal.Retired, $"{part.Dataset} is retired");

        var publisher = dataset.Spec.Publisher;
        var weighed = part is { Load: not null, DryRun: false };
        if (weighed && _tallies.Wait(publisher, time.GetUtcNow()) is { Ticks: > 0 } wait)
        {
            LogOverQuota(this.GetPrimaryKeyLong(), publisher, wait);
            return AppendResult.Refused(AppendRefusal.OverQuota, $"agency {publisher}") with { Quotas = _tallies.Standing(publisher, time.GetUtcNow()), RetryAfter = wait };
        }

        var result = await RetireWithWriterAsync(shard => shard.AppendAsync(part, caller, QuotaOf(dataset, part.Feed), publisher));
        if (result.Receipt is null) return result;
        if (weighed && !result.Receipt.Replayed) Tally(publisher, part.Load!.Value);
        return result with { Incarnation = _incarnation, Quotas = _tallies.Standing(publisher, time.GetUtcNow()) is { Length: > 0 } standing ? [.. result.Quotas, .. standing] : result.Quotas };
    }

    public async Task<AppendResult> AppendControlAsync(Caller caller, string partition, int contractVersion, int areaVersion) =>
        caller == Caller.Hub
            ? await RetireWithWriterAsync(shard => shard.AppendControlAsync(partition, contractVersion, areaVersion))
            : AppendResult.Refused(AppendRefusal.Forbidden, "only the hub changes versions");

    /// <summary>Tells the last sums, where somebody hears them soon; while a silo stops, nobody may.</summary>
    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (_tallies.IsEmpty || reason.ReasonCode == DeactivationReasonCode.ShuttingDown) return;
        await TellAgenciesAsync(all: true).WaitAsync(s_lastWord, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    private void Tally(string agency, PushLoad load)
    {
        _tallies.Add(agency, load, time.GetUtcNow());
        _tell ??= this.RegisterGrainTimer(_ => TellAgenciesAsync(all: false), new GrainTimerCreationOptions(AgencyTallies.Period, AgencyTallies.Period) { Interleave = true });
    }

    /// <summary>Tells the agencies what was stored of them, and learns how they stand.</summary>
    private async Task TellAgenciesAsync(bool all)
    {
        // Of a host that stops nobody hears it any more.
        if (host.ApplicationStopping.IsCancellationRequested) return;
        await Task.WhenAll(_tallies.TakeDue(time.GetUtcNow(), all).Select(async due =>
        {
            try
            {
                _tallies.Learn(due.Agency, await GrainFactory.GetGrain<IAgencyQuotaGrain>(due.Agency).UsedAsync(Caller.Hub, due.Load), time.GetUtcNow());
            }
            catch (Exception e)
            {
                // Rows are not refused because a limit cannot be looked up.
                _tallies.PutBack(due.Agency, due.Load, time.GetUtcNow());
                LogNotTold(e, this.GetPrimaryKeyLong(), due.Agency);
            }
        }));
        if (!_tallies.IsEmpty) return;
        _tell?.Dispose();
        _tell = null;
    }

    private async Task<AppendResult> RetireWithWriterAsync(Func<LogShard, Task<AppendResult>> call)
    {
        var result = _shard is null
            ? AppendResult.Refused(AppendRefusal.Unavailable, $"shard {this.GetPrimaryKeyLong()} could not be claimed")
            : await call(_shard);
        if (_shard is null or { IsRetired: true }) DeactivateOnIdle();
        return result;
    }

    private FeedQuota QuotaOf(DatasetInfo dataset, string feed) => Array.Find(dataset.Feeds, f => f.Id == feed)?.Quota ?? quotas.Value.Default;

    private async ValueTask<DatasetInfo?> FindAsync(Caller caller, PushPart part)
    {
        if (_datasets.TryGetValue(part.Dataset, out var known) && Has(known.Dataset) && time.GetUtcNow() - known.Asked < DescriptionHolds) return known.Dataset;
        if (_datasets.Count > 10_000) _datasets.Clear();
        var found = await GrainFactory.GetGrain<IDatasetGrain>(part.Dataset).GetAsync(Caller.Hub);
        if (found is null || !Has(found)) return null;
        _datasets[part.Dataset] = (found, time.GetUtcNow());
        return found;

        bool Has(DatasetInfo dataset) => dataset.Feeds.Any(feed => feed.Id == part.Feed);
    }

    [LoggerMessage(1105, LogLevel.Information, "Shard {Shard}: the agency {Agency} is over its quota for {After}")]
    private partial void LogOverQuota(long shard, string agency, TimeSpan after);

    [LoggerMessage(1106, LogLevel.Warning, "Shard {Shard}: what was stored of the agency {Agency} could not be told; will be repeated")]
    private partial void LogNotTold(Exception exception, long shard, string agency);

    [LoggerMessage(1103, LogLevel.Error, "Shard {Shard} could not be claimed; the next push tries again")]
    private partial void LogNotStarted(Exception exception, long shard);
}
