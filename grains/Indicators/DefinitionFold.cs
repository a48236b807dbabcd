using System.Text.Encodings.Web;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Indicators;

/// <summary>The cells of one definition in one partition, and how a batch moves them. Knows memory only; whoever drives it loads and stores.</summary>
internal sealed class DefinitionFold(IndicatorDefinition definition)
{
    /// <summary>Windows whose last change is remembered; about 50 bytes each.</summary>
    private const int MaxTouched = 10_000;

    private readonly IndicatorSpec _spec = definition.Spec;
    private readonly CalendarWindows _windows = CalendarWindows.Parse(definition.Spec.Window, definition.Spec.TimeZone);
    private readonly Dictionary<long, WindowCells> _cells = [];
    private readonly Dictionary<string, string> _dimensionTexts = [];
    private readonly Dictionary<long, long> _touched = [];
    private readonly Contribution[] _old = new Contribution[2];
    private readonly Contribution[] _new = new Contribution[2];
    private Layout? _layout;
    private readonly List<WindowCells> _warm = [];
    private long _touch;
    private long _settled;
    private long _lastTouched = long.MinValue;

    public IndicatorDefinition Definition => definition;

    public CalendarWindows Windows => _windows;

    /// <summary>Folded up to here.</summary>
    public long Sequence { get; set; }

    /// <summary>Stored up to here; −1: nothing was ever stored.</summary>
    public long StoredSequence { get; set; } = -1;

    /// <summary>Its fill from history, under way or done; null: folded from the log alone.</summary>
    public DefinitionFill? Fill { get; set; }

    public bool IsFilling => Fill is { } fill && Sequence < fill.AsOf;

    /// <summary>Greatest window begin that any cell ever had.</summary>
    public long LastWindow { get; set; } = long.MinValue;

    /// <summary>Every window that exists and begins at or after this instant is in memory.</summary>
    public long ResidentFrom { get; set; } = long.MinValue;

    public long Accepted { get; set; }

    public DateTimeOffset ReceivedAt { get; set; }

    /// <summary>Whether a cell changed since the indicator's grain was last told.</summary>
    public bool ChangedSinceTold { get; set; }

    /// <summary>After this sequence every window with a changed cell is known in memory.</summary>
    public long TouchedKnownAfter { get; set; }

    /// <summary>Cells in memory.</summary>
    public int HotCells { get; private set; }

    /// <summary>Bytes that they take, about; what changed since <see cref="Settle"/> is not in it yet.</summary>
    public long HotBytes { get; private set; }

    public HashSet<Cell> Dirty { get; } = [];

    /// <summary>Cells whose minimum, maximum or last was taken away and must be read from history.</summary>
    public HashSet<Cell> Broken { get; } = [];

    /// <summary>Begins of the windows the batch touches that are not in memory and may exist in the store.</summary>
    public void CollectMissing(LogBatch batch, CompiledContract contract, HashSet<long> missing)
    {
        var layout = LayoutOf(contract);
        Scan(batch.Rows, row => batch.Changes[row] != RowChange.Retraction);
        Scan(batch.Befores, static _ => true);

        void Scan(RowBlock rows, Func<int, bool> counts)
        {
            Span<(long Time, double Value)> marks = stackalloc (long, double)[2];
            for (var row = 0; row < rows.Count; row++)
            {
                if (!counts(row)) continue;
                foreach (ref readonly var mark in marks[..Marks(rows, row, layout, marks)])
                {
                    var window = _windows.Floor(mark.Time);
                    if (window < ResidentFrom && !_cells.ContainsKey(window)) missing.Add(window);
                }
            }
        }
    }

