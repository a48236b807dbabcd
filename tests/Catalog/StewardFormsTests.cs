using System.Net;
using System.Net.Http.Json;

using DataHub.Catalog;
using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;

using static DataHub.Support.HubFixture;
using static Microsoft.Playwright.Assertions;

namespace DataHub.Tests.Catalog;

/// <summary>The forms of the pages for those who look after data, as a browser sends them.</summary>
public sealed class StewardFormsTests
{
    [Fact]
    public async Task A_group_gets_a_member_and_a_role_and_the_member_reads_until_the_role_is_revoked()
    {
        await using var hub = await HubAsync();
        await SignInTokenTests.InternalDatasetAsync(hub, "umwelt");
        using var admin = await SignedInAsync(hub);
        using var ada = await SignedInAsync(hub, "ada");
        Assert.DoesNotContain("<details", await ada.PageAsync("/agencies/umwelt"), StringComparison.Ordinal);
        Assert.DoesNotContain("<details", await ada.PageAsync("/dataspaces/umwelt"), StringComparison.Ordinal);
        Assert.DoesNotContain("<details", await ada.PageAsync("/dataspaces"), StringComparison.Ordinal);

        var page = await DoneAsync(admin, "/agencies/umwelt/groups", "/agencies/umwelt?done=groups#groups", ("id", "auswertung"), ("de", "Auswertung"), ("en", "Analysis"));
        Assert.Contains("Die Gruppe ist angelegt.", page, StringComparison.Ordinal);
        page = await DoneAsync(admin, "/agencies/umwelt/members", "/agencies/umwelt?done=members#groups", ("group", "umwelt/auswertung"), ("person", "local:ada"), ("until", ""), ("why", "Neue Kollegin"));
        Assert.Contains("Neue Kollegin", page, StringComparison.Ordinal);
        await RefusedAsync(ada.GetAsync("api/v1/datasets/umwelt/records"), 404);
        page = await DoneAsync(admin, "/dataspaces/umwelt/grants?lang=en", "/dataspaces/umwelt?done=grants&lang=en#roles", ("group", "umwelt/auswertung"), ("role", "reader"), ("dataset", "umwelt"), ("until", "2099-12-31"), ("why", "Jahresbericht"));
        Assert.Contains("The role is given.", page, StringComparison.Ordinal);
        // The day counts in full, by Berlin's clock.
        Assert.Contains("1 Jan 2100, 00:00:00", page.Replace('\u00a0', ' '), StringComparison.Ordinal);
        await UntilAsync(ada, HttpStatusCode.OK);
        Assert.DoesNotContain("<details", await ada.PageAsync("/dataspaces/umwelt"), StringComparison.Ordinal);

        using var grants = await OkAsync(hub.Admin.GetAsync("api/v1/dataspaces/umwelt/grants"));
        var grant = grants.RootElement.GetProperty("grants").EnumerateArray().Single(one => one.GetProperty("group").GetString() == "umwelt/auswertung");
        Assert.Equal("person:local:admin", grant.GetProperty("by").GetString());
        Assert.Contains("Jahresbericht", grant.GetProperty("why").GetString(), StringComparison.Ordinal);
        page = await DoneAsync(admin, "/dataspaces/umwelt/revocations", "/dataspaces/umwelt?done=revocations#roles", ("grant", grant.GetProperty("id").GetString()!), ("why", "Bericht fertig"));
        Assert.Contains("Bericht fertig", page, StringComparison.Ordinal);
        await UntilAsync(ada, HttpStatusCode.NotFound);
        page = await DoneAsync(admin, "/agencies/umwelt/removals", "/agencies/umwelt?done=removals#groups", ("member", "umwelt/auswertung local:ada"));
        Assert.DoesNotContain("Neue Kollegin", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_is_shown_once_replaced_and_revoked()
    {
        await using var hub = await HubAsync();
        await hub.KeyAsync("umwelt", KeyRole.Admin);
        using var admin = await SignedInAsync(hub);

        using var made = await admin.PostAsync("/agencies/umwelt/keys", ("role", "push"), ("label", "Messnetz <Nord>"), ("expires", ""));
        Assert.Equal(HttpStatusCode.OK, made.StatusCode);
        Assert.True(made.Headers.CacheControl?.NoStore);
        var (id, secret) = KeyIn(await made.Content.ReadAsStringAsync());
        Assert.Equal(id, (await OkAsync(hub.With(secret).GetAsync("api/v1/me"))).RootElement.GetProperty("key").GetString());
        var page = await admin.PageAsync("/agencies/umwelt");
        Assert.Contains("Messnetz &lt;Nord&gt;", page, StringComparison.Ordinal);
        Assert.DoesNotContain(secret, page, StringComparison.Ordinal);

        using var rotated = await admin.PostAsync("/agencies/umwelt/rotations", ("key", id), ("overlap", "7"), ("expires", "2099-12-31"));
        var (newId, newSecret) = KeyIn(await rotated.Content.ReadAsStringAsync());
        Assert.NotEqual(id, newId);
        await OkAsync(hub.With(secret).GetAsync("api/v1/me"));
        using (var again = await admin.PostAsync("/agencies/umwelt/rotations", ("key", id), ("overlap", "0"), ("expires", ""))) Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);

        page = await DoneAsync(admin, "/agencies/umwelt/key-revocations", "/agencies/umwelt?done=key-revocations#keys", ("key", newId));
        Assert.Contains("zurückgezogen", page, StringComparison.Ordinal);
        await Task.Delay(600);
        await RefusedAsync(hub.With(newSecret).GetAsync("api/v1/me"), 401);

        // What is refused says why, and keeps what was entered.
        using var refused = await admin.PostAsync("/agencies/umwelt/keys", ("role", "admin"), ("label", "für später"), ("expires", "2020-01-01"));
        page = WebUtility.HtmlDecode(await refused.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        Assert.Contains("value=\"für später\"", page, StringComparison.Ordinal);
        Assert.Contains("value=\"2020-01-01\"", page, StringComparison.Ordinal);
        Assert.Matches("<option value=\"admin\"[^>]*selected", page);
        Assert.Matches("<details class=\"act\" id=\"form-keys\"[^>]*open", page);
        Assert.Contains("role=\"alert\"", page, StringComparison.Ordinal);
        using var noDay = await admin.PostAsync("/agencies/umwelt/keys?lang=en", ("role", "read"), ("label", ""), ("expires", "tomorrow"));
        Assert.Contains("“tomorrow” is no day", WebUtility.HtmlDecode(await noDay.Content.ReadAsStringAsync()), StringComparison.Ordinal);
        using var noAgency = await admin.PostAsync("/agencies/nirgends/keys", ("role", "read"));
        Assert.Equal(HttpStatusCode.NotFound, noAgency.StatusCode);
    }

    [Fact]
    public async Task A_dataspace_is_made_and_a_dataset_of_it_released_once_nothing_is_missing()
    {
        await using var hub = await HubAsync();
        await hub.KeyAsync("umwelt", KeyRole.Admin);
        using var admin = await SignedInAsync(hub);
        var page = await DoneAsync(admin, "/dataspaces", "/dataspaces/luftraum?done=new-dataspace#roles", ("id", "luftraum"), ("de", "Luft"), ("en", ""), ("owner", "umwelt"));
        Assert.Contains("Der Datenraum ist angelegt.", page, StringComparison.Ordinal);
        page = await admin.PageAsync("/dataspaces");
        foreach (var link in new[] { "/dataspaces/luftraum", "/dataspaces/platform", "/agencies/umwelt", "/agencies/platform" }) Assert.Contains($"href=\"{link}\"", page, StringComparison.Ordinal);
        using (var again = await admin.PostAsync("/dataspaces", ("id", "luftraum"), ("de", "Anders"), ("en", ""), ("owner", "umwelt")))
        {
            Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);
            Assert.Contains("value=\"Anders\"", await again.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        await OkAsync(hub.Admin.PutAsJsonAsync("api/v1/datasets/luft", Dataset(null)));
        page = WebUtility.HtmlDecode(await admin.PageAsync("/dataspaces/luftraum"));
        Assert.Contains("DRAFT · Es fehlt: Lizenz oder Nutzungsbedingung.", page, StringComparison.Ordinal);
        using (var early = await admin.PostAsync("/dataspaces/luftraum/states", ("dataset", "luft"), ("state", "AVAILABLE")))
        {
            page = WebUtility.HtmlDecode(await early.Content.ReadAsStringAsync());
            Assert.Equal(HttpStatusCode.Conflict, early.StatusCode);
            Assert.Matches("role=\"alert\">[^<]*Es fehlt: Lizenz oder Nutzungsbedingung", page);
            Assert.Matches("<option value=\"AVAILABLE\"[^>]*selected", page);
        }

        await OkAsync(hub.Admin.PutAsJsonAsync("api/v1/datasets/luft", Dataset("dl-de/zero-2-0")));
        page = await DoneAsync(admin, "/dataspaces/luftraum/states", "/dataspaces/luftraum?done=states#datasets", ("dataset", "luft"), ("state", "AVAILABLE"));
        Assert.Contains("verfügbar", page, StringComparison.Ordinal);
        await OkAsync(hub.Anonymous.GetAsync("api/v1/datasets/luft"));
        // A page changes what belongs to it only.
        using var other = await admin.PostAsync("/dataspaces/platform/states", ("dataset", "luft"), ("state", "RETIRED"));
        Assert.Equal(HttpStatusCode.NotFound, other.StatusCode);

        // Whoever maintains descriptions sees the form for states, not the one for roles, and is refused what is not theirs.
        await OkAsync(hub.Admin.PutAsJsonAsync("api/v1/agencies/umwelt/groups/redaktion", new { name = "Redaktion" }));
        await OkAsync(hub.Admin.PutAsJsonAsync("api/v1/agencies/umwelt/groups/redaktion/members/local:ada", new { why = "Test" }));
        await OkAsync(hub.Admin.PostAsJsonAsync("api/v1/dataspaces/luftraum/grants", new { group = "umwelt/redaktion", role = "editor", why = "Test" }));
        using var ada = await SignedInAsync(hub, "ada");
        page = await ada.PageAsync("/dataspaces/luftraum");
        Assert.Contains("id=\"form-states\"", page, StringComparison.Ordinal);
        Assert.DoesNotContain("id=\"form-grants\"", page, StringComparison.Ordinal);
        foreach (var (path, fields) in new (string, (string, string)[])[]
        {
            ("/dataspaces/luftraum/grants", [("group", "umwelt/redaktion"), ("role", "coordinator"), ("why", "selbst")]), ("/dataspaces/luftraum/states", [("dataset", "luft"), ("state", "RETIRED")]),
            ("/agencies/umwelt/keys", [("role", "admin")]), ("/agencies/umwelt/groups", [("id", "neu"), ("de", "Neu")]), ("/agencies/umwelt/members", [("group", "umwelt/redaktion"), ("person", "local:bert"), ("why", "Test")]),
            ("/dataspaces/platform/grants", [("group", "umwelt/redaktion"), ("role", "administrator"), ("why", "selbst")]), ("/dataspaces", [("id", "neu"), ("de", "Neu"), ("owner", "umwelt")]),
        })
        {
            using var refused = await ada.PostAsync(path, fields);
            Assert.True(refused.StatusCode == HttpStatusCode.Forbidden, $"{path}: {(int)refused.StatusCode}");
        }
    }

    [Fact]
    public async Task Only_somebody_who_has_signed_in_sends_forms_and_only_from_the_hubs_pages()
    {
        await using var hub = await HubAsync();
        await hub.KeyAsync("umwelt", KeyRole.Admin);
        using var nobody = new PageBrowser(hub.Address);
        using var admin = await SignedInAsync(hub);
        var content = new Func<HttpContent>(() => new FormUrlEncodedContent([KeyValuePair.Create("id", "neu"), KeyValuePair.Create("de", "Neu"), KeyValuePair.Create("owner", "umwelt")]));

        using (var answer = await nobody.SendAsync(HttpMethod.Post, "/dataspaces", nobody.Origin, content: content()))
        {
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            Assert.Equal("text/html", answer.Content.Headers.ContentType?.MediaType);
        }

        using (var key = await hub.Admin.PostAsync("/dataspaces", content())) Assert.Equal(HttpStatusCode.Unauthorized, key.StatusCode);
        foreach (var (origin, site) in new (string?, string?)[] { ("https://boese.example", null), ("null", null), (null, "cross-site"), (null, "same-site"), (null, null) })
        {
            using var crossed = await admin.SendAsync(HttpMethod.Post, "/dataspaces", origin, site, "navigate", content());
            Assert.True(crossed.StatusCode == HttpStatusCode.Forbidden, $"{origin} {site}: {(int)crossed.StatusCode}");
        }

        using (var json = await admin.SendAsync(HttpMethod.Post, "/dataspaces", admin.Origin, content: JsonContent.Create(new { id = "neu" }))) Assert.Equal(HttpStatusCode.UnsupportedMediaType, json.StatusCode);
        using (var many = await admin.PostAsync("/dataspaces", [.. Enumerable.Range(0, 100).Select(number => ($"f{number}", "x"))])) Assert.Equal(HttpStatusCode.BadRequest, many.StatusCode);
        using (var large = await admin.PostAsync("/dataspaces", ("id", new string('x', 70_000)))) Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
        await RefusedAsync(hub.Anonymous.GetAsync("api/v1/dataspaces/neu"), 404);
        await using var keysOnly = await StartAsync();
        using var none = await keysOnly.Anonymous.PostAsync("/dataspaces", content());
        Assert.Equal(HttpStatusCode.MethodNotAllowed, none.StatusCode);
    }

    [BrowserFact]
    public async Task A_coordinator_gives_a_role_on_a_small_screen_without_JavaScript()
    {
        await using var hub = await HubAsync();
        await SignInTokenTests.InternalDatasetAsync(hub, "umwelt");
        await OkAsync(hub.Admin.PutAsJsonAsync("api/v1/agencies/umwelt/groups/leitung", new { name = "Leitung" }));
        await OkAsync(hub.Admin.PutAsJsonAsync("api/v1/agencies/umwelt/groups/leitung/members/local:ada", new { why = "Test" }));
        await OkAsync(hub.Admin.PostAsJsonAsync("api/v1/dataspaces/umwelt/grants", new { group = "umwelt/leitung", role = "coordinator", why = "Test" }));
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = BrowserFactAttribute.Chromium,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
        var context = await browser.NewContextAsync(new() { BaseURL = hub.Address.ToString(), ViewportSize = new() { Width = 360, Height = 800 }, JavaScriptEnabled = false, Locale = "de-DE" });
        context.SetDefaultTimeout(15_000);
        var page = await context.NewPageAsync();
        var faults = new List<string>();
        page.Console += (_, message) => faults.Add(message.Text);
        await page.GotoAsync("/dataspaces/umwelt");
        await page.GetByRole(AriaRole.Link, new() { Name = "Anmelden" }).ClickAsync();
        await Expect(page.Locator(".banner")).ToHaveTextAsync("Lokale Anmeldung – nur für Erprobung auf diesem Rechner");
        await page.GetByRole(AriaRole.Button, new() { Name = "Ada" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Uri(hub.Address, "dataspaces/umwelt").ToString());
        await Expect(page.Locator(".account .local")).ToHaveTextAsync("lokal angemeldet");

        await page.GetByText("Rolle vergeben").ClickAsync();
        var form = page.Locator("#form-grants");
        await form.GetByLabel("Gruppe").FillAsync("umwelt/niemand");
        await form.GetByLabel("Rolle").SelectOptionAsync("Entwicklung");
        await form.GetByLabel("Gilt für").SelectOptionAsync("umwelt");
        await form.GetByLabel("Bis einschließlich").FillAsync("2099-12-31");
        await form.GetByLabel("Warum").FillAsync("Aufbau");
        await form.GetByRole(AriaRole.Button).ClickAsync();
        await Expect(form.GetByRole(AriaRole.Alert)).ToContainTextAsync("umwelt/niemand");
        await Expect(form.GetByLabel("Warum")).ToHaveValueAsync("Aufbau");
        await Expect(form.GetByLabel("Bis einschließlich")).ToHaveValueAsync("2099-12-31");
        await form.GetByLabel("Gruppe").FillAsync("umwelt/leser");
        await form.GetByRole(AriaRole.Button).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("Die Rolle ist vergeben.");
        await Expect(page.Locator("#roles tbody tr").First).ToContainTextAsync("Aufbau");
        var width = await page.Locator("html").BoundingBoxAsync();
        Assert.InRange(width!.Width, 0, 360);
        foreach (var element in await page.Locator("#form-grants, .account, .card").AllAsync())
        {
            var box = (await element.BoundingBoxAsync())!;
            Assert.InRange(box.X + box.Width, 0, 360.5f);
        }

        Assert.DoesNotContain(faults, fault => !fault.Contains("422", StringComparison.Ordinal));
    }

    /// <summary>A hub with a local sign-in, where somebody called ada can sign in.</summary>
    private static Task<HubFixture> HubAsync() =>
        StartAsync(new Dictionary<string, string?> { ["DataHub:SignIn:Local"] = "true" }, services: services => services.AddSingleton(new LocalPerson("ada", new("Ada", null))));

    /// <param name="person">Null: the first administrator.</param>
    private static async Task<PageBrowser> SignedInAsync(HubFixture hub, string? person = null)
    {
        var browser = new PageBrowser(hub.Address);
        using var answer = await browser.PostAsync("/signin/local", person is null ? ("key", hub.AdminKey) : ("person", person));
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        return browser;
    }

    /// <summary>Sends a form that must be done, and reads the page that it leads to.</summary>
    private static async Task<string> DoneAsync(PageBrowser browser, string path, string to, params (string Name, string Value)[] fields)
    {
        using var answer = await browser.PostAsync(path, fields);
        Assert.True(answer.StatusCode == HttpStatusCode.SeeOther, $"{path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        Assert.Equal(to, answer.Headers.Location?.ToString());
        return WebUtility.HtmlDecode(await browser.PageAsync(to));
    }

    private static async Task UntilAsync(PageBrowser browser, HttpStatusCode status)
    {
        for (var tries = 0; ; tries++)
        {
            using var answer = await browser.GetAsync("api/v1/datasets/umwelt/records");
            if (answer.StatusCode == status) return;
            Assert.True(tries < 30, $"still {(int)answer.StatusCode}");
            await Task.Delay(100);
        }
    }

    private static (string Id, string Secret) KeyIn(string page)
    {
        var from = page.IndexOf("<code>dh_", StringComparison.Ordinal) + "<code>".Length;
        Assert.True(from >= "<code>".Length, page);
        var secret = page[from..page.IndexOf("</code>", from, StringComparison.Ordinal)];
        return (secret.Split('.')[1], secret);
    }

    private static object Dataset(string? license) => new
    {
        title = new { de = "Luft" },
        publisher = "umwelt",
        kind = "observations",
        access = "open",
        license,
        dataspace = "luftraum",
        schema = new
        {
            primaryKey = new[] { "station", "time" },
            fields = new object[] { new { name = "station", type = "string", role = "series" }, new { name = "time", type = "datetime", role = "time" }, new { name = "wert", type = "number", role = "measure" } },
        },
    };
}
