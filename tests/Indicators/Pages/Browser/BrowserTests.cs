using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;

using DataHub.Support;

using Microsoft.Playwright;

using static Microsoft.Playwright.Assertions;

namespace DataHub.Indicators;

/// <summary>The front page in a real browser.</summary>
public sealed partial class BrowserTests(BrowserFixture browser) : IClassFixture<BrowserFixture>
{
    [BrowserFact]
    public async Task Map_table_and_course_show_what_the_public_interface_answers()
    {
        var (page, faults) = await browser.OpenAsync("/?indicator=no2-hourly&level=0");
        await Expect(page.Locator("header .city")).ToHaveTextAsync("Demo-Stadt");
        await Expect(page.Locator("h1")).ToHaveTextAsync("Stickstoffdioxid, Stundenmittel");
        await Expect(page.Locator(".levels a")).ToHaveTextAsync(["Bezirke 12", "Prognoseräume 58", "Bezirksregionen 143", "Planungsräume 542"]);
        await Expect(page.Locator(".areas .shapes a")).ToHaveCountAsync(12);
        await Expect(page.Locator(".list tbody tr")).ToHaveCountAsync(11);
        await Expect(page.Locator(".plot .at .point")).ToHaveCountAsync(6);
        await Expect(page.Locator(".tiles li")).ToHaveCountAsync(2);
        await Expect(page.Locator(".empty summary")).ToHaveTextAsync("1 Gebiet ohne Daten");

        var link = await page.Locator(".about .links a", new() { HasTextString = "JSON" }).GetAttributeAsync("href");
        var latest = await HubFixture.OkAsync(browser.Hub.Anonymous.GetAsync(link));
        var expected = latest.RootElement.GetProperty("rows").EnumerateArray().ToDictionary(r => r.GetProperty("area").GetString()!, r => r.GetProperty("value").GetDouble());
        var cells = await page.Locator(".list tbody tr").EvaluateAllAsync<string[]>("rows => rows.map(r => r.dataset.key + '|' + r.querySelector('.value').textContent)");
        Assert.Equal(expected.Select(e => $"{e.Key}|{Display.German.Number(e.Value, 1)}").Order(StringComparer.Ordinal), cells.Order(StringComparer.Ordinal));

        var texts = cells.Select(c => c.Split('|')[1]).ToHashSet();
        foreach (var label in await page.Locator(".areas .labels text").AllTextContentsAsync()) Assert.Contains(label, texts);
        foreach (var range in await page.Locator(".legend .range").AllTextContentsAsync()) Assert.All(range.Split(" – "), bound => Assert.Contains(bound, texts));
        var titles = await page.Locator(".areas .shapes title").AllTextContentsAsync();
        Assert.Equal(11, titles.Count(t => ValueOf().Match(t) is { Success: true } match && texts.Contains(match.Groups[1].Value)));
        Assert.Single(titles, t => t.EndsWith("keine Daten", StringComparison.Ordinal));
        var course = await HubFixture.OkAsync(browser.Hub.Anonymous.GetAsync(await page.Locator(".numbers .links a").First.GetAttributeAsync("href")));
        var values = course.RootElement.GetProperty("rows").EnumerateArray().Select(r => Display.German.Number(r.GetProperty("value").GetDouble(), 1)).Reverse();
        Assert.Equal(values, await page.Locator(".numbers tbody .value").EvaluateAllAsync<string[]>("cells => cells.map(c => c.textContent).filter(t => t !== '–')"));
        Assert.DoesNotContain("secret", await page.ContentAsync(), StringComparison.OrdinalIgnoreCase);
        Assert.Empty(faults);
    }

