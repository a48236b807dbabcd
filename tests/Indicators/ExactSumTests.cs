using System.Numerics;

using CsCheck;

using DataHub.Support;

namespace DataHub.Indicators;

public sealed class ExactSumTests
{
    private static readonly Gen<double> Values = Gen.Frequency(
        (6, Gen.Int[-200_000, 200_000].Select(i => i / 100.0)),
        (3, Gen.Int[-1_000, 1_000].Select(i => (double)i)),
        (3, Gen.Select(Gen.ULong[0, (1UL << 52) - 1], Gen.ULong[559, 1_520], Gen.Bool, (fraction, exponent, negative) =>
            BitConverter.UInt64BitsToDouble(fraction | exponent << 52 | (negative ? 1UL << 63 : 0)))),
        (1, Gen.OneOf(0.0, -0.0, 1e150, -1e150, 1e-140, -1e-140, double.BitIncrement(1), double.BitDecrement(1), 0.1, 1e16, -1e16)));

    [Fact]
    public void Sums_round_as_the_exact_rational_sum_does() => Values.Array[0, 60].Sample(values =>
    {
        var sum = new ExactSum();
        foreach (var value in values) sum.Add(value);
        Assert.Equal(BitConverter.DoubleToInt64Bits(Oracle.Sum(values)), BitConverter.DoubleToInt64Bits(sum.Round()));
    }, iter: 20_000);

    [Fact]
    public void Ties_go_to_even_and_a_bit_far_below_breaks_them() => Gen.Select(Gen.Int[0, 400], Gen.ULong[1UL << 52, (1UL << 53) - 1], Gen.Int[-1, 1], Gen.Bool).Sample((shift, mantissa, below, negative) =>
    {
        var scale = Math.ScaleB(1, shift - 200);
        double[] values = [mantissa * scale, 0.5 * scale, below * 1e-140];
        if (negative) values = [.. values.Select(v => -v)];
        var sum = new ExactSum();
        foreach (var value in values) sum.Add(value);
        Assert.Equal(Oracle.Sum(values), sum.Round());
    }, iter: 20_000);

    [Fact]
    public void Order_partitions_and_removals_leave_equal_bytes() =>
        Gen.Select(Values.Array[0, 40], Values.Array[0, 20], Gen.Int[1, 5], Gen.Int).Sample((stay, pass, partitions, seed) =>
        {
            var straight = new ExactSum();
            foreach (var value in stay) straight.Add(value);

            var random = new Random(seed);
            var parts = Enumerable.Range(0, partitions).Select(_ => new ExactSum()).ToArray();
            var steps = stay.Select(v => (Value: v, Add: true)).Concat(pass.SelectMany(v => new[] { (v, true), (v, false) })).ToArray();
            random.Shuffle(steps);
            foreach (var (value, add) in steps)
            {
                var part = parts[random.Next(partitions)];
                if (add) part.Add(value);
                else part.Subtract(value);
            }

            random.Shuffle(parts);
            var merged = new ExactSum();
            foreach (var part in parts) merged.Add(random.Next(2) == 0 ? part : ExactSum.ReadFrom(Bytes(part), out _));
            Assert.Equal(Bytes(straight), Bytes(merged));
        }, iter: 5_000);

    [Fact]
    public void Bytes_read_back_are_the_same_sum() => Values.Array[0, 30].Sample(values =>
    {
        var sum = new ExactSum();
        foreach (var value in values) sum.Add(value);
        var bytes = Bytes(sum);
        var read = ExactSum.ReadFrom([.. bytes, 7, 7], out var length);
        Assert.Equal(bytes.Length, length);
        Assert.Equal(bytes, Bytes(read));
        read.Add(sum);
        sum.Add(sum.Clone());
        Assert.Equal(Bytes(sum), Bytes(read));
    }, iter: 5_000);

    [Theory]
    [InlineData(1e150)]
    [InlineData(-1e150)]
    [InlineData(1e-140)]
    [InlineData(-0.1)]
    public void Doubling_forty_times_stays_exact(double value)
    {
        // 2^40 rows of one value by merging, as partitions and areas are merged.
        var sum = new ExactSum();
        sum.Add(value);
        for (var i = 0; i < 40; i++) sum.Add(sum.Clone());
        Assert.Equal(Math.ScaleB(value, 40), sum.Round());
        sum.Subtract(value);
        Assert.Equal(Oracle.Round(Oracle.Exact(value) * (BigInteger.Pow(2, 40) - 1)), sum.Round());
    }

    [Fact]
    public void Carries_are_safe_for_more_additions_than_a_limb_holds()
    {
        // Merging a sum of 2^29 pending additions stands for as many additions: limbs must be carried in between.
        var many = new ExactSum();
        many.Add(4_294_967_295.0);
        for (var i = 0; i < 29; i++) many.Add(many.Clone());
        var sum = new ExactSum();
        for (var i = 0; i < 64; i++) sum.Add(many);
        Assert.Equal(Oracle.Round(Oracle.Exact(4_294_967_295.0) * BigInteger.Pow(2, 35)), sum.Round());
    }

    [Fact]
    public void Typical_measurements_take_few_bytes()
    {
        var sum = new ExactSum();
        for (var i = 0; i < 100_000; i++) sum.Add(i % 2_000 / 10.0);
        Assert.InRange(Bytes(sum).Length, 4, 14);
    }

    [Fact]
    public void Adding_allocates_nothing_once_the_limbs_are_there()
    {
        var sum = new ExactSum();
        for (var i = 0; i < 1_000; i++) sum.Add(i / 10.0);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100_000; i++) sum.Add(i % 1_000 / 10.0);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    [InlineData(1e160)]
    [InlineData(-1e300)]
    [InlineData(1e-160)]
    [InlineData(double.Epsilon)]
    public void Values_no_contract_lets_through_are_refused(double value)
    {
        var sum = new ExactSum();
        Assert.Throws<ArgumentOutOfRangeException>(() => sum.Add(value));
        Assert.Equal(0, sum.Round());
    }

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 1 })]
    [InlineData(new byte[] { 1, 0, 0 })]
    [InlineData(new byte[] { 3, 0, 1, 1 })]
    [InlineData(new byte[] { 1, 0, 9, 1 })]
    public void Other_bytes_are_refused(byte[] bytes) => Assert.Throws<FormatException>(() => ExactSum.ReadFrom(bytes, out _));

    private static byte[] Bytes(ExactSum sum)
    {
        var bytes = new byte[sum.MaxBytes];
        return bytes[..sum.WriteTo(bytes)];
    }
}
