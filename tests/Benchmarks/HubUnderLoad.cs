using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

using DataHub.Feeds;

namespace DataHub.Benchmarks;

/// <summary>A hub as its clients see it, in one process or in many: described, pushed to, read.</summary>
/// <param name="address">Of the hub or of a front-end.</param>
/// <param name="datasets">Pushes go to them in turn; each has three indicators unless others are given.</param>
internal sealed class HubUnderLoad(Uri address, params string[] datasets)
{
    private readonly long[] _sequences = new long[datasets.Length];
    private readonly int[] _next = new int[datasets.Length];
    private readonly int[] _probes = new int[datasets.Length];
    private Guid _incarnation;
    private string _key = "";
    private int _turn = -1;
    private int _pushed;

    public Uri Address => address;

    /// <summary>Of each dataset; their ids begin with the dataset's. The first is the one that is polled.</summary>
    public IReadOnlyList<(string Id, string Function, string Window)> Indicators { get; init; } = [("mean", "mean", "PT1H"), ("sum", "sum", "P1D"), ("max", "max", "PT1H")];

    /// <summary>Publishes the datasets.</summary>
    public string Agency { get; init; } = "bench";

    /// <summary>May push.</summary>
    public string Key => _key;

    /// <summary>Puts agency, areas, datasets and indicators.</summary>
    /// <param name="areas">As GeoJSON; null: without polygons.</param>
    public async Task DescribeAsync(string adminKey, byte[]? areas = null)
    {
        using var http = new HttpClient { BaseAddress = address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", adminKey);
        await SendAsync(HttpMethod.Put, $"/api/v1/agencies/{Agency}", """{ "name": { "de": "Messstelle" } }""");
        var answer = await SendAsync(HttpMethod.Post, $"/api/v1/agencies/{Agency}/keys", """{ "role": "push" }""");
        _key = JsonDocument.Parse(answer).RootElement.GetProperty("key").GetString()!;
        if (areas is null) await SendAsync(HttpMethod.Put, "/api/v1/areas/bench", Rows.AreasCsv(), "text/csv");
        else await SendAsync(HttpMethod.Put, "/api/v1/areas/bench", Encoding.UTF8.GetString(areas), "application/geo+json");
        foreach (var dataset in datasets)
        {
            await SendAsync(HttpMethod.Put, $"/api/v1/datasets/{dataset}", $$"""
                { "title": { "de": "Messung" }, "publisher": "{{Agency}}", "license": "dl-de/by-2-0", "kind": "observations", "access": "open", "areaSystem": "bench",
                  "schema": { "primaryKey": ["station", "time"], "fields": [
                    { "name": "station", "type": "string", "role": "series", "constraints": { "required": true, "maxLength": 64 } },
                    { "name": "time", "type": "datetime", "role": "time", "constraints": { "required": true } },
                    { "name": "area", "type": "string", "role": "area" },
                    { "name": "no2", "type": "number", "role": "measure", "constraints": { "minimum": 0, "maximum": 2000 } } ] } }
                """);
            foreach (var (id, function, window) in Indicators)
            {
                await SendAsync(HttpMethod.Put, $"/api/v1/indicators/{dataset}-{id}", $$"""
                    { "title": { "de": "{{id}}" }, "dataset": "{{dataset}}", "measure": { "function": "{{function}}", "field": "no2" }, "window": "{{window}}", "groupBy": ["area"], "access": "open" }
                    """);
            }
        }

        async Task<string> SendAsync(HttpMethod method, string path, string body, string type = "application/json")
        {
            using var request = new HttpRequestMessage(method, path) { Content = new StringContent(body, Encoding.UTF8, type) };
            using var response = await http.SendAsync(request);
            var text = await response.Content.ReadAsStringAsync();
            return response.IsSuccessStatusCode ? text : throw new InvalidOperationException($"{path}: {(int)response.StatusCode} {text}");
        }
    }

    /// <summary>Bodies to push, made before the clock runs.</summary>
    public (string Path, byte[] Body)[] Prepare(int rows, int pushes)
    {
        var bodies = new (string Path, byte[] Body)[pushes];
        for (var i = 0; i < pushes; i++) bodies[i] = Next(rows);
        return bodies;
    }

    /// <returns>Pushes per second; the last is waited for until folds and history have it.</returns>
    public async Task<double> PushAsync((string Path, byte[] Body)[] pushes, int connections)
    {
        using var load = new Load(address, _key, connections);
        var clock = Stopwatch.StartNew();
        await load.SendAsync(pushes.Length, i => Load.Post(pushes[i].Path, pushes[i].Body), answer => Note(answer) > 0);
        await WaitAsync(load.Http);
        return pushes.Length / clock.Elapsed.TotalSeconds;
    }

    /// <summary>Polls of a current indicator, whole or with what is known already.</summary>
    /// <returns>Answers per second.</returns>
    public async Task<double> PollAsync(int polls, bool conditional)
    {
        using var load = new Load(address, null, 32);
        using var first = await load.Http.GetAsync(PollPath);
        return await load.PollAsync(polls, PollPath, conditional ? first.Headers.ETag! : null);
    }

    /// <summary>What a poll is answered.</summary>
    public async Task<byte[]> PollBodyAsync()
    {
        using var http = new HttpClient { BaseAddress = address };
        return await http.GetByteArrayAsync(PollPath);
    }

    /// <summary>From the acknowledgement of a push to the first poll that shows it, while pushes of 100 rows come beside it.</summary>
    /// <returns>The rate that was pushed in fact, and the waits in milliseconds, sorted.</returns>
    public async Task<(double RowsPerSecond, double[] Waits)> FreshnessAsync(double rowsPerSecond, int probes)
    {
        const int Connections = 8;
        using var load = new Load(address, _key, Connections);
        using var stop = new CancellationTokenSource();
        var sent = 0;
        var clock = Stopwatch.StartNew();
        var background = Enumerable.Range(0, Connections).Select(own => Task.Run(async () =>
        {
            // Each connection has every eighth push, all of them together the rate.
            for (var push = own; !stop.IsCancellationRequested && push < 1_000_000; push += Connections)
            {
                var ahead = TimeSpan.FromSeconds(push * 100 / rowsPerSecond) - clock.Elapsed;
                if (ahead > TimeSpan.Zero) await Task.Delay(ahead, CancellationToken.None);
                var (path, body) = Next(100);
                using var request = Load.Post(path, body);
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _key);
                using var answer = await load.Http.SendAsync(request, CancellationToken.None);
                answer.EnsureSuccessStatusCode();
                Interlocked.Increment(ref sent);
            }
        })).ToArray();

        using var http = new HttpClient { BaseAddress = address };
        var waits = new double[probes];
        for (var probe = 0; probe < probes; probe++) waits[probe] = await ProbeAsync(http, probe % datasets.Length);
        var reached = Volatile.Read(ref sent) * 100 / clock.Elapsed.TotalSeconds;
        await stop.CancelAsync();
        await Task.WhenAll(background);
        Array.Sort(waits);
        return (reached, waits);
    }

