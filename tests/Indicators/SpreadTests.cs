using System.Numerics;

using CsCheck;

using DataHub.Support;

namespace DataHub.Indicators;

public sealed class SpreadTests
{
    private static readonly MeasureFunction[] Functions = [MeasureFunction.Stddev, MeasureFunction.StddevSample];

    private static readonly Gen<double> Values = Gen.Frequency(
        (6, Gen.Int[-200_000, 200_000].Select(i => i / 100.0)),
        (3, Gen.Int[-1_000, 1_000].Select(i => (double)i)),
        (3, Gen.Select(Gen.ULong[0, (1UL << 52) - 1], Gen.ULong[559, 1_520], Gen.Bool, (fraction, exponent, negative) =>
            BitConverter.UInt64BitsToDouble(fraction | exponent << 52 | (negative ? 1UL << 63 : 0)))),
        (1, Gen.OneOf(0.0, -0.0, 1e150, -1e150, 1e-140, -1e-140, double.BitIncrement(1), double.BitDecrement(1), 0.1, 1e16, -1e16)));

    [Fact]
    public void Deviations_are_the_exact_ones_rounded_once() => Gen.Select(Gen.OneOf(Functions), Values.Array[1, 30]).Sample((function, values) =>
        Assert.Equal(Bits(Expected(function, values)), Bits(Of(function, values).Value())), iter: 6_000);

    /// <summary>Where a sum of squares in doubles loses everything: a small spread around a great value.</summary>
    [Fact]
    public void A_great_value_does_not_swallow_a_small_spread()
    {
        var cell = Of(MeasureFunction.Stddev, [1e15 + 1, 1e15 + 2, 1e15 + 3, 1e15 + 4]);
        Assert.Equal(Math.Sqrt(1.25), cell.Value());
        Assert.Equal(0, Of(MeasureFunction.Stddev, [1e150, 1e150, 1e150]).Value());
        Assert.Equal(1e-140, Of(MeasureFunction.Stddev, [1e-140, -1e-140]).Value());
        Assert.Equal(1e150, Of(MeasureFunction.Stddev, [1e150, -1e150]).Value());
    }

    /// <summary>Half the distance of two values, of 54 bits: exactly between two doubles, or a little off.</summary>
    [Fact]
    public void Ties_go_to_even_and_a_bit_far_below_breaks_them() =>
        Gen.Select(Gen.OneOf(Functions), Gen.ULong[1UL << 52, (1UL << 53) - 1], Gen.OneOf(1.0, double.BitIncrement(1), double.BitDecrement(1)), Gen.Int[-400, 400], Gen.Int[1, 3]).Sample(
            (function, mantissa, one, shift, times) =>
            {
                double[] pair = [Math.ScaleB(2.0 * mantissa, shift), -Math.ScaleB(one, shift)];
                double[] values = [.. Enumerable.Repeat(pair, times).SelectMany(p => p)];
                Assert.Equal(Bits(Expected(function, values)), Bits(Of(function, values).Value()));
            }, iter: 4_000);

    [Fact]
    public void One_row_has_no_sample_deviation_and_does_not_differ_from_itself()
    {
        var sample = Of(MeasureFunction.StddevSample, [3.5]);
        Assert.Equal((null, 1L, false), (sample.Value(), sample.Count, sample.IsEmpty));
        Assert.Equal(0, Of(MeasureFunction.Stddev, [3.5]).Value());
        Assert.Equal(Math.Sqrt(2), Of(MeasureFunction.StddevSample, [3, 5]).Value());
    }

    [Theory]
    [InlineData(1e150)]
    [InlineData(1e-140)]
    [InlineData(9_007_199_254_740_991.0)]
    [InlineData(-0.1)]
    public void As_many_rows_as_a_city_has_by_merging_stay_exact(double value)
    {
        // 2^40 rows at the value and as many at zero: the deviation of the population is half the value, whatever their number.
        var cell = Of(MeasureFunction.Stddev, [value, 0]);
        for (var i = 0; i < 40; i++) cell.Merge(cell.Clone());
        Assert.Equal(1L << 41, cell.Count);
        Assert.Equal(Math.Abs(value) / 2, cell.Value());
        Assert.Equal(cell.ToBytes(), CellState.FromBytes(MeasureFunction.Stddev, cell.ToBytes()).ToBytes());
    }

    [Fact]
    public void Carries_are_safe_for_more_additions_than_a_limb_holds()
    {
        // Every limb of the square is full or empty; merging sums of 2^29 pending additions stands for as many.
        var value = 9_007_199_254_740_991.0;
        var many = new ExactSquares();
        many.Add(value);
        for (var i = 0; i < 29; i++) many.Add(many.Clone());
        var sum = new ExactSquares();
        for (var i = 0; i < 64; i++) sum.Add(many);
        var whole = sum.ToWhole(out var low) << (32 * low);
        Assert.Equal(BigInteger.Pow((BigInteger)value, 2) * BigInteger.Pow(2, 35) * BigInteger.Pow(2, -ExactSquares.Unit), whole);
    }

    [Fact]
    public void Squares_taken_away_leave_what_was_never_added()
    {
        var squares = new ExactSquares();
        double[] values = [1e150, 1e-140, -0.1, 12.5, 9_007_199_254_740_991.0];
        foreach (var value in values) squares.Add(value);
        Assert.False(squares.IsZero);
        foreach (var value in values) squares.Subtract(-value);
        Assert.True(squares.IsZero);
    }

    [Fact]
    public void Adding_allocates_nothing_once_the_limbs_are_there_and_typical_cells_are_small()
    {
        var cell = CellState.Create(MeasureFunction.Stddev);
        for (var i = 0; i < 1_000; i++) cell.Add(i / 10.0, 0, null);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100_000; i++) cell.Add(i % 1_000 / 10.0, 0, null);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.InRange(cell.ToBytes().Length, 20, 48);
    }

    [Fact]
    public void The_bytes_are_the_same_for_ever()
    {
        // 3 · 2^0 has its lowest bit at place 544, byte 68; 9 · 2^0 at place 1088, byte 136.
        byte[] bytes = [1, 1, 1, 68, 1, 3, 1, 136, 0, 1, 0, 9];
        Assert.Equal(bytes, Of(MeasureFunction.Stddev, [3]).ToBytes());
        var cell = Of(MeasureFunction.StddevSample, [-1, 3, 1]);
        cell.Remove(1, 0, null);
        cell.Remove(-1, 0, null);
        Assert.Equal(bytes, cell.ToBytes());
    }

    [Fact]
    public void Sums_that_no_rows_have_are_told_when_read()
    {
        var cell = Of(MeasureFunction.Stddev, [1, 2, 3]);
        cell.Remove(100, 0, null);
        Assert.Contains("Stddev", Assert.Throws<InvalidOperationException>(() => cell.Value()).Message, StringComparison.Ordinal);
    }

    private static CellState Of(MeasureFunction function, double[] values)
    {
        var cell = CellState.Create(function);
        foreach (var value in values) cell.Add(value, 0, null);
        return cell;
    }

    private static double? Expected(MeasureFunction function, double[] values) => Oracle.Deviation(values, function == MeasureFunction.StddevSample);

    private static long? Bits(double? value) => value is { } v ? BitConverter.DoubleToInt64Bits(v) : null;
}
