using DataHub.Catalog;
using DataHub.Support;

namespace DataHub.Indicators;

/// <summary>What a formula may be made of, and what becomes of it when its inputs change.</summary>
public sealed class FormulaRulesTests
{
    private static readonly Caller Owner = new("senumvk", KeyRole.Admin, "k");
    private static readonly IndicatorOptions Limits = new();

    private static readonly DatasetInfo Dataset = new(
        "air",
        new(new("Luft", null), "senumvk", DatasetKind.Observations, AccessClass.Internal, "dl-de/by-2-0", "bezirke", Contracts.Schema(
            ["station", "time"],
            Contracts.Field("station", FieldType.String, FieldRole.Series),
            Contracts.Field("time", FieldType.DateTime, FieldRole.Time),
            Contracts.Field("n", FieldType.Number, FieldRole.Measure),
            Contracts.Field("kind", FieldType.String, FieldRole.Dimension)), null),
        [new("air/0", 0)], 1, [], [], default, default);

    private static readonly IndicatorSpec Measured = new(
        new("Fälle", null), "air", MeasureFunction.Sum, "n", "PT1H", "Europe/Berlin", true, ["kind"], null, null, AccessClass.Open);

    [Fact]
    public void Window_zone_and_groups_are_those_of_the_inputs()
    {
        var (state, result) = Put("cases / tests", Input("cases"), Input("tests", version: 7));
        Assert.Equal(CatalogRefusal.None, result.Refusal);
        var definition = state.Definition!;
        Assert.Equal(("PT1H", "Europe/Berlin", true, false), (definition.Spec.Window, definition.Spec.TimeZone, definition.Spec.ByArea, definition.Spec.Coverage));
        Assert.Equal(["kind"], definition.Spec.Dimensions);
        Assert.Equal([("cases", 1), ("tests", 7)], definition.Inputs!.Select(input => (input.Indicator, input.Version)));

        var (again, _) = IndicatorRules.Put(state, "rate", Owner, Wanted("cases / tests"), Dataset, Limits, [Input("cases"), Input("tests", version: 7)]);
        Assert.Same(state, again);
    }

    [Theory]
    [InlineData("cases / test", "character 9: There is no indicator “test” on the dataset “air”; a formula takes only indicators of its own dataset. Did you mean tests?")]
    [InlineData("no2 - hourly", "character 1: There is no indicator “no2” on the dataset “air”; a formula takes only indicators of its own dataset. Did you mean \"no2-hourly\", with quotes?")]
    [InlineData("cases / poplation", "character 9: There is no indicator “poplation” on the dataset “air”; a formula takes only indicators of its own dataset. Did you mean population?")]
    [InlineData("cases / elsewhere", "character 9: There is no indicator “elsewhere” on the dataset “air”; a formula takes only indicators of its own dataset.")]
    [InlineData("cases / rate", "character 9: “rate” is the indicator itself; it cannot be computed from itself.")]
    [InlineData("cases / derived", "character 9: “derived” is a formula itself; only measured indicators are possible.")]
    public void An_input_that_cannot_be_is_named_with_what_may_have_been_meant(string formula, string expected)
    {
        var derived = Input("derived");
        derived = derived with { Definition = derived.Definition with { Inputs = [] } };
        var (_, result) = Put(formula, Input("cases"), Input("tests"), Input("no2-hourly"), derived);
        Assert.Equal((CatalogRefusal.Invalid, "formula, " + expected), (result.Refusal, result.Detail!.En));
    }

