using System.Globalization;

using DataHub.Support;

namespace DataHub.Indicators;

public sealed class DistinctTests
{
    private const double StandardError = 1.04 / 64;

    /// <summary>Every value stands in two rows: the number of rows must not help the estimate.</summary>
    [Theory]
    [InlineData(100)]
    [InlineData(1_000)]
    [InlineData(10_000)]
    [InlineData(100_000)]
    [InlineData(1_000_000)]
    public void Different_values_are_counted_within_five_standard_errors_and_as_the_oracle_does(int different)
    {
        var cell = CellState.Create(MeasureFunction.Distinct);
        var texts = Texts(0, different).ToArray();
        foreach (var text in texts) cell.Add(0, 0, null, DistinctHash.Of(text));
        foreach (var text in texts) cell.Add(0, 0, null, DistinctHash.Of(text));
        Assert.InRange(cell.Value()!.Value, different * (1 - 5 * StandardError), different * (1 + 5 * StandardError));
        Assert.Equal(Oracle.Distinct([.. texts, .. texts]), cell.Value());
        Assert.Equal(2L * different, cell.Count);

        var bytes = cell.ToBytes();
        Assert.Equal(bytes, CellState.FromBytes(MeasureFunction.Distinct, bytes).ToBytes());
        Assert.InRange(bytes.Length, 1, 150_000);
    }

    [Fact]
    public void Few_different_values_are_counted_nearly_exactly()
    {
        var off = 0;
        for (var set = 0; set < 50; set++)
        {
            var cell = CellState.Create(MeasureFunction.Distinct);
            Assert.Null(cell.Value());
            for (var different = 1; different <= 20; different++)
            {
                var hash = DistinctHash.Of($"{set}/{different}");
                cell.Add(0, 0, null, hash);
                cell.Add(0, 0, null, hash);
                Assert.InRange(cell.Value()!.Value, different - 1, different + 1);
                if (cell.Value() != different) off++;
            }
        }

        Assert.InRange(off, 0, 50);
    }

    [Fact]
    public void The_error_over_many_sets_is_the_known_one()
    {
        const int Sets = 100;
        const int Different = 10_000;
        double squares = 0, errors = 0;
        for (var set = 0; set < Sets; set++)
        {
            var cell = CellState.Create(MeasureFunction.Distinct);
            foreach (var text in Texts(set * Different, Different))
            {
                var hash = DistinctHash.Of(text);
                cell.Add(0, 0, null, hash);
                cell.Add(0, 0, null, hash);
            }

            var error = cell.Value()!.Value / Different - 1;
            squares += error * error;
            errors += error;
        }

        Assert.InRange(Math.Sqrt(squares / Sets), StandardError / 2, StandardError * 1.15);
        Assert.InRange(errors / Sets, -StandardError * 0.3, StandardError * 0.3);
    }

    [Fact]
    public void Values_that_go_leave_the_cell_as_if_they_had_never_been_there()
    {
        var cell = CellState.Create(MeasureFunction.Distinct);
        foreach (var text in Texts(0, 5_000)) cell.Add(0, 0, null, DistinctHash.Of(text));
        var before = cell.ToBytes();
        foreach (var text in Texts(3_000, 50_000)) cell.Add(0, 0, null, DistinctHash.Of(text));
        foreach (var text in Texts(3_000, 50_000)) cell.Remove(0, 0, null, DistinctHash.Of(text));
        Assert.Equal(before, cell.ToBytes());
        foreach (var text in Texts(0, 5_000)) cell.Remove(0, 0, null, DistinctHash.Of(text));
        Assert.Empty(cell.ToBytes());
    }

    [Fact]
    public void Never_more_different_values_than_rows()
    {
        var cell = CellState.Create(MeasureFunction.Distinct);
        foreach (var text in Texts(0, 30_000))
        {
            cell.Add(0, 0, null, DistinctHash.Of(text));
            if (cell.Count % 500 == 0) Assert.InRange(cell.Value()!.Value, 1, cell.Count);
        }

        // Every register at the highest rank: the estimate alone would be infinite.
        var full = CellState.Create(MeasureFunction.Distinct);
        for (var register = 0UL; register < 4_096; register++) full.Add(0, 0, null, register << 52);
        Assert.Equal(4_096, full.Value());
        Assert.Equal(full.ToBytes(), CellState.FromBytes(MeasureFunction.Distinct, full.ToBytes()).ToBytes());
    }

    [Fact]
    public void The_bytes_are_the_same_for_ever()
    {
        // XXH64 of "a" is D24EC4F1A98C6E5B: register D24, then a set bit: place D24 · 64 + 1.
        var cell = CellState.Create(MeasureFunction.Distinct);
        cell.Add(0, 0, null, DistinctHash.Of("a"));
        cell.Add(0, 0, null, DistinctHash.Of("a"));
        Assert.Equal([1, 2, 0x81, 0x92, 0x0D, 2], cell.ToBytes());
        Assert.Equal(1, cell.Value());
    }

    private static IEnumerable<string> Texts(int first, int count) =>
        Enumerable.Range(first, count).Select(i => "fahrzeug-" + i.ToString(CultureInfo.InvariantCulture));
}
