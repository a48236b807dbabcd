namespace DataHub.Pipelines;

/// <summary>The words that say how a row stands to the previous edition.</summary>
public static class EditionComparison
{
    /// <summary>Ranked in both.</summary>
    public const string Compared = "compared";

    /// <summary>Its key is not in the previous edition.</summary>
    public const string New = "new";

    /// <summary>Its key is in the previous edition only.</summary>
    public const string Gone = "gone";

    /// <summary>In both, not ranked in this one.</summary>
    public const string ExcludedNow = "excluded-now";

    /// <summary>In both, not ranked in the previous one.</summary>
    public const string ExcludedBefore = "excluded-before";

    /// <summary>In both, ranked in neither.</summary>
    public const string ExcludedInBoth = "excluded-in-both";
}
