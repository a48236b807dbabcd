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
    private Layout? _layout;
    private long _touch;
    private long _lastTouched = long.MinValue;

    public IndicatorDefinition Definition => definition;

    public CalendarWindows Windows => _windows;

    /// <summary>Folded up to here.</summary>
    public long Sequence { get; set; }

    /// <summary>Stored up to here; −1: nothing was ever stored.</summary>
    public long StoredSequence { get; set; } = -1;

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

    public int HotCells { get; private set; }

    public HashSet<Cell> Dirty { get; } = [];

    /// <summary>Cells whose minimum, maximum or last was taken away and must be read from history.</summary>
    public HashSet<Cell> Broken { get; } = [];

    /// <summary>Begins of the windows the batch touches that are not in memory and may exist in the store.</summary>
    public void CollectMissing(LogBatch batch, CompiledContract contract, HashSet<long> missing)
    {
        Scan(batch.Rows, row => batch.Changes[row] != RowChange.Retraction);
        Scan(batch.Befores, static _ => true);

        void Scan(RowBlock rows, Func<int, bool> counts)
        {
            for (var row = 0; row < rows.Count; row++)
            {
                if (!counts(row)) continue;
                var time = contract.TimeTicks(rows, row);
                if (time == long.MinValue) continue;
                var window = _windows.Floor(time);
                if (window < ResidentFrom && !_cells.ContainsKey(window)) missing.Add(window);
            }
        }
    }

    /// <summary>New values in; for a correction the replaced out and the new in; for a retraction the replaced out.</summary>
    public void Apply(LogBatch batch, CompiledContract contract)
    {
        if (_layout is null || _layout.Contract != contract) _layout = new(contract, _spec);
        for (var row = 0; row < batch.Rows.Count; row++)
        {
            var before = batch.BeforeOf[row];
            var old = before < 0 ? null : Find(batch.Befores, before, _layout);
            var fresh = batch.Changes[row] == RowChange.Retraction ? null : Find(batch.Rows, row, _layout);
            if (old is { } o && fresh is { } f && o.Cell == f.Cell)
            {
                if (Changing(o.Cell, batch.Sequence) is { } state && state.Replace(o.Value, o.Time, o.Key, f.Value, f.Time, f.Key) == RemoveResult.NeedsRecompute) Broken.Add(o.Cell);
                continue;
            }

            if (old is { } gone && Changing(gone.Cell, batch.Sequence) is { } lessened && lessened.Remove(gone.Value, gone.Time, gone.Key) == RemoveResult.NeedsRecompute) Broken.Add(gone.Cell);
            if (fresh is { } come) Changing(come.Cell, batch.Sequence)?.Add(come.Value, come.Time, come.Key);
        }

        Accepted += batch.Accepted;
    }

    /// <summary>Whether a row belongs into a cell, and the cell's state with it; for rebuilding a cell from history.</summary>
    public CellState Rebuild(Cell cell, CompiledContract contract, RowBlock rows)
    {
        var layout = new Layout(contract, _spec);
        var state = CellState.Create(_spec.Function);
        for (var row = 0; row < rows.Count; row++)
        {
            if (AreaOf(rows, row) != cell.Area || DimensionsOf(rows, row, layout) != cell.Dimensions) continue;
            if (!TryMeasure(rows, row, layout, out var value)) continue;
            state.Add(value, contract.TimeTicks(rows, row), KeyOf(rows, row, layout));
        }

        return state;
    }

    /// <summary>Puts a whole window into memory as it is stored.</summary>
    public void Load(long window, IEnumerable<StoredCell> stored)
    {
        var cells = new WindowCells(window) { Touched = ++_touch };
        foreach (var cell in stored)
        {
            cells.Add(new(this, window, cell.Area, cell.Dimensions)
            {
                Sequence = cell.Sequence,
                State = cell.State.Length == 0 ? CellState.Create(_spec.Function) : CellState.FromBytes(_spec.Function, cell.State),
            });
        }

        _cells[window] = cells;
        HotCells += cells.Count;
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

    /// <summary>Takes the longest untouched windows out of memory that hold nothing unstored, down to the limit.</summary>
    public void Evict(int maxCells)
    {
        if (HotCells <= maxCells) return;
        foreach (var window in _cells.Values.OrderBy(cells => cells.Touched).ToArray())
        {
            if (HotCells <= maxCells * 3 / 4) return;
            if (window.All.Any(cell => Dirty.Contains(cell))) continue;
            _cells.Remove(window.Window);
            HotCells -= window.Count;
            if (window.Window >= ResidentFrom) ResidentFrom = window.Window + 1;
        }
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

    /// <summary>The cell a row belongs into, with what it brings; null where it has no measured value or no time.</summary>
    private (Cell Cell, double Value, long Time, byte[]? Key)? Find(RowBlock rows, int row, Layout layout)
    {
        if (!TryMeasure(rows, row, layout, out var value)) return null;
        var time = layout.Contract.TimeTicks(rows, row);
        if (time == long.MinValue) return null;
        return (CellOf(_windows.Floor(time), AreaOf(rows, row), DimensionsOf(rows, row, layout)), value, time, KeyOf(rows, row, layout));
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
        if (cells.Find(area, dimensions) is { } cell) return cell;
        cell = new(this, window, area, dimensions) { State = CellState.Create(_spec.Function) };
        cells.Add(cell);
        HotCells++;
        return cell;
    }

    private static bool TryMeasure(RowBlock rows, int row, Layout layout, out double value)
    {
        value = 0;
        if (layout.Measure < 0) return true;
        var column = rows.Columns[layout.Measure];
        if (layout.CountsOnly) return !column.IsNull(row);
        value = column.AsNumber(row);
        return !double.IsNaN(value);
    }

    private string AreaOf(RowBlock rows, int row) => _spec.ByArea ? rows.AreaId(row) ?? "" : "";

    private byte[]? KeyOf(RowBlock rows, int row, Layout layout) =>
        _spec.Function == MeasureFunction.Last ? RowKeys.Key(layout.Contract, rows, row) : null;

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

    /// <summary>Where the definition's fields lie in one contract version.</summary>
    private sealed class Layout(CompiledContract contract, IndicatorSpec spec)
    {
        public CompiledContract Contract => contract;

        /// <summary>−1: every row counts.</summary>
        public int Measure { get; } = spec.Field is null ? -1 : contract.OrdinalOf(spec.Field);

        public bool CountsOnly { get; } = spec.Function == MeasureFunction.Count;

        public int[] Dimensions { get; } = [.. spec.Dimensions.Select(contract.OrdinalOf)];
    }
}

/// <summary>One indicator, area, window and combination of dimensions in one partition.</summary>
internal sealed class Cell(DefinitionFold fold, long window, string area, string dimensions)
{
    private byte[]? _bytes;
    private CellState _state = null!;

    public DefinitionFold Fold => fold;

    public long Window => window;

    public string Area => area;

    public string Dimensions => dimensions;

    /// <summary>Of the batch that last changed it.</summary>
    public long Sequence { get; set; }

    public CellState State
    {
        get => _state;
        set => (_state, _bytes) = (value, null);
    }

    /// <summary>The state to be changed; its bytes are made anew when next asked for.</summary>
    public CellState Writable()
    {
        _bytes = null;
        return _state;
    }

    /// <summary>Canonical bytes; empty where no row is in the cell.</summary>
    public byte[] Bytes => _bytes ??= _state.IsEmpty ? [] : _state.ToBytes();

    /// <summary>As it is answered.</summary>
    public CellValue ToValue() => new(area, window, dimensions, Bytes, Sequence);
}

/// <summary>All cells of one window.</summary>
internal sealed class WindowCells(long window)
{
    private readonly Dictionary<(string Area, string Dimensions), Cell> _cells = [];

    public long Window => window;

    public long Touched { get; set; }

    public int Count => _cells.Count;

    public IEnumerable<Cell> All => _cells.Values;

    public Cell? Find(string area, string dimensions) => _cells.GetValueOrDefault((area, dimensions));

    public void Add(Cell cell) => _cells.Add((cell.Area, cell.Dimensions), cell);
}
