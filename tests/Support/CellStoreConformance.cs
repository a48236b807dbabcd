using DataHub.Indicators;

namespace DataHub.Support;

/// <summary>What every store of cells promises. An adapter's tests derive from it and say how to make one.</summary>
public abstract class CellStoreConformance : IAsyncLifetime
{
    private const string Air = "air/0";

    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    private protected ICellStore Cells { get; private set; } = null!;

    /// <summary>A store of the test's own, empty at first.</summary>
    private protected abstract Task<ICellStore> CreateAsync();

    /// <summary>A store on the same files as a crash of the process would leave them.</summary>
    private protected abstract Task<ICellStore> CrashAsync();

    /// <summary>How many cells the files hold, those too that nobody finds any more.</summary>
    protected abstract Task<long> StoredCellsAsync();

    protected abstract Task CloseAsync();

    public async Task InitializeAsync() => Cells = await CreateAsync();

    public Task DisposeAsync() => CloseAsync();

    [ConformanceFact]
    public async Task Nothing_was_folded_at_first()
    {
        Assert.Empty(await Cells.PositionsAsync(Air, default));
        Assert.Empty(await ReadAsync("mean", 1));
        Assert.Equal(0, await Cells.CountAsync(Air, "mean", 1, long.MinValue, long.MaxValue, 10, default));
        await Cells.DropAsync(Air, "mean", 1, default);
    }

    [ConformanceFact]
    public async Task Cells_and_positions_are_stored_together_and_read_in_order()
    {
        Assert.True(await FlushAsync(
            [Move("mean", 1, -1, 5), Move("sum", 2, -1, 3)],
            [Cell("mean", 1, 20, "02", 5), Cell("mean", 1, 10, "02", 5), Cell("mean", 1, 10, "01", 4, "[\"x\"]"), Cell("mean", 1, 10, "01", 4), Cell("sum", 2, 10, "", 3)]));

        Assert.Equal(
            [new("mean", 1, 5, 1_005, 50, Noon.AddTicks(5)), new("sum", 2, 3, 1_003, 30, Noon.AddTicks(3))], await Cells.PositionsAsync(Air, default));
        Assert.Equal(["10 01  @4", "10 01 [\"x\"] @4", "10 02  @5", "20 02  @5"], await ReadAsync("mean", 1));
        Assert.Equal(["10   @3"], await ReadAsync("sum", 2));
        Assert.Empty(await ReadAsync("mean", 2));
        Assert.Empty(await Cells.PositionsAsync("air/1", default));
    }

    [ConformanceFact]
    public async Task A_flush_from_another_position_stores_nothing_at_all()
    {
        await FlushAsync([Move("mean", 1, -1, 5), Move("sum", 1, -1, 5)], [Cell("mean", 1, 10, "01", 5)]);

        Assert.False(await FlushAsync([Move("mean", 1, 5, 6), Move("sum", 1, 4, 6)], [Cell("mean", 1, 10, "01", 6)]));
        Assert.False(await FlushAsync([Move("mean", 1, 5, 6), Move("sum", 1, -1, 6)], [Cell("mean", 1, 10, "01", 6)]));
        Assert.False(await FlushAsync([Move("mean", 1, 5, 6), Move("max", 1, 0, 6)], [Cell("mean", 1, 10, "01", 6)]));

        Assert.All(await Cells.PositionsAsync(Air, default), p => Assert.Equal(5, p.Sequence));
        Assert.Equal(["10 01  @5"], await ReadAsync("mean", 1));
        Assert.True(await FlushAsync([Move("mean", 1, 5, 6)], [Cell("mean", 1, 10, "01", 6)]));
        Assert.Equal(["10 01  @6"], await ReadAsync("mean", 1));
    }

    [ConformanceFact]
    public async Task A_definition_may_start_at_sequence_zero()
    {
        Assert.True(await FlushAsync([Move("mean", 1, -1, 0)], []));
        Assert.False(await FlushAsync([Move("mean", 1, -1, 1)], []));
        Assert.True(await FlushAsync([Move("mean", 1, 0, 1)], []));
    }

