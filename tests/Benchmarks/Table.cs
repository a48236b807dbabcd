using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace DataHub.Benchmarks;

/// <summary>The table of design §6 for the embedded hub: each figure beside its limit in the same run, medians of interleaved repetitions.</summary>
internal sealed class Table(int repeats, double scale) : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("datahub-benchmark-").FullName;
    private Child? _hub;
    private Child? _limits;
    private string _key = "";
    private int _pushed;

    public async Task<int> RunAsync()
    {
        var hubAddress = Child.FreeAddress();
        _hub = await Child.StartAsync(Path.Combine(AppContext.BaseDirectory, "DataHub.Silo.dll"), hubAddress,
            async http => (await http.GetAsync("/health/ready")).IsSuccessStatusCode, "--urls", hubAddress.ToString(), "--data", Path.Combine(_folder, "hub"));
        var limitsAddress = Child.FreeAddress();
        _limits = await Child.StartAsync(Path.Combine(AppContext.BaseDirectory, "DataHub.Benchmarks.dll"), limitsAddress,
            async http => (await http.GetAsync("/static")).IsSuccessStatusCode, "limits", limitsAddress.ToString());
        await DescribeAsync();
        await WarmUpAsync();

        Console.WriteLine($"{RuntimeInformation.OSDescription}, {Environment.ProcessorCount} cores, .NET {Environment.Version}, {DateTime.UtcNow:yyyy-MM-dd}; medians of {repeats}");
        Console.WriteLine();
        Console.WriteLine("| what | figure | limit beside it | ratio | goal | CPU s of hub / limit |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: | ---: |");

        var rate = await IngestInBulkAsync();
        await IngestOneByOneAsync();
        await PollAsync();
        await FreshnessAsync(rate / 2);
        await ExplainAsync();
        await AssertHonestAsync();
        return 0;
    }

    private async Task DescribeAsync()
    {
        var admin = (await File.ReadAllTextAsync(Path.Combine(_folder, "hub", "admin.key"))).Trim();
        using var http = new HttpClient { BaseAddress = _hub!.Address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", admin);
        await SendAsync(HttpMethod.Put, "/api/v1/agencies/bench", """{ "name": { "de": "Messstelle" } }""");
        var answer = await SendAsync(HttpMethod.Post, "/api/v1/agencies/bench/keys", """{ "role": "push" }""");
        _key = JsonDocument.Parse(answer).RootElement.GetProperty("key").GetString()!;
        await SendAsync(HttpMethod.Put, "/api/v1/areas/bench", Rows.AreasCsv(), "text/csv");
        await SendAsync(HttpMethod.Put, "/api/v1/datasets/bench", """
            { "title": { "de": "Messung" }, "publisher": "bench", "kind": "observations", "access": "open", "areaSystem": "bench",
              "schema": { "primaryKey": ["station", "time"], "fields": [
                { "name": "station", "type": "string", "role": "series", "constraints": { "required": true, "maxLength": 64 } },
                { "name": "time", "type": "datetime", "role": "time", "constraints": { "required": true } },
                { "name": "area", "type": "string", "role": "area" },
                { "name": "no2", "type": "number", "role": "measure", "constraints": { "minimum": 0, "maximum": 2000 } } ] } }
            """);
        foreach (var (id, function, window) in new[] { ("bench-mean", "mean", "PT1H"), ("bench-sum", "sum", "P1D"), ("bench-max", "max", "PT1H") })
        {
            await SendAsync(HttpMethod.Put, $"/api/v1/indicators/{id}", $$"""
                { "title": { "de": "{{id}}" }, "dataset": "bench", "measure": { "function": "{{function}}", "field": "no2" }, "window": "{{window}}", "groupBy": ["area"], "access": "open" }
                """);
        }

        async Task<string> SendAsync(HttpMethod method, string path, string body, string type = "application/json")
        {
            using var request = new HttpRequestMessage(method, path) { Content = new StringContent(body, Encoding.UTF8, type) };
            using var response = await http.SendAsync(request);
            var text = await response.Content.ReadAsStringAsync();
            return response.IsSuccessStatusCode ? text : throw new InvalidOperationException($"{path}: {(int)response.StatusCode} {text}");
        }
    }

    private async Task WarmUpAsync()
    {
        await PushAsync(100, 200, 8);
        await PushAsync(1, 2_000, 64);
        await DiscardAsync(100, 500, 8);
        await DiscardAsync(1, 2_000, 64);
    }

    /// <summary>Durable ingest, 100 rows a push, 8 connections, until every row is folded into 3 indicators and in history.</summary>
    private async Task<double> IngestInBulkAsync()
    {
        var pushes = Math.Max(20, (int)(1_500 * scale));
        var figures = new List<(double Hub, double Raw, double Discard, double HubCpu)>();
        for (var repeat = 0; repeat < repeats; repeat++)
        {
            var raw = RawInserts.Run(Path.Combine(_folder, "raw"), pushes * 100);
            var discard = await DiscardAsync(100, pushes, 8) * 100;
            var cpu = _hub!.Cpu;
            var hub = await PushAsync(100, pushes, 8) * 100;
            figures.Add((hub, raw, discard, (_hub.Cpu - cpu).TotalSeconds));
        }

        var (median, cpuSeconds) = (Median(figures.Select(f => f.Hub)), Median(figures.Select(f => f.HubCpu)));
        Row("durable ingest, 100 rows a push, 3 indicators, history: rows/s", median, "raw SQLite inserts", Median(figures.Select(f => f.Raw)), "≥ 0.30", cpuSeconds);
        Row("the same", median, "parse and discard", Median(figures.Select(f => f.Discard)), "–", cpuSeconds);
        return median;
    }

    private async Task IngestOneByOneAsync()
    {
        var pushes = Math.Max(200, (int)(20_000 * scale));
        var figures = new List<(double Hub, double Discard, double HubCpu, double LimitCpu)>();
        for (var repeat = 0; repeat < repeats; repeat++)
        {
            var limitCpu = _limits!.Cpu;
            var discard = await DiscardAsync(1, pushes, 64);
            limitCpu = _limits.Cpu - limitCpu;
            var cpu = _hub!.Cpu;
            var hub = await PushAsync(1, pushes, 64);
            figures.Add((hub, discard, (_hub.Cpu - cpu).TotalSeconds, limitCpu.TotalSeconds));
        }

        Row("durable ingest, 1 row a push, 64 connections: pushes/s", Median(figures.Select(f => f.Hub)), "parse and discard", Median(figures.Select(f => f.Discard)), "≥ 0.20",
            Median(figures.Select(f => f.HubCpu)), Median(figures.Select(f => f.LimitCpu)));
    }

    private async Task PollAsync()
    {
        const string path = "/api/v1/indicators/bench-mean/latest?level=0";
        using var hub = new Load(_hub!.Address, null, 32);
        using var limits = new Load(_limits!.Address, null, 32);
        var body = await hub.Http.GetByteArrayAsync(path);
        await limits.Http.PutAsync("/static", new ByteArrayContent(body));
        using var first = await hub.Http.GetAsync(path);
        var etag = first.Headers.ETag!;
        var polls = Math.Max(500, (int)(40_000 * scale));

        foreach (var conditional in new[] { false, true })
        {
            var figures = new List<(double Hub, double Static, double HubCpu, double LimitCpu)>();
            for (var repeat = 0; repeat < repeats; repeat++)
            {
                var limitCpu = _limits.Cpu;
                var limit = await RunAsync(limits, "/static", conditional ? new("\"static\"") : null);
                limitCpu = _limits.Cpu - limitCpu;
                var cpu = _hub.Cpu;
                var figure = await RunAsync(hub, path, conditional ? etag : null);
                figures.Add((figure, limit, (_hub.Cpu - cpu).TotalSeconds, limitCpu.TotalSeconds));
            }

            Row($"poll of a current indicator ({body.Length} bytes), {(conditional ? "304" : "200")}: answers/s", Median(figures.Select(f => f.Hub)),
                "static endpoint, 200 or 304 alike", Median(figures.Select(f => f.Static)), conditional ? "≥ 1.1 of the static 200" : "≥ 0.90", Median(figures.Select(f => f.HubCpu)), Median(figures.Select(f => f.LimitCpu)));
        }

        async Task<double> RunAsync(Load load, string route, EntityTagHeaderValue? ifNoneMatch) => (await load.SendAsync(
            polls,
            _ =>
            {
                var request = new HttpRequestMessage(HttpMethod.Get, route);
                if (ifNoneMatch is not null) request.Headers.IfNoneMatch.Add(ifNoneMatch);
                return request;
            },
            answer => answer.StatusCode == (ifNoneMatch is null ? HttpStatusCode.OK : HttpStatusCode.NotModified))).PerSecond;
    }

    /// <summary>From the acknowledgement of a push to the first poll that shows it, while half of the measured rate is pushed beside it.</summary>
    private async Task FreshnessAsync(double rowsPerSecond)
    {
        var probes = Math.Max(20, (int)(300 * scale));
        using var load = new Load(_hub!.Address, _key, 4);
        using var stop = new CancellationTokenSource();
        var background = Task.Run(async () =>
        {
            var clock = Stopwatch.StartNew();
            for (var sent = 0; !stop.IsCancellationRequested && sent < 100_000; sent++)
            {
                using var request = Load.Post("/api/v1/datasets/bench/feeds/default/records", Next(100));
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _key);
                using var answer = await load.Http.SendAsync(request, CancellationToken.None);
                answer.EnsureSuccessStatusCode();
                var ahead = TimeSpan.FromSeconds((sent + 1) * 100 / rowsPerSecond) - clock.Elapsed;
                if (ahead > TimeSpan.Zero) await Task.Delay(ahead, CancellationToken.None);
            }
        });

        using var http = new HttpClient { BaseAddress = _hub.Address };
        var waits = new List<double>();
        for (var probe = 0; probe < probes; probe++)
        {
            // A window of its own, long before the load's.
            var body = Encoding.UTF8.GetBytes($$"""{"station":"probe{{probe}}","time":"2020-01-01T00:00:00Z","area":"{{Rows.AreaId(0)}}","no2":1}""");
            using var request = Load.Post("/api/v1/datasets/bench/feeds/default/records", body);
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _key);
            using (var pushed = await http.SendAsync(request)) pushed.EnsureSuccessStatusCode();
            var acknowledged = Stopwatch.GetTimestamp();
            while (true)
            {
                using var answer = await http.GetAsync("/api/v1/indicators/bench-sum/values?level=0&from=2019-12-31T00:00:00Z&to=2020-01-03T00:00:00Z");
                var rows = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("rows");
                if (rows.GetArrayLength() > 0 && rows[0].GetProperty("count").GetInt64() > probe) break;
                if (Stopwatch.GetElapsedTime(acknowledged) > TimeSpan.FromSeconds(30)) throw new InvalidOperationException("not visible after 30 s");
            }

            waits.Add(Stopwatch.GetElapsedTime(acknowledged).TotalMilliseconds);
        }

        await stop.CancelAsync();
        await background;
        waits.Sort();
        Print(string.Create(CultureInfo.InvariantCulture,
            $"| freshness at {rowsPerSecond:N0} rows/s: acknowledged to visible, p50 / p99 in ms | {waits[waits.Count / 2]:F1} / {waits[(int)(waits.Count * 0.99)]:F1} | – | – | ≤ 10 / ≤ 50 | – |"));
    }

    /// <summary>A number made of 10,000 rows is explained, each time as of another moment, so that nothing is at hand.</summary>
    private async Task ExplainAsync()
    {
        using var http = new HttpClient { BaseAddress = _hub!.Address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _key);
        var rows = string.Join(',', Enumerable.Range(0, 10_000).Select(i => $$"""{"station":"many{{i}}","time":"2019-06-01T10:00:00Z","area":"{{Rows.AreaId(0)}}","no2":{{i % 100}}}"""));
        await PushAsync($"[{rows}]");
        var waits = new List<double>();
        for (var probe = 0; probe < Math.Max(20, (int)(100 * scale)); probe++)
        {
            var watermark = await PushAsync($$"""[{"station":"many{{probe}}","time":"2019-06-01T10:00:00Z","area":"{{Rows.AreaId(0)}}","no2":{{probe % 7}}.5}]""");
            using var current = await http.GetAsync($"/api/v1/indicators/bench-mean/values?from=2019-06-01T10:00:00Z&to=2019-06-01T11:00:00Z&watermark={watermark}");
            current.EnsureSuccessStatusCode();
            var clock = Stopwatch.StartNew();
            var page = JsonDocument.Parse(await http.GetStringAsync($"/api/v1/indicators/bench-mean/explain?from=2019-06-01T10:00:00Z&area={Rows.AreaId(0)}&watermark={watermark}")).RootElement;
            waits.Add(clock.Elapsed.TotalMilliseconds);
            if (page.GetProperty("rowCount").GetInt32() != 10_000 || page.GetProperty("value").GetDouble() != page.GetProperty("recomputed").GetDouble())
                throw new InvalidOperationException($"explained wrongly: {page.GetProperty("rowCount")} rows, {page.GetProperty("value")}, {page.GetProperty("recomputed")}");
        }

        waits.Sort();
        Print(string.Create(CultureInfo.InvariantCulture, $"| a number of 10,000 rows explained, p50 / p95 in ms | {waits[waits.Count / 2]:F1} / {waits[(int)(waits.Count * 0.95)]:F1} | – | – | – / ≤ 300 | – |"));

        async Task<string> PushAsync(string body)
        {
            using var push = await http.SendAsync(Load.Post("/api/v1/datasets/bench/feeds/default/records", Encoding.UTF8.GetBytes(body)));
            var answer = JsonDocument.Parse(await push.Content.ReadAsStringAsync()).RootElement;
            Interlocked.Add(ref _pushed, answer.GetProperty("accepted").GetInt32());
            return answer.GetProperty("watermark").GetString()!;
        }
    }

    /// <summary>What was measured is the real thing: keys are asked for, receipts are kept, every row is in history.</summary>
    private async Task AssertHonestAsync()
    {
        using var http = new HttpClient { BaseAddress = _hub!.Address };
        using (var refused = await http.SendAsync(Load.Post("/api/v1/datasets/bench/feeds/default/records", Rows.Push(0, 1))))
        {
            if (refused.StatusCode != HttpStatusCode.Unauthorized) throw new InvalidOperationException("a push without a key was taken");
        }

        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _key);
        using var push = await http.SendAsync(Load.Post("/api/v1/datasets/bench/feeds/default/records", Next(1)));
        var receipt = JsonDocument.Parse(await push.Content.ReadAsStringAsync()).RootElement.GetProperty("receipt").GetString();
        using (var kept = await http.GetAsync($"/api/v1/receipts/{receipt}")) kept.EnsureSuccessStatusCode();

        var counts = JsonDocument.Parse(await http.GetStringAsync("/api/v1/datasets/bench/conservation")).RootElement;
        var accepted = counts.GetProperty("feeds").EnumerateArray().Sum(feed => feed.GetProperty("accepted").GetInt64());
        if (accepted < _pushed) throw new InvalidOperationException($"{_pushed} rows were pushed, {accepted} are counted");
        Console.WriteLine();
        Console.WriteLine($"Keys were asked for, receipts kept, and all {accepted} rows are in history.");
    }

    private byte[] Next(int rows) => Rows.Push(Interlocked.Add(ref _pushed, rows) - rows, rows);

    /// <returns>Pushes per second; the last is waited for until folds and history have it.</returns>
    private async Task<double> PushAsync(int rows, int pushes, int connections)
    {
        var bodies = new byte[pushes][];
        for (var i = 0; i < pushes; i++) bodies[i] = Next(rows);
        using var load = new Load(_hub!.Address, _key, connections);
        var clock = Stopwatch.StartNew();
        await load.SendAsync(pushes, i => Load.Post("/api/v1/datasets/bench/feeds/default/records", bodies[i]), answer => answer.StatusCode == HttpStatusCode.OK);
        load.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _key);
        while (true)
        {
            var counts = JsonDocument.Parse(await load.Http.GetStringAsync("/api/v1/datasets/bench/conservation")).RootElement;
            var accepted = counts.GetProperty("feeds").EnumerateArray().Sum(feed => feed.GetProperty("accepted").GetInt64());
            if (accepted >= _pushed) break;
            await Task.Delay(5);
        }

        foreach (var indicator in new[] { "bench-mean", "bench-sum", "bench-max" })
        {
            using var current = await load.Http.GetAsync($"/api/v1/indicators/{indicator}/latest?level=0");
            current.EnsureSuccessStatusCode();
        }

        return pushes / clock.Elapsed.TotalSeconds;
    }

    private async Task<double> DiscardAsync(int rows, int requests, int connections)
    {
        var bodies = new byte[requests][];
        for (var i = 0; i < requests; i++) bodies[i] = Rows.Push(i * rows, rows);
        using var load = new Load(_limits!.Address, null, connections);
        return (await load.SendAsync(requests, i => Load.Post("/discard", bodies[i]), answer => answer.StatusCode == HttpStatusCode.OK)).PerSecond;
    }

    private static void Row(string what, double figure, string limit, double beside, string goal, double hubCpu, double? limitCpu = null) => Print(string.Create(
        CultureInfo.InvariantCulture,
        $"| {what} | {figure:N0} | {limit}: {beside:N0} | {figure / beside:F2} | {goal} | {hubCpu:F1} / {limitCpu?.ToString("F1", CultureInfo.InvariantCulture) ?? "–"} |"));

    private static void Print(string line)
    {
        Console.WriteLine(line);
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }

    public ValueTask DisposeAsync()
    {
        _hub?.Dispose();
        _limits?.Dispose();
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}
