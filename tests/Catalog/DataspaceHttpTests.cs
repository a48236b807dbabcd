using System.Net;
using System.Net.Http.Json;
using System.Text;

using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Catalog;

/// <summary>Dataspaces, groups, roles and releases over HTTP, and what the audit log says of them.</summary>
public sealed class DataspaceHttpTests
{
    [Fact]
    public async Task A_group_holds_a_role_until_it_is_revoked_and_everything_is_on_record()
    {
        await using var issuer = await SignInIssuer.StartAsync();
        await using var hub = await HubFixture.StartAsync(issuer.Settings());
        var owner = await hub.AgencyAsync("amt", KeyRole.Admin);
        await OkAsync(owner.PutAsJsonAsync("api/v1/dataspaces/raum", new { title = new { de = "Raum", en = "Room" }, description = "Was Messnetze liefern.", owner = "amt" }));
        await OkAsync(owner.PutAsync("api/v1/datasets/luft", Dataset("internal", "raum")));
        await OkAsync(owner.PostAsync("api/v1/datasets/luft/feeds/default/records", Row()));
        await OkAsync(owner.PutAsJsonAsync("api/v1/agencies/amt/groups/leser", new { name = "Leser" }));
        await OkAsync(owner.PutAsJsonAsync("api/v1/agencies/amt/groups/leser/members/oidc:ada", new { why = "Neue Kollegin" }));
        var ada = hub.With(issuer.Token(null, ("sub", "ada")));
        await RefusedAsync(ada.GetAsync("api/v1/datasets/luft/records"), 403, "forbidden");

        var grant = (await OkAsync(owner.PostAsJsonAsync("api/v1/dataspaces/raum/grants", new { group = "amt/leser", role = "reader", why = "Jahresbericht" }))).RootElement;
        var id = grant.GetProperty("id").GetString();
        await Task.Delay(KeyRing.Lease);
        await OkAsync(ada.GetAsync("api/v1/datasets/luft/records"));
        var right = (await OkAsync(ada.GetAsync("api/v1/access?object=dataset:luft&right=read-rows"))).RootElement.GetProperty("rights")[0];
        Assert.Equal((true, "grant", id), (right.GetProperty("allowed").GetBoolean(), right.GetProperty("because").GetString(), right.GetProperty("reference").GetString()));

        // Others ask for her only if they give roles there.
        await OkAsync(owner.GetAsync("api/v1/access?subject=person:oidc:ada&object=dataset:luft"));
        await RefusedAsync(hub.Anonymous.GetAsync("api/v1/access?subject=person:oidc:ada&object=dataset:luft"), 401, "unauthorized");
        await RefusedAsync(ada.GetAsync("api/v1/dataspaces/raum/grants"), 403, "forbidden");
        await RefusedAsync(ada.PostAsJsonAsync("api/v1/dataspaces/raum/grants", new { group = "amt/leser", role = "coordinator", why = "x" }), 403, "forbidden");

        await OkAsync(owner.PostAsJsonAsync($"api/v1/dataspaces/raum/grants/{id}/revocation", new { why = "Bericht ist fertig" }));
        await OkAsync(owner.PostAsJsonAsync($"api/v1/dataspaces/raum/grants/{id}/revocation", new { why = "noch einmal" }));
        await Task.Delay(KeyRing.Lease);
        await RefusedAsync(ada.GetAsync("api/v1/datasets/luft/records"), 403, "forbidden");
        var kept = (await OkAsync(owner.GetAsync("api/v1/dataspaces/raum/grants"))).RootElement.GetProperty("grants")[0];
        Assert.Equal(("Jahresbericht", "Bericht ist fertig"), (kept.GetProperty("why").GetString(), kept.GetProperty("revoked").GetProperty("why").GetString()));

        var log = await OkAsync(owner.GetAsync("api/v1/audit?order=oldest"));
        string[] actions = [.. log.RootElement.GetProperty("entries").EnumerateArray().Select(entry => entry.GetProperty("action").GetString()!)];
        Assert.Equal(
            ["agency.created", "key.created", "dataspace.created", "dataset.created", "group.created", "member.added", "grant.given", "rows.read", "grant.revoked"], actions);
    }

