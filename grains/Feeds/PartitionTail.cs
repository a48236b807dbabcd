using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>
/// The batches of a partition that history may not have yet, with what they made of their keys. Keys are indexed when
/// first asked for: a feed that only grows never pays for it.
/// </summary>
internal sealed class PartitionTail
{
    private readonly Queue<Entry> _entries = new();
    private readonly Queue<Entry> _unindexed = new();
    private readonly Dictionary<byte[], Standing> _standing = new(ByteKeyComparer.Instance);

    /// <summary>Rows held.</summary>
    public int Rows { get; private set; }

    /// <summary>History had everything up to here when the tail was last cut.</summary>
    public long From { get; private set; }

    public PartitionTail(long from) => From = from;

    /// <summary>Takes the next batch of the partition.</summary>
    public void Add(LogBatch batch, CompiledContract contract)
    {
        var entry = new Entry(batch, contract);
        _entries.Enqueue(entry);
        _unindexed.Enqueue(entry);
        Rows += batch.Rows.Count;
    }

    /// <summary>Forgets what history has.</summary>
    public void CutTo(long sequence)
    {
        if (sequence <= From) return;
        From = sequence;
        while (_entries.TryPeek(out var entry) && entry.Batch.Sequence <= sequence)
        {
            _entries.Dequeue();
            Rows -= entry.Batch.Rows.Count;
            if (entry.Keys is null)
            {
                // Entries are indexed in order, so one that is not is the oldest of those.
                _unindexed.Dequeue();
                continue;
            }

            foreach (var key in entry.Keys)
            {
                if (_standing.TryGetValue(key, out var standing) && standing.Sequence <= sequence) _standing.Remove(key);
            }
        }
    }

    /// <summary>Whether the tail knows the key; then what stands under it, null for a retracted one.</summary>
    public bool TryFind(byte[] key, out StandingRow? row)
    {
        while (_unindexed.TryDequeue(out var entry)) Index(entry);
        if (!_standing.TryGetValue(key, out var standing))
        {
            row = null;
            return false;
        }

        row = standing.Change == RowChange.Retraction
            ? null
            : new(RowPacking.Pack(standing.Batch.Rows, standing.Row), standing.Batch.Rows.AreaId(standing.Row), standing.Batch.ContractVersion);
        return true;
    }

    /// <summary>Quarantined rows, by sequence and index, that the batches held have settled.</summary>
    public HashSet<(long Sequence, int Index)> Settled() =>
        [.. _entries.Where(entry => entry.Batch.Act is not null).SelectMany(entry => entry.Batch.Act!.Rows).Select(row => (row.Sequence, row.Index))];

    /// <summary>Rows that a feed brought with the batches held after a sequence and since an instant.</summary>
    public long Received(string feed, long after, DateTimeOffset since) => _entries
        .Where(entry => entry.Batch.Sequence > after && entry.Batch.Push?.Feed == feed && entry.Batch.ReceivedAt >= since)
        .Sum(entry => (long)entry.Batch.Push!.Counts.Received);

    /// <summary>Adds the newest times of the rows held.</summary>
    public void AddTo(NewestPerSeries newest)
    {
        foreach (var entry in _entries) newest.Add(entry.Contract, entry.Batch);
    }

    private void Index(Entry entry)
    {
        var batch = entry.Batch;
        var keys = new byte[batch.Rows.Count][];
        for (var row = 0; row < keys.Length; row++)
        {
            keys[row] = RowKeys.Key(entry.Contract, batch.Rows, row);
            _standing[keys[row]] = new(batch, row, batch.Changes[row], batch.Sequence);
        }

        entry.Keys = keys;
    }

    private sealed record Standing(LogBatch Batch, int Row, RowChange Change, long Sequence);

    private sealed class Entry(LogBatch batch, CompiledContract contract)
    {
        public LogBatch Batch => batch;

        public CompiledContract Contract => contract;

        public byte[][]? Keys { get; set; }
    }
}
