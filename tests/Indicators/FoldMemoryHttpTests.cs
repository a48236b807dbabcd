using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;

using DataHub.Catalog;
using DataHub.Support;

using static DataHub.Support.HubFixture;

namespace DataHub.Indicators;

/// <summary>A hub whose windows are many times what their cells may take in memory answers all of them, and says what they take.</summary>
public sealed class FoldMemoryHttpTests
{
    private const long Limit = 16 << 20;
    private const int Minutes = 80_000;

    private static readonly DateTimeOffset s_start = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Windows_that_do_not_fit_into_memory_are_answered_all_the_same()
    {
        await using var hub = await StartAsync(new Dictionary<string, string?>
        {
            ["DataHub:Fold:MaxHotBytes"] = Limit.ToString(CultureInfo.InvariantCulture),
            ["DataHub:Fold:BusyFlushPeriod"] = "00:00:00.500",
        });
        var admin = await hub.AgencyAsync("umwelt", KeyRole.Admin);
        await OkAsync(admin.PutAsJsonAsync("api/v1/datasets/luft", new
        {
            title = new { de = "Luftgüte" },
            publisher = "umwelt",
            license = "dl-de/by-2-0",
            kind = "observations",
            access = "open",
            schema = new
            {
                primaryKey = new[] { "station", "time" },
                fields = new object[]
                {
                    new { name = "station", type = "string", role = "series" }, new { name = "time", type = "datetime", role = "time" }, new { name = "no2", type = "number", role = "measure" },
                },
            },
        }));
        foreach (var function in new[] { "sum", "max" })
        {
            await OkAsync(admin.PutAsJsonAsync($"api/v1/indicators/luft-{function}", new
            {
                title = new { de = function },
                dataset = "luft",
                measure = new { function, field = "no2" },
                window = "PT1M",
                access = "open",
            }));
        }

        var rows = new StringBuilder("station,time,no2\n");
        for (var minute = 0; minute < Minutes; minute++) rows.Append(CultureInfo.InvariantCulture, $"s,{s_start.AddMinutes(minute):yyyy-MM-ddTHH:mm:ssZ},{minute % 1_000}\n");
        using var body = new StringContent(rows.ToString(), Encoding.UTF8, "text/csv");
        var watermark = (await OkAsync(admin.PostAsync("api/v1/datasets/luft/feeds/default/records", body))).RootElement.GetProperty("watermark").GetString();

        await AssertAsync(Minutes - 1, watermark);
        await UntilAsync(async () => await MemoryAsync() is > Limit / 2 and <= Limit);

        // Those that went first, and a late row into one of them.
        await AssertAsync(3, watermark);
        watermark = (await OkAsync(admin.PostAsJsonAsync("api/v1/datasets/luft/feeds/default/records", new { station = "late", time = s_start.AddMinutes(4), no2 = 0.5 })))
            .RootElement.GetProperty("watermark").GetString();
        Assert.Equal(4.5, await ValueAsync("sum", 4, watermark));
        await UntilAsync(async () => await MemoryAsync() <= Limit);

        async Task AssertAsync(int minute, string? atLeast)
        {
            foreach (var function in new[] { "sum", "max" }) Assert.Equal(minute % 1_000, await ValueAsync(function, minute, atLeast));
        }

        async Task<double> ValueAsync(string function, int minute, string? atLeast)
        {
            var (from, to) = (s_start.AddMinutes(minute), s_start.AddMinutes(minute + 1));
            var path = $"api/v1/indicators/luft-{function}/values?from={from:yyyy-MM-ddTHH:mm:ssZ}&to={to:yyyy-MM-ddTHH:mm:ssZ}&watermark={atLeast}";
            var answer = await hub.Anonymous.GetAsync(path);

            // So many rows at once take a slow machine longer than a read waits; it is told to come again.
            for (var waited = Stopwatch.StartNew(); answer.StatusCode == HttpStatusCode.ServiceUnavailable && waited.Elapsed < TimeSpan.FromSeconds(60); answer = await hub.Anonymous.GetAsync(path))
                await Task.Delay(answer.Headers.RetryAfter!.Delta!.Value);
            var values = await OkAsync(Task.FromResult(answer));
            return Assert.Single(values.RootElement.GetProperty("rows").EnumerateArray()).GetProperty("value").GetDouble();
        }

        async Task<double> MemoryAsync()
        {
            var lines = (await hub.Anonymous.GetStringAsync("metrics")).Split('\n');
            return double.Parse(Assert.Single(lines, line => line.StartsWith("datahub_cells_memory_bytes ", StringComparison.Ordinal)).Split(' ')[1], CultureInfo.InvariantCulture);
        }

        static async Task UntilAsync(Func<Task<bool>> holds)
        {
            for (var attempt = 0; !await holds(); attempt++)
            {
                Assert.True(attempt < 300, "not after 30 s");
                await Task.Delay(100);
            }
        }
    }
}
