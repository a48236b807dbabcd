using System.Text;

using CsCheck;

using DataHub.Feeds;

namespace DataHub.Support;

/// <summary>What every history store promises. An adapter's tests derive from it and say how to make one.</summary>
public abstract class HistoryStoreConformance : IAsyncLifetime
{
    private const string Air = "air/0";

    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    private protected IHistoryStore History { get; private set; } = null!;

    /// <summary>A store of the test's own, empty at first.</summary>
    private protected abstract Task<IHistoryStore> CreateAsync();

    /// <summary>A store on the same files as a crash of the process would leave them.</summary>
    private protected abstract Task<IHistoryStore> CrashAsync();

    protected abstract Task CloseAsync();

    public async Task InitializeAsync() => History = await CreateAsync();

    public Task DisposeAsync() => CloseAsync();

    [ConformanceFact]
    public async Task An_unknown_partition_stands_at_zero_and_holds_nothing()
    {
        Assert.Equal(default, await History.PositionAsync(Air, default));
        Assert.Null(Assert.Single((await History.FindKeysAsync(Air, Keys("a"), default)).Rows));
        Assert.Equal([null], (await History.FindSeriesAsync(Air, [Key("s")], default)).Newest);
        Assert.Empty(await History.ReadWindowAsync(Air, 0, null, long.MinValue, long.MaxValue, default));
        Assert.Empty((await History.QueryAsync(Air, null, null, null, null, 10, default)).Rows);
        Assert.Empty(await History.QuarantineAsync("air", new(null, null, 10, null), default));
        Assert.Empty(await History.CountsAsync("air", default));
        await History.ResetAsync(Air, default);
    }

    [ConformanceFact]
    public async Task Batches_are_stored_only_on_the_position_they_were_made_for()
    {
        Assert.True(await ApplyAsync(0, Batch(1, New("a", 10)), Batch(2, New("b", 20), New("c", 30))));

        Assert.False(await ApplyAsync(0, Batch(1, New("x", 10))));
        Assert.False(await ApplyAsync(1, Batch(2, New("x", 10))));
        Assert.False(await ApplyAsync(3, Batch(4, New("x", 10))));
        Assert.Equal(new HistoryPosition(2, 3), await History.PositionAsync(Air, default));
        Assert.Null(Assert.Single((await History.FindKeysAsync(Air, Keys("x"), default)).Rows));
    }

