using System.Diagnostics;
using System.Net.Http.Json;

using DataHub.Support;

using Npgsql;

namespace DataHub.Cluster;

/// <summary>A cluster as <c>k8s/README.md</c> installs it: silos sign in with a login that is in the role <c>datahub_silo</c> and in no other.</summary>
public sealed class SiloRoleTests
{
    [PostgresFact]
    public async Task With_the_silos_role_alone_rows_are_pushed_read_and_erased_for_good()
    {
        string database = "";
        await using var cluster = await ClusterProcesses.CreateAsync(silos: 1, frontEnds: 1, reach: (_, owner) => Login(database = owner));
        foreach (var member in cluster.Members) member.Start();
        await Task.WhenAll(cluster.Members.Select(member => member.ReadyAsync()));
        var key = await cluster.DescribeAsync("luft");
        var (client, admin) = (cluster.Client(0, key), cluster.Client(0, cluster.AdminKey));
        var receipt = await HubFixture.OkAsync(ClusterProcesses.PushAsync(client, "luft", "first", 0, 42));
        Assert.Equal((42.0, 1), await ClusterProcesses.SumAsync(client, "luft", ClusterProcesses.Watermark(receipt)));

        var erasure = await HubFixture.OkAsync(admin.PostAsJsonAsync(
            "api/v1/datasets/luft/erasures", new { where = new { station = "s" }, reason = "Antrag", authority = "Art. 17 DSGVO" }));
        var id = erasure.RootElement.GetProperty("id").GetString();
        string? state;
        for (var waited = Stopwatch.StartNew(); ; await Task.Delay(100))
        {
            state = (await HubFixture.OkAsync(admin.GetAsync($"api/v1/datasets/luft/erasures/{id}"))).RootElement.GetProperty("state").GetString();
            if (state == "done") break;
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(60), $"still {state}: {cluster.Silos[0].Said}");
        }

        Assert.Empty((await HubFixture.OkAsync(client.GetAsync("api/v1/datasets/luft/records"))).RootElement.GetProperty("rows").EnumerateArray());
        await using var connection = new NpgsqlConnection(database + ";Pooling=false");
        await connection.OpenAsync();
        await using var left = new NpgsqlCommand("SELECT (SELECT count(*) FROM datahub.history_segment) + (SELECT count(*) FROM datahub.series_newest)", connection);
        Assert.Equal(0L, await left.ExecuteScalarAsync());
    }

    private static string Login(string owner)
    {
        var name = $"silo_{Guid.NewGuid():N}";
        using var connection = new NpgsqlConnection(owner + ";Pooling=false");
        connection.Open();
        using var command = new NpgsqlCommand($"CREATE ROLE {name} LOGIN PASSWORD 'tests-only' IN ROLE datahub_silo", connection);
        command.ExecuteNonQuery();
        return new NpgsqlConnectionStringBuilder(owner) { Username = name, Password = "tests-only" }.ConnectionString;
    }
}
