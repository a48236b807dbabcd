namespace DataHub.Indicators;

internal abstract partial class CellState
{
    /// <summary>Minimum or maximum with the number of rows that stand at it.</summary>
    private sealed class Extreme(MeasureFunction function) : CellState(function)
    {
        private double _value;
        private long _rows;

        protected override int MaxBytes => sizeof(double) + MaxCountBytes;

        private protected override bool Include(in Measured row) => Include(row.Value, 1);

        protected override void Include(CellState other) => Include(((Extreme)other)._value, ((Extreme)other)._rows);

        private protected override bool Exclude(in Measured row)
        {
            if (Beyond(row.Value)) throw NotInside(Function);
            if (row.Value != _value) return _rows < Count ? true : throw NotInside(Function);
            if (_rows == 1) return false;
            _rows--;
            return true;
        }

        private protected override void Empty(in Measured row)
        {
            if (row.Value != _value) throw NotInside(Function);
            (_value, _rows) = (0, 0);
        }

        private protected override bool Supersede(in Measured next)
        {
            if (next.Value != _value && !Beyond(next.Value)) return false;

            // Whatever comes next is at least as extreme as all that remain, none of which stands at the present value.
            _value = next.Value;
            _rows = 0;
            Count--;
            return true;
        }

        protected override double? Read() => _value;

        protected override void Write(Span<byte> into, ref int at)
        {
            WriteNumber(into, ref at, _value);
            WriteCount(into, ref at, _rows);
        }

        protected override void Read(ReadOnlySpan<byte> from, ref int at)
        {
            _value = ReadNumber(from, ref at);
            _rows = ReadCount(from, ref at);
            if (_rows < 1 || _rows > Count) throw Malformed(Function);
        }

        protected override CellState Copy() => new Extreme(Function) { _value = _value, _rows = _rows };

        private bool Include(double value, long rows)
        {
            if (IsEmpty || Beyond(value))
            {
                (_value, _rows) = (value, rows);
                return true;
            }

            if (value == _value) _rows += rows;
            return false;
        }

        private bool Beyond(double value) => Function == MeasureFunction.Min ? value < _value : value > _value;
    }
}
