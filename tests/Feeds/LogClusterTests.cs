using DataHub.Catalog;
using DataHub.Indicators;
using DataHub.Support;

using Orleans.Runtime;

namespace DataHub.Feeds;

/// <summary>The grains and the log stream between them: faults in every store call, activations replaced, redelivery, death.</summary>
public sealed class LogClusterTests(LogCluster hub) : IClassFixture<LogCluster>
{
    /// <summary>Every call of every store that is made on the way of a row.</summary>
    public static TheoryData<string, string, WriteFault> Calls()
    {
        var calls = new TheoryData<string, string, WriteFault>();
        foreach (var fault in Enum.GetValues<WriteFault>())
        {
            foreach (var method in typeof(ILogStore).GetMethods()) calls.Add("log", method.Name, fault);
            foreach (var method in typeof(IHistoryStore).GetMethods()) calls.Add("history", method.Name, fault);
            foreach (var method in typeof(ICellStore).GetMethods()) calls.Add("cells", method.Name, fault);
        }

        return calls;
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task A_fault_in_any_store_call_is_healed_and_changes_no_number(string store, string method, WriteFault fault)
    {
        var dataset = $"f-{store}-{method.ToLowerInvariant()}-{fault.ToString().ToLowerInvariant()}";
        await hub.DescribeAsync(dataset);
        await hub.PushAsync(dataset, (0, 1), (1, 2));

        var faults = store == "log" ? hub.Stores.Log.Faults : store == "history" ? hub.Stores.History.Faults : hub.Stores.Cells.Faults;
        faults.FailNext(method, fault, times: 2);
        await hub.PushAsync(dataset, (2, 4), (0, 8));
        // The writer and the consumers are replaced, so that what they call only at the beginning is called too.
        await ReplaceAsync(dataset);
        var last = await hub.PushAsync(dataset, (1, 16), (0, 8));

        Assert.Equal((28.0, 3L), await hub.FirstHourAsync(dataset, MeasureFunction.Sum, last));
        Assert.Equal((4.0, 3L), await hub.FirstHourAsync(dataset, MeasureFunction.Min, last));
    }

    [Fact]
    public async Task Activations_replaced_in_mid_flight_fold_every_row_once()
    {
        await hub.DescribeAsync("replaced");
        var sum = 0.0;
        PartReceipt last = null!;
        for (var minute = 0; minute < 40; minute++)
        {
            var push = hub.PushAsync("replaced", (minute, minute));
            if (minute % 4 == 3) await ReplaceAsync("replaced");
            last = await push;
            sum += minute;
        }

        Assert.Equal((sum, 40L), await hub.FirstHourAsync("replaced", MeasureFunction.Sum, last));
    }

    [Fact]
    public async Task What_the_stream_delivers_again_after_a_rewind_changes_nothing_and_misses_nothing()
    {
        await hub.DescribeAsync("rewound");
        var last = await hub.PushAsync("rewound", (0, 1), (1, 2));
        Assert.Equal((3.0, 2L), await hub.FirstHourAsync("rewound", MeasureFunction.Sum, last));

        for (var round = 0; round < 5; round++)
        {
            // The first event after a rewind is the one that dotnet/orleans issue 8335 says can be skipped.
            await hub.RewindStreamsAsync();
            last = await hub.PushAsync("rewound", (2 + round, 4));
            var head = last.Sequence;
            // Nobody asks: the stream (or the net below it) alone takes it to fold and history.
            await EventuallyAsync(async () => await hub.StoredAsync("rewound") is { } stored && stored.Fold >= head && stored.History >= head);
        }

        Assert.Equal((23.0, 7L), await hub.FirstHourAsync("rewound", MeasureFunction.Sum, last));
    }

    [Fact]
    public async Task A_minimum_taken_away_while_history_is_held_back_waits_for_exactly_that_position()
    {
        await hub.DescribeAsync("held");
        var first = await hub.PushAsync("held", (0, 5), (1, 7), (2, 9));
        Assert.Equal((5.0, 3L), await hub.FirstHourAsync("held", MeasureFunction.Min, first));

        PartReceipt last;
        Task<(double?, long?)> answer;
        using (var held = hub.Stores.History.Faults.Hold(nameof(IHistoryStore.ApplyAsync)))
        {
            last = await hub.PushAsync("held", (0, 100));
            answer = hub.FirstHourAsync("held", MeasureFunction.Min, last);
            await held.Reached;
            Assert.False(answer.IsCompleted);
        }

        Assert.Equal((7.0, 3L), await answer);
    }

    private async Task ReplaceAsync(string dataset)
    {
        var partition = PartitionKeys.Of(dataset, 0);
        var info = await hub.Grains.GetGrain<IDatasetGrain>(dataset).GetAsync(Caller.Hub);
        await hub.Cluster.DeactivateAsync(hub.Grains.GetGrain<ILogShardGrain>(info!.Partitions[0].Shard));
        await hub.Cluster.DeactivateAsync(hub.Grains.GetGrain<IHistoryGrain>(partition));
        await hub.Cluster.DeactivateAsync(hub.Grains.GetGrain<IAggregationGrain>(partition));
        await hub.Cluster.DeactivateAsync(hub.Grains.GetGrain<IIndicatorGrain>(LogCluster.Indicator(dataset, MeasureFunction.Sum)));
    }

    internal static async Task EventuallyAsync(Func<Task<bool>> holds)
    {
        for (var attempt = 0; attempt < 300; attempt++)
        {
            if (await holds()) return;
            await Task.Delay(50);
        }

        Assert.Fail("not within 15 s");
    }
}

/// <summary>What is left when a silo dies between two lines.</summary>
public sealed class DyingClusterTests(LogCluster hub) : IClassFixture<LogCluster>
{
    [Fact]
    public async Task A_batch_committed_just_before_the_death_of_its_silo_is_folded_although_nothing_is_ever_pushed_again()
    {
        await hub.DescribeAsync("last-words");
        var before = await hub.PushAsync("last-words", (0, 1));
        var info = await hub.Grains.GetGrain<IDatasetGrain>("last-words").GetAsync(Caller.Hub);
        var shard = info!.Partitions[0].Shard;

        await hub.KillAndRestartAsync(async () =>
        {
            // The commit happened; its caller, the stream and the consumers never heard of it.
            var head = await hub.Stores.RealLog.ClaimAsync(shard, CancellationToken.None);
            var part = hub.Part("last-words", (1, 2));
            var push = new PushRecord(part.Receipt, part.Dataset, part.Feed, part.IdempotencyKey, part.BodyHash, 0, 1, new(1, 1, 0, 0, 0, 0), []);
            var batch = new LogBatch
            {
                Shard = shard,
                Position = head.Position + 1,
                Partition = part.Partition,
                Sequence = before.Sequence + 1,
                ContractVersion = 1,
                AreaVersion = 0,
                Rows = part.Rows,
                Changes = [RowChange.New],
                BeforeOf = [-1],
                Push = push,
            };
            Assert.True(await hub.Stores.RealLog.AppendAsync(shard, head.Epoch, head.Position, [batch], CancellationToken.None));
        });

        // Nobody pushes, nobody asks.
        await LogClusterTests.EventuallyAsync(async () => await hub.StoredAsync("last-words") is { } stored && stored.Fold > before.Sequence && stored.History > before.Sequence);
        var found = await hub.Stores.RealLog.FindPushAsync("last-words", "default", "key-2", 0, CancellationToken.None);
        Assert.Equal((3.0, 2L), await hub.FirstHourAsync("last-words", MeasureFunction.Sum, found!));
    }
}
