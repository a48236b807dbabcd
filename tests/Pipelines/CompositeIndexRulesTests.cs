using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>Small cases worked by hand.</summary>
public sealed class CompositeIndexRulesTests
{
    private static readonly LocalText s_name = new("Probe", "Sample");

    private static readonly string[] s_eight = ["a|2", "b|4", "c|4", "d|4", "e|5", "f|5", "g|7", "h|9"];

    private static readonly IndexClass[] s_classes =
    [
        new("1", s_name) { Below = -1 }, new("2", s_name) { UpTo = 1 }, new("3", s_name) { UpTo = 1.5 }, new("4", s_name),
    ];

    [Fact]
    public void Population_deviation_divides_by_n()
    {
        // Σx = 40, mean 5; squared distances 9 + 1 + 1 + 1 + 0 + 0 + 4 + 16 = 32; 32 / 8 = 4, √4 = 2.
        // (2 − 5) / 2 = −1.5, (4 − 5) / 2 = −0.5, 0, (7 − 5) / 2 = 1, (9 − 5) / 2 = 2.
        var result = One(Standardisation.ZScorePopulation, s_eight);
        Assert.Equal([-1.5, -0.5, -0.5, -0.5, 0, 0, 1, 2], result.Numbers("i_x_z"));
        Assert.Equal(["1", "2", "2", "2", "2", "2", "2", "4"], result.Texts("i_class"));
    }

    [Fact]
    public void Sample_deviation_divides_by_n_less_one()
    {
        // The same 32, but 32 / 7 = 4.571428…, √ = 2.138089935299395; (2 − 5) / 2.138089935299395 = −1.403121520040228,
        // (9 − 5) / 2.138089935299395 = 1.870828693386971.
        var values = One(Standardisation.ZScoreSample, s_eight).Numbers("i_value").ToArray();
        Assert.Equal(-1.403121520040228, values[0], 14);
        Assert.Equal(1.870828693386971, values[7], 14);
    }

    [Fact]
    public void Least_and_greatest_become_0_and_1() =>
        // (x − 2) / 7.
        Assert.Equal([0, 2 / 7.0, 2 / 7.0, 2 / 7.0, 3 / 7.0, 3 / 7.0, 5 / 7.0, 1], One(Standardisation.MinMax, s_eight).Numbers("i_value"));

    [Fact]
    public void Equal_values_share_the_average_of_their_ranks() =>
        // Ranks 1, 3 (of 2, 3, 4), 5.5 (of 5, 6), 7, 8; less 1, by 7.
        Assert.Equal([0, 2 / 7.0, 2 / 7.0, 2 / 7.0, 4.5 / 7, 4.5 / 7, 6 / 7.0, 1], One(Standardisation.Rank, s_eight).Numbers("i_value"));

    [Theory]
    [InlineData(Standardisation.None, "-9")]
    [InlineData(Standardisation.ZScorePopulation, "-2")]
    [InlineData(Standardisation.MinMax, "0")]
    [InlineData(Standardisation.Rank, "0")]
    public void A_turned_indicator_gives_the_greatest_value_the_least_score(Standardisation how, string expected)
    {
        var turned = One(how, s_eight, indicator => indicator with { Direction = IndicatorDirection.LowerIsMore }).Numbers("i_value").ToArray();
        Assert.Equal(double.Parse(expected, System.Globalization.CultureInfo.InvariantCulture), turned[7]);
        Assert.Equal(turned.Min(), turned[7]);
        Assert.Equal(turned.Max(), turned[0]);
    }

    [Fact]
    public void Bounds_belong_where_the_recipe_says()
    {
        var result = One(Standardisation.None, ["a|-1.0000001", "b|-1", "c|1", "d|1.0000001", "e|1.5", "f|1.5000001"]);
        Assert.Equal(["1", "2", "2", "3", "3", "4"], result.Texts("i_class"));
    }

    [Fact]
    public void Weighted_sum_and_weighted_mean()
    {
        // 3 · 2 + 1 · 10 = 16; 16 / (3 + 1) = 4.
        var index = new IndexSpec("i", s_name, [new("x") { Weight = 3 }, new("y")]) { Standardisation = Standardisation.None };
        var table = RecipeTables.Table("k:String x:Number y:Integer", "a|2|10");
        Assert.Equal([16.0], Compute(index, table).Numbers("i_value"));
        Assert.Equal([4.0], Compute(index with { Combine = Combination.Mean }, table).Numbers("i_value"));
    }

