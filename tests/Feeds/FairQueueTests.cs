namespace DataHub.Feeds;

/// <summary>Whoever sends much waits behind its own, not others behind it.</summary>
public sealed class FairQueueTests
{
    [Fact]
    public void The_senders_take_turns_and_each_keeps_its_order()
    {
        var queue = new FairQueue<string>();
        foreach (var item in new[] { "a1", "a2", "a3", "a4", "b1", "c1", "c2" }) queue.Enqueue(item[..1], item, weight: 10);
        Assert.Equal((7, 70L, (4, 40L)), (queue.Count, queue.Weight, queue.Of("a")));

        Assert.Equal(["a1", "b1", "c1", "a2"], Take(queue, 4));
        queue.Enqueue("b", "b2");
        Assert.Equal(["c2", "a3", "b2", "a4"], Take(queue, 4));
        Assert.False(queue.TryPeek(out _));
        Assert.Equal((0, 0L, (0, 0L)), (queue.Count, queue.Weight, queue.Of("a")));
    }

    [Fact]
    public void What_is_seen_next_is_what_is_taken_next()
    {
        var (queue, random, expected) = (new FairQueue<int>(), new Random(5), new List<int>());
        for (var step = 0; step < 2_000; step++)
        {
            if (random.Next(3) < 2)
            {
                queue.Enqueue("s" + random.Next(5), step, step);
                expected.Add(step);
                continue;
            }

            if (!queue.TryPeek(out var seen)) continue;
            Assert.True(queue.TryDequeue(out var taken));
            Assert.Equal(seen, taken);
            Assert.True(expected.Remove(taken));
            Assert.Equal((expected.Count, expected.Sum(item => (long)item)), (queue.Count, queue.Weight));
        }
    }

    [Fact]
    public void One_sender_may_take_the_limit_and_a_newcomer_always_finds_room()
    {
        var (own, total) = (0L, 0L);
        while (FairShare.Allows(own, total, 1, 100)) (own, total) = (own + 1, total + 1);
        Assert.Equal(100, own);

        for (var others = 1; others <= 20; others++)
        {
            var mine = 0L;
            while (FairShare.Allows(mine, total, 1, 100)) (mine, total) = (mine + 1, total + 1);
            Assert.True(others > 6 || mine > 0, $"sender {others} found no room");
            Assert.True(total <= 200);
        }
    }

    [Fact]
    public async Task Of_bodies_that_wait_to_be_decoded_the_agencies_take_turns()
    {
        var (gate, order) = (new DecodeGate(1), new List<string>());
        await gate.EnterAsync("flood", CancellationToken.None);
        using var gaveUp = new CancellationTokenSource();
        var turns = new[] { "flood", "flood", "flood", "calm", "flood" }.Select(agency => TurnAsync(agency, CancellationToken.None)).ToList();
        var lost = TurnAsync("impatient", gaveUp.Token);
        turns.Add(TurnAsync("last", CancellationToken.None));
        await gaveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => lost);

        gate.Leave();
        await Task.WhenAll(turns);
        Assert.Equal(["flood", "calm", "last", "flood", "flood", "flood"], order);
        await gate.EnterAsync("flood", CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromSeconds(5));

        async Task TurnAsync(string agency, CancellationToken cancellationToken)
        {
            await gate.EnterAsync(agency, cancellationToken);
            order.Add(agency);
            gate.Leave();
        }
    }

    private static List<string> Take(FairQueue<string> queue, int count)
    {
        var taken = new List<string>();
        while (count-- > 0 && queue.TryDequeue(out var item)) taken.Add(item);
        return taken;
    }
}
