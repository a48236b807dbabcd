using BenchmarkDotNet.Attributes;

using DataHub.Feeds;

namespace DataHub.Benchmarks;

/// <summary>
/// What the shard's writer decides of a hundred rows, as far as it needs no store: what stands under their keys is in its
/// tail. The look-up of each series' newest time is left out, since what it does not know it asks history for.
/// </summary>
public class MicroShard
{
    private readonly PartitionTail _growing = new(0);
    private readonly PartitionTail _standing = new(0);
    private RowBlock _rows = null!;
    private RowBlock _corrected = null!;
    private long _sequence;

    [GlobalSetup]
    public void Prepare()
    {
        _rows = MicroRows.Block(0);
        _corrected = MicroRows.Corrected(_rows);
        _standing.Add(MicroRows.Batch(_rows, 1), MicroRows.Contract);
        if (Repeats() != MicroRows.Count || Corrections() != MicroRows.Count) throw new InvalidOperationException("the rows are not what they are meant to be");
    }

    [Benchmark(Description = "growing series", OperationsPerInvoke = MicroRows.Count)]
    public int Growing()
    {
        var known = 0;
        for (var row = 0; row < _rows.Count; row++) known += RowKeys.Series(MicroRows.Contract, _rows, row)!.Length;
        _growing.Add(MicroRows.Batch(_rows, ++_sequence), MicroRows.Contract);
        _growing.CutTo(_sequence);
        return known;
    }

    [Benchmark(Description = "repeats", OperationsPerInvoke = MicroRows.Count)]
    public int Repeats() => Decide(_rows).Counts.Duplicate;

    [Benchmark(Description = "corrections", OperationsPerInvoke = MicroRows.Count)]
    public int Corrections() => Decide(_corrected).Counts.Corrected;

    private RowDecision Decide(RowBlock rows)
    {
        var keys = new byte[rows.Count][];
        var standing = new Dictionary<byte[], StandingRow?>(rows.Count, ByteKeyComparer.Instance);
        for (var row = 0; row < rows.Count; row++)
        {
            keys[row] = RowKeys.Key(MicroRows.Contract, rows, row);
            _standing.TryFind(keys[row], out var found);
            standing[keys[row]] = found;
        }

        return FeedRules.Decide(MicroRows.Contract, rows, keys, standing, _ => MicroRows.Contract);
    }
}
