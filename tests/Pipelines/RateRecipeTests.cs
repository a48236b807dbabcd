using CsCheck;

using DataHub.Catalog;

namespace DataHub.Pipelines;

public sealed class RateRecipeTests
{
    private const string Counts = "area:String date:Date cases:Integer";
    private const string People = "area:String from:Date people:Integer";
    private const string Shares = "old:String new:String share:Number";

    private static readonly RateSpec s_spec = new("rate", new LocalText("Rate", "Rate"), "area", "date", "cases", new("area", "from", "people"));

    private static readonly RateSpec s_reform = s_spec with { Reform = new(new(2021, 1, 1), "old", "new", "share") };

    private static readonly RecipeTable s_people = RecipeTables.Table(People, "a|2020-01-01|1000", "b|2020-01-01|4000", "c|2020-01-01|5000");

    [Fact]
    public void Rate_city_rate_ratio_and_rank()
    {
        // a 6 / 1000, b 12 / 4000, c 15 / 5000; the city 33 / 10000 = 3.3 per 1000, not (6 + 3 + 3) / 3 = 4.
        var result = Compute(s_spec, s_people, "c|2020-12-31|15", "a|2020-12-31|2", "a|2020-12-31|4", "b|2020-12-31|12");
        Assert.Equal(["a", "b", "c"], result.Texts("area"));
        Assert.Equal([6.0, 12, 15], result.Numbers("count"));
        Assert.Equal([6.0, 3, 3], result.Numbers("rate"));
        Assert.Equal([3.3, 3.3, 3.3], result.Numbers("city_rate"));
        Assert.Equal([6 / 3.3, 3 / 3.3, 3 / 3.3], result.Numbers("ratio_to_city"));
        Assert.Equal([1.0, 2, 2], Ranks(result));
        Assert.Equal([null, null, null], result.Texts("state"));
    }

    [Fact]
    public void Equal_rates_share_the_lowest_number_and_the_next_skips()
    {
        var result = Compute(s_spec, s_people, "a|2020-12-31|3", "b|2020-12-31|12", "c|2020-12-31|5");
        Assert.Equal([1.0, 1, 3], Ranks(result));
    }

    [Fact]
    public void Inhabitants_are_the_last_at_or_before_the_date()
    {
        var people = RecipeTables.Table(People, "a|2021-01-01|2000", "a|2020-01-01|1000");
        var result = Compute(s_spec, people, "a|2019-12-31|10", "a|2020-01-01|10", "a|2020-12-31|10", "a|2021-01-01|10", "a|2022-06-30|10");
        Assert.Equal([double.NaN, 10, 10, 5, 5], result.Numbers("rate"));
        Assert.Equal(["no-population", null, null, null, null], result.Texts("state"));
        Assert.Null(result.Number("city_rate", 0));
        Assert.Null(result.Number("rank", 0));
    }

    [Fact]
    public void Trend_is_against_the_date_before()
    {
        var result = Compute(s_spec, s_people, "a|2020-06-30|2", "a|2020-12-31|5", "b|2020-12-31|4", "a|2021-06-30|4", "b|2021-06-30|8");
        Assert.Equal(["a", "a", "a", "b", "b"], result.Texts("area"));
        Assert.Equal([double.NaN, 3, -1, double.NaN, 1], result.Numbers("trend"));
        Assert.Equal([double.NaN, 2, 5, double.NaN, 1], result.Numbers("previous_rate"));
        Assert.Null(result.Number("previous_date", 0));
        Assert.Equal(RecipeTables.Day("2020-06-30"), result.Number("previous_date", 3));
    }

    [Fact]
    public void What_cannot_be_calculated_has_a_word_and_counts_in_no_city_rate()
    {
        var people = RecipeTables.Table(People, "a|2020-01-01|1000", "b|2020-01-01|0", "c|2020-01-01|9000");
        var result = Compute(s_spec, people, "a|2020-12-31|5", "b|2020-12-31|5", "c|2020-12-31|", "d|2020-12-31|5");
        Assert.Equal([null, "no-inhabitants", "count-missing", "no-population"], result.Texts("state"));
        Assert.Equal([5, double.NaN, double.NaN, double.NaN], result.Numbers("rate"));
        Assert.Equal([5.0, 5, 5, 5], result.Numbers("city_rate"));
    }

    [Fact]
    public void Counts_and_inhabitants_of_old_areas_are_distributed_before_rates()
    {
        // Old p (40 cases, 4000 people) goes to x by 1/4 and to y by 3/4, old q (10 cases, 5000 people) to y.
        // x: 10 / 1000 = 10 per 1000. y: (30 + 10) / (3000 + 5000) = 5 per 1000. The city: 50 / 9000.
        // From 2021 on x has 2000 people: 8 / 2000 = 4. Of y nothing new is known: still 8000, 8 / 8000 = 1.
        var people = RecipeTables.Table(People, "p|2020-01-01|4000", "q|2020-01-01|5000", "x|2021-01-01|2000");
        var result = Compute(s_reform, people, Crosswalk("p|x|0.25", "p|y|0.75", "q|y|1"), "p|2020-12-31|40", "q|2020-12-31|10", "x|2021-12-31|8", "y|2021-12-31|8");
        Assert.Equal(["x", "x", "y", "y"], result.Texts("area"));
        Assert.Equal([10.0, 8, 40, 8], result.Numbers("count"));
        Assert.Equal([1000.0, 2000, 8000, 8000], result.Numbers("inhabitants"));
        Assert.Equal([10.0, 4, 5, 1], result.Numbers("rate"));
        Assert.Equal([double.NaN, -6, double.NaN, -4], result.Numbers("trend"));
        Assert.Equal(50 * 1000.0 / 9000, result.Number("city_rate", 0));
        Assert.Equal(RecipeNotes.Distributed, result.Notes.Single().Code);
    }