    [BrowserFact]
    public async Task A_push_changes_the_number_without_a_reload_and_the_reader_keeps_their_place()
    {
        // At the turn of an hour the number would be that of a window which is over.
        var left = TimeSpan.FromTicks(TimeSpan.TicksPerHour - (DateTimeOffset.UtcNow.Ticks % TimeSpan.TicksPerHour));
        if (left < TimeSpan.FromSeconds(30)) await Task.Delay(left + TimeSpan.FromSeconds(1));
        var (page, faults) = await browser.OpenAsync("/?indicator=no2-hourly&level=0");
        await page.EvaluateAsync("() => { window.stayed = true; document.querySelector('details.numbers').open = true; document.querySelector('.list tr[data-key=\"03\"] a').focus(); }");
        await browser.PushAsync("new", DateTimeOffset.UtcNow, "03", 500);
        await browser.PushAsync("other", DateTimeOffset.UtcNow, "12", 77.7);
        await Expect(page.Locator(".list tr[data-key=\"12\"] .value")).ToHaveTextAsync("77,7");
        await Expect(page.Locator(".areas .shapes a[data-key=\"12\"] title")).ToContainTextAsync("77,7 µg/m³");
        await Expect(page.Locator(".areas .shapes a[data-key=\"12\"]")).ToHaveClassAsync(Shade());
        await Expect(page.Locator(".list tbody tr")).ToHaveCountAsync(12);
        Assert.True(await page.EvaluateAsync<bool>("() => window.stayed === true && document.querySelector('details.numbers').open && document.activeElement.closest('tr').dataset.key === '03'"));
        await Expect(page.Locator("[data-live]")).ToHaveTextAsync("aktuell");
        Assert.Empty(faults);
    }

    [BrowserFact]
    public async Task A_page_that_is_current_costs_only_304s()
    {
        var (page, _) = await browser.OpenAsync("/?indicator=no2-rows&level=1");
        var polls = new List<int>();
        page.Response += (_, response) =>
        {
            lock (polls) polls.Add(response.Status);
        };
        // The first poll has no ETag yet; those after it do.
        await page.WaitForResponseAsync(r => r.Status == 304);
        lock (polls) Assert.Equal(304, polls[^1]);
    }

    [BrowserFact]
    public async Task A_lost_connection_is_said_and_mended()
    {
        var (page, _) = await browser.OpenAsync("/");
        await Expect(page.Locator("[data-live]")).ToHaveTextAsync("aktuell");
        await page.Context.SetOfflineAsync(true);
        await Expect(page.Locator("[data-live]")).ToHaveTextAsync(NoConnection());
        await Expect(page.Locator("[data-live]")).ToHaveClassAsync("live off");
        await page.Context.SetOfflineAsync(false);
        await Expect(page.Locator("[data-live]")).ToHaveTextAsync("aktuell");
    }

    [BrowserFact]
    public async Task Everything_works_without_JavaScript()
    {
        var (page, _) = await browser.OpenAsync("/", script: false);
        await Expect(page.Locator("h1")).ToHaveTextAsync("Stickstoffdioxid, Stundenmittel");
        Assert.Equal(1, await page.Locator("noscript meta[http-equiv=refresh], meta[http-equiv=refresh]").CountAsync());
        await Expect(page.Locator("[data-live]")).ToBeHiddenAsync();
        await page.Locator(".levels a").Nth(1).ClickAsync();
        await Expect(page.Locator(".areas .shapes a")).ToHaveCountAsync(58);
        await page.Locator(".levels a").Nth(0).ClickAsync();
        await page.Locator(".list tr[data-key=\"05\"] th a").ClickAsync();
        await Expect(page.Locator(".list tr.chosen")).ToHaveCountAsync(1);
        var name = await page.Locator(".list tr.chosen th a").TextContentAsync();
        await Expect(page.Locator("#course-title")).ToContainTextAsync(name!);
        await Expect(page.Locator(".headline .number")).ToHaveTextAsync((await page.Locator(".list tr.chosen .value").TextContentAsync())!);
        await page.Locator(".tile", new() { HasTextString = "Messungen je Stunde" }).ClickAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync("Messungen je Stunde");
        await Expect(page.Locator(".list tr.chosen")).ToHaveCountAsync(1);
        await Expect(page.Locator(".plot .column").First).ToBeVisibleAsync();
        await page.Locator(".languages a", new() { HasTextString = "English" }).ClickAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync("Measurements per hour");
        await Expect(page.Locator("html")).ToHaveAttributeAsync("lang", "en");
        await page.Locator("thead a", new() { HasTextString = "Value" }).ClickAsync();
        await Expect(page.Locator("th[aria-sort=descending]")).ToHaveCountAsync(1);
        await Expect(page.Locator("html")).ToHaveAttributeAsync("lang", "en");
    }

