using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;

using DataHub.Feeds;
using DataHub.Support;

using Microsoft.Extensions.Time.Testing;

using static DataHub.Support.HubFixture;

namespace DataHub.Catalog;

/// <summary>What an agency may use of the hub: rows a second, bytes a day, datasets.</summary>
public sealed class AgencyQuotaTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 24, 11, 0, 0, TimeSpan.Zero);

    [Fact]
    public void What_was_stored_is_a_debt_that_is_paid_before_the_next_push()
    {
        var (meter, holds) = (new AgencyMeter(), new AgencyQuota(100, null, null));
        meter.Add(holds, new(900, 1), Noon);
        Assert.Equal(TimeSpan.Zero, meter.Read(holds, Noon).Wait);
        meter.Add(holds, new(600, 1), Noon);
        var standing = meter.Read(holds, Noon);
        Assert.Equal((5.01, new QuotaReading("agency-rows", 1_000, 10, 0, 15)), (Math.Round(standing.Wait.TotalSeconds, 3), standing.Quotas.Single()));
        Assert.NotEqual(TimeSpan.Zero, meter.Read(holds, Noon + standing.Wait - TimeSpan.FromMilliseconds(20)).Wait);
        Assert.Equal(TimeSpan.Zero, meter.Read(holds, Noon + standing.Wait).Wait);
    }

    [Fact]
    public void A_days_bytes_begin_anew_at_midnight_in_berlin_and_go_on_after_a_restart()
    {
        var (meter, holds) = (new AgencyMeter(), new AgencyQuota(null, 1_000, null));
        meter.GoOn(new(Noon.AddHours(12), 5, 400), Noon);
        meter.Add(holds, new(1, 600), Noon);
        Assert.Equal((TimeSpan.FromHours(12), 6, 1_000), (meter.Read(holds, Noon).Wait, meter.RowsToday, meter.BytesToday));
        Assert.Equal((TimeSpan.Zero, 0), (meter.Read(holds, Noon.AddHours(12)).Wait, meter.BytesToday));

        var next = new AgencyMeter();
        next.GoOn(new(Noon.AddHours(12), 5, 400), Noon.AddHours(12));
        Assert.Equal((TimeSpan.Zero, 0), (next.Read(holds, Noon.AddHours(12)).Wait, next.BytesToday));
    }

    [Fact]
    public async Task An_agency_over_its_quota_waits_on_all_of_its_feeds_as_long_as_it_is_told_and_others_do_not()
    {
        var clock = new FakeTimeProvider(Noon);
        await using var hub = await HubFixture.StartAsync(clock: clock);
        var (flood, calm) = (await DatasetsAsync(hub, "flood", "f1", "f2"), await DatasetsAsync(hub, "calm", "c1"));
        var set = (await OkAsync(hub.Admin.PutAsJsonAsync("api/v1/agencies/flood/quota", new { rowsPerSecond = 10 }))).RootElement;
        Assert.Equal((10, JsonValueKind.Null), (set.GetProperty("holds").GetProperty("rowsPerSecond").GetInt32(), set.GetProperty("holds").GetProperty("datasets").ValueKind));
        await OkAsync(PushAsync(flood, "f1", 150));

        // The agency is told what was stored a few times a second.
        var wait = 0;
        for (var tries = 0; wait == 0; tries++)
        {
            clock.Advance(AgencyTallies.Period);
            await Task.Delay(50);
            using var answer = await PushAsync(flood, "f2", 1, at: tries);
            if ((int)answer.StatusCode != 429)
            {
                Assert.True(answer.IsSuccessStatusCode && tries < 60, $"{(int)answer.StatusCode} after {tries} tries");
                continue;
            }

            wait = int.Parse(answer.Headers.GetValues("Retry-After").Single(), CultureInfo.InvariantCulture);
            Assert.StartsWith("\"agency-rows\";r=0;t=", answer.Headers.GetValues("RateLimit").Single(), StringComparison.Ordinal);
            Assert.Contains("Behörde", (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        await OkAsync(PushAsync(calm, "c1", 200));

        // Once the quota is raised nobody waits for what was said before.
        await OkAsync(PushUntilTakenAsync(1_000, 300));
        await OkAsync(hub.Admin.PutAsJsonAsync("api/v1/agencies/flood/quota", new { rowsPerSecond = 10 }));
        await PushAsync(flood, "f1", 150, at: 600);
        using (var again = await PushUntilAsync(answer => (int)answer.StatusCode == 429, 900)) wait = int.Parse(again.Headers.GetValues("Retry-After").Single(), CultureInfo.InvariantCulture);
        clock.Advance(TimeSpan.FromSeconds(wait));
        await OkAsync(PushAsync(flood, "f2", 1, at: 500));
        var used = (await OkAsync((await hub.AgencyAsync("flood", KeyRole.Admin)).GetAsync("api/v1/agencies/flood/quota"))).RootElement.GetProperty("used");
        Assert.True(used.GetProperty("rowsToday").GetInt32() >= 150);
        Assert.Equal(2, used.GetProperty("datasets").GetInt32());

        async Task<HttpResponseMessage> PushUntilTakenAsync(int rowsPerSecond, int at)
        {
            await OkAsync(hub.Admin.PutAsJsonAsync("api/v1/agencies/flood/quota", new { rowsPerSecond }));
            return await PushUntilAsync(answer => answer.IsSuccessStatusCode, at);
        }

        async Task<HttpResponseMessage> PushUntilAsync(Func<HttpResponseMessage, bool> holds, int at)
        {
            for (var tries = 0; ; tries++)
            {
                // Less than it would have had to wait.
                if (tries < 12) clock.Advance(AgencyTallies.Period);
                await Task.Delay(50);
                var answer = await PushAsync(flood, "f2", 1, at + tries);
                if (holds(answer)) return answer;
                Assert.True(tries < 100, $"{(int)answer.StatusCode}");
                answer.Dispose();
            }
        }
    }

    [Fact]
    public async Task An_agency_has_as_many_datasets_as_it_may_and_a_retired_one_makes_room()
    {
        await using var hub = await HubFixture.StartAsync(new Dictionary<string, string?> { ["DataHub:Quota:AgencyDatasets"] = "2" });
        await DatasetsAsync(hub, "a", "d1", "d2");
        var full = await RefusedAsync(PutAsync(hub, "d3"), 422, "limit-reached");
        Assert.Contains("2 Datensätze", full.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await hub.PutAirQualityAsync("d2", "a");

        await OkAsync(hub.Admin.PostAsJsonAsync("api/v1/datasets/d2/release", new { state = "RETIRED" }));
        await hub.PutAirQualityAsync("d3", "a");
        await RefusedAsync(hub.Admin.PostAsJsonAsync("api/v1/datasets/d2/release", new { state = "AVAILABLE" }), 422, "limit-reached");
        await OkAsync(hub.Admin.PutAsJsonAsync("api/v1/agencies/a/quota", new { datasets = 0 }));
        await OkAsync(hub.Admin.PostAsJsonAsync("api/v1/datasets/d2/release", new { state = "AVAILABLE" }));
    }

    [Fact]
    public async Task Only_the_platform_sets_quotas_and_the_agency_sees_its_own()
    {
        await using var hub = await HubFixture.StartAsync();
        var (owner, other) = (await hub.AgencyAsync("a", KeyRole.Admin), await hub.AgencyAsync("b", KeyRole.Admin));
        await RefusedAsync(owner.PutAsJsonAsync("api/v1/agencies/a/quota", new { datasets = 5 }), 403);
        await RefusedAsync(hub.Admin.PutAsJsonAsync("api/v1/agencies/a/quota", new { datasets = -1 }), 422, "invalid-agency");
        await RefusedAsync(hub.Admin.PutAsJsonAsync("api/v1/agencies/nobody/quota", new { datasets = 1 }), 404);
        await OkAsync(hub.Admin.PutAsJsonAsync("api/v1/agencies/a/quota", new { bytesPerDay = 1_000_000 }));
        Assert.Equal(1_000_000, (await OkAsync(owner.GetAsync("api/v1/agencies/a/quota"))).RootElement.GetProperty("set").GetProperty("bytesPerDay").GetInt32());
        await RefusedAsync(other.GetAsync("api/v1/agencies/a/quota"), 403);
        var noted = (await OkAsync(owner.GetAsync("api/v1/audit?action=agency.quota-set"))).RootElement.GetProperty("entries");
        Assert.Equal(1, noted.GetArrayLength());
    }

    private static async Task<HttpClient> DatasetsAsync(HubFixture hub, string agency, params string[] datasets)
    {
        var client = await hub.AgencyAsync(agency);
        foreach (var dataset in datasets) await hub.PutAirQualityAsync(dataset, agency);
        return client;
    }

    private static Task<HttpResponseMessage> PutAsync(HubFixture hub, string dataset) => hub.Admin.PutAsJsonAsync($"api/v1/datasets/{dataset}", new
    {
        title = dataset,
        publisher = "a",
        kind = "observations",
        access = "open",
        license = "dl-de/by-2-0",
        schema = new { primaryKey = new[] { "time" }, fields = new object[] { new { name = "time", type = "datetime", role = "time" }, new { name = "value", type = "number", role = "measure" } } },
    });

    private static Task<HttpResponseMessage> PushAsync(HttpClient client, string dataset, int rows, int at = 0) => client.PostAsync(
        $"api/v1/datasets/{dataset}/feeds/default/records",
        JsonContent.Create(Enumerable.Range(at, rows).Select(i => new { station = $"s{i}", time = "2026-11-24T08:00:00Z", no2 = 1 })));
}
