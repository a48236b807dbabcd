using System.Globalization;

using CsCheck;

using DataHub.Catalog;

namespace DataHub.Indicators;

/// <summary>What is a formula, how it binds, and what is said of a text that is none.</summary>
public sealed class FormulaTests
{
    private static readonly FormulaLimits Limits = FormulaLimits.Of(new());

    [Theory]
    [InlineData("a", "a")]
    [InlineData("a + b - c", "((a+b)-c)")]
    [InlineData("a-b*c/d", "(a-((b*c)/d))")]
    [InlineData("(a-b)*c", "((a-b)*c)")]
    [InlineData("-a*b", "(-a*b)")]
    [InlineData("a - -b", "(a--b)")]
    [InlineData("--a", "--a")]
    [InlineData("a/2e3*1.50", "((a/2000)*1.5)")]
    [InlineData(" \"no2-hourly\"/\"2024\" ", "(no2-hourly/2024)")]
    [InlineData("no2 / population * 1000", "((no2/population)*1000)")]
    [InlineData("\"population\" + population", "(population'+population)")]
    [InlineData("share(a + b) * 100", "(share((a+b))*100)")]
    [InlineData("change(a)/previous(a)", "(change(a)/previous(a))")]
    [InlineData("rank(share(a))", "rank(share(a))")]
    [InlineData("min(a, b, 3) + max(1,a)", "(min(a,b,3)+max(1,a))")]
    [InlineData("round(abs(a), 2) + round(a)", "(round(abs(a),2)+round(a,0))")]
    [InlineData("a +\n\tb", "(a+b)")]
    public void Signs_bind_as_everywhere(string text, string expected)
    {
        var (formula, fault) = Formula.Parse(text, Limits);
        Assert.Null(fault?.En);
        Assert.Equal(expected, Print(formula!.Root, formula));
    }

    [Theory]
    [InlineData("", "formula, character 1: It ends here; expected is a number, an indicator, population, a function or “(”.")]
    [InlineData("a +", "formula, character 4: It ends here; expected is a number, an indicator, population, a function or “(”.")]
    [InlineData("a b", "formula, character 3: “b”; expected is an operator (+ - * /) or the end.")]
    [InlineData("a * / b", "formula, character 5: “/”; expected is a number, an indicator, population, a function or “(”.")]
    [InlineData("(a + b", "formula, character 7: It ends here; expected is an operator (+ - * /) or “)”.")]
    [InlineData("a)", "formula, character 2: “)”; expected is an operator (+ - * /) or the end.")]
    [InlineData("a % b", "formula, character 3: “%”; expected is an operator (+ - * /) or the end.")]
    [InlineData("1 + 2", "formula: No indicator occurs in it.")]
    [InlineData("population * 2", "formula: No indicator occurs in it.")]
    [InlineData("2024 + 2024a", "formula, character 8: “2024a” is no number; an indicator whose id begins with a digit stands in quotes: \"2024a\".")]
    [InlineData("1e999 * a", "formula, character 1: “1e999” is too great for a number.")]
    [InlineData("a * 1,5", "formula, character 6: “,”; expected is an operator (+ - * /) or the end.")]
    [InlineData("\"no2", "formula, character 1: The quote is not closed.")]
    [InlineData("\"No 2\" + a", "formula, character 1: “No 2” is no id of an indicator ([a-z0-9][a-z0-9-]{0,62}).")]
    [InlineData("share + a", "formula, character 7: “+”; expected is “(” after the function share; an indicator of this name stands in quotes: \"share\".")]
    [InlineData("shara(a)", "formula, character 1: There is no function “shara”; there are share, change, previous, rank, min, max, abs, round. Did you mean share?")]
    [InlineData("frobnicate(a)", "formula, character 1: There is no function “frobnicate”; there are share, change, previous, rank, min, max, abs, round.")]
    [InlineData("share(share(a))", "formula, character 7: share stands within share; the share of a share is none.")]
    [InlineData("rank(rank(a))", "formula, character 6: rank stands within rank; a rank cannot be used like that.")]
    [InlineData("share(rank(a))", "formula, character 7: rank stands within share; a rank cannot be used like that.")]
    [InlineData("min(a)", "formula, character 6: “)”; expected is “,” and another value: min needs at least two.")]
    [InlineData("abs(a, b)", "formula, character 6: “,”; expected is an operator (+ - * /) or “)”.")]
    [InlineData("round(a, 16)", "formula, character 10: “16”; expected is a whole number of places, 0 to 15.")]
    [InlineData("round(a, b)", "formula, character 10: “b”; expected is a whole number of places, 0 to 15.")]
    public void Who_writes_something_else_is_told_where_what_was_found_and_what_was_expected(string text, string expected)
    {
        var (formula, fault) = Formula.Parse(text, Limits);
        Assert.Null(formula);
        Assert.Equal(expected, fault!.En);
        Assert.StartsWith(expected[..expected.IndexOf(':', StringComparison.Ordinal)].Replace("character", "Zeichen", StringComparison.Ordinal), fault.De, StringComparison.Ordinal);
        Assert.NotEqual(fault.En, fault.De);
    }

