using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Indicators;

/// <summary>
/// Gathers versions of rows for an answer. What is personal is left out for everybody: an explanation needs no names, and
/// whoever may see them finds the rows themselves in the dataset.
/// </summary>
/// <param name="fields">Only these besides; null: all.</param>
internal sealed class RowTeller(DatasetInfo dataset, CompiledContract contract, IReadOnlySet<string>? fields = null)
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
        block = RowFields.Only(contract, block, contract.Fields.Where(field => field.Role != FieldRole.Personal && fields?.Contains(field.Name) is not false).Select(field => field.Name).ToHashSet(StringComparer.Ordinal));

        return new(
            dataset.Spec.Schema, block,
            [.. _versions.Select(version => version.Push is { } push ? new VersionSource(push.ReceivedAt, push.Feed, push.Receipt) : default)], told);
    }
}
