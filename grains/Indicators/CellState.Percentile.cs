using System.Diagnostics;

namespace DataHub.Indicators;

internal abstract partial class CellState
{
    /// <summary>
    /// A percentile from the number of rows in each bin. A bin has the doubles of equal sign, exponent and upper seven bits
    /// of the mantissa; zero is one of its own. Bins are numbered as their values are ordered, zero being 0.
    /// </summary>
    private sealed class Percentile(MeasureFunction function) : Counts(function, -MaxBin)
    {
        /// <summary>Lower bits of a double that a bin does not see.</summary>
        private const int Unseen = 52 - 7;

        /// <summary>That of the infinities, beyond all that can occur.</summary>
        private const int MaxBin = 0x7FF << 7;

        protected override double? Read()
        {
            // Nearest rank, ⌈p · n⌉, without a product that could overflow.
            var percent = Percent;
            var rank = Count / 100 * percent + (Count % 100 * percent + 99) / 100;
            foreach (var (bin, rows) in Found)
            {
                rank -= rows;
                if (rank <= 0) return MiddleOf(bin);
            }

            throw new UnreachableException("All rows are in bins.");
        }

        private protected override int PlaceOf(in Measured row)
        {
            var bin = (int)((BitConverter.DoubleToUInt64Bits(row.Value) & ~(1UL << 63)) >> Unseen);
            if (!IsPlace(bin) || (bin == 0 && row.Value != 0)) throw ExactLimbs.OutOfRange(row.Value);
            return row.Value < 0 ? -bin : bin;
        }

        // Subnormals would have the numbers up to 127, zero's among them.
        protected override bool IsPlace(int place) => place == 0 || (Math.Abs((long)place) is >= 1 << 7 and < MaxBin);

        protected override Counts New() => new Percentile(Function);

        private int Percent => Function switch
        {
            MeasureFunction.P50 => 50,
            MeasureFunction.P90 => 90,
            MeasureFunction.P95 => 95,
            _ => 99,
        };

        private static double MiddleOf(int bin)
        {
            if (bin == 0) return 0;
            var middle = BitConverter.UInt64BitsToDouble((ulong)Math.Abs(bin) << Unseen | 1UL << (Unseen - 1));
            return bin < 0 ? -middle : middle;
        }
    }
}