    [Fact]
    public void Every_limit_is_named_with_its_setting()
    {
        Assert.Equal("formula: 6 characters, at most 5 (DataHub:Indicator:MaxFormulaLength).", Fault("a+b+cd", Limits with { Length = 5 }));
        Assert.Equal("formula, character 5: more than 2 different indicators (DataHub:Indicator:MaxFormulaInputs).", Fault("a+b+c", Limits with { Inputs = 2 }));
        Assert.Equal("formula, character 3: nested more than 2 deep (DataHub:Indicator:MaxFormulaDepth).", Fault("(-(a))", Limits with { Depth = 2 }));
        Assert.Equal("formula, character 10: more than 1 windows back (DataHub:Indicator:MaxFormulaWindowsBack).", Fault("previous(change(a))", Limits with { Back = 1 }));
        Assert.Null(Fault("a+b+a+b", Limits with { Inputs = 2 }));
        Assert.Null(Fault("((a))+((b))", Limits with { Depth = 2 }));
        Assert.Null(Fault("change(a)+previous(a)", Limits with { Back = 1 }));

        static string? Fault(string text, FormulaLimits limits) => Formula.Parse(text, limits).Fault?.En;
    }

    [Theory]
    [InlineData("a + b", 0, false, false, false)]
    [InlineData("previous(change(a)) + change(a)", 2, false, false, false)]
    [InlineData("share(previous(a)) / population", 1, true, false, true)]
    [InlineData("rank(a)", 0, false, true, false)]
    public void A_formula_says_what_it_needs(string text, int back, bool whole, bool ranks, bool population) =>
        Assert.Equal(new FormulaNeeds(back, whole, ranks, population), Formula.Read(text).Needs);

    [Fact]
    public void Any_text_is_a_formula_or_refused_in_words() =>
        Gen.Char["ab2(),.+-*/\" eshrnkpoulati"].Array[0, 40].Sample(text =>
        {
            var (formula, fault) = Formula.Parse(new(text), Limits);
            Assert.True(formula is null != fault is null);
            Assert.True(fault is null || fault.De.StartsWith("formula", StringComparison.Ordinal));
        }, iter: 20_000);

    private static string Print(Formula.Part part, Formula formula) => part switch
    {
        Formula.Number number => number.Value.ToString(CultureInfo.InvariantCulture),
        Formula.Input input => formula.Ids[input.Index] + (formula.Ids[input.Index] == "population" ? "'" : ""),
        Formula.Population => "population",
        Formula.Minus minus => "-" + Print(minus.Of, formula),
        Formula.Operation operation => $"({Print(operation.Left, formula)}{operation.Sign}{Print(operation.Right, formula)})",
        Formula.Share share => $"share({Print(share.Of, formula)})",
        Formula.Change change => $"change({Print(change.Of, formula)})",
        Formula.Previous previous => $"previous({Print(previous.Of, formula)})",
        Formula.Rank rank => $"rank({Print(rank.Of, formula)})",
        Formula.Abs abs => $"abs({Print(abs.Of, formula)})",
        Formula.Round round => $"round({Print(round.Of, formula)},{round.Places})",
        Formula.Extreme extreme => $"{(extreme.Greatest ? "max" : "min")}({string.Join(',', extreme.Of.Select(of => Print(of, formula)))})",
        _ => throw new ArgumentException(part.ToString()),
    };
}
