using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;

using DataHub.Support;

using Npgsql;

using Xunit.Abstractions;

namespace DataHub.Cluster;

/// <summary>The commands that an operator has at three in the morning, run as an operator runs them.</summary>
public sealed class OperatorTests(ITestOutputHelper output)
{
    [PostgresFact]
    public async Task The_doctor_finds_a_halted_batch_a_retry_applies_it_and_a_verification_finds_a_cell_that_is_not_what_the_rows_come_to()
    {
        await using var cluster = await ClusterProcesses.StartAsync(silos: 1, frontEnds: 1, ownServer: true);
        var key = await cluster.DescribeAsync("luft", "laerm");
        var client = cluster.Client(0, key);
        for (var second = 0; second < 20; second++)
        {
            foreach (var dataset in new[] { "luft", "laerm" }) await HubFixture.OkAsync(ClusterProcesses.PushAsync(client, dataset, $"k{second}", second * 600, second));
        }

        await RecordsAsync(cluster, key);
        var well = await RunAsync(cluster, "doctor");
        Assert.True(well.ExitCode == 0, well.Output + well.Errors);
        Assert.Contains("Alles in Ordnung. / All is well.", well.Output, StringComparison.Ordinal);
        var facts = JsonDocument.Parse((await RunAsync(cluster, "doctor", "--json")).Output).RootElement;
        Assert.True(facts.GetProperty("healthy").GetBoolean());
        Assert.Equal("on", facts.GetProperty("server").GetProperty("fsync").GetString());
        Assert.Equal(["here", "silo-0"], facts.GetProperty("clocks").EnumerateArray().Select(clock => clock.GetProperty("name").GetString()));
        Assert.All(facts.GetProperty("clocks").EnumerateArray(), clock => Assert.InRange(clock.GetProperty("aheadSeconds").GetDouble(), -2, 2));
        Assert.Equal(30, facts.GetProperty("server").GetProperty("connections").GetProperty("silos").GetInt32());

        var shards = (await RunAsync(cluster, "shard", "ls")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(1 + 32, shards.Length);
        Assert.All(shards.Skip(1), line => Assert.Contains(" silo-0 ", line, StringComparison.Ordinal));
        Assert.Equal(3, shards.Skip(1).Sum(line => int.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[4], CultureInfo.InvariantCulture)));
        Assert.Equal(0, (await RunAsync(cluster, "halted", "ls")).ExitCode);

        // History cannot store any further batch of any partition.
        var head = (await ReadAsync(cluster, "SELECT max(sequence) FROM datahub.partition_head"))[0];
        await ExecuteAsync(cluster, $"ALTER TABLE datahub.history_batch ADD CONSTRAINT no_more CHECK (sequence <= {head}) NOT VALID");
        await HubFixture.OkAsync(ClusterProcesses.PushAsync(client, "luft", "more", 7, 7));
        var ill = await UntilAsync(cluster, result => result.Output.Contains("[halted]", StringComparison.Ordinal), "doctor");
        Assert.Equal(1, ill.ExitCode);
        Assert.Contains("History of luft/0 stands before batch", ill.Output, StringComparison.Ordinal);
        Assert.Contains("no_more", ill.Output, StringComparison.Ordinal);
        Assert.Contains("silo halted retry", ill.Output, StringComparison.Ordinal);
        var halted = await RunAsync(cluster, "halted", "ls");
        Assert.Equal(1, halted.ExitCode);
        Assert.Contains("luft/0  history", halted.Output, StringComparison.Ordinal);
        Assert.Equal(1, (await RunAsync(cluster, "halted", "retry")).ExitCode);

        await ExecuteAsync(cluster, "ALTER TABLE datahub.history_batch DROP CONSTRAINT no_more");
        var retried = await RunAsync(cluster, "halted", "retry", "luft/0");
        Assert.True(retried.ExitCode == 0, retried.Output + retried.Errors);
        Assert.Equal(["0"], await ReadAsync(cluster, "SELECT h.sequence - p.sequence FROM datahub.partition_head h JOIN datahub.history_position p USING (partition_key) WHERE partition_key = 'luft/0'"));

        var equal = await UntilAsync(cluster, result => result.ExitCode == 0, "verify");
        Assert.Contains("luft: gleich / equal · 1 Definitionen / definitions", equal.Output, StringComparison.Ordinal);
        // Open records are folded into months and years too.
        Assert.Contains("faelle: gleich / equal · 4 Definitionen / definitions", equal.Output, StringComparison.Ordinal);
        // In stretches of a window each it comes to the same.
        var stretched = await RunAsync(cluster, "verify", "--cells", "1");
        Assert.Equal((equal.ExitCode, Results(equal.Output)), (stretched.ExitCode, Results(stretched.Output)));
        await ExecuteAsync(cluster, "UPDATE datahub.cell SET state = set_byte(state, 1, get_byte(state, 1) + 1) WHERE ctid = (SELECT c.ctid FROM datahub.cell c JOIN datahub.fold_position p ON p.id = c.fold_id WHERE p.partition_key = 'luft/0' ORDER BY window_from LIMIT 1)");
        var different = await RunAsync(cluster, "verify");
        output.WriteLine(different.Output);
        Assert.Equal(1, different.ExitCode);
        Assert.Contains("luft-sum v1: the cell 2026-11-23T08:00:00", different.Output, StringComparison.Ordinal);
        Assert.Contains("laerm: gleich / equal", different.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync(cluster, "verify", "--dataset", "laerm")).ExitCode);

