using CsCheck;

using DataHub.Feeds;

using Microsoft.Extensions.Time.Testing;

namespace DataHub.Support;

/// <summary>What every log store promises. An adapter's tests derive from it and say how to make one.</summary>
public abstract class LogStoreConformance : IAsyncLifetime
{
    private const string Air = "air/0";
    private const string Water = "water/0";

    private protected static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    private protected FakeTimeProvider Time { get; } = new(Noon) { AutoAdvanceAmount = TimeSpan.Zero };

    private protected ILogStore Log { get; private set; } = null!;

    /// <summary>A store on a log of the test's own, empty at first.</summary>
    private protected abstract Task<ILogStore> CreateAsync(TimeProvider time);

    /// <summary>A store on the same log as a crash of the process would leave it.</summary>
    private protected abstract Task<ILogStore> CrashAsync(TimeProvider time);

    protected abstract Task CloseAsync();

    public async Task InitializeAsync() => Log = await CreateAsync(Time);

    public Task DisposeAsync() => CloseAsync();

    [ConformanceFact]
    public async Task An_empty_log_has_no_positions()
    {
        Assert.NotEqual(Guid.Empty, await Log.IncarnationAsync(default));
        Assert.Equal(0, await Log.HeadAsync(Air, default));
        Assert.Equal(0, await Log.PositionOfAsync(0, Air, 5, default));
        Assert.Empty(await Log.PartitionsAsync(0, default));
        Assert.Empty(await Log.ReadShardAsync(0, 0, 10, int.MaxValue, default));
        Assert.Empty(await Log.ReadPartitionAsync(Air, 0, 10, int.MaxValue, default));
        var head = await Log.ClaimAsync(0, default);
        Assert.Equal((1, 0, 0), (head.Epoch, head.Position, head.Partitions.Count));
    }

    [ConformanceFact]
    public async Task What_is_appended_is_read_by_shard_and_by_partition()
    {
        var head = await Log.ClaimAsync(3, default);
        LogBatch[] batches =
        [
            LogBatches.Control(3, 1, Air, 1, contractVersion: 1), LogBatches.At(3, 2, Water, 1, rows: 3), LogBatches.At(3, 3, Air, 2, rows: 2, LogBatches.Push("01A")),
        ];

        Assert.True(await Log.AppendAsync(3, head.Epoch, 0, batches, default));

        AssertEqual(batches, await Log.ReadShardAsync(3, 0, 10, int.MaxValue, default));
        AssertEqual(batches[1..], await Log.ReadShardAsync(3, 1, 10, int.MaxValue, default));
        AssertEqual([batches[0], batches[2]], await Log.ReadPartitionAsync(Air, 0, 10, int.MaxValue, default));
        AssertEqual([batches[2]], await Log.ReadPartitionAsync(Air, 1, 10, int.MaxValue, default));
        Assert.Empty(await Log.ReadShardAsync(2, 0, 10, int.MaxValue, default));
        Assert.Empty(await Log.ReadShardAsync(4, 0, 10, int.MaxValue, default));
        Assert.Equal([new(Air, 2, 1, 0), new(Water, 1, 1, 0)], await Log.PartitionsAsync(3, default));
        Assert.Equal(2, await Log.HeadAsync(Air, default));
        var positions = await Task.WhenAll(Enumerable.Range(0, 4).Select(s => Log.PositionOfAsync(3, Air, s, default)));
        Assert.Equal([0, 1, 3, 3], positions);
    }

