using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace DataHub.Benchmarks;

/// <summary>
/// How long the pushes of one agency take while another floods: held by its quota, and without one. Nobody waits where a
/// flooding client is told to. The rounds take turns, so that whatever else the machine does falls on all of them.
/// </summary>
internal sealed class Fair(int seconds, int repeats) : IAsyncDisposable
{
    private const int CalmConnections = 4;
    private const int FloodConnections = 16;
    private const int Quota = 1_000;

    private static readonly TimeSpan s_calmEvery = TimeSpan.FromMilliseconds(25);

    private readonly EmbeddedHub _process = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly long[] _next = new long[CalmConnections + FloodConnections];
    private HubUnderLoad _calm = null!;
    private HubUnderLoad _flood = null!;

    public async Task<int> RunAsync()
    {
        await _process.StartAsync();
        _calm = new(_process.Address, "calm") { Agency = "calm" };
        _flood = new(_process.Address, "flood") { Agency = "flood" };
        await _calm.DescribeAsync(_process.AdminKey);
        await _flood.DescribeAsync(_process.AdminKey);

        (string Name, bool Held, int RowsPerPush)[] rounds =
        [
            ("nobody else", false, 0), ($"16 connections, 100 rows a push, held to {Quota:N0} rows/s", true, 100), ("16 connections, 100 rows a push, no quota", false, 100), ("16 connections, 10,000 rows a push, no quota", false, 10_000),
        ];
        var waits = rounds.Select(_ => new List<double>()).ToArray();
        var taken = new long[rounds.Length];
        var refused = new long[rounds.Length];
        // Until the code that the hub runs is compiled for good.
        for (var warm = 0; warm < 2; warm++)
        {
            foreach (var (_, held, size) in rounds) await RoundAsync(held, size);
        }

        for (var repeat = 0; repeat < repeats; repeat++)
        {
            for (var round = 0; round < rounds.Length; round++)
            {
                var (own, rows, no) = await RoundAsync(rounds[round].Held, rounds[round].RowsPerPush);
                waits[round].AddRange(own);
                taken[round] += rows;
                refused[round] += no;
            }
        }

        Console.WriteLine(Table.Machine(repeats));
        Console.WriteLine();
        Console.WriteLine("| who floods beside it | a push of one row, p50 / p99 in ms | p99 beside nobody | goal | rows/s of the flood | its 429 and 503 a second |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: | ---: |");
        double[] alone = [.. waits[0].Order()];
        for (var round = 0; round < rounds.Length; round++)
        {
            double[] sorted = [.. waits[round].Order()];
            var time = (double)seconds * repeats;
            Console.WriteLine($"| {rounds[round].Name} | {Scale.Waits(sorted)} | {At99(sorted) / At99(alone):F2} | {(rounds[round].Held ? "≤ 1.33" : "–")} | {taken[round] / time:N0} | {refused[round] / time:N0} |");
        }

        return 0;
    }

    private static double At99(double[] sorted) => sorted[(int)(sorted.Length * 0.99)];

    /// <param name="rowsPerPush">Of the flood; 0: there is none.</param>
    /// <returns>Milliseconds of the calm agency's pushes; rows of the flood that were taken, and its pushes that were not.</returns>
    private async Task<(List<double> Waits, long Taken, long Refused)> RoundAsync(bool held, int rowsPerPush)
    {
        using var admin = new HttpClient { BaseAddress = _process.Address };
        admin.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _process.AdminKey);
        using var set = await admin.PutAsync("/api/v1/agencies/flood/quota", new StringContent($$"""{ "rowsPerSecond": {{(held ? Quota : 0)}} }""", Encoding.UTF8, "application/json"), _stop.Token);
        set.EnsureSuccessStatusCode();
        await RestAsync(admin);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var (taken, refused) = (0L, 0L);
        using var flood = new Load(_process.Address, _flood.Key, FloodConnections);
        var flooding = rowsPerPush == 0 ? [] : Enumerable.Range(0, FloodConnections).Select(connection => Task.Run(async () =>
        {
            while (!end.IsCancellationRequested)
            {
                try
                {
                    var body = Rows(CalmConnections + connection, rowsPerPush);
                    var status = await PushAsync(flood.Http, _flood.Key, "flood", body, end.Token);
                    if (status == HttpStatusCode.OK) Interlocked.Add(ref taken, rowsPerPush);
                    else if (status is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable) Interlocked.Increment(ref refused);
                    else throw new InvalidOperationException($"flood: {(int)status}");
                }
                catch (OperationCanceledException) when (end.IsCancellationRequested)
                {
                    return;
                }
            }
        })).ToArray();

        // Until the flood has met its limit.
        if (rowsPerPush > 0) await Task.Delay(TimeSpan.FromSeconds(held ? 5 : 1), _stop.Token);
        (taken, refused) = (0, 0);
        var waits = new ConcurrentBag<double>();
        var clock = Stopwatch.StartNew();
        using (var calm = new Load(_process.Address, _calm.Key, CalmConnections))
        {
            await Task.WhenAll(Enumerable.Range(0, CalmConnections).Select(connection => Task.Run(async () =>
            {
                for (var push = 0; s_calmEvery * push < TimeSpan.FromSeconds(seconds); push++)
                {
                    var due = (s_calmEvery * push) + (s_calmEvery * connection / CalmConnections);
                    if (due > clock.Elapsed) await Task.Delay(due - clock.Elapsed, _stop.Token);
                    var body = Rows(connection, 1);
                    var begin = Stopwatch.GetTimestamp();
                    var status = await PushAsync(calm.Http, _calm.Key, "calm", body, _stop.Token);
                    waits.Add(Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
                    if (status != HttpStatusCode.OK) throw new InvalidOperationException($"calm: {(int)status}");
                }
            })));
        }

        await end.CancelAsync();
        await Task.WhenAll(flooding);
        return ([.. waits], taken, refused);
    }

    /// <summary>Until folds and history have what the round before left, and a moment longer.</summary>
    private async Task RestAsync(HttpClient admin)
    {
        foreach (var dataset in new[] { "calm", "flood" })
        {
            while (true)
            {
                using var answer = JsonDocument.Parse(await admin.GetStringAsync($"/api/v1/datasets/{dataset}/conservation", _stop.Token));
                if (answer.RootElement.GetProperty("consumers").EnumerateArray().All(consumer => consumer.GetProperty("notYetApplied").GetInt64() == 0)) break;
                await Task.Delay(200, _stop.Token);
            }
        }

        await Task.Delay(TimeSpan.FromSeconds(2), _stop.Token);
    }

    private byte[] Rows(int lane, int rows)
    {
        var first = _next[lane];
        _next[lane] += rows;
        return new SeriesRows(_next.Length * 10, _next.Length).Push(lane, first, rows, RowKind.Growing);
    }

    private static async Task<HttpStatusCode> PushAsync(HttpClient http, string key, string dataset, byte[] body, CancellationToken stop)
    {
        using var request = Load.Post(HubUnderLoad.PushPath(dataset), body);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var answer = await http.SendAsync(request, stop);
        await answer.Content.CopyToAsync(Stream.Null, stop);
        return answer.StatusCode;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _process.DisposeAsync();
        _stop.Dispose();
    }
}
