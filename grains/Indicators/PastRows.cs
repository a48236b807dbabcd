using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Indicators;

/// <summary>An answer would read more versions of rows than allowed.</summary>
internal sealed class TooManyRowsException(int limit) : Exception($"more than {limit} versions of rows")
{
    public int Limit => limit;
}

/// <summary>Reads versions of rows from history, chunk by chunk: between two chunks whoever reads gives way to others.</summary>
internal sealed class PastRows(IHistoryStore history, IContractSource contracts)
{
    /// <summary>Keys read in one go.</summary>
    private const int ChunkRows = 5_000;

    /// <summary>The versions that a query names (its cursor and limit apart), by time and key.</summary>
    /// <exception cref="TooManyRowsException">There are more than <paramref name="maxRows"/>.</exception>
    public async IAsyncEnumerable<IReadOnlyList<HistoryVersion>> ReadAsync(string partition, VersionQuery query, int maxRows)
    {
        var read = 0;
        for (var cursor = query.After; ;)
        {
            var page = await history.VersionsAsync(partition, query with { After = cursor, Limit = ChunkRows }, CancellationToken.None);
            if (page.Versions.Count == 0) yield break;
            if ((read += page.Versions.Count) > maxRows) throw new TooManyRowsException(maxRows);
            yield return page.Versions;
            if (!page.More) yield break;
            cursor = new(page.Versions[^1].Row.Time, page.Versions[^1].Row.Key);
        }
    }

    /// <summary>The newest contract under which one of the rows was stored: it reads the older ones too.</summary>
    public ValueTask<CompiledContract> ContractAsync(string partition, IEnumerable<HistoryVersion> versions) =>
        contracts.GetAsync(PartitionKeys.Dataset(partition), versions.Max(version => version.Row.ContractVersion));

    public static RowBlock Block(CompiledContract contract, IReadOnlyList<HistoryVersion> versions) =>
        RowPacking.Unpack(contract, [.. versions.Select(version => (version.Row.Values, version.Row.Area))]);

    /// <summary>The cells of a definition with windows that begin in [from, to), or at these instants, as of a sequence.</summary>
    /// <exception cref="TooManyRowsException">More rows would have to be read.</exception>
    /// <exception cref="TooManyCellsException">There are more cells.</exception>
    public async Task<CellValue[]> CellsAsync(string partition, IndicatorDefinition definition, long sequence, long from, long to, long[]? only, int maxRows, int maxCells)
    {
        var cells = new RowCells(definition);
        var windows = CalendarWindows.Parse(definition.Spec.Window, definition.Spec.TimeZone);
        var wanted = only?.ToHashSet();
        var (rowsFrom, rowsTo) = wanted is null ? PastRange.OfRows(definition.Spec, windows, from, to)
            : wanted.Count == 0 ? (0, 0) : PastRange.OfRows(definition.Spec, windows, wanted.Min(), wanted.Max() + 1);
        if (rowsFrom < rowsTo)
        {
            await foreach (var versions in ReadAsync(partition, new(sequence, rowsFrom, rowsTo, null, null, 1), maxRows))
            {
                var contract = await ContractAsync(partition, versions);
                cells.Add(contract, Block(contract, versions));
            }
        }

        var found = cells.Cells.Where(cell => cell.WindowFrom >= from && cell.WindowFrom < to && (wanted is null || wanted.Contains(cell.WindowFrom))).ToArray();
        return found.Length > maxCells ? throw new TooManyCellsException(maxCells) : found;
    }
}
