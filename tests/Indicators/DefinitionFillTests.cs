using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Support;

namespace DataHub.Indicators;

/// <summary>
/// A definition that comes late is filled from history as of one sequence while the feed goes on; whatever breaks in
/// between, its cells equal those of the same definition that was there from the beginning.
/// </summary>
public sealed class DefinitionFillTests : IAsyncLifetime
{
    private const string Partition = "air/0";
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly CompiledContract Contract = Contracts.Observations(
        ["station", "time"],
        Contracts.Field("station", FieldType.String, FieldRole.Series),
        Contracts.Field("time", FieldType.DateTime, FieldRole.Time),
        Contracts.Field("no2", FieldType.Number, FieldRole.Measure));

    private readonly TemporaryStores _stores = TemporaryStores.Open();
    private Street _street = null!;
    private int _pushes;

    public static TheoryData<string, WriteFault, int> Faults
    {
        get
        {
            var faults = new TheoryData<string, WriteFault, int>();
            foreach (var method in (string[])[nameof(IHistoryStore.VersionsAsync), nameof(IHistoryStore.PositionAsync), nameof(ICellStore.FlushAsync), nameof(ICellStore.ReadAsync)])
            {
                foreach (var fault in Enum.GetValues<WriteFault>())
                {
                    for (var after = 0; after < 3; after++) faults.Add(method, fault, after);
                }
            }

            return faults;
        }
    }

    public async Task InitializeAsync()
    {
        _street = new(_stores.Log, _stores.History, _stores.Cells, Contract, "air", partitions: 1, new FoldOptions { CatchUpRows = 10, MaxHotCells = 8 });
        await _street.OpenAsync();
        await _street.RedefineAsync(Definition("early", MeasureFunction.Min));
        await PushAsync(0, 35);
        await (await _street.SettledFoldAsync(Partition)).FlushAsync();
        await _street.SettledHistoryAsync(Partition);
    }

    public async Task DisposeAsync() => await _stores.DisposeAsync();

    [Fact]
    public async Task It_reads_the_rows_that_stood_not_the_log_and_answers_when_it_has_all()
    {
        var fold = await LateAsync();
        var logReads = _stores.Log.Faults.Calls(nameof(ILogStore.ReadPartitionAsync));
        var late = fold.Find("late", 1)!;
        for (var step = 1; step <= 4; step++)
        {
            Assert.False(fold.HasJoined(late));
            Assert.Equal(new(10 * (step - 1), 35, FillPhase.History), fold.ProgressOf(late));
            await fold.CatchUpAsync();
        }

        Assert.True(fold.HasJoined(late));
        Assert.Equal(4, _stores.History.Faults.Calls(nameof(IHistoryStore.VersionsAsync)));
        Assert.Equal(logReads, _stores.Log.Faults.Calls(nameof(ILogStore.ReadPartitionAsync)));
        Assert.Equal(35, late.Accepted);
        Assert.All(await fold.ReadAsync(late, long.MinValue, long.MaxValue, 1_000), cell => Assert.Equal(fold.Sequence, cell.Sequence));
        await AssertEqualAsync();
    }

