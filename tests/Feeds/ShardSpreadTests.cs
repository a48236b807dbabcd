using CsCheck;

using Orleans.Runtime;

namespace DataHub.Feeds;

/// <summary>Which silo holds which shard.</summary>
public sealed class ShardSpreadTests
{
    private static readonly Gen<string[]> s_silos = Gen.Int[1, 255].Array[1, 8].Select(ends => ends.Distinct().Select(end => $"10.0.0.{end}:11111").ToArray());

    [Fact]
    public void Every_silo_gets_equally_many() => Gen.Select(Gen.Int[1, 64], s_silos).Sample((shards, silos) =>
    {
        var counts = silos.Select(silo => ShardSpread.Assign(shards, silos).Count(owner => owner == silo)).ToArray();
        Assert.Equal(shards, counts.Sum());
        Assert.InRange(counts.Max() - counts.Min(), 0, 1);
    });

    [Fact]
    public void All_silos_come_to_the_same_answer() => Gen.Select(Gen.Int[1, 64], s_silos).Sample((shards, silos) =>
        Assert.Equal(ShardSpread.Assign(shards, silos), ShardSpread.Assign(shards, [.. silos.Reverse()])));

    [Fact]
    public void Few_shards_move_when_a_silo_joins()
    {
        var moved = new List<double>();
        for (var silos = 1; silos <= 5; silos++)
        {
            var before = Enumerable.Range(1, silos).Select(i => $"10.0.0.{i}:11111").ToArray();
            var (was, now) = (ShardSpread.Assign(32, before), ShardSpread.Assign(32, [.. before, "10.0.0.99:11111"]));
            moved.Add(was.Zip(now).Count(pair => pair.First != pair.Second) / (32.0 / (silos + 1)));
        }

        // In shares of what the new silo must get anyway.
        Assert.All(moved, share => Assert.InRange(share, 0.9, 2));
    }

    [Fact]
    public void Without_silos_nobody_holds_a_shard() => Assert.Empty(ShardSpread.Assign(4, []));

    [Fact]
    public void A_shard_and_the_consumers_of_its_partitions_belong_together()
    {
        for (var number = 0; number < 100; number++)
        {
            var partition = $"{number:x}/0";
            var shard = Catalog.DatasetRules.ShardOf(partition, 32);
            Assert.Equal(shard, ShardPlacementStrategy.ShardOf(GrainId.Create("datahub.aggregation", partition), 32));
            Assert.Equal(shard, ShardPlacementStrategy.ShardOf(GrainId.Create(GrainType.Create("datahub.log-shard"), GrainIdKeyExtensions.CreateIntegerKey(shard)), 32));
        }
    }
}
