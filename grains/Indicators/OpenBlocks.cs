namespace DataHub.Indicators;

/// <summary>
/// How open records are summed over all the time before a window without reading every window: what began and ended is
/// folded into days, months and years as well, each as a definition of its own that no one else sees. An instant is then
/// so many whole years, months of the year, days of the month and windows of the day away from the beginning. Pure.
/// </summary>
internal static class OpenBlocks
{
    private const char Mark = '@';

    /// <summary>Whether it belongs to the fold alone.</summary>
    public static bool IsInternal(IndicatorDefinition definition) => definition.Indicator.Contains(Mark, StringComparison.Ordinal);

    /// <summary>The definitions of the blocks, longest first; none where open records are not counted.</summary>
    public static IndicatorDefinition[] Of(IndicatorDefinition definition) =>
        definition.Spec.Function != MeasureFunction.Open || definition.Spec.Formula is not null || IsInternal(definition)
            ? []
            : Array.ConvertAll(Lengths(definition.Spec.Window), length => new IndicatorDefinition(
                definition.Indicator + Mark + length, definition.Version, definition.Spec with { Window = length, Sliding = null }));

    /// <summary>Calendar windows that are longer and whose begins are begins of the windows before them too.</summary>
    private static string[] Lengths(string window) => window switch
    {
        "P1Y" => [],
        "P1D" => ["P1Y", "P1M"],
        "P1W" or "P7D" => ["P1Y", "P1M", "P1D"],
        _ when window.StartsWith("PT", StringComparison.Ordinal) => ["P1Y", "P1M", "P1D"],
        _ => ["P1Y"],
    };
}
