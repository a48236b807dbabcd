using BenchmarkDotNet.Attributes;

using DataHub.Catalog;
using DataHub.Indicators;
using DataHub.Sharing;

namespace DataHub.Benchmarks;

/// <summary>What the door decides for one request, with so many agreements about the dataset, each with another agency.</summary>
public class MicroDoor
{
    private static readonly Holding s_holding = new("bench", null, "bench", AccessClass.Internal, ReleaseState.Available);
    private static readonly ValuesQuery s_query = new(null, null, true, null, null, null, null, 1_000);

    private AgreementSet _inForce = null!;
    private Caller _caller = null!;
    private IndicatorDefinition _definition = null!;
    private AgreementInForce _own = null!;

    [Params(1, 1_000)]
    public int Agreements { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        var all = Enumerable.Range(0, Agreements).Select(number => new AgreementInForce($"v{number:D4}", 1, new(
            new("Probe", null), "bench", $"amt{number}", "bench", [new("planung", new("Planung", null))], new(MicroRows.Now, MicroRows.Now.AddYears(1), "P1M"))
        {
            Data = new() { From = MicroRows.Now.AddDays(-30), Areas = [Benchmarks.Rows.AreaId(0), Benchmarks.Rows.AreaId(1)], Filter = "no2 > 0" },
            Use = new() { Networks = ["192.0.2.0/24", "127.0.0.0/8"] },
        })).ToArray();
        (_inForce, _own) = (new(all, false, 0), all[^1]);
        _caller = new($"amt{Agreements - 1}", KeyRole.Read, "k") { Use = new("planung", "127.0.0.1") };
        _definition = new("bench-mean", 1, new(new("Messung", null), "bench", MeasureFunction.Mean, "no2", "PT1H", "Europe/Berlin", ByArea: true, [], 1, "ug/m3", AccessClass.Internal) { Filter = "no2 > 0" });
        if (Rows() is null || Values() is null || Narrow() is null) throw new InvalidOperationException("the agreement lets nobody in");
    }

    [Benchmark(Description = "rows decided")]
    public object? Rows() => DoorRules.Rows(_caller, s_holding, MicroRows.Contract, _inForce.With(_caller)).Through;

    [Benchmark(Description = "values decided, indicator never seen")]
    public object? Values() => DoorRules.Through(_caller, s_holding, _inForce.With(_caller), one => DoorRules.ValuesFault(one, _definition, MicroRows.Contract)).Through;

    [Benchmark(Description = "values decided, indicator known")]
    public object? Known() => DoorRules.Through(_caller, s_holding, _inForce.With(_caller), _ => null).Through;

    [Benchmark(Description = "question narrowed")]
    public object? Narrow() => DoorRules.Narrow(_own, _definition, MicroRows.Contract, s_query, null).Query;
}
