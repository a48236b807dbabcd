using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Support;

using Microsoft.Extensions.Time.Testing;

namespace DataHub.Feeds;

public sealed class QuotaTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 24, 11, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_rate_is_averaged_over_ten_seconds_and_a_debt_is_paid_before_the_next_push()
    {
        var (meter, quota) = (new FeedMeter(), new FeedQuota(100, null, null));

        Assert.Null(meter.Take(quota, new(900, 1), Noon));
        Assert.Equal([new QuotaReading("rows", 1_000, 10, 100, 9)], meter.Read(quota, Noon));
        Assert.Null(meter.Take(quota, new(1_600, 1), Noon));
        Assert.Equal([new QuotaReading("rows", 1_000, 10, 0, 25)], meter.Read(quota, Noon));
        var wait = meter.Take(quota, new(1, 1), Noon)!.Value;
        Assert.Equal(15.01, wait.TotalSeconds, 3);
        Assert.NotNull(meter.Take(quota, new(1, 1), Noon + wait - TimeSpan.FromMilliseconds(20)));
        Assert.Null(meter.Take(quota, new(1, 1), Noon + wait));
    }

    [Fact]
    public void The_slower_of_rows_and_bytes_decides()
    {
        var (meter, quota) = (new FeedMeter(), new FeedQuota(1_000, 1_000, null));

        Assert.Null(meter.Take(quota, new(1, 30_000), Noon));

        Assert.InRange(meter.Take(quota, new(1, 1), Noon)!.Value.TotalSeconds, 20, 20.1);
    }

    [Fact]
    public void A_days_rows_are_never_overdrawn_and_begin_anew_at_midnight_in_berlin()
    {
        var (meter, quota) = (new FeedMeter(), new FeedQuota(null, null, 100));
        meter.BeginDay(Noon, 40);

        Assert.Equal(TimeSpan.MaxValue, meter.Take(quota, new(101, 1), Noon));
        Assert.Null(meter.Take(quota, new(60, 1), Noon));
        Assert.Equal(TimeSpan.FromHours(12), meter.Take(quota, new(1, 1), Noon));
        Assert.Equal([new QuotaReading("rows-per-day", 100, 86_400, 0, 43_200)], meter.Read(quota, Noon));
        Assert.Null(meter.Take(quota, new(100, 1), Noon.AddHours(12)));
    }

    [Fact]
    public async Task A_feed_over_its_quota_gets_429_with_the_time_to_wait_and_its_neighbour_none()
    {
        var clock = new FakeTimeProvider(Noon);
        await using var hub = await HubFixture.StartAsync(clock: clock);
        var agency = await DatasetAsync(hub, new { quota = new { rowsPerSecond = 10 } });

        using var first = await PushAsync(agency, "limited", 150);
        Assert.Equal(200, (int)first.StatusCode);
        Assert.Equal("\"rows\";q=100;w=10", first.Headers.GetValues("RateLimit-Policy").Single());
        Assert.Equal("\"rows\";r=0;t=15", first.Headers.GetValues("RateLimit").Single());
        for (var again = 0; again < 2; again++)
        {
            using var refused = await PushAsync(agency, "limited", 1, at: 200);
            Assert.Equal(429, (int)refused.StatusCode);
            Assert.Equal(6, Wait(refused));
            Assert.Equal("\"rows\";r=0;t=15", refused.Headers.GetValues("RateLimit").Single());
            Assert.Equal("/problems/too-many-requests", (await refused.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("type").GetString());
        }

        using var neighbour = await PushAsync(agency, "default", 150, at: 300);
        Assert.Equal(200, (int)neighbour.StatusCode);
        Assert.False(neighbour.Headers.Contains("RateLimit"));

        clock.Advance(TimeSpan.FromSeconds(6));
        using var later = await PushAsync(agency, "limited", 1, at: 200);
        Assert.Equal(200, (int)later.StatusCode);
        var counts = (await HubFixture.OkAsync(agency.GetAsync("api/v1/datasets/metered/conservation"))).RootElement.GetProperty("feeds").EnumerateArray();
        Assert.Equal(151, counts.Single(feed => feed.GetProperty("feed").GetString() == "limited").GetProperty("received").GetInt32());
    }

    [Fact]
    public async Task A_days_quota_holds_over_a_restart_and_a_stored_push_is_answered_again()
    {
        var clock = new FakeTimeProvider(Noon);
        await using var hub = await HubFixture.StartAsync(clock: clock);
        var agency = await DatasetAsync(hub, new { quota = new { rowsPerDay = 100 } });
        using var stored = await PushAsync(agency, "limited", 60, key: "first");
        await hub.RestartAsync();
        agency = hub.Admin;

        using var refused = await PushAsync(agency, "limited", 41, at: 100);
        Assert.Equal((429, 12 * 3_600), ((int)refused.StatusCode, Wait(refused)));
        using var tooLarge = await PushAsync(agency, "default", 1);
        Assert.Equal(200, (int)tooLarge.StatusCode);
        clock.Advance(TimeSpan.FromSeconds(11));
        using var again = await PushAsync(agency, "limited", 60, key: "first");
        Assert.Equal(await stored.Content.ReadAsStringAsync(), await again.Content.ReadAsStringAsync());
        using var larger = await PushAsync(agency, "limited", 101, at: 100);
        Assert.Equal("/problems/larger-than-quota", (await larger.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("type").GetString());
        using var fits = await PushAsync(agency, "limited", 40, at: 100);
        Assert.Equal(200, (int)fits.StatusCode);
    }

    [Fact]
    public async Task Only_the_platform_sets_quotas_and_others_keep_them()
    {
        await using var hub = await HubFixture.StartAsync();
        await DatasetAsync(hub, new { quota = new { rowsPerDay = 100 } });
        var owner = await hub.AgencyAsync("metered-agency", KeyRole.Admin);

        await HubFixture.RefusedAsync(owner.PutAsJsonAsync("api/v1/datasets/metered/feeds/limited", new { quota = new { rowsPerDay = 1_000 } }), 403);
        await HubFixture.RefusedAsync(hub.Admin.PutAsJsonAsync("api/v1/datasets/metered/feeds/limited", new { quota = new { rowsPerDay = 0 } }), 422, "invalid-feed");
        await HubFixture.OkAsync(owner.PutAsJsonAsync("api/v1/datasets/metered/feeds/limited", new { rhythm = "PT1H" }));
        var feed = (await HubFixture.OkAsync(owner.GetAsync("api/v1/datasets/metered/feeds/limited"))).RootElement;
        Assert.Equal(("PT1H", 100), (feed.GetProperty("rhythm").GetString(), feed.GetProperty("quota").GetProperty("rowsPerDay").GetInt32()));
    }

    private static async Task<HttpClient> DatasetAsync(HubFixture hub, object feed)
    {
        var agency = await hub.AgencyAsync("metered-agency");
        await hub.PutAirQualityAsync("metered", "metered-agency");
        await HubFixture.OkAsync(hub.Admin.PutAsJsonAsync("api/v1/datasets/metered/feeds/limited", feed));
        return agency;
    }

    private static Task<HttpResponseMessage> PushAsync(HttpClient client, string feed, int rows, int at = 0, string? key = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"api/v1/datasets/metered/feeds/{feed}/records")
        {
            Content = JsonContent.Create(Enumerable.Range(at, rows).Select(i => new { station = $"{feed}{i}", time = "2026-11-24T08:00:00Z", no2 = 1 })),
        };
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        return client.SendAsync(request);
    }

    private static int Wait(HttpResponseMessage answer) => int.Parse(answer.Headers.GetValues("Retry-After").Single(), CultureInfo.InvariantCulture);
}
