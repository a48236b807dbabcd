using DataHub.Catalog;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

using Orleans.Concurrency;

namespace DataHub.Feeds;

/// <summary>Thin shell around <see cref="LogShard"/>: decides who may push, and retires with its writer.</summary>
/// <remarks>Reentrant, so that what arrives during a commit waits together for the next.</remarks>
[GrainType("datahub.log-shard"), Reentrant]
internal sealed class LogShardGrain(
    ILogStore log,
    IHistoryStore history,
    IContractSource contracts,
    ILogNotifier notifier,
    IOptions<ShardOptions> options,
    ILogger<LogShard> logger) : Grain, ILogShardGrain
{
    /// <summary>Descriptions of datasets; what the shard reads of one (publisher, feeds) only grows.</summary>
    private readonly Dictionary<string, DatasetInfo> _datasets = [];
    private LogShard _shard = null!;
    private Guid _incarnation;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _shard = new LogShard((int)this.GetPrimaryKeyLong(), log, history, contracts, notifier, options.Value, logger);
        await _shard.StartAsync();
        _incarnation = await log.IncarnationAsync(cancellationToken);
    }

    public async Task<AppendResult> AppendAsync(Caller caller, PushPart part)
    {
        if (await FindAsync(caller, part) is not { } dataset)
        {
            return AppendResult.Refused(AppendRefusal.NotFound, $"{part.Dataset}/{part.Feed}");
        }

        if (!DatasetRules.MayPush(caller, dataset))
        {
            return AppendResult.Refused(AppendRefusal.Forbidden, $"{part.Dataset} is published by {dataset.Spec.Publisher}");
        }

        var result = await RetireWithWriterAsync(_shard.AppendAsync(part, caller.Agency));
        return result.Receipt is null ? result : result with { Incarnation = _incarnation };
    }

    public async Task<AppendResult> AppendControlAsync(Caller caller, string partition, int contractVersion, int areaVersion) =>
        caller == Caller.Hub
            ? await RetireWithWriterAsync(_shard.AppendControlAsync(partition, contractVersion, areaVersion))
            : AppendResult.Refused(AppendRefusal.Forbidden, "only the hub changes versions");

    private async Task<AppendResult> RetireWithWriterAsync(Task<AppendResult> call)
    {
        var result = await call;
        if (_shard.IsRetired) DeactivateOnIdle();
        return result;
    }

    private async ValueTask<DatasetInfo?> FindAsync(Caller caller, PushPart part)
    {
        if (_datasets.TryGetValue(part.Dataset, out var known) && Has(known)) return known;
        if (_datasets.Count > 10_000) _datasets.Clear();
        var found = await GrainFactory.GetGrain<IDatasetGrain>(part.Dataset).GetAsync(caller);
        if (found is null || !Has(found)) return null;
        return _datasets[part.Dataset] = found;

        bool Has(DatasetInfo dataset) => dataset.Feeds.Any(feed => feed.Id == part.Feed);
    }
}