    [Fact]
    public void Inputs_of_another_window_or_other_groups_do_not_go_together()
    {
        Assert.Equal(
            "formula: “cases” and “tests” do not go together; window, time zone and groups must be the same: PT1H Europe/Berlin [area, kind] against P1D Europe/Berlin [area, kind].",
            Put("cases / tests", Input("cases"), Input("tests", spec: Measured with { Window = "P1D" })).Result.Detail!.En);
        Assert.NotNull(Put("cases / tests", Input("cases"), Input("tests", spec: Measured with { Dimensions = [] })).Result.Detail);
        Assert.NotNull(Put("cases / tests", Input("cases"), Input("tests", spec: Measured with { TimeZone = "UTC" })).Result.Detail);

        // What an input is about to become counts too.
        var changing = Input("tests");
        Assert.NotNull(Put("cases / tests", Input("cases"), changing with { Pending = changing.Definition with { Version = 2, Spec = Measured with { ByArea = false } } }).Result.Detail);
        Assert.Null(Put("cases / tests", Input("cases"), Input("tests", spec: Measured with { Sliding = "P1D" })).Result.Detail);
    }

    [Fact]
    public void What_belongs_to_the_inputs_is_refused_in_a_formula_unless_it_says_the_same()
    {
        var inputs = new[] { Input("cases") };
        foreach (var (spec, member) in new[]
        {
            (Wanted("cases") with { Filter = "n > 3" }, "filter"), (Wanted("cases") with { Sliding = "P1D" }, "sliding"), (Wanted("cases") with { Coverage = true }, "coverage"),
            (Wanted("cases") with { Window = "P1D" }, "window"), (Wanted("cases") with { TimeZone = "UTC" }, "window"), (Wanted("cases") with { Dimensions = [], ByArea = true }, "window"),
        })
        {
            var (_, result) = IndicatorRules.Put(new(), "rate", Owner, spec, Dataset, Limits, inputs);
            Assert.StartsWith(member, result.Detail!.En, StringComparison.Ordinal);
        }

        var same = Wanted("cases") with { Window = "PT1H", TimeZone = "Europe/Berlin", ByArea = true, Dimensions = ["kind"] };
        Assert.Equal(CatalogRefusal.None, IndicatorRules.Put(new(), "rate", Owner, same, Dataset, Limits, inputs).Result.Refusal);
    }

    [Fact]
    public void Shares_and_ranks_need_areas_and_populations_an_area_system()
    {
        var flat = Input("cases", spec: Measured with { ByArea = false });
        Assert.StartsWith("formula: share and rank compare areas", Put("share(cases)", flat).Result.Detail!.En, StringComparison.Ordinal);
        Assert.StartsWith("formula: share and rank compare areas", Put("rank(cases)", flat).Result.Detail!.En, StringComparison.Ordinal);
        Assert.Null(Put("cases / population", flat).Result.Detail);
        var (_, result) = IndicatorRules.Put(new(), "rate", Owner, Wanted("cases / population"), Dataset with { Spec = Dataset.Spec with { AreaSystem = null } }, Limits, [flat]);
        Assert.Equal("formula: population needs an area system; “air” has none.", result.Detail!.En);
    }

    [Fact]
    public void A_formula_is_not_more_open_than_what_it_is_made_of()
    {
        var closed = Input("cases", spec: Measured with { Access = AccessClass.Internal });
        Assert.StartsWith("access: “cases” is not open", Put("cases", closed).Result.Detail!.En, StringComparison.Ordinal);
        var closing = Input("cases");
        Assert.NotNull(Put("cases", closing with { Pending = closed.Definition with { Version = 2 } }).Result.Detail);
        Assert.Equal(CatalogRefusal.None, IndicatorRules.Put(new(), "rate", Owner, Wanted("cases") with { Access = AccessClass.Internal }, Dataset, Limits, [closed]).Result.Refusal);

        Assert.True(FormulaRules.MayRead(Caller.Public, IndicatorRules.SourceOf(Dataset), [Input("cases")]));
        Assert.False(FormulaRules.MayRead(Caller.Public, IndicatorRules.SourceOf(Dataset), [Input("tests"), closed]));
        Assert.False(FormulaRules.MayRead(Caller.Public, IndicatorRules.SourceOf(Dataset), [closing with { Pending = closed.Definition }]));
        Assert.True(FormulaRules.MayRead(Owner, IndicatorRules.SourceOf(Dataset), [closed]));
    }

