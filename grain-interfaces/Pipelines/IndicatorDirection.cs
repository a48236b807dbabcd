namespace DataHub.Pipelines;

/// <summary>What a greater value of an indicator does to its index.</summary>
public enum IndicatorDirection
{
    /// <summary>Raises it.</summary>
    HigherIsMore = 0,

    /// <summary>Lowers it: the value's sign is turned before it is standardised.</summary>
    LowerIsMore = 1,
}
