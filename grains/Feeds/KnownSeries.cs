using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>Series of a partition with the newest time each ever stored, numbered as they came.</summary>
internal sealed class KnownSeries
{
    private readonly Dictionary<byte[], int> _numbers = new(ByteKeyComparer.Instance);
    private readonly List<long> _newest = [];
    private byte[] _buffer = new byte[256];

    public int Count => _newest.Count;

    /// <summary>The newest time (ticks) of a series, by its number.</summary>
    public long this[int number]
    {
        get => _newest[number];
        set => _newest[number] = value;
    }

    public void Add(byte[] series, long newest)
    {
        _numbers.Add(series, _newest.Count);
        _newest.Add(newest);
    }

    /// <summary>Numbers the series of rows; −1 where one is not known.</summary>
    /// <returns>Those that are not known, each once; null where all are.</returns>
    public List<byte[]>? Find(CompiledContract contract, RowBlock rows, int[] numbers)
    {
        var known = _numbers.GetAlternateLookup<ReadOnlySpan<byte>>();
        HashSet<byte[]>? unknown = null;
        for (var row = 0; row < numbers.Length; row++)
        {
            var series = RowKeys.Series(contract, rows, row, ref _buffer);
            if (known.TryGetValue(series, out numbers[row])) continue;
            numbers[row] = -1;
            (unknown ??= new(ByteKeyComparer.Instance)).Add(series.ToArray());
        }

        return unknown is null ? null : [.. unknown];
    }

    public void Clear()
    {
        _numbers.Clear();
        _newest.Clear();
    }
}
