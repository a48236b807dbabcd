namespace DataHub.Indicators;

public sealed class DistinctHashTests
{
    /// <summary>XXH64 with seed 0 of the UTF-8 bytes, computed by another program.</summary>
    [Theory]
    [InlineData("", 1, 0xEF46DB3751D8E999)]
    [InlineData("a", 1, 0xD24EC4F1A98C6E5B)]
    [InlineData("abc", 1, 0x44BC2CF5AD770999)]
    [InlineData("12.5", 1, 0x8899562D2B29381B)]
    [InlineData("Straßenlaterne", 1, 0xDF826F6B3AE1F520)]
    [InlineData("bvg-🚋-68", 1, 0x1F7F536E2CA5D95F)]
    [InlineData("x", 1_000, 0x4CB9A3B69CB700E1)]
    [InlineData("ä", 600, 0x457D436E3924A57D)]
    public void The_hash_of_a_text_is_the_same_for_ever(string text, int times, ulong hash) =>
        Assert.Equal(hash, DistinctHash.Of(string.Concat(Enumerable.Repeat(text, times))));

    [Fact]
    public void Hashing_allocates_nothing()
    {
        var texts = new[] { "", "12.5", "Straßenlaterne", new string('ü', 5_000) };
        foreach (var text in texts) DistinctHash.Of(text);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10_000; i++) DistinctHash.Of(texts[i % texts.Length]);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
