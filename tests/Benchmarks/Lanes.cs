using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;

namespace DataHub.Benchmarks;

/// <summary>Pushes into one dataset over keep-alive connections, one for each lane of the rows, which goes on from push to push.</summary>
internal sealed class Lanes(HubUnderLoad hub, string dataset, SeriesRows rows)
{
    private static readonly TimeSpan s_comeAgain = TimeSpan.FromMilliseconds(100);

    private readonly long[] _next = new long[rows.Lanes];
    private int _refusals;

    /// <summary>Pushes that were asked to come again so far.</summary>
    public int Refusals => Volatile.Read(ref _refusals);

    /// <summary>Pushes so many rows, as fast as they are taken or at a rate, and waits until folds and history have them.</summary>
    /// <param name="rowsPerSecond">Over all lanes; null: no limit.</param>
    /// <param name="acknowledged">Is told the sequence of each push and when it was acknowledged (<see cref="Stopwatch.GetTimestamp"/>).</param>
    /// <returns>Rows pushed and the time until folds and history had them.</returns>
    public async Task<(long Rows, TimeSpan Time)> PushAsync(
        long count, int perPush, RowKind kind = RowKind.Growing, double? rowsPerSecond = null, Action<long, long>? acknowledged = null, CancellationToken stop = default)
    {
        using var load = new Load(hub.Address, hub.Key, rows.Lanes);
        var pushes = (count + perPush - 1) / perPush;
        var sent = 0L;
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, rows.Lanes).Select(lane => Task.Run(async () =>
        {
            for (var push = (long)lane; push < pushes && !stop.IsCancellationRequested; push += rows.Lanes)
            {
                if (rowsPerSecond is { } rate && TimeSpan.FromSeconds(push * perPush / rate) - clock.Elapsed is var ahead && ahead > TimeSpan.Zero)
                {
                    await Task.Delay(ahead, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    if (stop.IsCancellationRequested) return;
                }

                hub.Expect(perPush);
                var sequence = await SendAsync(load.Http, rows.Push(lane, _next[lane], perPush, kind));
                acknowledged?.Invoke(sequence, Stopwatch.GetTimestamp());
                _next[lane] += perPush;
                Interlocked.Add(ref sent, perPush);
            }
        })));
        await hub.WaitAsync(load.Http);
        return (sent, clock.Elapsed);
    }

    /// <returns>The push's sequence. One that is asked to come again does.</returns>
    private async Task<long> SendAsync(HttpClient http, byte[] body)
    {
        while (true)
        {
            using var request = Load.Post(HubUnderLoad.PushPath(dataset), body);
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", hub.Key);
            using var answer = await http.SendAsync(request);
            var sequence = hub.Note(answer);
            if (sequence > 0) return sequence;
            if (answer.StatusCode != HttpStatusCode.ServiceUnavailable) throw new InvalidOperationException($"{dataset}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
            Interlocked.Increment(ref _refusals);
            await Task.Delay(s_comeAgain);
        }
    }
}
