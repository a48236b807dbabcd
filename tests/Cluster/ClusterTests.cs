using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Hosting;
using DataHub.Support;

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

using Orleans.Runtime;

using Xunit.Abstractions;

namespace DataHub.Cluster;

/// <summary>Silos and front-ends as processes of their own, and what becomes of requests when some of them go.</summary>
[Collection(ProcessesCollection.Name)]
public sealed class ClusterTests(ITestOutputHelper output)
{
    [PostgresFact]
    public async Task A_push_through_one_front_end_is_read_with_its_watermark_through_another()
    {
        await using var cluster = await ClusterProcesses.StartAsync(silos: 2, frontEnds: 2);
        var key = await cluster.DescribeAsync("luft", "laerm", "verkehr");
        var (one, two) = (cluster.Client(0, key), cluster.Client(1, null));
        for (var second = 0; second < 30; second++)
        {
            foreach (var dataset in new[] { "luft", "laerm", "verkehr" })
            {
                var receipt = await HubFixture.OkAsync(ClusterProcesses.PushAsync(one, dataset, $"k{second}", second, 1));
                Assert.Equal((second + 1.0, second + 1), await ClusterProcesses.SumAsync(two, dataset, ClusterProcesses.Watermark(receipt)));
            }
        }

        // A repeat through the other front-end is the same push.
        var again = await HubFixture.OkAsync(ClusterProcesses.PushAsync(cluster.Client(1, key), "luft", "k29", 29, 1));
        Assert.Equal((30.0, 30), await ClusterProcesses.SumAsync(one, "luft", ClusterProcesses.Watermark(again)));
    }

    [PostgresFact]
    public async Task What_one_front_end_has_shown_no_other_shows_an_older_value_of_although_both_answer_from_memory()
    {
        await using var cluster = await ClusterProcesses.StartAsync(silos: 2, frontEnds: 2);
        var key = await cluster.DescribeAsync("luft");
        var client = cluster.Client(0, key);
        await HubFixture.OkAsync(ClusterProcesses.PushAsync(client, "luft", "k0", 0, 1));
        using var enough = new CancellationTokenSource();
        // Each asks the front-ends in turn, as behind a service.
        var polling = Enumerable.Range(0, 4).Select(number => Task.Run(async () =>
        {
            HttpClient[] fronts = [cluster.Client(0, null), cluster.Client(1, null)];
            var (last, polls) = (0L, 0);
            while (!enough.IsCancellationRequested)
            {
                var values = await HubFixture.OkAsync(fronts[(number + polls++) % 2].GetAsync("api/v1/indicators/luft-sum/values?from=2026-11-23"));
                var count = values.RootElement.GetProperty("rows").EnumerateArray().Select(row => row.GetProperty("count").GetInt64()).SingleOrDefault();
                Assert.True(count >= last, $"{count} after {last}");
                last = count;
            }

            return polls;
        })).ToArray();
        var pushed = 1;
        for (var pushing = Stopwatch.StartNew(); pushing.Elapsed < TimeSpan.FromSeconds(8); pushed++)
        {
            await HubFixture.OkAsync(ClusterProcesses.PushAsync(client, "luft", $"k{pushed}", pushed, 1));
            await Task.Delay(pushed % 5 * 10);
        }

        await enough.CancelAsync();
        var polled = (await Task.WhenAll(polling)).Sum();
        var repeated = 0.0;
        foreach (var frontEnd in cluster.FrontEnds)
        {
            using var operations = new HttpClient();
            repeated += (await operations.GetStringAsync(new Uri(frontEnd.Address, "metrics"))).Split('\n').Where(line => line.StartsWith("datahub_answers_repeated", StringComparison.Ordinal))
                .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{pushed} pushes, {polled} polls, {repeated:F0} of them answered without asking"));
        Assert.True(repeated > 50, $"{repeated} of {polled}");
    }

    [PostgresFact]
    public async Task A_front_end_that_is_there_before_any_silo_is_ready_when_one_comes()
    {
        await using var cluster = await ClusterProcesses.CreateAsync(silos: 1, frontEnds: 1);
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(20) };
        var frontEnd = cluster.FrontEnds[0];
        frontEnd.Start();
        for (var waited = Stopwatch.StartNew(); await frontEnd.StatusAsync(client, "health/live") != 200;)
        {
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(60), frontEnd.Said);
            await Task.Delay(50);
        }