    [ConformanceFact]
    public async Task A_fill_is_stored_with_its_cells_and_moves_on_only_from_where_it_stands()
    {
        var begun = new DefinitionFill(9, 100, new(long.MinValue, [0, 255]));
        var further = new DefinitionFill(9, 250, new(77, [7]));
        var done = new DefinitionFill(9, 260, null);
        Assert.True(await FlushAsync([Move("mean", 1, -1, 0) with { Fill = begun }], [Cell("mean", 1, 10, "01", 9)]));
        var stored = Assert.Single(await Cells.PositionsAsync(Air, default)).Fill!;
        Assert.Equal((9, 100, long.MinValue, "00FF"), (stored.AsOf, stored.Rows, stored.After!.Time, Convert.ToHexString(stored.After.Key)));

        Assert.False(await FlushAsync([Move("mean", 1, 0, 0) with { Fill = further }], [Cell("mean", 1, 20, "01", 9)]));
        Assert.False(await FlushAsync([Move("mean", 1, 0, 0) with { Fill = further, ExpectedFill = begun with { Rows = 99 } }], [Cell("mean", 1, 20, "01", 9)]));
        Assert.False(await FlushAsync([Move("mean", 1, 0, 0) with { Fill = further, ExpectedFill = begun with { AsOf = 8 } }], [Cell("mean", 1, 20, "01", 9)]));
        Assert.Equal(["10 01  @9"], await ReadAsync("mean", 1));

        Assert.True(await FlushAsync([Move("mean", 1, 0, 0) with { Fill = further, ExpectedFill = begun }], [Cell("mean", 1, 20, "01", 9)]));
        Assert.True(await FlushAsync([Move("mean", 1, 0, 9) with { Fill = done, ExpectedFill = further }], []));
        Assert.Equal(done, Assert.Single(await Cells.PositionsAsync(Air, default)).Fill);
        Assert.True(await FlushAsync([Move("mean", 1, 9, 10) with { Fill = done, ExpectedFill = done }], []));
        Assert.Equal(["10 01  @9", "20 01  @9"], await ReadAsync("mean", 1));
    }

    [ConformanceFact]
    public async Task Windows_touched_after_a_sequence_are_found_until_the_definition_is_dropped()
    {
        await FlushAsync([Move("mean", 1, -1, 5), Move("sum", 1, -1, 9)], [Cell("mean", 1, 10, "01", 4), Cell("mean", 1, 10, "02", 2), Cell("mean", 1, 20, "01", 5), Cell("sum", 1, 30, "", 9)]);
        Assert.Equal([10, 20], await TouchedAsync(3));
        Assert.Equal([20], await TouchedAsync(4));
        await FlushAsync([Move("mean", 1, 5, 7)], [new("mean", 1, 10, "02", "", 7, []), Cell("mean", 1, 40, "02", 6)]);
        Assert.Equal([10, 40], await TouchedAsync(5));
        Assert.Equal([40], await TouchedAsync(5, from: 11));
        Assert.Equal([10], await TouchedAsync(5, to: 40));
        Assert.Single(await Cells.TouchedWindowsAsync(Air, "mean", 1, 0, long.MinValue, long.MaxValue, 1, default));
        Assert.Empty(await TouchedAsync(7));
        await Cells.DropAsync(Air, "mean", 1, default);
        Assert.Empty(await TouchedAsync(0));

        async Task<IEnumerable<long>> TouchedAsync(long after, long from = long.MinValue, long to = long.MaxValue) =>
            (await Cells.TouchedWindowsAsync(Air, "mean", 1, after, from, to, 10, default)).Order();
    }

    [ConformanceFact]
    public async Task A_cell_that_lost_all_its_rows_stays_with_its_last_change()
    {
        await FlushAsync([Move("mean", 1, -1, 5)], [Cell("mean", 1, 10, "01", 5)]);

        await FlushAsync([Move("mean", 1, 5, 6)], [new("mean", 1, 10, "01", "", 6, [])]);

        var cell = Assert.Single(await Cells.ReadAsync(Air, "mean", 1, 0, 100, 10, default));
        Assert.Equal((6, 0), (cell.Sequence, cell.State.Length));
    }