        // Everything but the grains' own word is told without silos too.
        await cluster.Silos[0].StopAsync();
        await ExecuteAsync(cluster, "UPDATE datahub.cell SET state = set_byte(state, 1, get_byte(state, 1) - 1) WHERE ctid = (SELECT c.ctid FROM datahub.cell c JOIN datahub.fold_position p ON p.id = c.fold_id WHERE p.partition_key = 'luft/0' ORDER BY window_from LIMIT 1)");
        var stopped = await RunAsync(cluster, "doctor", "--json");
        Assert.Equal(1, stopped.ExitCode);
        Assert.Equal(["no-silo"], JsonDocument.Parse(stopped.Output).RootElement.GetProperty("findings").EnumerateArray().Select(finding => finding.GetProperty("code").GetString()));
        Assert.Equal(2, (await RunAsync(cluster, "halted", "ls")).ExitCode);
        var still = await RunAsync(cluster, "verify");
        Assert.True(still.ExitCode == 0, still.Output + still.Errors);

        await cluster.Server.KillAsync();
        var gone = await RunAsync(cluster, "doctor");
        Assert.Equal(2, gone.ExitCode);
        Assert.Contains("PostgreSQL cannot be reached", gone.Errors, StringComparison.Ordinal);
    }

    [PostgresFact]
    public async Task A_silo_that_an_operator_evicts_ends_itself_and_the_others_take_its_datasets()
    {
        await using var cluster = await ClusterProcesses.StartAsync(silos: 2, frontEnds: 1);
        string[] datasets = ["a", "b", "c", "d"];
        var key = await cluster.DescribeAsync(datasets);
        var client = cluster.Client(0, key);
        foreach (var dataset in datasets) await HubFixture.OkAsync(ClusterProcesses.PushAsync(client, dataset, "first", 0, 1));

        var unknown = await RunAsync(cluster, "evict", "silo-7", "--yes");
        Assert.Equal(2, unknown.ExitCode);
        Assert.Contains("silo-1 (127.0.0.1:", unknown.Errors, StringComparison.Ordinal);

        var evicted = await RunAsync(cluster, "evict", "silo-1", "--yes");
        Assert.True(evicted.ExitCode == 0, evicted.Output + evicted.Errors);
        Assert.Equal(["6"], await ReadAsync(cluster, "SELECT status FROM orleans.membership WHERE silo_name = 'silo-1'"));
        var waited = Stopwatch.StartNew();
        while (cluster.Silos[1].IsRunning)
        {
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(90), cluster.Silos[1].Said);
            await Task.Delay(100);
        }

        output.WriteLine($"the evicted silo ended after {waited.Elapsed.TotalSeconds:F1} s");
        foreach (var dataset in datasets)
        {
            for (var patience = Stopwatch.StartNew(); ; await Task.Delay(200))
            {
                using var pushed = await ClusterProcesses.PushAsync(client, dataset, "second", 1, 1);
                if (pushed.IsSuccessStatusCode) break;
                Assert.True((int)pushed.StatusCode == 503 && patience.Elapsed < TimeSpan.FromSeconds(60), await pushed.Content.ReadAsStringAsync());
            }
        }
    }

    private static string Results(string verified) => string.Join('\n', verified.Split('\n').Where(line => line.Contains('·', StringComparison.Ordinal)));

    /// <summary>Cases that are opened on many days and closed on others, some of them after they were pushed open, some taken back.</summary>
    private static async Task RecordsAsync(ClusterProcesses cluster, string key)
    {
        var admin = cluster.Client(0, cluster.AdminKey);
        await HubFixture.OkAsync(admin.PutAsJsonAsync("api/v1/datasets/faelle", new
        {
            title = new { de = "Fälle" },
            publisher = "amt",
            license = "dl-de/by-2-0",
            kind = "records",
            access = "open",
            schema = new
            {
                primaryKey = new[] { "id" },
                fields = new object[]
                {
                    new { name = "id", type = "integer" },
                    new { name = "opened", type = "datetime", role = "opened" },
                    new { name = "closed", type = "datetime", role = "closed" },
                    new { name = "kind", type = "string", role = "dimension" },
                },
            },
        }));
        foreach (var (id, measure) in new (string, object)[] { ("open", new { function = "open" }), ("took", new { function = "mean", field = "@duration" }) })
        {
            await HubFixture.OkAsync(admin.PutAsJsonAsync($"api/v1/indicators/faelle-{id}", new { title = new { de = id }, dataset = "faelle", measure, window = "P1D", groupBy = new[] { "kind" }, access = "open" }));
        }

        var client = cluster.Client(0, key);
        var begin = new DateTimeOffset(2026, 9, 1, 8, 0, 0, TimeSpan.Zero);
        for (var round = 0; round < 2; round++)
        {
            var rows = Enumerable.Range(0, 60).Where(id => round == 0 || id % 3 != 0).Select(id => round == 1 && id % 7 == 0
                ? (object)new Dictionary<string, object> { ["id"] = id, ["@delete"] = true }
                : new { id, opened = begin.AddDays(id), closed = id % 4 == 0 || round == 1 ? begin.AddDays(id + (id % 20)).AddHours(1) : (DateTimeOffset?)null, kind = $"k{id % 3}" });
            await HubFixture.OkAsync(client.PostAsJsonAsync("api/v1/datasets/faelle/feeds/default/records", rows));
        }
    }

    private static Task<(int ExitCode, string Output, string Errors)> RunAsync(ClusterProcesses cluster, params string[] arguments) => cluster.CommandAsync(arguments);

    private static async Task<(int ExitCode, string Output, string Errors)> UntilAsync(ClusterProcesses cluster, Func<(int ExitCode, string Output, string Errors), bool> done, params string[] arguments)
    {
        for (var waited = Stopwatch.StartNew(); ; await Task.Delay(200))
        {
            var result = await cluster.CommandAsync(arguments);
            if (done(result)) return result;
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(60), result.Output + result.Errors);
        }
    }

    private static async Task ExecuteAsync(ClusterProcesses cluster, string sql)
    {
        await using var connection = new NpgsqlConnection(cluster.ConnectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<string[]> ReadAsync(ClusterProcesses cluster, string sql)
    {
        await using var connection = new NpgsqlConnection(cluster.ConnectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var values = new List<string>();
        while (await reader.ReadAsync()) values.Add(Convert.ToString(reader.GetValue(0), CultureInfo.InvariantCulture)!);
        return [.. values];
    }
}
