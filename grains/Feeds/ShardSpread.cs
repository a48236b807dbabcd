using System.IO.Hashing;
using System.Text;

namespace DataHub.Feeds;

/// <summary>
/// Which silo holds which shard: the same on every silo that sees the same silos, so that a shard's writer, the reader of its
/// stream and the consumers of its partitions are in one process without asking anybody. Every silo gets equally many shards,
/// and few move when one comes or goes.
/// </summary>
internal static class ShardSpread
{
    /// <param name="shards">How many shards there are.</param>
    /// <param name="silos">Stable names of those that are active, each once, in any order.</param>
    /// <returns>Per shard the name of its silo; empty where there is no silo.</returns>
    public static string[] Assign(int shards, IReadOnlyCollection<string> silos)
    {
        if (silos.Count == 0) return [];
        // Each shard has its own order of preference among the silos; those that are full are passed over.
        var held = silos.ToDictionary(silo => silo, _ => 0, StringComparer.Ordinal);
        var (fair, oneMore) = Math.DivRem(shards, silos.Count);
        var owners = new string[shards];
        for (var shard = 0; shard < shards; shard++)
        {
            foreach (var silo in silos.OrderByDescending(silo => Weight(silo, shard)).ThenBy(silo => silo, StringComparer.Ordinal))
            {
                if (held[silo] > fair || (held[silo] == fair && oneMore == 0)) continue;
                if (held[silo] == fair) oneMore--;
                held[silo]++;
                owners[shard] = silo;
                break;
            }
        }

        return owners;
    }

    private static ulong Weight(string silo, int shard) => XxHash64.HashToUInt64(Encoding.UTF8.GetBytes($"{silo}#{shard}"));
}
