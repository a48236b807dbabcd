using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

using DataHub.Support;

namespace DataHub.Indicators;

/// <summary>Answers that a front-end gives out again without asking are never older than what anybody was given before.</summary>
public sealed class AnswerLeasesTests
{
    private static readonly Guid s_one = Guid.NewGuid(), s_two = Guid.NewGuid();

    [Fact]
    public void News_are_waited_for_until_all_who_hold_a_lease_know_them_or_hold_none_any_more()
    {
        var leases = new AnswerLeases();
        Assert.Null(leases.Unaware(10, 10, now: 0));
        leases.Renew(s_one, known: 10, ends: 100);
        leases.Renew(s_two, known: 9, ends: 120);
        Assert.Equal(120, leases.Unaware(10, 10, now: 50));
        Assert.Null(leases.Unaware(9, 10, now: 50));
        // A number of an earlier activation says nothing about this one's news.
        leases.Renew(s_one, known: 5_000, ends: 130);
        Assert.Equal(130, leases.Unaware(9, 10, now: 50));
        leases.Renew(s_one, known: 11, ends: 140);
        Assert.Equal(120, leases.Unaware(11, 11, now: 50));
        Assert.Equal(140, leases.Last(now: 50));
        Assert.Null(leases.Unaware(11, 11, now: 120));
        leases.Renew(s_two, known: 11, ends: 160);
        Assert.Null(leases.Unaware(11, 12, now: 130));
        Assert.Equal(160, leases.Unaware(12, 12, now: 130));
        leases.Return(s_two);
        Assert.Equal(140, leases.Last(now: 130));
        Assert.Null(leases.Last(now: 160));
    }

