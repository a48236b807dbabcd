using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

using DataHub.Support;

using Xunit.Abstractions;

namespace DataHub.Processes;

/// <summary>The published hub under load, killed with SIGKILL again and again (design I1, I2, I5, I6).</summary>
[Collection(ProcessesCollection.Name)]
public sealed class KillTests(ITestOutputHelper output)
{
    private const int Kills = 20;
    private const int Clients = 4;
    private const string Window = "PT1H";

    private static readonly DateTimeOffset Start = new(2026, 11, 20, 0, 0, 0, TimeSpan.Zero);

    private static readonly OracleIndicator[] Indicators =
    [
        new("k-count", "count", null, Window, "Europe/Berlin", true, []),
        new("k-sum", "sum", "value", Window, "Europe/Berlin", true, []),
        new("k-mean", "mean", "value", "P1D", "Europe/Berlin", true, []),
        new("k-min", "min", "value", Window, "Europe/Berlin", true, []),
        new("k-max", "max", "value", "P1D", "Europe/Berlin", true, []),
        new("k-last", "last", "value", Window, "Europe/Berlin", true, []),
    ];

    [Fact]
    public async Task Twenty_kills_under_load_lose_no_row_double_none_and_never_show_an_older_number()
    {
        using var folder = new TemporaryFolder();
        using var published = new TemporaryFolder();
        var program = await HubProcess.PublishAsync(published.FullName);
        var hub = await HubProcess.StartPublishedAsync(program, folder.FullName);
        var port = hub.Address.Port;
        using var http = new HttpClient { BaseAddress = hub.Address, Timeout = TimeSpan.FromSeconds(20) };
        try
        {
            var admin = (await File.ReadAllTextAsync(Path.Combine(folder.FullName, "admin.key"))).Trim();
            await DescribeAsync(http, admin);
            var push = await KeyAsync(http, admin, "push");

            using var load = new CancellationTokenSource();
            var clients = Enumerable.Range(0, Clients).Select(number => new Client(number, http, push)).ToArray();
            var pushing = clients.Select(client => Task.Run(() => client.PushUntilAsync(load.Token))).ToArray();
            var readers = Enumerable.Range(0, 2).Select(_ => new Reader(http)).ToArray();
            var reading = readers.Select(reader => Task.Run(() => reader.ReadUntilAsync(load.Token))).ToArray();

            var random = new Random(20261124);
            for (var kill = 0; kill < Kills; kill++)
            {
                // Sometimes before a flush, sometimes after several.
                await Task.Delay(random.Next(200, 1_800));
                await hub.KillAsync();
                await hub.DisposeAsync();
                hub = await HubProcess.StartPublishedAsync(program, folder.FullName, port);
            }

            await Task.Delay(500);
            await load.CancelAsync();
            await Task.WhenAll(pushing);
            await Task.WhenAll(reading);
            foreach (var reader in readers) Assert.Null(reader.Broken);

            await CheckAsync(http, push, clients);
            output.WriteLine($"{Kills} kills; {clients.Sum(c => c.Acknowledged)} pushes acknowledged after {clients.Sum(c => c.Attempts)} attempts, "
                + $"{clients.Sum(c => c.Received)} rows received, {readers.Sum(r => r.Polls)} polls answered.");
            Assert.All(clients, client => Assert.True(client.Acknowledged > 20, $"client {client.Number} got only {client.Acknowledged} pushes through"));
        }
        finally
        {
            await hub.DisposeAsync();
        }
    }

