using System.Text;

using DataHub.Catalog;

namespace DataHub.Pipelines;

public sealed class RecipeJsonTests
{
    private const string Small =
        """
        { "recipe": "composite-index", "id": "probe", "title": { "de": "Probe" }, "key": "k",
          "indices": [ { "id": "i", "name": { "de": "Index" }, "indicators": [ { "column": "x" } ] } ] }
        """;

    [Fact]
    public void Social_monitoring_reads_writes_and_reads_the_same()
    {
        var text = RecipeJson.Write(SocialMonitoring.Spec);
        var again = Assert.IsType<CompositeIndexSpec>(Read(text));
        Assert.Equal(text, RecipeJson.Write(again));
        Assert.Equal(["status", "dynamics"], again.Indices.Select(index => index.Id));
        Assert.Equal([-1, null, null, null], again.Indices[0].Classes.Select(type => type.Below));
        Assert.Equal([null, 1, 1.5, null], again.Indices[0].Classes.Select(type => type.UpTo));
        Assert.Equal(Standardisation.ZScorePopulation, again.Indices[1].Restandardise);
        Assert.Equal("gültig", again.Exclusions[0].NotEqualTo);
    }

    [Fact]
    public void Every_member_survives_the_way_through_json()
    {
        var name = new LocalText("Größe „x“", "size");
        RecipeSpec[] recipes =
        [
            new CompositeIndexSpec("probe", name, "k", [
                new("i", name, [new("x") { Weight = 0.1, Direction = IndicatorDirection.LowerIsMore }]) { Standardisation = Standardisation.Rank, Combine = Combination.Mean, Restandardise = Standardisation.MinMax, Classes = [new("1", name) { Below = 0.1 }, new("2", name) { UpTo = 0.3 }, new("3", name)] },
                new("j", name, [new("y")]) { Standardisation = Standardisation.ZScoreSample, Restandardise = Standardisation.None, Classes = [new("1", name)] },
            ])
            {
                Source = "https://example.org/methode", Carry = ["a", "b"],
                Exclusions = [new("c", name) { EqualTo = "" }, new("c", name) { NotEqualTo = "ja" }, new("c", name) { IsNull = true }],
                CrossClasses = [new("ij", [new("i") { Before = "=", Texts = ["", "b", "c"] }, new("j")])],
            },
            new LibraryUseSpec("probe", name, ["branch", "medium"], "stock", "loans") { Active = "active", Within = ["branch"] },
            new RateSpec("probe", name, "area", "date", "count", new("a", "f", "n")) { Per = 100_000, Reform = new(new(2021, 1, 1), "old", "new", "share") },
        ];
        foreach (var recipe in recipes)
        {
            var text = RecipeJson.Write(recipe);
            var again = Read(text);
            Assert.IsType(recipe.GetType(), again);
            Assert.Equivalent(recipe, again, strict: true);
            Assert.Equal(text, RecipeJson.Write(again!));
        }
    }

    [Fact]
    public void What_is_not_said_has_its_default()
    {
        var index = Assert.IsType<CompositeIndexSpec>(Read(Small)).Indices[0];
        Assert.Equal((Standardisation.ZScorePopulation, Combination.Sum, Standardisation.None), (index.Standardisation, index.Combine, index.Restandardise));
        Assert.Equal((IndicatorDirection.HigherIsMore, 1), (index.Indicators[0].Direction, index.Indicators[0].Weight));
        Assert.IsType<CompositeIndexSpec>(Read("\uFEFF" + Small));
    }

