namespace DataHub.Indicators;

internal abstract partial class CellState
{
    /// <summary>
    /// What began (+1) less what ended (−1). <see cref="Count"/> is that of the beginnings and ends, so a cell in which as
    /// much ended as began is not empty.
    /// </summary>
    private sealed class Balance() : CellState(MeasureFunction.Open)
    {
        /// <summary>The beginnings among the rows.</summary>
        private long _begun;

        protected override int MaxBytes => MaxCountBytes;

        private protected override bool Include(in Measured row)
        {
            if (row.Value > 0) _begun++;
            return true;
        }

        protected override void Include(CellState other) => _begun += ((Balance)other)._begun;

        private protected override bool Exclude(in Measured row)
        {
            if (row.Value > 0 ? _begun == 0 : _begun == Count) throw NotInside(Function);
            if (row.Value > 0) _begun--;
            return true;
        }

        private protected override void Empty(in Measured row) => Exclude(row);

        protected override double? Read() => 2 * _begun - Count;

        protected override void Write(Span<byte> into, ref int at) => WriteCount(into, ref at, _begun);

        protected override void Read(ReadOnlySpan<byte> from, ref int at)
        {
            _begun = ReadCount(from, ref at);
            if (_begun > Count) throw Malformed(Function);
        }

        protected override CellState Copy() => new Balance { _begun = _begun };
    }
}
