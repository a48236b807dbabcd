using System.Buffers.Binary;

namespace DataHub.Indicators;

/// <summary>What became of a removal.</summary>
internal enum RemoveResult
{
    Ok = 0,

    /// <summary>
    /// The current minimum, maximum or last row was to go while others remain, which the cell does not know. Nothing has
    /// changed: the cell must be made anew from history (design §2.5).
    /// </summary>
    NeedsRecompute = 1,
}

/// <summary>
/// The accumulator of one cell: a function of the multiset of its rows. Equal multisets give equal bytes, whatever the
/// order, the partitioning and what was added and removed on the way (design I5). Not thread-safe.
/// </summary>
internal abstract class CellState
{
    /// <summary>Version of the bytes' layout; their first byte.</summary>
    private const byte Layout = 1;

    private CellState(MeasureFunction function) => Function = function;

    public MeasureFunction Function { get; }

    /// <summary>Rows in the cell.</summary>
    public long Count { get; private set; }

    public bool IsEmpty => Count == 0;

    /// <summary>A cell without rows.</summary>
    public static CellState Create(MeasureFunction function) => function switch
    {
        MeasureFunction.Count => new Rows(),
        MeasureFunction.Sum or MeasureFunction.Mean => new Total(function),
        MeasureFunction.Min or MeasureFunction.Max => new Extreme(function),
        MeasureFunction.Last => new Final(),
        _ => throw new ArgumentOutOfRangeException(nameof(function), function, "No cell is defined for this function."),
    };

    /// <summary>Adds a row.</summary>
    /// <param name="value">The measured value; any for <see cref="MeasureFunction.Count"/>. −0 is 0.</param>
    /// <param name="time">Ticks of the row's time; only <see cref="MeasureFunction.Last"/> needs it.</param>
    /// <param name="key">The row's canonical key; only <see cref="MeasureFunction.Last"/> needs it.</param>
    /// <returns>Whether the value can have changed by it; the count always has.</returns>
    public bool Add(double value, long time, byte[]? key)
    {
        var changed = Include(value + 0.0, time, key);
        Count++;
        return changed;
    }

    /// <summary>Takes away a row that was added before with these very arguments.</summary>
    /// <exception cref="InvalidOperationException">No such row can be in the cell.</exception>
    public RemoveResult Remove(double value, long time, byte[]? key)
    {
        if (IsEmpty) throw new InvalidOperationException($"A row was to be removed from a cell ({Function}) that has none.");
        if (Count == 1) Empty(value + 0.0, time, key);
        else if (!Exclude(value + 0.0, time, key)) return RemoveResult.NeedsRecompute;
        Count--;
        return RemoveResult.Ok;
    }

    /// <summary>
    /// Takes away one row and adds another, as a correction does. Spares the recomputation where the new row takes the
    /// current one's place whatever the others are: a corrected last row, a minimum that became lower.
    /// </summary>
    /// <returns><see cref="RemoveResult.NeedsRecompute"/>: nothing has changed.</returns>
    public RemoveResult Replace(double oldValue, long oldTime, byte[]? oldKey, double newValue, long newTime, byte[]? newKey)
    {
        if (Remove(oldValue, oldTime, oldKey) == RemoveResult.NeedsRecompute && !Supersede(oldTime, oldKey, newValue + 0.0, newTime, newKey))
            return RemoveResult.NeedsRecompute;
        Add(newValue, newTime, newKey);
        return RemoveResult.Ok;
    }

    /// <summary>Adds all rows of another cell of the same function; the other is not changed.</summary>
    /// <exception cref="ArgumentException">It is of another function.</exception>
    public void Merge(CellState other)
    {
        if (other.Function != Function) throw new ArgumentException($"A cell of {other.Function} cannot be merged into one of {Function}.", nameof(other));
        if (other.IsEmpty) return;
        Include(other);
        Count += other.Count;
    }

    /// <summary>The measure's value; null where there are no rows.</summary>
    public double? Value() => IsEmpty ? null : Read();

    /// <summary>The canonical bytes; none where there are no rows.</summary>
    public byte[] ToBytes()
    {
        if (IsEmpty) return [];
        Span<byte> buffer = stackalloc byte[512];
        if (MaxBytes > buffer.Length) buffer = new byte[MaxBytes];
        buffer[0] = Layout;
        var at = 1;
        WriteCount(buffer, ref at, Count);
        Write(buffer, ref at);
        return buffer[..at].ToArray();
    }

