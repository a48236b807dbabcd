using CsCheck;

using DataHub.Support;

namespace DataHub.Indicators;

public sealed class DecimalsTests
{
    [Theory]
    [InlineData(2.675, 2, 2.67)] // a little less than 2.675
    [InlineData(0.125, 2, 0.13)]
    [InlineData(-0.125, 2, -0.13)]
    [InlineData(2.5, 0, 3)]
    [InlineData(-2.5, 0, -3)]
    [InlineData(0.49999999999999994, 0, 0)]
    [InlineData(23.45, 1, 23.4)] // 23.449999…
    [InlineData(1e150, 3, 1e150)]
    [InlineData(1e-140, 15, 0)]
    [InlineData(123456789.987654321, 15, 123456789.987654321)]
    [InlineData(-0.04, 1, 0)]
    public void Rounds_the_exact_expansion_half_away_from_zero(double value, int places, double expected)
    {
        var rounded = Decimals.Round(value, places);
        Assert.Equal(BitConverter.DoubleToInt64Bits(expected), BitConverter.DoubleToInt64Bits(rounded));
    }

    [Fact]
    public void Rounds_as_exact_arithmetic_does() =>
        Gen.Select(
            Gen.OneOf(Gen.Double[-1e6, 1e6], Gen.Int[-100_000_000, 100_000_000].Select(i => i / 1_000.0), Gen.Int[-10_000, 10_000].Select(i => i / 64.0), Gen.Double[-1e17, 1e17], Gen.Double[-1e-12, 1e-12]),
            Gen.Int[0, Decimals.Most]).Sample((value, places) =>
                Assert.Equal(BitConverter.DoubleToInt64Bits(Oracle.RoundDecimals(value, places)), BitConverter.DoubleToInt64Bits(Decimals.Round(value, places))), iter: 50_000);
}
