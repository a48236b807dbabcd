using System.Collections.Concurrent;

using Microsoft.Extensions.Options;

namespace DataHub.Catalog;

/// <summary>
/// Area systems written out as CSV and GeoJSON, kept as long as <see cref="AreaOptions.CachedBytes"/> allows: polygons
/// are large, and a version never changes.
/// </summary>
internal sealed class AreaRenderings(IOptions<AreaOptions> options)
{
    private readonly ConcurrentDictionary<(string System, int Version, string ContentType, int? Level), Entry> _entries = new();
    private long _clock;

    /// <param name="tree">The version to write.</param>
    /// <param name="contentType">Of the answer; together with the level it says what <paramref name="write"/> makes.</param>
    /// <param name="level">Null: all levels.</param>
    /// <param name="write">Makes the bytes.</param>
    public Rendered Get(AreaTree tree, string contentType, int? level, Func<byte[]> write)
    {
        var key = (tree.System.Id, tree.System.Version, contentType, level);
        if (!_entries.TryGetValue(key, out var entry))
        {
            entry = new(Rendered.Of(write(), contentType));
            if (entry.Rendered.Body.Length > options.Value.CachedBytes) return entry.Rendered;
            _entries[key] = entry;
            while (_entries.Values.Sum(e => (long)e.Rendered.Body.Length) > options.Value.CachedBytes) _entries.TryRemove(_entries.MinBy(e => e.Value == entry ? long.MaxValue : e.Value.Used));
        }

        entry.Used = Interlocked.Increment(ref _clock);
        return entry.Rendered;
    }

    private sealed class Entry(Rendered rendered)
    {
        public Rendered Rendered => rendered;

        public long Used { get; set; }
    }
}
