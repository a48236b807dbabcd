using DataHub.Catalog;

using Orleans.Placement;
using Orleans.Runtime;

namespace DataHub.Feeds;

/// <summary>
/// On the silo that holds the shard (<see cref="ShardSpread"/>): the shard's writer, and the consumers of its partitions. So a
/// committed batch reaches fold and history without leaving the process. The key is a shard's number or a partition's key.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class ShardPlacementAttribute() : PlacementAttribute(ShardPlacementStrategy.Singleton);

/// <inheritdoc cref="ShardPlacementAttribute"/>
[GenerateSerializer, Immutable, Alias("datahub.ShardPlacement")]
internal sealed class ShardPlacementStrategy : PlacementStrategy
{
    public static ShardPlacementStrategy Singleton { get; } = new();

    /// <summary>The shard that a grain with this placement belongs to.</summary>
    public static int ShardOf(GrainId grain, int shards)
    {
        var key = grain.Key.ToString()!;
        // A partition's key is always {dataset}/{number}.
        return !key.Contains('/', StringComparison.Ordinal) && grain.TryGetIntegerKey(out var shard, out _) ? (int)shard : DatasetRules.ShardOf(key, shards);
    }
}
