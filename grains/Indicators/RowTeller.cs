using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Indicators;

/// <summary>
/// Gathers versions of rows for an answer. What is personal is left out for everybody: an explanation needs no names, and
/// whoever may see them finds the rows themselves in the dataset.
/// </summary>
internal sealed class RowTeller(DatasetInfo dataset, CompiledContract contract)
{
    private readonly List<HistoryVersion> _versions = [];

    /// <returns>Its place in the answer's block.</returns>
    public int Add(HistoryVersion version)
    {
        _versions.Add(version);
        return _versions.Count - 1;
    }

    /// <param name="rows">Adds its versions while it is gone through.</param>
    public ToldRows Tell(IEnumerable<ToldRow> rows)
    {
        var told = rows.ToArray();
        var block = PastRows.Block(contract, _versions);
        var personal = contract.Fields.Where(field => field.Role == FieldRole.Personal).Select(field => field.Ordinal).ToHashSet();
        if (personal.Count > 0)
        {
            var empty = RowPacking.Unpack(contract, [.. Enumerable.Repeat((RowPacking.Pack(RowBlock.Empty, 0), (string?)null), block.Count)]);
            block = new() { Count = block.Count, Columns = [.. block.Columns.Select((column, i) => personal.Contains(i) ? empty.Columns[i] : column)], Areas = block.Areas, AreaOf = block.AreaOf };
        }

        return new(
            dataset.Spec.Schema, block,
            [.. _versions.Select(version => version.Push is { } push ? new VersionSource(push.ReceivedAt, push.Feed, push.Receipt) : default)], told);
    }
}
