namespace DataHub.Feeds;

/// <summary>
/// Versions of rows whose key contains their time, in columns, by time, key and the sequence from which they held; never
/// changed once stored. A version holds until the next one under its key and time begins, in whichever segment that lies.
/// All times of a segment lie within one day (of UTC, <see cref="SegmentRules.Day"/>).
/// </summary>
internal sealed class HistorySegment
{
    public required long[] Times { get; init; }

    /// <summary>The sequence from which each holds.</summary>
    public required long[] Froms { get; init; }

    /// <summary>A retraction holds nothing: it ends what stood.</summary>
    public required RowChange[] Changes { get; init; }

    public required int[] ContractVersions { get; init; }

    /// <summary>The distinct areas.</summary>
    public required string[] Areas { get; init; }

    /// <summary>Place in <see cref="Areas"/>; −1: none.</summary>
    public required int[] AreaOf { get; init; }

    /// <summary>Where each key ends in <see cref="Keys"/>.</summary>
    public required int[] KeyEnds { get; init; }

    public required byte[] Keys { get; init; }

    /// <summary>Where each row's packed values (<see cref="RowPacking"/>) end in <see cref="Values"/>; a retraction has none.</summary>
    public required int[] ValueEnds { get; init; }

    public required byte[] Values { get; init; }

    public int Count => Times.Length;

    public long FirstTime => Times[0];

    public long LastTime => Times[^1];

    public int Bytes => Keys.Length + Values.Length;

    /// <summary>Some of its versions end others, of any area.</summary>
    public bool HasEnds => Changes.AsSpan().ContainsAnyExcept(RowChange.New);

    public ReadOnlySpan<byte> Key(int row) => Part(Keys, KeyEnds, row);

    public ReadOnlySpan<byte> Value(int row) => Part(Values, ValueEnds, row);

    public string? Area(int row) => AreaOf[row] < 0 ? null : Areas[AreaOf[row]];

    public HistoryRow Row(int row) => new(Key(row).ToArray(), Times[row], Area(row), ContractVersions[row], Value(row).ToArray(), Froms[row]);

    /// <summary>The first row at or behind a place.</summary>
    public int Find(long time, ReadOnlySpan<byte> key)
    {
        var (low, high) = (0, Count);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (Times[middle] < time || (Times[middle] == time && Key(middle).SequenceCompareTo(key) < 0)) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    private static ReadOnlySpan<byte> Part(byte[] bytes, int[] ends, int row)
    {
        var start = row == 0 ? 0 : ends[row - 1];
        return bytes.AsSpan(start, ends[row] - start);
    }
}
