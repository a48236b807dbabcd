using System.Runtime.InteropServices;

using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>The newest time of each series among rows, where new rows are told by it (<see cref="CompiledContract.KeyIsSeriesAndTime"/>); others are not looked at.</summary>
internal sealed class NewestPerSeries
{
    private readonly Dictionary<byte[], long> _newest = new(ByteKeyComparer.Instance);
    private byte[] _buffer = new byte[256];

    /// <summary>Series.</summary>
    public int Count => _newest.Count;

    /// <summary>Takes rows in, whether they stand or not; retractions say nothing.</summary>
    public void Add(CompiledContract contract, LogBatch batch)
    {
        if (!contract.KeyIsSeriesAndTime) return;
        var known = _newest.GetAlternateLookup<ReadOnlySpan<byte>>();
        for (var row = 0; row < batch.Rows.Count; row++)
        {
            if (batch.Changes[row] == RowChange.Retraction) continue;
            var series = RowKeys.Series(contract, batch.Rows, row, ref _buffer);
            var time = contract.TimeTicks(batch.Rows, row);
            ref var newest = ref CollectionsMarshal.GetValueRefOrNullRef(known, series);
            if (System.Runtime.CompilerServices.Unsafe.IsNullRef(ref newest)) known[series] = time;
            else if (time > newest) newest = time;
        }
    }

    /// <summary>Ticks; the least number for a series without a row.</summary>
    public long this[byte[] series] => _newest.GetValueOrDefault(series, long.MinValue);

    /// <summary>All of them by series, as they lie in the store.</summary>
    public KeyValuePair<byte[], long>[] Sorted() => [.. _newest.OrderBy(entry => entry.Key, ByteKeyComparer.Instance)];

    public void Clear() => _newest.Clear();
}