    [ConformanceFact]
    public async Task Reading_keeps_to_its_limits_but_always_gives_something()
    {
        var head = await Log.ClaimAsync(0, default);
        var batches = Enumerable.Range(1, 5).Select(i => LogBatches.At(0, i, Air, i, rows: 50)).ToArray();
        await Log.AppendAsync(0, head.Epoch, 0, batches, default);

        Assert.Equal([1, 2], (await Log.ReadShardAsync(0, 0, 2, int.MaxValue, default)).Select(b => b.Position));
        Assert.Equal([3], (await Log.ReadShardAsync(0, 2, 10, 1, default)).Select(b => b.Position));
        Assert.Equal([3], (await Log.ReadPartitionAsync(Air, 2, 10, 1, default)).Select(b => b.Position));
        Assert.Equal([1, 2, 3, 4, 5], (await Log.ReadPartitionAsync(Air, 0, 10, int.MaxValue, default)).Select(b => b.Position));
    }

    [ConformanceFact]
    public async Task The_last_to_claim_a_shard_is_its_only_writer()
    {
        var first = await Log.ClaimAsync(0, default);
        Assert.True(await Log.AppendAsync(0, first.Epoch, 0, [LogBatches.At(0, 1, Air, 1)], default));
        var second = await Log.ClaimAsync(0, default);

        Assert.Equal((first.Epoch + 1, 1), (second.Epoch, second.Position));
        Assert.Equal([new(Air, 1, 1, 0)], second.Partitions);
        Assert.False(await Log.AppendAsync(0, first.Epoch, 1, [LogBatches.At(0, 2, Air, 2)], default));
        Assert.True(await Log.AppendAsync(0, second.Epoch, 1, [LogBatches.At(0, 2, Air, 2)], default));
        Assert.False(await Log.AppendAsync(0, first.Epoch, 2, [LogBatches.At(0, 3, Air, 3)], default));
        Assert.Equal([1, 2], (await Log.ReadShardAsync(0, 0, 10, int.MaxValue, default)).Select(b => b.Position));
        Assert.Equal(2, await Log.HeadAsync(Air, default));
    }

    [ConformanceFact]
    public async Task Claims_and_appends_of_two_writers_in_turns_leave_no_hole() =>
        await Gen.Select(Gen.Int[0, 1], Gen.Bool).Array[1, 25].SampleAsync(
            async steps =>
            {
                var shard = Interlocked.Increment(ref _shards);
                var partition = $"p{shard}/0";
                var heads = new[] { await Log.ClaimAsync(shard, default), await Log.ClaimAsync(shard, default) };
                var (owner, position) = (1, 0L);
                foreach (var (writer, claim) in steps)
                {
                    if (claim)
                    {
                        heads[writer] = await Log.ClaimAsync(shard, default);
                        owner = writer;
                        Assert.Equal(position, heads[writer].Position);
                    }
                    else
                    {
                        var batch = LogBatches.At(shard, position + 1, partition, position + 1);
                        var stored = await Log.AppendAsync(shard, heads[writer].Epoch, position, [batch], default);
                        Assert.Equal(owner == writer, stored);
                        if (stored) position++;
                    }
                }

                var all = await Log.ReadShardAsync(shard, 0, 100, int.MaxValue, default);
                Assert.Equal(Enumerable.Range(1, (int)position).Select(i => (long)i), all.Select(b => b.Position));
                Assert.Equal(all.Select(b => b.Position), all.Select(b => b.Sequence));
            },
            iter: 25, threads: 1);

    private static int _shards = 100;

    [ConformanceFact]
    public async Task What_had_been_received_at_an_instant_is_found_and_stays_so()
    {
        var head = await Log.ClaimAsync(0, default);
        for (var i = 1; i <= 20; i++)
        {
            // Two at each instant, of two partitions in turns.
            Assert.True(await Log.AppendAsync(0, head.Epoch, i - 1, [LogBatches.At(0, i, i % 2 == 0 ? Air : Water, (i + 1) / 2)], default));
            if (i % 4 == 0) Time.Advance(TimeSpan.FromSeconds(10));
        }

        Assert.Equal(0, await Log.SequenceAtAsync(Air, Noon.AddTicks(-1), default));
        Assert.Equal(0, await Log.SequenceAtAsync("nobody/0", Noon, default));
        for (var step = 0; step < 5; step++)
        {
            Assert.Equal((step + 1) * 2, await Log.SequenceAtAsync(Air, Noon.AddSeconds(step * 10), default));
            Assert.Equal((step + 1) * 2, await Log.SequenceAtAsync(Water, Noon.AddSeconds(step * 10).AddTicks(1), default));
        }

        Assert.Equal(10, await Log.SequenceAtAsync(Air, Time.GetUtcNow(), default));
    }

