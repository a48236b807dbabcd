using BenchmarkDotNet.Attributes;

using DataHub.Feeds;

using Microsoft.Extensions.DependencyInjection;

using Orleans.Serialization;

namespace DataHub.Benchmarks;

/// <summary>Rows in the forms in which they are stored: batches of the log, keys, packed values.</summary>
public class MicroBatch
{
    private RowBlock _rows = null!;
    private LogBatch _batch = null!;
    private byte[] _encoded = [];
    private (byte[] Values, string? Area)[] _packed = [];
    private Serializer<RowBlock> _wire = null!;
    private byte[] _sent = [];

    [GlobalSetup]
    public void Prepare()
    {
        _rows = MicroRows.Block(0);
        _batch = MicroRows.Batch(_rows, 1);
        _encoded = LogBatchCodec.Encode(_batch);
        _wire = new ServiceCollection().AddSerializer(serializer => serializer.AddAssembly(typeof(RowBlock).Assembly)).BuildServiceProvider().GetRequiredService<Serializer<RowBlock>>();
        _sent = _wire.SerializeToArray(_rows);
        _packed = [.. Enumerable.Range(0, _rows.Count).Select(row => (RowPacking.Pack(_rows, row), _rows.AreaId(row)))];
    }

    [Benchmark(Description = "batch encoded", OperationsPerInvoke = MicroRows.Count)]
    public byte[] Encode() => LogBatchCodec.Encode(_batch);

    [Benchmark(Description = "batch decoded", OperationsPerInvoke = MicroRows.Count)]
    public LogBatch Decode() => LogBatchCodec.Decode(_encoded, 0, 1, MicroRows.Partition, 1, MicroRows.Now);

    [Benchmark(Description = "rows sent to another silo", OperationsPerInvoke = MicroRows.Count)]
    public byte[] Send() => _wire.SerializeToArray(_rows);

    [Benchmark(Description = "rows received from another silo", OperationsPerInvoke = MicroRows.Count)]
    public RowBlock? Receive() => _wire.Deserialize(_sent);

    [Benchmark(Description = "primary keys", OperationsPerInvoke = MicroRows.Count)]
    public int Keys()
    {
        var bytes = 0;
        for (var row = 0; row < _rows.Count; row++) bytes += RowKeys.Key(MicroRows.Contract, _rows, row).Length;
        return bytes;
    }

    [Benchmark(Description = "names of series", OperationsPerInvoke = MicroRows.Count)]
    public int Series()
    {
        var bytes = 0;
        for (var row = 0; row < _rows.Count; row++) bytes += RowKeys.Series(MicroRows.Contract, _rows, row)!.Length;
        return bytes;
    }

    [Benchmark(Description = "values packed", OperationsPerInvoke = MicroRows.Count)]
    public int Pack()
    {
        var bytes = 0;
        for (var row = 0; row < _rows.Count; row++) bytes += RowPacking.Pack(_rows, row).Length;
        return bytes;
    }

    [Benchmark(Description = "values unpacked", OperationsPerInvoke = MicroRows.Count)]
    public int Unpack() => RowPacking.Unpack(MicroRows.Contract, _packed).Count;
}