    /// <summary>New values in; for a correction the replaced out and the new in; for a retraction the replaced out.</summary>
    /// <param name="series">The batch's series, shared by all definitions.</param>
    public void Apply(LogBatch batch, CompiledContract contract, SeriesOfBatch series)
    {
        var layout = LayoutOf(contract);
        for (var row = 0; row < batch.Rows.Count; row++)
        {
            var before = batch.BeforeOf[row];
            var olds = before < 0 ? 0 : Find(batch.Befores, before, layout, _spec.Coverage is true ? series.Befores : null, _old);
            var news = batch.Changes[row] == RowChange.Retraction ? 0 : Find(batch.Rows, row, layout, _spec.Coverage is true ? series.Rows : null, _new);
            if (olds == 1 && news == 1 && _old[0].Cell == _new[0].Cell)
            {
                var (o, n) = (_old[0], _new[0]);
                if (Changing(o.Cell, batch.Sequence) is { } state
                    && state.Replace(o.Value, o.Time, o.Key, n.Value, n.Time, n.Key, o.Hash, n.Hash, o.Series, n.Series) == RemoveResult.NeedsRecompute) Broken.Add(o.Cell);
                continue;
            }

            foreach (var gone in _old.AsSpan(0, olds))
            {
                if (Changing(gone.Cell, batch.Sequence)?.Remove(gone.Value, gone.Time, gone.Key, gone.Hash, gone.Series) == RemoveResult.NeedsRecompute) Broken.Add(gone.Cell);
            }

            foreach (var come in _new.AsSpan(0, news)) Changing(come.Cell, batch.Sequence)?.Add(come.Value, come.Time, come.Key, come.Hash, come.Series);
        }

        Accepted += batch.Accepted;
    }

    /// <summary>Adds one row of a block, as a batch with this new row alone would.</summary>
    public void AddOne(RowBlock rows, int row, CompiledContract contract, long sequence)
    {
        var series = _spec.Coverage is true ? SeriesHash.Of(contract, rows, row) : 0;
        foreach (var come in _new.AsSpan(0, Find(rows, row, LayoutOf(contract), null, _new))) Changing(come.Cell, sequence)?.Add(come.Value, come.Time, come.Key, come.Hash, series);
    }

    /// <summary>A cell's state from all rows with a time in its window, those that do not belong into it too; for rebuilding a cell from history.</summary>
    public CellState Rebuild(Cell cell, CompiledContract contract, RowBlock rows)
    {
        var layout = LayoutOf(contract);
        var state = NewState();
        Span<(long Time, double Value)> marks = stackalloc (long, double)[2];
        for (var row = 0; row < rows.Count; row++)
        {
            if (AreaOf(rows, row) != cell.Area || DimensionsOf(rows, row, layout) != cell.Dimensions) continue;
            foreach (ref readonly var mark in marks[..Marks(rows, row, layout, marks)])
            {
                if (_windows.Floor(mark.Time) == cell.Window)
                    state.Add(mark.Value, mark.Time, KeyOf(rows, row, layout), HashOf(rows, row, layout), _spec.Coverage is true ? SeriesHash.Of(contract, rows, row) : 0);
            }
        }

        return state;
    }

    /// <summary>A cell without rows.</summary>
    public CellState NewState() => CellState.Create(_spec.Function, _spec.Coverage is true);

    /// <summary>Puts a whole window into memory as it is stored.</summary>
    public void Load(long window, IEnumerable<StoredCell> stored)
    {
        var cells = new WindowCells(window) { Touched = ++_touch };
        foreach (var cell in stored)
        {
            var loaded = new Cell(this, window, cell.Area, cell.Dimensions, cell.State) { Sequence = cell.Sequence };
            cells.Add(loaded);
            Weigh(loaded, cells);
        }

        _cells[window] = cells;
        HotCells += cells.Count;
    }

    /// <summary>The state of a cell of this definition from its canonical bytes.</summary>
    public CellState StateOf(byte[] bytes) => CellState.FromBytes(_spec.Function, bytes, _spec.Coverage is true);

    /// <summary>
    /// Notes that everything is stored. What has not changed since this was last called is kept as its bytes alone: most windows never
    /// change again, and their states are several times as large.
    /// </summary>
    public void Settle()
    {
        foreach (var cell in Dirty) Weigh(cell, _cells[cell.Window]);
        Dirty.Clear();
        _settled++;
        _warm.RemoveAll(cells =>
        {
            if (cells.Changed >= _settled - 1) return false;
            foreach (var cell in cells.All)
            {
                cell.Freeze();
                Weigh(cell, cells);
            }

            cells.IsWarm = false;
            return true;
        });
    }

    public bool IsResident(long window) => window >= ResidentFrom || _cells.ContainsKey(window);

    /// <summary>Cells in memory whose windows begin in [from, to), in no order.</summary>
    public IEnumerable<Cell> Resident(long from, long to)
    {
        if (to == from + 1)
        {
            if (!_cells.TryGetValue(from, out var single)) yield break;
            single.Touched = ++_touch;
            foreach (var cell in single.All) yield return cell;
            yield break;
        }

        foreach (var (window, cells) in _cells)
        {
            if (window < from || window >= to) continue;
            cells.Touched = ++_touch;
            foreach (var cell in cells.All) yield return cell;
        }
    }

