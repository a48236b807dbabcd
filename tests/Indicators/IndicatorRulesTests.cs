using DataHub.Catalog;

namespace DataHub.Indicators;

public sealed class IndicatorRulesTests
{
    private static readonly Caller Owner = new("senumvk", KeyRole.Admin, "k");
    private static readonly IndicatorOptions Limits = new();

    private static readonly IndicatorSpec Good = new(
        new("Stickstoffdioxid", null), "air", MeasureFunction.Mean, "no2", "PT1H", "Europe/Berlin", true, ["kind"], 1, "ug/m3", AccessClass.Open);

    private static readonly DatasetInfo Air = Dataset(
        Field("station", FieldType.String, FieldRole.Series), Field("time", FieldType.DateTime, FieldRole.Time), Field("no2", FieldType.Number, FieldRole.Measure),
        Field("kind", FieldType.String, FieldRole.Dimension), Field("note", FieldType.String, FieldRole.None), Field("name", FieldType.String, FieldRole.Personal),
        Field("height", FieldType.Number, FieldRole.None));

    [Fact]
    public void A_definition_is_created_once_and_an_equal_one_changes_nothing()
    {
        var (state, result) = Put(new(), Good);
        Assert.True(result is { Refusal: CatalogRefusal.None, Created: true });
        Assert.Equal((1, null), (result.Indicator!.Definition.Version, result.Indicator.Pending));

        var (again, repeat) = Put(state, Good with { Dimensions = ["kind"] });
        Assert.Same(state, again);
        Assert.False(repeat.Created);
    }

    [Fact]
    public void A_changed_definition_waits_until_it_has_joined_and_the_old_one_answers()
    {
        var (first, _) = Put(new(), Good);
        var (second, result) = Put(first, Good with { Window = "P1D" });
        Assert.Equal(("PT1H", "P1D"), (result.Indicator!.Definition.Spec.Window, result.Indicator.Pending!.Spec.Window));
        Assert.True(result.Indicator.Pending.Version > result.Indicator.Definition.Version);

        var joined = IndicatorRules.Joined(second, 100);
        Assert.Equal(("P1D", null), (joined.Definition!.Spec.Window, joined.Pending));
        Assert.True(joined.Changes > joined.Definition.Version);
        Assert.Same(joined, IndicatorRules.Joined(joined, 100));

        var (third, _) = Put(joined, Good with { Window = "P1W" });
        Assert.True(third.Pending!.Version > joined.Definition.Version);
    }

    [Fact]
    public void Putting_back_what_answers_gives_up_what_is_pending()
    {
        var (first, _) = Put(new(), Good);
        var (second, _) = Put(first, Good with { Window = "P1D" });
        var (back, _) = Put(second, Good);
        Assert.Null(back.Pending);
        Assert.Equal(first.Definition, back.Definition);
        Assert.True(back.Changes > second.Changes);
    }

    [Theory]
    [InlineData("senumvk", KeyRole.Admin, true)]
    [InlineData("senumvk", KeyRole.Push, false)]
    [InlineData("senumvk", KeyRole.Read, false)]
    [InlineData("other", KeyRole.Admin, false)]
    [InlineData("platform", KeyRole.Admin, true)]
    [InlineData(null, KeyRole.None, false)]
    public void Only_admins_of_the_publisher_or_the_platform_define(string? agency, KeyRole role, bool may)
    {
        var (state, result) = IndicatorRules.Put(new(), "no2", new(agency, role, "k"), Good, Air, Limits);
        Assert.Equal(may ? CatalogRefusal.None : CatalogRefusal.Forbidden, result.Refusal);
        Assert.Equal(may, state.Definition is not null);
    }

    [Fact]
    public void The_indicators_access_decides_who_reads_and_a_stricter_one_holds_at_once()
    {
        var (open, _) = Put(new(), Good);
        Assert.True(IndicatorRules.MayRead(Caller.Public, open, open.Source));

        var (stricter, _) = Put(open, Good with { Access = AccessClass.Internal });
        Assert.False(IndicatorRules.MayRead(Caller.Public, stricter, stricter.Source));
        Assert.True(IndicatorRules.MayRead(new("senumvk", KeyRole.Read, "k"), stricter, stricter.Source));
        Assert.False(IndicatorRules.MayRead(new("senumvk", KeyRole.Push, "k"), stricter, stricter.Source));
        Assert.False(IndicatorRules.MayRead(new("other", KeyRole.Admin, "k"), stricter, stricter.Source));
        Assert.False(IndicatorRules.MayRead(Caller.Public, new(), null));
    }

