using CsCheck;

namespace DataHub.Indicators;

public sealed class SparseCountsTests
{
    /// <summary>Narrow ranges come back to the same numbers, wide ones fill and split many pages.</summary>
    [Fact]
    public void Counts_are_those_of_a_sorted_dictionary_whatever_is_added_and_removed() =>
        Gen.Select(Gen.OneOf(3, 40, 2_000, 1_000_000), Gen.Int[0, 3_000], Gen.OneOf(-1, 0, 1), Gen.Int).Sample((width, steps, direction, seed) =>
        {
            var random = new Random(seed);
            var counts = new SparseCounts();
            var expected = new SortedDictionary<int, long>();
            for (var step = 0; step < steps; step++)
            {
                var key = direction == 0 ? random.Next(-width, width) : direction * step + random.Next(10);
                if (random.Next(3) > 0)
                {
                    var times = random.Next(4) == 0 ? 1L << 40 : 1;
                    counts.Add(key, times);
                    expected[key] = expected.GetValueOrDefault(key) + times;
                }
                else
                {
                    Assert.Equal(expected.TryGetValue(key, out var count), counts.TryRemove(key));
                    if (count == 1) expected.Remove(key);
                    else if (count > 1) expected[key] = count - 1;
                }
            }

            Assert.Equal(expected.Select(e => (e.Key, e.Value)), Listed(counts));
            Assert.Equal(expected.Count, counts.Keys);

            // A copy lives on its own; what is merged is whole, be it as large, much smaller or much larger.
            var copy = counts.Clone();
            counts.Add(copy);
            counts.Add(counts);
            Assert.Equal(expected.Select(e => (e.Key, e.Value * 4)), Listed(counts));
            var (few, many) = (new SparseCounts(), counts.Clone());
            var sum = new SortedDictionary<int, long>(expected.ToDictionary(e => e.Key, e => e.Value * 4));
            for (var i = random.Next(40); i > 0; i--)
            {
                var key = random.Next(-width, width);
                few.Add(key, i);
                sum[key] = sum.GetValueOrDefault(key) + i;
            }

            many.Add(few);
            few.Add(counts);
            Assert.Equal(sum.Select(e => (e.Key, e.Value)), Listed(many));
            Assert.Equal(sum.Select(e => (e.Key, e.Value)), Listed(few));
            Assert.Equal(sum.Count, few.Keys);
            few.Add(int.MaxValue, 1);
            Assert.True(few.TryRemove(int.MaxValue) && !few.TryRemove(int.MaxValue));
            Assert.Equal(sum.Select(e => (e.Key, e.Value)), Listed(few));
            foreach (var key in expected.Keys.ToArray())
            {
                while (expected[key] < 10 && copy.TryRemove(key)) expected[key] = expected[key] - 1;
            }

            Assert.Equal(expected.Where(e => e.Value > 0).Select(e => (e.Key, e.Value)), Listed(copy));
        }, iter: 1_500);

    [Fact]
    public void A_handful_of_numbers_takes_few_bytes()
    {
        Measure();
        Assert.InRange(Measure(), 1, 400);

        static long Measure()
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var counts = new SparseCounts();
            for (var i = 0; i < 5; i++) counts.Add(i * 1_000, 1);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    private static List<(int, long)> Listed(SparseCounts counts)
    {
        var list = new List<(int, long)>();
        foreach (var entry in counts) list.Add(entry);
        return list;
    }
}
