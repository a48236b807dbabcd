using DataHub.Support;

using static Microsoft.Playwright.Assertions;

namespace DataHub.Indicators;

public sealed partial class BrowserTests
{
    [BrowserFact]
    public async Task The_public_interface_is_read_searched_and_opened_without_asking_another_host()
    {
        var (page, faults) = await browser.OpenAsync("/");
        var asked = new List<string>();
        page.Context.Request += (_, request) =>
        {
            lock (asked) asked.Add(request.Url);
        };
        await page.Locator("footer a", new() { HasTextString = "Schnittstelle" }).ClickAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync("Öffentliche Schnittstelle");
        await page.WaitForLoadStateAsync();
        var all = await page.Locator("[data-operation]").CountAsync();
        Assert.True(all > 20);
        await page.Locator("#api-search").FillAsync("quarantine replay");
        await Expect(page.Locator("[data-operation]:visible")).Not.ToHaveCountAsync(all);
        await Expect(page.Locator("#post-api-v1-datasets--dataset--quarantine-replay")).ToBeVisibleAsync();
        await Expect(page.Locator("#get-api-v1-agencies")).ToBeHiddenAsync();
        await page.Locator("#post-api-v1-datasets--dataset--quarantine-replay summary").ClickAsync();
        await Expect(page.Locator("#post-api-v1-datasets--dataset--quarantine-replay .curl")).ToContainTextAsync("curl -X POST \"$HUB/api/v1/datasets/air-quality/quarantine/replay\"");
        await page.GotoAsync("/api?lang=en#get-api-v1-indicators--indicator--values");
        await Expect(page.Locator("#get-api-v1-indicators--indicator--values dl").First).ToBeVisibleAsync();
        Assert.Empty(faults);
        lock (asked)
        {
            Assert.NotEmpty(asked);
            Assert.All(asked, url => Assert.StartsWith(browser.Hub.Address.ToString(), url, StringComparison.Ordinal));
        }
    }

    [BrowserFact]
    public async Task The_public_interface_is_read_without_JavaScript()
    {
        var (page, _) = await browser.OpenAsync("/api", script: false);
        await page.Locator("#api-search").FillAsync("receipt");
        await page.Locator(".api button").ClickAsync();
        await Expect(page.Locator("#get-api-v1-receipts--receipt dl").First).ToBeVisibleAsync();
        await Expect(page.Locator("#get-api-v1-agencies")).ToHaveCountAsync(0);
    }
}
