using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

using DataHub.Feeds;
using DataHub.Support;

using Npgsql;

namespace DataHub.Cluster;

/// <summary>A backup that was made under load, in an empty server.</summary>
public sealed class RestoreTests
{
    private static readonly OracleIndicator s_sum = new("sum", "sum", "value", "PT1H", "UTC", false, []);

    private static readonly DateTimeOffset s_start = new(2026, 11, 23, 8, 0, 0, TimeSpan.Zero);

    [PostgresFact]
    public async Task A_backup_made_during_load_comes_up_in_an_empty_server_with_every_number_as_of_its_watermark_and_earlier_watermarks_are_gone()
    {
        using var folder = new TemporaryFolder();
        var backup = Path.Combine(folder.FullName, "datahub.dump");
        string[] datasets = ["luft", "laerm"];
        var pushes = new ConcurrentBag<Push>();
        Watermark old;
        string key;
        await using (var cluster = await ClusterProcesses.StartAsync(silos: 2, frontEnds: 1))
        {
            key = await cluster.DescribeAsync(datasets);
            using var enough = new CancellationTokenSource();
            var pushing = Enumerable.Range(0, 4).Select(number => PushAsync(cluster.Client(0, key), datasets[number % 2], number, pushes, enough.Token)).ToArray();
            while (pushes.Count < 60) await Task.Delay(20);
            await cluster.Server.DumpAsync(cluster.ConnectionString, backup);
            var atLeast = pushes.Count + 40;
            while (pushes.Count < atLeast) await Task.Delay(20);
            await enough.CancelAsync();
            await Task.WhenAll(pushing);
            old = pushes.Where(push => push.Dataset == "luft").MaxBy(push => push.Watermark.Sequences[0])!.Watermark;

            var refused = await cluster.CommandAsync("new-incarnation");
            Assert.Equal(2, refused.ExitCode);
            Assert.Contains("2 silos are connected to this database", refused.Errors, StringComparison.Ordinal);
        }

        await using var server = await PostgresServer.StartAsync();
        var restored = await server.RestoreAsync(backup);
        await using var after = await ClusterProcesses.CreateAsync(silos: 1, frontEnds: 1, reach: (_, _) => restored);
        var renewed = await after.CommandAsync("new-incarnation");
        Assert.True(renewed.ExitCode == 0, renewed.Output + renewed.Errors);
        var incarnation = Guid.Parse((await ReadAsync(restored, "SELECT id::text, '' FROM datahub.incarnation")).Keys.Single());
        Assert.NotEqual(old.Incarnation, incarnation);
        var heads = (await ReadAsync(restored, "SELECT partition_key, sequence::text FROM datahub.partition_head")).ToDictionary(head => PartitionKeys.Dataset(head.Key), head => long.Parse(head.Value, CultureInfo.InvariantCulture));

        foreach (var member in after.Members) member.Start();
        await Task.WhenAll(after.Members.Select(member => member.ReadyAsync()));
        var client = after.Client(0, key);
        await HubFixture.RefusedAsync(client.GetAsync($"api/v1/indicators/luft-sum/values?watermark={Uri.EscapeDataString(old.ToString())}"), 410);
        foreach (var dataset in datasets)
        {
            var kept = pushes.Where(push => push.Dataset == dataset && push.Watermark.Sequences[0] <= heads[dataset]).ToArray();
            Assert.InRange(kept.Length, 1, pushes.Count(push => push.Dataset == dataset) - 1);
            await EqualAsync(client, dataset, new Watermark(incarnation, dataset, [heads[dataset]]), kept);
        }

        await VerifiedAsync(after);

        // Who sends again what was acknowledged since gets it stored once; what the backup holds is the same push as before.
        foreach (var dataset in datasets)
        {
            Watermark? last = null;
            foreach (var push in pushes.Where(push => push.Dataset == dataset).OrderBy(push => push.Watermark.Sequences[0]))
            {
                var receipt = await HubFixture.OkAsync(ClusterProcesses.PushAsync(client, dataset, push.Key, push.Second, push.Value));
                Assert.True(Watermark.TryParse(ClusterProcesses.Watermark(receipt), out last));
            }

            await EqualAsync(client, dataset, last!, [.. pushes.Where(push => push.Dataset == dataset)]);
        }

        await VerifiedAsync(after);
        var doctor = await after.CommandAsync("doctor");
        Assert.True(doctor.ExitCode == 0, doctor.Output + doctor.Errors);
    }

    /// <summary>Rows of the client's own seconds; every fifth corrects one of before.</summary>
    private static async Task PushAsync(HttpClient client, string dataset, int number, ConcurrentBag<Push> pushes, CancellationToken stop)
    {
        var random = new Random(number);
        for (var n = 0; !stop.IsCancellationRequested; n++)
        {
            var second = (number * 10_000) + ((n % 5 == 4 ? random.Next(n) : n) * 60);
            var (key, value) = ($"c{number}-{n}", Math.Round((random.NextDouble() * 200) - 50, 2));
            var receipt = await HubFixture.OkAsync(ClusterProcesses.PushAsync(client, dataset, key, second, value));
            Assert.True(Watermark.TryParse(ClusterProcesses.Watermark(receipt), out var watermark));
            pushes.Add(new(dataset, key, second, value, watermark!));
        }
    }

    private static async Task EqualAsync(HttpClient client, string dataset, Watermark watermark, Push[] pushes)
    {
        var oracle = new Oracle().Play(pushes.OrderBy(push => push.Watermark.Sequences[0]).Select(push => new OracleRow(
            ["s", s_start.AddSeconds(push.Second)], s_start.AddSeconds(push.Second), null, new Dictionary<string, double?> { ["value"] = push.Value }, new Dictionary<string, string?>())));
        var expected = oracle.Cells([s_sum]).OrderBy(cell => cell.Key.From).Select(cell => (cell.Key.From, BitConverter.DoubleToInt64Bits(cell.Value.Value!.Value), cell.Value.Count)).ToArray();
        for (var waited = Stopwatch.StartNew(); ; await Task.Delay(200))
        {
            using var answer = await client.GetAsync($"api/v1/indicators/{dataset}-sum/values?limit=1000&watermark={Uri.EscapeDataString(watermark.ToString())}");
            var text = await answer.Content.ReadAsStringAsync();
            if ((int)answer.StatusCode == 503 && waited.Elapsed < TimeSpan.FromSeconds(60)) continue;
            Assert.True(answer.IsSuccessStatusCode, text);
            var rows = JsonDocument.Parse(text).RootElement.GetProperty("rows").EnumerateArray();
            Assert.Equal(expected, rows.Select(row => (row.GetProperty("from").GetDateTimeOffset().ToUniversalTime(), BitConverter.DoubleToInt64Bits(row.GetProperty("value").GetDouble()), row.GetProperty("count").GetInt64())).ToArray());
            return;
        }
    }

    private static async Task VerifiedAsync(ClusterProcesses cluster)
    {
        var verified = await cluster.CommandAsync("verify");
        Assert.True(verified.ExitCode == 0, verified.Output + verified.Errors);
        Assert.Contains("luft: gleich / equal", verified.Output, StringComparison.Ordinal);
    }

    private static async Task<Dictionary<string, string>> ReadAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var values = new Dictionary<string, string>();
        while (await reader.ReadAsync()) values.Add(reader.GetString(0), reader.GetString(1));
        return values;
    }

    private sealed record Push(string Dataset, string Key, int Second, double Value, Watermark Watermark);
}
