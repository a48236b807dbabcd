using System.Globalization;

namespace DataHub.Feeds;

public sealed class TextPoolTests
{
    [Theory]
    [InlineData(100)]
    [InlineData(5_000)]
    public void Texts_that_come_again_are_the_same_string(int texts)
    {
        var pool = new TextPool();
        string?[] last = new string?[texts];
        var same = 0;
        for (var round = 0; round < 30; round++)
        {
            same = 0;
            for (var i = 0; i < texts; i++)
            {
                var text = pool.Get(string.Create(CultureInfo.InvariantCulture, $"station-{i}"));
                Assert.Equal($"station-{i}", text);
                if (ReferenceEquals(text, last[i])) same++;
                last[i] = text;
            }
        }

        Assert.InRange(same, 0.95 * texts, texts);
    }

    [Fact]
    public void Texts_that_never_come_again_are_not_all_kept()
    {
        var pool = new TextPool();
        var kept = Enumerable.Range(0, 200_000).Select(i => new WeakReference(pool.Get(string.Create(CultureInfo.InvariantCulture, $"order-{i}")))).ToArray();
        GC.Collect();
        Assert.InRange(kept.Count(text => text.IsAlive), 1, 1 << 14);
        GC.KeepAlive(pool);
    }
}
