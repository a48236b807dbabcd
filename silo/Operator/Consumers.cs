using DataHub.Feeds;
using DataHub.Indicators;
using DataHub.Storage.Postgres;

namespace DataHub.Operator;

/// <summary>Asks the consumers of partitions how they are.</summary>
/// <param name="grains">Of the running cluster.</param>
internal sealed class Consumers(IGrainFactory grains)
{
    public const string Fold = "fold", History = "history";

    private const int AtOnce = 32;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    /// <summary>Batches that stand still. Only partitions with something to do are asked: who has stored everything is not halted.</summary>
    /// <returns>Also who did not answer in time.</returns>
    public async Task<(IReadOnlyList<HaltedBatch> Halted, IReadOnlyList<string> Mute)> LookAsync(IEnumerable<PartitionFacts> partitions, bool retry)
    {
        var (halted, mute) = (new List<HaltedBatch>(), new List<string>());
        var behind = partitions.SelectMany(Behind).ToArray();
        foreach (var some in behind.Chunk(AtOnce))
        {
            foreach (var (consumer, status) in await Task.WhenAll(some.Select(async one => (one, await StatusAsync(one.Facts, one.Consumer, retry)))))
            {
                if (status is null) mute.Add($"{consumer.Consumer} {consumer.Facts.Partition}");
                else if (status.Halted is { } because) halted.Add(new(consumer.Facts.Partition, consumer.Consumer, consumer.At.Sequence + 1, consumer.At.WaitsSince, because));
            }
        }

        return (halted, mute);
    }

    private static IEnumerable<(PartitionFacts Facts, string Consumer, ConsumerFacts At)> Behind(PartitionFacts partition)
    {
        if (partition.Fold.Sequence < partition.Head) yield return (partition, Fold, partition.Fold);
        if (partition.History.Sequence < partition.Head) yield return (partition, History, partition.History);
    }

    private async Task<FoldStatus?> StatusAsync(PartitionFacts partition, string consumer, bool retry)
    {
        try
        {
            return await (consumer == Fold ? FoldAsync() : HistoryAsync()).WaitAsync(s_patience);
        }
        catch (Exception)
        {
            // Told as mute: a grain that is moving, a silo that is dying.
            return null;
        }

        async Task<FoldStatus> FoldAsync()
        {
            var fold = grains.GetGrain<IAggregationGrain>(partition.Partition);
            return retry ? await fold.ReachAsync(partition.Head) : await fold.StatusAsync();
        }

        async Task<FoldStatus> HistoryAsync()
        {
            var history = grains.GetGrain<IHistoryGrain>(partition.Partition);
            if (retry) await history.ReachAsync(partition.Head);
            return await history.StatusAsync();
        }
    }
}
