namespace DataHub.Indicators;

/// <summary>The cells of the folds with each definition's position, changed together (design §2.5, I4).</summary>
internal interface ICellStore
{
    /// <summary>Where each definition stands in this partition; empty where nothing was folded.</summary>
    Task<IReadOnlyList<DefinitionPosition>> PositionsAsync(string partition, CancellationToken cancellationToken);

    /// <summary>
    /// Stores cells and positions in one transaction, if every definition named still stands where the caller thinks
    /// (<see cref="DefinitionMove.Expected"/>, −1: does not exist yet; and <see cref="DefinitionMove.ExpectedFill"/>).
    /// </summary>
    /// <returns>False if one stands elsewhere; nothing is stored then.</returns>
    Task<bool> FlushAsync(string partition, IReadOnlyList<DefinitionMove> moves, IReadOnlyList<StoredCell> cells, CancellationToken cancellationToken);

    /// <summary>Cells of a definition whose windows begin in [from, to), by window, area, dimensions; at most <paramref name="limit"/>.</summary>
    Task<IReadOnlyList<StoredCell>> ReadAsync(string partition, string indicator, int version, long from, long to, int limit, CancellationToken cancellationToken);

    /// <summary>Windows in [from, to) of which a stored cell changed after a sequence, in no order; at most <paramref name="limit"/>.</summary>
    Task<IReadOnlyList<long>> TouchedWindowsAsync(string partition, string indicator, int version, long after, long from, long to, int limit, CancellationToken cancellationToken);

    /// <summary>How many cells <see cref="ReadAsync"/> would answer with, counted no further than the limit.</summary>
    Task<int> CountAsync(string partition, string indicator, int version, long from, long to, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Forgets a definition's cells and position in this partition: at first, in one small transaction, so that nobody finds
    /// them; then for good, in bounded steps, between which others write.
    /// </summary>
    Task DropAsync(string partition, string indicator, int version, CancellationToken cancellationToken);

    /// <summary>Goes on with drops in this partition that a crash or an error broke off; without any it costs one look-up.</summary>
    Task FinishDropsAsync(string partition, CancellationToken cancellationToken);
}

/// <param name="Sequence">Folded and stored up to here.</param>
/// <param name="LastWindow">Greatest window begin (ticks) that any of its cells ever had; <see cref="long.MinValue"/> where it has none.</param>
/// <param name="Accepted">Accepted rows applied.</param>
internal sealed record DefinitionPosition(string Indicator, int Version, long Sequence, long LastWindow, long Accepted, DateTimeOffset ReceivedAt)
{
    /// <summary>Its fill from history, under way or done; null: folded from the log alone.</summary>
    public DefinitionFill? Fill { get; init; }
}

internal sealed record DefinitionMove(string Indicator, int Version, long Expected, long Sequence, long LastWindow, long Accepted, DateTimeOffset ReceivedAt)
{
    /// <inheritdoc cref="DefinitionPosition.Fill"/>
    public DefinitionFill? Fill { get; init; }

    /// <summary>What the caller thinks is stored as <see cref="Fill"/>: as of the same sequence, as many rows.</summary>
    public DefinitionFill? ExpectedFill { get; init; }
}

/// <param name="Window">Ticks (UTC) at which the window begins.</param>
/// <param name="Area">Empty where not grouped by area, or the row has none. Has no control characters, as no area id has.</param>
/// <param name="Dimensions">JSON array of texts; empty where not grouped by dimensions. Control characters are escaped.</param>
/// <param name="Sequence">Of the last change.</param>
/// <param name="State">Canonical bytes; empty: the cell has lost all its rows.</param>
internal readonly record struct StoredCell(string Indicator, int Version, long Window, string Area, string Dimensions, long Sequence, byte[] State)
{
    /// <summary>What the state comes to, for whoever reads a store without this program; not read back.</summary>
    public double? Value { get; init; }

    /// <summary>Rows in the cell; likewise.</summary>
    public long Rows { get; init; }
}
