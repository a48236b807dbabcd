using System.Text;

using DataHub.Feeds;

namespace DataHub.Support;

/// <summary>What every erasure store promises, over the log and the history that it overwrites. An adapter's tests derive from it and say how to make the three.</summary>
public abstract class ErasureStoreConformance : IAsyncLifetime
{
    private const string Air = "air/0";
    private const string Water = "water/0";

    private static readonly DateTimeOffset s_noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    private protected IErasureStore Erasures { get; private set; } = null!;

    private protected ILogStore Log { get; private set; } = null!;

    private protected IHistoryStore History { get; private set; } = null!;

    /// <summary>Stores of the test's own, empty at first.</summary>
    private protected abstract Task<(IErasureStore Erasures, ILogStore Log, IHistoryStore History)> CreateAsync();

    protected abstract Task CloseAsync();

    public async Task InitializeAsync() => (Erasures, Log, History) = await CreateAsync();

    public Task DisposeAsync() => CloseAsync();

    [ConformanceFact]
    public async Task An_unknown_erasure_is_not_found_and_no_dataset_has_any()
    {
        Assert.Null(await Erasures.FindAsync("01X", default));
        Assert.Empty(await Erasures.ListAsync("air", null, 10, default));
        Assert.Empty(await Erasures.ListAsync("air", "01X", 10, default));
        Assert.Empty(await Erasures.PendingAsync(default));
    }

    [ConformanceFact]
    public async Task An_erasure_is_found_as_it_was_saved_last_with_every_text_as_it_was()
    {
        var info = Info("01A") with { Reason = "Antrag\0 vom 23.11. „Größe“ 𝔘", Authority = "Art. 17\0DSGVO", Fields = ["name\0", "straße", ""] };
        var work = Enumerable.Range(0, 256).Select(value => (byte)value).ToArray();
        await Erasures.SaveAsync(new(info, work), default);
        await Erasures.SaveAsync(new(info, work), default);
        await AssertFoundAsync(info, work);

        info = info with { Step = ErasureStep.Overwriting, Keys = 3, Versions = long.MaxValue, Quarantined = 2, Batches = 1 };
        await Erasures.SaveAsync(new(info, [7]), default);
        await AssertFoundAsync(info, [7]);

        info = info with { Step = ErasureStep.Done, Finished = s_noon.AddTicks(1), Compacted = false };
        await Erasures.SaveAsync(new(info, null), default);
        await AssertFoundAsync(info, null);

        var byNobody = Info("01B") with { Agency = null, KeyId = null, Reason = "", Authority = "", Fields = [""], Compacted = true };
        await Erasures.SaveAsync(new(byNobody, []), default);
        await AssertFoundAsync(byNobody, []);
        await AssertFoundAsync(info, null);

        async Task AssertFoundAsync(ErasureInfo expected, byte[]? kept)
        {
            var found = (await Erasures.FindAsync(expected.Id, default))!;
            AssertEqual(expected, found.Info);
            Assert.Equal(kept, found.Work);
            AssertEqual(expected, Assert.Single(await Erasures.ListAsync("air", null, 10, default), info => info.Id == expected.Id));
        }
    }

    [ConformanceFact]
    public async Task Erasures_of_a_dataset_are_listed_newest_first_in_pages()
    {
        foreach (var number in new[] { 3, 1, 5, 2, 4, 7, 6 }) await Erasures.SaveAsync(new(Info($"01{number}"), [1]), default);
        await Erasures.SaveAsync(new(Info("015x") with { Dataset = "water" }, [1]), default);

        Assert.Equal(["017", "016", "015", "014", "013", "012", "011"], (await Erasures.ListAsync("air", null, 10, default)).Select(info => info.Id));
        Assert.Equal(["015x"], (await Erasures.ListAsync("water", null, 10, default)).Select(info => info.Id));
        for (var limit = 1; limit <= 8; limit++)
        {
            var listed = new List<string>();
            for (string? after = null; await Erasures.ListAsync("air", after, limit, default) is { Count: > 0 } page; after = page[^1].Id)
            {
                Assert.InRange(page.Count, 1, limit);
                listed.AddRange(page.Select(info => info.Id));
            }

            Assert.Equal(["017", "016", "015", "014", "013", "012", "011"], listed);
        }

        // Behind one that is not there, or of another dataset, come those that are older.
        Assert.Equal(["015", "014"], (await Erasures.ListAsync("air", "015x", 2, default)).Select(info => info.Id));
    }

