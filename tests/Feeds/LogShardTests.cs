using DataHub.Catalog;
using DataHub.Support;

namespace DataHub.Feeds;

/// <summary>What the one writer of a shard promises (design §2.2, I1, I3), over the real log and history.</summary>
public sealed class LogShardTests : IAsyncLifetime
{
    private const string Partition = "air/0";

    private static readonly DateTimeOffset Start = new(2026, 11, 23, 8, 0, 0, TimeSpan.Zero);

    private static readonly CompiledContract Contract = CompiledContract.Compile(
        new(1,
            [
                new("station", FieldType.String, null, FieldRole.Series, new(Required: true), null, null, null),
                new("time", FieldType.DateTime, null, FieldRole.Time, new(Required: true), null, null, null),
                new("value", FieldType.Number, null, FieldRole.Measure, FieldConstraints.None, null, null, null),
            ],
            ["station", "time"], [""]),
        DatasetKind.Observations);

    private readonly TemporaryStores _stores = TemporaryStores.Open();
    private Street _street = null!;

    public async Task InitializeAsync()
    {
        _street = NewStreet(new());
        await _street.OpenAsync();
    }

    public async Task DisposeAsync() => await _stores.DisposeAsync();

    private Street NewStreet(ShardOptions options) => new(_stores.Log, _stores.History, _stores.Cells, Contract, "air", 1) { ShardOptions = options };

    private static RowBlock Rows(params (string Station, int Minute, double Value)[] rows) => new()
    {
        Count = rows.Length,
        Columns =
        [
            Column.OfTexts([.. rows.Select(row => row.Station)]),
            Column.OfIntegers([.. rows.Select(row => Start.AddMinutes(row.Minute).UtcTicks)]),
            Column.OfNumbers([.. rows.Select(row => row.Value)]),
        ],
    };

    private async Task<PushCounts> PushAsync(params (string Station, int Minute, double Value)[] rows) =>
        (await _street.PushAsync(Partition, Rows(rows), null)).Push.Counts;

    [Fact]
    public async Task Two_writers_appending_in_turns_leave_only_what_the_last_to_claim_has_written()
    {
        var first = await _street.AnotherWriterAsync();
        Assert.Equal(AppendRefusal.None, (await first.AppendAsync(_street.Part(Partition, Rows(("a", 1, 1))), null)).Refusal);

        var second = await _street.AnotherWriterAsync();
        Assert.Equal(AppendRefusal.None, (await second.AppendAsync(_street.Part(Partition, Rows(("a", 2, 2))), null)).Refusal);

        // The first wakes up and tries to go on where it was.
        Assert.Equal(AppendRefusal.Unavailable, (await first.AppendAsync(_street.Part(Partition, Rows(("a", 3, 3))), null)).Refusal);
        Assert.True(first.IsRetired);
        Assert.Equal(AppendRefusal.Unavailable, (await first.AppendAsync(_street.Part(Partition, Rows(("a", 4, 4))), null)).Refusal);
        Assert.Equal(AppendRefusal.None, (await second.AppendAsync(_street.Part(Partition, Rows(("a", 5, 5))), null)).Refusal);

        var log = await _stores.Log.ReadPartitionAsync(Partition, 0, 100, int.MaxValue, CancellationToken.None);
        Assert.Equal([1, 2, 3, 4], log.Select(batch => batch.Sequence));
        Assert.Equal([1, 2, 5], log.Where(batch => batch.Kind == BatchKind.Rows).Select(batch => (int)batch.Rows.Columns[2].Numbers![0]));
    }

    [Fact]
    public async Task Appends_that_wait_together_are_committed_together()
    {
        var shard = await _street.AnotherWriterAsync();
        var before = _stores.Log.Faults.Calls(nameof(ILogStore.AppendAsync));
        using var held = _stores.Log.Faults.Hold(nameof(ILogStore.AppendAsync));
        var first = shard.AppendAsync(_street.Part(Partition, Rows(("a", 0, 0))), null);
        await held.Reached;
        var others = Enumerable.Range(1, 50).Select(minute => shard.AppendAsync(_street.Part(Partition, Rows(("a", minute, minute))), null)).ToArray();
        held.Release();

        var results = await Task.WhenAll(others.Prepend(first));
        Assert.All(results, result => Assert.Equal(1, result.Receipt!.Push.Counts.New));
        Assert.Equal(2, _stores.Log.Faults.Calls(nameof(ILogStore.AppendAsync)) - before);
        Assert.Equal(51, results.Select(result => result.Receipt!.Sequence).Distinct().Count());
    }

