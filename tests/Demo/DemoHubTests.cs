using System.Globalization;
using System.Net;
using System.Text.Json;

using DataHub.Support;

using Microsoft.Extensions.Time.Testing;

namespace DataHub.Demo;

public sealed class DemoHubTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task A_demo_hub_shows_the_city_whose_numbers_are_those_of_the_feeds_and_goes_on_after_a_restart()
    {
        await using var hub = await HubFixture.StartAsync(new Dictionary<string, string?> { ["DataHub:Demo:Enabled"] = "true" });

        // An hour that is over was told while catching up: 143 detectors, twice.
        var hour = DemoFeed.Floor(DateTimeOffset.UtcNow.AddHours(-3), TimeSpan.FromHours(1));
        var feed = DemoFeeds.All(DemoCity.Generate(1), 1, 1, default).Single(f => f.Name == "traffic/default");
        var rows = new[] { 0, 30 }.SelectMany(m => feed.CatchUp(hour.AddMinutes(m), hour.AddHours(1)).Push!.Rows).ToArray();
        var expected = rows.GroupBy(r => ((string)r["area"]!)[..2]).ToDictionary(g => g.Key, g => ((double)g.Sum(r => (int)r["vehicles"]!), (long)g.Count()));

        await UntilAsync(async () => (await TrafficAsync(hub, hour)).Sum(a => a.Value.Count) == 286);
        Assert.Equal(expected, await TrafficAsync(hub, hour));
        foreach (var (_, id, _) in DemoDefinitions.Indicators)
            await UntilAsync(() => HasAllDistrictsAsync(hub, id));
        await UntilAsync(() => Task.FromResult(Live(hub)));

        await hub.RestartAsync();
        var before = DateTimeOffset.UtcNow;
        await UntilAsync(() => Task.FromResult(DemoState.Read(hub.Folder)!.Positions["traffic/default"].Pushed > before));

        Assert.Equal(expected, await TrafficAsync(hub, hour));
        foreach (var (agency, _) in DemoDefinitions.Agencies)
            Assert.Equal(2, (await HubFixture.OkAsync(hub.Admin.GetAsync($"api/v1/agencies/{agency}/keys"))).RootElement.GetProperty("keys").GetArrayLength());
        Assert.Equal(1, (await HubFixture.OkAsync(hub.Anonymous.GetAsync("api/v1/areas/demo?limit=1"))).RootElement.GetProperty("version").GetInt32());
    }

    [Fact]
    public async Task A_push_that_is_not_answered_or_put_off_is_repeated_with_the_same_key_and_body_as_soon_as_allowed()
    {
        var clock = new FakeTimeProvider();
        var seen = new List<(TimeSpan At, string Key, string Body)>();
        var start = clock.GetUtcNow();
        using var http = new HttpClient(new Answering(async request =>
        {
            seen.Add((clock.GetUtcNow() - start, request.Headers.GetValues("Idempotency-Key").Single(), await request.Content!.ReadAsStringAsync()));
            switch (seen.Count)
            {
                case 1: throw new HttpRequestException("lost");
                case 2:
                    var later = new HttpResponseMessage(HttpStatusCode.ServiceUnavailable);
                    later.Headers.RetryAfter = new(TimeSpan.FromSeconds(3));
                    return later;
                case 3: return new(HttpStatusCode.InternalServerError);
                default: return new(HttpStatusCode.OK) { Content = new StringContent("{}") };
            }
        }))
        { BaseAddress = new("http://hub/") };

        var sending = new DemoClient(http, clock).SendAsync(HttpMethod.Post, "x", "dh_k", "application/json", "[1]"u8.ToArray(), "key-1", CancellationToken.None);
        while (!sending.IsCompleted)
        {
            clock.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }

        Assert.Equal(HttpStatusCode.OK, (await sending).Status);
        Assert.Equal(4, seen.Count);
        Assert.All(seen, s => Assert.Equal(("key-1", "[1]"), (s.Key, s.Body)));
        Assert.True(seen[2].At - seen[1].At >= TimeSpan.FromSeconds(3));
    }

    [Theory]
    [InlineData(HttpStatusCode.UnprocessableEntity)]
    [InlineData(HttpStatusCode.Conflict)]
    [InlineData(HttpStatusCode.Forbidden)]
    public async Task What_a_repeat_would_not_change_is_not_repeated(HttpStatusCode status)
    {
        var asked = 0;
        using var http = new HttpClient(new Answering(_ =>
        {
            asked++;
            return Task.FromResult(new HttpResponseMessage(status));
        }))
        { BaseAddress = new("http://hub/") };

        Assert.Equal(status, (await new DemoClient(http, TimeProvider.System).SendAsync(HttpMethod.Post, "x", "dh_k", "application/json", [], "k", CancellationToken.None)).Status);
        Assert.Equal(1, asked);
    }

    private static bool Live(HubFixture hub) => DemoState.Read(hub.Folder) is { Positions: var positions }
        && positions.Count == DemoDefinitions.Feeds.Length && positions.Values.All(p => p.Pushed >= p.CatchUpTo);

    private static async Task<bool> HasAllDistrictsAsync(HubFixture hub, string indicator)
    {
        using var response = await hub.Anonymous.GetAsync($"api/v1/indicators/{indicator}/latest?level=0");
        if (!response.IsSuccessStatusCode) return false;
        using var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return answer.RootElement.GetProperty("rows").EnumerateArray().Select(r => r.GetProperty("area").GetString()).Distinct().Count() == 12;
    }

    private static async Task<Dictionary<string, (double Value, long Count)>> TrafficAsync(HubFixture hub, DateTimeOffset hour)
    {
        using var response = await hub.Anonymous.GetAsync($"api/v1/indicators/traffic-hourly/values?level=0&from={DemoRow.Text(hour)}&to={DemoRow.Text(hour.AddHours(1))}");
        if (!response.IsSuccessStatusCode) return [];
        using var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return answer.RootElement.GetProperty("rows").EnumerateArray()
            .ToDictionary(r => r.GetProperty("area").GetString()!, r => (r.GetProperty("value").GetDouble(), r.GetProperty("count").GetInt64()));
    }

    private static async Task UntilAsync(Func<Task<bool>> reached)
    {
        var until = DateTimeOffset.UtcNow + s_patience;
        while (!await reached())
        {
            Assert.True(DateTimeOffset.UtcNow < until, string.Create(CultureInfo.InvariantCulture, $"not reached within {s_patience}"));
            await Task.Delay(100);
        }
    }

    private sealed class Answering(Func<HttpRequestMessage, Task<HttpResponseMessage>> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => answer(request);
    }
}