    public static TheoryData<string, string> Faults => new()
    {
        { "title", "title" }, { "field-unknown", "measure.field" }, { "field-missing", "measure.field" }, { "field-personal", "measure.field" },
        { "field-text", "measure.field" }, { "field-role", "measure.field" }, { "dimension-unknown", "groupBy" }, { "dimension-role", "groupBy" },
        { "dimension-personal", "groupBy" }, { "dimension-twice", "groupBy" }, { "dimension-many", "groupBy" }, { "window", "window" }, { "zone", "timeZone" },
        { "decimals", "decimals" }, { "minimum", "disclosure.minimumCount" }, { "unit", "unit" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void What_a_definition_must_not_be_is_said_by_its_member(string fault, string member)
    {
        var spec = fault switch
        {
            "title" => Good with { Title = new("", null) },
            "field-unknown" => Good with { Field = "nix" },
            "field-missing" => Good with { Field = null },
            "field-personal" => Good with { Function = MeasureFunction.Count, Field = "name" },
            "field-text" => Good with { Field = "note" },
            "field-role" => Good with { Field = "height" },
            "dimension-unknown" => Good with { Dimensions = ["nix"] },
            "dimension-role" => Good with { Dimensions = ["note"] },
            "dimension-personal" => Good with { Dimensions = ["name"] },
            "dimension-twice" => Good with { Dimensions = ["kind", "kind"] },
            "dimension-many" => Good with { Dimensions = [.. Enumerable.Range(0, 9).Select(i => $"d{i}")] },
            "window" => Good with { Window = "PT7M" },
            "zone" => Good with { TimeZone = "Nowhere" },
            "decimals" => Good with { Decimals = 16 },
            "minimum" => Good with { MinimumCount = -1 },
            _ => Good with { Unit = new('x', 65) },
        };
        var (state, result) = Put(new(), spec);
        Assert.Equal(CatalogRefusal.Invalid, result.Refusal);
        Assert.Contains(member, result.Detail!.De, StringComparison.Ordinal);
        Assert.Contains(member, result.Detail.En!, StringComparison.Ordinal);
        Assert.Null(state.Definition);
    }

    [Fact]
    public void Counting_needs_no_field_or_any_that_is_not_personal()
    {
        Assert.Null(IndicatorRules.Fault(Good with { Function = MeasureFunction.Count, Field = null }, Air, Limits));
        Assert.Null(IndicatorRules.Fault(Good with { Function = MeasureFunction.Count, Field = "note" }, Air, Limits));
    }

    [Fact]
    public void Windows_need_a_time_and_areas_a_system()
    {
        Assert.Contains("time", IndicatorRules.Fault(Good, Dataset(Field("no2", FieldType.Number, FieldRole.Measure)), Limits)!.En, StringComparison.Ordinal);
        Assert.Contains("groupBy", IndicatorRules.Fault(Good, Air with { Spec = Air.Spec with { AreaSystem = null } }, Limits)!.En, StringComparison.Ordinal);
    }

    [Fact]
    public void A_definition_stays_with_its_dataset_and_the_dataset_must_exist()
    {
        var (state, _) = Put(new(), Good);
        Assert.Equal(CatalogRefusal.Conflict, IndicatorRules.Put(state, "no2", Owner, Good with { Dataset = "water" }, Air, Limits).Result.Refusal);
        Assert.Equal(CatalogRefusal.Invalid, IndicatorRules.Put(new(), "no2", Owner, Good, null, Limits).Result.Refusal);
        Assert.Equal(CatalogRefusal.Forbidden, IndicatorRules.Put(new(), "no2", Caller.Public, Good, null, Limits).Result.Refusal);
        Assert.Equal(CatalogRefusal.Invalid, IndicatorRules.Put(new(), "No_2", Owner, Good, Air, Limits).Result.Refusal);
    }

    private static (IndicatorState State, IndicatorResult Result) Put(IndicatorState state, IndicatorSpec spec) => IndicatorRules.Put(state, "no2", Owner, spec, Air, Limits);

    private static DatasetInfo Dataset(params FieldSpec[] fields) => new(
        "air",
        new(new("Luft", null), "senumvk", DatasetKind.Observations, AccessClass.Internal, "dl-de/by-2-0", "demo", new(1, fields, ["station", "time"], [""]), null),
        [new("air/0", 0)], 1, [], [], default, default);

    private static FieldSpec Field(string name, FieldType type, FieldRole role) => new(name, type, null, role, FieldConstraints.None, null, null, null);
}