    [Fact]
    public async Task After_a_release_everything_can_be_read_on_every_route_and_after_a_withdrawal_nothing()
    {
        await using var hub = await HubFixture.StartAsync();
        var owner = await hub.AgencyAsync("amt", KeyRole.Admin);
        await OkAsync(owner.PutAsync("api/v1/datasets/luft", Dataset("open", null, "DRAFT")));
        await OkAsync(owner.PutAsJsonAsync("api/v1/indicators/luft-sum", new { title = "Summe", dataset = "luft", measure = new { function = "sum", field = "no2" }, window = "PT1H", access = "open" }));
        await OkAsync(owner.PostAsync("api/v1/datasets/luft/feeds/default/records", Row()));
        string[] routes =
        [
            "datasets/luft", "datasets/luft/records", "datasets/luft/csvw", "datasets/luft/feeds", "datasets/luft/release", "indicators/luft-sum", "indicators/luft-sum/values?from=2026-03-02",
            "indicators/luft-sum/latest", "indicators/luft-sum/csvw", "indicators/luft-sum/definitions", "indicators/luft-sum/explain?from=2026-03-02T08:00:00Z", "values?indicator=luft-sum&from=2026-03-02",
        ];
        for (var round = 0; round < 5; round++)
        {
            foreach (var route in routes) await RefusedAsync(hub.Anonymous.GetAsync("api/v1/" + route), 404);
            Assert.Empty((await OkAsync(hub.Anonymous.GetAsync("api/v1/datasets"))).RootElement.GetProperty("datasets").EnumerateArray());
            await OkAsync(owner.PostAsJsonAsync("api/v1/datasets/luft/release", new { state = "AVAILABLE" }));
            foreach (var route in routes) await OkAsync(hub.Anonymous.GetAsync("api/v1/" + route));
            await OkAsync(owner.PostAsJsonAsync("api/v1/datasets/luft/release", new { state = "DRAFT" }));
        }

        await OkAsync(owner.PostAsJsonAsync("api/v1/datasets/luft/release", new { state = "AVAILABLE" }));
        await OkAsync(owner.PostAsJsonAsync("api/v1/datasets/luft/release", new { state = "RETIRED" }));
        await Task.Delay(KeyRing.Lease);
        await RefusedAsync(owner.PostAsync("api/v1/datasets/luft/feeds/default/records", Row()), 409, "conflict");
        await OkAsync(owner.GetAsync("api/v1/datasets/luft/records"));
    }

    [Fact]
    public async Task A_step_that_lacks_something_is_refused_with_the_checklist()
    {
        await using var hub = await HubFixture.StartAsync();
        var owner = await hub.AgencyAsync("amt", KeyRole.Admin);
        await OkAsync(owner.PutAsync("api/v1/datasets/luft", new StringContent((await Dataset("open").ReadAsStringAsync()).Replace("\"license\": \"dl-de/by-2-0\",", "", StringComparison.Ordinal), Encoding.UTF8, "application/json")));
        var stands = (await OkAsync(owner.GetAsync("api/v1/datasets/luft/release"))).RootElement;
        Assert.Equal("DRAFT", stands.GetProperty("state").GetString());
        var refused = (await RefusedAsync(owner.PostAsJsonAsync("api/v1/datasets/luft/release", new { state = "AVAILABLE" }), 409, "conflict")).RootElement;
        var missing = Assert.Single(refused.GetProperty("checklist").EnumerateArray(), check => check.GetProperty("required").GetBoolean() && !check.GetProperty("fulfilled").GetBoolean());
        Assert.Equal("license", missing.GetProperty("code").GetString());
        await OkAsync(owner.PutAsync("api/v1/datasets/luft", Dataset("open", null, "AVAILABLE")));
        await OkAsync(hub.Anonymous.GetAsync("api/v1/datasets/luft/records"));
    }