    [ConformanceFact]
    public async Task What_is_not_done_is_pending_oldest_first_over_all_datasets()
    {
        ErasureStep[] steps = [ErasureStep.Done, ErasureStep.Overwriting, ErasureStep.TooMany, ErasureStep.Retracting, ErasureStep.Searching];
        for (var number = 0; number < steps.Length; number++)
            await Erasures.SaveAsync(new(Info($"01{9 - number}") with { Step = steps[number], Dataset = number % 2 == 0 ? "air" : "water" }, [1]), default);
        Assert.Equal([("015", "air"), ("016", "water"), ("018", "water")], await Erasures.PendingAsync(default));

        await Erasures.SaveAsync(new(Info("016") with { Step = ErasureStep.Done, Dataset = "water" }, null), default);
        Assert.Equal([("015", "air"), ("018", "water")], await Erasures.PendingAsync(default));
    }

    [ConformanceFact]
    public async Task Batches_are_overwritten_in_their_places_with_the_receipts_of_their_pushes_and_nothing_else_is()
    {
        var head = await Log.ClaimAsync(2, default);
        LogBatch[] batches =
        [
            LogBatches.Control(2, 1, Air, 1),
            LogBatches.At(2, 2, Air, 2, rows: 3, LogBatches.Push("01A", key: "ka", errors: new RowError(1, "name", "too-long", "5", "Mustermann"))),
            LogBatches.At(2, 3, Water, 1, rows: 2, LogBatches.Push("01W", "water", key: "kw")),
            LogBatches.At(2, 4, Air, 3, rows: 2, LogBatches.Push("01B"), new QuarantinedRow(1, [new(1, "name", "too-long", "5", "Mustermann")], "Mustermann")),
        ];
        Assert.True(await Log.AppendAsync(2, head.Epoch, 0, batches, default));
        LogBatch[] erased =
        [
            At(batches[1], LogBatches.At(2, 2, Air, 2, rows: 1, LogBatches.Push("01A", key: "ka", errors: new RowError(1, "name", "too-long", "5", null)))),
            At(batches[3], LogBatches.At(2, 4, Air, 3, rows: 0, LogBatches.Push("01B"), new QuarantinedRow(1, [new(1, "name", "too-long", "5", null)], QuarantinedRow.ErasedRaw))),
        ];

        for (var repeated = 0; repeated < 2; repeated++)
        {
            await Erasures.OverwriteAsync(Air, erased, default);
            await Erasures.OverwriteAsync(Air, [], default);
            var stands = await Log.ReadShardAsync(2, 0, 10, int.MaxValue, default);
            LogBatch[] expected = [batches[0], erased[0], batches[2], erased[1]];
            for (var i = 0; i < expected.Length; i++) LogBatches.AssertEqual(expected[i], stands[i]);
            Assert.Equal(expected.Length, stands.Count);
            Assert.Null((await Log.FindPushAsync("air", "default", "ka", 0, default))!.Push.Errors[0].Value);
            Assert.Null(Assert.Single(await Log.FindReceiptAsync("01A", default)).Push.Errors[0].Value);
            Assert.Equal("kw", Assert.Single(await Log.FindReceiptAsync("01W", default)).Push.IdempotencyKey);
        }

        // The shard goes on where it was.
        Assert.True(await Log.AppendAsync(2, head.Epoch, 4, [LogBatches.At(2, 5, Air, 4)], default));
    }

    [ConformanceFact]
    public async Task A_batch_that_is_not_there_is_not_overwritten_and_neither_are_those_with_it()
    {
        var head = await Log.ClaimAsync(0, default);
        var batch = LogBatches.At(0, 1, Air, 1, rows: 3);
        Assert.True(await Log.AppendAsync(0, head.Epoch, 0, [batch], default));

        await Assert.ThrowsAsync<InvalidOperationException>(() => Erasures.OverwriteAsync(Air, [LogBatches.At(0, 1, Air, 1, rows: 0), LogBatches.At(0, 2, Air, 2, rows: 0)], default));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Erasures.OverwriteAsync(Water, [LogBatches.At(0, 1, Water, 1, rows: 0)], default));