    private static async Task DescribeAsync(HttpClient http, string admin)
    {
        await PutAsync(http, admin, "/api/v1/agencies/senumvk", """{ "name": { "de": "Umwelt" } }""");
        using (var areas = new HttpRequestMessage(HttpMethod.Put, "/api/v1/areas/kill"))
        {
            areas.Headers.Authorization = new("Bearer", admin);
            areas.Content = new StringContent("id,parent,name,level\n01,,Eins,0\n02,,Zwei,0\n0101,01,Eins-eins,1\n0102,01,Eins-zwei,1\n0201,02,Zwei-eins,1\n", Encoding.UTF8, "text/csv");
            using var answer = await http.SendAsync(areas);
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        }

        await PutAsync(http, admin, "/api/v1/datasets/kill", """
            { "title": { "de": "Unter Feuer" }, "publisher": "senumvk", "kind": "observations", "access": "open", "license": "dl-de/zero-2-0",
              "areaSystem": "kill", "partitions": 2,
              "schema": { "primaryKey": ["station", "time"], "fields": [
                { "name": "station", "type": "string", "role": "series", "constraints": { "required": true } },
                { "name": "time", "type": "datetime", "role": "time", "constraints": { "required": true } },
                { "name": "area", "type": "string", "role": "area" },
                { "name": "value", "type": "number", "role": "measure", "constraints": { "maximum": 1000 } } ] } }
            """);
        // A dataset to which rows are only ever added: its counts may only rise.
        await PutAsync(http, admin, "/api/v1/datasets/rising", """
            { "title": { "de": "Nur mehr" }, "publisher": "senumvk", "license": "dl-de/by-2-0", "kind": "observations", "access": "open",
              "schema": { "primaryKey": ["station", "time"], "fields": [
                { "name": "station", "type": "string", "role": "series", "constraints": { "required": true } },
                { "name": "time", "type": "datetime", "role": "time", "constraints": { "required": true } } ] } }
            """);
        foreach (var indicator in Indicators)
        {
            var measure = indicator.Field is null ? """{ "function": "count" }""" : $$"""{ "function": "{{indicator.Function}}", "field": "{{indicator.Field}}" }""";
            await PutAsync(http, admin, $"/api/v1/indicators/{indicator.Id}",
                $$"""{ "title": { "de": "{{indicator.Id}}" }, "dataset": "kill", "measure": {{measure}}, "window": "{{indicator.Window}}", "groupBy": ["area"], "access": "open" }""");
        }

        await PutAsync(http, admin, "/api/v1/indicators/rising",
            """{ "title": { "de": "Nur mehr" }, "dataset": "rising", "measure": { "function": "count" }, "window": "P1Y", "groupBy": [], "access": "open" }""");
    }

    private static async Task CheckAsync(HttpClient http, string push, Client[] clients)
    {
        var oracle = new Oracle().Play(clients.SelectMany(client => client.Accepted));

        // Conservation, per feed and for each consumer.
        using var conservation = await GetAsync(http, "/api/v1/datasets/kill/conservation", push);
        var counts = JsonNode.Parse(await conservation.Content.ReadAsStringAsync())!;
        var feed = counts["feeds"]!.AsArray().Single(f => (string)f!["feed"]! == "default")!;
        Assert.Equal(clients.Sum(c => c.Received), (long)feed["received"]!);
        Assert.Equal((long)feed["received"]!, (long)feed["accepted"]! + (long)feed["duplicate"]! + (long)feed["quarantined"]!);
        Assert.Equal(clients.Sum(c => c.Quarantined), (long)feed["quarantined"]!);

        // Every row once, and nothing else.
        var stored = new Dictionary<string, double?>();
        for (var next = "/api/v1/datasets/kill/records?limit=5000"; next is not null;)
        {
            using var answer = await GetAsync(http, next, null);
            var page = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
            foreach (var row in page["rows"]!.AsArray())
            {
                var time = DateTimeOffset.Parse((string)row!["time"]!, CultureInfo.InvariantCulture);
                Assert.True(stored.TryAdd($"{row["station"]} {time.UtcTicks} {row["area"]}", (double?)row["value"]), $"twice: {row}");
            }

            next = (string?)page["next"];
        }

        var standing = oracle.Standing.ToDictionary(row => $"{row.Key[0]} {row.Time!.Value.UtcTicks} {row.Area}", row => row.Values["value"]);
        Assert.Equal(standing.OrderBy(row => row.Key, StringComparer.Ordinal).ToArray(), stored.OrderBy(row => row.Key, StringComparer.Ordinal).ToArray());

        // Every cell, at both levels.
        for (var level = 0; level <= 1; level++)
        {
            var expected = oracle.Cells(Indicators, area => level == 0 ? area[..2] : area.Length == 4 ? area : null);
            foreach (var indicator in Indicators)
            {
                var wanted = expected.Where(cell => cell.Key.Indicator == indicator.Id)
                    .ToDictionary(cell => $"{cell.Key.Area} {cell.Key.From.UtcTicks}", cell => (BitConverter.DoubleToInt64Bits(cell.Value.Value!.Value), cell.Value.Count));
                var actual = new Dictionary<string, (long, long)>();
                for (var next = $"/api/v1/indicators/{indicator.Id}/values?level={level}&limit=1000"; next is not null;)
                {
                    using var answer = await GetAsync(http, next, null);
                    var page = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
                    foreach (var row in page["rows"]!.AsArray())
                    {
                        var from = DateTimeOffset.Parse((string)row!["from"]!, CultureInfo.InvariantCulture);
                        Assert.True(actual.TryAdd($"{row["area"]} {from.UtcTicks}", (BitConverter.DoubleToInt64Bits((double)row["value"]!), (long)row["count"]!)));
                    }

                    next = (string?)page["next"];
                }

                Assert.Equal(wanted.OrderBy(cell => cell.Key, StringComparer.Ordinal).ToArray(), actual.OrderBy(cell => cell.Key, StringComparer.Ordinal).ToArray());
            }
        }
    }