    [Fact]
    public async Task What_a_person_does_with_rows_is_on_record_under_that_person()
    {
        await using var issuer = await SignInIssuer.StartAsync();
        await using var hub = await HubFixture.StartAsync(issuer.Settings());
        var owner = await hub.AgencyAsync("amt", KeyRole.Admin);
        await OkAsync(owner.PutAsJsonAsync("api/v1/dataspaces/raum", new { title = "Raum", owner = "amt" }));
        await OkAsync(owner.PutAsync("api/v1/datasets/luft", Dataset("internal", "raum")));
        await OkAsync(owner.PutAsJsonAsync("api/v1/agencies/amt/groups/team", new { name = "Team" }));
        await OkAsync(owner.PutAsJsonAsync("api/v1/agencies/amt/groups/team/members/oidc:ada", new { why = "Probe" }));
        foreach (var role in new[] { "developer", "coordinator" }) await OkAsync(owner.PostAsJsonAsync("api/v1/dataspaces/raum/grants", new { group = "amt/team", role, why = "Probe" }));
        var ada = hub.With(issuer.Token(null, ("sub", "ada")));
        await RefusedAsync(ada.PostAsync("api/v1/datasets/luft/feeds/default/records", new StringContent("""[{ "station": "a", "time": "2026-03-02T08:00:00Z", "no2": "viel" }]""", Encoding.UTF8, "application/json")), 422);
        await OkAsync(ada.PostAsJsonAsync("api/v1/datasets/luft/quarantine/discard", new { select = new { }, reason = "Probe" }));
        var act = Assert.Single((await OkAsync(ada.GetAsync("api/v1/datasets/luft/quarantine/acts"))).RootElement.GetProperty("acts").EnumerateArray());
        Assert.Equal("person:oidc:ada", act.GetProperty("key").GetString());
        var erasure = (await OkAsync(ada.PostAsJsonAsync("api/v1/datasets/luft/erasures", new { where = new { station = "niemand" }, reason = "Probe", authority = "Art. 17 DSGVO" }))).RootElement;
        Assert.Equal("person:oidc:ada", erasure.GetProperty("key").GetString());
    }

    [Fact]
    public async Task Refused_keys_are_on_record_with_their_number()
    {
        await using var hub = await HubFixture.StartAsync();
        _ = ApiKey.Create("amt", out var key);
        for (var i = 0; i < 3; i++) await RefusedAsync(hub.With(key).GetAsync("api/v1/agencies"), 401, "unauthorized");
        for (var attempt = 0; ; attempt++)
        {
            var entries = (await OkAsync(hub.Admin.GetAsync("api/v1/audit?action=signin.failed"))).RootElement.GetProperty("entries").EnumerateArray().ToArray();
            if (entries.Length > 0)
            {
                Assert.StartsWith("key:amt.", entries[0].GetProperty("object").GetString(), StringComparison.Ordinal);
                Assert.Equal("refused", entries[0].GetProperty("outcome").GetString());
                break;
            }

            Assert.True(attempt < 100);
            await Task.Delay(100);
        }
    }

