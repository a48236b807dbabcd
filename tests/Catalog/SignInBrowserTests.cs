using DataHub.Support;

using Microsoft.Playwright;

using static Microsoft.Playwright.Assertions;

namespace DataHub.Tests.Catalog;

/// <summary>Sign-in in a real browser, with its own rules for cookies, forms and origins.</summary>
public sealed class SignInBrowserTests
{
    [BrowserFact]
    public async Task A_person_signs_in_from_a_page_comes_back_to_it_and_signs_out()
    {
        await using var issuer = await SignInIssuer.StartAsync();
        await using var hub = await HubFixture.StartAsync(issuer.Settings(("ClientId", SignInIssuer.ClientId), ("ClientSecret", SignInIssuer.ClientSecret)));
        issuer.Person = ("anna", "Anna Beispiel", ["umwelt/leser"]);
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = BrowserFactAttribute.Chromium,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
        var page = await browser.NewPageAsync(new() { Locale = "de-DE" });
        var faults = new List<string>();
        page.Console += (_, message) => faults.Add(message.Text);
        page.PageError += (_, message) => faults.Add(message);

        await page.GotoAsync(new Uri(hub.Address, "problems/forbidden?lang=en").ToString());
        await page.GetByRole(AriaRole.Link, new() { Name = "Sign in" }).ClickAsync();

        await Expect(page).ToHaveURLAsync(new Uri(hub.Address, "problems/forbidden?lang=en").ToString());
        await Expect(page.Locator(".account .who")).ToHaveTextAsync("Anna Beispiel");
        Assert.Equal("person:oidc:anna", await page.EvaluateAsync<string>("async () => (await (await fetch('/api/v1/me')).json()).subject"));
        Assert.Equal("", await page.EvaluateAsync<string>("() => document.cookie"));

        await page.GotoAsync(hub.Address.ToString());
        await page.GetByRole(AriaRole.Button, new() { Name = "Abmelden" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Anmelden" })).ToBeVisibleAsync();
        Assert.Equal("public", await page.EvaluateAsync<string>("async () => (await (await fetch('/api/v1/me')).json()).kind"));
        Assert.Empty(faults);
    }
}
