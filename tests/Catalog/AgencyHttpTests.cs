using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;

using DataHub.Catalog;
using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Tests.Catalog;

public sealed class AgencyHttpTests(HubFixture hub) : IClassFixture<HubFixture>
{
    [Fact]
    public async Task An_agency_is_created_renamed_and_found()
    {
        using var created = await hub.Admin.PutAsJsonAsync("api/v1/agencies/umwelt", new { name = new { de = "Umwelt", en = "Environment" } });
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        Assert.Equal("/api/v1/agencies/umwelt", created.Headers.Location?.ToString());
        await OkAsync(hub.Admin.PutAsJsonAsync("api/v1/agencies/umwelt", new { name = "Umweltamt" }));

        var found = await OkAsync(hub.Anonymous.GetAsync("api/v1/agencies/umwelt"));
        Assert.Equal("""{"id":"umwelt","name":{"de":"Umweltamt"}}""", found.RootElement.GetRawText());
        using var head = await hub.Anonymous.SendAsync(new(HttpMethod.Head, "api/v1/agencies/umwelt"));
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
    }

    [Fact]
    public async Task Only_a_platform_admin_creates_agencies()
    {
        var body = new { name = "x" };
        await RefusedAsync(hub.Anonymous.PutAsJsonAsync("api/v1/agencies/fremd", body), 401, "unauthorized");
        var other = await hub.AgencyAsync("andere", KeyRole.Admin);
        await RefusedAsync(other.PutAsJsonAsync("api/v1/agencies/fremd", body), 403, "forbidden");
        await RefusedAsync(hub.Admin.PutAsJsonAsync("api/v1/agencies/Fremd", body), 422, "invalid-agency");
        await RefusedAsync(hub.Admin.PutAsJsonAsync("api/v1/agencies/fremd", new { nome = "x" }), 400, "invalid-json");
        await RefusedAsync(hub.Admin.PutAsync("api/v1/agencies/fremd", new StringContent("x")), 415, "unsupported-type");
        await RefusedAsync(hub.Admin.PutAsJsonAsync("api/v1/agencies/fremd", new { name = new string('x', 2_000_000) }), 413, "too-large");
        await RefusedAsync(hub.Anonymous.GetAsync("api/v1/agencies/fremd"), 404, "not-found");
    }

    [Fact]
    public async Task A_key_is_shown_once_and_dead_half_a_second_after_it_was_revoked()
    {
        var admin = await hub.AgencyAsync("verkehr", KeyRole.Admin);
        var made = (await OkAsync(admin.PostAsJsonAsync("api/v1/agencies/verkehr/keys", new { role = "push", label = "Zählstellen" }))).RootElement;
        var id = made.GetProperty("id").GetString();
        var push = hub.With(made.GetProperty("key").GetString());
        await OkAsync(push.GetAsync("api/v1/agencies"));

        var list = await OkAsync(admin.GetAsync("api/v1/agencies/verkehr/keys"));
        Assert.DoesNotContain(made.GetProperty("key").GetString()!, list.RootElement.GetRawText(), StringComparison.Ordinal);
        Assert.Contains(list.RootElement.GetProperty("keys").EnumerateArray(), key => key.GetProperty("id").GetString() == id);
        await RefusedAsync(push.GetAsync("api/v1/agencies/verkehr/keys"), 403, "forbidden");
        await RefusedAsync(hub.Anonymous.GetAsync("api/v1/agencies/verkehr/keys"), 401, "unauthorized");

        await OkAsync(admin.DeleteAsync($"api/v1/agencies/verkehr/keys/{id}"));
        await OkAsync(admin.DeleteAsync($"api/v1/agencies/verkehr/keys/{id}"));
        var ended = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(ended) < KeyRing.Lease)
        {
            await Task.Delay(50);
        }

        // Even a route that is open to everybody.
        await RefusedAsync(push.GetAsync("api/v1/agencies"), 401, "unauthorized");
    }

    [Fact]
    public async Task A_mistyped_key_an_unknown_one_and_nonsense_are_told_apart()
    {
        ApiKey.Create("umwelt", out var unknown);
        Assert.Contains("Tippfehler", await DetailAsync("Bearer " + hub.AdminKey[..^1]), StringComparison.Ordinal);
        Assert.Contains("kennt keinen gültigen Schlüssel", await DetailAsync("Bearer " + unknown), StringComparison.Ordinal);
        Assert.Contains("kein Schlüssel dieses Hubs", await DetailAsync("Bearer sesam"), StringComparison.Ordinal);
        Assert.Contains("Bearer dh_", await DetailAsync("Basic eDp5"), StringComparison.Ordinal);
        Assert.Contains("mistyped", await DetailAsync("Bearer " + hub.AdminKey[..^1], "en"), StringComparison.Ordinal);

        async Task<string> DetailAsync(string authorization, string language = "de")
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "api/v1/agencies");
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
            request.Headers.AcceptLanguage.Add(new StringWithQualityHeaderValue(language));
            return (await RefusedAsync(hub.Anonymous.SendAsync(request), 401, "unauthorized")).RootElement.GetProperty("detail").GetString()!;
        }
    }

    [Fact]
    public async Task Lists_are_paged_with_links_that_lead_to_the_end()
    {
        foreach (var id in new[] { "p1", "p2", "p3" }) await hub.KeyAsync(id, KeyRole.Read);
        var seen = new List<string>();
        for (var next = "/api/v1/agencies?limit=2"; next is not null;)
        {
            Assert.StartsWith("/api/v1/agencies?", next, StringComparison.Ordinal);
            var page = (await OkAsync(hub.Anonymous.GetAsync(next))).RootElement;
            Assert.InRange(page.GetProperty("agencies").GetArrayLength(), 0, 2);
            seen.AddRange(page.GetProperty("agencies").EnumerateArray().Select(agency => agency.GetProperty("id").GetString()!));
            next = page.GetProperty("next").GetString();
        }

        Assert.Equal(seen.Order(StringComparer.Ordinal), seen);
        Assert.Superset(new HashSet<string> { "p1", "p2", "p3", "platform" }, seen.ToHashSet());
        await RefusedAsync(hub.Anonymous.GetAsync("api/v1/agencies?limit=0"), 400, "invalid-parameter");
        await RefusedAsync(hub.Anonymous.GetAsync("api/v1/agencies?limit=1001"), 400, "invalid-parameter");
    }
}