        Assert.Equal(503, await frontEnd.StatusAsync(client, "health/startup"));
        Assert.Equal(503, await frontEnd.StatusAsync(client, "health/ready"));
        using (var answer = await client.GetAsync(new Uri(frontEnd.Address, "api/v1/agencies")))
        {
            Assert.Equal(503, (int)answer.StatusCode);
            Assert.NotEmpty(answer.Headers.GetValues("Retry-After"));
            Assert.Equal("/problems/unavailable", JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("type").GetString());
        }

        cluster.Silos[0].Start();
        // The front-end may find it before its start is complete, and so before the platform has its key.
        await Task.WhenAll(frontEnd.ReadyAsync(), cluster.Silos[0].ReadyAsync());
        await HubFixture.OkAsync(cluster.Client(0, cluster.AdminKey).GetAsync("api/v1/agencies/platform/keys"));
    }

    [PostgresFact]
    public async Task After_a_kill_of_a_silo_pushes_with_the_same_key_and_reads_succeed_within_seconds()
    {
        await using var cluster = await ClusterProcesses.StartAsync(silos: 3, frontEnds: 1);
        string[] datasets = ["a", "b", "c", "d", "e", "f"];
        var key = await cluster.DescribeAsync(datasets);
        var client = cluster.Client(0, key);
        foreach (var dataset in datasets) await HubFixture.OkAsync(ClusterProcesses.PushAsync(client, dataset, "first", 0, 1));

        await cluster.Silos[1].KillAsync();
        var waited = Stopwatch.StartNew();
        var took = await Task.WhenAll(datasets.Select(async dataset =>
        {
            var receipt = await ClusterProcesses.UntilTakenAsync(client, dataset, "second", 1, TimeSpan.FromSeconds(60));
            Assert.Equal((2.0, 2), await ClusterProcesses.SumAsync(client, dataset, ClusterProcesses.Watermark(receipt)));
            return waited.Elapsed;
        }));
        output.WriteLine($"after SIGKILL of one of three silos, {datasets.Length} datasets were pushed and read again after at most {took.Max().TotalSeconds:F1} s");
        Assert.InRange(took.Max(), TimeSpan.Zero, TimeSpan.FromSeconds(15));

        cluster.Silos[1].Start();
        await cluster.Silos[1].ReadyAsync();
        foreach (var dataset in datasets)
        {
            var receipt = await ClusterProcesses.UntilTakenAsync(client, dataset, "third", 2, TimeSpan.FromSeconds(30));
            Assert.Equal((3.0, 3), await ClusterProcesses.SumAsync(client, dataset, ClusterProcesses.Watermark(receipt)));
        }
    }

    [PostgresFact]
    public async Task While_a_silo_stops_in_order_no_client_sees_an_error_that_one_retry_does_not_resolve()
    {
        await using var cluster = await ClusterProcesses.StartAsync(silos: 2, frontEnds: 2);
        // So many that some of their shards surely belong to the silo that comes back.
        string[] datasets = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
        var key = await cluster.DescribeAsync(datasets);
        using var enough = new CancellationTokenSource();
        var (retried, retriedReads) = (0, 0);
        var pushing = datasets.Select(async (dataset, number) =>
        {
            var client = cluster.Client(number % 2, key);
            var second = 0;
            while (!enough.IsCancellationRequested)
            {
                var pushed = await ClusterProcesses.PushAsync(client, dataset, $"k{second}", second, 1);
                if (!pushed.IsSuccessStatusCode)
                {
                    Assert.Equal(503, (int)pushed.StatusCode);
                    Interlocked.Increment(ref retried);
                    await Task.Delay(pushed.Headers.RetryAfter?.Delta ?? TimeSpan.Zero);
                    pushed = await ClusterProcesses.PushAsync(client, dataset, $"k{second}", second, 1);
                }

                var receipt = await HubFixture.OkAsync(Task.FromResult(pushed));
                var reader = cluster.Client((number + 1) % 2, null);
                var values = $"api/v1/indicators/{dataset}-sum/values?from=2026-11-23&watermark={Uri.EscapeDataString(ClusterProcesses.Watermark(receipt))}";
                var read = await reader.GetAsync(values);
                if (!read.IsSuccessStatusCode)
                {
                    Assert.Equal(503, (int)read.StatusCode);
                    Interlocked.Increment(ref retriedReads);
                    await Task.Delay(read.Headers.RetryAfter?.Delta ?? TimeSpan.Zero);
                    read = await reader.GetAsync(values);
                }

                var (sum, count) = await ClusterProcesses.SumAsync(Task.FromResult(read));
                second++;
                Assert.Equal((second, second), (sum, count));
            }

            return second;
        }).ToArray();

        await Task.Delay(TimeSpan.FromSeconds(2));
        var stopping = Stopwatch.StartNew();
        Assert.Equal(0, await cluster.Silos[0].StopAsync());
        output.WriteLine($"the silo stopped within {stopping.Elapsed.TotalSeconds:F1} s");
        await Task.Delay(TimeSpan.FromSeconds(1));
        cluster.Silos[0].Start();
        await cluster.Silos[0].ReadyAsync();
        // Until its shards have moved back to it (log event 1170).
        for (var waited = Stopwatch.StartNew(); !cluster.Silos[1].Said.Contains("[1170]", StringComparison.Ordinal); await Task.Delay(50))
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(60), cluster.Silos[1].Said);
        await Task.Delay(TimeSpan.FromSeconds(1));
        await enough.CancelAsync();
        var pushes = await Task.WhenAll(pushing);
        output.WriteLine($"{pushes.Sum()} pushes, {retried} of them retried once, and {retriedReads} reads");
    }

    [PostgresFact]
    public async Task Shards_are_spread_evenly_and_a_silo_that_joins_gets_its_share()
    {
        await using var cluster = await ClusterProcesses.CreateAsync(silos: 3, frontEnds: 0);
        cluster.Silos[0].Start();
        cluster.Silos[1].Start();
        await Task.WhenAll(cluster.Silos[0].ReadyAsync(), cluster.Silos[1].ReadyAsync());
        using var host = await ClientAsync(cluster);
        var grains = host.Services.GetRequiredService<IClusterClient>();
        // The refusal is an answer, and so the shard is somewhere.
        for (var shard = 0; shard < ClusterSettings.Shards; shard++)
            Assert.Equal(AppendRefusal.Forbidden, (await grains.GetGrain<ILogShardGrain>(shard).AppendControlAsync(Caller.Public, "none", 1, 0)).Refusal);
        Assert.Equal("16 16", await ShardsAsync(grains));

        cluster.Silos[2].Start();
        await cluster.Silos[2].ReadyAsync();
        string counts;
        var waited = Stopwatch.StartNew();
        do
        {
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(90), cluster.Silos[0].Said);
            // Who moved is somewhere again once it is asked for.
            for (var shard = 0; shard < ClusterSettings.Shards; shard++) await grains.GetGrain<ILogShardGrain>(shard).AppendControlAsync(Caller.Public, "none", 1, 0);
            counts = await ShardsAsync(grains);
        }
        while (counts != "10 11 11");
        output.WriteLine($"the silo that joined had its share {waited.Elapsed.TotalSeconds:F1} s after it was ready");
        await host.StopAsync();
    }

    [PostgresFact]
    public async Task The_platforms_first_key_is_made_by_a_command_while_the_cluster_runs_and_so_is_another()
    {
        await using var cluster = await ClusterProcesses.CreateAsync(silos: 1, frontEnds: 1, new Dictionary<string, string> { ["DATAHUB__CLUSTER__ADMINKEYFILE"] = "" });
        foreach (var member in cluster.Members) member.Start();
        await Task.WhenAll(cluster.Members.Select(member => member.ReadyAsync()));
        await HubFixture.RefusedAsync(cluster.Client(0, cluster.AdminKey).GetAsync("api/v1/agencies/platform/keys"), 401);
        for (var keys = 1; keys <= 2; keys++)
        {
            var (exit, printed, errors) = await HubProcess.RunAsync(new Dictionary<string, string> { ["DATAHUB__POSTGRES__CONNECTIONSTRING"] = cluster.ConnectionString }, "admin-key");
            Assert.True(exit == 0, errors);
            var listed = await HubFixture.OkAsync(cluster.Client(0, printed.Trim()).GetAsync("api/v1/agencies/platform/keys"));
            Assert.Contains($"\"id\":\"{printed.Split('.')[1]}\"", listed.RootElement.GetRawText(), StringComparison.Ordinal);
        }
    }

    private static async Task<IHost> ClientAsync(ClusterProcesses cluster)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Error);
        builder.UseOrleansClient(client => client.UseCluster(new() { ConnectionString = cluster.ConnectionString }, new()));
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }

    /// <summary>How many shards each silo has that has any, fewest first.</summary>
    private static async Task<string> ShardsAsync(IClusterClient grains) => string.Join(
        ' ',
        (await grains.GetGrain<IManagementGrain>(0).GetDetailedGrainStatistics())
            .Where(grain => grain.GrainId.Type.ToString() == "datahub.log-shard").GroupBy(grain => grain.SiloAddress).Select(silo => silo.Count()).Order());
}
