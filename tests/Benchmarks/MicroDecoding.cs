using BenchmarkDotNet.Attributes;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Benchmarks;

/// <summary>A push of a hundred rows read, checked against the contract, and its areas looked up.</summary>
public class MicroDecoding
{
    private readonly IngestOptions _options = new();
    private byte[] _body = [];
    private IndexedAreas _areas = null!;

    /// <summary>As it comes.</summary>
    [Params(PushFormat.Json, PushFormat.NdJson, PushFormat.Csv, PushFormat.MessagePack)]
    public PushFormat Format { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        _areas = new(AreaIndex.Build(MicroRows.Areas.System));
        _body = MicroRows.Body(Format);
        if (Decode() != MicroRows.Count) throw new InvalidOperationException($"{Format}: not all rows pass");
    }

    [Benchmark(Description = "decode and check", OperationsPerInvoke = MicroRows.Count)]
    public int Decode() => PushDecoder.Decode(Format, _body, MicroRows.Contract, _areas, _options, MicroRows.Now).Push!.Rows.Count;
}