    private static async Task<string> KeyAsync(HttpClient http, string admin, string role)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/agencies/senumvk/keys");
        request.Headers.Authorization = new("Bearer", admin);
        request.Content = new StringContent($$"""{ "role": "{{role}}" }""", Encoding.UTF8, "application/json");
        using var answer = await http.SendAsync(request);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return (string)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["key"]!;
    }

    private static async Task PutAsync(HttpClient http, string key, string path, string json)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new("Bearer", key);
        using var answer = await http.SendAsync(request);
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
    }

    /// <summary>Once the load is over, a refused read is repeated: folds may still be catching up.</summary>
    private static async Task<HttpResponseMessage> GetAsync(HttpClient http, string path, string? key)
    {
        for (var attempt = 0; ; attempt++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            if (key is not null) request.Headers.Authorization = new("Bearer", key);
            var answer = await http.SendAsync(request);
            if (answer.IsSuccessStatusCode) return answer;
            var text = await answer.Content.ReadAsStringAsync();
            answer.Dispose();
            Assert.True(answer.StatusCode == HttpStatusCode.ServiceUnavailable && attempt < 30, $"{path}: {(int)answer.StatusCode} {text}");
            await Task.Delay(200);
        }
    }

    /// <summary>Owns its stations, so that what it was acknowledged, in order, is what must stand.</summary>
    private sealed class Client(int number, HttpClient http, string key)
    {
        private static readonly string[] Areas = ["0101", "0102", "0201"];
        private readonly Random _random = new(number);
        private readonly List<OracleRow> _sent = [];
        private int _minute;

        public int Number => number;

        public List<OracleRow> Accepted { get; } = [];

        public long Received { get; private set; }

        public long Quarantined { get; private set; }

        public int Acknowledged { get; private set; }

        public int Attempts { get; private set; }

        public async Task PushUntilAsync(CancellationToken stop)
        {
            while (!stop.IsCancellationRequested)
            {
                var rows = Enumerable.Range(0, _random.Next(1, 30)).Select(_ => Next()).ToArray();
                var bad = _random.Next(10) == 0;
                await PushAsync("kill", Json(rows, bad), rows.Length + (bad ? 1 : 0), bad ? 1 : 0);
                Accepted.AddRange(rows);
                _minute++;
                await PushAsync("rising", $$"""{ "station": "r{{number}}", "time": "{{Start.AddSeconds(_minute):O}}" }""", 0, 0);
            }
        }

        /// <summary>Mostly the next minute of a station; else a repeat, a correction, a late row or a deletion of an earlier one.</summary>
        private OracleRow Next()
        {
            var earlier = _sent.Count > 0 && _random.Next(3) == 0 ? _sent[_random.Next(_sent.Count)] : null;
            var row = earlier is null
                ? new OracleRow([$"c{number}-{_random.Next(6)}", Start.AddMinutes(_minute + _random.Next(3))], Start, Areas[_random.Next(3)], new Dictionary<string, double?>(), new Dictionary<string, string?>())
                : earlier with { Delete = _random.Next(4) == 0 };
            if (earlier is null || _random.Next(2) == 0)
            {
                row = row with { Values = new Dictionary<string, double?> { ["value"] = Math.Round(_random.NextDouble() * 200 - 50, 2) } };
            }

            row = row with { Time = (DateTimeOffset)row.Key[1]! };
            if (!row.Delete) _sent.Add(row);
            return row;
        }

        private static string Json(OracleRow[] rows, bool bad)
        {
            var array = new JsonArray();
            foreach (var row in rows)
            {
                var item = new JsonObject { ["station"] = (string)row.Key[0]!, ["time"] = row.Time!.Value.UtcDateTime.ToString("O", CultureInfo.InvariantCulture) };
                if (row.Delete)
                {
                    item["@delete"] = true;
                }
                else
                {
                    item["area"] = row.Area;
                    item["value"] = row.Values["value"];
                }

                array.Add(item);
            }

            if (bad) array.Add(new JsonObject { ["station"] = "bad", ["time"] = "2026-11-20T00:00:00Z", ["value"] = 9_999 });
            return array.ToJsonString();
        }

        private async Task PushAsync(string dataset, string body, int rows, int quarantined)
        {
            var idempotencyKey = Guid.NewGuid().ToString("N");
            for (var attempt = 0; attempt < 600; attempt++)
            {
                Attempts++;
                try
                {
                    using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/datasets/{dataset}/feeds/default/records");
                    request.Headers.Authorization = new("Bearer", key);
                    request.Headers.Add("Idempotency-Key", idempotencyKey);
                    request.Content = new StringContent(body, Encoding.UTF8, "application/json");
                    using var answer = await http.SendAsync(request);
                    if (answer.StatusCode == HttpStatusCode.OK)
                    {
                        Acknowledged++;
                        Received += rows;
                        Quarantined += quarantined;
                        return;
                    }

                    Assert.True((int)answer.StatusCode >= 500 || answer.StatusCode == HttpStatusCode.TooManyRequests, $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
                }
                catch (Exception e) when (Unreachable.Is(e) || e is TaskCanceledException)
                {
                    // The hub is dead or dying: nobody knows what became of it. Again, with the same key.
                }

                await Task.Delay(50);
            }

            Assert.Fail($"not acknowledged: {body}");
        }
    }

    /// <summary>Polls and remembers: counts only rise, versions only rise, one ETag is one content.</summary>
    private sealed class Reader(HttpClient http)
    {
        private readonly ConcurrentDictionary<string, string> _contents = new();
        private long _count;
        private long _version;

        public int Polls { get; private set; }

        public string? Broken { get; private set; }

        public async Task ReadUntilAsync(CancellationToken stop)
        {
            while (!stop.IsCancellationRequested && Broken is null)
            {
                try
                {
                    await PollAsync("/api/v1/indicators/rising/values", rising: true);
                    await PollAsync("/api/v1/indicators/k-sum/values?level=0", rising: false);
                }
                catch (Exception e) when (Unreachable.Is(e) || e is TaskCanceledException)
                {
                    await Task.Delay(50, CancellationToken.None);
                }
            }
        }

        private async Task PollAsync(string path, bool rising)
        {
            using var answer = await http.GetAsync(path);
            if (answer.StatusCode != HttpStatusCode.OK)
            {
                if ((int)answer.StatusCode < 500) Broken = $"{path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}";
                return;
            }

            var body = await answer.Content.ReadAsByteArrayAsync();
            Polls++;
            var etag = answer.Headers.ETag!.ToString();
            var hash = Convert.ToHexString(SHA256.HashData(body));
            if (_contents.GetOrAdd(path + etag, hash) != hash) Broken = $"{path}: {etag} stands for two contents";
            if (!rising) return;

            var json = JsonDocument.Parse(body).RootElement;
            var version = json.GetProperty("version").GetInt64();
            var rows = json.GetProperty("rows");
            var count = rows.GetArrayLength() == 0 ? 0 : rows[0].GetProperty("count").GetInt64();
            if (count < _count) Broken = $"count fell from {_count} to {count}";
            if (version < _version) Broken = $"version fell from {_version} to {version}";
            (_count, _version) = (count, version);
        }
    }
}
