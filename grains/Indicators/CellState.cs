using System.Buffers;
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
internal abstract partial class CellState
{
    /// <summary>Version of the bytes' layout; their first byte.</summary>
    private const byte Layout = 1;

    /// <summary>The layout with the rows of each series behind the rest.</summary>
    private const byte LayoutWithSeries = 2;

    /// <summary>Of a count in <see cref="WriteCount"/>.</summary>
    private const int MaxCountBytes = 9;

    private SparseCounts? _series;

    private CellState(MeasureFunction function) => Function = function;

    public MeasureFunction Function { get; }

    /// <summary>Rows in the cell.</summary>
    public long Count { get; private set; }

    public bool IsEmpty => Count == 0;

    /// <summary>Bytes that it takes in memory, about.</summary>
    public int Weight => 128 + OwnWeight + (_series?.Weight ?? 0);

    /// <summary>Different series with a row in the cell; null where they are not counted.</summary>
    public int? Series => _series?.Keys;

    /// <summary>A cell without rows.</summary>
    /// <param name="series">Whether it counts series.</param>
    public static CellState Create(MeasureFunction function, bool series)
    {
        var cell = Create(function);
        if (series) cell._series = new();
        return cell;
    }

    /// <summary>A cell without rows that counts no series.</summary>
    public static CellState Create(MeasureFunction function) => function switch
    {
        MeasureFunction.Count => new Rows(),
        MeasureFunction.Sum or MeasureFunction.Mean => new Total(function),
        MeasureFunction.Min or MeasureFunction.Max => new Extreme(function),
        MeasureFunction.Last => new Final(),
        MeasureFunction.Stddev or MeasureFunction.StddevSample => new Spread(function),
        MeasureFunction.P50 or MeasureFunction.P90 or MeasureFunction.P95 or MeasureFunction.P99 => new Percentile(function),
        MeasureFunction.Distinct => new Different(),
        MeasureFunction.Open => new Balance(),
        _ => throw new ArgumentOutOfRangeException(nameof(function), function, "No cell is defined for this function."),
    };

    /// <summary>Adds a row.</summary>
    /// <param name="value">The measured value; any for <see cref="MeasureFunction.Count"/> and <see cref="MeasureFunction.Distinct"/>. −0 is 0.</param>
    /// <param name="time">Ticks of the row's time; only <see cref="MeasureFunction.Last"/> needs it.</param>
    /// <param name="key">The row's canonical key; only <see cref="MeasureFunction.Last"/> needs it.</param>
    /// <param name="hash"><see cref="DistinctHash"/> of the measured value; only <see cref="MeasureFunction.Distinct"/> needs it.</param>
    /// <param name="series"><see cref="SeriesHash"/> of the row's series; only a cell that counts series needs it.</param>
    /// <returns>Whether the value can have changed by it; the count always has.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The function cannot measure a value that no contract lets through.</exception>
    public bool Add(double value, long time, byte[]? key, ulong hash = 0, int series = 0)
    {
        var changed = Include(new Measured(value + 0.0, time, key, hash));
        _series?.Add(series, 1);
        Count++;
        return changed;
    }

    /// <summary>Takes away a row that was added before with these very arguments.</summary>
    /// <exception cref="InvalidOperationException">No such row can be in the cell.</exception>
    public RemoveResult Remove(double value, long time, byte[]? key, ulong hash = 0, int series = 0)
    {
        if (IsEmpty) throw new InvalidOperationException($"A row was to be removed from a cell ({Function}) that has none.");
        var row = new Measured(value + 0.0, time, key, hash);
        if (Count == 1) Empty(row);
        else if (!Exclude(row)) return RemoveResult.NeedsRecompute;
        RemoveSeries(series);
        Count--;
        return RemoveResult.Ok;
    }

    /// <summary>
    /// Takes away one row and adds another, as a correction does. Spares the recomputation where the new row takes the
    /// current one's place whatever the others are: a corrected last row, a minimum that became lower.
    /// </summary>
    /// <returns><see cref="RemoveResult.NeedsRecompute"/>: nothing has changed.</returns>
    public RemoveResult Replace(
        double oldValue, long oldTime, byte[]? oldKey, double newValue, long newTime, byte[]? newKey,
        ulong oldHash = 0, ulong newHash = 0, int oldSeries = 0, int newSeries = 0)
    {
        if (Remove(oldValue, oldTime, oldKey, oldHash, oldSeries) == RemoveResult.NeedsRecompute)
        {
            if (!Supersede(new(newValue + 0.0, newTime, newKey, newHash))) return RemoveResult.NeedsRecompute;
            RemoveSeries(oldSeries);
        }

        Add(newValue, newTime, newKey, newHash, newSeries);
        return RemoveResult.Ok;
    }

