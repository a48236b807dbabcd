namespace DataHub.Indicators;

/// <summary>A value before disclosure control, rounding and target.</summary>
/// <param name="Value">Null where there is none.</param>
/// <param name="Count">Rows behind it; for open records the records.</param>
/// <param name="Suppressed">Made of something that is suppressed.</param>
/// <param name="Lack">Why a formula has no value, where it has none; what is missing has no rows that disclosure could be about.</param>
internal readonly record struct Derived(double? Value, long Count, SeriesCoverage? Coverage = null, bool Suppressed = false, ValueState? Lack = null);

/// <summary>The values of a query, each computed when it is asked for.</summary>
internal abstract class DerivedValues
{
    /// <summary>Whether new values appear as time passes although nothing is pushed.</summary>
    public virtual bool GrowWithTime => false;

    /// <summary>Places with a value behind a cursor, by window, area, dimensions. A value must be asked for before the next place.</summary>
    public abstract IEnumerable<CellRollUp.Place> After(CellRollUp.Place? cursor);

    /// <summary>The value at a place that <see cref="After"/> named.</summary>
    public abstract Derived At(CellRollUp.Place place);

    /// <summary>Areas with a value in any window, each once.</summary>
    public abstract IEnumerable<string> Areas { get; }

    /// <summary>The value at any place, of those outside the query's range too where their cells were read; null where there is none.</summary>
    public abstract Derived? Find(CellRollUp.Place place);
}

/// <summary>What the cells of one place come to. Most stand alone: their bytes are read only when a page needs them or another is merged in.</summary>
internal sealed class PlaceCell(MeasureFunction function, byte[] only)
{
    private CellState? _cell;

    public CellState Cell => _cell ??= CellState.FromBytes(function, only);

    public void Add(byte[] other) => Cell.Merge(CellState.FromBytes(function, other));
}
