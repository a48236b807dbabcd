using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;

using DataHub.Catalog;
using DataHub.Demo;
using DataHub.Hosting;
using DataHub.Support;

using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

using static DataHub.Support.HubFixture;

namespace DataHub.Tests.Catalog;

/// <summary>Sign-in without an issuer, for trying out on one machine.</summary>
public sealed class LocalSignInTests
{
    private static readonly Dictionary<string, string?> s_local = new() { ["DataHub:SignIn:Local"] = "true" };

    [Fact]
    public async Task Without_the_setting_there_is_none()
    {
        await using var hub = await StartAsync();
        using var browser = new PageBrowser(hub.Address);

        await RefusedAsync(browser.GetAsync("/signin"), 404, "not-found");
        await RefusedAsync(browser.PostAsync("/signin/local", ("key", hub.AdminKey)), 404, "not-found");
        Assert.DoesNotContain("Anmelden", await browser.PageAsync("/"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_first_administrator_signs_in_with_the_key_of_the_platform()
    {
        var noted = new ConcurrentQueue<(string Reason, string? Who)>();
        await using var hub = await StartAsync(s_local, services: services => services.AddSingleton<ISignInFailures>(new Noting(noted)));
        using var browser = new PageBrowser(hub.Address);
        var page = await browser.PageAsync("/signin?back=/audit");
        Assert.Contains("Lokale Anmeldung – nur für Erprobung auf diesem Rechner", WebUtility.HtmlDecode(page), StringComparison.Ordinal);
        Assert.DoesNotContain("Demo", page, StringComparison.Ordinal);
        Assert.Contains("Local sign-in – for trying out on this machine only", WebUtility.HtmlDecode(await browser.PageAsync("/signin?lang=en&back=/audit")), StringComparison.Ordinal);

        var foreign = await hub.KeyAsync("umwelt", KeyRole.Admin);
        foreach (var (key, reason) in new[]
        {
            ("falsch", "malformed"), (hub.AdminKey[..^1] + (hub.AdminKey[^1] == 'a' ? 'b' : 'a'), "mistyped"), (foreign, "no-platform-administrator"), (Unknown(), "unknown-key"),
        })
        {
            using var refused = await browser.PostAsync("/signin/local", ("key", key), ("back", "/audit"));
            var text = WebUtility.HtmlDecode(await refused.Content.ReadAsStringAsync());
            Assert.True(refused.StatusCode == HttpStatusCode.Unauthorized, $"{reason}: {(int)refused.StatusCode}");
            Assert.Contains("role=\"alert\"", text, StringComparison.Ordinal);
            Assert.DoesNotContain(key, text, StringComparison.Ordinal);
            Assert.True(noted.TryDequeue(out var note));
            Assert.Equal(reason, note.Reason);
        }

        Assert.DoesNotContain(browser.SetCookies, cookie => cookie.StartsWith("datahub-signin=", StringComparison.Ordinal));
        foreach (var origin in new[] { "https://boese.example", "null", null })
        {
            using var crossed = await browser.SendAsync(HttpMethod.Post, "/signin/local", origin, content: new FormUrlEncodedContent([KeyValuePair.Create("key", hub.AdminKey)]));
            Assert.Equal(HttpStatusCode.Forbidden, crossed.StatusCode);
        }

        await RefusedAsync(browser.PostAsync("/signin/local", ("key", hub.AdminKey), ("back", "//boese.example")), 400, "invalid-parameter");
        Assert.DoesNotContain("umwelt", await browser.PageAsync("/audit"), StringComparison.Ordinal);

        for (var again = 0; again < 3; again++)
        {
            using var signedIn = await browser.PostAsync("/signin/local", ("key", hub.AdminKey), ("back", "/audit"));
            Assert.Equal((HttpStatusCode.SeeOther, "/audit"), (signedIn.StatusCode, signedIn.Headers.Location?.ToString()));
        }

        var cookie = browser.SetCookies.Last(text => text.StartsWith("datahub-signin=", StringComparison.Ordinal));
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        using var me = await OkAsync(browser.GetAsync("api/v1/me"));
        Assert.Equal("person:local:admin", me.RootElement.GetProperty("subject").GetString());
        Assert.Equal("administrator", me.RootElement.GetProperty("roles")[0].GetProperty("role").GetString());
        // Under a name that somebody else may have pointed here, or through a proxy, the cookie is nobody's and there is no sign-in.
        foreach (var (name, value) in new[] { ("Host", "hub.example"), ("X-Forwarded-For", "198.51.100.7") })
        {
            foreach (var (path, status) in new[] { ("api/v1/me", HttpStatusCode.OK), ("signin", HttpStatusCode.NotFound) })
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, path);
                request.Headers.TryAddWithoutValidation(name, value);
                request.Headers.TryAddWithoutValidation("Cookie", cookie.Split(';')[0]);
                using var answer = await hub.Anonymous.SendAsync(request);
                Assert.Equal(status, answer.StatusCode);
                if (status == HttpStatusCode.OK) Assert.Contains("\"public\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            }

            using var post = new HttpRequestMessage(HttpMethod.Post, "signin/local") { Content = new FormUrlEncodedContent([KeyValuePair.Create("key", hub.AdminKey)]) };
            post.Headers.TryAddWithoutValidation(name, value);
            post.Headers.TryAddWithoutValidation("Origin", name == "Host" ? "http://hub.example" : browser.Origin);
            await RefusedAsync(hub.Anonymous.SendAsync(post), 404, "not-found");
        }

        page = WebUtility.HtmlDecode(await browser.PageAsync("/audit"));
        Assert.Contains("local-administrators", page, StringComparison.Ordinal);
        Assert.Contains("lokal angemeldet", page, StringComparison.Ordinal);
        Assert.Contains("lokal angemeldet", await browser.PageAsync("/"), StringComparison.Ordinal);
        // Signing in again gives no role again; it ends by itself and can be taken away.
        using var grants = await OkAsync(hub.Admin.GetAsync("api/v1/dataspaces/platform/grants"));
        var grant = Assert.Single(grants.RootElement.GetProperty("grants").EnumerateArray());
        Assert.InRange(grant.GetProperty("until").GetDateTimeOffset() - DateTimeOffset.UtcNow, TimeSpan.FromHours(8), TimeSpan.FromHours(16));
        await OkAsync(hub.Admin.PostAsJsonAsync($"api/v1/dataspaces/platform/grants/{grant.GetProperty("id").GetString()}/revocation", new { why = "Test" }));
        await Task.Delay(1_100);
        Assert.DoesNotContain("local-administrators", await browser.PageAsync("/audit"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_signed_in_locally_is_nobody_once_an_issuer_vouches_for_people()
    {
        await using var issuer = await SignInIssuer.StartAsync();
        await using var hub = await StartAsync(s_local);
        using var browser = new PageBrowser(hub.Address);
        using (var signedIn = await browser.PostAsync("/signin/local", ("key", hub.AdminKey))) Assert.Equal(HttpStatusCode.SeeOther, signedIn.StatusCode);
        Assert.Equal("person", (await OkAsync(browser.GetAsync("api/v1/me"))).RootElement.GetProperty("kind").GetString());

        await hub.RestartAsync(issuer.Settings(("ClientId", SignInIssuer.ClientId), ("ClientSecret", SignInIssuer.ClientSecret)));

        Assert.Equal("public", (await OkAsync(browser.GetAsync("api/v1/me"))).RootElement.GetProperty("kind").GetString());
    }

    [Fact]
    public async Task A_person_of_the_demo_sees_and_does_what_their_role_allows()
    {
        await using var hub = await StartAsync(new Dictionary<string, string?>(s_local) { ["DataHub:Demo:Enabled"] = "true", ["DataHub:Demo:Rate"] = "0.01" });
        for (var tries = 0; DemoState.Read(hub.Folder) is not { People: true }; tries++)
        {
            Assert.True(tries < 300, "the people of the demo have no roles");
            await Task.Delay(100);
        }

        using var nobody = new PageBrowser(hub.Address);
        Assert.Contains("Koordination (Demo)", await nobody.PageAsync("/signin"), StringComparison.Ordinal);
        await RefusedAsync(nobody.GetAsync("api/v1/datasets/noise"), 404);
        using (var unknown = await nobody.PostAsync("/signin/local", ("person", "admin"))) Assert.Equal(HttpStatusCode.UnprocessableEntity, unknown.StatusCode);

        foreach (var (subject, role) in DemoPeople.All)
        {
            using var browser = new PageBrowser(hub.Address);
            using (var signedIn = await browser.PostAsync("/signin/local", ("person", subject), ("back", "/dataspaces/umwelt"))) Assert.Equal("/dataspaces/umwelt", signedIn.Headers.Location?.ToString());
            using var me = await OkAsync(browser.GetAsync("api/v1/me"));
            Assert.Equal($"person:local:{subject}", me.RootElement.GetProperty("subject").GetString());
            Assert.Equal(ContractWords.Of(role), me.RootElement.GetProperty("roles").EnumerateArray().Single().GetProperty("role").GetString());
            await OkAsync(browser.GetAsync("api/v1/datasets/noise"));
            Assert.Contains("Lärmpegel", WebUtility.HtmlDecode(await browser.PageAsync("/dataspaces/umwelt")), StringComparison.Ordinal);
            using var rows = await browser.GetAsync("api/v1/datasets/noise/records");
            Assert.Equal(role != DataspaceRole.Editor, rows.StatusCode == HttpStatusCode.OK);
            using var grants = await browser.GetAsync("api/v1/dataspaces/umwelt/grants");
            Assert.Equal(role == DataspaceRole.Coordinator, grants.StatusCode == HttpStatusCode.OK);
            using var release = await browser.SendAsync(HttpMethod.Post, "api/v1/datasets/noise/release", browser.Origin, content: JsonContent.Create(new { state = "AVAILABLE" }));
            // It lacks a licence: those who release are told so.
            Assert.Equal(role is DataspaceRole.Coordinator or DataspaceRole.Releaser ? HttpStatusCode.Conflict : HttpStatusCode.Forbidden, release.StatusCode);
        }
    }

    [Theory]
    [InlineData("127.0.0.1", "localhost:8080", null, true)]
    [InlineData("::1", "[::1]:8080", null, true)]
    [InlineData("::ffff:127.0.0.1", "127.0.0.1", null, true)]
    [InlineData("192.168.1.5", "localhost", null, false)]
    [InlineData("127.0.0.1", "hub.example", null, false)]
    [InlineData("127.0.0.1", "localhost.boese.example", null, false)]
    [InlineData("127.0.0.1", "localhost", "X-Forwarded-For", false)]
    [InlineData("127.0.0.1", "localhost", "Forwarded", false)]
    [InlineData(null, "localhost", null, false)]
    public void Only_this_machine_without_a_proxy_counts(string? from, string host, string? header, bool counts)
    {
        var http = new DefaultHttpContext();
        http.Connection.RemoteIpAddress = from is null ? null : IPAddress.Parse(from);
        http.Request.Host = new HostString(host);
        if (header is not null) http.Request.Headers[header] = "198.51.100.7";

        Assert.Equal(counts, LocalSignIn.IsFromHere(http));
    }

    [Theory]
    [InlineData(false, "http://127.0.0.1:8080", "", "", "Cluster")]
    [InlineData(true, "http://127.0.0.1:8080;http://0.0.0.0:8081", "", "", "http://0.0.0.0:8081")]
    [InlineData(true, "http://*:8080", "", "", "http://*:8080")]
    [InlineData(true, "http://hub.example:8080", "", "", "http://hub.example:8080")]
    [InlineData(true, "http://127.0.0.1:8080", "https://sso.example/", "", "Authority")]
    [InlineData(true, "http://127.0.0.1:8080", "", "https://hub.example", "Address")]
    public void Where_others_could_reach_it_the_hub_does_not_start(bool embedded, string urls, string authority, string address, string named)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>(s_local)
        {
            ["DataHub:SignIn:Authority"] = authority,
            ["DataHub:SignIn:Address"] = address,
        }).Build();

        var fault = Assert.Throws<StartException>(() => SignIn.Open(configuration, embedded, urls));

        Assert.Contains("DataHub:SignIn:Local", fault.Reason.De, StringComparison.Ordinal);
        Assert.Contains(named, fault.Reason.De, StringComparison.Ordinal);
        Assert.True(SignIn.Open(new ConfigurationBuilder().AddInMemoryCollection(s_local).Build(), embedded: true, "http://localhost:8080;http://[::1]:8081").IsLocal);
    }

    [Fact]
    public void A_front_end_of_a_cluster_does_not_start_with_it() =>
        Assert.Contains("Cluster", Assert.Throws<StartException>(() => FrontEndHost.Build(new FrontEndStart { Urls = "http://127.0.0.1:0", Settings = s_local })).Reason.De, StringComparison.Ordinal);

    /// <summary>A key as it must look, which nobody was given.</summary>
    private static string Unknown()
    {
        _ = ApiKey.Create(Caller.PlatformAgency, out var text);
        return text;
    }

    private sealed class Noting(ConcurrentQueue<(string, string?)> notes) : ISignInFailures
    {
        public void Note(string reason, string? who, string? network) => notes.Enqueue((reason, who));

        public void Refused(string who, string request, string? network)
        {
        }
    }
}
