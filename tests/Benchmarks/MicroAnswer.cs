using System.Buffers;

using BenchmarkDotNet.Attributes;

using DataHub.Catalog;
using DataHub.Indicators;

namespace DataHub.Benchmarks;

/// <summary>An answer of 542 rows, one for each area, written in the formats that dashboards and maps read.</summary>
public class MicroAnswer
{
    private const int Areas = 542;

    private readonly AreaTree _tree = new(new("bench", 1, [.. AreaGeoJson.Read(Rows.AreasGeoJson()).Areas]));
    private ValuesPage _page = null!;

    [GlobalSetup]
    public void Prepare()
    {
        var from = MicroRows.Now.AddHours(-1);
        var spec = new IndicatorSpec(new("Messung", null), "bench", MeasureFunction.Mean, "no2", "PT1H", "Europe/Berlin", ByArea: true, [], 1, "ug/m3", AccessClass.Open) { Coverage = true };
        var rows = Enumerable.Range(0, Areas).Select(number => new IndicatorValue(Rows.AreaId(number), from, MicroRows.Now, null, Rows.Value(number), 12, ValueState.Ok) { Coverage = new(2, 2) });
        var indicator = new IndicatorInfo("bench-mean", new("bench-mean", 1, spec), null, "bench", 1, "dl-de/zero-2-0", "bench");
        _page = new(indicator, 184, "w1.kw", "w1.kw", MicroRows.Now, [.. rows], null, NotModified: false);
    }

    [Benchmark(Description = "JSON of 542 rows", OperationsPerInvoke = Areas)]
    public int Json() => AnswerWriter.Write(_page, ValuesTable.Metadata(_page, "", latest: true), null).Length;

    [Benchmark(Description = "CSV of 542 rows", OperationsPerInvoke = Areas)]
    public int Csv()
    {
        var buffer = new ArrayBufferWriter<byte>(1_024);
        AnswerCsv.Write(ValuesTable.Of(_page, ValuesTable.Metadata(_page, "", latest: true), nested: false), buffer, german: false);
        return buffer.WrittenCount;
    }

    [Benchmark(Description = "GeoJSON of 542 rows with polygons of 24 corners", OperationsPerInvoke = Areas)]
    public int GeoJson()
    {
        var buffer = new ArrayBufferWriter<byte>(1_024);
        return AnswerGeoJson.Write(ValuesTable.WithAreas(_page, ValuesTable.Metadata(_page, "", latest: true), _tree), buffer, null, long.MaxValue)
            ? buffer.WrittenCount
            : throw new InvalidOperationException("not all was written");
    }
}
