using DataHub.Feeds;
using DataHub.Indicators;

using Orleans.Streams;

namespace DataHub.Streams;

/// <summary>Reads one shard in the order of its positions, from the lowest position that any consumer has stored.</summary>
internal sealed class LogReceiver(int shard, ILogStore log, IHistoryStore history, ICellStore cells, LogTails tails, TimeProvider time) : IQueueAdapterReceiver, IDisposable
{
    /// <summary>How often the store is asked although nobody has announced anything.</summary>
    private static readonly TimeSpan NetPeriod = TimeSpan.FromMilliseconds(500);

    /// <summary>How long an agent waits here for news; an end of its work waits for that at most.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(50);

    private const int MaxBytes = 16 << 20;
    private const int MaxBatches = 1_000;

    private readonly CancellationTokenSource _shutdown = new();
    private long _position;
    private long _lastLook;
    private bool _mayHaveMore = true;

    public async Task Initialize(TimeSpan timeout)
    {
        var start = long.MaxValue;
        var head = 0L;
        foreach (var partition in await log.PartitionsAsync(shard, _shutdown.Token))
        {
            head = Math.Max(head, await log.PositionOfAsync(shard, partition.Partition, partition.Sequence, _shutdown.Token));
            var stored = (await history.PositionAsync(partition.Partition, _shutdown.Token)).Sequence;
            var folded = await cells.PositionsAsync(partition.Partition, _shutdown.Token);
            // Definitions that are catching up read the log themselves; the live fold's position counts here.
            var fold = folded.FirstOrDefault(position => position.Indicator == PartitionFold.Position)?.Sequence ?? 0;
            var lowest = Math.Min(stored, fold);
            if (lowest < partition.Sequence) start = Math.Min(start, await log.PositionOfAsync(shard, partition.Partition, lowest, _shutdown.Token));
        }

        _position = Math.Min(start, head);
    }

    public async Task<IList<IBatchContainer>> GetQueueMessagesAsync(int maxCount)
    {
        maxCount = maxCount <= 0 ? MaxBatches : Math.Min(maxCount, MaxBatches); // −1 stands for "as many as there are"
        var read = tails.TryRead(shard, _position, maxCount);
        if (read is null or { Count: 0 } && IsQuiet())
        {
            await tails.WaitAsync(shard, _position, s_patience, _shutdown.Token);
            read = tails.TryRead(shard, _position, maxCount);
        }

        if (read is null or { Count: 0 })
        {
            if (IsQuiet()) return [];
            _lastLook = time.GetTimestamp();
            read = await log.ReadShardAsync(shard, _position, maxCount, MaxBytes, _shutdown.Token);
            _mayHaveMore = read.Count > 0;
        }

        if (read.Count == 0) return [];
        _position = read[^1].Position;
        var containers = new List<IBatchContainer>(read.Count);
        foreach (var batch in read) containers.Add(new LogBatchContainer(batch));
        return containers;
    }

    private bool IsQuiet() => !_mayHaveMore && !tails.HasMore(shard, _position) && time.GetElapsedTime(_lastLook) < NetPeriod;

    /// <summary>Nothing to do: consumers store their own positions with their effects.</summary>
    public Task MessagesDeliveredAsync(IList<IBatchContainer> messages) => Task.CompletedTask;

    public async Task Shutdown(TimeSpan timeout)
    {
        await _shutdown.CancelAsync();
        Dispose();
    }

    public void Dispose() => _shutdown.Dispose();
}