    [Fact]
    public void First_exclusion_that_applies_gives_the_reason()
    {
        var spec = Spec(new IndexSpec("i", s_name, [new("x")])) with
        {
            Exclusions =
            [
                new("ok", new("kein Vermerk", null)) { IsNull = true }, new("n", new("unter zehn", "below ten")) { EqualTo = "9" }, new("ok", new("nicht wahr", null)) { NotEqualTo = "true" },
            ],
        };
        var table = RecipeTables.Table("k:String x:Number ok:Boolean n:Integer", "a|1|true|10", "b|2||9", "c|3|true|9", "d|4|false|10", "e||true|10", "f|5|true|10");
        var result = CompositeIndex.Compute(spec, table.Columns, table.Rows);
        Assert.Equal([null, "kein Vermerk", "unter zehn", "nicht wahr", "Wert fehlt: x", null], result.Texts("excluded"));
        Assert.Equal([null, "kein Vermerk", "below ten", "nicht wahr", "value missing: x", null], result.Texts("excluded_en"));
        Assert.Equal([-1, double.NaN, double.NaN, double.NaN, double.NaN, 1], result.Numbers("i_value"));
    }

    [Fact]
    public void Result_is_in_the_order_of_the_key_whatever_its_type()
    {
        var table = RecipeTables.Table("k:String x:Number", "b|1", "a|2", "B|3");
        Assert.Equal(["B", "a", "b"], Compute(Plain, table).Texts("k"));
        var numbered = RecipeTables.Table("k:Integer x:Number", "10|1", "9|2", "-1|3");
        Assert.Equal([-1, 9, 10], Compute(Plain, numbered).Rows.Columns[0].Integers!);
    }

    [Theory]
    [InlineData(Standardisation.ZScorePopulation)]
    [InlineData(Standardisation.ZScoreSample)]
    [InlineData(Standardisation.MinMax)]
    [InlineData(Standardisation.Rank)]
    public void Equal_values_and_a_single_row_are_refused(Standardisation how)
    {
        Refused(Compute(new IndexSpec("i", s_name, [new("x")]) { Standardisation = how }, RecipeTables.Table("k:String x:Number", "a|0.1", "b|0.1", "c|0.1")), "indices[0].indicators[0]", RecipeCodes.NoSpread);
        Refused(Compute(new IndexSpec("i", s_name, [new("x")]) { Standardisation = how }, RecipeTables.Table("k:String x:Number", "a|1")), "indices[0].indicators[0]", RecipeCodes.TooFewRows);

        // x and −x: every sum is 0.
        var index = new IndexSpec("i", s_name, [new("x"), new("y") { Direction = IndicatorDirection.LowerIsMore }]) { Standardisation = Standardisation.None, Restandardise = how };
        Refused(Compute(index, RecipeTables.Table("k:String x:Number y:Number", "a|1|1", "b|2|2")), "indices[0].restandardise", RecipeCodes.NoSpread);
    }

    [Fact]
    public void Tables_that_do_not_fit_are_refused()
    {
        Refused(Compute(Plain, RecipeTables.Table("k:String y:Number", "a|1")), "indices[0].indicators[0].column", RecipeCodes.UnknownColumn);
        Refused(Compute(Plain, RecipeTables.Table("k:String x:String", "a|1")), "indices[0].indicators[0].column", RecipeCodes.ColumnType);
        Refused(Compute(Plain, RecipeTables.Table("k:Number x:Number", "1|1")), "key", RecipeCodes.ColumnType);
        Refused(Compute(Plain, RecipeTables.Table("k:String x:Number", "a|1", "a|2")), "key", RecipeCodes.DuplicateKey);
        Refused(Compute(Plain, RecipeTables.Table("k:String x:Number", "a|1", "|2")), "key", RecipeCodes.MissingKey);
        Refused(Compute(Plain, RecipeTables.Table("k:String x:Number", "a|1", "b|1e151")), "indices[0].indicators[0].column", RecipeCodes.ValueOutOfRange);
    }

    [Fact]
    public void More_rows_than_allowed_are_refused()
    {
        var columns = RecipeTables.Table("k:Integer x:Number").Columns;
        var block = new Feeds.RowBlock
        {
            Count = RecipeLimits.Rows + 1,
            Columns = [Feeds.Column.OfIntegers(new long[RecipeLimits.Rows + 1]), Feeds.Column.OfNumbers(new double[RecipeLimits.Rows + 1])],
        };
        Refused(CompositeIndex.Compute(Spec(Plain), columns, [block]), "", RecipeCodes.TooManyRows);
    }

