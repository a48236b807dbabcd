using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Reflection;

using DataHub.Catalog;
using DataHub.Hosting;
using DataHub.Support;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;

using Orleans.Statistics;

namespace DataHub.Cluster;

/// <summary>A silo that has no processor left refuses front-ends (<c>DataHub:Cluster:ShedAtCpu</c>): what their clients see of it.</summary>
public sealed class SheddingTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [PostgresFact]
    public async Task A_silo_that_sheds_load_is_503_with_Retry_After_at_the_front_end_and_afterwards_the_same_push_is_taken_once()
    {
        await using var scratch = await PostgresScratch.CreateAsync();
        using var folder = new TemporaryFolder();
        _ = ApiKey.Create(Caller.PlatformAgency, out var adminKey);
        var keyFile = Path.Combine(folder.FullName, "admin.key");
        await File.WriteAllTextAsync(keyFile, adminKey);
        var gateway = Ports.Free().ToString(CultureInfo.InvariantCulture);
        var processors = new Processors();
        await using var silo = Hub.Build(new HubStart
        {
            Urls = "http://127.0.0.1:0",
            Settings = new Dictionary<string, string?>
            {
                ["DataHub:Postgres:ConnectionString"] = scratch.ConnectionString,
                ["DataHub:Cluster:SiloPort"] = Ports.Free().ToString(CultureInfo.InvariantCulture),
                ["DataHub:Cluster:GatewayPort"] = gateway,
                ["DataHub:Cluster:AdminKeyFile"] = keyFile,
                ["DataHub:Cluster:ShedAtCpu"] = "90",
                ["DataHub:Log:Shards"] = "2",
                ["Logging:LogLevel:Orleans"] = "None",
            },
            Services = services => services.AddSingleton<IEnvironmentStatisticsProvider>(processors),
        });
        await silo.StartAsync();
        await using var frontEnd = FrontEndHost.Build(new FrontEndStart
        {
            Urls = "http://127.0.0.1:0",
            Settings = new Dictionary<string, string?>
            {
                ["DataHub:Cluster:Gateways"] = $"127.0.0.1:{gateway}",
                ["DataHub:Cluster:RepeatFor"] = "00:00:01",
                ["Logging:LogLevel:Orleans"] = "None",
            },
        });
        await frontEnd.StartAsync();
        using var client = Client(frontEnd, adminKey);
        await DescribeAsync(client);
        var receipt = await HubFixture.OkAsync(ClusterProcesses.PushAsync(client, "luft", "before", 0, 1));

        try
        {
            processors.Used = 99;
            // It looks every now and then.
            for (var waited = Stopwatch.StartNew(); ; await Task.Delay(50))
            {
                using var seen = await client.GetAsync("api/v1/agencies/amt");
                if (!seen.IsSuccessStatusCode) break;
                Assert.True(waited.Elapsed < s_patience, "nothing is shed");
            }

            var watermark = Uri.EscapeDataString(ClusterProcesses.Watermark(receipt));
            await RefusedAsync(ClusterProcesses.PushAsync(client, "luft", "during", 1, 1));
            await RefusedAsync(client.GetAsync($"api/v1/indicators/luft-sum/values?from=2026-11-23&watermark={watermark}"));
            await RefusedAsync(client.PutAsJsonAsync("api/v1/agencies/amt", new { name = new { de = "Anders" } }));
            // A load balancer looks elsewhere meanwhile.
            using var anybody = new HttpClient { BaseAddress = client.BaseAddress, Timeout = s_patience };
            using (var ready = await anybody.GetAsync("health/ready")) Assert.Equal(503, (int)ready.StatusCode);
            using (var live = await anybody.GetAsync("health/live")) Assert.Equal(200, (int)live.StatusCode);
        }
        finally
        {
            // Or what ends below would wait for it.
            processors.Used = 20;
        }

        receipt = await ClusterProcesses.UntilTakenAsync(client, "luft", "during", 1, s_patience);
        Assert.Equal((2.0, 2), await ClusterProcesses.SumAsync(client, "luft", ClusterProcesses.Watermark(receipt)));
        await frontEnd.StopAsync();
        await silo.StopAsync();
    }

    private static async Task RefusedAsync(Task<HttpResponseMessage> asked)
    {
        using var answer = await asked;
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True((int)answer.StatusCode == 503, $"{(int)answer.StatusCode} {text}");
        Assert.True(answer.Headers.RetryAfter?.Delta >= TimeSpan.FromSeconds(1));
        Assert.Contains("/problems/unavailable", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Orleans", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Gateway", text, StringComparison.Ordinal);
    }

    private static HttpClient Client(WebApplication app, string key)
    {
        var client = new HttpClient { BaseAddress = new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First() + "/"), Timeout = s_patience };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    private static async Task DescribeAsync(HttpClient admin)
    {
        await HubFixture.OkAsync(admin.PutAsJsonAsync("api/v1/agencies/amt", new { name = new { de = "Amt" } }));
        await HubFixture.OkAsync(admin.PutAsJsonAsync("api/v1/datasets/luft", ClusterProcesses.Dataset("luft")));
        await HubFixture.OkAsync(admin.PutAsJsonAsync("api/v1/indicators/luft-sum", ClusterProcesses.SumOf("luft")));
    }

    /// <summary>In place of the machine's.</summary>
    private sealed class Processors : IEnvironmentStatisticsProvider
    {
        private float _used = 20;

        /// <summary>In percent.</summary>
        public float Used
        {
            set => Volatile.Write(ref _used, value);
        }

        public EnvironmentStatistics GetEnvironmentStatistics()
        {
            // Its constructor is Orleans' own. Memory there is enough.
            object statistics = default(EnvironmentStatistics);
            foreach (var field in typeof(EnvironmentStatistics).GetFields(BindingFlags.Public | BindingFlags.Instance))
                field.SetValue(statistics, field.FieldType == typeof(float) ? (object)Volatile.Read(ref _used) : field.Name.Contains("MemoryUsage", StringComparison.Ordinal) ? 1L << 30 : 1L << 33);
            return (EnvironmentStatistics)statistics;
        }
    }
}