    [Fact]
    public async Task A_full_queue_refuses_what_does_not_fit_and_loses_nothing_that_did()
    {
        var shard = await NewStreet(new() { MaxWaitingPushes = 3, MaxWaitingRows = 10 }).AnotherWriterAsync();
        using var held = _stores.Log.Faults.Hold(nameof(ILogStore.AppendAsync));
        var first = shard.AppendAsync(_street.Part(Partition, Rows(("a", 0, 0))), null);
        await held.Reached;

        var waiting = Enumerable.Range(1, 3).Select(minute => shard.AppendAsync(_street.Part(Partition, Rows(("a", minute, minute))), null)).ToArray();
        Assert.Equal(AppendRefusal.Full, (await shard.AppendAsync(_street.Part(Partition, Rows(("a", 9, 9))), null)).Refusal);
        held.Release();

        Assert.All(await Task.WhenAll(waiting.Prepend(first)), result => Assert.Equal(AppendRefusal.None, result.Refusal));
        Assert.Equal(AppendRefusal.None, (await shard.AppendAsync(_street.Part(Partition, Rows(("a", 10, 10))), null)).Refusal);
    }

    [Fact]
    public async Task A_push_waits_for_one_turn_of_each_other_agency_however_many_pushes_wait()
    {
        var shard = await NewStreet(new() { MaxRowsPerCommit = 2, MaxWaitingPushes = 50 }).AnotherWriterAsync();
        using var held = _stores.Log.Faults.Hold(nameof(ILogStore.AppendAsync));
        var first = shard.AppendAsync(_street.Part(Partition, Rows(("a", 0, 0))), null, publisher: "flood");
        await held.Reached;
        var flood = Enumerable.Range(1, 50).Select(minute => shard.AppendAsync(_street.Part(Partition, Rows(("a", minute, minute))), null, publisher: "flood")).ToArray();
        Assert.Equal(AppendRefusal.Full, (await shard.AppendAsync(_street.Part(Partition, Rows(("a", 99, 99))), null, publisher: "flood")).Refusal);
        var calm = shard.AppendAsync(_street.Part(Partition, Rows(("b", 1, 1))), null, publisher: "calm");
        held.Release();

        // After the opening of the partition, the first, and one of the flood.
        Assert.Equal(4, (await calm).Receipt!.Sequence);
        Assert.All(await Task.WhenAll(flood.Prepend(first)), result => Assert.Equal(AppendRefusal.None, result.Refusal));
    }

    [Fact]
    public async Task A_repeat_in_flight_waits_for_the_first_and_gets_its_receipt()
    {
        var shard = await _street.AnotherWriterAsync();
        using var held = _stores.Log.Faults.Hold(nameof(ILogStore.AppendAsync));
        var first = shard.AppendAsync(_street.Part(Partition, Rows(("a", 0, 0)), "key"), null);
        await held.Reached;
        var second = shard.AppendAsync(_street.Part(Partition, Rows(("a", 0, 0)), "key"), null);
        var other = shard.AppendAsync(_street.Part(Partition, Rows(("b", 0, 0)), "key", bodyHash: [2]), null);
        Assert.False(second.IsCompleted);
        held.Release();

        Assert.Equal((await first).Receipt!.Push.Receipt, (await second).Receipt!.Push.Receipt);
        Assert.True((await second).Receipt!.Replayed);
        Assert.Equal(AppendRefusal.KeyReused, (await other).Refusal);
        Assert.Equal(2, await _stores.Log.HeadAsync(Partition, CancellationToken.None));
    }

    [Theory]
    [InlineData(WriteFault.Refused)]
    [InlineData(WriteFault.AnswerLost)]
    public async Task A_push_whose_commit_failed_is_repeated_with_its_key_and_stands_once(WriteFault fault)
    {
        _stores.Log.Faults.FailNext(nameof(ILogStore.AppendAsync), fault);
        var shard = await _street.ShardAsync();
        var lost = await shard.AppendAsync(_street.Part(Partition, Rows(("a", 0, 1)), "key"), null);
        Assert.Equal(AppendRefusal.Unavailable, lost.Refusal);
        Assert.True(shard.IsRetired);

        var receipt = await _street.PushAsync(Partition, Rows(("a", 0, 1)), "key");
        Assert.Equal(fault == WriteFault.AnswerLost, receipt.Replayed);
        Assert.Equal(new PushCounts(1, 1, 0, 0, 0, 0), receipt.Push.Counts);
        Assert.Equal(2, await _stores.Log.HeadAsync(Partition, CancellationToken.None));
    }