    /// <summary>Takes the longest untouched windows out of memory that hold nothing unstored, down to both limits.</summary>
    public void Evict(int maxCells, long maxBytes)
    {
        if (HotCells <= maxCells && HotBytes <= maxBytes) return;
        var fewerCells = HotCells - (HotCells <= maxCells ? maxCells : maxCells * 3 / 4);
        var fewerBytes = HotBytes - maxBytes;
        var going = new List<WindowCells>();
        foreach (var window in _cells.Values.OrderBy(cells => cells.Touched))
        {
            if (fewerCells <= 0 && fewerBytes <= 0) break;
            if (window.All.Any(cell => Dirty.Contains(cell))) continue;
            going.Add(window);
            fewerCells -= window.Count;
            fewerBytes -= window.Bytes;
            if (window.Window >= ResidentFrom) ResidentFrom = window.Window + 1;
        }

        Remove(going);
    }

    /// <summary>Takes every window out of memory that does not begin in [from, to), stored or not, and forgets what changed.</summary>
    public void Keep(long from, long to)
    {
        Dirty.Clear();
        Remove(_cells.Values.Where(cells => cells.Window < from || cells.Window >= to).ToArray());
    }

    /// <summary>
    /// Windows in [from, to) with cells changed after a sequence, as far as memory knows: all where that is not before
    /// <see cref="TouchedKnownAfter"/>, else those that the store may not know.
    /// </summary>
    public HashSet<long> TouchedWindows(long after, long from, long to)
    {
        var windows = new HashSet<long>();
        foreach (var (window, sequence) in _touched)
        {
            if (sequence > after && window >= from && window < to) windows.Add(window);
        }

        if (after < TouchedKnownAfter)
        {
            foreach (var cell in Dirty)
            {
                if (cell.Sequence > after && cell.Window >= from && cell.Window < to) windows.Add(cell.Window);
            }
        }

        return windows;
    }

    private void Remove(IReadOnlyCollection<WindowCells> going)
    {
        foreach (var window in going)
        {
            _cells.Remove(window.Window);
            window.IsWarm = false;
            HotCells -= window.Count;
            HotBytes -= window.Bytes;
        }

        // All at once: looked for one by one, each of them would cost a walk through all.
        _warm.RemoveAll(static cells => !cells.IsWarm);
    }

    private void Weigh(Cell cell, WindowCells window)
    {
        var more = cell.Weigh();
        window.Bytes += more;
        HotBytes += more;
    }

    private Layout LayoutOf(CompiledContract contract) => _layout?.Contract == contract ? _layout : _layout = new(contract, _spec);

    /// <summary>The cells a row belongs into, with what it brings to each.</summary>
    /// <param name="series">Hashes of the rows' series; null where they are not counted.</param>
    /// <returns>How many of <paramref name="into"/> were filled; 0 where the row has no measured value or no time.</returns>
    private int Find(RowBlock rows, int row, Layout layout, int[]? series, Contribution[] into)
    {
        Span<(long Time, double Value)> marks = stackalloc (long, double)[2];
        var found = Marks(rows, row, layout, marks);
        if (found == 0) return 0;
        var (area, dimensions, key, hash) = (AreaOf(rows, row), DimensionsOf(rows, row, layout), KeyOf(rows, row, layout), HashOf(rows, row, layout));
        for (var i = 0; i < found; i++)
        {
            into[i] = new(CellOf(_windows.Floor(marks[i].Time), area, dimensions), marks[i].Value, marks[i].Time, key, hash, series?[row] ?? 0);
        }

        return found;
    }

