namespace DataHub.Pipelines;

/// <summary>How values are made comparable. All but <see cref="None"/> need two rows or more that are not all equal.</summary>
public enum Standardisation
{
    /// <summary>As they are.</summary>
    None = 0,

    /// <summary>(x − mean) / √(Σ(x − mean)² / n).</summary>
    ZScorePopulation = 1,

    /// <summary>(x − mean) / √(Σ(x − mean)² / (n − 1)).</summary>
    ZScoreSample = 2,

    /// <summary>(x − least) / (greatest − least), 0 to 1.</summary>
    MinMax = 3,

    /// <summary>(r − 1) / (n − 1), 0 to 1, r the rank from 1 for the least; equal values share the average of their ranks.</summary>
    Rank = 4,
}
