using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>
/// Stores the newest times of a partition's series: seldom, because nobody but a new writer of the log asks for them, and that one reads
/// from the log what is not stored yet. In steps, so that rows never wait long for it.
/// </summary>
/// <remarks>Not thread-safe. Nothing is lost with it: whatever is not stored is in the log.</remarks>
/// <param name="contracts">The dataset's contract in a version.</param>
/// <param name="rows">So many rows wait at least; with many series twice as many as there are series, up to ten times as many.</param>
internal sealed class SeriesTimes(string partition, ILogStore log, IHistoryStore history, Func<int, ValueTask<CompiledContract>> contracts, int rows = SeriesTimes.DefaultRows)
{
    /// <summary>A new writer reads ten times as many in less than half a second.</summary>
    public const int DefaultRows = 50_000;

    /// <summary>Series that are stored in one transaction.</summary>
    private const int Step = 10_000;

    private readonly NewestPerSeries _newest = new();
    private (ArraySegment<KeyValuePair<byte[], long>> Left, long UpTo)? _storing;
    private long _stored;
    private long _from;
    private int _waiting;

    /// <summary>Since the start rows have come that are told by their series.</summary>
    public bool HasNews { get; private set; }

    /// <summary>Begins anew where history stands.</summary>
    public void Start(HistoryPosition position)
    {
        _newest.Clear();
        _storing = null;
        HasNews = false;
        (_stored, _from) = (position.Series, position.Sequence);
        // What those before have left is stored soon, or it could become more and more.
        _waiting = _stored < _from ? 10 * rows : 0;
    }

    /// <summary>Takes in what history has stored.</summary>
    public async ValueTask AddAsync(IReadOnlyList<HistoryBatch> batches)
    {
        foreach (var (batch, _) in batches)
        {
            if (batch.Rows.Count == 0 || await contracts(batch.ContractVersion) is not { KeyIsSeriesAndTime: true } contract) continue;
            HasNews = true;
            _newest.Add(contract, batch);
            _waiting += batch.Rows.Count;
        }
    }

    /// <summary>Takes a step where there is one to take.</summary>
    /// <param name="sequence">Where history stands.</param>
    /// <returns>False: somebody else writes history.</returns>
    public async Task<bool> StoreNextAsync(long sequence)
    {
        if (!HasNews || (_storing is null && _waiting < Math.Clamp(2 * _newest.Count, rows, 10 * rows))) return true;
        return await StoreAsync(sequence);
    }

    /// <summary>Stores all there are.</summary>
    /// <inheritdoc cref="StoreNextAsync"/>
    public async Task<bool> StoreAllAsync(long sequence)
    {
        while (_stored < sequence)
        {
            if (!await StoreAsync(sequence)) return false;
        }

        return true;
    }

    private async Task<bool> StoreAsync(long sequence)
    {
        if (_storing is null)
        {
            _storing = (await CollectAsync(), sequence);
            (_from, _waiting) = (sequence, 0);
            _newest.Clear();
        }

        var (left, upTo) = _storing.Value;
        var step = left[..Math.Min(Step, left.Count)];
        left = left[step.Count..];
        if (!await history.RaiseSeriesAsync(partition, sequence, step, left.Count == 0 ? upTo : null, CancellationToken.None)) return false;
        _storing = left.Count == 0 ? null : (left, upTo);
        if (_storing is null) _stored = upTo;
        return true;
    }

    /// <summary>All since what is stored; what those before have left is read from the log.</summary>
    private async Task<KeyValuePair<byte[], long>[]> CollectAsync()
    {
        for (var after = _stored; after < _from;)
        {
            var batches = await log.ReadPartitionAsync(partition, after, maxBatches: 1_000, maxBytes: 16 << 20, CancellationToken.None);
            if (batches.Count == 0) throw new InvalidOperationException($"the log of {partition} ends at {after} instead of {_from}");
            foreach (var batch in batches)
            {
                if (batch.Sequence <= _from && batch.Rows.Count > 0) _newest.Add(await contracts(batch.ContractVersion), batch);
            }

            after = batches[^1].Sequence;
        }

        return _newest.Sorted();
    }
}
