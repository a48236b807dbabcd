using DataHub.Catalog;
using DataHub.Feeds;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

using Orleans.Runtime;
using Orleans.Streams;
using Orleans.Streams.Core;

namespace DataHub.Indicators;

/// <summary>Thin shell around <see cref="PartitionFold"/>: fed by the log stream, healed from the log, flushed by a timer.</summary>
[GrainType("datahub.aggregation"), ImplicitStreamSubscription(LogStream.Namespace), ShardPlacement]
internal sealed partial class AggregationGrain(
    ILogStore log,
    IHistoryStore history,
    ICellStore cells,
    IContractSource contracts,
    FoldMetrics metrics,
    FoldMemory memory,
    IOptions<FoldOptions> options,
    ILogger<PartitionFold> logger) : Grain, IAggregationGrain, IStreamSubscriptionObserver, IAsyncBatchObserver<LogBatch>
{
    /// <summary>How often a fold that stands still, or whose news was lost, looks at the log itself.</summary>
    private static readonly TimeSpan NetPeriod = TimeSpan.FromSeconds(2);

    private static readonly EqualityComparer<CellValue> s_samePlace = EqualityComparer<CellValue>.Create(
        (a, b) => a.Area == b.Area && a.WindowFrom == b.WindowFrom && a.Dimensions == b.Dimensions, cell => HashCode.Combine(cell.Area, cell.WindowFrom, cell.Dimensions));

    private readonly Dictionary<(string Indicator, int Version), News> _news = [];
    private IReadOnlyList<IndicatorDefinition> _formulas = [];
    private PartitionFold _fold = null!;
    private IGrainTimer _catchUp = null!;
    private bool _definitionsKnown;
    private int _catchingUp;

    private string Partition => this.GetPrimaryKeyString();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _fold = new(Partition, log, history, cells, contracts, ReachHistoryAsync, options.Value, memory, logger);
        this.RegisterGrainTimer(FlushAsync, new GrainTimerCreationOptions(options.Value.FlushPeriod, options.Value.FlushPeriod));
        this.RegisterGrainTimer(NetAsync, new GrainTimerCreationOptions(TimeSpan.Zero, NetPeriod));
        _catchUp = this.RegisterGrainTimer(CatchUpAsync, new GrainTimerCreationOptions(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan) { KeepAlive = true });
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (_definitionsKnown) await _fold.FlushAsync();
        _fold.Release();
        CountCatchingUp(0);
    }

    public async Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory) =>
        await handleFactory.Create<LogBatch>().ResumeAsync(this);

    public async Task OnNextAsync(IList<SequentialItem<LogBatch>> items)
    {
        if (!await KnowDefinitionsAsync()) return; // the net comes back to it
        await _fold.ApplyAsync(items.Select(item => item.Item).ToList());
        AfterFolding();
    }

    /// <summary>Delivery is a hint: what an error hides is found by the net.</summary>
    public Task OnErrorAsync(Exception ex)
    {
        LogDelivery(ex, Partition);
        return Task.CompletedTask;
    }

    public Task DefinitionsChangedAsync()
    {
        // Asking the dataset here would wait for the very grain that is calling.
        _definitionsKnown = false;
        _catchUp.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        return Task.CompletedTask;
    }

    public async Task<CellSet> ReadCellsAsync(CellQuery query) => (await ReadManyAsync([query]))[0];

    public async Task<CellSet[]> ReadManyAsync(CellQuery[] queries)
    {
        if (!await KnowDefinitionsAsync()) return All(ReadRefusal.Unavailable, $"the definitions of {Partition} could not be read");

        var atLeast = queries.Max(query => Math.Max(query.AtLeast, 0));
        await _fold.ReachAsync(atLeast);
        AfterFolding();
        if (_fold.Halted is { } because) return All(ReadRefusal.Unavailable, because);
        if (_fold.IsSuperseded) return All(ReadRefusal.Unavailable, $"the fold of {Partition} moved");
        if (_fold.Sequence < Math.Max(atLeast, _fold.HeadAtStart)) return All(ReadRefusal.NotYet, $"{Partition} stands at {_fold.Sequence}");

        // Nothing is folded between these: reads and folds do not interleave.
        var sets = new CellSet[queries.Length];
        for (var i = 0; i < sets.Length; i++) sets[i] = await ReadAsync(queries[i]);
        return sets;

        CellSet[] All(ReadRefusal refusal, string detail) => Array.ConvertAll(queries, _ => Refused(refusal, detail));
    }

    private async Task<CellSet> ReadAsync(CellQuery query)
    {
        if (_fold.Find(query.Indicator, query.DefinitionVersion) is not { } fold) return Refused(ReadRefusal.NotFound, $"{query.Indicator} version {query.DefinitionVersion}");
        var progress = _fold.ProgressOf(fold);
        if (progress.Phase != FillPhase.Joined) return new(ReadRefusal.None, fold.Sequence, fold.ReceivedAt, Joined: false, [], null) { Progress = progress };

        try
        {
            var (from, to) = (query.From?.UtcTicks ?? long.MinValue, query.To?.UtcTicks ?? long.MaxValue);
            var opening = query.Opening ? await _fold.ReadOpeningAsync(fold, from, query.MaxCells) : [];
            var touched = query.TouchedSince is { } after ? await _fold.ReadTouchedAsync(fold, after, from, to, query.MaxCells) : [];
            var read = query switch
            {
                { Windows: { } more, Latest: true } => (await _fold.ReadLatestAsync(fold, from, to, query.Back, query.MaxCells))
                    .Union(await _fold.ReadWindowsAsync(fold, more.Where(window => window < to), query.MaxCells), s_samePlace),
                { Windows: { } windows } => await _fold.ReadWindowsAsync(fold, windows.Union(touched.Select(cell => cell.WindowFrom)).Where(window => window >= from && window < to), query.MaxCells),
                { Latest: true } => await _fold.ReadLatestAsync(fold, from, to, query.Back, query.MaxCells),
                _ => await _fold.ReadAsync(fold, from, to, query.MaxCells),
            };
            return new(ReadRefusal.None, fold.Sequence, fold.ReceivedAt, Joined: true, [.. read], null) { Touched = [.. touched], Opening = [.. opening], Progress = progress };
        }
        catch (TooManyCellsException e)
        {
            return Refused(ReadRefusal.TooMany, e.Message);
        }
        catch (Exception e)
        {
            LogRead(e, Partition, query.Indicator);
            return Refused(ReadRefusal.Unavailable, e.Message);
        }
    }

    private CellSet Refused(ReadRefusal refusal, string detail) => new(refusal, _fold.Sequence, default, false, [], detail);

    public async Task<string[]?> PassedAsync(long sequence)
    {
        if (!await KnowDefinitionsAsync()) return null;
        await _fold.FlushAsync();
        AfterFolding();
        return _fold.Passed(sequence);
    }

    public async Task RefoldOthersAsync(string[] passed, long sequence)
    {
        await KnowDefinitionsAsync();
        await _fold.RefoldOthersAsync(passed, sequence);
        AfterFolding();
    }

    public async Task<FoldStatus> ReachAsync(long sequence)
    {
        if (await KnowDefinitionsAsync())
        {
            await _fold.ReachAsync(sequence);
            if (_fold.Halted is null) await _fold.FlushAsync();
            AfterFolding();
        }

        return await StatusAsync();
    }

    public Task<FoldStatus> StatusAsync() =>
        Task.FromResult(new FoldStatus(_fold.Sequence, _fold.StoredSequence, _fold.Accepted, _fold.Halted));

    private async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (!_definitionsKnown) return;
        if (!_fold.HasUnstored)
        {
            // Cells that were read are in memory, too.
            _fold.Trim();
            return;
        }

        await _fold.FlushFromTimeToTimeAsync();
        AfterFolding();
    }

    private async Task NetAsync(CancellationToken cancellationToken)
    {
        if (!await KnowDefinitionsAsync()) return;
        await _fold.ReachHeadAsync();
        AfterFolding(again: true);
    }

    private async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        if (!await KnowDefinitionsAsync()) return;
        await _fold.CatchUpAsync();
        AfterFolding();
    }

    /// <summary>What every turn ends with: give way, go on catching up, and tell the indicators.</summary>
    /// <param name="again">Also try fills that stood still.</param>
    private void AfterFolding(bool again = false)
    {
        CountCatchingUp(_fold.CatchingUp);
        if (_fold.IsSuperseded)
        {
            DeactivateOnIdle();
            return;
        }

        if (_fold.Halted is not null) return;

        // Behind the calls that wait by now; they have their turn first.
        if (_fold.IsCatchingUp && (again || _fold.FillHalted is null)) _catchUp.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        var joined = _fold.Joined.ToList();

        // A formula has no cells: it stands where its inputs stand, and changed if any of them did.
        foreach (var formula in _formulas)
        {
            var inputs = joined.FindAll(fold => formula.Inputs!.Any(input => input.Indicator == fold.Definition.Indicator && input.Version == fold.Definition.Version));
            if (inputs.Count == formula.Inputs!.Length) Tell(formula, inputs[0], inputs.Exists(fold => fold.ChangedSinceTold));
            else if (_news.TryGetValue((formula.Indicator, formula.Version), out var news)) news.Changed = true; // what the others do meanwhile is not told
        }

        foreach (var fold in joined)
        {
            var changed = fold.ChangedSinceTold;
            fold.ChangedSinceTold = false;
            Tell(fold.Definition, fold, changed);
        }
    }

    private async ValueTask<bool> KnowDefinitionsAsync()
    {
        if (_definitionsKnown) return true;
        try
        {
            _definitionsKnown = true; // a change noticed from here on sets it back
            var dataset = await GrainFactory.GetGrain<IDatasetGrain>(PartitionKeys.Dataset(Partition)).GetAsync(Caller.Hub);
            var indicators = dataset is null ? [] : await Task.WhenAll(dataset.Indicators.Select(id => GrainFactory.GetGrain<IIndicatorGrain>(id).GetAsync(Caller.Hub)));
            var definitions = new List<IndicatorDefinition>();
            foreach (var indicator in indicators.OfType<IndicatorInfo>())
            {
                definitions.Add(indicator.Definition);
                if (indicator.Pending is { } pending) definitions.Add(pending);
            }

            // A formula needs its inputs in the versions it was made with, whatever these are at by now.
            _formulas = definitions.FindAll(definition => definition.Inputs is not null);
            await _fold.DefineAsync([.. definitions.SelectMany(definition => definition.Inputs ?? [definition]).DistinctBy(definition => (definition.Indicator, definition.Version))]);
            return true;
        }
        catch (Exception e)
        {
            _definitionsKnown = false;
            LogDefinitions(e, Partition);
            return false;
        }
    }

    private void CountCatchingUp(int now)
    {
        metrics.CatchingUp(now - _catchingUp);
        _catchingUp = now;
    }

    private Task<long> ReachHistoryAsync(long sequence) => GrainFactory.GetGrain<IHistoryGrain>(Partition).ReachAsync(sequence);

    /// <summary>Tells an indicator how far its fold is; news that come while one is on its way go with the next.</summary>
    private void Tell(IndicatorDefinition definition, DefinitionFold fold, bool changed)
    {
        var key = (definition.Indicator, definition.Version);
        if (!_news.TryGetValue(key, out var news)) _news[key] = news = new();
        news.Changed |= changed;
        if (news.Sequence == fold.Sequence) return;
        news.Sequence = fold.Sequence;
        news.ReceivedAt = fold.ReceivedAt;
        if (!news.OnItsWay) _ = TellAsync(key.Indicator, key.Version, news);
    }

    private async Task TellAsync(string indicator, int version, News news)
    {
        news.OnItsWay = true;
        try
        {
            for (var told = -1L; told != news.Sequence;)
            {
                told = news.Sequence;
                var changed = news.Changed;
                news.Changed = false;
                await (news.Indicator ??= GrainFactory.GetGrain<IIndicatorGrain>(indicator)).AdvancedAsync(Partition, version, told, news.ReceivedAt, changed);
            }
        }
        catch (Exception e)
        {
            // Lost news must not be taken for no news: the next one says "changed".
            news.Changed = true;
            news.Sequence = -1;
            LogTell(e, indicator, Partition);
        }
        finally
        {
            news.OnItsWay = false;
        }
    }

    private sealed class News
    {
        public IIndicatorGrain? Indicator { get; set; }

        public long Sequence { get; set; } = -1;

        public DateTimeOffset ReceivedAt { get; set; }

        /// <summary>True at first: what an earlier activation folded and did not get to tell counts as changed.</summary>
        public bool Changed { get; set; } = true;

        public bool OnItsWay { get; set; }
    }

    [LoggerMessage(1210, LogLevel.Warning, "The stream of {Partition} reported an error; the fold reads the log itself")]
    private partial void LogDelivery(Exception exception, string partition);

    [LoggerMessage(1211, LogLevel.Error, "Cells of {Indicator} in {Partition} could not be read")]
    private partial void LogRead(Exception exception, string partition, string indicator);

    [LoggerMessage(1212, LogLevel.Warning, "The definitions of {Partition} could not be read; it is tried again")]
    private partial void LogDefinitions(Exception exception, string partition);

    [LoggerMessage(1213, LogLevel.Warning, "{Indicator} could not be told of {Partition}; it is told with the next batch")]
    private partial void LogTell(Exception exception, string indicator, string partition);
}