    [ConformanceFact]
    public async Task An_append_at_another_position_stores_nothing()
    {
        var head = await Log.ClaimAsync(0, default);
        await Log.AppendAsync(0, head.Epoch, 0, [LogBatches.At(0, 1, Air, 1)], default);

        Assert.False(await Log.AppendAsync(0, head.Epoch, 0, [LogBatches.At(0, 1, Air, 1)], default));
        Assert.False(await Log.AppendAsync(0, head.Epoch, 2, [LogBatches.At(0, 3, Air, 2)], default));
        Assert.False(await Log.AppendAsync(1, 1, 0, [LogBatches.At(1, 1, Water, 1)], default));
        Assert.Single(await Log.ReadShardAsync(0, 0, 10, int.MaxValue, default));
        Assert.Empty(await Log.PartitionsAsync(1, default));
    }

    [ConformanceFact]
    public async Task A_hole_is_refused_and_leaves_everything_as_it_was()
    {
        var head = await Log.ClaimAsync(0, default);
        await Log.AppendAsync(0, head.Epoch, 0, [LogBatches.At(0, 1, Air, 1)], default);

        await Refused([LogBatches.At(0, 3, Air, 2)]);
        await Refused([LogBatches.At(1, 2, Air, 2)]);
        await Refused([LogBatches.At(0, 2, Air, 3)]);
        await Refused([LogBatches.At(0, 2, Air, 1)]);
        await Refused([LogBatches.At(0, 2, Water, 2)]);
        await Refused([LogBatches.At(0, 2, Air, 2), LogBatches.At(0, 3, Air, 4)]);
        await Refused([]);

        Assert.True(await Log.AppendAsync(0, head.Epoch, 1, [LogBatches.At(0, 2, Air, 2)], default));
        Assert.Equal([new(Air, 2, 1, 0)], await Log.PartitionsAsync(0, default));

        Task<Exception> Refused(LogBatch[] batches) => Assert.ThrowsAnyAsync<Exception>(() => Log.AppendAsync(0, head.Epoch, 1, batches, default));
    }

    [ConformanceFact]
    public async Task A_partition_stays_with_its_shard()
    {
        var (zero, one) = (await Log.ClaimAsync(0, default), await Log.ClaimAsync(1, default));
        await Log.AppendAsync(0, zero.Epoch, 0, [LogBatches.At(0, 1, Air, 1)], default);

        await Assert.ThrowsAnyAsync<Exception>(() => Log.AppendAsync(1, one.Epoch, 0, [LogBatches.At(1, 1, Air, 2)], default));

        Assert.Empty(await Log.ReadShardAsync(1, 0, 10, int.MaxValue, default));
    }

    [ConformanceFact]
    public async Task Appends_of_many_shards_at_once_are_all_stored()
    {
        const int Shards = 8, Appends = 25;
        await Task.WhenAll(Enumerable.Range(0, Shards).Select(async shard =>
        {
            var head = await Log.ClaimAsync(shard, default);
            for (var i = 0; i < Appends; i++)
            {
                var at = i * 2;
                LogBatch[] two = [LogBatches.At(shard, at + 1, $"s{shard}/0", at + 1), LogBatches.At(shard, at + 2, $"s{shard}/0", at + 2)];
                Assert.True(await Log.AppendAsync(shard, head.Epoch, at, two, default));
            }
        }));

        for (var shard = 0; shard < Shards; shard++)
        {
            var all = await Log.ReadShardAsync(shard, 0, 1_000, int.MaxValue, default);
            Assert.Equal(Enumerable.Range(1, Appends * 2).Select(i => (long)i), all.Select(b => b.Position));
        }
    }

