namespace DataHub.Pipelines;

/// <summary>How standardised indicators become one number. Products are rounded, their sum once more, whatever the indicators' order.</summary>
public enum Combination
{
    /// <summary>Σ weight · value.</summary>
    Sum = 0,

    /// <summary>Σ weight · value / Σ weight.</summary>
    Mean = 1,
}
