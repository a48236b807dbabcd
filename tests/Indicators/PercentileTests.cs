using CsCheck;

using DataHub.Support;

namespace DataHub.Indicators;

public sealed class PercentileTests
{
    private static readonly (MeasureFunction Function, int Percent)[] Functions =
        [(MeasureFunction.P50, 50), (MeasureFunction.P90, 90), (MeasureFunction.P95, 95), (MeasureFunction.P99, 99)];

    private static readonly Gen<double> Values = Gen.Frequency(
        (4, Gen.Int[-20_000, 20_000].Select(i => i / 100.0)),
        (2, Gen.Select(Gen.ULong[0, (1UL << 52) - 1], Gen.ULong[559, 1_520], Gen.Bool, (fraction, exponent, negative) =>
            BitConverter.UInt64BitsToDouble(fraction | exponent << 52 | (negative ? 1UL << 63 : 0)))),
        (1, Gen.OneOf(0.0, -0.0, 1, -1, 2, double.BitDecrement(2), 1e150, -1e150, 1e-140, -1e-140)));

    [Fact]
    public void A_percentile_is_the_value_at_nearest_rank_up_to_one_part_in_256() =>
        Gen.Select(Gen.OneOf(Functions), Values.Array[1, 250]).Sample((asked, values) =>
        {
            var answer = Of(asked.Function, values).Value()!.Value;
            Assert.Equal(Oracle.Percentile(values, asked.Percent), answer);
            var exact = values.Order().ElementAt((int)Math.Ceiling(asked.Percent * values.Length / 100m) - 1);
            Assert.InRange(Math.Abs(answer - exact), 0, Math.Abs(exact) / 256);
            Assert.Equal(Math.Sign(exact), Math.Sign(answer));
        }, iter: 10_000);

    [Fact]
    public void All_percentiles_of_the_same_rows_have_the_same_bytes() => Values.Array[0, 60].Sample(values =>
    {
        var bytes = Of(MeasureFunction.P50, values).ToBytes();
        foreach (var (function, _) in Functions) Assert.Equal(bytes, Of(function, values).ToBytes());
    }, iter: 500);

    [Fact]
    public void Ranks_count_from_the_lowest_and_are_never_none()
    {
        // One to a hundred: the p-th lies in the bin of p itself.
        double[] values = [.. Enumerable.Range(1, 100).Select(i => (double)i)];
        foreach (var (function, percent) in Functions) Assert.InRange(Of(function, values).Value()!.Value, percent, percent * (1 + 1 / 128.0));
        Assert.Equal([0, 0, 1 + 1 / 256.0], new[] { MeasureFunction.P50, MeasureFunction.P90, MeasureFunction.P99 }.Select(f => Of(f, [.. Enumerable.Repeat(0.0, 90), .. Enumerable.Repeat(1.0, 10)]).Value()));
        Assert.Equal(-1 - 1 / 256.0, Of(MeasureFunction.P50, [-1, 5, 7, -2, -1]).Value());
        foreach (var (function, _) in Functions) Assert.Equal(0, Of(function, [-0.0]).Value());
    }

    [Fact]
    public void Ranks_of_more_rows_than_a_product_holds_are_right()
    {
        var cell = Of(MeasureFunction.P99, [1, 2, 2, 2]);
        for (var i = 0; i < 59; i++) cell.Merge(cell.Clone());
        Assert.Equal(1L << 61, cell.Count);
        Assert.Equal(2 + 1 / 128.0, cell.Value());
        Assert.Equal(cell.ToBytes(), CellState.FromBytes(MeasureFunction.P99, cell.ToBytes()).ToBytes());
    }

    [Fact]
    public void A_cell_of_every_bin_there_is_keeps_its_order_and_its_bytes()
    {
        var values = new List<double>();
        for (var bits = 0x213UL << 52; bits < 0x5F3UL << 52; bits += 1UL << 45) values.Add(BitConverter.UInt64BitsToDouble(bits));
        values.AddRange(values.Select(v => -v).ToArray());
        double[] shuffled = [.. values];
        new Random(1).Shuffle(shuffled);
        var cell = Of(MeasureFunction.P95, shuffled);
        var bytes = cell.ToBytes();
        Assert.InRange(bytes.Length, 2 * values.Count, 2 * values.Count + 20);
        Assert.Equal(bytes, Of(MeasureFunction.P95, [.. values]).ToBytes());
        Assert.Equal(bytes, CellState.FromBytes(MeasureFunction.P95, bytes).ToBytes());
        Assert.Equal(bytes, cell.Clone().ToBytes());
        Assert.Equal(Oracle.Percentile(values, 95), cell.Value());
        foreach (var value in shuffled) cell.Remove(value, 0, null);
        Assert.True(cell.IsEmpty);
        Assert.Empty(cell.ToBytes());
    }

    [Fact]
    public void The_bytes_are_the_same_for_ever()
    {
        // −1 is 2^17 bins above the lowest; zero 1,023 · 128 above it, 1 as many again.
        byte[] bytes = [1, 4, 0x80, 0x80, 0x08, 1, 0x80, 0xFF, 0x07, 1, 0x80, 0xFF, 0x07, 2];
        Assert.Equal(bytes, Of(MeasureFunction.P50, [1, 0, -1, 1.0078]).ToBytes());
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    [InlineData(double.Epsilon)]
    [InlineData(-double.Epsilon)]
    public void Values_no_contract_lets_through_are_refused(double value)
    {
        var cell = Of(MeasureFunction.P50, [1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => cell.Add(value, 0, null));
        Assert.Equal(1, cell.Count);
    }

    private static CellState Of(MeasureFunction function, double[] values)
    {
        var cell = CellState.Create(function);
        foreach (var value in values) cell.Add(value, 0, null);
        return cell;
    }
}
