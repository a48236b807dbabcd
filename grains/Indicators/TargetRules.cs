namespace DataHub.Indicators;

/// <summary>How a value stands to what its indicator is to reach. Pure.</summary>
internal static class TargetRules
{
    /// <param name="value">Not rounded.</param>
    /// <param name="beforeDue">Whether the value's window ends before the target is due.</param>
    public static TargetState State(IndicatorTarget target, double value, bool beforeDue) =>
        (target.Direction == TargetDirection.Below ? value <= target.Value : value >= target.Value) ? TargetState.Met
        : beforeDue ? TargetState.Open
        : TargetState.Missed;
}
