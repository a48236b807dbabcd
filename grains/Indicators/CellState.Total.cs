namespace DataHub.Indicators;

internal abstract partial class CellState
{
    /// <summary>The exact sum; the mean is its double divided by the count.</summary>
    private sealed class Total(MeasureFunction function) : CellState(function)
    {
        private ExactSum _sum = new();

        protected override int MaxBytes => _sum.MaxBytes;

        private protected override bool Include(in Measured row)
        {
            _sum.Add(row.Value);
            return true;
        }

        protected override void Include(CellState other) => _sum.Add(((Total)other)._sum);

        private protected override bool Exclude(in Measured row)
        {
            _sum.Subtract(row.Value);
            return true;
        }

        // The sum of what remains, nothing, is checked: another value than the one added would stay in it for ever.
        private protected override void Empty(in Measured row)
        {
            var rest = _sum.Clone();
            rest.Subtract(row.Value);
            if (!rest.IsZero) throw NotInside(Function);
            _sum = new();
        }

        protected override double? Read() => Function == MeasureFunction.Mean ? _sum.Round() / Count : _sum.Round();

        protected override void Write(Span<byte> into, ref int at) => at += _sum.WriteTo(into[at..]);

        protected override void Read(ReadOnlySpan<byte> from, ref int at)
        {
            _sum = ExactSum.ReadFrom(from[at..], out var read);
            at += read;
        }

        protected override CellState Copy() => new Total(Function) { _sum = _sum.Clone() };
    }
}