    [Fact]
    public async Task Rows_count_in_their_order_so_that_A_B_A_ends_at_A()
    {
        var counts = await PushAsync(("a", 0, 1), ("a", 0, 2), ("a", 0, 1), ("a", 0, 1));
        Assert.Equal(new PushCounts(4, 1, 2, 0, 1, 0), counts);
        await _street.ReachHistoryAsync(Partition, long.MaxValue);
        var rows = await _stores.History.QueryAsync(Partition, null, null, null, null, 10, CancellationToken.None);
        Assert.Equal(1, RowPacking.Unpack(Contract, [.. rows.Rows.Select(row => (row.Values, row.Area))]).Columns[2].Numbers![0]);
    }

    [Fact]
    public async Task A_growing_series_is_never_looked_up_again()
    {
        await PushAsync(("a", 0, 0), ("b", 0, 0));
        var series = _stores.History.Faults.Calls(nameof(IHistoryStore.FindSeriesAsync));
        for (var minute = 1; minute < 20; minute++) Assert.Equal(2, (await PushAsync(("a", minute, minute), ("b", minute, minute))).New);
        Assert.Equal(0, _stores.History.Faults.Calls(nameof(IHistoryStore.FindKeysAsync)));
        Assert.Equal(series, _stores.History.Faults.Calls(nameof(IHistoryStore.FindSeriesAsync)));

        // One that is late is looked up, and found to be new, a repeat or a correction.
        Assert.Equal(new PushCounts(3, 1, 1, 0, 1, 0), await PushAsync(("c", 0, 1), ("a", 5, 5), ("a", 6, 99)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_new_writer_knows_what_history_has_not_got_yet(bool historyIsHalfWay)
    {
        await PushAsync(("a", 0, 0), ("a", 1, 1));
        if (historyIsHalfWay) await _street.ReachHistoryAsync(Partition, long.MaxValue);
        await PushAsync(("a", 2, 2), ("a", 1, 11));

        _street.Kill();
        Assert.Equal(new PushCounts(4, 0, 1, 0, 3, 0), await PushAsync(("a", 0, 0), ("a", 1, 11), ("a", 2, 2), ("a", 2, 22)));

        _street.Kill();
        Assert.Equal(new PushCounts(2, 1, 0, 0, 1, 0), await PushAsync(("a", 2, 22), ("a", 3, 3)));
    }

    [Fact]
    public async Task A_batch_made_with_an_outdated_contract_is_refused_and_nothing_is_stored()
    {
        var shard = await _street.ShardAsync();
        Assert.Equal(AppendRefusal.Outdated, (await shard.AppendAsync(_street.Part(Partition, Rows(("a", 0, 0)), contractVersion: 2), null)).Refusal);
        Assert.Equal(1, await _stores.Log.HeadAsync(Partition, CancellationToken.None));
        Assert.False(shard.IsRetired);
    }

    [Fact]
    public async Task A_dry_run_says_what_would_be_and_changes_nothing()
    {
        await PushAsync(("a", 0, 0));
        var shard = await _street.ShardAsync();
        var dry = await shard.AppendAsync(_street.Part(Partition, Rows(("a", 0, 5), ("a", 1, 1))) with { DryRun = true }, null);
        Assert.Equal(new PushCounts(2, 1, 1, 0, 0, 0), dry.Receipt!.Push.Counts);
        Assert.Equal(new PushCounts(2, 1, 0, 0, 1, 0), await PushAsync(("a", 0, 0), ("a", 1, 1)));
    }

    [Fact]
    public async Task A_history_that_has_fallen_too_far_behind_stops_the_intake_not_the_memory()
    {
        var street = NewStreet(new() { MaxTailRows = 1_000 });
        var many = Enumerable.Range(0, 600).Select(minute => ("z", minute, 1.0)).ToArray();
        var more = Enumerable.Range(600, 600).Select(minute => ("z", minute, 1.0)).ToArray();
        await street.PushAsync(Partition, Rows(many), null);
        Assert.Equal(AppendRefusal.Full, (await (await street.ShardAsync()).AppendAsync(street.Part(Partition, Rows(more)), null)).Refusal);

        await street.ReachHistoryAsync(Partition, long.MaxValue);
        Assert.Equal(600, (await street.PushAsync(Partition, Rows(more), null)).Push.Counts.New);
    }
}
