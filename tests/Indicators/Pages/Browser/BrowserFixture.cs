using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;

using DataHub.Catalog;
using DataHub.Demo;
using DataHub.Support;

using Microsoft.Playwright;

using static DataHub.Support.HubFixture;

namespace DataHub.Indicators;

/// <summary>A hub with a small city's values and a real browser that looks at it.</summary>
public sealed class BrowserFixture : IAsyncLifetime
{
    private IPlaywright? _playwright;
    private HttpClient? _agency;

    public HubFixture Hub { get; private set; } = null!;

    public IBrowser Browser { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        if (BrowserFactAttribute.Chromium is not { } chromium) return;
        Hub = await StartAsync(new Dictionary<string, string?> { ["DataHub:Pages:Refresh"] = "00:00:00.500", ["DataHub:Pages:Reload"] = "00:00:05" });
        // A page is loaded anew every five seconds at most, and a change may come just after that.
        Assertions.SetDefaultExpectTimeout(15_000);
        _playwright = await Playwright.CreateAsync();
        Browser = await _playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = chromium,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });

        using var city = new ByteArrayContent(DemoCity.Generate(7).ToGeoJson());
        city.Headers.ContentType = new MediaTypeHeaderValue("application/geo+json");
        await OkAsync(Hub.Admin.PutAsync("api/v1/areas/demo", city));
        var admin = await Hub.AgencyAsync("umwelt", KeyRole.Admin);
        _agency = await Hub.AgencyAsync("umwelt");
        await OkAsync(admin.PutAsJsonAsync("api/v1/datasets/luft", new
        {
            title = new { de = "Luftgüte", en = "Air quality" },
            publisher = "umwelt",
            kind = "observations",
            access = "open",
            license = "dl-de/by-2-0",
            areaSystem = "demo",
            schema = new
            {
                primaryKey = new[] { "station", "time" },
                fields = new object[]
                {
                    new { name = "station", type = "string", role = "series", constraints = new { required = true } },
                    new { name = "time", type = "datetime", role = "time", constraints = new { required = true } },
                    new { name = "area", type = "string", role = "area" },
                    new { name = "no2", type = "number", role = "measure", unit = "ug/m3" },
                },
            },
        }));
        await IndicatorAsync(admin, "no2-hourly", "Stickstoffdioxid, Stundenmittel", "Nitrogen dioxide, hourly mean", new { function = "mean", field = "no2" }, "ug/m3", 1);
        await IndicatorAsync(admin, "no2-rows", "Messungen je Stunde", "Measurements per hour", new { function = "count" }, null, 0);
        await OkAsync(admin.PutAsJsonAsync("api/v1/indicators/secret", new
        {
            title = new { de = "Intern" },
            dataset = "luft",
            measure = new { function = "count" },
            window = "PT1H",
            groupBy = new[] { "area" },
            access = "internal",
        }));

        // Eleven of twelve districts, six hours.
        var hour = DateTimeOffset.UtcNow.AddHours(-5);
        for (var i = 0; i < 6; i++)
        {
            for (var district = 1; district <= 11; district++) await PushAsync("s" + district, hour.AddHours(i), $"{district:d2}", 10 + (district * 3.1) + i);
        }
    }

    public async Task DisposeAsync()
    {
        if (Browser is not null) await Browser.CloseAsync();
        _playwright?.Dispose();
        if (Hub is not null) await Hub.DisposeAsync();
    }

    /// <summary>One row through the public route.</summary>
    public Task PushAsync(string station, DateTimeOffset time, string area, double value) =>
        OkAsync(_agency!.PostAsJsonAsync("api/v1/datasets/luft/feeds/default/records", new
        {
            station,
            time = time.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
            area,
            no2 = Math.Round(value, 1),
        }));

    /// <summary>A page that fails the test where the browser reports an error: scripts, blocked resources, answers from 400 up.</summary>
    public async Task<(IPage Page, List<string> Faults)> OpenAsync(string path, int width = 1280, bool script = true, string locale = "de-DE", ColorScheme scheme = ColorScheme.Light)
    {
        var context = await Browser.NewContextAsync(new()
        {
            BaseURL = Hub.Address.ToString(),
            ViewportSize = new() { Width = width, Height = 900 },
            JavaScriptEnabled = script,
            Locale = locale,
            ColorScheme = scheme,
        });
        context.SetDefaultTimeout(15_000);
        var page = await context.NewPageAsync();
        var faults = new List<string>();
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning") faults.Add(message.Text);
        };
        page.PageError += (_, error) => faults.Add(error);
        await page.GotoAsync(path);
        return (page, faults);
    }

    private static async Task IndicatorAsync(HttpClient admin, string id, string de, string en, object measure, string? unit, int decimals) =>
        await OkAsync(admin.PutAsJsonAsync("api/v1/indicators/" + id, new
        {
            title = new { de, en },
            dataset = "luft",
            measure,
            window = "PT1H",
            groupBy = new[] { "area" },
            decimals,
            unit,
            access = "open",
        }));
}
