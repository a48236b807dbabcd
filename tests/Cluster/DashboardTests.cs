using DataHub.Support;

namespace DataHub.Cluster;

/// <summary>The Orleans dashboard of a cluster: on the silos' own address, for the platform's admins, and nowhere else.</summary>
[Collection(ProcessesCollection.Name)]
public sealed class DashboardTests
{
    [PostgresFact]
    public async Task The_dashboard_answers_platform_admins_on_a_silos_own_address_refuses_others_and_is_not_there_on_a_front_end()
    {
        await using var cluster = await ClusterProcesses.StartAsync(silos: 1, frontEnds: 1, new Dictionary<string, string> { ["DATAHUB__DASHBOARD__ENABLED"] = "true" });
        var push = await cluster.DescribeAsync("luft");
        var (silo, frontEnd) = (cluster.Silos[0].Address, cluster.FrontEnds[0].Address);
        string?[] keys = [null, push, cluster.AdminKey];
        foreach (var path in new[] { "dashboard/", "dashboard/DashboardCounters", "dashboard/version" })
        {
            Assert.Equal("401 403 200", await StatusesAsync(silo, path));
            Assert.Equal("404 404 404", await StatusesAsync(frontEnd, path));
        }

        var admin = cluster.Client(0, cluster.AdminKey);
        // The dashboard counts now and then.
        var counters = "";
        for (var tries = 0; !counters.Contains("datahub", StringComparison.OrdinalIgnoreCase) && tries < 100; tries++, await Task.Delay(100))
            counters = await admin.GetStringAsync(new Uri(silo, "dashboard/DashboardCounters"));
        Assert.Contains("datahub", counters, StringComparison.OrdinalIgnoreCase);
        // And a silo has no public routes, whoever asks.
        foreach (var path in new[] { "api/v1/datasets/luft", "api/v1/indicators/luft-sum/values", "openapi/v1.json" }) Assert.Equal("404 404 404", await StatusesAsync(silo, path));

        async Task<string> StatusesAsync(Uri address, string path)
        {
            var statuses = new List<int>();
            foreach (var key in keys)
            {
                using var answer = await cluster.Client(0, key).GetAsync(new Uri(address, path));
                statuses.Add((int)answer.StatusCode);
            }

            return string.Join(" ", statuses);
        }
    }
}
