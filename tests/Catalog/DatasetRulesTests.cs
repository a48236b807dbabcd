using DataHub.Catalog;

namespace DataHub.Tests.Catalog;

public sealed class DatasetRulesTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);
    private static readonly CatalogOptions s_limits = new();
    private static readonly Caller s_admin = new("senumvk", KeyRole.Admin, "a");

    [Fact]
    public void A_new_dataset_has_the_default_feed_contract_one_and_partitions_on_fixed_shards()
    {
        var (state, result) = Put(new(), Spec() with { Partitions = 3, AreaSystem = "demo" }, areaVersion: 2);

        Assert.Equal(CatalogRefusal.None, result.Refusal);
        Assert.True(result.Created);
        Assert.Equal(1, result.Dataset!.ContractVersion);
        Assert.Equal(2, result.Dataset.AreaVersion);
        Assert.Equal(["air/0", "air/1", "air/2"], result.Dataset.Partitions.Select(p => p.Key));
        Assert.Equal(["default"], result.Dataset.Feeds.Select(f => f.Id));
        Assert.False(state.IsAnnounced);
        Assert.True((state with { AnnouncedContract = 1, AnnouncedArea = 2 }).IsAnnounced);
    }

    [Fact]
    public void Shards_of_partitions_never_change_and_spread()
    {
        // Pinned: an installation's rows lie where these numbers say.
        Assert.Equal([0, 3, 1], new[] { "air-quality/0", "reports/0", "traffic/0" }.Select(p => DatasetRules.ShardOf(p, 4)).ToArray());
        var used = Enumerable.Range(0, 400).CountBy(i => DatasetRules.ShardOf($"d{i}/0", 4)).ToDictionary();
        Assert.All(used.Values, count => Assert.InRange(count, 60, 140));
    }

    [Fact]
    public void Putting_the_same_again_changes_nothing()
    {
        var (state, _) = Put(new(), Spec());
        var (again, result) = Put(state, Spec());
        Assert.Same(state, again);
        Assert.False(result.Created);
    }

    [Fact]
    public void A_new_optional_field_is_a_new_contract_version_after_the_old_fields()
    {
        var (state, _) = Put(new(), Spec());
        FieldSpec[] fields = [Field("pm10", FieldType.Number, FieldRole.Measure), .. Spec().Schema.Fields];
        var (next, result) = Put(state, Spec() with { Schema = Spec().Schema with { Fields = fields } });

        Assert.Equal(CatalogRefusal.None, result.Refusal);
        Assert.Equal(2, result.Dataset!.ContractVersion);
        Assert.Equal(["station", "time", "no2", "pm10"], result.Dataset.Spec.Schema.Fields.Select(f => f.Name));
        Assert.Equal([1, 2], next.Contracts.Select(c => c.Version));
    }

    [Fact]
    public void A_breaking_change_is_a_conflict_that_names_the_field()
    {
        var (state, _) = Put(new(), Spec());
        var fields = Spec().Schema.Fields.Select(f => f.Name == "no2" ? f with { Type = FieldType.Integer } : f).ToArray();
        var (next, result) = Put(state, Spec() with { Schema = Spec().Schema with { Fields = fields } });

        Assert.Same(state, next);
        Assert.Equal(CatalogRefusal.Conflict, result.Refusal);
        Assert.Contains(result.Problems, p => p.Field == "no2");
    }

    [Fact]
    public void What_rows_depend_on_is_fixed()
    {
        var (state, _) = Put(new(), Spec());
        foreach (var changed in new[] { Spec() with { Kind = DatasetKind.Records }, Spec() with { Partitions = 2 }, Spec() with { AreaSystem = "demo" } })
        {
            Assert.Equal(CatalogRefusal.Conflict, Put(state, changed).Result.Refusal);
        }
    }

    [Fact]
    public void Publisher_and_area_system_must_exist_and_ids_be_well_formed()
    {
        Assert.Equal(CatalogRefusal.Invalid, Put(new(), Spec(), publisherExists: false).Result.Refusal);
        Assert.Equal(CatalogRefusal.Invalid, Put(new(), Spec() with { AreaSystem = "demo" }, areaVersion: null).Result.Refusal);
        Assert.Equal(CatalogRefusal.Invalid, Put(new(), Spec(), id: "Air").Result.Refusal);
        Assert.Equal(CatalogRefusal.Invalid, Put(new(), Spec() with { Title = new("", null) }).Result.Refusal);
        Assert.Equal(CatalogRefusal.Invalid, Put(new(), Spec() with { Partitions = 17 }).Result.Refusal);
        Assert.Equal(CatalogRefusal.Invalid, Put(new(), Spec() with { Schema = Spec().Schema with { PrimaryKey = [] } }).Result.Refusal);
    }

    [Fact]
    public void Only_admins_of_the_publisher_or_the_platform_put()
    {
        Assert.Equal(CatalogRefusal.Forbidden, Put(new(), Spec(), caller: Caller.Public).Result.Refusal);
        Assert.Equal(CatalogRefusal.Forbidden, Put(new(), Spec(), caller: new("senumvk", KeyRole.Push, "k")).Result.Refusal);
        Assert.Equal(CatalogRefusal.Forbidden, Put(new(), Spec(), caller: new("other", KeyRole.Admin, "k")).Result.Refusal);
        Assert.Equal(CatalogRefusal.None, Put(new(), Spec(), caller: Caller.Hub).Result.Refusal);

        // A dataset cannot be taken over by naming oneself as its publisher.
        var (state, _) = Put(new(), Spec());
        Assert.Equal(CatalogRefusal.Forbidden, Put(state, Spec() with { Publisher = "other" }, caller: new("other", KeyRole.Admin, "k")).Result.Refusal);
    }

    [Fact]
    public void Rights_follow_role_and_publisher()
    {
        var info = Put(new(), Spec() with { Access = AccessClass.Internal }).Result.Dataset!;
        foreach (var agency in new[] { "senumvk", "other", Caller.PlatformAgency, null })
            foreach (var role in Enum.GetValues<KeyRole>())
            {
                var caller = new Caller(agency, role, "k");
                var platform = agency == Caller.PlatformAgency && role == KeyRole.Admin;
                var own = agency == "senumvk";
                Assert.Equal(platform || (own && (role == KeyRole.Push || role == KeyRole.Admin)), AccessRules.May(caller, AccessRights.Push, info.Holding));
                Assert.Equal(platform || (own && (role == KeyRole.Read || role == KeyRole.Admin)), AccessRules.May(caller, AccessRights.ReadRows, info.Holding));
                Assert.True(AccessRules.May(caller, AccessRights.ReadRows, info.Holding with { Access = AccessClass.Open }));
                Assert.Equal(platform || (own && role != KeyRole.None), AccessRules.May(caller, AccessRights.ReadReceipts, info.Holding));
                Assert.Equal(platform || (own && role == KeyRole.Admin), AccessRules.May(caller, AccessRights.Erase, info.Holding));
            }
    }

    [Fact]
    public void Feeds_are_put_by_id_bounded_and_sorted()
    {
        var (state, _) = Put(new(), Spec());
        var (next, result) = DatasetRules.PutFeed(state, "air", s_admin, new("aa", new("Messnetz", null), TimeSpan.FromMinutes(15)), s_limits, s_now);
        Assert.True(result.Created);
        Assert.Equal(["aa", "default"], next.Info!.Feeds.Select(f => f.Id));
        Assert.Same(next, DatasetRules.PutFeed(next, "air", s_admin, new("aa", new("Messnetz", null), TimeSpan.FromMinutes(15)), s_limits, s_now).State);
        Assert.Equal(CatalogRefusal.TooMany, DatasetRules.PutFeed(next, "air", s_admin, new("bb", null, null), new() { MaxFeeds = 2 }, s_now).Result.Refusal);
        Assert.Equal(CatalogRefusal.Invalid, DatasetRules.PutFeed(next, "air", s_admin, new("cc", null, TimeSpan.Zero), s_limits, s_now).Result.Refusal);
        Assert.Equal(CatalogRefusal.NotFound, DatasetRules.PutFeed(new(), "air", s_admin, new("cc", null, null), s_limits, s_now).Result.Refusal);
    }

    [Fact]
    public void Only_a_newer_area_version_counts()
    {
        var (state, _) = Put(new(), Spec() with { AreaSystem = "demo" }, areaVersion: 3);
        Assert.Same(state, DatasetRules.AreaSystemChanged(state, 3, s_now));
        Assert.Same(state, DatasetRules.AreaSystemChanged(state, 2, s_now));
        Assert.Equal(4, DatasetRules.AreaSystemChanged(state, 4, s_now).Info!.AreaVersion);
    }

    private static (DatasetState State, DatasetResult Result) Put(
        DatasetState state, DatasetSpec spec, Caller? caller = null, string id = "air", bool publisherExists = true, int? areaVersion = 0) =>
        DatasetRules.Put(state, id, caller ?? s_admin, spec, publisherExists, areaVersion, 4, s_limits, s_now);

    private static DatasetSpec Spec() => new(
        new("Luftgüte", "Air quality"), "senumvk", DatasetKind.Observations, AccessClass.Open, "dl-de/by-2-0", null,
        new(0, [Field("station", FieldType.String, FieldRole.Series, true), Field("time", FieldType.DateTime, FieldRole.Time, true), Field("no2", FieldType.Number, FieldRole.Measure)],
            ["station", "time"], [""]),
        null);

    private static FieldSpec Field(string name, FieldType type, FieldRole role, bool required = false) =>
        new(name, type, null, role, new(Required: required), null, null, null);
}
