using System.Buffers.Binary;

namespace DataHub.Indicators;

internal abstract partial class CellState
{
    /// <summary>The row that is last by time, then by key.</summary>
    private sealed class Final() : CellState(MeasureFunction.Last)
    {
        private long _time;
        private byte[] _key = [];
        private double _value;

        protected override int MaxBytes => sizeof(long) + sizeof(double) + MaxCountBytes + _key.Length;

        private protected override bool Include(in Measured row)
        {
            ArgumentNullException.ThrowIfNull(row.Key);
            if (!IsEmpty && Compare(row) <= 0) return false;
            (_time, _key, _value) = (row.Time, row.Key, row.Value);
            return true;
        }

        protected override void Include(CellState other)
        {
            var last = (Final)other;
            Include(new Measured(last._value, last._time, last._key, 0));
        }

        private protected override bool Exclude(in Measured row)
        {
            var order = Compare(row);
            return order > 0 ? throw NotInside(Function) : order < 0;
        }

        private protected override void Empty(in Measured row)
        {
            if (Compare(row) != 0) throw NotInside(Function);
            (_time, _key, _value) = (0, [], 0);
        }

        private protected override bool Supersede(in Measured next)
        {
            if (Compare(next) < 0) return false;

            // The row itself again or a later one: nothing that remains can be after it.
            (_time, _key) = (long.MinValue, []);
            Count--;
            return true;
        }

        protected override double? Read() => _value;

        protected override void Write(Span<byte> into, ref int at)
        {
            BinaryPrimitives.WriteInt64LittleEndian(into[at..], _time);
            at += sizeof(long);
            WriteNumber(into, ref at, _value);
            WriteCount(into, ref at, _key.Length);
            _key.CopyTo(into[at..]);
            at += _key.Length;
        }

        protected override void Read(ReadOnlySpan<byte> from, ref int at)
        {
            _time = BinaryPrimitives.ReadInt64LittleEndian(from[at..]);
            at += sizeof(long);
            _value = ReadNumber(from, ref at);
            var length = checked((int)ReadCount(from, ref at));
            _key = from.Slice(at, length).ToArray();
            at += length;
        }

        protected override CellState Copy() => new Final { _time = _time, _key = _key, _value = _value };

        /// <summary>Where a row stands against the current one: later, the same, earlier.</summary>
        private int Compare(in Measured row)
        {
            ArgumentNullException.ThrowIfNull(row.Key);
            return row.Time != _time ? row.Time.CompareTo(_time) : row.Key.AsSpan().SequenceCompareTo(_key);
        }
    }
}
