using DataHub.Feeds;

namespace DataHub.Support;

/// <summary>A history store with faults before it.</summary>
internal sealed class FaultyHistoryStore(IHistoryStore inner, StoreFaults? faults = null) : IHistoryStore
{
    public StoreFaults Faults { get; } = faults ?? new();

    public Task<HistoryPosition> PositionAsync(string partition, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(PositionAsync), () => inner.PositionAsync(partition, cancellationToken));

    public Task<bool> ApplyAsync(string partition, long expected, IReadOnlyList<HistoryBatch> batches, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(ApplyAsync), () => inner.ApplyAsync(partition, expected, batches, cancellationToken));

    public Task<bool> JoinAsync(string partition, long expected, long day, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(JoinAsync), () => inner.JoinAsync(partition, expected, day, cancellationToken));

    public Task<KeyLookUp> FindKeysAsync(string partition, IReadOnlyList<HistoryKey> keys, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(FindKeysAsync), () => inner.FindKeysAsync(partition, keys, cancellationToken));

    public Task<bool> RaiseSeriesAsync(string partition, long expected, IReadOnlyList<KeyValuePair<byte[], long>> newest, long? upTo, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(RaiseSeriesAsync), () => inner.RaiseSeriesAsync(partition, expected, newest, upTo, cancellationToken));

    public Task<SeriesLookUp> FindSeriesAsync(string partition, IReadOnlyList<byte[]> series, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(FindSeriesAsync), () => inner.FindSeriesAsync(partition, series, cancellationToken));

    public Task<IReadOnlyList<HistoryRow>> ReadWindowAsync(string partition, long asOf, string? area, long from, long to, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(ReadWindowAsync), () => inner.ReadWindowAsync(partition, asOf, area, from, to, cancellationToken));

    public Task<VersionPage> VersionsAsync(string partition, VersionQuery query, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(VersionsAsync), () => inner.VersionsAsync(partition, query, cancellationToken));

    public Task<IReadOnlyList<HistoryVersion>[]> EarlierAsync(string partition, IReadOnlyList<HistoryKey> keys, long asOf, int limit, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(EarlierAsync), () => inner.EarlierAsync(partition, keys, asOf, limit, cancellationToken));

    public Task<HistoryPage> QueryAsync(string partition, long? from, long? to, IReadOnlySet<string>? areas, RowCursor? after, int limit, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(QueryAsync), () => inner.QueryAsync(partition, from, to, areas, after, limit, cancellationToken));

    public Task<IReadOnlyList<QuarantineEntry>> QuarantineAsync(string dataset, QuarantineQuery query, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(QuarantineAsync), () => inner.QuarantineAsync(dataset, query, cancellationToken));

    public Task<IReadOnlyList<QuarantineGroup>> QuarantineGroupsAsync(string dataset, string? feed, QuarantineState state, int limit, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(QuarantineGroupsAsync), () => inner.QuarantineGroupsAsync(dataset, feed, state, limit, cancellationToken));

    public Task<QuarantineState?[]> QuarantineStatesAsync(string partition, IReadOnlyList<(long Sequence, int Index)> rows, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(QuarantineStatesAsync), () => inner.QuarantineStatesAsync(partition, rows, cancellationToken));

    public Task<IReadOnlyList<QuarantineActEntry>> QuarantineActsAsync(string dataset, QuarantineId? after, int limit, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(QuarantineActsAsync), () => inner.QuarantineActsAsync(dataset, after, limit, cancellationToken));

    public Task<IReadOnlyList<FeedCounts>> CountsAsync(string dataset, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(CountsAsync), () => inner.CountsAsync(dataset, cancellationToken));

    public Task<IReadOnlyList<FeedCounts>> CountsSinceAsync(string dataset, DateTimeOffset since, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(CountsSinceAsync), () => inner.CountsSinceAsync(dataset, since, cancellationToken));

    public Task<IReadOnlyList<string>> ReceiptsAsync(string partition, string feed, string from, string before, int limit, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(ReceiptsAsync), () => inner.ReceiptsAsync(partition, feed, from, before, limit, cancellationToken));

    public Task<long> ReceivedSinceAsync(string dataset, string feed, DateTimeOffset since, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(ReceivedSinceAsync), () => inner.ReceivedSinceAsync(dataset, feed, since, cancellationToken));

    public Task ResetAsync(string partition, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(ResetAsync), () => inner.ResetAsync(partition, cancellationToken));
}