    /// <summary>
    /// When a row counts and with which value: once at its time; a duration once when its record is closed; an open record
    /// as +1 when it was opened and as −1 when it was closed. Never where the filter is not true of it.
    /// </summary>
    private static int Marks(RowBlock rows, int row, Layout layout, Span<(long Time, double Value)> into)
    {
        if (layout.Filter is { } filter && !filter(rows, row)) return 0;
        var contract = layout.Contract;
        if (layout.Measures == Measured.Field)
        {
            var time = contract.TimeTicks(rows, row);
            if (time == long.MinValue || !TryMeasure(rows, row, layout, out var value)) return 0;
            into[0] = (time, value);
            return 1;
        }

        if (contract.OpenedField < 0) return 0;
        var opened = contract.InstantTicks(rows, row, contract.OpenedField);

        // A contract of before the field was added: nothing had been closed.
        var closed = contract.ClosedField < 0 ? long.MinValue : contract.InstantTicks(rows, row, contract.ClosedField);
        if (opened == long.MinValue) return 0;
        if (layout.Measures == Measured.Duration)
        {
            if (closed == long.MinValue) return 0;
            into[0] = (closed, (closed - opened) / (double)TimeSpan.TicksPerSecond);
            return 1;
        }

        into[0] = (opened, 1);
        if (closed == long.MinValue) return 1;
        into[1] = (closed, -1);
        return 2;
    }

    /// <summary>The state of a cell that is about to change; null where it is read from history at the end of the run anyway.</summary>
    private CellState? Changing(Cell cell, long sequence)
    {
        // Rows of a batch mostly fall into the same window.
        if (cell.Window != _lastTouched || cell.Sequence != sequence) Touch(cell.Window, sequence);
        cell.Sequence = sequence;
        Dirty.Add(cell);
        ChangedSinceTold = true;
        return Broken.Contains(cell) ? null : cell.Writable();
    }

    private void Touch(long window, long sequence)
    {
        if (_touched.Count >= MaxTouched && !_touched.ContainsKey(window))
        {
            _touched.Clear();
            TouchedKnownAfter = sequence;
        }

        _touched[window] = sequence;
        _lastTouched = window;
    }

    private Cell CellOf(long window, string area, string dimensions)
    {
        if (!_cells.TryGetValue(window, out var cells))
        {
            if (window < ResidentFrom) throw new InvalidOperationException($"window {window} of {definition.Indicator} is not in memory");
            _cells[window] = cells = new(window) { Touched = ++_touch };
            if (window > LastWindow) LastWindow = window;
        }

        cells.Touched = _touch;
        cells.Changed = _settled;
        if (!cells.IsWarm)
        {
            cells.IsWarm = true;
            _warm.Add(cells);
        }

        if (cells.Find(area, dimensions) is { } cell) return cell;
        cell = new(this, window, area, dimensions, bytes: null) { State = NewState() };
        cells.Add(cell);
        HotCells++;
        return cell;
    }

    private static bool TryMeasure(RowBlock rows, int row, Layout layout, out double value)
    {
        value = 0;
        if (layout.Measure < 0) return layout.CountsEvery;
        var column = rows.Columns[layout.Measure];
        if (layout.CountsOnly || layout.IsDistinct) return !column.IsNull(row);
        value = column.AsNumber(row);
        return !double.IsNaN(value);
    }

    private string AreaOf(RowBlock rows, int row) => _spec.ByArea ? rows.AreaId(row) ?? "" : "";

    private byte[]? KeyOf(RowBlock rows, int row, Layout layout) =>
        _spec.Function == MeasureFunction.Last ? RowKeys.Key(layout.Contract, rows, row) : null;

    private static ulong HashOf(RowBlock rows, int row, Layout layout) =>
        layout.IsDistinct ? DistinctHash.Of(DimensionText.Of(layout.Contract, rows, row, layout.Measure)) : 0;

    private string DimensionsOf(RowBlock rows, int row, Layout layout)
    {
        if (layout.Dimensions.Length == 0) return "";
        if (layout.Dimensions.Length > 1) return Text([.. layout.Dimensions.Select(field => DimensionText.Of(layout.Contract, rows, row, field))]);

        var value = DimensionText.Of(layout.Contract, rows, row, layout.Dimensions[0]);
        if (value is null) return "[null]";
        if (_dimensionTexts.TryGetValue(value, out var text)) return text;
        if (_dimensionTexts.Count >= 10_000) _dimensionTexts.Clear();
        return _dimensionTexts[value] = Text([value]);
    }

    private static readonly JsonSerializerOptions DimensionJson = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Dimension values as cells name them.</summary>
    internal static string Text(string?[] values) => JsonSerializer.Serialize(values, DimensionJson);

    /// <summary>What of a row is measured.</summary>
    private enum Measured
    {
        /// <summary>A field's value, or that the row is there.</summary>
        Field = 0,