    [ConformanceFact]
    public async Task Received_at_is_the_stores_clock_and_never_runs_backwards()
    {
        var head = await Log.ClaimAsync(0, default);
        LogBatch[] two = [LogBatches.At(0, 1, Air, 1), LogBatches.At(0, 2, Water, 1)];
        await Log.AppendAsync(0, head.Epoch, 0, two, default);
        Time.AdjustTime(Noon - TimeSpan.FromHours(1));
        var third = LogBatches.At(0, 3, Air, 2);
        await Log.AppendAsync(0, head.Epoch, 2, [third], default);
        Time.AdjustTime(Noon + TimeSpan.FromTicks(7));
        var fourth = LogBatches.At(0, 4, Air, 3);
        await Log.AppendAsync(0, head.Epoch, 3, [fourth], default);

        Assert.Equal([Noon, Noon, Noon, Noon.AddTicks(7)], [two[0].ReceivedAt, two[1].ReceivedAt, third.ReceivedAt, fourth.ReceivedAt]);
        var read = await Log.ReadShardAsync(0, 0, 10, int.MaxValue, default);
        Assert.Equal([Noon, Noon, Noon, Noon.AddTicks(7)], read.Select(b => b.ReceivedAt));
    }

    [ConformanceFact]
    public async Task A_new_version_of_the_contract_stands_in_the_partitions_head()
    {
        var head = await Log.ClaimAsync(0, default);
        await Log.AppendAsync(0, head.Epoch, 0, [LogBatches.Control(0, 1, Air, 1, 1), LogBatches.Control(0, 2, Air, 2, 2, 7)], default);

        Assert.Equal([new(Air, 2, 2, 7)], (await Log.ClaimAsync(0, default)).Partitions);
    }

    [ConformanceFact]
    public async Task A_push_is_found_by_its_key_in_its_feed_only()
    {
        var head = await Log.ClaimAsync(0, default);
        var push = LogBatches.Push("01A", key: "k", counts: new(2, 1, 0, 0, 0, 1), errors: new RowError(2, "no2", "above-maximum", "2000", "9999"));
        await Log.AppendAsync(0, head.Epoch, 0, [LogBatches.At(0, 1, Air, 1, 1, push), LogBatches.At(0, 2, Air, 2, 1, LogBatches.Push("01B"))], default);

        var found = await Log.FindPushAsync("air", "default", "k", 0, default);

        Assert.NotNull(found);
        Assert.Equal(LogBatches.Describe(LogBatches.OfNew(0, push)), LogBatches.Describe(LogBatches.OfNew(0, found.Push)));
        Assert.Equal((Air, 1, Noon, false), (found.Partition, found.Sequence, found.ReceivedAt, found.Replayed));
        Assert.Null(await Log.FindPushAsync("air", "other", "k", 0, default));
        Assert.Null(await Log.FindPushAsync("water", "default", "k", 0, default));
        Assert.Null(await Log.FindPushAsync("air", "default", "K", 0, default));
        Assert.Null(await Log.FindPushAsync("air", "default", "k", 1, default));
    }

    [ConformanceFact]
    public async Task A_key_is_kept_for_thirty_days_and_can_be_used_again_then()
    {
        var head = await Log.ClaimAsync(0, default);
        await Log.AppendAsync(0, head.Epoch, 0, [LogBatches.At(0, 1, Air, 1, 1, LogBatches.Push("01A", key: "k"))], default);
        Time.AdjustTime(Noon.AddDays(30));

        Assert.NotNull(await Log.FindPushAsync("air", "default", "k", 0, default));
        await Assert.ThrowsAnyAsync<Exception>(() => Log.AppendAsync(0, head.Epoch, 1, [LogBatches.At(0, 2, Air, 2, 1, LogBatches.Push("01B", key: "k"))], default));

        Time.AdjustTime(Noon.AddDays(30).AddTicks(1));
        Assert.Null(await Log.FindPushAsync("air", "default", "k", 0, default));
        Assert.True(await Log.AppendAsync(0, head.Epoch, 1, [LogBatches.At(0, 2, Air, 2, 1, LogBatches.Push("01B", key: "k"))], default));
        Assert.Equal("01B", (await Log.FindPushAsync("air", "default", "k", 0, default))!.Push.Receipt);
        Assert.Single(await Log.FindReceiptAsync("01A", default));
    }