    [Fact]
    public async Task The_pages_show_dataspaces_roles_members_keys_and_the_log_to_those_who_may_see_them()
    {
        await using var hub = await HubFixture.StartAsync();
        var owner = await hub.AgencyAsync("amt", KeyRole.Admin);
        await OkAsync(owner.PutAsJsonAsync("api/v1/dataspaces/raum", new { title = new { de = "Messnetze <1>", en = "Networks" }, owner = "amt" }));
        await OkAsync(owner.PutAsync("api/v1/datasets/luft", Dataset("internal", "raum")));
        await OkAsync(owner.PutAsync("api/v1/datasets/entwurf", Dataset("open", "raum", "DRAFT")));
        await OkAsync(owner.PutAsJsonAsync("api/v1/agencies/amt/groups/leser", new { name = "Leserinnen" }));
        await OkAsync(owner.PutAsJsonAsync("api/v1/agencies/amt/groups/leser/members/oidc:ada", new { why = "Neue Kollegin" }));
        await OkAsync(owner.PostAsJsonAsync("api/v1/dataspaces/raum/grants", new { group = "amt/leser", role = "reader", why = "Jahresbericht" }));
        await OkAsync(owner.PostAsJsonAsync("api/v1/agencies/amt/keys", new { role = "push", label = "Messnetz", scope = new { feeds = new[] { "luft/nord" } } }));

        foreach (var (path, told, hidden) in new (string, string[], string[])[]
        {
            ("dataspaces", ["Messnetze <1>", "href=\"/dataspaces/raum\""], []),
            ("dataspaces/raum", ["verfügbar"], ["Jahresbericht", "amt/leser", "entwurf"]),
            ("agencies/amt", ["amt"], ["Messnetz", "luft/nord", "oidc:ada"]),
            ("audit", ["Audit-Log"], ["grant.given", "member.added"]),
        })
        {
            var (seen, all) = (await PageAsync(hub.Anonymous, path), await PageAsync(owner, path));
            Assert.All(told, text => Assert.Contains(text, seen, StringComparison.Ordinal));
            Assert.All(hidden, text => Assert.DoesNotContain(text, seen, StringComparison.Ordinal));
            Assert.All(told.Concat(hidden), text => Assert.Contains(text, all, StringComparison.Ordinal));
            if (hidden.Length > 0) Assert.Contains("Nötig ist ein", seen, StringComparison.Ordinal);
        }

        Assert.Contains("Networks", await PageAsync(hub.Anonymous, "dataspaces?lang=en"), StringComparison.Ordinal);
        Assert.DoesNotContain("member.added", await PageAsync(owner, "audit?action=grant."), StringComparison.Ordinal);
        foreach (var path in new[] { "dataspaces/keiner", "agencies/keine" })
        {
            using var missing = await hub.Anonymous.SendAsync(Page(path));
            Assert.Equal(404, (int)missing.StatusCode);
            Assert.Equal("text/html", missing.Content.Headers.ContentType?.MediaType);
        }

        static HttpRequestMessage Page(string path) => new(HttpMethod.Get, path) { Headers = { { "Accept", "text/html" } } };

        static async Task<string> PageAsync(HttpClient client, string path)
        {
            using var answer = await client.SendAsync(Page(path));
            var text = await answer.Content.ReadAsStringAsync();
            Assert.True(answer.IsSuccessStatusCode, $"{path}: {(int)answer.StatusCode} {text}");
            Assert.Equal("no-store", answer.Headers.CacheControl?.ToString());
            Assert.DoesNotContain("<1>", text, StringComparison.Ordinal);
            return WebUtility.HtmlDecode(text);
        }
    }

    private static StringContent Dataset(string access, string? dataspace = null, string? state = null) => new($$"""
        { "title": "Luft", "publisher": "amt", "kind": "observations", "access": "{{access}}", "license": "dl-de/by-2-0",{{(dataspace is null ? "" : $" \"dataspace\": \"{dataspace}\",")}}{{(state is null ? "" : $" \"state\": \"{state}\",")}}
          "schema": { "primaryKey": ["station", "time"], "fields": [
            { "name": "station", "type": "string", "role": "series" }, { "name": "time", "type": "datetime", "role": "time" }, { "name": "no2", "type": "number", "role": "measure" } ] } }
        """, Encoding.UTF8, "application/json");

    private static StringContent Row() => new("""[{ "station": "a", "time": "2026-03-02T08:00:00Z", "no2": 1 }]""", Encoding.UTF8, "application/json");
}