    [BrowserFact]
    public async Task At_320_pixels_nothing_makes_the_page_scroll_sideways()
    {
        foreach (var path in new[] { "/", "/?indicator=no2-hourly&level=3&area=04", "/?lang=en&indicator=no2-rows", "/problems", "/api?q=v1", "/nirgends" })
        {
            var (page, _) = await browser.OpenAsync(path, width: 320);
            Assert.Equal(320, await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth"));

            // Nor where the strip of tiles is long and each says its state to those who listen.
            Assert.Equal(320, await page.EvaluateAsync<int>("""
                () => {
                  const strip = document.querySelector('.tiles');
                  for (let i = 0; strip && i < 20; i++) {
                    const tile = strip.children[0].cloneNode(true);
                    tile.querySelector('.tile').insertAdjacentHTML('beforeend', '<span class="hidden">vorläufig</span>');
                    strip.append(tile);
                  }
                  return document.documentElement.scrollWidth;
                }
                """));
        }
    }

    [BrowserFact]
    public async Task The_reader_s_language_is_spoken()
    {
        var (page, _) = await browser.OpenAsync("/", locale: "en-GB");
        await Expect(page.Locator("h1")).ToHaveTextAsync("Nitrogen dioxide, hourly mean");
        await Expect(page.Locator("header .city")).ToHaveTextAsync("Demo city");
        await page.Locator(".languages a", new() { HasTextString = "Deutsch" }).ClickAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync("Stickstoffdioxid, Stundenmittel");
        await page.Locator(".levels a").Nth(1).ClickAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync("Stickstoffdioxid, Stundenmittel");
    }

    [BrowserFact]
    public async Task What_does_not_exist_is_a_page_for_people_and_a_problem_for_programs()
    {
        foreach (var path in new[] { "/nirgends", "/?indicator=nirgends", "/?indicator=secret", "/?indicator=no2-hourly&area=99999", "/problems/nirgends" })
        {
            var (page, _) = await browser.OpenAsync(path);
            await Expect(page.Locator("h1")).ToHaveTextAsync("Diese Seite gibt es nicht.");
            await page.Locator(".button").ClickAsync();
            await Expect(page.Locator("h1")).ToHaveTextAsync("Stickstoffdioxid, Stundenmittel");
        }

        await HubFixture.RefusedAsync(browser.Hub.Anonymous.GetAsync("nirgends"), 404, "not-found");
        using var request = new HttpRequestMessage(HttpMethod.Get, "api/v1/nirgends") { Headers = { { "Accept", "text/html" } } };
        await HubFixture.RefusedAsync(browser.Hub.Anonymous.SendAsync(request), 404, "not-found");
    }

    [BrowserFact]
    public async Task Everybody_can_use_it_by_keyboard_and_screen_reader()
    {
        foreach (var path in new[] { "/?indicator=no2-hourly&level=0&area=02", "/api", "/api?q=push" }) await IsForEverybodyAsync(path);
    }

    private async Task IsForEverybodyAsync(string path)
    {
        var (page, _) = await browser.OpenAsync(path);
        Assert.Equal("[]", await page.EvaluateAsync<string>(
            """
            () => {
              const faults = [], one = (selector, count) => { const n = document.querySelectorAll(selector).length; if (n !== count) faults.push(`${selector}: ${n}`); };
              for (const landmark of ['main', 'body > header', 'body > footer', 'h1']) one(landmark, 1);
              if (!document.documentElement.lang || !document.title) faults.push('lang or title');
              for (const nav of document.querySelectorAll('nav, section, article')) if (!nav.getAttribute('aria-label') && !document.getElementById(nav.getAttribute('aria-labelledby'))) faults.push('no name: ' + nav.outerHTML.slice(0, 60));
              for (const link of document.querySelectorAll('a, button')) if (!(link.textContent.trim() || link.getAttribute('aria-label'))) faults.push('empty link: ' + link.outerHTML.slice(0, 60));
              for (const field of document.querySelectorAll('select, input:not([type=hidden])')) if (!field.labels.length) faults.push('no label: ' + field.outerHTML.slice(0, 60));
              for (const table of document.querySelectorAll('table')) for (const cell of table.querySelectorAll('th')) if (!cell.scope) faults.push('no scope: ' + cell.textContent);
              const ids = [...document.querySelectorAll('[id]')].map(e => e.id); for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push('id twice: ' + id);
              for (const area of document.querySelectorAll('.scroll')) if (area.tabIndex !== 0) faults.push('a scrolling region cannot be reached by key');
              let level = 1; for (const h of document.querySelectorAll('article h1, article h2, article h3')) { const n = +h.localName[1]; if (n > level + 1) faults.push('heading jumps: ' + h.textContent); level = n; }
              if (document.querySelector('[style], [onclick], script:not([src]), style')) faults.push('inline style or script');
              return JSON.stringify(faults);
            }
            """));
        await page.Keyboard.PressAsync("Tab");
        await Expect(page.Locator(".skip")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("main")).ToBeFocusedAsync();
    }

    [BrowserFact]
    public async Task Text_stands_out_from_its_ground_in_light_and_dark()
    {
        foreach (var scheme in new[] { ColorScheme.Light, ColorScheme.Dark })
        {
            foreach (var path in new[] { "/?indicator=no2-hourly&level=0&area=02", "/api?q=receipt" }) await StandsOutAsync(path, scheme);
        }
    }

    private async Task StandsOutAsync(string path, ColorScheme scheme)
    {
        var (page, _) = await browser.OpenAsync(path, scheme: scheme);
        Assert.Equal("[]", await page.EvaluateAsync<string>(
            """
            () => {
              const parse = c => { const m = c.match(/rgba?\(([^)]+)\)/)[1].split(/[ ,/]+/).map(Number); return { rgb: m.slice(0, 3), a: m[3] ?? 1 }; };
              const light = rgb => { const [r, g, b] = rgb.map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
              const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
              const faults = new Set();
              const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
              while (walker.nextNode()) {
                const element = walker.currentNode.parentElement;
                if (!walker.currentNode.data.trim() || element.closest('svg, script, noscript, .hidden, .skip') || !element.getClientRects().length) continue;
                let ground = element; while (ground && parse(getComputedStyle(ground).backgroundColor).a < 1) ground = ground.parentElement;
                const style = getComputedStyle(element), size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
                const found = ratio(parse(style.color).rgb, ground ? parse(getComputedStyle(ground).backgroundColor).rgb : [255, 255, 255]);
                if (found < (large ? 3 : 4.5)) faults.add(`${element.className || element.localName}: ${found.toFixed(2)}`);
              }
              for (const label of document.querySelectorAll('.labels text')) {
                const area = document.querySelector(`.shapes [data-key="${label.dataset.key}"] path`);
                const fill = getComputedStyle(area).fill;
                if (fill.startsWith('rgb') && ratio(parse(getComputedStyle(label).fill).rgb, parse(fill).rgb) < 4.5) faults.add('label on ' + label.className.baseVal);
              }
              return JSON.stringify([...faults]);
            }
            """));
    }

    [BrowserFact]
    public async Task Style_script_and_icon_have_a_body_and_may_be_kept()
    {
        var html = await browser.Hub.Anonymous.GetStringAsync("/");
        var paths = AssetPath().Matches(html).Select(m => m.Value).ToHashSet();
        Assert.Equal(3, paths.Count);
        foreach (var path in paths)
        {
            using var answer = await browser.Hub.Anonymous.GetAsync(path);
            Assert.True(answer.IsSuccessStatusCode);
            Assert.NotEmpty(await answer.Content.ReadAsByteArrayAsync());
            Assert.Contains("immutable", answer.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
        }

        using var page = await browser.Hub.Anonymous.GetAsync("/");
        Assert.DoesNotContain("unsafe", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        using var head = await browser.Hub.Anonymous.SendAsync(new(HttpMethod.Head, "/"));
        Assert.Equal(page.Headers.ETag, head.Headers.ETag);
    }

    [GeneratedRegex(": ([0-9.,]+) µg/m³")]
    private static partial Regex ValueOf();

    [GeneratedRegex("^s[0-4]")]
    private static partial Regex Shade();

    [GeneratedRegex("^keine Verbindung – Stand von [0-9:]+$")]
    private static partial Regex NoConnection();

    [GeneratedRegex("/assets/[0-9a-f]{12}/[a-z.]+")]
    private static partial Regex AssetPath();
}
