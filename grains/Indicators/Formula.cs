using DataHub.Catalog;

namespace DataHub.Indicators;

/// <summary>
/// What a formula says: how values of other indicators become one. Parsed from text such as <c>a / b * 1000</c>,
/// <c>share("no2-hourly")</c> or <c>rank(cases / population)</c>. Immutable.
/// </summary>
internal sealed class Formula
{
    private Formula(Part root, (string Id, int Position)[] inputs, FormulaNeeds needs)
    {
        Root = root;
        (Ids, Positions) = (Array.ConvertAll(inputs, input => input.Id), Array.ConvertAll(inputs, input => input.Position));
        Needs = needs;
    }

    public Part Root { get; }

    /// <summary>The indicators it is made of, in the order in which they first occur; at least one.</summary>
    public string[] Ids { get; }

    /// <summary>Where each of <see cref="Ids"/> first occurs; the first character is 1.</summary>
    public int[] Positions { get; }

    public FormulaNeeds Needs { get; }

    /// <summary>The formula, or where it goes wrong and what was expected there.</summary>
    public static (Formula? Formula, LocalText? Fault) Parse(string text, FormulaLimits limits)
    {
        try
        {
            var parser = new FormulaParser(text, limits);
            var root = parser.Parse();
            return (new(root, parser.Inputs, parser.Needs), null);
        }
        catch (FormulaException e)
        {
            return (null, e.Detail);
        }
    }

    /// <summary>A formula that was checked when its indicator was put.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static Formula Read(string text) =>
        Parse(text, FormulaLimits.None) is { Formula: { } formula } ? formula : throw new FormatException($"not a formula: {text}");

    /// <summary>A part of a formula.</summary>
    internal abstract record Part;

    internal sealed record Number(double Value) : Part;

    /// <param name="Index">In <see cref="Ids"/>.</param>
    internal sealed record Input(int Index) : Part;

    /// <summary>Inhabitants of the row's area.</summary>
    internal sealed record Population : Part;

    internal sealed record Minus(Part Of) : Part;

    /// <param name="Sign">One of <c>+ - * /</c>.</param>
    internal sealed record Operation(char Sign, Part Left, Part Right) : Part;

    internal sealed record Abs(Part Of) : Part;

    internal sealed record Round(Part Of, int Places) : Part;

    /// <param name="Greatest">The greatest of the parts, else the smallest.</param>
    internal sealed record Extreme(bool Greatest, Part[] Of) : Part;

    /// <summary>Of the row by that of all areas together.</summary>
    internal sealed record Share(Part Of) : Part;

    /// <summary>In the window before.</summary>
    internal sealed record Previous(Part Of) : Part;

    /// <summary>Less that in the window before.</summary>
    internal sealed record Change(Part Of) : Part;

    /// <summary>Place among all areas of the answer's level, the greatest first.</summary>
    internal sealed record Rank(Part Of) : Part;
}

/// <summary>What a formula needs besides its inputs' values at a row's own place.</summary>
/// <param name="Back">So many windows before the row's own.</param>
/// <param name="Whole">All areas together.</param>
/// <param name="Ranks">All areas of the level.</param>
/// <param name="Population">Populations of areas.</param>
internal readonly record struct FormulaNeeds(int Back, bool Whole, bool Ranks, bool Population);

/// <param name="Length">Characters of the text.</param>
/// <param name="Inputs">Different indicators.</param>
/// <param name="Depth">Parentheses and functions within one another.</param>
/// <param name="Back">Windows before a row's own.</param>
internal sealed record FormulaLimits(int Length, int Inputs, int Depth, int Back)
{
    /// <summary>For what was checked before; as much as any setting allows.</summary>
    public static FormulaLimits None { get; } = new(int.MaxValue, int.MaxValue, 200, int.MaxValue);

    public static FormulaLimits Of(IndicatorOptions options) =>
        new(options.MaxFormulaLength, options.MaxFormulaInputs, options.MaxFormulaDepth, options.MaxFormulaWindowsBack);
}