    [ConformanceFact]
    public async Task Windows_bound_what_is_read_and_the_limit_how_much()
    {
        await FlushAsync([Move("mean", 1, -1, 1)], [.. Enumerable.Range(0, 10).Select(i => Cell("mean", 1, i * 10, "01", 1))]);

        Assert.Equal([20, 30], (await Cells.ReadAsync(Air, "mean", 1, 20, 40, 10, default)).Select(c => c.Window));
        Assert.Equal([20, 30, 40], (await Cells.ReadAsync(Air, "mean", 1, 11, long.MaxValue, 3, default)).Select(c => c.Window));
        Assert.Equal(2, await Cells.CountAsync(Air, "mean", 1, 20, 40, 10, default));
        Assert.Equal(3, await Cells.CountAsync(Air, "mean", 1, 11, long.MaxValue, 3, default));
    }

    [ConformanceFact]
    public async Task A_cell_of_a_definition_that_does_not_move_is_refused_and_nothing_stored()
    {
        await Assert.ThrowsAnyAsync<ArgumentException>(() => FlushAsync([Move("mean", 1, -1, 1)], [Cell("mean", 1, 10, "01", 1), Cell("sum", 1, 10, "01", 1)]));

        Assert.Empty(await Cells.PositionsAsync(Air, default));
    }

    [ConformanceFact]
    public async Task Dropping_forgets_one_definition_in_one_partition()
    {
        await FlushAsync([Move("mean", 1, -1, 5), Move("mean", 2, -1, 5)], [Cell("mean", 1, 10, "01", 5), Cell("mean", 2, 10, "01", 5)]);
        await Cells.FlushAsync("air/1", [Move("mean", 1, -1, 9)], [Cell("mean", 1, 10, "01", 9)], default);

        await Cells.DropAsync(Air, "mean", 1, default);

        Assert.Equal([2], (await Cells.PositionsAsync(Air, default)).Select(p => p.Version));
        Assert.Empty(await ReadAsync("mean", 1));
        Assert.Equal(["10 01  @5"], await ReadAsync("mean", 2));
        Assert.Single(await Cells.ReadAsync("air/1", "mean", 1, 0, 100, 10, default));
        Assert.True(await FlushAsync([Move("mean", 1, -1, 1)], []));
        Assert.Empty(await ReadAsync("mean", 1));
    }

    [ConformanceFact]
    public async Task While_much_is_dropped_others_write_and_nobody_finds_it_any_more()
    {
        await ManyAsync("mean", 1, 30_000);
        await FlushAsync([Move("sum", 1, -1, 5)], []);

        var dropping = Cells.DropAsync(Air, "mean", 1, default);
        for (var sequence = 5; sequence < 8; sequence++) Assert.True(await FlushAsync([Move("sum", 1, sequence, sequence + 1)], [Cell("sum", 1, 10, "01", sequence + 1)]));
        Assert.False(dropping.IsCompleted, "others had to wait until all was dropped");
        Assert.Equal(["sum"], (await Cells.PositionsAsync(Air, default)).Select(p => p.Indicator));
        Assert.Empty(await ReadAsync("mean", 1));

        // The same definition begins anew while its old cells are still going.
        Assert.True(await FlushAsync([Move("mean", 1, -1, 1)], [Cell("mean", 1, 7, "09", 1)]));
        await dropping;
        Assert.Equal(["7 09  @1"], await ReadAsync("mean", 1));
        Assert.Equal(["10 01  @8"], await ReadAsync("sum", 1));
    }

