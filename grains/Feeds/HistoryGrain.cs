using DataHub.Indicators;

using Microsoft.Extensions.Logging;

using Orleans.Runtime;
using Orleans.Streams;
using Orleans.Streams.Core;

namespace DataHub.Feeds;

/// <summary>Thin shell around <see cref="PartitionHistory"/>: fed by the log stream, healed from the log.</summary>
[GrainType("datahub.history"), ImplicitStreamSubscription(LogStream.Namespace), ShardPlacement]
internal sealed partial class HistoryGrain(
    ILogStore log,
    IHistoryStore store,
    IContractSource contracts,
    ILogger<PartitionHistory> logger) : Grain, IHistoryGrain, IStreamSubscriptionObserver, IAsyncBatchObserver<LogBatch>
{
    /// <summary>How often a partition that stands still, or whose news was lost, looks at the log itself.</summary>
    private static readonly TimeSpan NetPeriod = TimeSpan.FromSeconds(2);

    private PartitionHistory _history = null!;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _history = new(this.GetPrimaryKeyString(), log, store, contracts, logger);
        this.RegisterGrainTimer(NetAsync, new GrainTimerCreationOptions(TimeSpan.Zero, NetPeriod) { KeepAlive = false });
        return Task.CompletedTask;
    }

    public async Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory) =>
        await handleFactory.Create<LogBatch>().ResumeAsync(this);

    public async Task OnNextAsync(IList<SequentialItem<LogBatch>> items)
    {
        await _history.ApplyAsync(items.Select(item => item.Item).ToList());
        GiveWay();
    }

    /// <summary>Delivery is a hint: what an error hides is found by the net.</summary>
    public Task OnErrorAsync(Exception ex)
    {
        LogDelivery(ex, this.GetPrimaryKeyString());
        return Task.CompletedTask;
    }

    public async Task<long> ReachAsync(long sequence)
    {
        await _history.ReachAsync(sequence);
        GiveWay();
        return _history.Sequence;
    }

    public Task<FoldStatus> StatusAsync() =>
        Task.FromResult(new FoldStatus(_history.Sequence, _history.Sequence, _history.Accepted, _history.Halted));

    public async Task<CellSet> CellsAsOfAsync(IndicatorDefinition definition, CellQuery query, long sequence, int maxRows)
    {
        var partition = this.GetPrimaryKeyString();
        try
        {
            // What stood at a stored sequence never changes: this may run while batches are written.
            if ((await store.PositionAsync(partition, CancellationToken.None)).Sequence < sequence) return Refused(ReadRefusal.NotYet, $"history of {partition} has not reached {sequence}");
            var (cells, opening) = await new PastRows(store, contracts).CellsAsync(partition, definition, sequence, query, maxRows);
            return new(ReadRefusal.None, sequence, default, Joined: true, cells, null) { Opening = opening };
        }
        catch (TooManyRowsException)
        {
            return Refused(ReadRefusal.TooMany, CellSet.TooManyRows);
        }
        catch (TooManyCellsException e)
        {
            return Refused(ReadRefusal.TooMany, e.Message);
        }
        catch (Exception e)
        {
            LogPast(e, partition, definition.Indicator);
            return Refused(ReadRefusal.Unavailable, e.Message);
        }

        CellSet Refused(ReadRefusal refusal, string detail) => new(refusal, sequence, default, false, [], detail);
    }

    private async Task NetAsync(CancellationToken cancellationToken)
    {
        await _history.ReachAsync(await HeadAsync());
        GiveWay();
    }

    private async Task<long> HeadAsync()
    {
        try
        {
            return await log.HeadAsync(this.GetPrimaryKeyString(), CancellationToken.None);
        }
        catch (Exception e)
        {
            LogNet(e, this.GetPrimaryKeyString());
            return 0;
        }
    }

    private void GiveWay()
    {
        if (_history.IsSuperseded) DeactivateOnIdle();
    }

    [LoggerMessage(1112, LogLevel.Warning, "The stream of {Partition} reported an error; history reads the log itself")]
    private partial void LogDelivery(Exception exception, string partition);

    [LoggerMessage(1114, LogLevel.Error, "Earlier cells of {Indicator} in {Partition} could not be read")]
    private partial void LogPast(Exception exception, string partition, string indicator);

    [LoggerMessage(1113, LogLevel.Warning, "History of {Partition} could not read the log's head; it is tried again")]
    private partial void LogNet(Exception exception, string partition);
}
