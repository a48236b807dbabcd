using DataHub.Support;

using Microsoft.Playwright;

using static Microsoft.Playwright.Assertions;

namespace DataHub.Indicators;

/// <summary>From a number on the page to where it comes from.</summary>
public sealed partial class BrowserTests
{
    private const string Why = "Woher diese Zahl kommt";

    [BrowserFact]
    public async Task Every_number_leads_to_the_rows_behind_it_without_JavaScript()
    {
        var (page, _) = await browser.OpenAsync("/?indicator=no2-hourly&level=0&area=04", script: false);
        foreach (var number in new[] { ".list tr[data-key=\"05\"] .value a", ".headline .why", ".numbers tbody .value a", ".areas .labels a[data-key=\"06\"]" })
        {
            await page.GotoAsync("/?indicator=no2-hourly&level=0&area=04");
            var link = page.Locator(number).First;
            var (text, target) = (await link.Locator("text, b, :scope").First.EvaluateAsync<string>("e => (e.querySelector('text, b') ?? e).textContent"), await link.GetAttributeAsync("href"));
            await page.GotoAsync(target!);
            await Expect(page.Locator("h1")).ToHaveTextAsync(Why);
            await Expect(page.Locator(".headline .number")).ToHaveTextAsync(text);
            await Expect(page.Locator(".again .recomputed")).ToHaveTextAsync(text);
            await Expect(page.Locator(".again .agrees")).ToHaveCountAsync(1);
            await Expect(page.Locator(".list tbody tr").First).ToBeVisibleAsync();
        }

        await page.Locator(".languages a", new() { HasTextString = "English" }).ClickAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync("Where this number comes from");
        Assert.DoesNotContain("Zeilen", await page.Locator("main").InnerTextAsync(), StringComparison.Ordinal);
        await page.Locator(".back").ClickAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync("Nitrogen dioxide, hourly mean");
        await Expect(page.Locator("html")).ToHaveAttributeAsync("lang", "en");
    }

    [BrowserFact]
    public async Task The_rows_stand_with_feed_receipt_time_and_what_was_before_and_go_on_by_pages()
    {
        var hour = new DateTimeOffset(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);
        foreach (var (station, value) in new[] { ("k1", 10.0), ("k2", 20.5), ("k1", 12.5), ("k3", 30.0) }) await browser.PushAsync(station, hour, "05", value);
        const string Path = "/indicators/no2-hourly/explain?from=2026-03-02T08:00:00Z&area=05";
        var (page, faults) = await browser.OpenAsync(Path);
        await Expect(page.Locator(".headline .number")).ToHaveTextAsync("21,0");
        await Expect(page.Locator(".again .recomputed")).ToHaveTextAsync("21,0");
        await Expect(page.Locator(".again .small")).ToContainTextAsync("genau 3 Zeilen");
        await Expect(page.Locator(".sources li")).ToHaveTextAsync(["default: 3 Zeilen aus 3 Lieferungen"]);
        await Expect(page.Locator(".list tbody tr")).ToHaveCountAsync(4);
        await Expect(page.Locator(".list tbody tr").Nth(0)).ToContainTextAsync("12,5");
        await Expect(page.Locator(".list tbody tr.earlier")).ToHaveCountAsync(1);
        await Expect(page.Locator(".list tbody tr").Nth(1)).ToContainTextAsync("10");
        await Expect(page.Locator(".list tbody tr.earlier th")).ToHaveTextAsync("davor");
        var received = await page.Locator(".list td.window").AllTextContentsAsync();
        Assert.All(received, text => Assert.EndsWith("Uhr", text, StringComparison.Ordinal));
        foreach (var receipt in await page.Locator(".list .receipt a").EvaluateAllAsync<string[]>("links => links.map(a => a.getAttribute('href'))"))
            Assert.Matches("^/api/v1/receipts/[0-9A-Z]{26}$", receipt);
        await Expect(page.Locator(".about").First).ToContainTextAsync("Mittelwert von no2 je Stunde, µg/m³.");

        // Its permanent address keeps what it says, page by page, whatever is corrected later.
        var pinned = await page.Locator(".about .links a").First.GetAttributeAsync("href");
        await browser.PushAsync("k1", hour, "05", 999);
        await page.GotoAsync(pinned!.Replace("limit=50", "limit=2", StringComparison.Ordinal));
        await Expect(page.Locator(".headline .number")).ToHaveTextAsync("21,0");
        await Expect(page.Locator(".list tbody tr:not(.earlier)")).ToHaveCountAsync(2);
        await page.Locator(".pages a[rel=next]").ClickAsync();
        await Expect(page.Locator(".list tbody tr")).ToHaveCountAsync(1);
        await Expect(page.Locator(".list tbody tr")).ToContainTextAsync("30");
        await Expect(page.Locator(".again .recomputed")).ToHaveTextAsync("21,0");
        await Expect(page.Locator(".pages a[rel=next]")).ToHaveCountAsync(0);
        await page.Locator(".pages a").ClickAsync();
        await Expect(page.Locator(".list tbody tr.earlier")).ToHaveCountAsync(1);
        await page.GotoAsync(Path);
        await Expect(page.Locator(".headline .number")).Not.ToHaveTextAsync("21,0");
        Assert.Empty(faults);

        await IsForEverybodyAsync(Path);
        foreach (var scheme in new[] { ColorScheme.Light, ColorScheme.Dark }) await StandsOutAsync(Path, scheme);
        foreach (var width in new[] { 320, 360 })
        {
            var (narrow, _) = await browser.OpenAsync(Path, width);
            Assert.Equal(width, await narrow.EvaluateAsync<int>("() => document.documentElement.scrollWidth"));
        }
    }

    [BrowserFact]
    public async Task A_number_that_cannot_be_explained_is_said_in_words()
    {
        foreach (var (path, heading, text) in new[]
        {
            ("/indicators/nirgends/explain?from=2026-03-02", "Diese Seite gibt es nicht.", "Den Indikator „nirgends“ gibt es nicht."),
            ("/indicators/secret/explain?from=2026-03-02", "Diese Seite gibt es nicht.", "Tippfehler"),
            ("/indicators/no2-hourly/explain", "Das hat nicht geklappt.", "from fehlt: der Beginn des Fensters."),
            ("/indicators/no2-hourly/explain?from=2026-03-02&area=999", "Das hat nicht geklappt.", "Das Gebiet „999“ gibt es in demo nicht."),
            ("/indicators/no2-hourly/explain?from=2026-03-02&asOf=2999-01-01", "Das hat nicht geklappt.", "Zukunft"),
        })
        {
            var (page, _) = await browser.OpenAsync(path);
            await Expect(page.Locator("h1")).ToHaveTextAsync(heading);
            await Expect(page.Locator(".what")).ToContainTextAsync(text);
        }

        var (english, _) = await browser.OpenAsync("/indicators/no2-hourly/explain?lang=en");
        await Expect(english.Locator(".what")).ToContainTextAsync("from is missing");
        var (empty, _) = await browser.OpenAsync("/indicators/no2-hourly/explain?from=2020-01-01&area=05");
        await Expect(empty.Locator(".headline .number")).ToHaveTextAsync("–");
        await Expect(empty.Locator(".again")).ToContainTextAsync("keine Zeile");
    }
}
