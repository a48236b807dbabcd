using System.Globalization;

using BenchmarkDotNet.Attributes;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Indicators;

namespace DataHub.Benchmarks;

/// <summary>A hundred rows folded into the cells of so many definitions, all of them in memory. A row costs what it costs in all of them.</summary>
public class MicroFold
{
    private const int Batches = 64;

    private static readonly (MeasureFunction Function, string Window)[] s_kinds =
        [(MeasureFunction.Mean, "PT1H"), (MeasureFunction.Sum, "P1D"), (MeasureFunction.Max, "PT1H"), (MeasureFunction.Count, "PT15M"), (MeasureFunction.P95, "P1D")];

    private readonly LogBatch[] _batches = new LogBatch[Batches];
    private DefinitionFold[] _folds = [];
    private int _next;

    /// <summary>Of the same dataset.</summary>
    [Params(1, 10, 100)]
    public int Definitions { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        for (var i = 0; i < Batches; i++) _batches[i] = MicroRows.Batch(MicroRows.Block(i * MicroRows.Count), i + 1);
        _folds = [.. Enumerable.Range(0, Definitions).Select(number => new DefinitionFold(Definition(number)))];
    }

    [Benchmark(Description = "fold", OperationsPerInvoke = MicroRows.Count)]
    public int Fold()
    {
        var batch = _batches[_next++ % Batches];
        var series = new SeriesOfBatch(MicroRows.Contract, batch);
        foreach (var fold in _folds) fold.Apply(batch, MicroRows.Contract, series);
        return _folds[0].HotCells;
    }

    private static IndicatorDefinition Definition(int number)
    {
        var (function, window) = s_kinds[number % s_kinds.Length];
        var spec = new IndicatorSpec(new("Messung", null), "bench", function, "no2", window, "Europe/Berlin", ByArea: true, [], null, null, AccessClass.Open) { Coverage = true };
        return new(string.Create(CultureInfo.InvariantCulture, $"bench-{number}"), 1, spec);
    }
}