    [ConformanceFact]
    public async Task A_drop_that_a_crash_broke_off_is_done_as_far_as_anybody_can_see_and_goes_on()
    {
        await ManyAsync("mean", 1, 30_000);
        using var crash = new CancellationTokenSource();
        var dropping = Cells.DropAsync(Air, "mean", 1, crash.Token);
        await FlushAsync([Move("sum", 1, -1, 5)], [Cell("sum", 1, 10, "01", 5)]);
        await FlushAsync([Move("sum", 1, 5, 6)], []);
        await crash.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dropping);

        Cells = await CrashAsync();
        Assert.Equal(["sum"], (await Cells.PositionsAsync(Air, default)).Select(p => p.Indicator));
        Assert.Empty(await ReadAsync("mean", 1));
        Assert.True(await FlushAsync([Move("mean", 1, -1, 1), Move("mean", 2, -1, 1)], [Cell("mean", 1, 7, "09", 1), Cell("mean", 2, 8, "09", 1)]));
        Assert.Equal(["7 09  @1"], await ReadAsync("mean", 1));
        Assert.True(await StoredCellsAsync() > 3);

        await Cells.FinishDropsAsync("air/1", default);
        Assert.True(await StoredCellsAsync() > 3);
        await Cells.FinishDropsAsync(Air, default);
        await Cells.FinishDropsAsync(Air, default);
        Assert.Equal(3, await StoredCellsAsync());
        Assert.Equal(["7 09  @1"], await ReadAsync("mean", 1));
        Assert.Equal(["8 09  @1"], await ReadAsync("mean", 2));
        Assert.Equal(["10 01  @5"], await ReadAsync("sum", 1));
    }

    [ConformanceFact]
    public async Task State_and_extremes_come_back_as_they_were()
    {
        var state = Enumerable.Range(0, 10_000).Select(i => (byte)i).ToArray();
        await FlushAsync(
            [new("mean", 1, -1, long.MaxValue, long.MinValue, long.MaxValue, DateTimeOffset.MaxValue.ToUniversalTime())],
            [new("mean", 1, long.MinValue, "Größe", "[\"𝔘\\u0000\"]", long.MaxValue, state)]);

        var cell = Assert.Single(await Cells.ReadAsync(Air, "mean", 1, long.MinValue, long.MaxValue, 10, default));

        Assert.Equal(("Größe", "[\"𝔘\\u0000\"]", long.MaxValue), (cell.Area, cell.Dimensions, cell.Sequence));
        Assert.Equal(state, cell.State);
        Assert.Equal([new("mean", 1, long.MaxValue, long.MinValue, long.MaxValue, DateTimeOffset.MaxValue)], await Cells.PositionsAsync(Air, default));
    }

    [ConformanceFact]
    public async Task After_a_crash_everything_stored_is_there()
    {
        await FlushAsync([Move("mean", 1, -1, 5)], [Cell("mean", 1, 10, "01", 5)]);

        Cells = await CrashAsync();

        Assert.Equal(["10 01  @5"], await ReadAsync("mean", 1));
        Assert.True(await FlushAsync([Move("mean", 1, 5, 6)], []));
    }

    private Task<bool> ManyAsync(string indicator, int version, int count) =>
        FlushAsync([Move(indicator, version, -1, 5)], [.. Enumerable.Range(0, count).Select(i => Cell(indicator, version, i / 3, $"0{i % 3}", 5))]);

    private Task<bool> FlushAsync(DefinitionMove[] moves, StoredCell[] cells) => Cells.FlushAsync(Air, moves, cells, default);

    private async Task<IEnumerable<string>> ReadAsync(string indicator, int version) =>
        (await Cells.ReadAsync(Air, indicator, version, long.MinValue, long.MaxValue, 1_000, default)).Select(c => $"{c.Window} {c.Area} {c.Dimensions} @{c.Sequence}");

    private static DefinitionMove Move(string indicator, int version, long expected, long sequence) =>
        new(indicator, version, expected, sequence, 1_000 + sequence, sequence * 10, Noon.AddTicks(sequence));

    private static StoredCell Cell(string indicator, int version, long window, string area, long sequence, string dimensions = "") =>
        new(indicator, version, window, area, dimensions, sequence, [1, 2, 3]);
}
