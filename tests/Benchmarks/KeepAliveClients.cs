using System.Diagnostics;
using System.Text;

namespace DataHub.Benchmarks;

/// <summary>
/// Clients such as gateways of sensors: each keeps one connection, has a series of its own, and pushes one row, waits for
/// the receipt, and pushes the next.
/// </summary>
/// <param name="key">May push; null: none is asked for.</param>
/// <param name="hub">Counts the rows; null: nothing does.</param>
internal sealed class KeepAliveClients(Uri address, string path, string? key, SeriesRows rows, HubUnderLoad? hub, CancellationToken stop) : IDisposable
{
    private const int OpeningAtOnce = 64;

    private static readonly TimeSpan s_comeAgain = TimeSpan.FromMilliseconds(100);

    private readonly RawConnection?[] _connections = new RawConnection?[rows.Lanes];
    private readonly long[] _next = new long[rows.Lanes];
    private readonly string _head =
        $"POST {path} HTTP/1.1\r\nHost: {address.Authority}\r\n{(key is null ? "" : $"Authorization: Bearer {key}\r\n")}Content-Type: application/json\r\nContent-Length: ";
    private int _refusals;

    /// <summary>Pushes that were asked to come again so far.</summary>
    public int Refusals => Volatile.Read(ref _refusals);

    /// <summary>Opens the first so many connections, as far as they are not open, and pushes one row over each.</summary>
    public Task OpenAsync(int count) => Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = OpeningAtOnce, CancellationToken = stop }, async (client, _) =>
    {
        _connections[client] ??= await RawConnection.OpenAsync(address, stop);
        Note(await PushAsync(client));
    });

    /// <summary>Closes all connections.</summary>
    public void Close()
    {
        for (var client = 0; client < _connections.Length; client++)
        {
            _connections[client]?.Dispose();
            _connections[client] = null;
        }
    }

    /// <summary>Pushes over all open connections at once. What was sent in time is waited for.</summary>
    /// <param name="every">How often each client pushes; null: again at once.</param>
    /// <returns>
    /// Pushes, and milliseconds until each was acknowledged, sorted. One that had to wait for its client's last receipt
    /// waits since it was due.
    /// </returns>
    public async Task<(int Pushes, double[] Waits)> PushAsync(TimeSpan time, TimeSpan? every = null)
    {
        var open = Enumerable.Range(0, _connections.Length).Where(client => _connections[client] is not null).ToArray();
        var clock = Stopwatch.StartNew();
        var waits = await Task.WhenAll(open.Select((client, place) => Task.Run(() => RunAsync(client, clock, time, every, place / (double)open.Length), stop)));
        return (waits.Sum(own => own.Count), [.. waits.SelectMany(own => own).Order()]);
    }

    /// <param name="offset">Part of a turn by which this client is later than the first, so that all are spread over it.</param>
    private async Task<List<double>> RunAsync(int client, Stopwatch clock, TimeSpan time, TimeSpan? every, double offset)
    {
        var waits = new List<double>();
        ReadOnlyMemory<byte> last = default;
        for (var push = 0; ; push++)
        {
            var begin = clock.Elapsed;
            if (every is { } turn)
            {
                var due = turn * (push + offset);
                if (due >= time) break;
                if (due > begin)
                {
                    await Task.Delay(due - begin, stop);
                    begin = clock.Elapsed;
                }
                else
                {
                    begin = due;
                }
            }
            else if (begin >= time)
            {
                break;
            }

            last = await PushAsync(client);
            waits.Add((clock.Elapsed - begin).TotalMilliseconds);
        }

        Note(last);
        return waits;
    }

    /// <returns>The answer's bytes, until the next push. One that is asked to come again does.</returns>
    private async Task<ReadOnlyMemory<byte>> PushAsync(int client)
    {
        hub?.Expect(1);
        var body = rows.Push(client, _next[client]++, 1, RowKind.Growing);
        byte[] request = [.. Encoding.ASCII.GetBytes($"{_head}{body.Length}\r\n\r\n"), .. body];
        while (true)
        {
            await _connections[client]!.SendAsync(request, stop);
            var (status, answer) = await _connections[client]!.WholeAsync(stop);
            if (status == 200) return answer;
            if (status != 503) throw new InvalidOperationException($"{path}: {Encoding.UTF8.GetString(answer.Span)}");
            Interlocked.Increment(ref _refusals);
            await Task.Delay(s_comeAgain, stop);
        }
    }

    private void Note(ReadOnlyMemory<byte> answer)
    {
        if (hub is not null && !answer.IsEmpty) hub.Note(answer.Span);
    }

    public void Dispose() => Close();
}