        LogBatches.AssertEqual(batch, Assert.Single(await Log.ReadShardAsync(0, 0, 10, int.MaxValue, default)));
    }

    [ConformanceFact]
    public Task Versions_series_and_quarantined_content_go_out_of_the_history_of_records() => EraseHistoryAsync(keyHasTime: false);

    [ConformanceFact]
    public Task Versions_series_and_quarantined_content_go_out_of_a_history_whose_keys_contain_the_time() => EraseHistoryAsync(keyHasTime: true);

    private async Task EraseHistoryAsync(bool keyHasTime)
    {
        foreach (var partition in new[] { Air, Water })
        {
            Assert.True(await History.ApplyAsync(partition, 0,
                [
                    Batch(partition, 1, keyHasTime, [Quarantined(1), Quarantined(2)], null, New("mine", 10, "eins"), New("other", 10, "zwei"), New("no-time", long.MinValue, "ohne")),
                    Batch(partition, 2, keyHasTime, [], null, Change("mine", 10, "neu"), Change("other", 10, "anders")),
                    Batch(partition, 3, keyHasTime, [], null, Gone("mine", 10)),
                    Batch(partition, 4, keyHasTime, [], new(QuarantineActKind.Discard, "key", "weil\0 Mustermann es sagt", null, [new(1, 1, QuarantineState.Discarded, null)])),
                    Batch(partition, 5, keyHasTime, [], new(QuarantineActKind.Replay, "key", null, "{\"was\":\"Mustermann\"}", [])),
                ],
                default));
            Assert.True(await History.RaiseSeriesAsync(partition, 5, [KeyValuePair.Create(Key("me"), 10L), KeyValuePair.Create(Key("you"), 10L)], 5, default));
        }

        var erasure = new HistoryErasure(
            [(10, Key("mine"), 1), (10, Key("mine"), 2), (long.MinValue, Key("no-time"), 1), (11, Key("other"), 2), (10, Key("other"), 7), (10, Key("nobody"), 1)],
            [Key("me"), Key("nobody")], [(1, 0), (1, 1), (1, 9), (9, 0)], (4, null, "…\0…"));
        for (var repeated = 0; repeated < 2; repeated++)
        {
            await Erasures.EraseHistoryAsync(Air, erasure, default);
            Assert.Equal(["other@1"], (await WindowAsync(Air, 1)).Where(row => !row.StartsWith("no-time", StringComparison.Ordinal)));
            Assert.Equal(["other@2"], await WindowAsync(Air, 5));
            Assert.Equal([null, 10], (await History.FindSeriesAsync(Air, [Key("me"), Key("you")], default)).Newest);

            // What was open is erased; what was settled stays settled, without its content.
            Assert.Equal([QuarantineState.Erased, QuarantineState.Discarded], await History.QuarantineStatesAsync(Air, [(1, 0), (1, 1)], default));
            var acts = await History.QuarantineActsAsync("air", null, 10, default);
            Assert.Equal([("{\"was\":\"Mustermann\"}", null), (null, "…\0…")], acts.Select(act => (act.Rule, act.Reason)));
            var content = await History.QuarantineAsync("air", new(null, null, 10, null) { State = QuarantineState.Discarded }, default);
            Assert.Equal((QuarantinedRow.ErasedRaw, (string?)null, 2), (Assert.Single(content).Row.Raw, content[0].Row.Errors[0].Value, content[0].Row.Row));
        }

        // Nothing of the neighbour.
        Assert.Equal(["no-time@1", "mine@1", "other@1"], await WindowAsync(Water, 1));
        Assert.Equal([10, 10], (await History.FindSeriesAsync(Water, [Key("me"), Key("you")], default)).Newest);
        Assert.Equal([QuarantineState.Open, QuarantineState.Discarded], await History.QuarantineStatesAsync(Water, [(1, 0), (1, 1)], default));
        Assert.Contains((await History.QuarantineActsAsync("water", null, 10, default)).Select(act => act.Reason), reason => reason == "weil\0 Mustermann es sagt");

        // Position and counts are those of what was received, and the partition goes on.
        Assert.Equal(5, (await History.PositionAsync(Air, default)).Sequence);
        Assert.True(await History.ApplyAsync(Air, 5, [Batch(Air, 6, keyHasTime, [], null, New("mine", 10, "wieder"))], default));
        Assert.Equal(["mine@6", "other@2"], await WindowAsync(Air, 6));
    }

    [ConformanceFact]
    public async Task An_unknown_partition_has_nothing_to_erase_in_history()
    {
        await Erasures.EraseHistoryAsync("nowhere/0", new([(1, Key("a"), 1)], [Key("s")], [(1, 0)], (1, "rule", "reason")), default);
        Assert.True(await Erasures.EraseSeriesAsync("nowhere/0", [Key("s")], 0, default));
        Assert.Equal(default, await History.PositionAsync("nowhere/0", default));
    }

    [ConformanceFact]
    public async Task Series_are_taken_out_only_while_history_is_not_further_and_has_raised_all()
    {
        Assert.True(await History.ApplyAsync(Air, 0, [Batch(Air, 1, true, [], null, New("a", 1, "v"), New("b", 2, "v"), New("c", 3, "v")), Batch(Air, 2, true, [], null)], default));

        KeyValuePair<byte[], long>[] newest = [KeyValuePair.Create(Key("sa"), 1L), KeyValuePair.Create(Key("sb"), 2L), KeyValuePair.Create(Key("sc"), 3L)];
        Assert.True(await History.RaiseSeriesAsync(Air, 2, newest, 1, default));

        Assert.False(await Erasures.EraseSeriesAsync(Air, [Key("sa")], 2, default));
        Assert.True(await History.RaiseSeriesAsync(Air, 2, [], 2, default));
        Assert.False(await Erasures.EraseSeriesAsync(Air, [Key("sa")], 1, default));
        Assert.Equal([1, 2, 3], (await History.FindSeriesAsync(Air, [Key("sa"), Key("sb"), Key("sc")], default)).Newest);

        for (var repeated = 0; repeated < 2; repeated++)
        {
            Assert.True(await Erasures.EraseSeriesAsync(Air, [Key("sa"), Key("unknown")], 2, default));
            Assert.Equal([null, 2, 3], (await History.FindSeriesAsync(Air, [Key("sa"), Key("sb"), Key("sc")], default)).Newest);
        }

        Assert.True(await Erasures.EraseSeriesAsync(Air, [Key("sb")], 9, default));
        Assert.True(await Erasures.EraseSeriesAsync(Air, [], 9, default));
        Assert.Equal([null, null, 3], (await History.FindSeriesAsync(Air, [Key("sa"), Key("sb"), Key("sc")], default)).Newest);
    }

    [ConformanceFact]
    public async Task Compaction_changes_nothing_that_stands()
    {
        var head = await Log.ClaimAsync(0, default);
        var batch = LogBatches.At(0, 1, Air, 1, rows: 3, LogBatches.Push("01A", key: "k"));
        Assert.True(await Log.AppendAsync(0, head.Epoch, 0, [batch], default));
        await Erasures.SaveAsync(new(Info("01A"), [1]), default);

        _ = await Erasures.CompactAsync(default);

        LogBatches.AssertEqual(batch, Assert.Single(await Log.ReadShardAsync(0, 0, 10, int.MaxValue, default)));
        Assert.NotNull(await Log.FindPushAsync("air", "default", "k", 0, default));
        Assert.NotNull(await Erasures.FindAsync("01A", default));
    }

    private static ErasureInfo Info(string id) => new(
        id, "air", ErasureStep.Searching, s_noon.AddTicks(7), null, "amt", "key", "Antrag", "Art. 17 DSGVO", ["station"], 0, 0, 0, 0, null);

    private static void AssertEqual(ErasureInfo expected, ErasureInfo actual)
    {
        Assert.Equal(expected.Fields, actual.Fields);
        Assert.Equal(expected, actual with { Fields = expected.Fields });
    }

    /// <summary>The other batch, received when the first was.</summary>
    private static LogBatch At(LogBatch received, LogBatch other)
    {
        other.ReceivedAt = received.ReceivedAt;
        return other;
    }

    private async Task<IEnumerable<string>> WindowAsync(string partition, long asOf) =>
        (await History.ReadWindowAsync(partition, asOf, null, long.MinValue, long.MaxValue, default)).Select(row => $"{Encoding.UTF8.GetString(row.Key)}@{row.FromSequence}");

    private static byte[] Key(string text) => Encoding.UTF8.GetBytes(text);

    private static HistoryChange New(string key, long time, string value) => new(RowChange.New, Key(key), time, null, Key(value));

    private static HistoryChange Change(string key, long time, string value) => new(RowChange.Correction, Key(key), time, null, Key(value));

    private static HistoryChange Gone(string key, long time) => new(RowChange.Retraction, Key(key), time, null, null);

    private static QuarantinedRow Quarantined(int row) => new(row, [new(row, "name", "too-long", "5", "Mustermann")], """{"name":"Mustermann"}""");

    private static HistoryBatch Batch(string partition, long sequence, bool keyHasTime, QuarantinedRow[] quarantined, QuarantineAct? act, params HistoryChange[] changes)
    {
        var counts = new PushCounts(quarantined.Length, 0, 0, 0, 0, quarantined.Length);
        return new(
            new()
            {
                Shard = 0,
                Position = sequence,
                Partition = partition,
                Sequence = sequence,
                ContractVersion = 1,
                AreaVersion = 0,
                ReceivedAt = s_noon.AddSeconds(sequence),
                Push = LogBatches.Push($"01{partition[0]}{sequence}", partition.Split('/')[0], counts: counts),
                Quarantined = quarantined,
                Act = act,
            },
            changes)
        { KeyHasTime = keyHasTime };
    }
}
