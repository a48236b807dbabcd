using System.Collections.Concurrent;

using DataHub.Catalog;

using Microsoft.Extensions.Options;

namespace DataHub.Feeds;

/// <summary>A dataset with its contract compiled.</summary>
internal sealed record KnownDataset(DatasetInfo Info, CompiledContract Contract)
{
    public bool HasFeed(string feed) => Array.Exists(Info.Feeds, f => f.Id == feed);
}

/// <summary>
/// The datasets that this front-end pushes into. What is remembered may be old: the shard says so, and then it is asked
/// for anew. That there is no such dataset or feed is believed for a second at most.
/// </summary>
internal sealed class DatasetDirectory(IPushTarget target, IOptions<IngestOptions> options, TimeProvider time)
{
    /// <summary>How long an absence is believed.</summary>
    public static readonly TimeSpan AbsenceHolds = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>The dataset, or null where there is none.</summary>
    /// <param name="feed">A feed that it should have; if it is not remembered with it, it is asked for anew.</param>
    /// <param name="outdated">What the shard would not take; never given back.</param>
    public async ValueTask<KnownDataset?> GetAsync(string dataset, string feed, KnownDataset? outdated)
    {
        if (_entries.TryGetValue(dataset, out var entry) && await entry.Dataset.Value is var known && !IsStale(entry, known, feed, outdated)) return known;

        var fresh = new Entry(new(() => FetchAsync(dataset)), time.GetTimestamp());
        // Whoever else saw the same stale entry asks once with us.
        if (entry is null) fresh = _entries.GetOrAdd(dataset, fresh);
        else if (!_entries.TryUpdate(dataset, fresh, entry)) fresh = _entries.GetOrAdd(dataset, fresh);
        Trim();
        try
        {
            return await fresh.Dataset.Value;
        }
        catch (Exception)
        {
            // A failure is the answer to those who waited for it, not to those who come later.
            _entries.TryRemove(new(dataset, fresh));
            throw;
        }
    }

    private bool IsStale(Entry entry, KnownDataset? known, string feed, KnownDataset? outdated)
    {
        if (known is not null && ReferenceEquals(known, outdated)) return true;
        return (known is null || !known.HasFeed(feed)) && time.GetElapsedTime(entry.Asked) >= AbsenceHolds;
    }

    private async Task<KnownDataset?> FetchAsync(string dataset) =>
        await target.DatasetAsync(dataset) is { } info ? new(info, CompiledContract.Compile(info.Spec.Schema, info.Spec.Kind)) : null;

    private void Trim()
    {
        while (_entries.Count > options.Value.CachedDatasets)
            _entries.TryRemove(_entries.MinBy(e => e.Value.Asked));
    }

    private sealed record Entry(Lazy<Task<KnownDataset?>> Dataset, long Asked);
}