    [Theory]
    [InlineData("\"column\": \"x\"", "\"column\": \"x\", \"wieght\": 2", "indices[0].indicators[0].wieght", RecipeCodes.UnknownMember)]
    [InlineData("\"key\": \"k\"", "\"key\": \"k\", \"keys\": []", "keys", RecipeCodes.UnknownMember)]
    [InlineData("{ \"de\": \"Index\" }", "{ \"de\": \"Index\", \"fr\": \"indice\" }", "indices[0].name.fr", RecipeCodes.UnknownMember)]
    [InlineData("\"column\": \"x\"", "\"column\": 5", "indices[0].indicators[0].column", RecipeCodes.WrongType)]
    [InlineData("\"column\": \"x\"", "\"column\": null", "indices[0].indicators[0].column", RecipeCodes.WrongType)]
    [InlineData("\"column\": \"x\"", "\"column\": \"x\", \"weight\": \"2\"", "indices[0].indicators[0].weight", RecipeCodes.WrongType)]
    [InlineData("{ \"column\": \"x\" }", "\"x\"", "indices[0].indicators[0]", RecipeCodes.WrongType)]
    [InlineData("[ { \"column\": \"x\" } ]", "{ \"column\": \"x\" }", "indices[0].indicators", RecipeCodes.WrongType)]
    [InlineData("\"key\": \"k\"", "\"key\": \"k\", \"carry\": [ \"a\", 1 ]", "carry[1]", RecipeCodes.WrongType)]
    [InlineData("\"key\": \"k\",", "", "key", RecipeCodes.MissingMember)]
    [InlineData("\"de\": \"Index\"", "", "indices[0].name.de", RecipeCodes.MissingMember)]
    [InlineData("\"column\": \"x\"", "", "indices[0].indicators[0].column", RecipeCodes.MissingMember)]
    [InlineData("\"recipe\": \"composite-index\",", "", "recipe", RecipeCodes.MissingMember)]
    [InlineData("\"composite-index\"", "\"composite\"", "recipe", RecipeCodes.UnknownWord)]
    [InlineData("\"column\": \"x\"", "\"column\": \"x\", \"direction\": \"up\"", "indices[0].indicators[0].direction", RecipeCodes.UnknownWord)]
    [InlineData("\"key\": \"k\"", "\"key\": \"k\", \"key\": \"l\"", "key", RecipeCodes.DuplicateMember)]
    [InlineData("\"column\": \"x\"", "\"column\": \"x\", \"weight\": 1e999", "indices[0].indicators[0].weight", RecipeCodes.WrongType)]
    [InlineData("\"column\": \"x\"", "\"column\": \"x\", \"weight\": -1", "indices[0].indicators[0].weight", RecipeCodes.InvalidNumber)]
    [InlineData("\"key\"", "key", "", RecipeCodes.NotJson)]
    public void What_is_wrong_is_said_with_its_path(string from, string to, string path, string code)
    {
        Assert.Contains(from, Small, StringComparison.Ordinal);
        Assert.Null(RecipeJson.Read(Encoding.UTF8.GetBytes(Small.Replace(from, to, StringComparison.Ordinal)), out var problems));
        Assert.Equal([(path, code)], problems.Select(p => (p.Path, p.Code)));
    }

    [Fact]
    public void All_problems_are_told_at_once_up_to_a_limit()
    {
        var text = Small.Replace("\"key\": \"k\"", string.Join(',', Enumerable.Range(0, 500).Select(i => $"\"m{i}\": 0")), StringComparison.Ordinal);
        Assert.Null(RecipeJson.Read(Encoding.UTF8.GetBytes(text), out var problems));
        Assert.Equal(RecipeLimits.Problems, problems.Length);
        Assert.Equal(("key", RecipeCodes.MissingMember), (problems[0].Path, problems[0].Code));
    }

    [Fact]
    public void Too_long_or_too_deep_is_refused()
    {
        Assert.Null(RecipeJson.Read(new byte[RecipeLimits.JsonBytes + 1], out var tooLong));
        Assert.Equal(RecipeCodes.TooMany, tooLong.Single().Code);
        Assert.Null(RecipeJson.Read(Encoding.UTF8.GetBytes(new string('[', 100)), out var tooDeep));
        Assert.Equal(RecipeCodes.NotJson, tooDeep.Single().Code);
    }

    [Fact]
    public void A_date_of_a_reform_is_a_day_of_the_calendar()
    {
        var text = RecipeJson.Write(new RateSpec("probe", new("Probe", null), "area", "date", "count", new("a", "f", "n")) { Reform = new(new(2021, 1, 1), "old", "new", "share") });
        Assert.Null(RecipeJson.Read(Encoding.UTF8.GetBytes(text.Replace("2021-01-01", "2021-02-29", StringComparison.Ordinal)), out var problems));
        Assert.Equal([("reform.on", RecipeCodes.WrongType)], problems.Select(p => (p.Path, p.Code)));
    }

    private static RecipeSpec? Read(string text)
    {
        var recipe = RecipeJson.Read(Encoding.UTF8.GetBytes(text), out var problems);
        Assert.Empty(problems.Select(p => $"{p.Path} {p.Code}: {p.Detail.De}"));
        return recipe;
    }
}