    [Fact]
    public async Task Many_polls_are_answered_without_asking_and_whoever_has_seen_a_value_never_sees_an_older_one()
    {
        await using var hub = await HubFixture.StartAsync();
        var agency = await LeasedAsync(hub, "eilig");
        using var enough = new CancellationTokenSource();
        var polling = Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            var (client, last) = (hub.With(null), 0L);
            while (!enough.IsCancellationRequested)
            {
                var count = await CountAsync(client, "eilig");
                Assert.True(count >= last, $"{count} after {last}");
                last = count;
                await Task.Delay(1);
            }
        })).ToArray();
        await UntilAsync(async () => await MetricAsync(hub, "datahub_answers_repeated") > 50);

        for (var second = 1; second <= 150; second++)
        {
            var receipt = await HubFixture.OkAsync(PushAsync(agency, "eilig", second));
            // Seen once by watermark, it is seen by everybody.
            Assert.Equal(second + 1, await CountAsync(hub.Anonymous, "eilig", receipt.RootElement.GetProperty("watermark").GetString()));
            Assert.Equal(second + 1, await CountAsync(hub.Anonymous, "eilig"));
        }

        // Without a watermark it is seen soon.
        await HubFixture.OkAsync(PushAsync(agency, "eilig", 151));
        await UntilAsync(async () => await CountAsync(hub.Anonymous, "eilig") == 152);
        await enough.CancelAsync();
        await Task.WhenAll(polling);
        await UntilAsync(async () => await MetricAsync(hub, "datahub_answers_leases") == 0);
    }

    [Fact]
    public async Task While_a_front_end_that_hears_nothing_holds_a_lease_nobody_is_given_anything_newer()
    {
        await using var hub = await HubFixture.StartAsync();
        var agency = await LeasedAsync(hub, "zwei");
        var indicator = hub.Grains.GetGrain<IIndicatorGrain>("zwei-count");
        var other = Guid.NewGuid();
        for (var second = 1; second <= 5; second++)
        {
            var known = (await indicator.LeaseAsync(other, 0)).Number;
            var asked = Stopwatch.GetTimestamp();
            var renewed = indicator.LeaseAsync(other, known);
            await CountAsync(hub.Anonymous, "zwei");
            var receipt = await HubFixture.OkAsync(PushAsync(agency, "zwei", second));
            Assert.NotEqual(known, (await renewed).Number);
            Assert.Equal(second + 1, await CountAsync(hub.Anonymous, "zwei", receipt.RootElement.GetProperty("watermark").GetString()));
            Assert.True(Stopwatch.GetElapsedTime(asked) >= TimeSpan.FromMilliseconds(499), $"{Stopwatch.GetElapsedTime(asked)}");
        }
    }

    [Fact]
    public async Task Nobody_waits_for_a_front_end_that_gave_its_lease_back()
    {
        await using var hub = await HubFixture.StartAsync();
        var agency = await LeasedAsync(hub, "zurueck");
        var indicator = hub.Grains.GetGrain<IIndicatorGrain>("zurueck-count");
        var fastest = TimeSpan.MaxValue;
        for (var second = 1; second <= 5; second++)
        {
            var other = Guid.NewGuid();
            await indicator.LeaseAsync(other, 0);
            var asked = Stopwatch.GetTimestamp();
            await indicator.LeaseAsync(other, AnswerLease.Returned);
            var receipt = await HubFixture.OkAsync(PushAsync(agency, "zurueck", second));
            Assert.Equal(second + 1, await CountAsync(hub.Anonymous, "zurueck", receipt.RootElement.GetProperty("watermark").GetString()));
            if (Stopwatch.GetElapsedTime(asked) is var took && took < fastest) fastest = took;
        }

        Assert.True(fastest < TimeSpan.FromMilliseconds(400), $"{fastest}");
    }

    [Fact]
    public async Task Who_may_no_longer_read_is_refused_from_the_moment_on_in_which_the_change_was_acknowledged()
    {
        await using var hub = await HubFixture.StartAsync();
        _ = await LeasedAsync(hub, "bald");
        for (var round = 0; round < 5; round++)
        {
            var before = await MetricAsync(hub, "datahub_answers_repeated");
            await UntilAsync(async () =>
            {
                for (var i = 0; i < 20; i++) await CountAsync(hub.Anonymous, "bald");
                return await MetricAsync(hub, "datahub_answers_repeated") > before + 30;
            });
            await DefineAsync(hub, "bald", "internal");
            // What somebody with a key is answered meanwhile, by the definition that still answers, is not everybody's.
            for (var i = 0; i < 20; i++)
            {
                Assert.Equal(HttpStatusCode.Unauthorized, (await hub.Anonymous.GetAsync("api/v1/indicators/bald-count/values?from=2026-11-23")).StatusCode);
                await CountAsync(hub.Admin, "bald");
            }

            // What opens it is a new definition, which answers once it has been filled.
            await DefineAsync(hub, "bald", "open");
            await UntilAsync(async () => (await hub.Anonymous.GetAsync("api/v1/indicators/bald-count/values?from=2026-11-23")).IsSuccessStatusCode);
        }
    }

    [Fact]
    public async Task Without_leases_the_indicator_is_asked_each_time()
    {
        await using var hub = await HubFixture.StartAsync(new Dictionary<string, string?> { ["DataHub:Indicator:Lease"] = "00:00:00" });
        _ = await LeasedAsync(hub, "nie");
        for (var i = 0; i < 200; i++) await CountAsync(hub.Anonymous, "nie");
        Assert.Equal(0, await MetricAsync(hub, "datahub_answers_repeated"));
    }

    private static async Task<HttpClient> LeasedAsync(HubFixture hub, string dataset)
    {
        var agency = await hub.AgencyAsync("amt");
        await HubFixture.OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/datasets/{dataset}", new
        {
            title = new { de = dataset },
            publisher = "amt",
            license = "dl-de/by-2-0",
            kind = "observations",
            access = "open",
            schema = new { primaryKey = new[] { "time" }, fields = new object[] { new { name = "time", type = "datetime", role = "time" } } },
        }));
        await DefineAsync(hub, dataset, "open");
        var receipt = await HubFixture.OkAsync(PushAsync(agency, dataset, 0));
        Assert.Equal(1, await CountAsync(hub.Anonymous, dataset, receipt.RootElement.GetProperty("watermark").GetString()));
        return agency;
    }

    private static Task<JsonDocument> DefineAsync(HubFixture hub, string dataset, string access) => HubFixture.OkAsync(hub.Admin.PutAsJsonAsync(
        $"api/v1/indicators/{dataset}-count", new { title = new { de = "Zeilen" }, dataset, measure = new { function = "count" }, window = "PT1H", access }));

    private static Task<HttpResponseMessage> PushAsync(HttpClient client, string dataset, int second) => client.PostAsJsonAsync(
        $"api/v1/datasets/{dataset}/feeds/default/records", new[] { new { time = new DateTimeOffset(2026, 11, 23, 8, 0, 0, TimeSpan.Zero).AddSeconds(second) } });

    private static async Task<long> CountAsync(HttpClient client, string dataset, string? watermark = null)
    {
        var values = await HubFixture.OkAsync(client.GetAsync($"api/v1/indicators/{dataset}-count/values?from=2026-11-23{(watermark is null ? "" : "&watermark=" + Uri.EscapeDataString(watermark))}"));
        return values.RootElement.GetProperty("rows").EnumerateArray().Single().GetProperty("count").GetInt64();
    }

    private static async Task<double> MetricAsync(HubFixture hub, string name) => (await hub.Anonymous.GetStringAsync("metrics")).Split('\n')
        .Where(line => line.StartsWith(name, StringComparison.Ordinal)).Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        for (var waited = Stopwatch.StartNew(); !await holds(); await Task.Delay(20)) Assert.True(waited.Elapsed < TimeSpan.FromSeconds(60), "not within a minute");
    }
}
