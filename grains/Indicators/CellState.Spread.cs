using System.Numerics;

namespace DataHub.Indicators;

internal abstract partial class CellState
{
    /// <summary>Standard deviation of the population or of a sample, from the exact sums of x and x².</summary>
    private sealed class Spread(MeasureFunction function) : CellState(function)
    {
        private ExactSum _sum = new();
        private ExactSquares _squares = new();

        protected override int MaxBytes => _sum.MaxBytes + _squares.MaxBytes;

        private protected override bool Include(in Measured row)
        {
            _sum.Add(row.Value);
            _squares.Add(row.Value);
            return true;
        }

        protected override void Include(CellState other)
        {
            _sum.Add(((Spread)other)._sum);
            _squares.Add(((Spread)other)._squares);
        }

        private protected override bool Exclude(in Measured row)
        {
            _sum.Subtract(row.Value);
            _squares.Subtract(row.Value);
            return true;
        }

        private protected override void Empty(in Measured row)
        {
            var (sum, squares) = (_sum.Clone(), _squares.Clone());
            sum.Subtract(row.Value);
            squares.Subtract(row.Value);
            if (!sum.IsZero || !squares.IsZero) throw NotInside(Function);
            (_sum, _squares) = (new(), new());
        }

        protected override double? Read()
        {
            if (Function == MeasureFunction.StddevSample && Count == 1) return null;
            var deviation = Deviation(out var exponent);
            if (deviation.Sign < 0) throw new InvalidOperationException($"A row was removed from a cell ({Function}) that was never added: no {Count} rows have its sums.");
            var count = new BigInteger(Count);
            return ExactRoot.Of(deviation, count * (Function == MeasureFunction.Stddev ? count : count - 1), exponent);
        }

        protected override void Write(Span<byte> into, ref int at)
        {
            at += _sum.WriteTo(into[at..]);
            at += _squares.WriteTo(into[at..]);
        }

        protected override void Read(ReadOnlySpan<byte> from, ref int at)
        {
            _sum = ExactSum.ReadFrom(from[at..], out var read);
            at += read;
            _squares = ExactSquares.ReadFrom(from[at..], out read);
            at += read;

            // No rows have such sums; a single one deviates by nothing.
            var deviation = Deviation(out _);
            if (deviation.Sign < 0 || (Count == 1 && !deviation.IsZero)) throw Malformed(Function);
        }

        protected override CellState Copy() => new Spread(Function) { _sum = _sum.Clone(), _squares = _squares.Clone() };

        /// <summary>n · Σx² − (Σx)², which is n² times the variance, in units of 2^(2 · <paramref name="exponent"/>).</summary>
        private BigInteger Deviation(out int exponent)
        {
            var sum = _sum.ToWhole(out var sumLow);
            var squares = _squares.ToWhole(out var squaresLow);

            // Both in the same unit, the greater one that has them whole: numbers stay short.
            var low = Math.Min(sumLow, squaresLow / 2);
            exponent = ExactSum.Unit + 32 * low;
            sum <<= 32 * (sumLow - low);
            squares <<= 32 * (squaresLow - 2 * low);
            return Count * squares - sum * sum;
        }
    }
}
