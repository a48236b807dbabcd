using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Indicators;

/// <summary>
/// The cells that rows of history make, by the fold's own code: what <see cref="DefinitionFold"/> does with a batch of new
/// rows. Knows memory only.
/// </summary>
internal sealed class RowCells(IndicatorDefinition definition)
{
    private readonly DefinitionFold _fold = new(definition);
    private long _sequence;

    /// <summary>Adds rows.</summary>
    public void Add(CompiledContract contract, RowBlock rows) => Apply(contract, Batch(contract, rows));

    /// <summary>Forgets the cells of windows that do not begin in [from, to): whoever goes through all rows for some windows needs no others.</summary>
    /// <returns>How many cells remain.</returns>
    public int Keep(long from, long to)
    {
        _fold.Keep(from, to);
        return _fold.HotCells;
    }

    /// <summary>Adds one row of a block.</summary>
    /// <returns>The cells it went into, until the next call.</returns>
    public IReadOnlyCollection<Cell> AddOne(CompiledContract contract, RowBlock rows, int row)
    {
        _fold.Dirty.Clear();
        _fold.AddOne(rows, row, contract, ++_sequence);
        return _fold.Dirty;
    }

    /// <summary>What a block's only row brings into which cells, for cells that hold nothing else; nothing is added.</summary>
    public IReadOnlyList<CellValue> Parts(CompiledContract contract, RowBlock row)
    {
        var parts = AddOne(contract, row, 0).Select(cell => cell.ToValue()).ToArray();
        Apply(contract, new()
        {
            Shard = 0,
            Position = ++_sequence,
            Partition = "",
            Sequence = _sequence,
            ContractVersion = contract.Version,
            AreaVersion = 0,
            Rows = row,
            Changes = [RowChange.Retraction],
            BeforeOf = [0],
            Befores = row,
        });
        return parts;
    }

    /// <summary>All cells that have rows.</summary>
    public IEnumerable<CellValue> Cells => _fold.Resident(long.MinValue, long.MaxValue).Where(cell => !cell.IsEmpty).Select(cell => cell.ToValue());

    private void Apply(CompiledContract contract, LogBatch batch) => _fold.Apply(batch, contract, new(contract, batch));

    private LogBatch Batch(CompiledContract contract, RowBlock rows)
    {
        var none = new int[rows.Count];
        Array.Fill(none, -1);
        return new()
        {
            Shard = 0,
            Position = ++_sequence,
            Partition = "",
            Sequence = _sequence,
            ContractVersion = contract.Version,
            AreaVersion = 0,
            Rows = rows,
            Changes = new RowChange[rows.Count],
            BeforeOf = none,
        };
    }
}

/// <summary>Where rows lie in time that can be in a definition's windows. Pure.</summary>
internal static class PastRange
{
    /// <summary>Windows (begins from and before) whose cells a value in a window is made of.</summary>
    public static (long From, long To) OfCells(IndicatorSpec spec, CalendarWindows windows, long window) =>
        (spec.Function == MeasureFunction.Open ? long.MinValue : ReadRange.Before(windows, window, SlidingWindows.Of(spec) - 1), window + 1);

    /// <summary>Times of rows (ticks, from and before) that can be in windows which begin in [from, to).</summary>
    public static (long From, long To) OfRows(IndicatorSpec spec, CalendarWindows windows, long from, long to)
    {
        // A life cycle is counted when it ends, or as long as it lasts: its rows' times say nothing of the window.
        if (IsOfLifeCycles(spec)) return (long.MinValue, long.MaxValue);
        return (from, to >= DateTime.MaxValue.Ticks ? long.MaxValue : to <= from ? from : windows.Next(windows.Floor(Math.Max(to - 1, 0))));
    }

    private static bool IsOfLifeCycles(IndicatorSpec spec) => spec.Function == MeasureFunction.Open || spec.Field == IndicatorSpec.DurationField;
}
