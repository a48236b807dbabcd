using System.Diagnostics;

using DataHub.Feeds;

using Microsoft.Extensions.Logging;

namespace DataHub.Indicators;

/// <summary>
/// Folds one partition into the cells of all its definitions (design §2.5). Batches handed in are a hint; what is
/// missing is read from the log. Changed cells and positions are stored together, conditional on the positions found.
/// </summary>
/// <remarks>
/// Not thread-safe: one activation's turns, or one test. After a fault everything in memory is dropped and read again:
/// a store call whose answer was lost may have happened.
/// </remarks>
internal sealed partial class PartitionFold(
    string partition,
    ILogStore log,
    IHistoryStore history,
    ICellStore cells,
    IContractSource contracts,
    Func<long, Task<long>> reachHistory,
    FoldOptions options,
    FoldMemory memory,
    ILogger<PartitionFold> logger)
{
    /// <summary>Keeps count of batches and rows even where nothing is defined; has no cells.</summary>
    internal const string Position = "@partition";

    private static readonly IndicatorDefinition PositionDefinition = new(
        Position, 0, new(new("", null), "", MeasureFunction.Count, null, "P1D", "UTC", false, [], null, null, Catalog.AccessClass.Internal));

    private readonly string _dataset = PartitionKeys.Dataset(partition);
    private readonly List<DefinitionFold> _folds = [];
    private IReadOnlyList<IndicatorDefinition> _definitions = [];
    private int _rowsSinceFlush;
    private long _flushedAt;
    private long _weighed;
    private bool _started;

    // Definitions whose fill failed were taken out of memory; they are to be read again.
    private bool _forgotten;

    /// <summary>The live fold: every joined definition stands here.</summary>
    public long Sequence => Live?.Sequence ?? 0;

    public long StoredSequence => Math.Max(0, Live?.StoredSequence ?? 0);

    public long Accepted => Live?.Accepted ?? 0;

    /// <summary>Where the log ended when the fold was started: nothing is answered before it is reached.</summary>
    public long HeadAtStart { get; private set; }

    public string? Halted { get; private set; }

    public bool IsSuperseded { get; private set; }

    public bool HasUnstored => _folds.Any(IsUnstored);

    /// <summary>Definitions that have not reached the live fold.</summary>
    public bool IsCatchingUp => _forgotten || CatchingUp > 0;

    /// <summary>How many have not.</summary>
    public int CatchingUp => _folds.Count(fold => !IsLive(fold));

    public IEnumerable<DefinitionFold> Joined => _folds.Where(fold => !OpenBlocks.IsInternal(fold.Definition) && HasJoined(fold));

    private DefinitionFold? Live => _folds.Count > 0 ? _folds[0] : null;

    /// <summary>Sets the definitions; new ones are filled from history, those that are gone are forgotten.</summary>
    public Task DefineAsync(IReadOnlyList<IndicatorDefinition> definitions)
    {
        _definitions = definitions;
        return GuardAsync(async () =>
        {
            if (_started) await DefineAsync(await cells.PositionsAsync(partition, CancellationToken.None));
        });
    }

    /// <summary>Folds what the batches hold beyond where the fold stands, reading the log where they leave a gap.</summary>
    public async Task ApplyAsync(IReadOnlyList<LogBatch> batches)
    {
        if (batches.Count == 0) return;
        await GuardAsync(async () =>
        {
            if (batches[0].Sequence > Sequence + 1) await ReadLogAsync(batches[0].Sequence - 1);
            await FoldAsync(LiveFolds(), batches);
        });
    }

    /// <summary>Folds everything up to a sequence, as far as the log has it.</summary>
    public Task ReachAsync(long sequence) => _started && sequence <= Sequence ? Task.CompletedTask : GuardAsync(() => ReadLogAsync(Math.Max(sequence, HeadAtStart)));

    /// <summary>Folds up to the log's head as it is now.</summary>
    public Task ReachHeadAsync() => GuardAsync(async () => await ReadLogAsync(await log.HeadAsync(partition, CancellationToken.None)));

    /// <summary>Takes the definitions that are behind one step on; those that reach the live fold have joined it.</summary>
    public Task CatchUpAsync() => GuardAsync(async () =>
    {
        if (_forgotten) await DefineAsync(await cells.PositionsAsync(partition, CancellationToken.None));
        if (_folds.Where(IsBehindInLog).MinBy(fold => fold.Sequence) is { } last) await CatchUpFromLogAsync([.. _folds.Where(fold => IsBehindInLog(fold) && fold.Sequence == last.Sequence)]);
        else await FillAsync();
    });

    /// <summary>The definitions, if all of them have stored a sequence; else null.</summary>
    public string[]? Passed(long sequence) =>
        _started && !_forgotten && _folds.Count > 0 && _folds.TrueForAll(fold => fold.StoredSequence >= sequence) ? [.. _folds.Select(Name)] : null;

    /// <summary>
    /// Lets every definition but these begin anew, unless it was filled as of a sequence or a later one: then it never saw
    /// what was over by then.
    /// </summary>
    public Task RefoldOthersAsync(IReadOnlyCollection<string> passed, long sequence) => GuardAsync(async () =>
    {
        foreach (var other in _folds.Where(fold => fold.Definition.Indicator != Position && !(fold.Fill?.AsOf >= sequence) && !passed.Contains(Name(fold))).ToArray())
        {
            await cells.DropAsync(partition, other.Definition.Indicator, other.Definition.Version, CancellationToken.None);
            _folds.Remove(other);
        }

        await DefineAsync(await cells.PositionsAsync(partition, CancellationToken.None));
    });

    private static string Name(DefinitionFold fold) => $"{fold.Definition.Indicator}/{fold.Definition.Version}";

    /// <summary>Stores changed cells and positions in one conditional transaction.</summary>
    public Task FlushAsync() => GuardAsync(FlushNowAsync);

    /// <summary>The same, from time to time: where very many cells change the next of their changes are waited for, so that each is written less often.</summary>
    public Task FlushFromTimeToTimeAsync() =>
        Stopwatch.GetElapsedTime(_flushedAt) < options.BusyFlushPeriod && _folds.Sum(fold => fold.Dirty.Count) > options.BusyCells ? Task.CompletedTask : FlushAsync();

    /// <summary>Cells of a definition with windows in [from, to): those in memory, and the store's for the rest.</summary>
    /// <exception cref="TooManyCellsException">There are more than asked for.</exception>
    public async Task<IReadOnlyList<CellValue>> ReadAsync(DefinitionFold fold, long from, long to, int maxCells)
    {
        if (from < fold.ResidentFrom && fold.StoredSequence >= 0)
        {
            var until = Math.Min(to, fold.ResidentFrom);
            var stored = await cells.ReadAsync(partition, fold.Definition.Indicator, fold.Definition.Version, from, until, maxCells + 1, CancellationToken.None);
            if (stored.Count > maxCells) throw new TooManyCellsException(maxCells);
            if (until == fold.ResidentFrom && stored.Count <= options.MaxHotCells / 4 && stored.Sum(cell => (long)cell.State.Length) <= options.MaxHotBytes / 8)
            {
                foreach (var window in stored.GroupBy(cell => cell.Window))
                {
                    if (!fold.IsResident(window.Key)) fold.Load(window.Key, window);
                }

                fold.ResidentFrom = from;
            }
            else
            {
                var rest = stored.Where(cell => !fold.IsResident(cell.Window) && cell.State.Length > 0)
                    .Select(cell => new CellValue(cell.Area, cell.Window, cell.Dimensions, cell.State, cell.Sequence));
                return Bounded([.. rest, .. InMemory()]);
            }
        }

        return Bounded([.. InMemory()]);

        IEnumerable<CellValue> InMemory() => fold.Resident(from, to)
            .Where(cell => !cell.IsEmpty)
            .Select(cell => cell.ToValue());

        IReadOnlyList<CellValue> Bounded(CellValue[] read) => read.Length > maxCells ? throw new TooManyCellsException(maxCells) : read;
    }

    /// <summary>Per area and dimensions all that began and ended before an instant at which a window begins.</summary>
    /// <exception cref="TooManyCellsException">More would have to be looked at.</exception>
    public async Task<IReadOnlyList<CellValue>> ReadOpeningAsync(DefinitionFold fold, long from, int maxCells)
    {
        var sums = new Dictionary<(string Area, string Dimensions), (CellState State, long Sequence)>();
        var (looked, done) = (0, long.MinValue);
        foreach (var block in OpenBlocks.Of(fold.Definition))
        {
            var blocks = Find(block.Indicator, block.Version) ?? throw new InvalidOperationException($"{block.Indicator} is not folded");
            var end = blocks.Windows.Floor(from);
            await AddAsync(blocks, done, end);
            done = end;
        }

        await AddAsync(fold, done, from);
        return [.. sums.Select(sum => new CellValue(sum.Key.Area, from, sum.Key.Dimensions, sum.Value.State.ToBytes(), sum.Value.Sequence))];

        async Task AddAsync(DefinitionFold part, long begin, long end)
        {
            if (begin >= end) return;
            var read = await ReadAsync(part, begin, end, maxCells - looked);
            looked += read.Count;
            foreach (var cell in read)
            {
                var state = CellState.FromBytes(MeasureFunction.Open, cell.State);
                if (sums.TryGetValue((cell.Area, cell.Dimensions), out var sum)) state.Merge(sum.State);
                sums[(cell.Area, cell.Dimensions)] = (state, Math.Max(cell.Sequence, sum.Sequence));
            }
        }
    }

    /// <summary>Whether a definition, with what is folded for it alone, has reached the live fold.</summary>
    public bool HasJoined(DefinitionFold fold) =>
        IsLive(fold) && Array.TrueForAll(OpenBlocks.Of(fold.Definition), block => Find(block.Indicator, block.Version) is { } found && IsLive(found));

    /// <summary>Per area and dimensions the last window in [from, to) that has rows, looking back as far as the limit of cells allows.</summary>
    /// <param name="back">Also the cells of so many windows before each of these.</param>
    public async Task<IReadOnlyList<CellValue>> ReadLatestAsync(DefinitionFold fold, long from, long to, int back, int maxCells)
    {
        var latest = new Dictionary<(string, string), CellValue>();
        if (fold.LastWindow == long.MinValue) return [];
        var upper = Math.Min(to, fold.LastWindow == long.MaxValue ? long.MaxValue : fold.LastWindow + 1);
        var step = fold.Windows.Next(fold.LastWindow) - fold.LastWindow;
        var floor = Math.Max(from, DateTime.MinValue.Ticks);
        var looked = 0;
        for (var span = 48L; upper > floor && looked < maxCells; span *= 4)
        {
            var lower = Math.Max(floor, span > (upper - floor) / step ? floor : upper - (span * step));
            IReadOnlyList<CellValue> read;
            try
            {
                read = await ReadAsync(fold, lower, upper, maxCells - looked);
            }
            catch (TooManyCellsException) when (looked > 0)
            {
                break; // as far back as the limit allows
            }

            foreach (var cell in read)
            {
                if (!latest.TryGetValue((cell.Area, cell.Dimensions), out var known) || cell.WindowFrom > known.WindowFrom)
                {
                    latest[(cell.Area, cell.Dimensions)] = cell;
                }
            }

            looked += read.Count;
            upper = lower;
        }

        if (back == 0) return [.. latest.Values];
        var found = latest.Values.ToDictionary(cell => (cell.Area, cell.WindowFrom, cell.Dimensions));
        var before = new HashSet<long>();
        foreach (var window in latest.Values.Select(cell => cell.WindowFrom).Distinct())
        {
            var earlier = window;
            for (var i = 0; i < back && earlier > 0; i++) before.Add(earlier = fold.Windows.Floor(earlier - 1));
        }

        foreach (var cell in await ReadWindowsAsync(fold, before, maxCells))
        {
            if (cell.WindowFrom < latest.GetValueOrDefault((cell.Area, cell.Dimensions)).WindowFrom) found.TryAdd((cell.Area, cell.WindowFrom, cell.Dimensions), cell);
        }

        return [.. found.Values];
    }

    /// <summary>Cells with windows in [from, to) that changed after a sequence, those without rows too.</summary>
    /// <exception cref="TooManyCellsException">More would have to be looked at.</exception>
    public async Task<IReadOnlyList<TouchedCell>> ReadTouchedAsync(DefinitionFold fold, long after, long from, long to, int maxCells)
    {
        var windows = fold.TouchedWindows(after, from, to);
        if (after < fold.TouchedKnownAfter)
        {
            var stored = await cells.TouchedWindowsAsync(partition, fold.Definition.Indicator, fold.Definition.Version, after, from, to, maxCells + 1, CancellationToken.None);
            if (stored.Count > maxCells) throw new TooManyCellsException(maxCells);
            windows.UnionWith(stored);
        }

        var touched = new List<TouchedCell>();
        var looked = 0;
        foreach (var window in windows)
        {
            if (fold.IsResident(window))
            {
                foreach (var cell in fold.Resident(window, window + 1)) Look(cell.Area, cell.Window, cell.Dimensions, cell.Sequence);
                continue;
            }

            foreach (var cell in await cells.ReadAsync(partition, fold.Definition.Indicator, fold.Definition.Version, window, window + 1, maxCells - looked + 1, CancellationToken.None))
            {
                Look(cell.Area, cell.Window, cell.Dimensions, cell.Sequence);
            }
        }

        return touched;

        void Look(string area, long window, string dimensions, long sequence)
        {
            if (++looked > maxCells) throw new TooManyCellsException(maxCells);
            if (sequence > after) touched.Add(new(area, window, dimensions, sequence));
        }
    }

    /// <summary>Cells with rows of these windows.</summary>
    /// <exception cref="TooManyCellsException">There are more than asked for.</exception>
    public async Task<IReadOnlyList<CellValue>> ReadWindowsAsync(DefinitionFold fold, IEnumerable<long> windows, int maxCells)
    {
        var read = new List<CellValue>();
        foreach (var window in windows) read.AddRange(await ReadAsync(fold, window, window + 1, maxCells - read.Count));
        return read;
    }

    public DefinitionFold? Find(string indicator, int version) =>
        _folds.Find(fold => fold.Definition.Indicator == indicator && fold.Definition.Version == version);

    private DefinitionFold[] LiveFolds() => [.. _folds.Where(IsLive)];

    private bool IsLive(DefinitionFold fold) => fold.Sequence == Sequence && !fold.IsFilling;

    private bool IsBehindInLog(DefinitionFold fold) => fold.Sequence < Sequence && !fold.IsFilling && !IsNew(fold);

    /// <summary>Whether a definition waits for its fill to begin: nothing of it was ever stored, and the live fold has left the beginning.</summary>
    private bool IsNew(DefinitionFold fold) => fold.StoredSequence < 0 && fold.Sequence == 0 && !fold.IsFilling && Sequence > 0;

    private bool IsUnstored(DefinitionFold fold) => fold.Sequence != fold.StoredSequence && !fold.IsFilling && !IsNew(fold);

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
            _started = false;
            Halted = e.Message;
            LogHalted(e, partition, Sequence);
            Forget();
        }
    }

    private void Forget()
    {
        _folds.Clear();
        _forgotten = false;
        _rowsSinceFlush = 0;
        Trim();
    }

    /// <summary>Gives back the memory that the cells take; nothing is folded afterwards.</summary>
    public void Release()
    {
        _started = false;
        Forget();
    }

    /// <summary>Takes cells out of memory where all of this process take more than they may.</summary>
    public void Trim()
    {
        Weigh();
        var share = memory.Share(_weighed);
        var part = _weighed <= share ? 1 : (double)share / _weighed;
        foreach (var fold in _folds) fold.Evict(options.MaxHotCells, part < 1 ? (long)(fold.HotBytes * part) : long.MaxValue);
        Weigh();

        void Weigh()
        {
            var bytes = _folds.Sum(fold => fold.HotBytes);
            memory.Add(bytes - _weighed);
            _weighed = bytes;
        }
    }

    private async Task StartAsync()
    {
        Forget();
        var head = await log.HeadAsync(partition, CancellationToken.None);
        await cells.FinishDropsAsync(partition, CancellationToken.None);
        var positions = await cells.PositionsAsync(partition, CancellationToken.None);
        foreach (var ahead in positions.Where(IsAhead))
        {
            // Files or backups of different moments: rebuilt, never believed.
            LogAhead(partition, ahead.Indicator, Math.Max(ahead.Sequence, ahead.Fill?.AsOf ?? 0), head);
            await cells.DropAsync(partition, ahead.Indicator, ahead.Version, CancellationToken.None);
        }

        await DefineAsync([.. positions.Where(position => !IsAhead(position))]);
        HeadAtStart = head;
        _started = true;

        bool IsAhead(DefinitionPosition position) => position.Sequence > head || position.Fill?.AsOf > head;
    }

    private async Task DefineAsync(IReadOnlyList<DefinitionPosition> positions)
    {
        var wanted = new List<IndicatorDefinition> { PositionDefinition };
        wanted.AddRange(_definitions);
        wanted.AddRange(_definitions.SelectMany(OpenBlocks.Of));
        foreach (var gone in _folds.Where(fold => wanted.TrueForAll(w => !Same(fold.Definition, w))).ToArray()) _folds.Remove(gone);
        if (_definitions.Count > 0)
        {
            foreach (var gone in positions.Where(position => wanted.TrueForAll(w => w.Indicator != position.Indicator || w.Version != position.Version)))
            {
                await cells.DropAsync(partition, gone.Indicator, gone.Version, CancellationToken.None);
            }
        }

        foreach (var definition in wanted.Where(w => _folds.TrueForAll(fold => !Same(fold.Definition, w))))
        {
            var position = positions.FirstOrDefault(p => p.Indicator == definition.Indicator && p.Version == definition.Version);
            var fold = new DefinitionFold(definition);
            if (position is not null)
            {
                fold.Sequence = fold.StoredSequence = fold.TouchedKnownAfter = position.Sequence;
                fold.Fill = position.Fill;
                fold.Accepted = position.Accepted;
                fold.LastWindow = position.LastWindow;
                fold.ResidentFrom = position.LastWindow == long.MinValue ? long.MinValue : position.LastWindow + 1;
                fold.ReceivedAt = position.ReceivedAt;
            }

            _folds.Add(fold);
        }

        _forgotten = false;

        static bool Same(IndicatorDefinition a, IndicatorDefinition b) => a.Indicator == b.Indicator && a.Version == b.Version;
    }

    private async Task CatchUpFromLogAsync(DefinitionFold[] behind)
    {
        var end = Sequence;
        for (var rows = 0; rows < options.CatchUpRows && behind[0].Sequence < end;)
        {
            var batches = await log.ReadPartitionAsync(partition, behind[0].Sequence, maxBatches: 500, maxBytes: 8 << 20, CancellationToken.None);
            if (batches.Count == 0) throw new InvalidOperationException($"the log of {partition} ends before {end}");
            var upTo = batches.Where(batch => batch.Sequence <= end).ToArray();
            rows += upTo.Sum(batch => batch.Rows.Count);
            await FoldAsync(behind, upTo);
        }

        await FlushNowAsync();
    }

    private async Task ReadLogAsync(long upTo)
    {
        while (Sequence < upTo && !IsSuperseded)
        {
            var batches = await log.ReadPartitionAsync(partition, Sequence, maxBatches: 500, maxBytes: 8 << 20, CancellationToken.None);
            if (batches.Count == 0) return;
            await FoldAsync(LiveFolds(), batches);
        }
    }

    /// <summary>
    /// Folds a run of batches into definitions that stand at the same place. A cell whose minimum, maximum or last was
    /// taken away waits until the end of the run: then history has reached exactly that sequence, and is asked as of it.
    /// </summary>
    private async Task FoldAsync(DefinitionFold[] folds, IReadOnlyList<LogBatch> batches)
    {
        var at = folds[0].Sequence;
        foreach (var batch in batches)
        {
            if (batch.Sequence <= at) continue;
            if (batch.Sequence != at + 1) throw new InvalidOperationException($"{partition}: {batch.Sequence} does not follow {at}");
            if (batch.Rows.Count > 0)
            {
                var contract = await contracts.GetAsync(_dataset, batch.ContractVersion);
                var series = new SeriesOfBatch(contract, batch);
                foreach (var fold in folds)
                {
                    if (fold.Definition.Indicator == Position) fold.Accepted += batch.Accepted;
                    else await FoldAsync(fold, batch, contract, series);
                }

                _rowsSinceFlush += batch.Rows.Count;
            }

            at = batch.Sequence;
            foreach (var fold in folds) (fold.Sequence, fold.ReceivedAt) = (at, batch.ReceivedAt);
        }

        foreach (var fold in folds) await MendAsync(fold);
        if (_rowsSinceFlush >= options.FlushRows) await FlushNowAsync();
    }

    private async Task FoldAsync(DefinitionFold fold, LogBatch batch, Catalog.CompiledContract contract, SeriesOfBatch series)
    {
        if (fold.ResidentFrom != long.MinValue)
        {
            var missing = new HashSet<long>();
            fold.CollectMissing(batch, contract, missing);
            foreach (var window in missing)
            {
                var stored = await cells.ReadAsync(partition, fold.Definition.Indicator, fold.Definition.Version, window, window + 1, int.MaxValue, CancellationToken.None);
                fold.Load(window, stored);
            }
        }

        fold.Apply(batch, contract, series);
    }

    private async Task MendAsync(DefinitionFold fold)
    {
        if (fold.Broken.Count == 0) return;
        if (await reachHistory(fold.Sequence) < fold.Sequence)
        {
            throw new InvalidOperationException($"history of {partition} has not reached {fold.Sequence}");
        }

        foreach (var cell in fold.Broken)
        {
            var area = cell.Area.Length == 0 ? null : cell.Area;
            var rows = await history.ReadWindowAsync(partition, fold.Sequence, area, cell.Window, fold.Windows.Next(cell.Window), CancellationToken.None);
            var newest = rows.Count == 0 ? 0 : rows.Max(row => row.ContractVersion);
            if (newest == 0)
            {
                cell.State = fold.NewState();
                continue;
            }

            var contract = await contracts.GetAsync(_dataset, newest);
            var block = RowPacking.Unpack(contract, [.. rows.Select(row => (row.Values, row.Area))]);
            cell.State = fold.Rebuild(cell, contract, block);
        }

        fold.Broken.Clear();
    }

    private async Task FlushNowAsync()
    {
        _flushedAt = Stopwatch.GetTimestamp();
        var moved = _folds.Where(IsUnstored).ToArray();
        if (moved.Length == 0) return;
        if (await StoreAsync(moved, fold => fold.Sequence, fold => fold.Fill)) _rowsSinceFlush = 0;
    }

    /// <summary>Stores what changed in these definitions and where they stand then, in one conditional transaction.</summary>
    /// <returns>False if another activation moved one of them.</returns>
    private async Task<bool> StoreAsync(DefinitionFold[] moved, Func<DefinitionFold, long> sequence, Func<DefinitionFold, DefinitionFill?> fill)
    {
        var moves = Array.ConvertAll(moved, fold => new DefinitionMove(
            fold.Definition.Indicator, fold.Definition.Version, fold.StoredSequence, sequence(fold), fold.LastWindow, fold.Accepted, fold.ReceivedAt)
        {
            Fill = fill(fold),
            ExpectedFill = fold.StoredSequence < 0 ? null : fold.Fill,
        });
        var changed = moved.SelectMany(fold => fold.Dirty).Select(cell => new StoredCell(
            cell.Fold.Definition.Indicator, cell.Fold.Definition.Version, cell.Window, cell.Area, cell.Dimensions, cell.Sequence, cell.Bytes)
        {
            Value = cell.State.Value(),
            Rows = cell.State.Count,
        }).ToArray();
        if (!await cells.FlushAsync(partition, moves, changed, CancellationToken.None))
        {
            IsSuperseded = true;
            LogSuperseded(partition, Sequence);
            return false;
        }

        foreach (var fold in moved)
        {
            fold.StoredSequence = fold.Sequence = sequence(fold);
            fold.Fill = fill(fold);
            fold.Settle();
        }

        Trim();
        return true;
    }

    [LoggerMessage(1200, LogLevel.Error, "The fold of {Partition} stands still after sequence {Sequence}; it is tried again")]
    private partial void LogHalted(Exception exception, string partition, long sequence);

    [LoggerMessage(1201, LogLevel.Warning, "The cells of {Partition} for {Indicator} stood at {Sequence}, ahead of the log's {Head}; they are folded anew")]
    private partial void LogAhead(string partition, string indicator, long sequence, long head);

    [LoggerMessage(1202, LogLevel.Warning, "Another activation stores the cells of {Partition}; this one stood at {Sequence} and gives way")]
    private partial void LogSuperseded(string partition, long sequence);
}

/// <summary>An answer would hold more cells than allowed.</summary>
internal sealed class TooManyCellsException(int limit) : Exception($"more than {limit} cells")
{
    public int Limit => limit;
}
