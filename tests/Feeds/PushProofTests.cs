using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Support;

namespace DataHub.Feeds;

/// <summary>Clients that repeat themselves, lose answers or send too much, against a whole hub.</summary>
public sealed class PushProofTests(HubFixture hub) : IClassFixture<HubFixture>
{
    [Fact]
    public async Task Every_tenth_answer_lost_leaves_every_row_once()
    {
        var key = await DatasetAsync("lost", 2);
        var client = hub.With(key);
        var lost = 0;
        await Parallel.ForAsync(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (push, cancellation) =>
        {
            var random = new Random(push);
            var body = JsonSerializer.SerializeToUtf8Bytes(Enumerable.Range(0, 20).Select(i => new { station = $"s{push % 7}", time = DateTimeOffset.UnixEpoch.AddDays(20_000).AddMinutes((push * 20) + i), no2 = push }));
            while (random.Next(10) == 0)
            {
                Interlocked.Increment(ref lost);
                await SendAndHangUpAsync("lost", key, $"k{push}", body, cancellation);
            }

            using var request = new HttpRequestMessage(HttpMethod.Post, "api/v1/datasets/lost/feeds/default/records") { Content = new ByteArrayContent(body) };
            request.Content.Headers.ContentType = new("application/json");
            request.Headers.Add("Idempotency-Key", $"k{push}");
            var receipt = (await HubFixture.OkAsync(client.SendAsync(request, cancellation))).RootElement;
            Assert.Equal(20, receipt.GetProperty("accepted").GetInt32());
        });

        Assert.True(lost > 5);
        var feed = Assert.Single((await HubFixture.OkAsync(client.GetAsync("api/v1/datasets/lost/conservation"))).RootElement.GetProperty("feeds").EnumerateArray());
        Assert.Equal((4_000, 4_000, 200), (feed.GetProperty("received").GetInt32(), feed.GetProperty("accepted").GetInt32(), feed.GetProperty("pushes").GetInt32()));
    }

    [Fact]
    public async Task Two_clients_that_send_one_key_at_once_are_one_push_or_one_of_them_is_refused()
    {
        var key = await DatasetAsync("twins", 1);
        var (one, two) = (hub.With(key), hub.With(key));
        for (var round = 0; round < 40; round++)
        {
            var same = await Task.WhenAll(PushAsync(one, "twins", "default", $"same{round}", [Row($"a{round}")]), PushAsync(two, "twins", "default", $"same{round}", [Row($"a{round}")]));
            Assert.All(same, answer => Assert.Equal(200, (int)answer.StatusCode));
            Assert.Equal(await same[0].Content.ReadAsStringAsync(), await same[1].Content.ReadAsStringAsync());

            var other = await Task.WhenAll(PushAsync(one, "twins", "default", $"other{round}", [Row($"b{round}")]), PushAsync(two, "twins", "default", $"other{round}", [Row($"c{round}")]));
            Assert.Equal([200, 409], other.Select(answer => (int)answer.StatusCode).Order());
        }

        var feed = Assert.Single((await HubFixture.OkAsync(one.GetAsync("api/v1/datasets/twins/conservation"))).RootElement.GetProperty("feeds").EnumerateArray());
        Assert.Equal((80, 80), (feed.GetProperty("received").GetInt32(), feed.GetProperty("accepted").GetInt32()));
    }

    [Fact]
    public async Task An_agency_at_ten_times_its_quota_does_not_touch_one_within_its_own()
    {
        const int Rate = 500;
        var (loud, quiet) = (hub.With(await DatasetAsync("loud", 1)), hub.With(await DatasetAsync("quiet", 1)));
        foreach (var dataset in (string[])["loud", "quiet"])
            await HubFixture.OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/datasets/{dataset}/feeds/default", new { quota = new { rowsPerSecond = Rate } }));
        var clock = Stopwatch.StartNew();
        var time = TimeSpan.FromSeconds(4);
        var waits = new ConcurrentBag<int>();
        var taken = 0L;
        var flood = Task.WhenAll(Enumerable.Range(0, 2).Select(async sender =>
        {
            for (var push = 0; clock.Elapsed < time; push++)
            {
                using var answer = await PushAsync(loud, "loud", "default", $"{sender}-{push}", [.. Enumerable.Range(0, 500).Select(i => Row($"{sender}-{push}-{i}"))]);
                if ((int)answer.StatusCode == 200) Interlocked.Add(ref taken, 500);
                else Assert.Equal(429, (int)answer.StatusCode);
                if ((int)answer.StatusCode == 429) waits.Add(int.Parse(answer.Headers.GetValues("Retry-After").Single(), System.Globalization.CultureInfo.InvariantCulture));
                await Task.Delay(TimeSpan.FromMilliseconds(200));
            }
        }));
        var sent = 0;
        for (var push = 0; clock.Elapsed < time; push++)
        {
            using var answer = await PushAsync(quiet, "quiet", "default", $"{push}", [.. Enumerable.Range(0, 40).Select(i => Row($"{push}-{i}"))]);
            Assert.Equal(200, (int)answer.StatusCode);
            sent += 40;
            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }

        await flood;
        // Ten seconds' worth at first, then the rate, and one push over it.
        Assert.InRange(taken, (10 * Rate) - 500, (10 * Rate) + (Rate * clock.Elapsed.TotalSeconds) + 500);
        Assert.NotEmpty(waits);
        Assert.All(waits, wait => Assert.InRange(wait, 1, 3));
        Assert.True(sent > 0);
    }

    /// <summary>The whole request, and nobody there for the answer.</summary>
    private async Task SendAndHangUpAsync(string dataset, string key, string idempotencyKey, byte[] body, CancellationToken cancellation)
    {
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(hub.Address.Host, hub.Address.Port, cancellation);
        var head = $"POST /api/v1/datasets/{dataset}/feeds/default/records HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {key}\r\nIdempotency-Key: {idempotencyKey}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n";
        await tcp.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head), cancellation);
        await tcp.GetStream().WriteAsync(body, cancellation);
        await tcp.GetStream().FlushAsync(cancellation);
    }

    private async Task<string> DatasetAsync(string dataset, int partitions)
    {
        var key = await hub.KeyAsync($"{dataset}-agency", KeyRole.Push);
        await hub.PutAirQualityAsync(dataset, $"{dataset}-agency", partitions);
        return key;
    }

    private static object Row(string station) => new { station, time = "2026-11-23T08:00:00Z", no2 = 1 };

    private static Task<HttpResponseMessage> PushAsync(HttpClient client, string dataset, string feed, string key, object[] rows)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"api/v1/datasets/{dataset}/feeds/{feed}/records") { Content = JsonContent.Create(rows) };
        request.Headers.Add("Idempotency-Key", key);
        return client.SendAsync(request);
    }
}