    [ConformanceFact]
    public async Task A_receipt_has_its_parts_in_order_whatever_shard_stored_them_first()
    {
        var (zero, one) = (await Log.ClaimAsync(0, default), await Log.ClaimAsync(1, default));
        await Log.AppendAsync(1, one.Epoch, 0, [LogBatches.At(1, 1, "air/1", 1, 1, LogBatches.Push("01A", key: "k", part: 1, parts: 2))], default);
        await Log.AppendAsync(0, zero.Epoch, 0, [LogBatches.At(0, 1, Air, 1, 2, LogBatches.Push("01A", key: "k", part: 0, parts: 2))], default);

        var parts = await Log.FindReceiptAsync("01A", default);

        Assert.Equal([(0, Air, 1L), (1, "air/1", 1L)], parts.Select(p => (p.Push.Part, p.Partition, p.Sequence)));
        Assert.Equal("air/1", (await Log.FindPushAsync("air", "default", "k", 1, default))!.Partition);
        Assert.Empty(await Log.FindReceiptAsync("01B", default));
    }

    [ConformanceFact]
    public async Task A_refused_append_leaves_no_receipt()
    {
        var head = await Log.ClaimAsync(0, default);
        await Log.ClaimAsync(0, default);

        Assert.False(await Log.AppendAsync(0, head.Epoch, 0, [LogBatches.At(0, 1, Air, 1, 1, LogBatches.Push("01A", key: "k"))], default));

        Assert.Null(await Log.FindPushAsync("air", "default", "k", 0, default));
        Assert.Empty(await Log.FindReceiptAsync("01A", default));
    }

    [ConformanceFact]
    public async Task After_a_crash_everything_acknowledged_is_there()
    {
        var incarnation = await Log.IncarnationAsync(default);
        var head = await Log.ClaimAsync(2, default);
        var batches = Enumerable.Range(1, 20).Select(i => LogBatches.At(2, i, Air, i, i, LogBatches.Push($"01{i}", key: $"k{i}"))).ToArray();
        foreach (var batch in batches) Assert.True(await Log.AppendAsync(2, head.Epoch, batch.Position - 1, [batch], default));

        var again = await CrashAsync(Time);

        Assert.Equal(incarnation, await again.IncarnationAsync(default));
        AssertEqual(batches, await again.ReadShardAsync(2, 0, 100, int.MaxValue, default));
        Assert.Equal("0120", (await again.FindPushAsync("air", "default", "k20", 0, default))!.Push.Receipt);
        var claimed = await again.ClaimAsync(2, default);
        Assert.Equal((head.Epoch + 1, 20), (claimed.Epoch, claimed.Position));
    }

    [ConformanceFact]
    public async Task Withdrawn_before_it_began_an_append_does_not_happen()
    {
        var head = await Log.ClaimAsync(0, default);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Log.AppendAsync(0, head.Epoch, 0, [LogBatches.At(0, 1, Air, 1)], new CancellationToken(canceled: true)));

        Assert.Empty(await Log.ReadShardAsync(0, 0, 10, int.MaxValue, default));
    }

    private protected static void AssertEqual(IEnumerable<LogBatch> expected, IEnumerable<LogBatch> actual) =>
        Assert.Equal(expected.Select(LogBatches.Describe), actual.Select(LogBatches.Describe));
}
