using CsCheck;

using DataHub.Support;

namespace DataHub.Feeds;

public sealed class LogBatchCodecTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    public static TheoryData<string> Samples => new(AllSamples().Keys);

    [Fact]
    public void A_batch_is_read_as_it_was_written() =>
        LogBatches.Any.Sample(batch => LogBatches.AssertEqual(batch, Again(batch)), iter: 1_000);

    [Theory]
    [MemberData(nameof(Samples))]
    public void What_version_1_wrote_is_still_read(string name)
    {
        var sample = AllSamples()[name];

        var bytes = Golden.Bytes("Feeds", $"batch-v1-{name}.bin", () => LogBatchCodec.Encode(sample));

        Assert.Equal("DB"u8, bytes.AsSpan(0, 2));
        Assert.Equal(1, bytes[2]);
        LogBatches.AssertEqual(sample, Decode(bytes, sample));
    }

    [Fact]
    public void Acts_on_quarantined_rows_and_erased_content_are_read_as_they_were_written()
    {
        var plain = LogBatches.OfNew(2, LogBatches.Push("01JD0000000000000000000002", counts: new(0, 2, 0, 0, 1, -3)));
        var sample = new LogBatch
        {
            Shard = plain.Shard,
            Position = plain.Position,
            Partition = plain.Partition,
            Sequence = plain.Sequence,
            ReceivedAt = plain.ReceivedAt,
            ContractVersion = plain.ContractVersion,
            AreaVersion = plain.AreaVersion,
            Rows = plain.Rows,
            Changes = plain.Changes,
            BeforeOf = plain.BeforeOf,
            Push = plain.Push,
            Act = new(QuarantineActKind.Replay, "b4Xk29Qz", "Gerät meldete Nanogramm", """{"rule":{"field":"no2","shiftDecimal":-3}}""",
            [
                new(3, 0, QuarantineState.Accepted, """{"no2":9.999}"""), new(3, 1, QuarantineState.Accepted, null), new(4, 0, QuarantineState.Duplicate, null),
            ]),
            Erased = new(7, ["01JD0000000000000000000003"]),
        };

        var bytes = Golden.Bytes("Feeds", "batch-v2-act.bin", () => LogBatchCodec.Encode(sample));
        var read = Decode(bytes, sample);

        Assert.Equal(2, bytes[2]);
        LogBatches.AssertEqual(sample, read);
        Assert.Equal((sample.Act.Kind, sample.Act.KeyId, sample.Act.Reason, sample.Act.Rule), (read.Act!.Kind, read.Act.KeyId, read.Act.Reason, read.Act.Rule));
        Assert.Equal(sample.Act.Rows, read.Act.Rows);
        Assert.Equal(7, read.Erased!.Rows);
        Assert.Equal(sample.Erased.Erasures, read.Erased.Erasures);
        Assert.Equal(9, read.Accepted);
    }

    [Fact]
    public void A_push_of_a_run_names_it_and_what_no_run_pushed_is_written_as_before()
    {
        var sample = LogBatches.OfNew(2, LogBatches.Push("01JD0000000000000000000004", key: "7f3c", counts: new(2, 2, 0, 0, 0, 0)) with { Run = new("01JD0000000000000000000005", "schreiben") });

        var bytes = Golden.Bytes("Feeds", "batch-v3-run.bin", () => LogBatchCodec.Encode(sample));
        var push = Golden.Bytes("Feeds", "push-v3-run.bin", () => LogBatchCodec.EncodePush(sample.Push!));

        Assert.Equal((3, 3, 2), (bytes[2], push[2], LogBatchCodec.Encode(LogBatches.OfNew(1, LogBatches.Push("01J")))[2]));
        LogBatches.AssertEqual(sample, Decode(bytes, sample));
        Assert.Equal(sample.Push!.Run, Decode(bytes, sample).Push!.Run);
        Assert.Equal(sample.Push.Run, LogBatchCodec.DecodePush(push).Run);
    }

    [Fact]
    public void Repeating_content_is_compressed_and_small_content_is_not()
    {
        var large = LogBatchCodec.Encode(LogBatches.OfNew(1_000));
        var small = LogBatchCodec.Encode(LogBatches.OfNew(1));

        Assert.Equal(1, large[3]);
        Assert.True(large.Length < 1_000 * 10, $"{large.Length} bytes");
        Assert.Equal(0, small[3]);
    }

    [Fact]
    public void A_part_of_a_block_carries_only_its_own_areas()
    {
        var whole = new RowBlock { Count = 3, Columns = [Column.OfIntegers([1, 2, 3])], Areas = ["a", "b", "c"], AreaOf = [0, 1, 2] };

        var read = Again(LogBatch(whole.Take([2, 1]), [0, 0], [-1, -1])).Rows;

        Assert.Equal(["c", "b"], read.Areas);
        Assert.Equal([3, 2], read.Numbers!);
    }

    [Fact]
    public void Every_cut_and_every_changed_head_is_reported_with_the_place_in_the_log()
    {
        var batch = LogBatches.OfNew(3, LogBatches.Push("01J", key: "k"));
        var bytes = LogBatchCodec.Encode(batch);
        for (var length = 0; length < bytes.Length; length++)
        {
            var cut = bytes[..length];
            var e = Assert.Throws<InvalidDataException>(() => LogBatchCodec.Decode(cut, 3, 77, "air/0", 12, Noon));
            Assert.Contains("3/77", e.Message, StringComparison.Ordinal);
        }

        for (var i = 0; i < 4; i++)
        {
            var changed = bytes.ToArray();
            changed[i] ^= 0x40;
            Assert.Throws<InvalidDataException>(() => LogBatchCodec.Decode(changed, 3, 77, "air/0", 12, Noon));
        }
    }

    [Fact]
    public void A_newer_version_is_refused_with_the_reason()
    {
        var bytes = LogBatchCodec.Encode(LogBatches.OfNew(1));
        bytes[2] = LogBatchCodec.FormatVersion + 1;

        var e = Assert.Throws<InvalidDataException>(() => LogBatchCodec.Decode(bytes, 0, 1, "air/0", 1, Noon));

        Assert.Contains("format version 4", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_batch_whose_parts_do_not_fit_is_not_written()
    {
        var rows = LogBatches.OfNew(2).Rows;

        Assert.Throws<ArgumentException>(() => LogBatchCodec.Encode(LogBatch(rows, [RowChange.New], [-1, -1])));
        Assert.Throws<ArgumentException>(() => LogBatchCodec.Encode(LogBatch(rows, [RowChange.New, RowChange.Correction], [-1, 0])));
    }

    [Fact]
    public void A_push_and_a_quarantined_row_stand_alone()
    {
        var push = LogBatches.Push("01J", key: "k", counts: new(3, 1, 0, 0, 1, 1), errors: new RowError(2, "no2", "above-maximum", "2000", "9999"));
        var row = new QuarantinedRow(2, [new(2, "no2", "above-maximum", "2000", "9999")], """{"no2":9999}""");

        var pushAgain = LogBatchCodec.DecodePush(Golden.Bytes("Feeds", "push-v1.bin", () => LogBatchCodec.EncodePush(push)));
        var rowAgain = LogBatchCodec.DecodeQuarantined(Golden.Bytes("Feeds", "quarantined-v1.bin", () => LogBatchCodec.EncodeQuarantined(row)));

        LogBatches.AssertEqual(LogBatches.OfNew(1, push, row), LogBatches.OfNew(1, pushAgain, rowAgain));
    }

    private static Dictionary<string, LogBatch> AllSamples() => new()
    {
        ["control"] = LogBatches.Control(0, 1, "air/0", 1, contractVersion: 3, areaVersion: 2),
        ["small"] = LogBatches.OfNew(1, LogBatches.Push("01JD0000000000000000000000", key: "7f3c", counts: new(1, 1, 0, 0, 0, 0))),
        ["large"] = Large(),
        ["quarantine"] = LogBatches.OfNew(
            0,
            LogBatches.Push("01JD0000000000000000000001", counts: new(1, 0, 0, 0, 0, 1), errors: new RowError(1, "no2", "above-maximum", "2000", "9999")),
            new QuarantinedRow(1, [new(1, "no2", "above-maximum", "2000", "9999"), new(1, null, "unknown-field", null, "x")], """{"no2":9999,"x":1}""")),
    };

    /// <summary>Every form of column, before-images, areas, deletions; compressed.</summary>
    private static LogBatch Large()
    {
        const int Rows = 200;
        var all = Enumerable.Range(0, Rows).ToArray();
        return new()
        {
            Shard = 2,
            Position = 9,
            Partition = "air/1",
            Sequence = 4,
            ReceivedAt = Noon,
            ContractVersion = 2,
            AreaVersion = 1,
            Rows = new()
            {
                Count = Rows,
                Columns =
                [
                    Column.OfTexts([.. all.Select(i => i % 10 == 9 ? null : $"mc0{i % 7}")]),
                    Column.OfTexts([.. all.Select(i => $"Straße {i}")]),
                    Column.OfTexts(new string?[Rows]),
                    Column.OfNumbers([.. all.Select(i => i % 11 == 3 ? double.NaN : i / 8d)]),
                    Column.OfIntegers([.. all.Select(i => i % 13 == 5 ? Column.NullInteger : 638_000_000_000_000_000 + (i * 600_000_000L))]),
                    Column.OfIntegers([.. all.Select(i => 2026L)]),
                    Column.OfIntegers([.. all.Select(i => i % 2 == 0 ? long.MaxValue : long.MinValue + 1)]),
                    Column.OfBooleans([.. all.Select(i => (byte)(i % 3 == 2 ? Column.NullBoolean : i % 3))]),
                ],
                Areas = ["01100101", "01100102", "12"],
                AreaOf = [.. all.Select(i => (i % 4) - 1)],
                Numbers = [.. all.Select(i => (i * 2) + 1)],
                Deletes = [.. all.Select(i => i == 199)],
            },
            Changes = [.. all.Select(i => i == 199 ? RowChange.Retraction : i == 7 ? RowChange.Correction : RowChange.New)],
            BeforeOf = [.. all.Select(i => i == 199 ? 1 : i == 7 ? 0 : -1)],
            Befores = new()
            {
                Count = 2,
                Columns =
                [
                    Column.OfTexts(["mc00", "mc03"]), Column.OfTexts(["Straße 7", "Straße 199"]), Column.OfTexts([null, "x"]),
                    Column.OfNumbers([1, 2]), Column.OfIntegers([1, 2]), Column.OfIntegers([2025, 2025]), Column.OfIntegers([0, 1]), Column.OfBooleans([0, 1]),
                ],
                Areas = ["12"],
                AreaOf = [0, -1],
            },
            Push = LogBatches.Push("01JD0000000000000000000002", key: "a key", part: 1, parts: 2, counts: new(201, 198, 1, 1, 1, 0)),
        };
    }

    private static LogBatch LogBatch(RowBlock rows, RowChange[] changes, int[] beforeOf) => new()
    {
        Shard = 0,
        Position = 1,
        Partition = "air/0",
        Sequence = 1,
        ContractVersion = 1,
        AreaVersion = 0,
        Rows = rows,
        Changes = changes,
        BeforeOf = beforeOf,
    };

    private static LogBatch Again(LogBatch batch) => Decode(LogBatchCodec.Encode(batch), batch);

    private static LogBatch Decode(byte[] bytes, LogBatch place) =>
        LogBatchCodec.Decode(bytes, place.Shard, place.Position, place.Partition, place.Sequence, place.ReceivedAt);
}