    /// <summary>Pushes one row into a window of its own, long before the load's, and polls until it is there.</summary>
    /// <param name="at">Number of the dataset.</param>
    /// <returns>Milliseconds from the acknowledgement to the first poll that shows it.</returns>
    public async Task<double> ProbeAsync(HttpClient http, int at)
    {
        var body = Encoding.UTF8.GetBytes($$"""{"station":"probe{{_probes[at]++}}","time":"2020-01-01T00:00:00Z","area":"{{Rows.AreaId(0)}}","no2":1}""");
        Expect(1);
        while (true)
        {
            using var request = Load.Post(PushPath(datasets[at]), body);
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _key);
            using var pushed = await http.SendAsync(request);
            if (pushed.StatusCode != HttpStatusCode.ServiceUnavailable)
            {
                pushed.EnsureSuccessStatusCode();
                break;
            }

            // Full: it is to come again.
            await Task.Delay(100);
        }

        var acknowledged = Stopwatch.GetTimestamp();
        while (true)
        {
            using var answer = await http.GetAsync($"/api/v1/indicators/{datasets[at]}-sum/values?level=0&from=2019-12-31T00:00:00Z&to=2020-01-03T00:00:00Z");
            answer.EnsureSuccessStatusCode();
            var rows = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("rows");
            if (rows.GetArrayLength() > 0 && rows[0].GetProperty("count").GetInt64() >= _probes[at]) return Stopwatch.GetElapsedTime(acknowledged).TotalMilliseconds;
            if (Stopwatch.GetElapsedTime(acknowledged) > TimeSpan.FromMinutes(2)) throw new InvalidOperationException("not visible after two minutes");
        }
    }

    /// <summary>A number made of 10,000 rows is explained, each time as of another moment, so that nothing is at hand.</summary>
    /// <returns>Milliseconds, sorted.</returns>
    public async Task<double[]> ExplainAsync(int probes)
    {
        var dataset = datasets[0];
        using var http = new HttpClient { BaseAddress = address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _key);
        var rows = string.Join(',', Enumerable.Range(0, 10_000).Select(i => $$"""{"station":"many{{i}}","time":"2019-06-01T10:00:00Z","area":"{{Rows.AreaId(0)}}","no2":{{i % 100}}}"""));
        await PushAsync($"[{rows}]");
        var waits = new double[probes];
        for (var probe = 0; probe < probes; probe++)
        {
            var watermark = await PushAsync($$"""[{"station":"many{{probe}}","time":"2019-06-01T10:00:00Z","area":"{{Rows.AreaId(0)}}","no2":{{probe % 7}}.5}]""");
            using var current = await http.GetAsync($"/api/v1/indicators/{dataset}-mean/values?from=2019-06-01T10:00:00Z&to=2019-06-01T11:00:00Z&watermark={watermark}");
            current.EnsureSuccessStatusCode();
            var clock = Stopwatch.StartNew();
            var page = JsonDocument.Parse(await http.GetStringAsync($"/api/v1/indicators/{dataset}-mean/explain?from=2019-06-01T10:00:00Z&area={Rows.AreaId(0)}&watermark={watermark}")).RootElement;
            waits[probe] = clock.Elapsed.TotalMilliseconds;
            if (page.GetProperty("rowCount").GetInt32() != 10_000 || page.GetProperty("value").GetDouble() != page.GetProperty("recomputed").GetDouble())
                throw new InvalidOperationException($"explained wrongly: {page.GetProperty("rowCount")} rows, {page.GetProperty("value")}, {page.GetProperty("recomputed")}");
        }

        Array.Sort(waits);
        return waits;

        async Task<string> PushAsync(string body)
        {
            using var push = await http.SendAsync(Load.Post(PushPath(dataset), Encoding.UTF8.GetBytes(body)));
            var answer = JsonDocument.Parse(await push.Content.ReadAsStringAsync()).RootElement;
            Interlocked.Add(ref _pushed, answer.GetProperty("accepted").GetInt32());
            return answer.GetProperty("watermark").GetString()!;
        }
    }

    /// <summary>What was measured is the real thing: keys are asked for, receipts are kept, every row is in history.</summary>
    /// <returns>Rows that history has.</returns>
    public async Task<long> AssertHonestAsync()
    {
        using var http = new HttpClient { BaseAddress = address };
        using (var refused = await http.SendAsync(Load.Post(PushPath(datasets[0]), Rows.Push(0, 1))))
        {
            if (refused.StatusCode != HttpStatusCode.Unauthorized) throw new InvalidOperationException("a push without a key was taken");
        }

        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _key);
        var (path, body) = Next(1);
        using var push = await http.SendAsync(Load.Post(path, body));
        var receipt = JsonDocument.Parse(await push.Content.ReadAsStringAsync()).RootElement.GetProperty("receipt").GetString();
        using (var kept = await http.GetAsync($"/api/v1/receipts/{receipt}")) kept.EnsureSuccessStatusCode();

        var accepted = await AcceptedAsync(http);
        return accepted >= _pushed ? accepted : throw new InvalidOperationException($"{_pushed} rows were pushed, {accepted} are counted");
    }

    /// <summary>Of the indicator that is polled, by the coarsest areas.</summary>
    public string PollPath => $"/api/v1/indicators/{datasets[0]}-{Indicators[0].Id}/latest?level=0";

    public static string PushPath(string dataset) => $"/api/v1/datasets/{dataset}/feeds/default/records";

    private (string Path, byte[] Body) Next(int rows)
    {
        var at = Interlocked.Increment(ref _turn) % datasets.Length;
        Interlocked.Add(ref _pushed, rows);
        return (PushPath(datasets[at]), Rows.Push(Interlocked.Add(ref _next[at], rows) - rows, rows));
    }

    /// <summary>Counts rows of a push that is made elsewhere; all of them must be accepted.</summary>
    public void Expect(int rows) => Interlocked.Add(ref _pushed, rows);

    /// <summary>Keeps the highest sequence that was acknowledged.</summary>
    /// <returns>The sequence of this push in its partition; 0 where it was not taken.</returns>
    public long Note(HttpResponseMessage answer)
    {
        if (answer.StatusCode != HttpStatusCode.OK) return 0;
        using var copy = new MemoryStream();
        answer.Content.ReadAsStream().CopyTo(copy);
        return Note(copy.GetBuffer().AsSpan(0, (int)copy.Length));
    }

    /// <inheritdoc cref="Note(HttpResponseMessage)"/>
    /// <param name="body">Of a receipt; anything may stand before it.</param>
    public long Note(ReadOnlySpan<byte> body)
    {
        var mark = body[(body.IndexOf("\"watermark\":\""u8) + 13)..];
        if (!Watermark.TryParse(Encoding.ASCII.GetString(mark[..mark.IndexOf((byte)'"')]), out var watermark)) return 0;
        _incarnation = watermark!.Incarnation;
        ref var highest = ref _sequences[Array.IndexOf(datasets, watermark.Dataset)];
        for (var seen = Volatile.Read(ref highest); watermark.Sequences[0] > seen; seen = Volatile.Read(ref highest)) Interlocked.CompareExchange(ref highest, watermark.Sequences[0], seen);
        return watermark.Sequences[0];
    }

    /// <summary>Until history has every row that was pushed and every indicator includes it.</summary>
    public async Task WaitAsync(HttpClient http)
    {
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _key);
        while (await AcceptedAsync(http) < _pushed) await Task.Delay(5);
        for (var at = 0; at < datasets.Length; at++)
        {
            if (_sequences[at] == 0) continue;
            var watermark = new Watermark(_incarnation, datasets[at], [_sequences[at]]);
            foreach (var (id, _, _) in Indicators)
            {
                HttpStatusCode status;
                do
                {
                    using var current = await http.GetAsync($"/api/v1/indicators/{datasets[at]}-{id}/latest?level=0&watermark={watermark}");
                    status = current.StatusCode;
                    if (status is not (HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable)) current.EnsureSuccessStatusCode();
                }
                while (status != HttpStatusCode.OK);
            }
        }
    }

    private async Task<long> AcceptedAsync(HttpClient http)
    {
        var accepted = 0L;
        foreach (var dataset in datasets)
        {
            var counts = JsonDocument.Parse(await http.GetStringAsync($"/api/v1/datasets/{dataset}/conservation")).RootElement;
            accepted += counts.GetProperty("feeds").EnumerateArray().Sum(feed => feed.GetProperty("accepted").GetInt64());
        }

        return accepted;
    }
}
