using System.Collections.Concurrent;

namespace DataHub.Feeds;

/// <summary>
/// The newest batches of the shards that are written in this process: the stream provider sees at once, and without
/// asking the store, what was committed a moment ago. Only a shortcut; all of it stands in the log.
/// </summary>
internal sealed class LogTails : ILogNotifier
{
    /// <summary>Batches and rows kept per shard; whoever is further behind reads the store.</summary>
    private const int MaxBatches = 4_096;
    private const int MaxRows = 200_000;

    /// <summary>A reader asks every 50 ms at the latest, unless what it delivers is waited for.</summary>
    private const long ReaderIsGoneAfterMilliseconds = 250;

    private readonly ConcurrentDictionary<int, Tail> _tails = new();
    private readonly ConcurrentDictionary<int, long> _announced = new();
    private readonly ConcurrentDictionary<int, TaskCompletionSource> _readers = new();
    private readonly ConcurrentDictionary<int, long> _readAt = new();

    public void Appended(int shard, IReadOnlyList<LogBatch> batches)
    {
        _tails.GetOrAdd(shard, _ => new()).Add(batches);
        Wake(shard);
    }

    /// <summary>
    /// Batches after a position, in order, where they are all still kept.
    /// </summary>
    /// <returns>Null where the store must be asked; empty where nothing is newer as far as this process knows.</returns>
    public IReadOnlyList<LogBatch>? TryRead(int shard, long after, int maxBatches)
    {
        _readAt[shard] = Environment.TickCount64;
        return _tails.TryGetValue(shard, out var tail) ? tail.TryRead(after, maxBatches) : null;
    }

    /// <summary>Whether the shard's reader is in this process: it asked a moment ago. Then no other process need be told.</summary>
    public bool IsReadHere(int shard) => _readAt.TryGetValue(shard, out var at) && Environment.TickCount64 - at < ReaderIsGoneAfterMilliseconds;

    /// <summary>Another process has written up to a position; its batches stand in the log.</summary>
    public void Announce(int shard, long position)
    {
        _announced.AddOrUpdate(shard, position, (_, known) => Math.Max(known, position));
        Wake(shard);
    }

    /// <summary>Whether another process is known to have written beyond a position.</summary>
    public bool HasMore(int shard, long after) => _announced.TryGetValue(shard, out var position) && position > after;

    /// <summary>Waits until something beyond a position may be known. A shard has one reader.</summary>
    /// <param name="patience">The longest wait.</param>
    public async Task WaitAsync(int shard, long after, TimeSpan patience, CancellationToken cancellationToken)
    {
        var woken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _readers[shard] = woken;
        // Whoever came before this line is seen here, whoever comes after it wakes.
        if (HasMore(shard, after) || TryRead(shard, after, 1) is { Count: > 0 }) return;
        await woken.Task.WaitAsync(patience, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    private void Wake(int shard)
    {
        if (_readers.TryRemove(shard, out var reader)) reader.TrySetResult();
    }

    private sealed class Tail
    {
        private readonly Lock _gate = new();
        private readonly LinkedList<LogBatch> _batches = new();
        private int _rows;

        public void Add(IReadOnlyList<LogBatch> batches)
        {
            lock (_gate)
            {
                // A writer that took over from another process leaves a hole: what is older is the store's.
                if (_batches.Last is { } last && batches[0].Position != last.Value.Position + 1)
                {
                    _batches.Clear();
                    _rows = 0;
                }

                foreach (var batch in batches)
                {
                    _batches.AddLast(batch);
                    _rows += batch.Rows.Count;
                }

                while (_batches.Count > MaxBatches || (_rows > MaxRows && _batches.Count > 1))
                {
                    _rows -= _batches.First!.Value.Rows.Count;
                    _batches.RemoveFirst();
                }
            }
        }

        public List<LogBatch>? TryRead(long after, int maxBatches)
        {
            lock (_gate)
            {
                if (_batches.First is not { } first || first.Value.Position > after + 1) return null;
                var last = _batches.Last!.Value.Position;
                if (last <= after) return [];

                var read = new List<LogBatch>((int)Math.Min(last - after, maxBatches));
                // Readers are almost always at the end: walk back from there.
                var node = _batches.Last!;
                while (node.Value.Position > after + 1) node = node.Previous!;
                for (; node is not null && read.Count < maxBatches; node = node.Next!) read.Add(node.Value);
                return read;
            }
        }
    }
}
