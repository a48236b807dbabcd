using Microsoft.Extensions.Logging;

namespace DataHub.Feeds;

/// <summary>
/// Writes one partition's batches into history, in order, each run of them with its position in one transaction
/// (design §2.6, I4). Batches handed in are a hint; what is missing is read from the log.
/// </summary>
/// <remarks>Not thread-safe: one activation's turns, or one test.</remarks>
internal sealed partial class PartitionHistory(
    string partition,
    ILogStore log,
    IHistoryStore history,
    IContractSource contracts,
    ILogger<PartitionHistory> logger,
    int seriesRows = SeriesTimes.DefaultRows)
{
    /// <summary>Rows in one transaction, unless a single batch has more.</summary>
    private const int MaxRowsPerCommit = 20_000;

    /// <summary>So many days are counted at once; rows of more are rarely read.</summary>
    private const int MaxCountedDays = 10_000;

    private readonly string _dataset = PartitionKeys.Dataset(partition);
    private readonly SeriesTimes _series = new(partition, log, history, version => contracts.GetAsync(PartitionKeys.Dataset(partition), version), seriesRows);
    private readonly Dictionary<long, int> _runs = [];
    private bool _started;

    /// <summary>Stored up to here.</summary>
    public long Sequence { get; private set; }

    /// <summary>Accepted rows stored, ever.</summary>
    public long Accepted { get; private set; }

    /// <summary>Another activation writes this partition: give way.</summary>
    public bool IsSuperseded { get; private set; }

    /// <summary>Why the partition stands still; null while it does not.</summary>
    public string? Halted { get; private set; }

    /// <summary>Reads where history stands; what is ahead of the log (files of different moments) is forgotten and written anew.</summary>
    public async Task StartAsync()
    {
        var position = await history.PositionAsync(partition, CancellationToken.None);
        if (position.Sequence > 0 && position.Sequence > await log.HeadAsync(partition, CancellationToken.None))
        {
            LogAhead(partition, position.Sequence);
            await history.ResetAsync(partition, CancellationToken.None);
            position = default;
        }

        (Sequence, Accepted) = (position.Sequence, position.Accepted);
        _series.Start(position);
        _started = true;
    }

    /// <summary>Stores what the batches hold beyond <see cref="Sequence"/>, reading the log where they leave a gap.</summary>
    public async Task ApplyAsync(IReadOnlyList<LogBatch> batches)
    {
        if (batches.Count == 0) return;
        await GuardAsync(async () =>
        {
            if (batches[0].Sequence > Sequence + 1) await ReadLogAsync(batches[0].Sequence - 1);
            await StoreAsync(batches);
        });
    }

    /// <summary>Stores everything up to a sequence, as far as the log has it.</summary>
    public Task ReachAsync(long sequence) => sequence <= Sequence && _started ? Task.CompletedTask : GuardAsync(() => ReadLogAsync(sequence));

    /// <summary>Whether the newest times of series may have come that are not stored.</summary>
    public bool HasSeriesNews => _series.HasNews;

    /// <summary>Stores the newest times of all series, too.</summary>
    /// <returns>Whether they are stored.</returns>
    public async Task<bool> StoreSeriesAsync()
    {
        await GuardAsync(async () =>
        {
            if (!await _series.StoreAllAsync(Sequence)) IsSuperseded = true;
        });
        return Halted is null && !IsSuperseded;
    }

    private async Task GuardAsync(Func<Task> work)
    {
        if (IsSuperseded) return;
        try
        {
            if (!_started) await StartAsync();
            await work();
            Halted = null;
        }
        catch (Exception e)
        {
            // The transaction may have happened: before the next attempt the position is read again.
            _started = false;
            Halted = e.Message;
            LogHalted(e, partition, Sequence);
        }
    }

    private async Task ReadLogAsync(long upTo)
    {
        while (Sequence < upTo && !IsSuperseded)
        {
            var batches = await log.ReadPartitionAsync(partition, Sequence, maxBatches: 1_000, maxBytes: 16 << 20, CancellationToken.None);
            if (batches.Count == 0) return;
            await StoreAsync(batches);
        }
    }

    private async Task StoreAsync(IReadOnlyList<LogBatch> batches)
    {
        var prepared = new List<HistoryBatch>();
        var rows = 0;
        foreach (var batch in batches)
        {
            if (batch.Sequence <= Sequence) continue;
            if (rows > 0 && rows + batch.Rows.Count > MaxRowsPerCommit)
            {
                if (!await CommitAsync(prepared)) return;
                prepared.Clear();
                rows = 0;
            }

            prepared.Add(await PrepareAsync(batch));
            rows += batch.Rows.Count + batch.Quarantined.Length;
        }

        if (prepared.Count > 0) await CommitAsync(prepared);
    }

    private async Task<bool> CommitAsync(List<HistoryBatch> batches)
    {
        if (!await history.ApplyAsync(partition, Sequence, batches, CancellationToken.None))
        {
            IsSuperseded = true;
            return false;
        }

        Sequence = batches[^1].Batch.Sequence;
        foreach (var prepared in batches) Accepted += prepared.Accepted;
        await _series.AddAsync(batches);
        return await JoinAsync(batches) && await RaiseSeriesAsync();
    }

    private async Task<bool> RaiseSeriesAsync()
    {
        try
        {
            if (await _series.StoreNextAsync(Sequence)) return true;
            IsSuperseded = true;
            return false;
        }
        catch (Exception e)
        {
            // What is stored is stored; a new writer only reads more of the log, until the next attempt.
            LogNotRaised(e, partition, Sequence);
            return true;
        }
    }

    /// <summary>Joins what lies under many transactions of one day. Those of before the activation are not counted: they are joined with the next.</summary>
    private async Task<bool> JoinAsync(List<HistoryBatch> batches)
    {
        var days = new HashSet<long>();
        var last = long.MinValue;
        foreach (var batch in batches)
        {
            if (!batch.KeyHasTime) continue;
            foreach (ref readonly var change in batch.Changes.AsSpan())
            {
                // Rows of a batch mostly are of one day.
                if (SegmentRules.Day(change.Time) is var day && day != last) days.Add(last = day);
            }
        }

        if (_runs.Count + days.Count > MaxCountedDays) _runs.Clear();
        foreach (var day in days)
        {
            if ((_runs[day] = _runs.GetValueOrDefault(day) + 1) < SegmentRules.MaxRuns) continue;
            _runs.Remove(day);
            try
            {
                if (await history.JoinAsync(partition, Sequence, day, CancellationToken.None)) continue;
                IsSuperseded = true;
                return false;
            }
            catch (Exception e)
            {
                // What is stored is stored; it is only read more slowly, until the next attempt.
                LogNotJoined(e, partition, day);
            }
        }

        return true;
    }

    private async ValueTask<HistoryBatch> PrepareAsync(LogBatch batch)
    {
        if (batch.Rows.Count == 0) return new(batch, []);
        var contract = await contracts.GetAsync(_dataset, batch.ContractVersion);
        var changes = new HistoryChange[batch.Rows.Count];
        for (var row = 0; row < changes.Length; row++)
        {
            var retraction = batch.Changes[row] == RowChange.Retraction;
            changes[row] = new(
                batch.Changes[row],
                RowKeys.Key(contract, batch.Rows, row),
                retraction && !contract.KeyHasTime ? long.MinValue : contract.TimeTicks(batch.Rows, row),
                retraction ? null : batch.Rows.AreaId(row),
                retraction ? null : RowPacking.Pack(batch.Rows, row));
        }

        return new(batch, changes) { KeyHasTime = contract.KeyHasTime };
    }

    [LoggerMessage(1110, LogLevel.Error, "History of {Partition} stands still after sequence {Sequence}; it is tried again")]
    private partial void LogHalted(Exception exception, string partition, long sequence);

    [LoggerMessage(1115, LogLevel.Error, "Segments of {Partition} of day {Day} were not joined; it is tried again")]
    private partial void LogNotJoined(Exception exception, string partition, long day);

    [LoggerMessage(1116, LogLevel.Error, "The newest times of series of {Partition} were not stored at sequence {Sequence}; it is tried again")]
    private partial void LogNotRaised(Exception exception, string partition, long sequence);

    [LoggerMessage(1111, LogLevel.Warning, "History of {Partition} stood at {Sequence}, ahead of the log; it is written anew")]
    private partial void LogAhead(string partition, long sequence);
}
