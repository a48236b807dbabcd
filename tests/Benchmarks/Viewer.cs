using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;

using DataHub.Feeds;

namespace DataHub.Benchmarks;

/// <summary>Someone who watches an indicator's changes, and notes when each event came.</summary>
internal sealed class Viewer(RawConnection connection, ConcurrentDictionary<string, long> sequences) : IDisposable
{
    private const int LongestWatermark = 512;

    private static readonly byte[] s_watermark = "\"watermark\":\""u8.ToArray();

    private readonly List<(long Sequence, long At)> _events = [];
    private byte[] _rest = [];

    /// <summary>Completes once the state has come.</summary>
    public TaskCompletionSource First { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The sequences of the events in their order, and when each came (<see cref="Stopwatch.GetTimestamp"/>).</summary>
    public IReadOnlyList<(long Sequence, long At)> Events => _events;

    /// <summary>Watches until it is told to stop.</summary>
    public async Task WatchAsync(string path, CancellationToken stop)
    {
        try
        {
            await connection.SendAsync(connection.Request(path), stop);
            while (true)
            {
                var came = await connection.ReceiveAsync(stop);
                Read(came, Stopwatch.GetTimestamp());
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Enough was seen.
        }
        catch (Exception e)
        {
            if (!First.TrySetException(e)) throw;
        }
    }

    public void Dispose() => connection.Dispose();

    /// <summary>Finds the watermarks in what came. One that is cut off, in its name or its text, is kept for the next time.</summary>
    private void Read(ReadOnlyMemory<byte> came, long at)
    {
        var text = _rest.Length == 0 ? came.Span : [.. _rest, .. came.Span];
        if (!First.Task.IsCompleted && text.StartsWith("HTTP/1.1 "u8) && !text.StartsWith("HTTP/1.1 200"u8)) throw new InvalidOperationException(Encoding.UTF8.GetString(text));
        while (text.IndexOf(s_watermark) is >= 0 and var found)
        {
            var mark = text[(found + s_watermark.Length)..];
            var end = mark.IndexOf((byte)'"');
            if (end < 0)
            {
                _rest = mark.Length <= LongestWatermark ? text[found..].ToArray() : throw new InvalidOperationException("a watermark does not end");
                return;
            }

            // All viewers are told the same few.
            _events.Add((sequences.GetOrAdd(Encoding.ASCII.GetString(mark[..end]), Sequence), at));
            First.TrySetResult();
            text = mark[end..];
        }

        _rest = text[Math.Max(0, text.Length - s_watermark.Length)..].ToArray();
    }

    private static long Sequence(string text) => Watermark.TryParse(text, out var watermark) ? watermark!.Sequences[0] : throw new InvalidOperationException($"not a watermark: {text}");
}
