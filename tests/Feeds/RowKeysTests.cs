using CsCheck;

using DataHub.Catalog;

using MessagePack;

namespace DataHub.Feeds;

public sealed class RowKeysTests
{
    private static readonly CompiledContract s_contract = CompiledContract.Compile(
        new TableSchema(1,
        [
            new("name", FieldType.String, null, FieldRole.Series, FieldConstraints.None, null, null, null),
            new("level", FieldType.Integer, null, FieldRole.None, FieldConstraints.None, null, null, null),
            new("share", FieldType.Number, null, FieldRole.None, FieldConstraints.None, null, null, null),
            new("open", FieldType.Boolean, null, FieldRole.None, FieldConstraints.None, null, null, null),
            new("time", FieldType.DateTime, null, FieldRole.Time, FieldConstraints.None, null, null, null),
        ], ["name", "level", "share", "open", "time"], [""]), DatasetKind.Observations);

    private static readonly Gen<(string? Name, long? Level, double? Share, bool? Open, long Time)> s_row = Gen.Select(
        Gen.OneOf(Gen.Const((string?)null), Gen.String[Gen.OneOf(Gen.Char['a', 'c'], Gen.Const('\0'), Gen.Char['ä', 'ö'], Gen.Const('\uFFFD')), 0, 4]!),
        Gen.OneOf(Gen.Const((long?)null), Gen.Long[-3, 3].Select(v => (long?)v), Gen.Long[long.MinValue + 1, long.MaxValue].Select(v => (long?)v)),
        Gen.OneOf(Gen.Const((double?)null), Gen.Double[-1e150, 1e150].Select(v => (double?)v), Gen.OneOf(Gen.Const<double?>(0.0), Gen.Const<double?>(-0.0), Gen.Const<double?>(1), Gen.Const<double?>(-1))),
        Gen.OneOf(Gen.Const((bool?)null), Gen.Const<bool?>(false), Gen.Const<bool?>(true)),
        Gen.Long[0, 5]);

    [Fact]
    public void Keys_are_ordered_by_their_bytes_as_the_values_are_field_by_field() =>
        Gen.Select(s_row, s_row).Sample((a, b) =>
        {
            var block = Block(a, b);
            var bytes = Math.Sign(ByteKeyComparer.Instance.Compare(RowKeys.Key(s_contract, block, 0), RowKeys.Key(s_contract, block, 1)));
            Assert.Equal(Math.Sign(Compare(a, b)), bytes);
        }, iter: 5_000);

    [Fact]
    public void Packed_rows_are_equal_exactly_where_their_content_is() =>
        Gen.Select(s_row, s_row).Sample((a, b) =>
        {
            var block = Block(a, b);
            Assert.Equal(Compare(a, b) == 0, RowPacking.Pack(block, 0).AsSpan().SequenceEqual(RowPacking.Pack(block, 1)));
        }, iter: 2_000);

    [Fact]
    public void Unpacking_gives_the_row_back_and_packs_into_the_same_bytes() =>
        Gen.Select(s_row, s_row).Sample((a, b) =>
        {
            var block = Block(a, b);
            var packed = new[] { RowPacking.Pack(block, 0), RowPacking.Pack(block, 1) };
            var again = RowPacking.Unpack(s_contract, [(packed[0], "01"), (packed[1], null)]);
            Assert.Equal("01", again.AreaId(0));
            Assert.Null(again.AreaId(1));
            for (var row = 0; row < 2; row++)
            {
                Assert.Equal(packed[row], RowPacking.Pack(again, row));
                Assert.Equal(RowKeys.Key(s_contract, block, row), RowKeys.Key(s_contract, again, row));
            }
        }, iter: 1_000);

    [Fact]
    public void A_row_packed_under_an_older_contract_has_nulls_in_the_fields_it_did_not_know()
    {
        var older = new RowBlock { Count = 1, Columns = [Column.OfTexts(["a"]), Column.OfIntegers([7])] };
        var block = RowPacking.Unpack(s_contract, [(RowPacking.Pack(older, 0), null)]);
        Assert.Equal("a", block.Columns[0].Texts![0]);
        Assert.Equal(7, block.Columns[1].Integers![0]);
        Assert.True(block.Columns[2].IsNull(0));
        Assert.True(block.Columns[3].IsNull(0));
        Assert.True(block.Columns[4].IsNull(0));
        // The same content under the newer contract is a repeat, not a correction.
        Assert.Equal(RowPacking.Pack(older, 0), RowPacking.Pack(block, 0));
    }

    [Fact]
    public void A_row_packed_under_a_newer_contract_is_refused()
    {
        var newer = new RowBlock { Count = 1, Columns = [.. Enumerable.Range(0, 6).Select(i => Column.OfIntegers([i]))] };
        Assert.Throws<MessagePackSerializationException>(() => RowPacking.Unpack(s_contract, [(RowPacking.Pack(newer, 0), null)]));
    }

    [Fact]
    public void Bytes_of_keys_rows_and_partitions_are_pinned()
    {
        var block = Block(("a\0b", -1, -1.5, true, 1), ("Köln", null, null, null, 2));
        Assert.Equal("016100FF620001" + "7FFFFFFFFFFFFFFF" + "01" + "4007FFFFFFFFFFFF" + "0101" + "01" + "8000000000000001", Convert.ToHexString(RowKeys.Key(s_contract, block, 0)));
        Assert.Equal("95A3610062FFCBBFF8000000000000C301", Convert.ToHexString(RowPacking.Pack(block, 0)));
        Assert.Equal("014BC3B66C6E00", Convert.ToHexString(RowKeys.Series(s_contract, block, 1)!));
        Assert.Equal(2, RowKeys.Partition(s_contract, block, 0, 4));
        Assert.Equal(2, RowKeys.Partition(s_contract, block, 1, 4));
        Assert.Equal(0, RowKeys.Partition(s_contract, block, 1, 1));
    }

    [Fact]
    public void Records_have_no_series()
    {
        var records = CompiledContract.Compile(
            new TableSchema(1, [new("id", FieldType.String, null, FieldRole.None, FieldConstraints.None, null, null, null)], ["id"], []), DatasetKind.Records);
        Assert.Null(RowKeys.Series(records, new RowBlock { Count = 1, Columns = [Column.OfTexts(["x"])] }, 0));
    }

    private static RowBlock Block(params (string? Name, long? Level, double? Share, bool? Open, long Time)[] rows) => new()
    {
        Count = rows.Length,
        Columns =
        [
            Column.OfTexts([.. rows.Select(r => r.Name)]),
            Column.OfIntegers([.. rows.Select(r => r.Level ?? Column.NullInteger)]),
            Column.OfNumbers([.. rows.Select(r => r.Share ?? double.NaN)]),
            Column.OfBooleans([.. rows.Select(r => r.Open is { } o ? (o ? (byte)1 : (byte)0) : Column.NullBoolean)]),
            Column.OfIntegers([.. rows.Select(r => r.Time)]),
        ],
    };

    private static int Compare((string? Name, long? Level, double? Share, bool? Open, long Time) a, (string? Name, long? Level, double? Share, bool? Open, long Time) b)
    {
        // All characters used here lie in the basic plane, where ordinal order of UTF-16 is that of UTF-8.
        var order = string.CompareOrdinal(a.Name, b.Name);
        if (order == 0) order = Nullable.Compare(a.Level, b.Level);
        if (order == 0) order = Nullable.Compare(a.Share, b.Share);
        if (order == 0) order = Nullable.Compare(a.Open, b.Open);
        return order != 0 ? order : a.Time.CompareTo(b.Time);
    }
}