    [Fact]
    public void An_id_that_is_old_and_new_is_read_by_its_date()
    {
        // In 2020 x had 1000 people, now halves. On the day of the reform x is the new x with 400; of y only the old half, 500, is known.
        var people = RecipeTables.Table(People, "x|2020-01-01|1000", "x|2021-01-01|400");
        var result = Compute(s_reform, people, Crosswalk("x|x|0.5", "x|y|0.5"), "x|2020-12-31|10", "x|2021-01-01|10", "y|2021-01-01|10");
        Assert.Equal(["x", "x", "y", "y"], result.Texts("area"));
        Assert.Equal([5.0, 10, 5, 10], result.Numbers("count"));
        Assert.Equal([500.0, 400, 500, 500], result.Numbers("inhabitants"));
        Assert.Equal([10.0, 25, 10, 20], result.Numbers("rate"));
    }

    [Fact]
    public void Shares_of_an_old_area_sum_to_one()
    {
        var counts = RecipeTables.Table(Counts, "p|2020-12-31|1");
        Refused(RateRecipe.Compute(s_reform, counts, s_people, Crosswalk("p|x|0.5", "p|y|0.4")), "reform.share", RecipeCodes.SharesNotOne);
        Refused(RateRecipe.Compute(s_reform, counts, s_people, Crosswalk("p|x|1.5")), "reform.share", RecipeCodes.InvalidNumber);
        Refused(RateRecipe.Compute(s_reform, counts, s_people, Crosswalk("p|x|0.5", "p|x|0.5")), "reform", RecipeCodes.DuplicateKey);
        Refused(RateRecipe.Compute(s_reform, counts, s_people, Crosswalk("q|x|1")), "reform.oldArea", RecipeCodes.UnknownArea);
        Refused(RateRecipe.Compute(s_reform, counts, s_people), "reform", RecipeCodes.MissingMember);
        string[] tenths = [.. Enumerable.Range(0, 10).Select(i => $"p|x{i}|0.1")];
        Assert.Empty(RateRecipe.Compute(s_reform, counts, s_people, Crosswalk(tenths)).Problems);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        Refused(RateRecipe.Compute(s_spec with { Per = 0 }, RecipeTables.Table(Counts), s_people), "per", RecipeCodes.InvalidNumber);
        Refused(RateRecipe.Compute(s_spec with { Area = "Rank" }, RecipeTables.Table(Counts), s_people), "area", RecipeCodes.Duplicate);
        Refused(RateRecipe.Compute(s_spec, RecipeTables.Table("area:Integer date:Date cases:Integer"), s_people), "population.area", RecipeCodes.ColumnType);
        Refused(RateRecipe.Compute(s_spec, RecipeTables.Table(Counts, "|2020-01-01|1"), s_people), "area", RecipeCodes.MissingKey);
        Refused(RateRecipe.Compute(s_spec, RecipeTables.Table(Counts, "a|2020-01-01|-1"), s_people), "count", RecipeCodes.ValueOutOfRange);
        Refused(RateRecipe.Compute(s_spec, RecipeTables.Table(Counts), RecipeTables.Table(People, "a|2020-01-01|1", "a|2020-01-01|2")), "population", RecipeCodes.DuplicateKey);
        Refused(RateRecipe.Compute(s_spec, RecipeTables.Table(Counts), RecipeTables.Table(People, "a|2020-01-01|")), "population", RecipeCodes.MissingKey);
    }

    [Fact]
    public void Order_of_the_rows_of_every_table_changes_no_bit() =>
        Gen.Select(Gen.Select(Gen.Int[0, 3], Gen.Int[2019, 2022], Gen.Int[0, 1000]).Array[1, 30], Gen.Int).Sample((rows, seed) =>
        {
            var random = new Random(seed);
            string[] counts = [.. rows.Select(row => $"{row.Item1}|{row.Item2}-12-31|{row.Item3}")];
            string[] people = [.. Enumerable.Range(0, 4).SelectMany(area => new[] { $"{area}|2019-01-01|{area * 100}", $"{area}|2022-01-01|{area + 7}" })];
            string[] shares = ["0|1|0.3", "0|2|0.7", "1|1|1", "2|0|0.1", "2|3|0.2", "2|2|0.7", "3|3|1"];
            var straight = Compute(s_reform, RecipeTables.Table(People, people), Crosswalk(shares), counts);
            random.Shuffle(counts);
            random.Shuffle(people);
            random.Shuffle(shares);
            Assert.Equal(TableCodec.ToBytes(straight.Rows), TableCodec.ToBytes(Compute(s_reform, RecipeTables.Table(People, people), Crosswalk(shares), counts).Rows));
        }, iter: 500);

    private static RecipeTable Crosswalk(params string[] lines) => RecipeTables.Table(Shares, lines);

    private static RecipeResult Compute(RateSpec spec, RecipeTable people, params string[] lines) => RateRecipe.Compute(spec, RecipeTables.Table(Counts, lines), people);

    private static RecipeResult Compute(RateSpec spec, RecipeTable people, RecipeTable crosswalk, params string[] lines) => RateRecipe.Compute(spec, RecipeTables.Table(Counts, lines), people, crosswalk);

    private static IEnumerable<double> Ranks(RecipeResult result) => Enumerable.Range(0, result.Rows.Count).Select(row => result.Number("rank", row)!.Value);

    private static void Refused(RecipeResult result, string path, string code) => Assert.Contains((path, code), result.Problems.Select(p => (p.Path, p.Code)));
}
