using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

using DataHub.Support;

using Npgsql;

using Xunit.Abstractions;

using ClusterMember = DataHub.Support.ClusterMember;

namespace DataHub.Cluster;

/// <summary>
/// Three silos and two front-ends under load while silos, front-ends and PostgreSQL are killed, silos frozen, and
/// connections cut, at random: no row is lost, none counts twice, no answer is older than its watermark (design I1–I6).
/// </summary>
/// <remarks>
/// In a short form here; <c>DATAHUB_FIRE=long dotnet test --filter FullyQualifiedName~UnderFire</c> runs the long one, and
/// <c>DATAHUB_FIRE_SEED</c> repeats one.
/// </remarks>
[Collection(ProcessesCollection.Name)]
public sealed class UnderFireTests(ITestOutputHelper output)
{
    private static readonly bool s_long = Environment.GetEnvironmentVariable("DATAHUB_FIRE") == "long";
    private static readonly int s_rows = s_long ? 1_000_000 : 30_000;
    private static readonly int s_datasets = s_long ? 50 : 6;
    private static readonly int s_clients = s_long ? 20 : 8;
    private static readonly int s_pairs = s_long ? 10_000 : 200;
    private static readonly TimeSpan s_least = s_long ? TimeSpan.FromMinutes(5) : TimeSpan.FromSeconds(45);

    /// <summary>Nothing may take longer, fire or not.</summary>
    private static readonly TimeSpan s_most = s_long ? TimeSpan.FromMinutes(60) : TimeSpan.FromMinutes(8);

    private static readonly OracleIndicator[] s_indicators =
    [
        new("count", "count", null, "PT1H", "Europe/Berlin", true, []),
        new("sum", "sum", "value", "PT1H", "Europe/Berlin", true, []),
        new("mean", "mean", "value", "P1D", "Europe/Berlin", true, []),
        new("min", "min", "value", "PT1H", "Europe/Berlin", true, []),
        new("last", "last", "value", "P1D", "Europe/Berlin", true, []),
    ];

