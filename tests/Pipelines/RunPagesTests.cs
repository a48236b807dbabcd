using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

using DataHub.Catalog;
using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;

using static DataHub.Support.HubFixture;
using static Microsoft.Playwright.Assertions;

namespace DataHub.Pipelines;

/// <summary>Runs on the pages, as a browser sends and shows them: watched, ended, resumed, repeated and started by people.</summary>
public sealed class RunPagesTests
{
    private const string Loans = "Zweigstelle;Tag;Ausleihen\nMitte;2026-11-02;120\nPankow;2026-11-02;80\nMitte;2026-11-03;1.200\n";

    [Fact]
    public async Task A_person_starts_a_run_on_the_jobs_page_and_sees_what_came_of_it()
    {
        await using var hub = await HubAsync();
        using var ada = await SignedInAsync(hub, "ada");
        await UploadAsync(hub, "november.csv", Loans);

        var page = await ReadAsync(ada, "/jobs/ausleihen");
        Assert.Contains("Liest eine hochgeladene Datei", page, StringComparison.Ordinal);
        Assert.Contains("keine zwei Zeilen haben dasselbe in „zweigstelle“, „tag“; sonst scheitert der Lauf.", page, StringComparison.Ordinal);
        Assert.Matches("<pre[^>]*><code>SELECT zweigstelle AS branch", page);
        Assert.Contains("Schreibt die Tabelle „passend“ in den Datensatz „ausleihen“", page, StringComparison.Ordinal);
        Assert.Contains("Noch keine.", page, StringComparison.Ordinal);

        // Without a file it is refused in words; with one it begins.
        var order = Entered(page, "start");
        using (var without = await ada.PostAsync("/jobs/ausleihen/runs", order))
        {
            Assert.Equal(HttpStatusCode.UnprocessableEntity, without.StatusCode);
            Assert.Matches("role=\"alert\">[^<]*Für den Schritt „datei“ fehlt die Datei", WebUtility.HtmlDecode(await without.Content.ReadAsStringAsync()));
        }

        var file = Regex.Match(page, "<option value=\"([0-9A-Z]{26})\"[^>]*>november\\.csv · ").Groups[1].Value;
        (string, string)[] chosen = [("id", order.Single(field => field.Name == "id").Value), ("files.datei", file)];
        var run = await SentAsync(ada, "/jobs/ausleihen/runs", chosen);
        Assert.Equal(chosen[0].Item2, run);
        Assert.Equal(run, await SentAsync(ada, "/jobs/ausleihen/runs", chosen));
        var ended = await EndAsync(hub, run);
        Assert.Equal("complete", ended.GetProperty("state").GetString());

        page = await ReadAsync(ada, "/runs/" + run);
        Assert.Contains("Wie es steht: fertig", page, StringComparison.Ordinal);
        Assert.DoesNotContain("http-equiv=\"refresh\"", page, StringComparison.Ordinal);
        Assert.Contains(Pipes.Step(ended, "passend").GetProperty("sha256").GetString()![..12] + "…", page, StringComparison.Ordinal);
        Assert.Contains("november.csv", page, StringComparison.Ordinal);
        Assert.Contains($"/api/v1/runs/{run}/steps/passend/table", page, StringComparison.Ordinal);
        Assert.Contains("/api/v1/receipts/" + Pipes.Step(ended, "schreiben").GetProperty("receipt").GetString(), page, StringComparison.Ordinal);
        Assert.Matches("<li><code>loans</code> \\(integer\\)</li>", page);
        Assert.Contains("person:local:ada", page, StringComparison.Ordinal);
        Assert.Equal(4, Regex.Count(page, "<rect class=\"complete\""));

        // Again with the same inputs, and both side by side.
        var again = await SentAsync(ada, "/jobs/ausleihen/runs", Entered(page, "repeat"));
        Assert.Equal("complete", (await EndAsync(hub, again)).GetProperty("state").GetString());
        page = await ReadAsync(ada, "/runs/" + again);
        Assert.Contains($"Mit den Eingaben von</dt><dd><a href=\"/runs/{run}\">", page, StringComparison.Ordinal);
        Assert.Contains($"href=\"/runs/compare?a={run}&b={again}\"", page, StringComparison.Ordinal);
        page = await ReadAsync(ada, $"/runs/compare?a={run}&b={again}");
        Assert.Matches("<th scope=\"row\">datei</th>\\s*<td>gleich</td>\\s*<td>gleich</td>", page);
        Assert.Matches("<th scope=\"row\">schreiben</th>\\s*<td>–</td>", page);
        var other = await Pipes.StartAsync(hub.Admin, "ausleihen", new { files = new { datei = await UploadAsync(hub, "anders.csv", Loans.Replace("120", "121", StringComparison.Ordinal)) } });
        await EndAsync(hub, other);
        Assert.Matches("<th scope=\"row\">passend</th>\\s*<td>–</td>\\s*<td>anders</td>", await ReadAsync(ada, $"/runs/compare?a={run}&b={other}"));

        // The list has all of them, newest first, and page by page what is older.
        page = await ReadAsync(ada, "/runs");
        Assert.Equal([other, again, run], Regex.Matches(page, "<th scope=\"row\">\\s*<a href=\"/runs/([0-9A-Z]{26})\"").Select(match => match.Groups[1].Value));
        Assert.Contains("Ausleihen laden", page, StringComparison.Ordinal);
        page = await ReadAsync(ada, $"/runs?after={again}&job=ausleihen");
        Assert.Contains("/runs/" + run, page, StringComparison.Ordinal);
        Assert.DoesNotContain("/runs/" + again, page, StringComparison.Ordinal);
        Assert.Contains("Keine, von denen Sie wissen dürfen.", await ReadAsync(ada, "/runs?job=lange"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_that_fails_says_why_in_words_and_is_resumed_from_the_page()
    {
        await using var hub = await HubAsync();
        using var ada = await SignedInAsync(hub, "ada");
        var run = await FailedAsync(hub);

        var page = await ReadAsync(ada, "/runs/" + run);
        Assert.Contains("Woran er gescheitert ist", page, StringComparison.Ordinal);
        Assert.Contains("2 Zeilen haben in zweigstelle, tag dasselbe wie eine andere", page, StringComparison.Ordinal);
        Assert.Contains("<strong>Warnung:</strong> In 1 Zeile fehlt „ausleihen“.", page, StringComparison.Ordinal);
        Assert.Contains("nicht begonnen", page, StringComparison.Ordinal);
        Assert.Contains("2 Zeilen haben in zweigstelle", await ReadAsync(ada, "/runs"), StringComparison.Ordinal);

        // It fails once more, as its inputs are what they were; the step says that it was begun twice.
        Assert.Equal(run, await SentAsync(ada, $"/runs/{run}/acts", Entered(page, "resume")));
        Assert.Equal("fail", (await EndAsync(hub, run)).GetProperty("state").GetString());
        Assert.Matches("<th scope=\"row\">\\s*pruefung.*?<td class=\"right\">2</td>\\s*</tr>", Regex.Replace(await ReadAsync(ada, "/runs/" + run), "\\s+", " "));

        // What cannot be done is refused in words, and what was entered stays.
        using (var late = await ada.PostAsync($"/runs/{run}/acts", ("act", "abort"), ("reason", "Zu spät")))
        {
            page = WebUtility.HtmlDecode(await late.Content.ReadAsStringAsync());
            Assert.Equal(HttpStatusCode.Conflict, late.StatusCode);
            Assert.Matches("role=\"alert\">Der Lauf ist schon zu Ende.", page);
            Assert.Contains("Zu spät</textarea>", page, StringComparison.Ordinal);
        }

        using (var mute = await ada.PostAsync($"/runs/{run}/acts", ("act", "abort"), ("reason", " ")))
            Assert.Matches("role=\"alert\">Hier ist zu sagen, warum", WebUtility.HtmlDecode(await mute.Content.ReadAsStringAsync()));
        using (var unknown = await ada.PostAsync($"/runs/{run}/acts", ("act", "löschen")))
            Assert.Matches("role=\"alert\">„löschen“ gibt es nicht", WebUtility.HtmlDecode(await unknown.Content.ReadAsStringAsync()));

        // Whoever coordinates sees runs and is told what he would need.
        using var dora = await SignedInAsync(hub, "dora");
        Assert.Contains("Woran er gescheitert ist", await ReadAsync(dora, "/runs/" + run), StringComparison.Ordinal);
        using var denied = await dora.PostAsync($"/runs/{run}/acts", ("act", "resume"));
        Assert.Equal(HttpStatusCode.Forbidden, denied.StatusCode);
        Assert.Matches("role=\"alert\">[^<]*im Datenraum „lesesaal“ die Rolle Entwicklung", WebUtility.HtmlDecode(await denied.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task A_run_under_way_says_how_far_it_is_reloads_itself_and_is_ended_with_a_reason()
    {
        await using var hub = await HubAsync();
        using var ada = await SignedInAsync(hub, "ada");
        var file = await UploadAsync(hub, "viele.csv", "wert\n" + string.Join('\n', Enumerable.Range(0, 3_000)) + "\n");
        await Pipes.PutJobAsync(hub.Admin, "lange", """
            { "title": { "de": "Lange Rechnung", "en": "Long computation" }, "agency": "amt", "dataspace": "lesesaal", "steps": [
              { "id": "datei", "read": { "file": { "type": "csv" } } },
              { "id": "rechnung", "transform": { "inputs": ["datei"], "sql": "SELECT sum(sqrt(a.wert * 1.0 + b.wert) * c.wert) AS summe FROM datei a, datei b, datei c" } } ] }
            """);
        var run = await SentAsync(ada, "/jobs/lange/runs", ("files.datei", file));
        string page;
        for (var tries = 0; !(page = await ReadAsync(ada, "/runs/" + run)).Contains("Schritt 2 von 2: rechnung", StringComparison.Ordinal); tries++, await Task.Delay(100)) Assert.True(tries < 300, page);
        Assert.Contains($"<meta http-equiv=\"refresh\" content=\"3;url=/runs/{run}\"", page, StringComparison.Ordinal);
        Assert.Contains("Wie es steht: läuft", page, StringComparison.Ordinal);
        Assert.DoesNotContain("http-equiv=\"refresh\"", await ReadAsync(ada, $"/runs/{run}?reload=off"), StringComparison.Ordinal);
        Assert.Contains("Schritt 2 von 2: rechnung", await ReadAsync(ada, "/runs"), StringComparison.Ordinal);

        // A second one waits for it, and says so.
        var second = await SentAsync(ada, "/jobs/lange/runs", ("files.datei", file));
        page = await ReadAsync(ada, $"/runs/{second}?done=start");
        Assert.Contains("Der Lauf ist bestellt; er beginnt, sobald kein anderer dieses Jobs läuft.", page, StringComparison.Ordinal);
        Assert.Contains("Wie es steht: wartet", page, StringComparison.Ordinal);

        page = await ReadAsync(ada, $"/runs/{run}/abort");
        Assert.Contains("Was schon in einen Datensatz geschrieben ist, bleibt dort.", page, StringComparison.Ordinal);
        Assert.DoesNotContain("http-equiv=\"refresh\"", page, StringComparison.Ordinal);
        Assert.Equal(run, await SentAsync(ada, $"/runs/{run}/acts", ("act", "abort"), ("reason", "Falsche <Datei>")));
        await EndAsync(hub, run);
        page = await ada.PageAsync($"/runs/{run}?done=abort");
        Assert.Contains("Falsche &lt;Datei&gt;", page, StringComparison.Ordinal);
        page = WebUtility.HtmlDecode(page);
        Assert.Contains("Der Lauf ist beendet. Was schon geschrieben war, bleibt.", page, StringComparison.Ordinal);
        Assert.Contains("Warum er beendet wurde", page, StringComparison.Ordinal);
        Assert.Contains("Beendet von person:local:ada", page, StringComparison.Ordinal);
        Assert.DoesNotContain("http-equiv=\"refresh\"", page, StringComparison.Ordinal);
        Assert.NotEmpty(Entered(page, "resume"));
        foreach (var open in (await OkAsync(hub.Admin.GetAsync("api/v1/jobs/lange/runs"))).RootElement.GetProperty("runs").EnumerateArray().Select(one => one.GetProperty("id").GetString()!).Where(id => id != run))
        {
            for (var tries = 0; tries < 100; tries++, await Task.Delay(100))
            {
                using var ended = await ada.PostAsync($"/runs/{open}/acts", ("act", "abort"), ("reason", "Ende der Probe"));
                if (ended.StatusCode == HttpStatusCode.SeeOther) break;
            }
        }
    }

    [Fact]
    public async Task The_pages_are_there_in_English_and_without_a_sign_in_they_say_so()
    {
        await using var hub = await HubAsync();
        using var ada = await SignedInAsync(hub, "ada");
        using var nobody = new PageBrowser(hub.Address);
        var run = await FailedAsync(hub);

        var page = await ReadAsync(ada, $"/runs/{run}?lang=en");
        foreach (var text in new[] { "Run: Load loans", "Why it failed", "How it stands: failed", "<strong>Warning:</strong>", "not begun", "Run it again", "Attempts" }) Assert.Contains(text, page, StringComparison.Ordinal);
        Assert.DoesNotContain("Versuche", page, StringComparison.Ordinal);
        Assert.Contains("href=\"/jobs/ausleihen?lang=en\"", page, StringComparison.Ordinal);
        Assert.Contains("Newest runs", await ReadAsync(ada, "/runs?lang=en"), StringComparison.Ordinal);
        Assert.Contains("no two rows have the same in", await ReadAsync(ada, "/jobs/ausleihen?lang=en"), StringComparison.Ordinal);
        Assert.Contains("Compare two runs", await ReadAsync(ada, "/runs/compare?lang=en"), StringComparison.Ordinal);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/runs") { Headers = { { "Accept", "text/html" }, { "Accept-Language", "en-GB, de;q=0.5" } } };
        using var english = await nobody.SendAsync(request);
        Assert.Contains("please sign in", await english.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        page = await ReadAsync(nobody, "/runs");
        Assert.Contains("bitte anmelden", page, StringComparison.Ordinal);
        Assert.DoesNotContain("ausleihen", page, StringComparison.Ordinal);
        Assert.Contains("href=\"/runs\"", await ReadAsync(ada, "/"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_may_not_know_of_a_job_sees_no_run_of_it_and_forms_count_only_from_the_hubs_own_pages()
    {
        await using var hub = await HubAsync();
        using var ada = await SignedInAsync(hub, "ada");
        using var cleo = await SignedInAsync(hub, "cleo");
        using var nobody = new PageBrowser(hub.Address);
        var run = await FailedAsync(hub);
        string[] paths = ["/runs/" + run, $"/runs/{run}/abort", $"/runs/compare?a={run}&b={run}", "/jobs/ausleihen", "/jobs/ausleihen?version=1&lang=en", "/runs/keiner", "/jobs/keiner", "/jobs/K%20ein"];
        foreach (var stranger in new[] { cleo, nobody })
        {
            foreach (var path in paths)
            {
                using var answer = await stranger.PageAnswerAsync(path);
                Assert.True((answer.StatusCode, answer.Content.Headers.ContentType?.MediaType) is (HttpStatusCode.NotFound, "text/html"), $"{path}: {(int)answer.StatusCode}");
                Assert.DoesNotContain("Ausleihen laden", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            }

            foreach (var query in new[] { "", "?job=ausleihen", "?job=Unsinn" }) Assert.DoesNotContain(run, await stranger.PageAsync("/runs" + query), StringComparison.Ordinal);
        }

        foreach (var (path, fields) in new (string, (string, string)[])[] { ($"/runs/{run}/acts", [("act", "resume")]), ("/jobs/ausleihen/runs", [("repeats", run)]), ("/jobs/ausleihen/runs", []) })
        {
            using var foreign = await cleo.PostAsync(path, fields);
            Assert.Equal(HttpStatusCode.NotFound, foreign.StatusCode);
            using var unknown = await nobody.PostAsync(path, fields);
            Assert.Equal(HttpStatusCode.Unauthorized, unknown.StatusCode);
            foreach (var (origin, site) in new (string?, string?)[] { ("https://boese.example", null), (null, "cross-site"), (null, null) })
            {
                using var crossed = await ada.SendAsync(HttpMethod.Post, path, origin, site, "navigate", new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Item1, field.Item2))));
                Assert.Equal(HttpStatusCode.Forbidden, crossed.StatusCode);
            }
        }

        Assert.Single((await OkAsync(hub.Admin.GetAsync("api/v1/jobs/ausleihen/runs"))).RootElement.GetProperty("runs").EnumerateArray());
    }

    [BrowserFact]
    public async Task A_run_is_started_and_read_on_a_small_screen_without_JavaScript()
    {
        await using var hub = await HubAsync();
        var failed = await FailedAsync(hub);
        await UploadAsync(hub, "ausleihen-der-zweigstellen-im-november-2026.csv", Loans);
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
        await page.GotoAsync("/");
        await page.GetByRole(AriaRole.Link, new() { Name = "Läufe", Exact = true }).ClickAsync();
        await Expect(page.GetByText("bitte anmelden")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Anmelden" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Ada" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Uri(hub.Address, "runs").ToString());
        await FitsAsync(page, "runs");

        await page.Locator("#runs").GetByRole(AriaRole.Link, new() { Name = "Ausleihen laden" }).ClickAsync();
        await Expect(page.Locator("#cause")).ToContainTextAsync("dasselbe wie eine andere");
        await Expect(page.GetByRole(AriaRole.Table, new() { Name = "Die Schritte dieses Laufs in ihrer Reihenfolge" })).ToBeVisibleAsync();
        await page.GetByText("3 Spalten der Tabelle datei").ClickAsync();
        await FitsAsync(page, "run-failed");

        await page.Locator(".what").GetByRole(AriaRole.Link).ClickAsync();
        await FitsAsync(page, "job");
        await page.GetByLabel("Datei für datei").SelectOptionAsync(new SelectOptionValue { Index = 1 });
        await page.GetByRole(AriaRole.Button, new() { Name = "Lauf starten" }).ClickAsync();
        await Expect(page.Locator("#standing-title")).ToContainTextAsync("Wie es steht: fertig", new() { Timeout = 60_000 });
        await FitsAsync(page, "run-complete");
        var run = page.Url.Split('/', '?')[4];
        await page.GotoAsync($"/runs/compare?a={failed}&b={run}");
        await Expect(page.Locator("#steps")).ToContainTextAsync("anders");
        await FitsAsync(page, "compare");

        // What the file said stands on the public page.
        await page.GotoAsync("/?indicator=ausleihen-daily");
        await Expect(page.Locator("main")).ToContainTextAsync("1.200");
        await page.SetViewportSizeAsync(1280, 900);
        await page.GotoAsync("/runs/" + run);
        await FitsAsync(page, "run-wide", 1280);
        Assert.Empty(faults);
    }

    [BrowserFact]
    public async Task What_starts_a_job_its_shadow_and_each_cell_that_differs_are_read_on_small_and_wide_screens()
    {
        await using var hub = await HubAsync();
        var job = RunHttpTests.Job("amt", "ausleihen").Replace("\"agency\": \"amt\"", """
            "agency": "amt", "dataspace": "lesesaal", "triggers": [
              { "id": "neue_dateien_der_zweigstellen", "upload": { "step": "datei", "name": "ausleihen-der-zweigstellen-*.csv" } },
              { "id": "berichtigte_dateien", "upload": { "step": "datei", "name": "ausleihen-berichtigt-*.csv" } } ]
            """, StringComparison.Ordinal);
        await Pipes.PutJobAsync(hub.Admin, "ausleihen", job);
        await OkAsync(hub.Admin.PutAsync("api/v1/jobs/ausleihen?draft=true", new StringContent(job.Replace("ausleihen AS loans", "ausleihen + 1 AS loans", StringComparison.Ordinal), Encoding.UTF8, "application/json")));
        await OkAsync(hub.Admin.PostAsJsonAsync("api/v1/jobs/ausleihen/shadow", new { version = 3 }));
        var live = await Pipes.RunAsync(hub.Admin, "ausleihen", new { files = new { datei = await UploadAsync(hub, "november.csv", Loans) } });
        var shadow = (await OkAsync(hub.Admin.GetAsync("api/v1/jobs/ausleihen/runs"))).RootElement.GetProperty("runs").EnumerateArray().Single(run => run.TryGetProperty("shadowOf", out _)).GetProperty("id").GetString()!;
        await EndAsync(hub, shadow);

        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = BrowserFactAttribute.Chromium,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
        foreach (var (width, locale) in new[] { (360, "de-DE"), (1280, "en-GB") })
        {
            var isGerman = locale == "de-DE";
            var context = await browser.NewContextAsync(new() { BaseURL = hub.Address.ToString(), ViewportSize = new() { Width = width, Height = 900 }, JavaScriptEnabled = false, Locale = locale });
            context.SetDefaultTimeout(15_000);
            var page = await context.NewPageAsync();
            await page.GotoAsync("/runs");
            await page.GetByRole(AriaRole.Link, new() { Name = isGerman ? "Anmelden" : "Sign in" }).ClickAsync();
            await page.GetByRole(AriaRole.Button, new() { Name = "Ada" }).ClickAsync();
            await page.GotoAsync("/jobs/ausleihen");
            var triggers = page.Locator("#triggers");
            await Expect(triggers).ToContainTextAsync("ausleihen-berichtigt-*.csv");
            await Expect(triggers).ToContainTextAsync("ausleihen-der-zweigstellen-*.csv");
            await Expect(page.Locator("main")).ToContainTextAsync(isGerman ? "läuft im Schatten" : "runs in the shadow");
            await FitsAsync(page, $"job-triggers-{width}", width);

            await page.GotoAsync("/runs/" + shadow);
            await Expect(page.Locator("main")).ToContainTextAsync(isGerman ? "schreibt nichts" : "writes nothing");
            await FitsAsync(page, $"run-shadow-{width}", width);
            await page.GotoAsync($"/runs/compare?a={live.GetProperty("id").GetString()}&b={shadow}");
            await page.GetByRole(AriaRole.Link, new() { Name = isGerman ? "Zelle für Zelle vergleichen" : "Compare cell by cell" }).ClickAsync(new() { Timeout = 60_000 });
            var cells = page.Locator("#cells");
            await Expect(cells).ToContainTextAsync(isGerman ? "0 gleich, 3 geändert" : "0 the same, 3 changed", new() { Timeout = 60_000 });
            await Expect(cells.GetByRole(AriaRole.Row)).ToHaveCountAsync(4);
            await Expect(cells.GetByRole(AriaRole.Row).Nth(1)).ToContainTextAsync("121");
            await FitsAsync(page, $"compare-cells-{width}", width);
        }
    }

    private static async Task FitsAsync(IPage page, string name, int width = 360)
    {
        if (Environment.GetEnvironmentVariable("DATAHUB_SCREENSHOTS") is { Length: > 0 } folder)
            await page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}.png"), FullPage = true });
        foreach (var element in await page.Locator("html, .account, .card, .timeline, pre, textarea, input:not([type=hidden]), select").AllAsync())
        {
            var box = await element.BoundingBoxAsync();
            if (box is not null) Assert.InRange(box.X + box.Width, 0, width + 0.5f);
        }

        Assert.Equal(1, await page.Locator("h1").CountAsync());
        foreach (var field in await page.Locator("main textarea, main select, main input:not([type=hidden])").AllAsync())
            Assert.Equal(1, await field.Locator("xpath=ancestor::label").CountAsync());
        foreach (var table in await page.Locator("main table").AllAsync()) Assert.Equal(1, await table.Locator("caption").CountAsync());
    }

    /// <summary>A hub with a job of an agency, a person who develops and one who coordinates in its dataspace, and a person of another agency.</summary>
    private static async Task<HubFixture> HubAsync()
    {
        var hub = await HubFixture.StartAsync(new Dictionary<string, string?> { ["DataHub:SignIn:Local"] = "true" }, null, services =>
        {
            foreach (var name in new[] { "Ada", "Cleo", "Dora" }) services.AddSingleton(new LocalPerson(name.ToLowerInvariant(), new(name, null)));
        });
        foreach (var (agency, space, person, role) in new[] { ("amt", "lesesaal", "ada", "developer"), ("amt", "lesesaal", "dora", "coordinator"), ("dritte", "anderswo", "cleo", "developer") })
        {
            await OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/agencies/{agency}", new { name = agency }));
            await OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/dataspaces/{space}", new { title = space, owner = agency }));
            await OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/agencies/{agency}/groups/{role}", new { name = role }));
            await OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/agencies/{agency}/groups/{role}/members/local:{person}", new { why = "Test" }));
            await OkAsync(hub.Admin.PostAsJsonAsync($"api/v1/dataspaces/{space}/grants", new { group = $"{agency}/{role}", role, why = "Test" }));
        }

        await Pipes.LoansAsync(hub.Admin, "ausleihen", "amt");
        await Pipes.PutJobAsync(hub.Admin, "ausleihen", RunHttpTests.Job("amt", "ausleihen").Replace("\"agency\": \"amt\"", "\"agency\": \"amt\", \"dataspace\": \"lesesaal\"", StringComparison.Ordinal));
        return hub;
    }

    /// <summary>A run whose check fails.</summary>
    private static async Task<string> FailedAsync(HubFixture hub)
    {
        var file = await UploadAsync(hub, "doppelt.csv", Loans + "Mitte;2026-11-03;5\nPankow;2026-11-04;\n");
        var run = await Pipes.StartAsync(hub.Admin, "ausleihen", new { files = new { datei = file } });
        Assert.Equal("fail", (await EndAsync(hub, run)).GetProperty("state").GetString());
        return run;
    }

    private static async Task<string> UploadAsync(HubFixture hub, string name, string content)
    {
        using var body = new ByteArrayContent(Encoding.UTF8.GetBytes(content));
        var made = await OkAsync(hub.Admin.PostAsync($"api/v1/files?name={name}&agency=amt&dataspace=lesesaal", body));
        return made.RootElement.GetProperty("id").GetString()!;
    }

    private static Task<JsonElement> EndAsync(HubFixture hub, string run) => Pipes.EndAsync(hub.Admin, run);

    private static async Task<PageBrowser> SignedInAsync(HubFixture hub, string person)
    {
        var browser = new PageBrowser(hub.Address);
        using var answer = await browser.PostAsync("/signin/local", ("person", person));
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        return browser;
    }

    /// <summary>Sends a form that must be done.</summary>
    /// <returns>The run whose page it leads to.</returns>
    private static async Task<string> SentAsync(PageBrowser browser, string path, params (string Name, string Value)[] fields)
    {
        using var answer = await browser.PostAsync(path, fields);
        Assert.True(answer.StatusCode == HttpStatusCode.SeeOther, $"{path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        var to = Regex.Match(answer.Headers.Location!.ToString(), "^/runs/([0-9A-Z]{26})\\?done=[a-z]+#standing$");
        Assert.True(to.Success, answer.Headers.Location.ToString());
        return to.Groups[1].Value;
    }

    private static async Task<string> ReadAsync(PageBrowser browser, string path) => WebUtility.HtmlDecode(await browser.PageAsync(path));

    /// <summary>What a form of a page holds, as a browser would send it: <c>start</c>, <c>repeat</c> or <c>resume</c>.</summary>
    private static (string Name, string Value)[] Entered(string page, string form)
    {
        var mark = form switch { "repeat" => "name=\"repeats\"", "resume" => "name=\"act\" value=\"resume\"", _ => "name=\"files." };
        var text = Regex.Matches(page, "<form class=\"fields\".*?</form>", RegexOptions.Singleline).Select(match => match.Value).Single(one => one.Contains(mark, StringComparison.Ordinal));
        return [.. Regex.Matches(text, "<input type=\"hidden\" name=\"([^\"]*)\" value=\"([^\"]*)\"").Select(match => (match.Groups[1].Value, match.Groups[2].Value))];
    }
}
