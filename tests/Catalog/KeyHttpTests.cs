using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

using DataHub.Support;

using Microsoft.Extensions.Time.Testing;

using static DataHub.Support.HubFixture;

namespace DataHub.Catalog;

/// <summary>Keys that are narrowed, that end by themselves, that take one another's place, and that say when they were used.</summary>
public sealed class KeyHttpTests
{
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UtcNow);

    [Fact]
    public async Task A_key_for_one_feed_pushes_there_and_nowhere_else()
    {
        await using var hub = await HubFixture.StartAsync();
        var admin = await AgencyAsync(hub);
        var (_, key) = await MakeAsync(admin, new { role = "admin", scope = new { feeds = new[] { "luft/nord" }, operations = new[] { "push", "read-receipts" } } });
        var narrow = hub.With(key);
        await OkAsync(PushAsync(narrow, "luft/feeds/nord"));
        await RefusedAsync(PushAsync(narrow, "luft/feeds/default"), 403, "forbidden");
        await RefusedAsync(PushAsync(narrow, "wasser/feeds/default"), 403, "forbidden");
        await OkAsync(narrow.GetAsync("api/v1/datasets/luft/conservation"));
        await RefusedAsync(narrow.GetAsync("api/v1/datasets/wasser/conservation"), 403, "forbidden");
        await RefusedAsync(narrow.GetAsync("api/v1/datasets/luft/records"), 403, "forbidden");
        await RefusedAsync(narrow.GetAsync("api/v1/agencies/amt/keys"), 403, "forbidden");

        var (_, one) = await MakeAsync(admin, new { role = "admin", scope = new { datasets = new[] { "wasser" } } });
        await OkAsync(hub.With(one).GetAsync("api/v1/datasets/wasser/records"));
        await RefusedAsync(hub.With(one).GetAsync("api/v1/datasets/luft/records"), 403, "forbidden");
        var why = (await OkAsync(hub.With(one).GetAsync("api/v1/access?object=dataset:luft&right=read-rows"))).RootElement.GetProperty("rights")[0];
        Assert.False(why.GetProperty("allowed").GetBoolean());
        Assert.Contains("enger gefasst", why.GetProperty("missing").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_scope_or_end_that_makes_no_sense_is_refused_with_the_member()
    {
        await using var hub = await HubFixture.StartAsync();
        var admin = await AgencyAsync(hub);
        foreach (var (body, word) in new (object, string)[]
        {
            (new { role = "push", scope = new { operations = new[] { "fly" } } }, "scope.operations"),
            (new { role = "push", scope = new { operations = Array.Empty<string>() } }, "scope.operations"),
            (new { role = "push", scope = new { feeds = new[] { "luft" } } }, "scope.feeds"),
            (new { role = "push", scope = new { datasets = new[] { "Luft" } } }, "scope.datasets"),
            (new { role = "push", expires = DateTimeOffset.UtcNow.AddMinutes(-1) }, "expires"),
        })
        {
            Assert.Contains(word, (await RefusedAsync(admin.PostAsJsonAsync("api/v1/agencies/amt/keys", body), 422, "invalid-agency")).RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_key_ends_by_itself()
    {
        await using var hub = await HubFixture.StartAsync(clock: _clock);
        var admin = await AgencyAsync(hub);
        var (_, key) = await MakeAsync(admin, new { role = "read", expires = _clock.GetUtcNow().AddDays(30) });
        var client = hub.With(key);
        await OkAsync(client.GetAsync("api/v1/datasets/luft/records"));
        _clock.Advance(TimeSpan.FromDays(30) + TimeSpan.FromSeconds(1));
        await RefusedAsync(client.GetAsync("api/v1/datasets/luft/records"), 401, "unauthorized");
    }

    [Fact]
    public async Task In_a_rotation_both_keys_are_valid_until_the_old_one_ends()
    {
        await using var hub = await HubFixture.StartAsync(clock: _clock);
        var admin = await AgencyAsync(hub);
        var (id, key) = await MakeAsync(admin, new { role = "push", label = "Netz", scope = new { feeds = new[] { "luft/nord" } } });
        var made = (await OkAsync(admin.PostAsJsonAsync($"api/v1/agencies/amt/keys/{id}/rotation", new { overlap = "P2D" }))).RootElement;
        Assert.Equal(("push", "Netz", "luft/nord"), (made.GetProperty("role").GetString(), made.GetProperty("label").GetString(), made.GetProperty("scope").GetProperty("feeds")[0].GetString()));
        var (old, next) = (hub.With(key), hub.With(made.GetProperty("key").GetString()));
        await OkAsync(PushAsync(old, "luft/feeds/nord"));
        await OkAsync(PushAsync(next, "luft/feeds/nord"));
        await RefusedAsync(admin.PostAsJsonAsync($"api/v1/agencies/amt/keys/{id}/rotation", new { }), 409, "conflict");
        await RefusedAsync(admin.PostAsJsonAsync($"api/v1/agencies/amt/keys/{made.GetProperty("id").GetString()}/rotation", new { }), 409, "conflict");
        await RefusedAsync(admin.PostAsJsonAsync($"api/v1/agencies/amt/keys/{made.GetProperty("id").GetString()}/rotation", new { overlap = "P1M" }), 422, "invalid-agency");
        var listed = (await KeysAsync(admin))[id];
        Assert.Equal(made.GetProperty("id").GetString(), listed.GetProperty("replacedBy").GetString());

        _clock.Advance(TimeSpan.FromDays(2) + TimeSpan.FromSeconds(1));
        await RefusedAsync(PushAsync(old, "luft/feeds/nord"), 401, "unauthorized");
        await OkAsync(PushAsync(next, "luft/feeds/nord"));
    }

    [Fact]
    public async Task When_a_key_was_used_last_is_told_and_outlives_a_restart()
    {
        await using var hub = await HubFixture.StartAsync();
        var admin = await AgencyAsync(hub);
        var (id, key) = await MakeAsync(admin, new { role = "read" });
        Assert.Equal(JsonValueKind.Null, (await KeysAsync(admin))[id].GetProperty("lastUsed").ValueKind);
        var before = DateTimeOffset.UtcNow;
        await OkAsync(hub.With(key).GetAsync("api/v1/datasets/luft/records"));
        var used = (await KeysAsync(admin))[id].GetProperty("lastUsed").GetDateTimeOffset();
        Assert.InRange(used, before.AddSeconds(-1), DateTimeOffset.UtcNow);
        await hub.RestartAsync();
        Assert.Equal(used, (await KeysAsync(hub.Admin))[id].GetProperty("lastUsed").GetDateTimeOffset());
    }

    private static async Task<Dictionary<string, JsonElement>> KeysAsync(HttpClient admin) =>
        (await OkAsync(admin.GetAsync("api/v1/agencies/amt/keys"))).RootElement.GetProperty("keys").EnumerateArray().ToDictionary(key => key.GetProperty("id").GetString()!);

    private static async Task<(string Id, string Key)> MakeAsync(HttpClient admin, object body)
    {
        var made = (await OkAsync(admin.PostAsJsonAsync("api/v1/agencies/amt/keys", body))).RootElement;
        return (made.GetProperty("id").GetString()!, made.GetProperty("key").GetString()!);
    }

    private static async Task<HttpClient> AgencyAsync(HubFixture hub)
    {
        var admin = await hub.AgencyAsync("amt", KeyRole.Admin);
        foreach (var dataset in new[] { "luft", "wasser" }) await hub.PutAirQualityAsync(dataset, "amt", access: AccessClass.Internal);
        await OkAsync(admin.PutAsJsonAsync("api/v1/datasets/luft/feeds/nord", new { title = "Nord" }));
        return admin;
    }

    private static Task<HttpResponseMessage> PushAsync(HttpClient client, string feed) => client.PostAsync(
        $"api/v1/datasets/{feed}/records", new StringContent("""[{ "station": "a", "time": "2026-03-02T08:00:00Z", "no2": 1 }]""", Encoding.UTF8, "application/json"));
}
