using DataHub.Catalog;

namespace DataHub.Tests.Catalog;

public sealed class AgencyRulesTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);
    private static readonly AgencyState s_agency = new(new LocalText("Umwelt", "Environment"), []);

    [Fact]
    public void Only_the_platform_creates_agencies()
    {
        var name = new LocalText("Umwelt", null);
        Assert.Equal(CatalogRefusal.Forbidden, AgencyRules.Put(new(), "umwelt", Admin("umwelt"), name).Result.Refusal);
        Assert.Equal(CatalogRefusal.Forbidden, AgencyRules.Put(new(), "umwelt", Caller.Public, name).Result.Refusal);
        Assert.Equal(CatalogRefusal.None, AgencyRules.Put(new(), "umwelt", Caller.Hub, name).Result.Refusal);
        Assert.Equal(CatalogRefusal.Invalid, AgencyRules.Put(new(), "Umwelt", Caller.Hub, name).Result.Refusal);
        Assert.Equal(CatalogRefusal.Invalid, AgencyRules.Put(new(), "umwelt", Caller.Hub, new(" ", null)).Result.Refusal);
    }

    [Fact]
    public void Putting_the_same_name_again_changes_nothing() =>
        Assert.Same(s_agency, AgencyRules.Put(s_agency, "umwelt", Caller.Hub, new("Umwelt", "Environment")).State);

    [Fact]
    public void A_key_authenticates_until_it_is_revoked_and_with_its_own_hash_only()
    {
        var state = With(s_agency, Key("k1", KeyRole.Push, 1));
        Assert.Equal(new Caller("umwelt", KeyRole.Push, "k1"), AgencyRules.Authenticate(state, "umwelt", "k1", Hash(1), s_now));
        Assert.Null(AgencyRules.Authenticate(state, "umwelt", "k1", Hash(2), s_now));
        Assert.Null(AgencyRules.Authenticate(state, "umwelt", "k2", Hash(1), s_now));

        var (revoked, result) = AgencyRules.Revoke(state, "umwelt", Admin("umwelt"), "k1", s_now, 10);
        Assert.Equal(CatalogRefusal.None, result.Refusal);
        Assert.Null(AgencyRules.Authenticate(revoked, "umwelt", "k1", Hash(1), s_now));
        Assert.Same(revoked, AgencyRules.Revoke(revoked, "umwelt", Admin("umwelt"), "k1", s_now.AddDays(1), 10).State);
    }

    [Theory]
    [InlineData("umwelt", KeyRole.Admin, CatalogRefusal.None)]
    [InlineData("umwelt", KeyRole.Push, CatalogRefusal.Forbidden)]
    [InlineData("umwelt", KeyRole.Read, CatalogRefusal.Forbidden)]
    [InlineData("verkehr", KeyRole.Admin, CatalogRefusal.Forbidden)]
    [InlineData(Caller.PlatformAgency, KeyRole.Admin, CatalogRefusal.None)]
    [InlineData(Caller.PlatformAgency, KeyRole.Push, CatalogRefusal.Forbidden)]
    public void Keys_are_made_by_admins_of_the_agency_and_the_platform(string agency, KeyRole role, CatalogRefusal expected) =>
        Assert.Equal(expected, AgencyRules.AddKey(s_agency, "umwelt", new(agency, role, "x"), Key("k1", KeyRole.Push, 1), 10).Refusal);

    [Fact]
    public void Living_keys_are_bounded_and_revoked_ones_are_remembered_as_many()
    {
        var state = s_agency;
        for (byte i = 0; i < 3; i++) state = With(state, Key($"k{i}", KeyRole.Push, i));
        Assert.Equal(CatalogRefusal.TooMany, AgencyRules.AddKey(state, "umwelt", Caller.Hub, Key("k9", KeyRole.Push, 9), 3).Refusal);

        for (byte i = 0; i < 8; i++)
        {
            state = AgencyRules.Revoke(state, "umwelt", Caller.Hub, $"k{i}", s_now.AddMinutes(i), 3).State;
            state = With(state, Key($"k{i + 3}", KeyRole.Push, (byte)(i + 3)));
        }

        Assert.Equal(3, state.Keys.Count(key => key.Revoked is null));
        Assert.Equal(["k5", "k6", "k7"], state.Keys.Where(key => key.Revoked is not null).Select(key => key.Id));
    }

    [Fact]
    public void The_last_admin_key_of_the_platform_stays()
    {
        var platform = With(s_agency, Key("k1", KeyRole.Admin, 1), Caller.PlatformAgency);
        Assert.Equal(CatalogRefusal.Conflict, AgencyRules.Revoke(platform, Caller.PlatformAgency, Caller.Hub, "k1", s_now, 10).Result.Refusal);

        platform = With(platform, Key("k2", KeyRole.Admin, 2), Caller.PlatformAgency);
        Assert.Equal(CatalogRefusal.None, AgencyRules.Revoke(platform, Caller.PlatformAgency, Caller.Hub, "k1", s_now, 10).Result.Refusal);
    }

    private static AgencyState With(AgencyState state, StoredKey key, string agency = "umwelt")
    {
        var (next, refusal, _) = AgencyRules.AddKey(state, agency, Caller.Hub, key, 10);
        Assert.Equal(CatalogRefusal.None, refusal);
        return next;
    }

    private static StoredKey Key(string id, KeyRole role, byte hash) => new(id, Hash(hash), role, null, s_now, null);

    private static byte[] Hash(byte value) => [.. Enumerable.Repeat(value, 32)];

    private static Caller Admin(string agency) => new(agency, KeyRole.Admin, "a");
}