    [Fact]
    public void What_a_recipe_must_not_say()
    {
        Wrong(Spec(Plain) with { Indices = [] }, "indices", RecipeCodes.TooFew);
        Wrong(Spec(Plain with { Id = "Status" }), "indices[0].id", RecipeCodes.InvalidName);
        Wrong(Spec([Plain, Plain]), "indices[1].id", RecipeCodes.Duplicate);
        Wrong(Spec([.. Enumerable.Range(0, RecipeLimits.Indices + 1).Select(i => Plain with { Id = $"i{i}" })]), "indices", RecipeCodes.TooMany);
        Wrong(Spec(Plain with { Indicators = [.. Enumerable.Range(0, RecipeLimits.Indicators + 1).Select(i => new IndexIndicator($"x{i}"))] }), "indices[0].indicators", RecipeCodes.TooMany);
        Wrong(Spec(Plain with { Indicators = [new("x") { Weight = 0 }] }), "indices[0].indicators[0].weight", RecipeCodes.InvalidNumber);
        Wrong(Spec(Plain with { Indicators = [new("x"), new("x")] }), "indices[0].indicators[1].column", RecipeCodes.Duplicate);
        Wrong(Spec(Plain) with { Exclusions = [new("x", s_name)] }, "exclusions[0]", RecipeCodes.ConditionIncomplete);
        Wrong(Spec(Plain) with { Exclusions = [new("x", s_name) { EqualTo = "1", IsNull = true }] }, "exclusions[0]", RecipeCodes.ConditionIncomplete);
        Wrong(Spec(Plain) with { Carry = ["i_value"] }, "indices[0].id", RecipeCodes.Duplicate);
        Wrong(Spec(Plain) with { Carry = ["K"] }, "carry[0]", RecipeCodes.Duplicate);
        Wrong(Spec(Plain) with { CrossClasses = [new("c", [new("i"), new("i")])] }, "crossClasses[0].parts[0].index", RecipeCodes.UnknownReference);
        Wrong(Spec(Plain with { Classes = s_classes }) with { CrossClasses = [new("c", [new("i") { Texts = ["+"] }, new("i")])] }, "crossClasses[0].parts[0].texts", RecipeCodes.MemberTogether);
    }

    [Fact]
    public void Classes_ascend_and_leave_no_gap()
    {
        WrongClasses("indices[0].classes[1].upTo", RecipeCodes.NotAscending, new("1", s_name) { Below = 1 }, new("2", s_name) { UpTo = -1 }, new("3", s_name));
        WrongClasses("indices[0].classes[1].below", RecipeCodes.NotAscending, new("1", s_name) { Below = 1 }, new("2", s_name) { Below = 1 }, new("3", s_name));
        WrongClasses("indices[0].classes[1].upTo", RecipeCodes.NotAscending, new("1", s_name) { UpTo = 1 }, new("2", s_name) { UpTo = 1 }, new("3", s_name));
        WrongClasses("indices[0].classes[0]", RecipeCodes.InvalidBound, new("1", s_name), new("2", s_name));
        WrongClasses("indices[0].classes[0]", RecipeCodes.InvalidBound, new("1", s_name) { Below = 1, UpTo = 1 }, new("2", s_name));
        WrongClasses("indices[0].classes[1]", RecipeCodes.InvalidBound, new("1", s_name) { Below = 1 }, new("2", s_name) { UpTo = 2 });
        WrongClasses("indices[0].classes[0].below", RecipeCodes.InvalidNumber, new("1", s_name) { Below = double.NaN }, new("2", s_name));
        WrongClasses("indices[0].classes[1].label", RecipeCodes.Duplicate, new("1", s_name) { Below = 1 }, new("1", s_name));
        WrongClasses("indices[0].classes", RecipeCodes.TooMany, [.. Enumerable.Range(0, RecipeLimits.Classes).Select(i => new IndexClass($"{i}", s_name) { Below = i }), new("last", s_name)]);
        Assert.Empty(RecipeCheck.Check(Spec(Plain with { Classes = [new("<", s_name) { Below = 1 }, new("=", s_name) { UpTo = 1 }, new(">", s_name)] })));
    }

    private static IndexSpec Plain => new("i", s_name, [new("x")]) { Standardisation = Standardisation.None };

    private static CompositeIndexSpec Spec(params IndexSpec[] indices) => new("probe", s_name, "k", indices);

    private static RecipeResult Compute(IndexSpec index, RecipeTable table) => CompositeIndex.Compute(Spec(index), table.Columns, table.Rows);

    private static RecipeResult One(Standardisation how, string[] lines, Func<IndexIndicator, IndexIndicator>? change = null) =>
        Compute(new IndexSpec("i", s_name, [(change ?? (same => same))(new("x"))]) { Standardisation = how, Classes = s_classes }, RecipeTables.Table("k:String x:Number", lines));

    private static void Refused(RecipeResult result, string path, string code)
    {
        Assert.Contains((path, code), result.Problems.Select(p => (p.Path, p.Code)));
        Assert.Equal(0, result.Rows.Count);
    }

    private static void Wrong(CompositeIndexSpec spec, string path, string code)
    {
        Assert.Contains((path, code), RecipeCheck.Check(spec).Select(p => (p.Path, p.Code)));
        var table = RecipeTables.Table("k:String x:Number", "a|1", "b|2");
        Assert.NotEmpty(CompositeIndex.Compute(spec, table.Columns, table.Rows).Problems);
    }

    private static void WrongClasses(string path, string code, params IndexClass[] classes) => Wrong(Spec(Plain with { Classes = classes }), path, code);
}
