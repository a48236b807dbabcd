using System.Diagnostics.Metrics;

namespace DataHub.Indicators;

/// <summary>What the folds of this process are at.</summary>
internal sealed class FoldMetrics
{
    private readonly UpDownCounter<int> _catchingUp;

    public FoldMetrics(IMeterFactory meters) =>
        _catchingUp = meters.Create("DataHub").CreateUpDownCounter<int>("datahub.definitions.catching_up", "{definition}", "Definitions of indicators that are being filled, per partition counted once.");

    public void CatchingUp(int change)
    {
        if (change != 0) _catchingUp.Add(change);
    }
}
