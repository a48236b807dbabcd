using System.Diagnostics;

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

    /// <summary>From the end of a transaction to the next, so that it carries what comes in between. Of real time: a pace, not a moment.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Rows that may wait for that; with more, delivery waits.</summary>
    private const int MaxWaitingRows = 10_000;

    private PartitionHistory _history = null!;
    private List<LogBatch> _waiting = [];
    private int _waitingRows;
    private bool _willWrite;
    private long _written;
    private Task _work = Task.CompletedTask;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _history = new(this.GetPrimaryKeyString(), log, store, contracts, logger);
        this.RegisterGrainTimer(NetAsync, new GrainTimerCreationOptions(TimeSpan.Zero, NetPeriod) { KeepAlive = false });
        return Task.CompletedTask;
    }

    public async Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory) =>
        await handleFactory.Create<LogBatch>().ResumeAsync(this);

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => InTurnAsync(async () =>
    {
        await WriteWaitingAsync();
        // The next writer finds them at once.
        if (_history.HasSeriesNews) await _history.StoreSeriesAsync();
    });

    /// <summary>Takes batches and writes them at once, or soon where something was written a moment ago.</summary>
    public async Task OnNextAsync(IList<SequentialItem<LogBatch>> items)
    {
        foreach (var batch in items.Select(item => item.Item))
        {
            if (_waiting.Count > 0 && batch.Sequence <= _waiting[^1].Sequence) continue;
            if (_waiting.Count > 0 && batch.Sequence != _waiting[^1].Sequence + 1) await WriteAsync();
            _waiting.Add(batch);
            _waitingRows += batch.Rows.Count + batch.Quarantined.Length;
        }

        if (_waitingRows >= MaxWaitingRows) await WriteAsync();
        else if (!_willWrite) WriteSoonAsync().Ignore();
    }

    /// <summary>Delivery is a hint: what an error hides is found by the net.</summary>
    public Task OnErrorAsync(Exception ex)
    {
        LogDelivery(ex, this.GetPrimaryKeyString());
        return Task.CompletedTask;
    }

    public async Task<long> ReachAsync(long sequence)
    {
        await InTurnAsync(async () =>
        {
            await WriteWaitingAsync();
            await _history.ReachAsync(sequence);
        });
        return _history.Sequence;
    }

    public async Task<bool> StoreSeriesAsync()
    {
        var stored = false;
        await InTurnAsync(async () =>
        {
            await WriteWaitingAsync();
            stored = await _history.StoreSeriesAsync();
        });
        return stored;
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
        var head = await HeadAsync();
        await InTurnAsync(async () =>
        {
            await WriteWaitingAsync();
            await _history.ReachAsync(head);
        });
    }

    private async Task WriteSoonAsync()
    {
        _willWrite = true;
        while (_waiting.Count > 0)
        {
            var rest = Pause - Stopwatch.GetElapsedTime(_written);
            if (_written > 0 && rest > TimeSpan.Zero) await Task.Delay(rest);
            await WriteAsync();
        }

        _willWrite = false;
    }

    private Task WriteAsync() => InTurnAsync(WriteWaitingAsync);

    private async Task WriteWaitingAsync()
    {
        if (_waiting.Count == 0) return;
        var batches = _waiting;
        (_waiting, _waitingRows) = ([], 0);
        await _history.ApplyAsync(batches);
        _written = Stopwatch.GetTimestamp();
    }

    /// <summary>One piece of work after the other: calls come in while another is waiting for the store.</summary>
    private Task InTurnAsync(Func<Task> work)
    {
        return _work = AfterAsync(_work);

        async Task AfterAsync(Task before)
        {
            await before; // Work gives its failures to the log and to Halted; it does not throw.
            await work();
            GiveWay();
        }
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
