using Xunit;

namespace DataHub.Catalog;

public sealed class AreaSystemRulesTests
{
    private static readonly Caller s_admin = new(Caller.PlatformAgency, KeyRole.Admin, "k");
    private static readonly AreaSystemOptions s_limits = new();

    private static Area Area(string id, string? parent = null, int level = 0, byte[]? geometry = null) => new(id, parent, "Gebiet " + id, level, null, geometry);

    private static (AreaSystemState State, AreaSystemResult Result) Put(AreaSystemState state, params Area[] areas) =>
        AreaSystemRules.Put(state, "lor", s_admin, null, areas, null, s_limits);

    [Fact]
    public void The_first_put_is_version_one_and_sorted_by_id()
    {
        var (state, result) = Put(new(), Area("02"), Area("01"), Area("0101", "01", 1));

        Assert.Equal(new AreaSystemResult(AreaRefusal.None, 1, 3, null) { Changed = true }, result);
        Assert.Equal(["01", "0101", "02"], state.Present!.Areas.Select(a => a.Id));
    }

    [Fact]
    public void The_same_areas_in_another_order_change_nothing()
    {
        var (first, _) = Put(new(), Area("01", geometry: [1, 2]), Area("02"));
        var (second, result) = Put(first, Area("02"), Area("01", geometry: [1, 2]));

        Assert.Same(first, second);
        Assert.Equal(new AreaSystemResult(AreaRefusal.None, 1, 2, null), result);
    }

    [Fact]
    public void Another_polygon_or_title_is_a_new_version_and_the_old_one_stays()
    {
        var (first, _) = Put(new(), Area("01", geometry: [1, 2]));
        var (second, _) = Put(first, Area("01", geometry: [1, 3]));
        var (third, result) = AreaSystemRules.Put(second, "lor", s_admin, new("Räume", null), [Area("01", geometry: [1, 3])], 2, s_limits);

        Assert.Equal(3, result.Version);
        Assert.Equal([1, 2, 3], third.Versions.Select(v => v.Version));
        Assert.Equal("Räume", third.Present!.Title!.De);
        Assert.Equal("Räume", Put(third, Area("09")).State.Present!.Title!.De);
    }

    [Fact]
    public void Levels_have_titles_that_stay_until_others_are_given()
    {
        LocalText[] titles = [new("Bezirke", "Districts"), new("Räume", null)];
        (AreaSystemState State, AreaSystemResult Result) PutTitled(AreaSystemState state, params LocalText[]? given) =>
            AreaSystemRules.Put(state, "lor", s_admin, null, [Area("01"), Area("0101", "01", 1)], null, s_limits, given);

        var (first, _) = PutTitled(new(), titles);
        Assert.Equal("Districts", first.Present!.LevelTitle(0)!.In("en"));
        Assert.Null(first.Present!.LevelTitle(2));
        Assert.Same(first, PutTitled(first, [.. titles]).State);
        Assert.Same(first, PutTitled(first, null).State);
        Assert.Equal(2, PutTitled(first, titles[0]).Result.Version);
        Assert.Equal(AreaRefusal.WrongLevel, PutTitled(first, [.. titles, new("Plätze", null)]).Result.Refusal);
        Assert.Equal(AreaRefusal.InvalidArea, PutTitled(first, new LocalText("", null)).Result.Refusal);
    }

    [Fact]
    public void Areas_made_from_another_version_are_refused()
    {
        var (first, _) = Put(new(), Area("01"));

        Assert.Equal(AreaRefusal.Outdated, AreaSystemRules.Put(first, "lor", s_admin, null, [Area("02")], 0, s_limits).Result.Refusal);
        Assert.Equal(AreaRefusal.None, AreaSystemRules.Put(first, "lor", s_admin, null, [Area("02")], 1, s_limits).Result.Refusal);
    }

    [Theory]
    [InlineData(Caller.PlatformAgency, KeyRole.Push)]
    [InlineData("bvg", KeyRole.Admin)]
    [InlineData(null, KeyRole.None)]
    public void Only_administrators_of_the_platform_put(string? agency, KeyRole role)
    {
        var (state, result) = AreaSystemRules.Put(new(), "lor", new(agency, role, null), null, [Area("01")], null, s_limits);

        Assert.Equal(AreaRefusal.Forbidden, result.Refusal);
        Assert.Null(state.Present);
    }

    [Fact]
    public void Limits_are_named_with_their_setting()
    {
        var tight = new AreaSystemOptions { MaxAreas = 1, MaxBytes = 1024 };

        var many = AreaSystemRules.Check([Area("01"), Area("02")], tight);
        var large = AreaSystemRules.Check([Area("01", geometry: new byte[2000])], tight);

        Assert.Equal(AreaRefusal.TooMany, many.Refusal);
        Assert.Contains("DataHub:AreaSystems:MaxAreas", many.Detail!.De, StringComparison.Ordinal);
        Assert.Equal(AreaRefusal.TooMany, large.Refusal);
        Assert.Contains("DataHub:AreaSystems:MaxBytes", large.Detail!.En, StringComparison.Ordinal);
        Assert.Equal(AreaRefusal.Empty, AreaSystemRules.Check([], tight).Refusal);
        Assert.Equal(AreaRefusal.InvalidId, AreaSystemRules.Check([Area("0 1")], tight).Refusal);
        Assert.Equal(AreaRefusal.InvalidId, AreaSystemRules.Put(new(), "Lor/21", s_admin, null, [Area("01")], null, tight).Result.Refusal);
    }

    [Fact]
    public void Of_too_many_versions_the_oldest_go_and_the_present_one_never()
    {
        var tight = new AreaSystemOptions { KeptVersions = 2, KeptBytes = 1024 };
        var state = new AreaSystemState();
        for (byte i = 0; i < 5; i++) state = AreaSystemRules.Put(state, "lor", s_admin, null, [Area("01", geometry: [i])], null, tight).State;
        Assert.Equal([4, 5], state.Versions.Select(v => v.Version));

        state = AreaSystemRules.Put(state, "lor", s_admin, null, [Area("01", geometry: new byte[5000])], null, tight).State;
        Assert.Equal([6], state.Versions.Select(v => v.Version));
    }

    [Fact]
    public void A_dataset_is_noted_once()
    {
        var one = AreaSystemRules.Attach(new(), "rain");
        var two = AreaSystemRules.Attach(one, "air");

        Assert.Same(two, AreaSystemRules.Attach(two, "rain"));
        Assert.Equal(["air", "rain"], two.Datasets);
    }
}
