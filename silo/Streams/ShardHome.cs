using System.Collections.Concurrent;

using DataHub.Feeds;

using Microsoft.Extensions.Options;

using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace DataHub.Streams;

/// <summary>Applies <see cref="ShardSpread"/> to the silos that are active now.</summary>
internal sealed class ShardHome(IOptions<LogOptions> options) : IPlacementDirector
{
    /// <summary>Of late sets of silos; the same few are asked for again and again.</summary>
    private readonly ConcurrentDictionary<string, string[]> _spreads = new(StringComparer.Ordinal);

    /// <summary>The silo of a shard, or null where none is active.</summary>
    public SiloAddress? Of(int shard, IEnumerable<SiloAddress> active)
    {
        // A silo that was restarted on its address holds what it held before. Where both are still listed the younger one lives.
        var byName = new SortedDictionary<string, SiloAddress>(StringComparer.Ordinal);
        foreach (var silo in active)
        {
            var name = silo.Endpoint.ToString();
            if (!byName.TryGetValue(name, out var other) || other.Generation < silo.Generation) byName[name] = silo;
        }

        if (byName.Count == 0) return null;
        if (_spreads.Count > 100) _spreads.Clear();
        var spread = _spreads.GetOrAdd(string.Join(' ', byName.Keys), (_, names) => ShardSpread.Assign(options.Value.Shards, names), byName.Keys);
        return byName[spread[shard % spread.Length]];
    }

    public SiloAddress? Of(GrainId grain, IEnumerable<SiloAddress> active) => Of(ShardPlacementStrategy.ShardOf(grain, options.Value.Shards), active);

    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context) =>
        Of(target.GrainIdentity, context.GetCompatibleSilos(target)) is { } silo
            ? Task.FromResult(silo)
            : throw new SiloUnavailableException($"no silo for {target.GrainIdentity}");
}