    [ConformanceFact]
    public async Task A_hole_and_a_foreign_batch_are_refused()
    {
        await Assert.ThrowsAnyAsync<ArgumentException>(() => ApplyAsync(0, Batch(2, New("a", 1))));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => ApplyAsync(0, Batch(1, New("a", 1)), Batch(3, New("b", 1))));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => History.ApplyAsync("water/0", 0, [Batch(1, New("a", 1))], default));
        Assert.Equal(default, await History.PositionAsync(Air, default));
    }

    [ConformanceFact]
    public async Task A_control_batch_moves_the_position_only()
    {
        Assert.True(await ApplyAsync(0, new HistoryBatch(LogBatches.Control(0, 1, Air, 1), [])));

        Assert.Equal(new HistoryPosition(1, 0), await History.PositionAsync(Air, default));
        Assert.Empty(await History.CountsAsync("air", default));
    }

    [ConformanceFact]
    public async Task Keys_are_found_as_they_stand_with_the_position()
    {
        await ApplyAsync(0, Batch(1, New("a", 10, "01", "v1"), New("b", 20)));
        await ApplyAsync(1, Batch(2, Correction("a", 10, "02", "v2"), Retraction("b", 20)));

        var found = await History.FindKeysAsync(Air, Keys("b", "a", "z", "a"), default);

        Assert.Equal(2, found.Sequence);
        Assert.Equal([null, "a 10 02 v2 @2", null, "a 10 02 v2 @2"], found.Rows.Select(r => r is null ? null : Describe(r)));
        Assert.Equal(7, found.Rows[1]!.ContractVersion);
    }

    [ConformanceFact]
    public async Task What_stood_at_each_sequence_stays_readable_through_correction_retraction_and_resurrection()
    {
        await ApplyAsync(0, Batch(1, New("a", 10, "01", "v1"), New("b", 10, "01", "w1")), Batch(2, Correction("a", 10, "01", "v2")), Batch(3, Retraction("a", 10)));
        await ApplyAsync(3, Batch(4, New("a", 10, "02", "v3")), Batch(5, Correction("a", 99, "02", "v4")));

        Assert.Equal("", await AtAsync(0));
        Assert.Equal("a 10 01 v1 @1, b 10 01 w1 @1", await AtAsync(1));
        Assert.Equal("a 10 01 v2 @2, b 10 01 w1 @1", await AtAsync(2));
        Assert.Equal("b 10 01 w1 @1", await AtAsync(3));
        Assert.Equal("b 10 01 w1 @1", await AtAsync(4, "01"));
        Assert.Equal("a 10 02 v3 @4", await AtAsync(4, "02"));
        Assert.Equal("b 10 01 w1 @1, a 99 02 v4 @5", await AtAsync(5));
        Assert.Equal("b 10 01 w1 @1", await AtAsync(5, null, 0, 99));
        Assert.Equal("a 99 02 v4 @5", await AtAsync(5, null, 99, 100));
        Assert.Equal("", await AtAsync(5, "unknown"));
    }

    [ConformanceFact]
    public async Task Several_changes_of_one_key_in_one_batch_leave_the_last()
    {
        await ApplyAsync(0, Batch(1, New("a", 10, null, "v1"), Correction("a", 10, null, "v2"), Correction("a", 10, null, "v1"), New("b", 10), Retraction("b", 10)));

        Assert.Equal("a 10 - v1 @1", await AtAsync(1));
        Assert.Equal(new HistoryPosition(1, 5), await History.PositionAsync(Air, default));

        await ApplyAsync(1, Batch(2, Correction("a", 10, null, "v2"), Retraction("a", 10), New("a", 10, null, "v3")));
        Assert.Equal("a 10 - v1 @1", await AtAsync(1));
        Assert.Equal("a 10 - v3 @2", await AtAsync(2));
    }

    [ConformanceFact]
    public async Task Keys_that_contain_the_time_live_as_the_others_do()
    {
        await TimedAsync(0, Batch(1, New("a", 10, "01", "v1"), New("b", 10, "01", "w1"), New("a", 20, "01", "other")), Batch(2, Correction("a", 10, "02", "v2")), Batch(3, Retraction("a", 10)));
        await TimedAsync(3, Batch(4, New("a", 10, "02", "v3"), Correction("a", 10, "02", "v4"), New("c", 5), Retraction("c", 5)), Batch(5, Retraction("a", 10), New("a", 10, "02", "v5")));

        Assert.Equal("a 10 01 v1 @1, b 10 01 w1 @1, a 20 01 other @1", await AtAsync(1));
        Assert.Equal("a 10 02 v2 @2, b 10 01 w1 @1, a 20 01 other @1", await AtAsync(2));
        Assert.Equal("b 10 01 w1 @1, a 20 01 other @1", await AtAsync(3));
        Assert.Equal("a 10 02 v4 @4", await AtAsync(4, "02"));
        Assert.Equal("a 10 02 v5 @5, b 10 01 w1 @1, a 20 01 other @1", await AtAsync(5));
        var found = await History.FindKeysAsync(Air, [new(Key("a"), 20), new(Key("a"), 10), new(Key("a"), 11), new(Key("b"), 10), new(Key("c"), 5)], default);
        Assert.Equal(["a 20 01 other @1", "a 10 02 v5 @5", null, "b 10 01 w1 @1", null], found.Rows.Select(r => r is null ? null : Describe(r)));

        await Assert.ThrowsAnyAsync<Exception>(() => TimedAsync(5, Batch(6, New("d", 10), New("d", 10))));
        await Assert.ThrowsAnyAsync<Exception>(() => TimedAsync(5, Batch(6, New("d", 10), Retraction("d", 10), Correction("d", 10, null, "v"))));
        Assert.Equal(5, (await History.PositionAsync(Air, default)).Sequence);

        Task<bool> TimedAsync(long expected, params HistoryBatch[] batches) => ApplyAsync(expected, [.. batches.Select(b => b with { KeyHasTime = true })]);
    }

    [ConformanceFact]
    public async Task What_does_not_follow_under_a_key_that_contains_the_time_is_told_when_segments_are_joined_and_nothing_is_lost()
    {
        for (var sequence = 1; sequence <= SegmentRules.MaxRuns; sequence++)
        {
            HistoryChange[] changes = sequence is 3 or 5 ? [New("a", 10, "01", $"v{sequence}")] : [New($"b{sequence}", 10)];
            Assert.True(await ApplyAsync(sequence - 1, Batch(sequence, changes) with { KeyHasTime = true }));
        }

        await Assert.ThrowsAsync<InvalidDataException>(() => History.JoinAsync(Air, SegmentRules.MaxRuns, 0, default));

        Assert.Equal("a 10 01 v3 @3", await AtAsync(4, "01"));
        Assert.Equal("a 10 01 v5 @5", await AtAsync(5, "01"));
        Assert.Equal(SegmentRules.MaxRuns - 1, (await History.ReadWindowAsync(Air, SegmentRules.MaxRuns, null, 0, 100, default)).Count);
    }

    [ConformanceFact]
    public async Task Segments_are_joined_only_on_the_position_they_were_read_for()
    {
        for (var sequence = 1; sequence <= 2 * SegmentRules.MaxRuns; sequence++)
        {
            Assert.True(await ApplyAsync(sequence - 1, Batch(sequence, New($"k{sequence:D2}", 10), New($"k{sequence:D2}", TimeSpan.TicksPerDay)) with { KeyHasTime = true }));
        }

        Assert.False(await History.JoinAsync(Air, 3, 0, default));
        Assert.True(await History.JoinAsync(Air, 2 * SegmentRules.MaxRuns, 0, default));
        Assert.True(await History.JoinAsync(Air, 2 * SegmentRules.MaxRuns, 7, default));
        Assert.True(await ApplyAsync(2 * SegmentRules.MaxRuns, Batch((2 * SegmentRules.MaxRuns) + 1, Retraction("k01", 10)) with { KeyHasTime = true }));
        Assert.Equal((4 * SegmentRules.MaxRuns) - 1, (await History.QueryAsync(Air, null, null, null, null, 1_000, default)).Rows.Count);
    }

    [ConformanceFact]
    public async Task A_window_beyond_the_stored_position_is_refused()
    {
        await ApplyAsync(0, Batch(1, New("a", 10)));

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => History.ReadWindowAsync(Air, 2, null, 0, 100, default));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => History.ReadWindowAsync("water/0", 1, null, 0, 100, default));
    }

    [ConformanceFact]
    public async Task A_change_that_does_not_fit_what_stands_stores_nothing()
    {
        await ApplyAsync(0, Batch(1, New("a", 10)));

        await Assert.ThrowsAnyAsync<Exception>(() => ApplyAsync(1, Batch(2, New("b", 10)), Batch(3, New("a", 10))));
        await Assert.ThrowsAnyAsync<Exception>(() => ApplyAsync(1, Batch(2, New("b", 10), Correction("c", 10, null, "v"))));
        await Assert.ThrowsAnyAsync<Exception>(() => ApplyAsync(1, Batch(2, New("b", 10), Retraction("c", 10))));

        Assert.Equal(new HistoryPosition(1, 1), await History.PositionAsync(Air, default));
        Assert.Equal("a 10 - a @1", await AtAsync(1));
    }

    [ConformanceFact]
    public async Task Newest_times_of_series_are_only_raised_and_only_where_history_stands()
    {
        await ApplyAsync(0, Batch(1, New("a1", 10)), Batch(2, New("b1", 5)), Batch(3));
        Assert.True(await RaiseAsync(3, null, ("a", 10), ("b", 5)));
        await AssertAsync(0, 10, 5, null);

        Assert.True(await RaiseAsync(3, 2, ("c", -7)));
        await AssertAsync(2, 10, 5, -7);
        Assert.True(await RaiseAsync(3, 3, ("a", 30), ("b", 4)));
        await AssertAsync(3, 30, 5, -7);

        // Another one writes by now.
        Assert.False(await RaiseAsync(2, 2, ("a", 99)));
        Assert.False(await RaiseAsync(4, 4, ("a", 99)));
        await AssertAsync(3, 30, 5, -7);
        Assert.Equal(new HistoryPosition(3, 2) { Series = 3 }, await History.PositionAsync(Air, default));

        // Rows that come leave it where it is; so does nothing at all.
        await ApplyAsync(3, Batch(4, New("a2", 40)));
        Assert.Equal(new HistoryPosition(4, 3) { Series = 3 }, await History.PositionAsync(Air, default));
        Assert.True(await RaiseAsync(4, 4));
        await AssertAsync(4, 30, 5, -7);
        Assert.True(await History.RaiseSeriesAsync("nowhere/0", 0, [], 0, default));
        Assert.False(await History.RaiseSeriesAsync("nowhere/0", 1, [], 1, default));

        Task<bool> RaiseAsync(long expected, long? upTo, params (string Series, long Time)[] newest) =>
            History.RaiseSeriesAsync(Air, expected, [.. newest.Select(one => KeyValuePair.Create(Key(one.Series), one.Time))], upTo, default);

        async Task AssertAsync(long sequence, params long?[] newest)
        {
            var found = await History.FindSeriesAsync(Air, [Key("a"), Key("b"), Key("c")], default);
            Assert.Equal(sequence, found.Sequence);
            Assert.Equal(newest, found.Newest);
        }
    }

    [ConformanceFact]
    public async Task Rows_are_listed_by_time_and_key_in_stable_pages()
    {
        var rows = Enumerable.Range(0, 40).Select(i => New($"k{i:D2}", i % 4 == 0 ? long.MinValue : i / 8 * 10, $"a{i % 5}")).ToArray();
        await ApplyAsync(0, Batch(1, [.. rows.Reverse()]), Batch(2, Retraction("k09", 10), Correction("k10", 10, "a9", "new")));
        var expected = rows.Where(r => Text(r.Key) != "k09").OrderBy(r => r.Time).ThenBy(r => Text(r.Key), StringComparer.Ordinal).Select(r => Text(r.Key)).ToArray();

        foreach (var limit in (int[])[1, 7, 39, 100])
        {
            var listed = new List<string>();
            RowCursor? after = null;
            while (true)
            {
                var page = await History.QueryAsync(Air, null, null, null, after, limit, default);
                Assert.Equal(2, page.Sequence);
                Assert.InRange(page.Rows.Count, 0, limit);
                listed.AddRange(page.Rows.Select(r => Text(r.Key)));
                if (!page.More) break;
                Assert.Equal(limit, page.Rows.Count);
                after = new(page.Rows[^1].Time, page.Rows[^1].Key);
            }

            Assert.Equal(expected, listed);
        }

        var some = await History.QueryAsync(Air, 10, 30, null, null, 100, default);
        Assert.Equal(expected.Where(k => rows.Single(r => Text(r.Key) == k).Time is >= 10 and < 30), some.Rows.Select(r => Text(r.Key)));
    }

    [ConformanceFact]
    public Task Rows_of_a_few_areas_are_listed_in_stable_pages() => ListByAreasAsync(3);

    [ConformanceFact]
    public Task Rows_of_many_areas_are_listed_in_stable_pages() => ListByAreasAsync(60);

    private async Task ListByAreasAsync(int areas)
    {
        var rows = Enumerable.Range(0, 300).Select(i => New($"k{i:D3}", i * 7 % 20, i % 11 == 0 ? null : $"a{i % 90}")).ToArray();
        await ApplyAsync(0, Batch(1, rows));
        var asked = Enumerable.Range(0, areas).Select(i => $"a{i}").Append("unknown").ToHashSet();
        var expected = rows.Where(r => r.Area is not null && asked.Contains(r.Area)).OrderBy(r => r.Time).ThenBy(r => Text(r.Key), StringComparer.Ordinal).Select(r => Text(r.Key));

        var listed = new List<string>();
        RowCursor? after = null;
        HistoryPage page;
        do
        {
            page = await History.QueryAsync(Air, null, null, asked, after, 4, default);
            listed.AddRange(page.Rows.Select(r => Text(r.Key)));
            after = page.Rows.Count == 0 ? null : new(page.Rows[^1].Time, page.Rows[^1].Key);
        }
        while (page.More);

        Assert.Equal(expected, listed);
        Assert.Empty((await History.QueryAsync(Air, null, null, new HashSet<string>(), null, 4, default)).Rows);
    }

    [ConformanceFact]
    public async Task Counts_and_quarantine_come_with_the_batches_and_conserve()
    {
        await ApplyAsync(
            0,
            Batch(1, Push("01A", "default", new(5, 2, 0, 0, 1, 2)), [Quarantined(3), Quarantined(4)], New("a", 1), New("b", 1)),
            Batch(2, Push("01B", "other", new(1, 0, 0, 0, 0, 1)), [Quarantined(1)]));
        await History.ApplyAsync("air/1", 0, [InPartition("air/1", Batch(1, Push("01A", "default", new(2, 0, 0, 0, 2, 0), part: 1), []))], default);
        await ApplyAsync(2, Batch(3, Push("01C", "default", new(3, 0, 1, 1, 0, 1)), [Quarantined(9)], Correction("a", 1, null, "v"), Retraction("b", 1)));

        var counts = await History.CountsAsync("air", default);

        Assert.Equal(
            [
                new FeedCounts("default", 10, 4, 3, 3, Noon.AddSeconds(3)) { Pushes = 2, NewestRow = new DateTimeOffset(1, TimeSpan.Zero) },
                new FeedCounts("other", 1, 0, 0, 1, Noon.AddSeconds(2)) { Pushes = 1 },
            ],
            counts);
        Assert.All(counts, c => Assert.Equal(c.Received, c.Accepted + c.Duplicate + c.Quarantined));
        var quarantine = await History.QuarantineAsync("air", new(null, null, 10, null), default);
        Assert.Equal([("01C", 9), ("01B", 1), ("01A", 4), ("01A", 3)], quarantine.Select(q => (q.Receipt, q.Row.Row)));
        Assert.Equal(("default", Noon.AddSeconds(3), "above-maximum"), (quarantine[0].Feed, quarantine[0].ReceivedAt, quarantine[0].Row.Errors[0].Code));
        Assert.Empty(await History.QuarantineAsync("water", new(null, null, 10, null), default));
    }

    [ConformanceFact]
    public async Task Quarantine_is_paged_newest_first_also_for_one_feed()
    {
        for (var i = 1; i <= 9; i++) await ApplyAsync(i - 1, Batch(i, Push($"01{i}", i % 3 == 0 ? "third" : "default", new(1, 0, 0, 0, 0, 1)), [Quarantined(i)]));

        Assert.Equal([9, 8, 7, 6, 5, 4, 3, 2, 1], await AllAsync(null));
        Assert.Equal([9, 6, 3], await AllAsync("third"));

        async Task<List<int>> AllAsync(string? feed)
        {
            var rows = new List<int>();
            QuarantineId? after = null;
            while (true)
            {
                var page = await History.QuarantineAsync("air", new(feed, after, 2, null), default);
                if (page.Count == 0) return rows;
                rows.AddRange(page.Select(e => e.Row.Row));
                after = page[^1].Id;
            }
        }
    }

    [ConformanceFact]
    public async Task Acts_settle_each_quarantined_row_once_and_conserve()
    {
        await ApplyAsync(
            0,
            Batch(1, Push("01A", "default", new(3, 0, 0, 0, 0, 3)), [Quarantined(1), Quarantined(2, "100"), Quarantined(3)]),
            Batch(2, Push("01B", "other", new(1, 0, 0, 0, 0, 1)), [Quarantined(1)]));
        Assert.Equal([QuarantineState.Open, null], await History.QuarantineStatesAsync(Air, [(1, 2), (9, 0)], default));
        Assert.Equal("no2:above-maximum 4 9999*3 100*1", Told(await History.QuarantineGroupsAsync("air", null, QuarantineState.Open, 10, default)));
        Assert.Equal("no2:above-maximum 1 9999*1", Told(await History.QuarantineGroupsAsync("air", "other", QuarantineState.Open, 10, default)));

        await ApplyAsync(2, Act(3, "01C", new(0, 1, 0, 0, 1, -2), new(QuarantineActKind.Replay, "key", null, "{}", [new(1, 0, QuarantineState.Accepted, """{"no2":1}"""), new(1, 1, QuarantineState.Duplicate, null)]), New("a", 1)));
        await ApplyAsync(3, Act(4, "01D", default, new(QuarantineActKind.Discard, "key", "broken", null, [new(1, 2, QuarantineState.Discarded, null)])));

        Assert.Equal(
            [new FeedCounts("default", 3, 1, 1, 1, Noon.AddSeconds(1)) { Pushes = 1, Discarded = 1, NewestRow = new DateTimeOffset(1, TimeSpan.Zero) }, new FeedCounts("other", 1, 0, 0, 1, Noon.AddSeconds(2)) { Pushes = 1 }],
            await History.CountsAsync("air", default));
        Assert.Equal([QuarantineState.Accepted, QuarantineState.Duplicate, QuarantineState.Discarded], await History.QuarantineStatesAsync(Air, [(1, 0), (1, 1), (1, 2)], default));
        var settled = Assert.Single(await History.QuarantineAsync("air", new(null, null, 10, null) { State = QuarantineState.Accepted, Receipt = "01A", Cause = "no2:above-maximum", Value = "9999" }, default));
        Assert.Equal((new QuarantineId(0, 1, 0), "01C", """{"no2":1}"""), (settled.Id, settled.Act, settled.Corrected));
        Assert.Equal([new QuarantineId(0, 2, 0)], (await History.QuarantineAsync("air", new(null, null, 10, null) { State = QuarantineState.Open, Ids = [new(0, 2, 0), new(0, 1, 0), new(7, 1, 0)] }, default)).Select(e => e.Id));
        var acts = await History.QuarantineActsAsync("air", null, 1, default);
        Assert.Equal([("01D", QuarantineActKind.Discard, "broken", 1L)], acts.Select(a => (a.Receipt, a.Kind, a.Reason!, a.Discarded)));
        acts = await History.QuarantineActsAsync("air", acts[0].Place, 10, default);
        Assert.Equal([("01C", QuarantineActKind.Replay, "{}", 1L, 1L)], acts.Select(a => (a.Receipt, a.Kind, a.Rule!, a.Accepted, a.Duplicate)));
        await Assert.ThrowsAsync<InvalidOperationException>(() => ApplyAsync(4, Act(5, "01E", default, new(QuarantineActKind.Discard, "key", "again", null, [new(1, 0, QuarantineState.Discarded, null)]))));

        static string Told(IReadOnlyList<QuarantineGroup> groups) => string.Join(';', groups.Select(g => $"{g.Cause} {g.Rows} {string.Join(' ', g.Values.Select(v => $"{v.Value}*{v.Rows}"))}"));
    }

    [ConformanceFact]
    public async Task A_partition_that_is_reset_is_built_again_and_its_neighbour_is_left_alone()
    {
        HistoryBatch[] batches = [Batch(1, Push("01A", "default", new(2, 1, 0, 0, 0, 1)), [Quarantined(2)], New("a", 1, "01", "v")), Batch(2, Retraction("a", 1))];
        await ApplyAsync(0, batches);
        Assert.True(await History.RaiseSeriesAsync(Air, 2, [KeyValuePair.Create(Key("s"), 1L)], 2, default));
        await History.ApplyAsync("air/1", 0, [InPartition("air/1", Batch(1, Push("01B", "default", new(1, 1, 0, 0, 0, 0)), [], New("a", 1)))], default);

        await History.ResetAsync(Air, default);

        Assert.Equal(default, await History.PositionAsync(Air, default));
        Assert.Equal([null], (await History.FindSeriesAsync(Air, [Key("s")], default)).Newest);
        Assert.Empty(await History.QuarantineAsync("air", new(null, null, 10, null), default));
        Assert.Equal([1L], (await History.CountsAsync("air", default)).Select(c => c.Received));
        Assert.Single((await History.QueryAsync("air/1", null, null, null, null, 10, default)).Rows);
        Assert.True(await ApplyAsync(0, batches));
        Assert.Equal([3L], (await History.CountsAsync("air", default)).Select(c => c.Received));
        Assert.Equal("a 1 01 v @1", await AtAsync(1));
        Assert.Equal("", await AtAsync(2));
    }

    [ConformanceFact]
    public async Task After_a_crash_everything_stored_is_there()
    {
        await ApplyAsync(0, Batch(1, Push("01A", "default", new(2, 1, 0, 0, 0, 1)), [Quarantined(2)], New("a", 1, "01", "v")), Batch(2, Correction("a", 1, "01", "w")));

        History = await CrashAsync();

        Assert.Equal(new HistoryPosition(2, 2), await History.PositionAsync(Air, default));
        Assert.Equal("a 1 01 v @1", await AtAsync(1));
        Assert.Equal("a 1 01 w @2", await AtAsync(2));
        Assert.True(await ApplyAsync(2, Batch(3, Retraction("a", 1))));
    }

    /// <summary>Random lives of a few keys against a list of all versions: every question, at every sequence.</summary>
    [ConformanceFact]
    public Task Every_question_is_answered_as_a_plain_list_of_versions_would() => AnswersAsync(keyHasTime: false);

    /// <summary>The same where keys contain the time: over two days, a transaction for each batch, and segments joined in between.</summary>
    [ConformanceFact]
    public Task Every_question_about_keys_that_contain_the_time_is_answered_as_a_plain_list_of_versions_would() => AnswersAsync(keyHasTime: true);

    private async Task AnswersAsync(bool keyHasTime) =>
        await Gen.Select(Gen.Int[0, 5], Gen.Long[0, 4], Gen.Int[-1, 2], Gen.Int[0, 9]).Array[0, 4].Array[1, keyHasTime ? 20 : 12].SampleAsync(
            async steps =>
            {
                var partition = $"p{Interlocked.Increment(ref _partitions)}/0";
                var model = new List<Version>();
                var batches = new List<HistoryBatch>();
                foreach (var step in steps)
                {
                    var sequence = batches.Count + 1;
                    var changes = step.Select(s => Next(model, sequence, $"k{s.Item1}", keyHasTime ? TimeOf($"k{s.Item1}") : s.Item2, s.Item3 < 0 ? null : $"a{s.Item3}", s.Item4)).ToArray();
                    batches.Add(InPartition(partition, Batch(sequence, changes)) with { KeyHasTime = keyHasTime });
                }

                var (from, to) = keyHasTime ? (1, TimeSpan.TicksPerDay + 1) : (1L, 4L);
                var first = keyHasTime ? 1 : Math.Max(1, batches.Count / 2);
                for (var done = 0; done < batches.Count; done += first)
                {
                    Assert.True(await History.ApplyAsync(partition, done, batches[done..Math.Min(done + first, batches.Count)], default));
                    for (var day = 0; keyHasTime && day < 2; day++) Assert.True(await History.JoinAsync(partition, done + 1, day, default));
                }

                for (var asOf = 0; asOf <= batches.Count; asOf++)
                {
                    foreach (var area in (string?[])[null, "a0", "a2"])
                    {
                        var expected = model.Where(v => v.From <= asOf && (v.To is null || v.To > asOf) && v.Time >= from && v.Time < to && (area is null || v.Area == area));
                        Assert.Equal(Listed(expected), (await History.ReadWindowAsync(partition, asOf, area, from, to, default)).Select(Describe));
                    }
                }

                for (var asOf = 0; asOf <= batches.Count; asOf++)
                {
                    HashSet<string>?[] filters = [null, ["a1"], ["a0", "a2"], ["nowhere"]];
                    foreach (var areas in filters)
                    {
                        var there = model.Where(v => v.Time >= from && v.Time < to && (areas is null || (v.Area is { } area && areas.Contains(area)))).ToArray();
                        Assert.Equal(Listed(there.Where(v => v.StoodAt(asOf))), (await AllAsync(partition, new(asOf, from, to, areas, null, 2))).Select(v => Describe(v.Row)));
                        for (var since = 0; since <= batches.Count; since++)
                        {
                            Assert.Equal(
                                Listed(there.Where(v => v.StoodAt(asOf) != v.StoodAt(since))).Order(StringComparer.Ordinal),
                                (await AllAsync(partition, new(asOf, from, to, areas, null, 2) { Since = since })).Select(v => Describe(v.Row)).Order(StringComparer.Ordinal));
                        }
                    }

                    var all = Enumerable.Range(0, 6).Select(i => $"k{i}").ToArray();
                    var earlier = await History.EarlierAsync(partition, Asked(all), asOf, 3, default);
                    for (var k = 0; k < all.Length; k++)
                    {
                        var ended = model.Where(v => v.Key == all[k] && v.To <= asOf).OrderBy(v => v.From).TakeLast(3).Select(v => v.ToString());
                        Assert.Equal(ended, earlier[k].Select(v => Describe(v.Row)));
                        Assert.All(earlier[k], v => Assert.Equal(new VersionPush(Noon.AddSeconds(v.Row.FromSequence), "default", $"01{v.Row.FromSequence}"), v.Push));
                    }
                }

                var standing = model.Where(v => v.To is null).ToArray();
                Assert.Equal(Listed(standing), (await History.QueryAsync(partition, null, null, null, null, 100, default)).Rows.Select(Describe));
                var keys = Enumerable.Range(0, 6).Select(i => $"k{i}").ToArray();
                Assert.Equal(
                    keys.Select(k => standing.SingleOrDefault(v => v.Key == k)?.ToString()),
                    (await History.FindKeysAsync(partition, Asked(keys), default)).Rows.Select(r => r is null ? null : Describe(r)));

                HistoryKey[] Asked(string[] names) => [.. names.Select(name => new HistoryKey(Key(name), keyHasTime ? TimeOf(name) : null))];
            },
            iter: 60, threads: 1);

    [ConformanceFact]
    public async Task Versions_of_a_time_keyed_partition_tell_their_pushes_and_what_stood_before()
    {
        await History.ApplyAsync(Air, 0, [.. new[] { Batch(1, New("a", 10, "01", "v1")), Batch(2, Correction("a", 10, "01", "v2")), Batch(3, Retraction("a", 10)), Batch(4, New("a", 10, "02", "v3")) }.Select(b => b with { KeyHasTime = true })], default);

        var page = await History.VersionsAsync(Air, new(4, long.MinValue, long.MaxValue, null, null, 10) { WithPush = true }, default);
        var version = Assert.Single(page.Versions);
        Assert.Equal(("a 10 02 v3 @4", long.MaxValue, new VersionPush(Noon.AddSeconds(4), "default", "014")), (Describe(version.Row), version.ToSequence, version.Push!));
        var earlier = (await History.EarlierAsync(Air, [new(Key("a"), 10)], 4, 10, default))[0];
        Assert.Equal([("a 10 01 v1 @1", 2L), ("a 10 01 v2 @2", 3L)], earlier.Select(v => (Describe(v.Row), v.ToSequence)));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => History.VersionsAsync(Air, new(5, 0, 100, null, null, 10), default));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => History.EarlierAsync(Air, [], 5, 10, default));
    }

    private static int _partitions;

    /// <summary>Of a key that contains its time: three on each of two days.</summary>
    private static long TimeOf(string key) => (key[^1] - '0') is var number && number < 3 ? number : TimeSpan.TicksPerDay + number - 3;

    private sealed record Version(string Key, long Time, string? Area, string Value, long From)
    {
        public long? To { get; set; }

        public bool StoodAt(long sequence) => From <= sequence && (To is null || To > sequence);

        public override string ToString() => $"{Key} {Time} {Area ?? "-"} {Value} @{From}";
    }

    private static IEnumerable<string> Listed(IEnumerable<Version> versions) =>
        versions.OrderBy(v => v.Time).ThenBy(v => v.Key, StringComparer.Ordinal).Select(v => v.ToString());

    private static HistoryChange Next(List<Version> model, long sequence, string key, long time, string? area, int value)
    {
        var standing = model.SingleOrDefault(v => v.Key == key && v.To is null);
        if (standing is not null)
        {
            if (standing.From == sequence) model.Remove(standing);
            else standing.To = sequence;
            if (value < 3) return Retraction(key, standing.Time);
        }

        model.Add(new(key, time, area, $"v{value}", sequence));
        return standing is null ? New(key, time, area, $"v{value}") : Correction(key, time, area, $"v{value}");
    }

    /// <summary>All pages, none longer than asked.</summary>
    private async Task<List<HistoryVersion>> AllAsync(string partition, VersionQuery query)
    {
        var all = new List<HistoryVersion>();
        while (true)
        {
            var page = await History.VersionsAsync(partition, query, default);
            Assert.True(page.Versions.Select(v => (v.Row.Time, Text(v.Row.Key))).Distinct().Count() <= query.Limit);
            all.AddRange(page.Versions);
            if (!page.More) return all;
            query = query with { After = new(page.Versions[^1].Row.Time, page.Versions[^1].Row.Key) };
        }
    }

    private Task<bool> ApplyAsync(long expected, params HistoryBatch[] batches) => History.ApplyAsync(Air, expected, batches, default);

    private async Task<string> AtAsync(long asOf, string? area = null, long from = long.MinValue, long to = long.MaxValue) =>
        string.Join(", ", (await History.ReadWindowAsync(Air, asOf, area, from, to, default)).Select(Describe));

    private static string Describe(HistoryRow row) => $"{Text(row.Key)} {row.Time} {row.Area ?? "-"} {Text(row.Values)} @{row.FromSequence}";

    private static byte[] Key(string text) => Encoding.UTF8.GetBytes(text);

    private static HistoryKey[] Keys(params string[] keys) => [.. keys.Select(k => new HistoryKey(Key(k), null))];

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    private static HistoryChange New(string key, long time, string? area = null, string? value = null) =>
        new(RowChange.New, Key(key), time, area, Key(value ?? key));

    private static HistoryChange Correction(string key, long time, string? area, string value) =>
        new(RowChange.Correction, Key(key), time, area, Key(value));

    private static HistoryChange Retraction(string key, long time) =>
        new(RowChange.Retraction, Key(key), time, null, null);

    private static PushRecord Push(string receipt, string feed, PushCounts counts, int part = 0) => LogBatches.Push(receipt, "air", feed, part: part, parts: part + 1, counts: counts);

    private static QuarantinedRow Quarantined(int row, string value = "9999") => new(row, [new(row, "no2", "above-maximum", "2000", value)], $$"""{"no2":{{value}}}""");

    private static HistoryBatch Act(long sequence, string receipt, PushCounts counts, QuarantineAct act, params HistoryChange[] changes) => new(
        new()
        {
            Shard = 0,
            Position = sequence,
            Partition = Air,
            Sequence = sequence,
            ContractVersion = 7,
            AreaVersion = 0,
            ReceivedAt = Noon.AddSeconds(sequence),
            Push = Push(receipt, "default", counts),
            Act = act,
        },
        changes);

    private static HistoryBatch Batch(long sequence, params HistoryChange[] changes) => Batch(sequence, Push($"01{sequence}", "default", default), [], changes);

    private static HistoryBatch Batch(long sequence, PushRecord push, QuarantinedRow[] quarantined, params HistoryChange[] changes) => new(
        new()
        {
            Shard = 0,
            Position = sequence,
            Partition = Air,
            Sequence = sequence,
            ContractVersion = 7,
            AreaVersion = 0,
            ReceivedAt = Noon.AddSeconds(sequence),
            Push = push,
            Quarantined = quarantined,
        },
        changes);

    private static HistoryBatch InPartition(string partition, HistoryBatch batch) => batch with
    {
        Batch = new()
        {
            Shard = batch.Batch.Shard,
            Position = batch.Batch.Position,
            Partition = partition,
            Sequence = batch.Batch.Sequence,
            ContractVersion = batch.Batch.ContractVersion,
            AreaVersion = batch.Batch.AreaVersion,
            ReceivedAt = batch.Batch.ReceivedAt,
            Push = batch.Batch.Push,
            Quarantined = batch.Batch.Quarantined,
        },
    };
}