        /// <summary>The time from opened to closed.</summary>
        Duration = 1,

        /// <summary>That it was opened, and that it was closed.</summary>
        Open = 2,
    }

    /// <summary>What a row brings to one cell.</summary>
    private readonly record struct Contribution(Cell Cell, double Value, long Time, byte[]? Key, ulong Hash, int Series);

    /// <summary>Where the definition's fields lie in one contract version.</summary>
    private sealed class Layout(CompiledContract contract, IndicatorSpec spec)
    {
        public CompiledContract Contract => contract;

        /// <summary>Null: every row counts.</summary>
        public RowPredicate? Filter { get; } = spec.Filter is null ? null : RowPredicates.For(contract, spec.Filter);

        public Measured Measures { get; } =
            spec.Function == MeasureFunction.Open ? Measured.Open : spec.Field == IndicatorSpec.DurationField ? Measured.Duration : Measured.Field;

        /// <summary>−1: none is measured, or the contract is of before the field was added and its rows have no value.</summary>
        public int Measure { get; } = spec.Field is null ? -1 : contract.OrdinalOf(spec.Field);

        public bool CountsEvery { get; } = spec.Field is null;

        public bool CountsOnly { get; } = spec.Function == MeasureFunction.Count;

        public bool IsDistinct { get; } = spec.Function == MeasureFunction.Distinct;

        public int[] Dimensions { get; } = [.. spec.Dimensions.Select(contract.OrdinalOf)];
    }
}

/// <summary>One indicator, area, window and combination of dimensions in one partition.</summary>
/// <param name="bytes">Its state in canonical bytes; null: the state is set next.</param>
internal sealed class Cell(DefinitionFold fold, long window, string area, string dimensions, byte[]? bytes)
{
    /// <summary>Of this object and of its place in its window, in bytes.</summary>
    private const int OwnWeight = 160;

    // One of the two is there: the state is made of the bytes, and the bytes of the state, when asked for.
    private byte[]? _bytes = bytes;
    private CellState? _state;
    private int _weight;

    public DefinitionFold Fold => fold;

    public long Window => window;

    public string Area => area;

    public string Dimensions => dimensions;

    /// <summary>Of the batch that last changed it.</summary>
    public long Sequence { get; set; }

    public CellState State
    {
        get => _state ??= fold.StateOf(_bytes!);
        set => (_state, _bytes) = (value, null);
    }

    /// <summary>The state to be changed; its bytes are made anew when next asked for.</summary>
    public CellState Writable()
    {
        var state = State;
        _bytes = null;
        return state;
    }

    /// <summary>No row is in the cell.</summary>
    public bool IsEmpty => _state?.IsEmpty ?? _bytes!.Length == 0;

    /// <summary>Keeps the bytes alone until it changes again.</summary>
    public void Freeze()
    {
        _ = Bytes;
        _state = null;
    }

    /// <summary>Weighs it anew.</summary>
    /// <returns>How many bytes it takes more than when it was weighed last, about.</returns>
    public int Weigh()
    {
        var before = _weight;
        _weight = OwnWeight + (_bytes?.Length ?? 0) + (_state?.Weight ?? 0);
        return _weight - before;
    }

    /// <summary>Canonical bytes; empty where no row is in the cell.</summary>
    public byte[] Bytes => _bytes ??= _state!.IsEmpty ? [] : _state.ToBytes();

    /// <summary>As it is answered.</summary>
    public CellValue ToValue() => new(area, window, dimensions, Bytes, Sequence);
}

/// <summary>All cells of one window.</summary>
internal sealed class WindowCells(long window)
{
    private readonly Dictionary<(string Area, string Dimensions), Cell> _cells = [];

    public long Window => window;

    public long Touched { get; set; }

    /// <summary>When a cell changed last, counted in times that everything was stored.</summary>
    public long Changed { get; set; }

    /// <summary>It is not known to have stood still.</summary>
    public bool IsWarm { get; set; }

    /// <summary>What its cells take in memory, about.</summary>
    public long Bytes { get; set; }

    public int Count => _cells.Count;

    public IEnumerable<Cell> All => _cells.Values;

    public Cell? Find(string area, string dimensions) => _cells.GetValueOrDefault((area, dimensions));

    public void Add(Cell cell) => _cells.Add((cell.Area, cell.Dimensions), cell);
}
