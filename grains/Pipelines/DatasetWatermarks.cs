using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>How far datasets have come.</summary>
internal sealed class DatasetWatermarks(IGrainFactory grains, ILogStore log)
{
    /// <summary>Includes every row that was accepted so far; null: there is no such dataset.</summary>
    public async Task<Watermark?> NowAsync(string dataset) =>
        await grains.GetGrain<IDatasetGrain>(dataset).GetAsync(Caller.Hub) is { } info ? await NowAsync(info) : null;

    public async Task<Watermark> NowAsync(DatasetInfo dataset)
    {
        var incarnation = await log.IncarnationAsync(CancellationToken.None);
        var heads = await Task.WhenAll(dataset.Partitions.Select(partition => log.HeadAsync(partition.Key, CancellationToken.None)));
        return new(incarnation, dataset.Id, heads);
    }
}
