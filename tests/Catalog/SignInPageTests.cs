using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;

using DataHub.Catalog;
using DataHub.Hosting;
using DataHub.Support;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

using static DataHub.Support.HubFixture;

namespace DataHub.Tests.Catalog;

/// <summary>Sign-in of people on pages: the code flow, the cookie, and what it is not good for.</summary>
public sealed class SignInPageTests
{
    [Fact]
    public async Task Somebody_signs_in_reads_what_their_group_may_read_and_signs_out()
    {
        await using var issuer = await SignInIssuer.StartAsync();
        await using var hub = await StartAsync(Settings(issuer));
        await SignInTokenTests.InternalDatasetAsync(hub, "umwelt");
        issuer.Person = ("anna", "Anna <Beispiel>", ["umwelt/leser"]);
        using var browser = new PageBrowser(hub.Address);
        await RefusedAsync(browser.GetAsync("api/v1/datasets/umwelt/records"), 404, "not-found");
        Assert.Contains(">Anmelden</a>", await browser.PageAsync("/"), StringComparison.Ordinal);
        Assert.Contains(">Sign in</a>", await browser.PageAsync("/problems?lang=en"), StringComparison.Ordinal);

        var at = await browser.FollowAsync("/signin?back=/problems%3Flang%3Den");

        Assert.Equal("/problems?lang=en", at);
        var page = await browser.PageAsync(at);
        Assert.Contains("Anna &lt;Beispiel&gt;", page, StringComparison.Ordinal);
        Assert.Contains(">Sign out</button>", page, StringComparison.Ordinal);
        var cookie = browser.SetCookies.Last(text => text.StartsWith("datahub-signin=", StringComparison.Ordinal));
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.True(cookie.Length < 2_000, "the cookie holds too much");
        using var me = await OkAsync(browser.GetAsync("api/v1/me"));
        Assert.Equal("person:oidc:anna", me.RootElement.GetProperty("subject").GetString());
        Assert.Equal("Anna <Beispiel>", me.RootElement.GetProperty("name").GetString());
        using (var rows = await browser.GetAsync("api/v1/datasets/umwelt/records"))
        {
            Assert.Equal(HttpStatusCode.OK, rows.StatusCode);
            Assert.True(rows.Headers.CacheControl?.Private);
            Assert.Contains("Cookie", rows.Headers.Vary);
        }

        using (var other = await browser.SendAsync(HttpMethod.Post, "/signout", "https://boese.example")) Assert.Equal(HttpStatusCode.Forbidden, other.StatusCode);
        await OkAsync(browser.GetAsync("api/v1/datasets/umwelt/records"));
        using (var ended = await browser.SendAsync(HttpMethod.Post, "/signout", browser.Origin)) Assert.Equal((HttpStatusCode.SeeOther, "/"), (ended.StatusCode, ended.Headers.Location?.ToString()));
        await RefusedAsync(browser.GetAsync("api/v1/datasets/umwelt/records"), 404, "not-found");
        Assert.Contains(">Anmelden</a>", await browser.PageAsync("/"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_cookie_changes_nothing_from_other_sites_and_shows_them_nothing()
    {
        await using var issuer = await SignInIssuer.StartAsync();
        await using var hub = await StartAsync(Settings(issuer));
        await SignInTokenTests.InternalDatasetAsync(hub, "umwelt");
        var coordinator = await hub.Grains.GetGrain<IDataspaceGrain>(Dataspaces.Platform).GrantAsync(Caller.Hub, new("umwelt/leser", DataspaceRole.Administrator, null, "Test", null));
        Assert.Equal(CatalogRefusal.None, coordinator.Refusal);
        issuer.Person = ("anna", "Anna", ["umwelt/leser"]);
        using var browser = new PageBrowser(hub.Address);
        await browser.FollowAsync("/signin");

        foreach (var (origin, site, mode, status) in new (string?, string?, string?, HttpStatusCode)[]
        {
            ("https://boese.example", null, null, HttpStatusCode.Forbidden), ("null", null, null, HttpStatusCode.Forbidden), ("https://boese.example", "same-origin", null, HttpStatusCode.Forbidden),
            (null, "cross-site", "navigate", HttpStatusCode.Forbidden), (null, "same-site", null, HttpStatusCode.Forbidden), (null, null, null, HttpStatusCode.Forbidden),
            (null, "same-origin", "cors", HttpStatusCode.Created), (browser.Origin, null, null, HttpStatusCode.OK),
        })
        {
            using var answer = await browser.SendAsync(HttpMethod.Put, "api/v1/agencies/neu", origin, site, mode, JsonContent.Create(new { name = "Neu" }));
            Assert.True(status == answer.StatusCode, $"{origin} {site} {mode}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        }

        foreach (var (origin, site, mode, status) in new (string?, string?, string?, HttpStatusCode)[]
        {
            ("https://boese.example", "cross-site", "cors", HttpStatusCode.NotFound), (null, "cross-site", "no-cors", HttpStatusCode.NotFound), (null, "same-site", "no-cors", HttpStatusCode.NotFound),
            (null, "cross-site", "navigate", HttpStatusCode.OK), (null, "none", "navigate", HttpStatusCode.OK), (null, "same-origin", "cors", HttpStatusCode.OK),
        })
        {
            using var answer = await browser.SendAsync(HttpMethod.Get, "api/v1/datasets/umwelt/records", origin, site, mode);
            Assert.True(status == answer.StatusCode, $"{origin} {site} {mode}: {(int)answer.StatusCode}");
            Assert.False(answer.Headers.Contains("Access-Control-Allow-Credentials"));
        }

        // A key in the header goes before the cookie, a wrong one too.
        using var request = new HttpRequestMessage(HttpMethod.Get, "api/v1/me");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "dh_falsch");
        using var refused = await browser.SendAsync(request);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }

    [Fact]
    public async Task An_address_to_come_back_to_is_one_of_the_hub()
    {
        await using var issuer = await SignInIssuer.StartAsync();
        await using var hub = await StartAsync(Settings(issuer));
        using var browser = new PageBrowser(hub.Address);
        foreach (var back in new[] { "https://boese.example/", "//boese.example", "/\\boese.example", "\\\\boese.example", "boese", "/\tboese", "/%0d%0aSet-Cookie: x=y", "" })
        {
            var sent = back.Contains("%0d", StringComparison.Ordinal) ? back : Uri.EscapeDataString(back);
            await RefusedAsync(browser.GetAsync("/signin?back=" + sent), 400, "invalid-parameter");
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, "/signin");
        request.Headers.Referrer = new Uri("https://boese.example/weg");
        Assert.Equal("/", await browser.FollowAsync(request));
        Assert.True(SignInPages.IsLocal("/a?b=c#d"));
    }

    [Fact]
    public async Task A_forged_or_foreign_answer_of_the_issuer_signs_nobody_in()
    {
        await using var issuer = await SignInIssuer.StartAsync();
        await using var hub = await StartAsync(Settings(issuer));
        using var mine = new PageBrowser(hub.Address);
        using var theirs = new PageBrowser(hub.Address);
        await RefusedAsync(mine.GetAsync("/signin/callback?code=x&state=gefaelscht"), 400, "bad-request");
        await RefusedAsync(mine.GetAsync("/signin/callback?code=x"), 400, "bad-request");
        await RefusedAsync(mine.GetAsync("/signin/callback"), 400, "bad-request");

        // An answer that another browser was given: its state is right, but not begun here.
        var callback = await theirs.UntilCallbackAsync("/signin");
        await RefusedAsync(mine.GetAsync(callback), 400, "bad-request");
        Assert.DoesNotContain(mine.SetCookies, cookie => cookie.StartsWith("datahub-signin=", StringComparison.Ordinal));
        using (var page = await mine.PageAnswerAsync("/signin/callback?error=access_denied&state=x")) Assert.Contains("noch einmal anmelden", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        Assert.Equal("/", await theirs.FollowAsync(callback));
        await RefusedAsync(theirs.GetAsync(callback), 400, "bad-request");
    }

    [Fact]
    public async Task A_sign_in_ends_by_itself_and_outlives_a_restart()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var issuer = await SignInIssuer.StartAsync();
        await using var hub = await StartAsync(Settings(issuer, ("IdleLife", "00:10:00"), ("LongestLife", "00:30:00")), clock);
        using var browser = new PageBrowser(hub.Address);
        await browser.FollowAsync("/signin");
        await hub.RestartAsync();
        Assert.Equal("person", await KindAsync());

        // Each request within the idle life prolongs it, but not beyond the longest.
        for (var minutes = 0; minutes < 28; minutes += 7)
        {
            clock.Advance(TimeSpan.FromMinutes(7));
            Assert.Equal("person", await KindAsync());
        }

        clock.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal("public", await KindAsync());

        async Task<string?> KindAsync() => (await OkAsync(browser.GetAsync("api/v1/me"))).RootElement.GetProperty("kind").GetString();
    }

    [Fact]
    public async Task Without_a_client_id_there_is_no_sign_in_on_pages()
    {
        await using var issuer = await SignInIssuer.StartAsync();
        await using var hub = await StartAsync(issuer.Settings());
        using var browser = new PageBrowser(hub.Address);

        Assert.DoesNotContain("Anmelden", await browser.PageAsync("/"), StringComparison.Ordinal);
        await RefusedAsync(browser.GetAsync("/signin"), 404, "not-found");
        using var me = await OkAsync(browser.GetAsync("api/v1/me"));
        Assert.Equal("""{"subject":"public","kind":"public"}""", me.RootElement.GetRawText());
        using var key = await OkAsync(hub.Admin.GetAsync("api/v1/me"));
        Assert.Equal("platform", key.RootElement.GetProperty("agency").GetString());
    }

    [Fact]
    public async Task An_issuer_that_never_answered_is_said_on_a_page()
    {
        await using var issuer = await SignInIssuer.StartAsync();
        await issuer.StopAsync();
        await using var hub = await StartAsync(Settings(issuer));
        using var browser = new PageBrowser(hub.Address);

        using var page = await browser.PageAnswerAsync("/signin");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, page.StatusCode);
        Assert.Contains("Aussteller", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Front_ends_with_one_folder_read_each_others_cookies_and_without_one_have_no_sign_in_on_pages()
    {
        using var folder = new TemporaryFolder();
        await using var one = FrontEnd(folder.FullName);
        await using var other = FrontEnd(folder.FullName);
        await using var without = FrontEnd("");

        var cookie = one.Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("cookie").Protect("anna");

        Assert.Equal("anna", other.Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("cookie").Unprotect(cookie));
        Assert.NotNull(one.Services.GetService<SignInCookies>());
        Assert.Null(without.Services.GetService<SignInCookies>());
        Assert.True(without.Services.GetRequiredService<SignIn>().IsOn);

        static WebApplication FrontEnd(string keys) => FrontEndHost.Build(new FrontEndStart
        {
            Urls = "http://127.0.0.1:0",
            Settings = new Dictionary<string, string?>
            {
                ["DataHub:SignIn:Authority"] = "https://sso.example/",
                ["DataHub:SignIn:ClientId"] = "datahub",
                ["DataHub:SignIn:KeysFolder"] = keys,
            },
        });
    }

    private static Dictionary<string, string?> Settings(SignInIssuer issuer, params (string Name, string Value)[] more) =>
        issuer.Settings([("ClientId", SignInIssuer.ClientId), ("ClientSecret", SignInIssuer.ClientSecret), .. more]);
}