    /// <summary>Reads what <see cref="ToBytes"/> wrote for the same function.</summary>
    /// <exception cref="FormatException">Not such bytes.</exception>
    public static CellState FromBytes(MeasureFunction function, ReadOnlySpan<byte> bytes)
    {
        var cell = Create(function);
        if (bytes.IsEmpty) return cell;
        try
        {
            if (bytes[0] != Layout) throw Malformed(function);
            var at = 1;
            cell.Count = ReadCount(bytes, ref at);
            cell.Read(bytes, ref at);
            if (cell.Count < 1 || at != bytes.Length) throw Malformed(function);
            return cell;
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or IndexOutOfRangeException or OverflowException)
        {
            throw Malformed(function, e);
        }
    }

    /// <summary>An independent copy.</summary>
    public CellState Clone()
    {
        var copy = Copy();
        copy.Count = Count;
        return copy;
    }

    /// <summary>Room that <see cref="Write"/> and the head need at most.</summary>
    protected virtual int MaxBytes => 64;

    protected abstract bool Include(double value, long time, byte[]? key);

    protected abstract void Include(CellState other);

    /// <summary>Takes a row away while others remain.</summary>
    /// <returns>False, with nothing changed, where only the others' values can say what the cell is now.</returns>
    protected abstract bool Exclude(double value, long time, byte[]? key);

    /// <summary>Takes the only row away.</summary>
    protected abstract void Empty(double value, long time, byte[]? key);

    /// <summary>Takes the current row away, one of several, if a row to be added next will be current in any case.</summary>
    protected virtual bool Supersede(long oldTime, byte[]? oldKey, double newValue, long newTime, byte[]? newKey) => false;

    protected abstract double Read();

    protected abstract void Write(Span<byte> into, ref int at);

    protected abstract void Read(ReadOnlySpan<byte> from, ref int at);

    protected abstract CellState Copy();

    private static InvalidOperationException NotInside(MeasureFunction function) =>
        new($"A row was to be removed from a cell ({function}) that cannot contain it.");

    private static FormatException Malformed(MeasureFunction function, Exception? inner = null) =>
        new($"These bytes are not a cell of {function}.", inner);

    /// <summary>Seven bits a byte, lowest first; the shortest form, so that it is canonical.</summary>
    private static void WriteCount(Span<byte> into, ref int at, long count)
    {
        var rest = (ulong)count;
        while (rest >= 0x80)
        {
            into[at++] = (byte)(rest | 0x80);
            rest >>= 7;
        }

        into[at++] = (byte)rest;
    }

    private static long ReadCount(ReadOnlySpan<byte> from, ref int at)
    {
        ulong count = 0;
        for (var shift = 0; shift < 63; shift += 7)
        {
            var part = from[at++];
            count |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80) return (long)count;
        }

