using System.IO.Hashing;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Indicators;

/// <summary>
/// The number by which cells tell series apart: the lower half of the XXH64 (seed 0) of the series' canonical bytes
/// (<see cref="RowKeys"/>). Cells are stored with it, so it never changes. Two of a thousand series share one with a
/// probability of one in ten thousand; they count as one then.
/// </summary>
internal static class SeriesHash
{
    public static int Of(CompiledContract contract, RowBlock rows, int row) =>
        RowKeys.Series(contract, rows, row) is { } series ? unchecked((int)XxHash64.HashToUInt64(series)) : 0;
}

/// <summary>The series of a batch's rows, hashed when the first definition needs them.</summary>
internal sealed class SeriesOfBatch(CompiledContract contract, LogBatch batch)
{
    private int[]? _rows;
    private int[]? _befores;

    public int[] Rows => _rows ??= Of(batch.Rows);

    public int[] Befores => _befores ??= Of(batch.Befores);

    private int[] Of(RowBlock rows)
    {
        var hashes = new int[rows.Count];
        for (var row = 0; row < hashes.Length; row++) hashes[row] = SeriesHash.Of(contract, rows, row);
        return hashes;
    }
}
