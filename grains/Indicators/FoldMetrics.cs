using System.Diagnostics.Metrics;

namespace DataHub.Indicators;

/// <summary>What the folds of this process are at.</summary>
internal sealed class FoldMetrics
{
    private readonly UpDownCounter<int> _catchingUp;

    public FoldMetrics(IMeterFactory meters, FoldMemory memory)
    {
        var meter = meters.Create("DataHub");
        _catchingUp = meter.CreateUpDownCounter<int>("datahub.definitions.catching_up", "{definition}", "Definitions of indicators that are being filled, per partition counted once.");
        meter.CreateObservableGauge("datahub.cells.memory", () => memory.Used, "By", "Memory that the cells of all definitions take, about.");
    }

    public void CatchingUp(int change)
    {
        if (change != 0) _catchingUp.Add(change);
    }
}
