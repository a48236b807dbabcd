using System.Collections.Concurrent;
using Microsoft.Extensions.Options;

namespace DataHub.Catalog;

/// <summary>
/// The area systems a front-end works with, by version. A version never changes, so what is here is right for ever; of
/// more than <see cref="AreaOptions.CachedSystems"/> the one that was not asked for longest is forgotten.
/// </summary>
internal sealed class AreaDirectory(IGrainFactory grains, IOptions<AreaOptions> options)
{
    private readonly ConcurrentDictionary<(string System, int Version), Entry> _entries = new();
    private long _clock;

    /// <param name="system">Id of the system.</param>
    /// <param name="version">The version wanted, from 1.</param>
    /// <param name="cancellationToken">Stops waiting; others who wait for the same version are not disturbed.</param>
    /// <returns>Null where the system does not exist or does not keep this version.</returns>
    public async ValueTask<AreaIndex?> GetAsync(string system, int version, CancellationToken cancellationToken)
    {
        var key = (system, version);
        var entry = _entries.GetOrAdd(key, static (k, grains) => new(() => FetchAsync(grains, k.System, k.Version)), grains);
        entry.Used = Interlocked.Increment(ref _clock);
        if (entry.Index.Value is { IsCompletedSuccessfully: true, Result: { } ready }) return ready;

        try
        {
            var index = await entry.Index.Value.WaitAsync(cancellationToken);
            // An absent version may come into being; it is asked for again next time.
            if (index is null) _entries.TryRemove(new(key, entry));
            else Trim();
            return index;
        }
        catch (Exception) when (entry.Index.Value.IsFaulted || entry.Index.Value.IsCanceled)
        {
            // A failure is the answer to those who waited for it, not to those who come later.
            _entries.TryRemove(new(key, entry));
            throw;
        }
    }

    private static async Task<AreaIndex?> FetchAsync(IGrainFactory grains, string system, int version) =>
        await grains.GetGrain<IAreaSystemGrain>(system).GetAsync(Caller.Hub, version) is { } found ? AreaIndex.Build(found) : null;

    private void Trim()
    {
        while (_entries.Count > options.Value.CachedSystems)
            _entries.TryRemove(_entries.MinBy(e => e.Value.Used));
    }

    private sealed class Entry(Func<Task<AreaIndex?>> fetch)
    {
        public Lazy<Task<AreaIndex?>> Index { get; } = new(fetch);

        public long Used { get; set; }
    }
}
