namespace DataHub.Indicators;

/// <summary>How large a filter may be.</summary>
/// <param name="Length">Characters.</param>
/// <param name="Depth">Parentheses and NOTs within one another.</param>
/// <param name="Terms">Conditions.</param>
/// <param name="Items">Values of all IN lists together.</param>
internal sealed record FilterLimits(int Length, int Depth, int Terms, int Items)
{
    public const int GreatestLength = 100_000;
    public const int GreatestDepth = 100;
    public const int GreatestTerms = 1_000;
    public const int GreatestItems = 10_000;

    /// <summary>What the options can allow at most: a filter that was taken once is read for ever, whatever they say later.</summary>
    public static FilterLimits Greatest { get; } = new(GreatestLength, GreatestDepth, GreatestTerms, GreatestItems);

    public static FilterLimits Of(IndicatorOptions options) => new(options.MaxFilterLength, options.MaxFilterDepth, options.MaxFilterTerms, options.MaxFilterItems);
}
