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
    public const int ChunkRows = 5_000;

    /// <summary>The versions that a query names, by time and key.</summary>
    /// <exception cref="TooManyRowsException">There are more than <paramref name="maxRows"/>.</exception>
    /// <param name="query">Its limit is that of the first chunk, where it is smaller than others.</param>
    public async IAsyncEnumerable<IReadOnlyList<HistoryVersion>> ReadAsync(string partition, VersionQuery query, int maxRows)
    {
        var (read, chunk) = (0, query.Limit);
        for (var cursor = query.After; ;)
        {
            var page = await history.VersionsAsync(partition, query with { After = cursor, Limit = chunk }, CancellationToken.None);
            if (page.Versions.Count == 0) yield break;
            if ((read += page.Versions.Count) > maxRows) throw new TooManyRowsException(maxRows);
            yield return page.Versions;
            if (!page.More) yield break;
            chunk = ChunkRows;
            cursor = new(page.Versions[^1].Row.Time, page.Versions[^1].Row.Key);
        }
    }

    /// <summary>The newest contract under which one of the rows was stored: it reads the older ones too.</summary>
    public ValueTask<CompiledContract> ContractAsync(string partition, IEnumerable<HistoryVersion> versions) =>
        contracts.GetAsync(PartitionKeys.Dataset(partition), versions.Max(version => version.Row.ContractVersion));

    public static RowBlock Block(CompiledContract contract, IReadOnlyList<HistoryVersion> versions) =>
        RowPacking.Unpack(contract, [.. versions.Select(version => (version.Row.Values, version.Row.Area))]);

    /// <summary>What the fold answered to a query when it stood at a sequence.</summary>
    /// <exception cref="TooManyRowsException">More rows would have to be read.</exception>
    /// <exception cref="TooManyCellsException">There are more cells.</exception>
    public async Task<(CellValue[] Cells, CellValue[] Opening)> CellsAsync(string partition, IndicatorDefinition definition, long sequence, CellQuery query, int maxRows)
    {
        var cells = new RowCells(definition);
        var windows = CalendarWindows.Parse(definition.Spec.Window, definition.Spec.TimeZone);
        var (from, to) = (query.From?.UtcTicks ?? long.MinValue, query.To?.UtcTicks ?? long.MaxValue);
        var (rowsFrom, rowsTo) = PastRange.OfRows(definition.Spec, windows, query is { Latest: true, Windows: { Length: > 0 } more } ? Math.Min(from, more.Min()) : from, to);
        if (rowsFrom < rowsTo)
        {
            await foreach (var versions in ReadAsync(partition, new(sequence, rowsFrom, rowsTo, null, null, ChunkRows), maxRows))
            {
                var contract = await ContractAsync(partition, versions);
                cells.Add(contract, Block(contract, versions));
            }
        }

        var all = cells.Cells.ToArray();
        var found = Array.FindAll(all, cell => cell.WindowFrom >= from && cell.WindowFrom < to);
        if (query.Latest) found = [.. Last(windows, found, query.Back).Union(all.Where(cell => cell.WindowFrom < to && query.Windows?.Contains(cell.WindowFrom) is true))];
        return found.Length > query.MaxCells ? throw new TooManyCellsException(query.MaxCells)
            : (found, query.Opening ? Opening(definition, all.Where(cell => cell.WindowFrom < from), from) : []);
    }

    /// <summary>Per area and dimensions the last window's cell and those of so many windows before it.</summary>
    private static CellValue[] Last(CalendarWindows windows, CellValue[] cells, int back)
    {
        var first = cells.GroupBy(cell => (cell.Area, cell.Dimensions)).ToDictionary(group => group.Key, group => ReadRange.Before(windows, group.Max(cell => cell.WindowFrom), back));
        return Array.FindAll(cells, cell => cell.WindowFrom >= first[(cell.Area, cell.Dimensions)]);
    }

    /// <summary>Per area and dimensions what cells come to together.</summary>
    private static CellValue[] Opening(IndicatorDefinition definition, IEnumerable<CellValue> cells, long from) =>
    [
        .. cells.GroupBy(cell => (cell.Area, cell.Dimensions)).Select(group =>
        {
            var sum = CellState.Create(definition.Spec.Function);
            foreach (var cell in group) sum.Merge(CellState.FromBytes(definition.Spec.Function, cell.State));
            return new CellValue(group.Key.Area, from, group.Key.Dimensions, sum.ToBytes(), group.Max(cell => cell.Sequence));
        }),
    ];
}
