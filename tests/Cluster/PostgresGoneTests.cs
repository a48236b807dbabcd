using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;

using DataHub.Support;

using Xunit.Abstractions;

namespace DataHub.Cluster;

/// <summary>What a cluster does while its database is not there, and after.</summary>
[Collection(ProcessesCollection.Name)]
public sealed class PostgresGoneTests(ITestOutputHelper output)
{
    [PostgresFact]
    public async Task Without_PostgreSQL_open_data_is_answered_from_memory_marked_stale_nothing_else_is_and_everything_resumes_by_itself()
    {
        await using var cluster = await ClusterProcesses.StartAsync(silos: 2, frontEnds: 1, ownServer: true);
        var key = await cluster.DescribeAsync("offen", "intern");
        var (admin, client) = (cluster.Client(0, cluster.AdminKey), cluster.Client(0, key));
        await HubFixture.OkAsync(admin.PutAsJsonAsync("api/v1/indicators/intern-sum", new
        {
            title = new { de = "intern" },
            dataset = "intern",
            measure = new { function = "sum", field = "value" },
            window = "PT1H",
            access = "internal",
        }));
        foreach (var dataset in new[] { "offen", "intern" })
        {
            var receipt = await HubFixture.OkAsync(ClusterProcesses.PushAsync(client, dataset, "first", 0, 1));
            Assert.Equal((1.0, 1), await ClusterProcesses.SumAsync(admin, dataset, ClusterProcesses.Watermark(receipt)));
        }

        const string Open = "api/v1/indicators/offen-sum/values?from=2026-11-23", Internal = "api/v1/indicators/intern-sum/values?from=2026-11-23";
        Assert.Equal("ok", await StateAsync(client, Open));
        Assert.Equal("ok", await StateAsync(admin, Internal));

        await cluster.Server.KillAsync();
        var gone = Stopwatch.StartNew();
        await RefusedAsync(ClusterProcesses.PushAsync(client, "offen", "second", 1, 1));
        output.WriteLine($"a push was refused after {gone.Elapsed.TotalSeconds:F1} s");
        await UntilAsync(async () => await StateAsync(client, Open) == "stale");
        output.WriteLine($"open values were marked stale after {gone.Elapsed.TotalSeconds:F1} s");
        await UntilAsync(async () => await StateAsync(admin, Internal) is null);
        output.WriteLine($"other values were refused after {gone.Elapsed.TotalSeconds:F1} s");
        await UntilAsync(async () => await cluster.Silos[0].StatusAsync(client, "health/ready") == 503);
        Assert.Equal(200, await cluster.Silos[0].StatusAsync(client, "health/live"));
        for (var still = Stopwatch.StartNew(); still.Elapsed < TimeSpan.FromSeconds(10); await Task.Delay(500))
        {
            Assert.Equal("stale", await StateAsync(client, Open));
            Assert.Null(await StateAsync(admin, Internal));
        }

        await RefusedAsync(ClusterProcesses.PushAsync(client, "offen", "second", 1, 1));
        var restarting = Stopwatch.StartNew();
        await cluster.Server.RestartAsync();
        var back = Stopwatch.StartNew();
        JsonDocument? taken = null;
        await UntilAsync(async () =>
        {
            using var answer = await ClusterProcesses.PushAsync(client, "offen", "second", 1, 1);
            if (answer.IsSuccessStatusCode) taken = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
            return taken is not null;
        });
        output.WriteLine($"a push was taken {back.Elapsed.TotalSeconds:F1} s after PostgreSQL was back, {restarting.Elapsed.TotalSeconds:F1} s after it was started again");
        Assert.InRange(back.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(30));
        await UntilAsync(async () => await StateAsync(client, Open) == "ok" && await StateAsync(admin, Internal) == "ok");
        output.WriteLine($"all values were current {back.Elapsed.TotalSeconds:F1} s after PostgreSQL was back");
        Assert.Equal((2.0, 2), await ClusterProcesses.SumAsync(client, "offen", ClusterProcesses.Watermark(taken!)));
        await UntilAsync(async () => await cluster.Silos[0].StatusAsync(client, "health/ready") == 200);
    }

    /// <summary>The state of the only value; null where the answer is 503.</summary>
    private static async Task<string?> StateAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(path);
        var text = await answer.Content.ReadAsStringAsync();
        if ((int)answer.StatusCode == 503)
        {
            Assert.NotNull(answer.Headers.RetryAfter);
            return null;
        }

        Assert.True(answer.IsSuccessStatusCode, $"{path}: {(int)answer.StatusCode} {text}");
        return JsonDocument.Parse(text).RootElement.GetProperty("rows").EnumerateArray().Single().GetProperty("state").GetString();
    }

    private static async Task RefusedAsync(Task<HttpResponseMessage> push)
    {
        using var answer = await push;
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True((int)answer.StatusCode == 503, $"{(int)answer.StatusCode} {text}");
        Assert.NotNull(answer.Headers.RetryAfter);
        Assert.DoesNotContain("Npgsql", text, StringComparison.Ordinal);
    }

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        for (var waited = Stopwatch.StartNew(); !await holds(); await Task.Delay(100)) Assert.True(waited.Elapsed < TimeSpan.FromSeconds(60), "not within a minute");
    }
}
