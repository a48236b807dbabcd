namespace DataHub.Indicators;

internal abstract partial class CellState
{
    /// <summary>
    /// How many different values there are, estimated from the number of rows per register and rank of their hashes.
    /// </summary>
    private sealed class Different() : Counts(MeasureFunction.Distinct, 0)
    {
        /// <summary>Bits of a place that hold the rank; the register is above them.</summary>
        private const int RankBits = 6;

        // A register's rows are neighbours in ascending order of rank: the last one is its maximum.
        protected override double? Read()
        {
            Span<int> registers = stackalloc int[HyperLogLog.MaxRank + 1];
            registers.Clear();
            registers[0] = HyperLogLog.Registers;
            var (current, highest) = (-1, 0);
            foreach (var (place, _) in Found)
            {
                var (register, rank) = (place >> RankBits, place & ((1 << RankBits) - 1));
                registers[register == current ? highest : 0]--;
                registers[rank]++;
                (current, highest) = (register, rank);
            }

            // Different values are never more than the rows, whatever the estimate's error.
            return Math.Min(Math.Round(HyperLogLog.Estimate(registers), MidpointRounding.AwayFromZero), Count);
        }

        private protected override int PlaceOf(in Measured row) => HyperLogLog.RegisterOf(row.Hash) << RankBits | HyperLogLog.RankOf(row.Hash);

        protected override bool IsPlace(int place) =>
            place >> RankBits < HyperLogLog.Registers && (place & ((1 << RankBits) - 1)) is >= 1 and <= HyperLogLog.MaxRank;

        protected override Counts New() => new Different();
    }
}
