using DataHub.Feeds;

namespace DataHub.Indicators;

/// <summary>How far a definition is filled from the rows of history that stood at one fixed sequence (design §2.5).</summary>
/// <param name="AsOf">Chosen when the fill began. The fill is under way while its definition stands below it.</param>
/// <param name="Rows">Read so far.</param>
/// <param name="After">The last row read; null at the beginning and when all were.</param>
internal sealed record DefinitionFill(long AsOf, long Rows, RowCursor? After)
{
    /// <summary>Rows that stood, as a batch of new ones: folded like any other, they fill the cells.</summary>
    /// <param name="rows">In the layout of one contract version.</param>
    public LogBatch Batch(string partition, RowBlock rows, int contractVersion)
    {
        var beforeOf = new int[rows.Count];
        Array.Fill(beforeOf, -1);
        return new()
        {
            Shard = 0,
            Position = 0,
            Partition = partition,
            Sequence = AsOf,
            ContractVersion = contractVersion,
            AreaVersion = 0,
            Rows = rows,
            Changes = new RowChange[rows.Count],
            BeforeOf = beforeOf,
        };
    }
}
