namespace DataHub.Pipelines;

/// <summary>The words of recipes' JSON, in both directions.</summary>
internal static class RecipeWords
{
    public const string CompositeIndex = "composite-index";
    public const string LibraryUse = "library-use";
    public const string Rate = "rate";

    public static (string Word, Standardisation Value)[] Standardisations { get; } =
    [
        ("none", Standardisation.None), ("z-score-population", Standardisation.ZScorePopulation), ("z-score-sample", Standardisation.ZScoreSample),
        ("min-max", Standardisation.MinMax), ("rank", Standardisation.Rank),
    ];

    public static (string Word, IndicatorDirection Value)[] Directions { get; } =
        [("higher-is-more", IndicatorDirection.HigherIsMore), ("lower-is-more", IndicatorDirection.LowerIsMore)];

    public static (string Word, Combination Value)[] Combinations { get; } = [("sum", Combination.Sum), ("mean", Combination.Mean)];

    public static string Of<T>((string Word, T Value)[] words, T value) where T : struct, Enum =>
        Array.Find(words, w => EqualityComparer<T>.Default.Equals(w.Value, value)).Word ?? throw new ArgumentOutOfRangeException(nameof(value), value, "No word stands for this.");
}