    [PostgresFact]
    public async Task Whatever_is_killed_frozen_or_cut_every_row_is_stored_once_and_every_number_is_right()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("DATAHUB_FIRE_SEED"), out var given) ? given : Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        TcpProxy? proxy = null;
        await using var cluster = await ClusterProcesses.CreateAsync(silos: 3, frontEnds: 2, ownServer: true, reach: (server, connectionString) =>
            new NpgsqlConnectionStringBuilder(connectionString) { Port = (proxy = new TcpProxy(server.Port)).Port }.ConnectionString);
        await using var cuts = proxy!;
        foreach (var member in cluster.Members) member.Start();
        await Task.WhenAll(cluster.Members.Select(member => member.ReadyAsync()));

        var key = await DescribeAsync(cluster);
        using var done = new CancellationTokenSource(s_most);
        var perClient = s_rows / s_clients;
        var clients = Enumerable.Range(0, s_clients).Select(number => new FireClient(number, seed, cluster, key, perClient)).ToArray();
        var readers = Enumerable.Range(0, 2).Select(number => new WatermarkReader(number, cluster, key)).ToArray();
        var load = Stopwatch.StartNew();
        using var fire = new CancellationTokenSource();
        var burning = BurnAsync(cluster, cuts, new Random(seed), fire.Token);
        var reading = readers.Select(reader => reader.RunAsync(s_pairs / readers.Length, s_least, done.Token)).ToArray();
        var pushing = clients.Select(client => client.RunAsync(s_least, done.Token)).ToArray();
        // The first that fails ends the others.
        foreach (var task in pushing.Concat(reading)) _ = task.ContinueWith(_ => done.Cancel(), CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        List<string> events;
        try
        {
            await Task.WhenAll(pushing.Concat(reading));
        }
        catch (Exception)
        {
            foreach (var failed in pushing.Concat(reading).Where(task => task.IsFaulted)) output.WriteLine(failed.Exception!.InnerException!.ToString());
            foreach (var member in cluster.Members) output.WriteLine($"== {member.Name}: {Errors(member.Said)}");
            throw;
        }
        finally
        {
            await fire.CancelAsync();
            events = await burning;
        }

        var took = load.Elapsed;

        await CheckAsync(cluster, key, clients);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{clients.Sum(c => c.Received)} rows in {clients.Sum(c => c.Pushes)} pushes over {s_datasets} datasets in {took.TotalSeconds:F0} s, {clients.Sum(c => c.Attempts)} attempts, {clients.Sum(c => c.Again)} pushes sent again after they were acknowledged; {readers.Sum(r => r.Pairs)} pairs of push and read with its watermark; {string.Join(", ", events.CountBy(e => e).Select(e => $"{e.Value} × {e.Key}"))}"));
    }

    /// <summary>The last errors of a log, with what stands below them.</summary>
    private static string Errors(string log)
    {
        var lines = log.Split('\n');
        var wanted = new SortedSet<int>(Enumerable.Range(0, lines.Length).Where(i => lines[i].Contains(" fail: ", StringComparison.Ordinal) || lines[i].Contains(" crit: ", StringComparison.Ordinal))
            .TakeLast(4).SelectMany(i => Enumerable.Range(i, Math.Min(14, lines.Length - i))));
        return string.Join('\n', wanted.Select(i => lines[i]));
    }

    /// <summary>Something happens every few seconds; what was ended is started again at once.</summary>
    private static async Task<List<string>> BurnAsync(ClusterProcesses cluster, TcpProxy cuts, Random random, CancellationToken stop)
    {
        var events = new List<string>();
        using var probe = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        var first = new Queue<int>([0, 3, 4, 2, 1]);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(random.Next(2_000, 6_000), stop);
            }
            catch (OperationCanceledException)
            {
                break;
            }

            // Everything at least once, then as it comes.
            switch (first.TryDequeue(out var once) ? once : random.Next(5))
            {
                case 0:
                    await RestartAsync(cluster.Silos[random.Next(cluster.Silos.Length)], "SIGKILL of a silo");
                    break;
                case 1:
                    await RestartAsync(cluster.FrontEnds[random.Next(cluster.FrontEnds.Length)], "SIGKILL of a front-end");
                    break;
                case 2:
                    var frozen = cluster.Silos[random.Next(cluster.Silos.Length)];
                    await frozen.SignalAsync("STOP");
                    await Task.Delay(TimeSpan.FromSeconds(10), CancellationToken.None);
                    await frozen.SignalAsync("CONT");
                    events.Add("SIGSTOP of a silo for 10 s");
                    await RevivedAsync(frozen);
                    break;
                case 3:
                    await cluster.Server.KillAsync();
                    await Task.Delay(random.Next(0, 2_000), CancellationToken.None);
                    await cluster.Server.RestartAsync();
                    events.Add("SIGKILL of PostgreSQL");
                    break;
                default:
                    if (cuts.Cut() > 0) events.Add("all connections to PostgreSQL cut");
                    break;
            }
        }

        foreach (var member in cluster.Members) await ReadyAsync(member);
        return events;

        // Whoever is told late that it was declared dead ends itself even now, and is started again.
        static async Task ReadyAsync(ClusterMember member)
        {
            for (var starts = 0; ; starts++)
            {
                if (!member.IsRunning) member.Start();
                try
                {
                    await member.ReadyAsync();
                    return;
                }
                catch (InvalidOperationException) when (!member.IsRunning && starts < 3)
                {
                    // As an operator's scheduler does.
                }
            }
        }

        async Task RestartAsync(ClusterMember member, string what)
        {
            // Not while it is still starting: another one's work would never begin.
            if (!member.IsRunning)
            {
                member.Start();
                return;
            }

            if (await member.StatusAsync(probe, "health/ready") != 200) return;
            await member.KillAsync();
            member.Start();
            events.Add(what);
        }

        // A silo that was declared dead while it was frozen ends itself, as an operator's scheduler expects.
        static async Task RevivedAsync(ClusterMember member)
        {
            await Task.Delay(500, CancellationToken.None);
            if (!member.IsRunning) member.Start();
        }
    }

    private static async Task<string> DescribeAsync(ClusterProcesses cluster)
    {
        var admin = cluster.Client(0, cluster.AdminKey);
        using (var areas = new StringContent("id,parent,name,level\n01,,Eins,0\n02,,Zwei,0\n0101,01,Eins-eins,1\n0102,01,Eins-zwei,1\n0201,02,Zwei-eins,1\n", Encoding.UTF8, "text/csv"))
        {
            await HubFixture.OkAsync(admin.PutAsync("api/v1/areas/feuer", areas));
        }

        var key = await cluster.DescribeAsync("rising-0", "rising-1");
        for (var number = 0; number < s_datasets; number++)
        {
            await HubFixture.OkAsync(admin.PutAsync($"api/v1/datasets/fire-{number}", new StringContent($$"""
                { "title": { "de": "Unter Feuer" }, "publisher": "amt", "license": "dl-de/by-2-0", "kind": "observations", "access": "open", "areaSystem": "feuer", "partitions": {{1 + (number % 2)}},
                  "schema": { "primaryKey": ["station", "time"], "fields": [
                    { "name": "station", "type": "string", "role": "series", "constraints": { "required": true } },
                    { "name": "time", "type": "datetime", "role": "time", "constraints": { "required": true } },
                    { "name": "area", "type": "string", "role": "area" },
                    { "name": "value", "type": "number", "role": "measure", "constraints": { "maximum": 1000 } } ] } }
                """, Encoding.UTF8, "application/json")));
            foreach (var indicator in s_indicators)
            {
                var measure = indicator.Field is null ? """{ "function": "count" }""" : $$"""{ "function": "{{indicator.Function}}", "field": "{{indicator.Field}}" }""";
                await HubFixture.OkAsync(admin.PutAsync($"api/v1/indicators/fire-{number}-{indicator.Id}", new StringContent(
                    $$"""{ "title": { "de": "{{indicator.Id}}" }, "dataset": "fire-{{number}}", "measure": {{measure}}, "window": "{{indicator.Window}}", "groupBy": ["area"], "access": "open" }""",
                    Encoding.UTF8, "application/json")));
            }
        }

        return key;
    }

    private static async Task CheckAsync(ClusterProcesses cluster, string key, FireClient[] clients)
    {
        var verified = await cluster.CommandAsync("verify", "--cells", "100");
        Assert.True(verified.ExitCode == 0, verified.Output + verified.Errors);
        var http = cluster.Client(0, key);
        for (var number = 0; number < s_datasets; number++)
        {
            var dataset = $"fire-{number}";
            var oracle = new Oracle().Play(clients.SelectMany(client => client.Accepted[number]));

            var counts = (await GetAsync(http, $"api/v1/datasets/{dataset}/conservation"))["feeds"]!.AsArray().Single(feed => (string)feed!["feed"]! == "default")!;
            Assert.Equal(clients.Sum(client => client.ReceivedIn[number]), (long)counts["received"]!);
            Assert.Equal(clients.Sum(client => client.QuarantinedIn[number]), (long)counts["quarantined"]!);
            Assert.Equal((long)counts["received"]!, (long)counts["accepted"]! + (long)counts["duplicate"]! + (long)counts["quarantined"]!);

            var stored = new Dictionary<string, double?>();
            for (var next = $"api/v1/datasets/{dataset}/records?limit=5000"; next is not null;)
            {
                var page = await GetAsync(http, next);
                foreach (var row in page["rows"]!.AsArray())
                {
                    var time = DateTimeOffset.Parse((string)row!["time"]!, CultureInfo.InvariantCulture);
                    Assert.True(stored.TryAdd($"{row["station"]} {time.UtcTicks} {row["area"]}", (double?)row["value"]), $"{dataset}, twice: {row}");
                }

                next = (string?)page["next"];
            }

            var standing = oracle.Standing.ToDictionary(row => $"{row.Key[0]} {row.Time!.Value.UtcTicks} {row.Area}", row => row.Values["value"]);
            Assert.Equal(standing.OrderBy(row => row.Key, StringComparer.Ordinal).ToArray(), stored.OrderBy(row => row.Key, StringComparer.Ordinal).ToArray());

            for (var level = 0; level <= 1; level++)
            {
                var expected = oracle.Cells(s_indicators, area => level == 0 ? area[..2] : area);
                foreach (var indicator in s_indicators)
                {
                    var wanted = expected.Where(cell => cell.Key.Indicator == indicator.Id)
                        .ToDictionary(cell => $"{cell.Key.Area} {cell.Key.From.UtcTicks}", cell => (BitConverter.DoubleToInt64Bits(cell.Value.Value!.Value), cell.Value.Count));
                    var actual = new Dictionary<string, (long, long)>();
                    for (var next = $"api/v1/indicators/{dataset}-{indicator.Id}/values?level={level}&limit=1000"; next is not null;)
                    {
                        var page = await GetAsync(http, next);
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
    }

    /// <summary>Once the fire is out, a refused read is repeated: folds may still be catching up.</summary>
    private static async Task<JsonNode> GetAsync(HttpClient http, string path)
    {
        for (var waited = Stopwatch.StartNew(); ; await Task.Delay(200))
        {
            using var answer = await http.GetAsync(path);
            var text = await answer.Content.ReadAsStringAsync();
            if (answer.IsSuccessStatusCode) return JsonNode.Parse(text)!;
            Assert.True(answer.StatusCode == HttpStatusCode.ServiceUnavailable && waited.Elapsed < TimeSpan.FromSeconds(60), $"{path}: {(int)answer.StatusCode} {text}");
        }
    }

    /// <summary>Sends until it is acknowledged, always with the same key, through whichever front-end answers.</summary>
    private static async Task<JsonDocument> SendAsync(HttpClient[] fronts, Random random, Func<HttpRequestMessage> request, Action attempt, CancellationToken stop)
    {
        while (true)
        {
            attempt();
            try
            {
                using var message = request();
                using var answer = await fronts[random.Next(fronts.Length)].SendAsync(message, stop);
                var text = await answer.Content.ReadAsStringAsync(stop);
                if (answer.StatusCode == HttpStatusCode.OK) return JsonDocument.Parse(text);
                Assert.True((int)answer.StatusCode is 503 or 429, $"{message.RequestUri}: {(int)answer.StatusCode} {text}");
                Assert.NotNull(answer.Headers.RetryAfter);
                Assert.DoesNotContain("Orleans", text, StringComparison.Ordinal);
                Assert.DoesNotContain("Npgsql", text, StringComparison.Ordinal);
            }
            catch (Exception e) when (Unreachable.Is(e) || (e is OperationCanceledException && !stop.IsCancellationRequested))
            {
                // The front-end is dead or dying: nobody knows what became of it.
            }

            await Task.Delay(random.Next(50, 300), stop);
        }
    }

    /// <summary>Owns its stations, so that what it was acknowledged, in order, is what must stand.</summary>
    private sealed class FireClient(int number, int seed, ClusterProcesses cluster, string key, int rows)
    {
        private static readonly DateTimeOffset s_start = new(2026, 11, 20, 0, 0, 0, TimeSpan.Zero);
        private static readonly string[] s_areas = ["0101", "0102", "0201"];

        private readonly HttpClient[] _fronts = [.. cluster.FrontEnds.Select((_, front) => cluster.Client(front, key))];
        private readonly Random _random = new(seed + number + 1);
        private readonly List<OracleRow>[] _sent = [.. Enumerable.Range(0, s_datasets).Select(_ => new List<OracleRow>())];

        public List<OracleRow>[] Accepted { get; } = [.. Enumerable.Range(0, s_datasets).Select(_ => new List<OracleRow>())];

        public long[] ReceivedIn { get; } = new long[s_datasets];

        public long[] QuarantinedIn { get; } = new long[s_datasets];

        public long Received => ReceivedIn.Sum();

        public int Pushes { get; private set; }

        public int Attempts { get; private set; }

        public int Again { get; private set; }

        public async Task RunAsync(TimeSpan least, CancellationToken stop)
        {
            await Task.Yield();
            var running = Stopwatch.StartNew();
            while (Received < rows || running.Elapsed < least)
            {
                // Those who are done with their rows go on gently until the fire is over.
                if (Received >= rows) await Task.Delay(200, stop);
                var dataset = _random.Next(s_datasets);
                var batch = Enumerable.Range(0, _random.Next(1, 120)).Select(_ => Next(dataset)).ToArray();
                // Some rows of before once more, in between.
                for (var repeats = _sent[dataset].Count > 0 ? batch.Length / 20 : 0; repeats > 0; repeats--) batch[_random.Next(batch.Length)] = _sent[dataset][_random.Next(_sent[dataset].Count)];
                var bad = _random.Next(10) == 0;
                var body = Json(batch, bad);
                var idempotencyKey = $"c{number}-{Pushes}";
                var receipt = await PushAsync(dataset, body, idempotencyKey, stop);
                ReceivedIn[dataset] += receipt.RootElement.GetProperty("received").GetInt64();
                QuarantinedIn[dataset] += receipt.RootElement.GetProperty("quarantined").GetInt64();
                Assert.Equal(batch.Length + (bad ? 1 : 0), receipt.RootElement.GetProperty("received").GetInt32());
                Accepted[dataset].AddRange(batch);
                Pushes++;
                if (_random.Next(10) != 0) continue;
                var again = await PushAsync(dataset, body, idempotencyKey, stop);
                Assert.Equal(receipt.RootElement.GetProperty("receipt").GetString(), again.RootElement.GetProperty("receipt").GetString());
                Again++;
            }
        }

        private Task<JsonDocument> PushAsync(int dataset, string body, string idempotencyKey, CancellationToken stop) => SendAsync(
            _fronts, _random,
            () =>
            {
                var request = new HttpRequestMessage(HttpMethod.Post, $"api/v1/datasets/fire-{dataset}/feeds/default/records") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
                request.Headers.Add("Idempotency-Key", idempotencyKey);
                return request;
            },
            () => Attempts++, stop);

        /// <summary>Mostly the next minute of a station; else a correction, a late row or a deletion of an earlier one.</summary>
        private OracleRow Next(int dataset)
        {
            var sent = _sent[dataset];
            if (sent.Count > 0 && _random.Next(12) == 0)
            {
                var earlier = sent[_random.Next(sent.Count)];
                return _random.Next(4) == 0 ? earlier with { Delete = true } : earlier with { Values = Value() };
            }

            var time = s_start.AddMinutes((sent.Count / 3) + _random.Next(3));
            var row = new OracleRow([$"c{number}-{_random.Next(6)}", time], time, s_areas[_random.Next(3)], Value(), new Dictionary<string, string?>());
            sent.Add(row);
            return row;
        }

        private Dictionary<string, double?> Value() => new() { ["value"] = Math.Round((_random.NextDouble() * 200) - 50, 2) };

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
    }

    /// <summary>Pushes a row through one front-end and reads through another with the watermark: all its rows must be in the answer.</summary>
    private sealed class WatermarkReader(int number, ClusterProcesses cluster, string key)
    {
        private readonly HttpClient[] _fronts = [.. cluster.FrontEnds.Select((_, front) => cluster.Client(front, key))];
        private readonly Random _random = new(number);

        public int Pairs { get; private set; }

        public async Task RunAsync(int pairs, TimeSpan least, CancellationToken stop)
        {
            await Task.Yield();
            var running = Stopwatch.StartNew();
            while (Pairs < pairs || running.Elapsed < least)
            {
                var second = Pairs;
                var receipt = await SendAsync(
                    _fronts, _random,
                    () =>
                    {
                        var request = new HttpRequestMessage(HttpMethod.Post, $"api/v1/datasets/rising-{number}/feeds/default/records")
                        {
                            Content = JsonContent.Create(new[] { new { station = "s", time = new DateTimeOffset(2026, 11, 20, 0, 0, 0, TimeSpan.Zero).AddSeconds(second), value = 1 } }),
                        };
                        request.Headers.Add("Idempotency-Key", $"r{second}");
                        return request;
                    },
                    () => { }, stop);
                var watermark = Uri.EscapeDataString(ClusterProcesses.Watermark(receipt));
                var values = await SendAsync(
                    _fronts, _random, () => new HttpRequestMessage(HttpMethod.Get, $"api/v1/indicators/rising-{number}-sum/values?from=2026-11-20&watermark={watermark}"), () => { }, stop);
                Pairs++;
                Assert.Equal(Pairs, values.RootElement.GetProperty("rows").EnumerateArray().Sum(row => row.GetProperty("count").GetInt64()));
            }
        }
    }
}