    [Fact]
    public void What_a_formula_is_made_of_keeps_its_window_and_groups()
    {
        var formula = IndicatorRules.Info(Put("cases / tests", Input("cases"), Input("tests")).State)!;
        var state = IndicatorRules.Put(new(), "cases", Owner, Measured, Dataset, Limits).State;
        foreach (var wanted in new[] { Measured with { Window = "P1D" }, Measured with { Dimensions = [] }, Measured with { ByArea = false } })
        {
            var (same, result) = IndicatorRules.Put(state, "cases", Owner, wanted, Dataset, Limits, [formula]);
            Assert.Same(state, same);
            Assert.Equal(CatalogRefusal.Conflict, result.Refusal);
            Assert.EndsWith("are computed from “cases”: rate.", result.Detail!.En, StringComparison.Ordinal);
            Assert.Equal(CatalogRefusal.None, IndicatorRules.Put(state, "cases", Owner, wanted, Dataset, Limits, [Input("tests")]).Result.Refusal);
        }

        Assert.Equal(CatalogRefusal.Conflict, IndicatorRules.Put(state, "cases", Owner, Wanted("tests"), Dataset, Limits, [formula, Input("tests")]).Result.Refusal);
        Assert.Equal(CatalogRefusal.None, IndicatorRules.Put(state, "cases", Owner, Measured with { Function = MeasureFunction.Mean, Access = AccessClass.Internal }, Dataset, Limits, [formula]).Result.Refusal);
    }

    [Fact]
    public void A_new_version_of_an_input_makes_a_new_version_of_the_formula_that_waits_until_it_has_joined()
    {
        var (state, _) = Put("cases / tests", Input("cases"), Input("tests"));
        Assert.Same(state, FormulaRules.Refreshed(state, [Input("cases"), Input("tests")]));

        // A version that is only on its way does not answer yet.
        var waiting = Input("tests") with { Pending = Input("tests", version: 3).Definition };
        Assert.Same(state, FormulaRules.Refreshed(state, [Input("cases"), waiting]));

        var next = FormulaRules.Refreshed(state, [Input("cases"), Input("tests", version: 3)]);
        Assert.Equal(state.Definition, next.Definition);
        Assert.Equal([1, 3], next.Pending!.Inputs!.Select(input => input.Version));
        Assert.True(next.Pending.Version > state.Definition!.Version && next.Changes > state.Changes);
        Assert.Same(next, FormulaRules.Refreshed(next, [Input("cases"), Input("tests", version: 3)]));
        Assert.Equal([1, 3], IndicatorRules.Joined(next, 10).Definition!.Inputs!.Select(input => input.Version));

        // Not there at the moment: as it was.
        Assert.Same(state, FormulaRules.Refreshed(state, []));

        // Become what it must not be at the same time: what stands goes on.
        Assert.Same(state, FormulaRules.Refreshed(state, [Input("cases"), Input("tests", version: 3, spec: Measured with { Window = "P1D" })]));
    }

    private static (IndicatorState State, IndicatorResult Result) Put(string formula, params IndicatorInfo[] others) =>
        IndicatorRules.Put(new(), "rate", Owner, Wanted(formula), Dataset, Limits, others);

    private static IndicatorSpec Wanted(string formula) => new(
        new("Quote", null), "air", MeasureFunction.Count, null, IndicatorSpec.OfInputs, IndicatorSpec.OfInputs, false, [IndicatorSpec.OfInputs], null, null, AccessClass.Open)
    { Formula = formula };

    private static IndicatorInfo Input(string id, int version = 1, IndicatorSpec? spec = null) => new(id, new(id, version, spec ?? Measured), null, "bezirke", 1, null, "senumvk");
}