    [Fact]
    public async Task Rows_corrected_deleted_and_added_meanwhile_count_once_and_the_feed_does_not_wait()
    {
        var fold = await LateAsync();
        await fold.CatchUpAsync();
        for (var step = 0; step < 3; step++)
        {
            await PushAsync(100 + step, 5);
            await PushAsync(step * 12, 2, value: -5);
            await PushAsync(step * 12 + 3, 2, delete: true);
            await _street.DeliverAsync(Partition);
            Assert.Equal(await _stores.Log.HeadAsync(Partition, default), fold.Sequence);
            Assert.False(fold.HasJoined(fold.Find("late", 1)!));
            await fold.CatchUpAsync();
        }

        Assert.Equal(FillPhase.Log, fold.ProgressOf(fold.Find("late", 1)!).Phase);
        await AssertEqualAsync();
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_fault_in_the_middle_changes_no_number_and_the_feed_goes_on(string method, WriteFault fault, int after)
    {
        var fold = await LateAsync();
        await fold.CatchUpAsync();
        await PushAsync(5, 3, value: -7);
        var faults = method is nameof(ICellStore.FlushAsync) or nameof(ICellStore.ReadAsync) ? _stores.Cells.Faults : _stores.History.Faults;
        faults.FailNext(method, fault, after: after);
        for (var step = 0; step < 4; step++) await fold.CatchUpAsync();
        await _street.DeliverAsync(Partition);

        // Cells are read by the live fold too, whose own faults halt it.
        if (method != nameof(ICellStore.ReadAsync)) Assert.Null(fold.Halted);
        await AssertEqualAsync();
    }

    [Fact]
    public async Task Killed_between_any_two_steps_it_goes_on_where_it_stood()
    {
        for (var kill = 0; kill < 4; kill++)
        {
            var fold = await LateAsync();
            await fold.CatchUpAsync();
            _street.Kill();
        }

        await AssertEqualAsync();
        Assert.Equal(4, _stores.History.Faults.Calls(nameof(IHistoryStore.VersionsAsync)));
    }

    [Fact]
    public async Task A_fill_that_another_activation_took_further_gives_way()
    {
        var fold = await LateAsync();
        await fold.CatchUpAsync();
        _street.Kill();
        var other = await LateAsync();
        await other.CatchUpAsync();
        await fold.CatchUpAsync();

        Assert.True(fold.IsSuperseded);
        await AssertEqualAsync();
    }

    [Fact]
    public async Task Given_up_in_the_middle_it_leaves_nothing_and_its_successor_begins_anew()
    {
        var fold = await LateAsync();
        await fold.CatchUpAsync();
        await _street.RedefineAsync(Definition("early", MeasureFunction.Min), Definition("late", MeasureFunction.Min) with { Version = 2 });

        Assert.DoesNotContain(await _stores.Cells.PositionsAsync(Partition, default), position => position is { Indicator: "late", Version: 1 });
        Assert.Empty(await _stores.Cells.ReadAsync(Partition, "late", 1, long.MinValue, long.MaxValue, 10, default));
        await AssertEqualAsync(2);
    }

    [Fact]
    public async Task Definitions_that_come_together_are_filled_in_one_pass()
    {
        await _street.RedefineAsync(Definition("early", MeasureFunction.Min), Definition("late", MeasureFunction.Min), Definition("later", MeasureFunction.Min));

        await AssertEqualAsync();
        await AssertEqualAsync(indicator: "later");
        Assert.Equal(4, _stores.History.Faults.Calls(nameof(IHistoryStore.VersionsAsync)));
    }

    [Fact]
    public async Task History_that_is_late_is_waited_for_while_the_feed_goes_on()
    {
        var release = new TaskCompletionSource();
        _street.Kill();
        await _street.RedefineAsync(Definition("early", MeasureFunction.Min));
        var fold = await _street.FoldAsync(Partition);
        await fold.ReachHeadAsync();
        await PushAsync(40, 5); // history has not heard of these
        await fold.ReachHeadAsync();
        _street.BeforeHistoryIsReached = (_, _) => release.Task;
        await _street.RedefineAsync(Definition("early", MeasureFunction.Min), Definition("late", MeasureFunction.Min));

        await fold.CatchUpAsync();
        await PushAsync(50, 5);
        await _street.DeliverAsync(Partition);
        Assert.Equal(await _stores.Log.HeadAsync(Partition, default), fold.Sequence);
        Assert.Equal(0, _stores.History.Faults.Calls(nameof(IHistoryStore.VersionsAsync)));

        release.SetResult();
        await AssertEqualAsync();
    }

    /// <summary>An erasure overwrites only what nobody reads any more: it waits for the fill, and leaves alone what was filled after it.</summary>
    [Fact]
    public async Task An_erasure_waits_for_a_fill_under_way_and_does_not_touch_one_that_began_after_it()
    {
        var fold = await LateAsync();
        await fold.CatchUpAsync();
        await fold.FlushAsync();
        var erased = fold.Sequence;
        Assert.Null(fold.Passed(erased));

        fold = await _street.SettledFoldAsync(Partition);
        await fold.FlushAsync();
        var passed = fold.Passed(erased)!;
        Assert.Contains("late/1", passed);

        await PushAsync(60, 3);
        await _street.DeliverAsync(Partition);
        await _street.RedefineAsync(Definition("early", MeasureFunction.Min), Definition("late", MeasureFunction.Min), Definition("after", MeasureFunction.Min));
        fold = await _street.SettledFoldAsync(Partition);
        var reads = _stores.History.Faults.Calls(nameof(IHistoryStore.VersionsAsync));
        await fold.RefoldOthersAsync(passed, erased);
        Assert.True(fold.HasJoined(fold.Find("after", 1)!));
        await fold.RefoldOthersAsync(passed, fold.Sequence + 1);
        Assert.False(fold.HasJoined(fold.Find("after", 1)!));
        await AssertEqualAsync(indicator: "after");
        Assert.True(_stores.History.Faults.Calls(nameof(IHistoryStore.VersionsAsync)) > reads);
    }

    [Fact]
    public void Rows_of_before_a_field_was_added_have_no_value_in_it()
    {
        var before = Contracts.Observations(["station", "time"], Contracts.Field("station", FieldType.String, FieldRole.Series), Contracts.Field("time", FieldType.DateTime, FieldRole.Time));
        var rows = new RowBlock { Count = 1, Columns = [Column.OfTexts(["s1"]), Column.OfIntegers([Start.UtcTicks])] };
        var batch = new DefinitionFill(3, 0, null).Batch(Partition, rows, 1);
        foreach (var function in (MeasureFunction[])[MeasureFunction.Count, MeasureFunction.Mean, MeasureFunction.Min])
        {
            var fold = new DefinitionFold(Definition("later", function));
            fold.Apply(batch, before, new(before, batch));
            Assert.Equal(0, fold.HotCells);
        }
    }

    private async Task<PartitionFold> LateAsync()
    {
        await _street.RedefineAsync(Definition("early", MeasureFunction.Min), Definition("late", MeasureFunction.Min));
        var fold = await _street.FoldAsync(Partition);
        await fold.ReachHeadAsync();
        return fold;
    }

    private async Task AssertEqualAsync(int version = 1, string indicator = "late")
    {
        var early = await CellsAsync("early", 1);
        Assert.NotEmpty(early);
        Assert.Equal(early, await CellsAsync(indicator, version));

        async Task<string[]> CellsAsync(string id, int number) =>
            [.. (await _street.CellsAsync(Definition(id, MeasureFunction.Min) with { Version = number })).OrderBy(cell => cell.Key.Window).Select(cell => $"{cell.Key.Window} {Convert.ToHexString(cell.Value.ToBytes())}")];
    }

    /// <summary>One row an hour from an hour on.</summary>
    private Task<PartReceipt> PushAsync(int hour, int rows, double value = 1, bool delete = false)
    {
        var hours = Enumerable.Range(hour, rows).ToArray();
        return _street.PushAsync(Partition, new()
        {
            Count = rows,
            Columns =
            [
                Column.OfTexts([.. hours.Select(at => $"s{at % 3}")]),
                Column.OfIntegers([.. hours.Select(at => Start.AddHours(at / 3).UtcTicks)]),
                Column.OfNumbers([.. hours.Select(at => delete ? double.NaN : value + at)]),
            ],
            Deletes = delete ? [.. hours.Select(_ => true)] : null,
        }, $"push-{++_pushes}");
    }

    private static IndicatorDefinition Definition(string id, MeasureFunction function) =>
        new(id, 1, new(new(id, null), "air", function, "no2", "PT1H", "Europe/Berlin", false, [], null, null, AccessClass.Open));
}