        throw new OverflowException();
    }

    private static void WriteNumber(Span<byte> into, ref int at, double value)
    {
        BinaryPrimitives.WriteDoubleLittleEndian(into[at..], value);
        at += sizeof(double);
    }

    private static double ReadNumber(ReadOnlySpan<byte> from, ref int at)
    {
        var value = BinaryPrimitives.ReadDoubleLittleEndian(from[at..]);
        at += sizeof(double);
        return value;
    }

    private sealed class Rows() : CellState(MeasureFunction.Count)
    {
        protected override bool Include(double value, long time, byte[]? key) => true;

        protected override void Include(CellState other)
        {
        }

        protected override bool Exclude(double value, long time, byte[]? key) => true;

        protected override void Empty(double value, long time, byte[]? key)
        {
        }

        protected override double Read() => Count;

        protected override void Write(Span<byte> into, ref int at)
        {
        }

        protected override void Read(ReadOnlySpan<byte> from, ref int at)
        {
        }

        protected override CellState Copy() => new Rows();
    }

    private sealed class Total(MeasureFunction function) : CellState(function)
    {
        private ExactSum _sum = new();

        protected override int MaxBytes => 64 + _sum.MaxBytes;

        protected override bool Include(double value, long time, byte[]? key)
        {
            _sum.Add(value);
            return true;
        }

        protected override void Include(CellState other) => _sum.Add(((Total)other)._sum);

        protected override bool Exclude(double value, long time, byte[]? key)
        {
            _sum.Subtract(value);
            return true;
        }

        // The sum of what remains, nothing, is checked: another value than the one added would stay in it for ever.
        protected override void Empty(double value, long time, byte[]? key)
        {
            var rest = _sum.Clone();
            rest.Subtract(value);
            if (rest.Round() != 0) throw NotInside(Function);
            _sum = new();
        }

        protected override double Read() => Function == MeasureFunction.Mean ? _sum.Round() / Count : _sum.Round();

        protected override void Write(Span<byte> into, ref int at) => at += _sum.WriteTo(into[at..]);

        protected override void Read(ReadOnlySpan<byte> from, ref int at)
        {
            _sum = ExactSum.ReadFrom(from[at..], out var read);
            at += read;
        }

        protected override CellState Copy() => new Total(Function) { _sum = _sum.Clone() };
    }

    /// <summary>Minimum or maximum with the number of rows that stand at it.</summary>
    private sealed class Extreme(MeasureFunction function) : CellState(function)
    {
        private double _value;
        private long _rows;

        protected override bool Include(double value, long time, byte[]? key) => Include(value, 1);

        protected override void Include(CellState other) => Include(((Extreme)other)._value, ((Extreme)other)._rows);

        protected override bool Exclude(double value, long time, byte[]? key)
        {
            if (Beyond(value)) throw NotInside(Function);
            if (value != _value) return _rows < Count ? true : throw NotInside(Function);
            if (_rows == 1) return false;
            _rows--;
            return true;
        }

        protected override void Empty(double value, long time, byte[]? key)
        {
            if (value != _value) throw NotInside(Function);
            (_value, _rows) = (0, 0);
        }

        protected override bool Supersede(long oldTime, byte[]? oldKey, double newValue, long newTime, byte[]? newKey)
        {
            if (newValue != _value && !Beyond(newValue)) return false;

            // Whatever comes next is at least as extreme as all that remain, none of which stands at the present value.
            _value = newValue;
            _rows = 0;
            Count--;
            return true;
        }

        protected override double Read() => _value;

        protected override void Write(Span<byte> into, ref int at)
        {
            WriteNumber(into, ref at, _value);
            WriteCount(into, ref at, _rows);
        }

        protected override void Read(ReadOnlySpan<byte> from, ref int at)
        {
            _value = ReadNumber(from, ref at);
            _rows = ReadCount(from, ref at);
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

    /// <summary>The row that is last by time, then by key.</summary>
    private sealed class Final() : CellState(MeasureFunction.Last)
    {
        private long _time;
        private byte[] _key = [];
        private double _value;

        protected override int MaxBytes => 64 + _key.Length;

        protected override bool Include(double value, long time, byte[]? key)
        {
            ArgumentNullException.ThrowIfNull(key);
            if (!IsEmpty && Compare(time, key) <= 0) return false;
            (_time, _key, _value) = (time, key, value);
            return true;
        }

        protected override void Include(CellState other)
        {
            var last = (Final)other;
            Include(last._value, last._time, last._key);
        }

        protected override bool Exclude(double value, long time, byte[]? key)
        {
            var order = Compare(time, key);
            return order > 0 ? throw NotInside(Function) : order < 0;
        }

        protected override void Empty(double value, long time, byte[]? key)
        {
            if (Compare(time, key) != 0) throw NotInside(Function);
            (_time, _key, _value) = (0, [], 0);
        }

        protected override bool Supersede(long oldTime, byte[]? oldKey, double newValue, long newTime, byte[]? newKey)
        {
            if (Compare(newTime, newKey) < 0) return false;

            // The row itself again or a later one: nothing that remains can be after it.
            (_time, _key) = (long.MinValue, []);
            Count--;
            return true;
        }

        protected override double Read() => _value;

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
            var length = (int)ReadCount(from, ref at);
            _key = from.Slice(at, length).ToArray();
            at += length;
        }

        protected override CellState Copy() => new Final { _time = _time, _key = _key, _value = _value };

        /// <summary>Where a row stands against the current one: later, the same, earlier.</summary>
        private int Compare(long time, byte[]? key)
        {
            ArgumentNullException.ThrowIfNull(key);
            return time != _time ? time.CompareTo(_time) : key.AsSpan().SequenceCompareTo(_key);
        }
    }
}