    /// <summary>Adds all rows of another cell of the same function; the other is not changed.</summary>
    /// <exception cref="ArgumentException">It is of another function.</exception>
    public void Merge(CellState other)
    {
        if (other.Function != Function) throw new ArgumentException($"A cell of {other.Function} cannot be merged into one of {Function}.", nameof(other));
        if (other._series is null != _series is null) throw new ArgumentException("Only one of the cells counts series.", nameof(other));
        if (other.IsEmpty) return;
        Include(other);
        _series?.Add(other._series!);
        Count += other.Count;
    }

    /// <summary>
    /// The measure's value; null where there are no rows, and for <see cref="MeasureFunction.StddevSample"/> also where
    /// there is only one: a single row says nothing about how far rows lie apart.
    /// </summary>
    public double? Value() => IsEmpty ? null : Read();

    /// <summary>The canonical bytes; none where there are no rows.</summary>
    public byte[] ToBytes()
    {
        if (IsEmpty) return [];
        var most = 1 + MaxCountBytes + MaxBytes + (_series is null ? 0 : (_series.Keys + 1) * 2 * MaxCountBytes);
        if (most <= 512) return Written(stackalloc byte[512]);

        var rented = ArrayPool<byte>.Shared.Rent(most);
        try
        {
            return Written(rented);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>Reads what <see cref="ToBytes"/> wrote for the same function, and nothing else: what is read is written back the same.</summary>
    /// <exception cref="FormatException">Not such bytes.</exception>
    /// <param name="series">Whether a cell without bytes counts series; the others say it themselves.</param>
    public static CellState FromBytes(MeasureFunction function, ReadOnlySpan<byte> bytes, bool series = false)
    {
        if (bytes.IsEmpty) return Create(function, series);
        var cell = Create(function);
        try
        {
            if (bytes[0] is not (Layout or LayoutWithSeries)) throw Malformed(function);
            var at = 1;
            cell.Count = ReadCount(bytes, ref at);
            if (cell.Count < 1) throw Malformed(function);
            cell.Read(bytes, ref at);
            if (bytes[0] == LayoutWithSeries) cell.ReadSeries(bytes, ref at);
            if (at != bytes.Length) throw Malformed(function);
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
        copy._series = _series?.Clone();
        return copy;
    }

    /// <summary>Of what the function keeps beside the number of rows, in bytes, about.</summary>
    protected virtual int OwnWeight => 64;

    /// <summary>Room that <see cref="Write"/> needs at most.</summary>
    protected virtual int MaxBytes => 0;

    private protected abstract bool Include(in Measured row);

    protected abstract void Include(CellState other);

    /// <summary>Takes a row away while others remain.</summary>
    /// <returns>False, with nothing changed, where only the others' values can say what the cell is now.</returns>
    private protected abstract bool Exclude(in Measured row);

    /// <summary>Takes the only row away.</summary>
    private protected abstract void Empty(in Measured row);

    /// <summary>Takes the current row away, one of several, if a row to be added next will be current in any case.</summary>
    private protected virtual bool Supersede(in Measured next) => false;

    protected abstract double? Read();

    protected abstract void Write(Span<byte> into, ref int at);

    protected abstract void Read(ReadOnlySpan<byte> from, ref int at);

    protected abstract CellState Copy();

    private byte[] Written(Span<byte> buffer)
    {
        buffer[0] = _series is null ? Layout : LayoutWithSeries;
        var at = 1;
        WriteCount(buffer, ref at, Count);
        Write(buffer, ref at);
        if (_series is not null) WriteSeries(_series, buffer, ref at);
        return buffer[..at].ToArray();
    }

    private void RemoveSeries(int series)
    {
        if (_series is not null && !_series.TryRemove(series)) throw NotInside(Function);
    }

    /// <summary>In ascending order the distance of each series' hash to the one before (of the first: to the least number) and its rows.</summary>
    private static void WriteSeries(SparseCounts series, Span<byte> into, ref int at)
    {
        long before = int.MinValue;
        foreach (var (hash, rows) in series)
        {
            WriteCount(into, ref at, hash - before);
            WriteCount(into, ref at, rows);
            before = hash;
        }
    }

    private void ReadSeries(ReadOnlySpan<byte> from, ref int at)
    {
        _series = new();
        long hash = int.MinValue;
        for (var left = Count; left > 0;)
        {
            var distance = ReadCount(from, ref at);
            var rows = ReadCount(from, ref at);
            hash = checked(hash + distance);
            if ((distance == 0 && _series.Keys > 0) || hash > int.MaxValue || rows < 1 || rows > left) throw Malformed(Function);
            _series.Append((int)hash, rows);
            left -= rows;
        }
    }

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
            if (part == 0 && shift > 0) break;
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
        return double.IsFinite(value) && !(value == 0 && double.IsNegative(value)) ? value : throw new OverflowException();
    }

    /// <summary>What a row brings into a cell; each function takes what it needs.</summary>
    private protected readonly record struct Measured(double Value, long Time, byte[]? Key, ulong Hash);
}
