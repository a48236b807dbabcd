using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

using DataHub.Support;

using Microsoft.Extensions.Time.Testing;

namespace DataHub.Feeds;

/// <summary>How feeds are, and what their pushes were answered, through the public routes.</summary>
public sealed class FeedStateTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 24, 11, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task A_feed_is_silent_once_its_rhythm_has_passed_and_counts_its_last_day()
    {
        var clock = new FakeTimeProvider(Noon);
        await using var hub = await HubFixture.StartAsync(clock: clock);
        var agency = await DatasetAsync(hub);
        await HubFixture.OkAsync(hub.Admin.PutAsJsonAsync("api/v1/datasets/state/feeds/pulse", new { rhythm = "PT15M" }));
        Assert.Equal(("waiting", "no-rhythm"), (await StateAsync(agency, "pulse"), await StateAsync(agency, "default")));

        await PushAsync(agency, "pulse", 3, refused: 1);
        var state = (await HubFixture.OkAsync(agency.GetAsync("api/v1/datasets/state/feeds/pulse/state"))).RootElement;
        Assert.Equal(("active", Noon, Noon.AddMinutes(15)), (state.GetProperty("state").GetString(), state.GetProperty("lastReceived").GetDateTimeOffset(), state.GetProperty("silentFrom").GetDateTimeOffset()));
        Assert.Equal((3_600.0, Noon.AddHours(-1)), (state.GetProperty("rowLag").GetDouble(), state.GetProperty("newestRow").GetDateTimeOffset()));
        Assert.Equal((1, 4, 1), Counts(state.GetProperty("lastDay")));

        clock.Advance(TimeSpan.FromMinutes(16));
        Assert.Equal("silent", await StateAsync(agency, "pulse"));
        clock.Advance(TimeSpan.FromHours(26));
        await PushAsync(agency, "pulse", 2, refused: 0);
        state = (await HubFixture.OkAsync(agency.GetAsync("api/v1/datasets/state/feeds/pulse/state"))).RootElement;
        Assert.Equal("active", state.GetProperty("state").GetString());
        Assert.Equal(((2, 6, 1), (1, 2, 0)), (Counts(state.GetProperty("total")), Counts(state.GetProperty("lastDay"))));
        var all = (await HubFixture.OkAsync(agency.GetAsync("api/v1/datasets/state/state"))).RootElement;
        Assert.Equal(["default", "pulse"], all.GetProperty("feeds").EnumerateArray().Select(feed => feed.GetProperty("feed").GetString()));
        Assert.Equal((0.0, 0.0), (all.GetProperty("foldLag").GetDouble(), all.GetProperty("historyLag").GetDouble()));

        await HubFixture.RefusedAsync(hub.Anonymous.GetAsync("api/v1/datasets/state/state"), 401);
        await HubFixture.RefusedAsync((await hub.AgencyAsync("somebody")).GetAsync("api/v1/datasets/state/feeds/pulse/state"), 403);
        await HubFixture.RefusedAsync(agency.GetAsync("api/v1/datasets/state/feeds/nobody/state"), 404);
    }

    [Fact]
    public async Task The_receipts_of_a_feed_are_paged_newest_first_with_what_became_of_each()
    {
        await using var hub = await HubFixture.StartAsync();
        var agency = await DatasetAsync(hub);
        var receipts = new List<string>();
        for (var push = 0; push < 7; push++) receipts.Add(await PushAsync(agency, "default", push == 3 ? 0 : 2, refused: push is 3 or 5 ? 1 : 0, from: push * 10));

        var seen = new List<JsonElement>();
        for (var next = "api/v1/datasets/state/feeds/default/receipts?limit=3"; next is not null;)
        {
            var page = (await HubFixture.OkAsync(agency.GetAsync(next.TrimStart('/')))).RootElement;
            seen.AddRange(page.GetProperty("receipts").EnumerateArray());
            next = page.GetProperty("next").GetString();
        }

        // Ids begin with the millisecond; within one their order is chance.
        Assert.Equal(receipts.OrderDescending(StringComparer.Ordinal), seen.Select(r => r.GetProperty("receipt").GetString()));
        Assert.Equal(["accepted", "partial", "quarantined"], seen.Select(r => r.GetProperty("status").GetString()!).Distinct().Order(StringComparer.Ordinal));
        Assert.All(seen, r => Assert.Equal("push", r.GetProperty("kind").GetString()));
        var href = seen.Single(r => r.GetProperty("status").GetString() == "partial").GetProperty("href").GetString()!;
        Assert.Equal(3, (await HubFixture.OkAsync(agency.GetAsync(href.TrimStart('/')))).RootElement.GetProperty("received").GetInt32());
        Assert.Empty((await HubFixture.OkAsync(agency.GetAsync("api/v1/datasets/state/feeds/default/receipts?to=2026-01-01"))).RootElement.GetProperty("receipts").EnumerateArray());
        await HubFixture.RefusedAsync(hub.Anonymous.GetAsync("api/v1/datasets/state/feeds/default/receipts"), 401);
        await HubFixture.RefusedAsync(agency.GetAsync("api/v1/datasets/state/feeds/default/receipts?after=x"), 400);
    }

    [Fact]
    public async Task All_errors_of_a_push_stand_behind_the_link_of_its_answer()
    {
        await using var hub = await HubFixture.StartAsync();
        var agency = await DatasetAsync(hub);
        using var content = new StringContent(string.Concat(Enumerable.Range(0, 1_400).Select(i => $"{{\"station\":\"s{i}\",\"time\":\"2026-11-24T10:00:00Z\",\"no2\":{(i < 50 ? i : -i)}}}\n")), Encoding.UTF8, "application/x-ndjson");
        var receipt = (await HubFixture.OkAsync(agency.PostAsync("api/v1/datasets/state/feeds/default/records", content))).RootElement;
        Assert.Equal(1_000, receipt.GetProperty("errors").GetArrayLength());

        var rows = new List<int>();
        for (var next = receipt.GetProperty("errorsLink").GetString() + "?limit=400"; next is not null;)
        {
            var page = (await HubFixture.OkAsync(agency.GetAsync(next.TrimStart('/')))).RootElement;
            rows.AddRange(page.GetProperty("rows").EnumerateArray().Select(row => row.GetProperty("row").GetInt32()));
            Assert.All(page.GetProperty("rows").EnumerateArray(), row => Assert.Equal("below-minimum", row.GetProperty("errors")[0].GetProperty("code").GetString()));
            next = page.GetProperty("next").GetString();
        }

        Assert.Equal(Enumerable.Range(51, 1_350), rows);
        await HubFixture.RefusedAsync(hub.Anonymous.GetAsync(receipt.GetProperty("errorsLink").GetString()![1..]), 401);
        await HubFixture.RefusedAsync((await hub.AgencyAsync("somebody")).GetAsync(receipt.GetProperty("errorsLink").GetString()![1..]), 404);
        var page2 = await hub.Anonymous.GetStringAsync("problems/rows");
        Assert.All(RowErrorCodes.All, code => Assert.Contains($"id=\"{code}\"", page2, StringComparison.Ordinal));
    }

    private static async Task<HttpClient> DatasetAsync(HubFixture hub)
    {
        var agency = await hub.AgencyAsync("state-agency");
        await hub.PutAirQualityAsync("state", "state-agency");
        return agency;
    }

    private static async Task<string?> StateAsync(HttpClient client, string feed) =>
        (await HubFixture.OkAsync(client.GetAsync($"api/v1/datasets/state/feeds/{feed}/state"))).RootElement.GetProperty("state").GetString();

    private static (int, int, int) Counts(JsonElement counts) => (counts.GetProperty("pushes").GetInt32(), counts.GetProperty("received").GetInt32(), counts.GetProperty("quarantined").GetInt32());

    private static async Task<string> PushAsync(HttpClient client, string feed, int rows, int refused, int from = 0)
    {
        var body = Enumerable.Range(from, rows).Select(i => new { station = $"{feed}{i}", time = string.Create(CultureInfo.InvariantCulture, $"2026-11-24T10:00:00Z"), no2 = 1 })
            .Concat(Enumerable.Range(0, refused).Select(i => new { station = $"bad{i}", time = "2026-11-24T10:00:00Z", no2 = -1 }));
        using var answer = await client.PostAsJsonAsync($"api/v1/datasets/state/feeds/{feed}/records", body);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True((int)answer.StatusCode is 200 or 422, text);
        return JsonDocument.Parse(text).RootElement.GetProperty("receipt").GetString()!;
    }
}
