using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Indicators;

using Microsoft.Extensions.Logging.Abstractions;

namespace DataHub.Support;

/// <summary>
/// The whole way of a row without Orleans: shards, histories and folds over real stores, driven by one test. Everything
/// with a memory can be thrown away at any moment, as a kill would.
/// </summary>
internal sealed class Street(ILogStore log, IHistoryStore history, ICellStore cells, CompiledContract contract, string dataset, int partitions, FoldOptions? foldOptions = null)
    : IContractSource, ILogNotifier
{
    private readonly Dictionary<string, PartitionFold> _folds = [];
    private readonly Dictionary<string, PartitionHistory> _histories = [];
    private readonly List<IndicatorDefinition> _definitions = [];
    private LogShard? _shard;
    private int _receipts;

    /// <summary>Batches announced by the writer, per partition, not yet delivered.</summary>
    public Dictionary<string, List<LogBatch>> Announced { get; } = [];

    /// <summary>Where fold and history find each other; a test may hold it.</summary>
    public Func<string, long, Task>? BeforeHistoryIsReached { get; set; }

    public ShardOptions ShardOptions { get; init; } = new();

    /// <summary>What the folds of all partitions share.</summary>
    public FoldMemory Memory { get; } = new((foldOptions ?? new()).MaxHotBytes);

    public IEnumerable<string> Partitions => Enumerable.Range(0, partitions).Select(number => PartitionKeys.Of(dataset, number));

    public ValueTask<CompiledContract> GetAsync(string name, int version) => new(contract);

    public void Appended(int shard, IReadOnlyList<LogBatch> batches)
    {
        foreach (var batch in batches)
        {
            if (!Announced.TryGetValue(batch.Partition, out var list)) Announced[batch.Partition] = list = [];
            list.Add(batch);
        }
    }

    public async Task<LogShard> ShardAsync()
    {
        if (_shard is { IsRetired: false }) return _shard;
        return _shard = await AnotherWriterAsync();
    }

    public async Task OpenAsync()
    {
        foreach (var partition in Partitions) await (await ShardAsync()).AppendControlAsync(partition, contract.Version, 0);
    }

    /// <summary>A writer beside the street's own, as an activation on another silo would be.</summary>
    public async Task<LogShard> AnotherWriterAsync()
    {
        var shard = new LogShard(0, log, history, this, this, ShardOptions, TimeProvider.System, NullLogger<LogShard>.Instance);
        await shard.StartAsync();
        return shard;
    }

    public PushPart Part(string partition, RowBlock rows, string? key = null, byte[]? bodyHash = null, int contractVersion = 1) => new(
        dataset, partition, "default", $"R{++_receipts:D8}", key, bodyHash ?? [1], 0, 1, contractVersion, 0, rows, []);

    /// <summary>A client that repeats with the same key until it is acknowledged.</summary>
    /// <param name="key">Null: without one; then a fault is given up on, not repeated.</param>
    public async Task<PartReceipt> PushAsync(string partition, RowBlock rows, string? key, QuarantinedRow[]? quarantined = null)
    {
        var part = Part(partition, rows, key) with { Quarantined = quarantined ?? [] };
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                var result = await (await ShardAsync()).AppendAsync(part, new Caller("senumvk", KeyRole.Push, "key"));
                if (result.Receipt is { } receipt) return receipt;
                Assert.Equal(AppendRefusal.Unavailable, result.Refusal);
            }
            catch (StoreFaultException)
            {
                // the claim itself was refused; the client sees 503 as well
            }

            Assert.True(attempt < 50, "not acknowledged after 50 attempts");
        }
    }

    public void Define(params IndicatorDefinition[] definitions)
    {
        _definitions.AddRange(definitions);
        _folds.Clear();
    }

    /// <summary>These definitions and no others from now on; the folds that run are told.</summary>
    public async Task RedefineAsync(params IndicatorDefinition[] definitions)
    {
        _definitions.Clear();
        _definitions.AddRange(definitions);
        foreach (var fold in _folds.Values) await fold.DefineAsync([.. definitions]);
    }

    public async Task<PartitionFold> FoldAsync(string partition)
    {
        if (_folds.TryGetValue(partition, out var fold) && !fold.IsSuperseded) return fold;
        fold = new(partition, log, history, cells, this, async sequence =>
        {
            if (BeforeHistoryIsReached is { } hold) await hold(partition, sequence);
            return await ReachHistoryAsync(partition, sequence);
        }, foldOptions ?? new(), Memory, NullLogger<PartitionFold>.Instance);
        await fold.DefineAsync(_definitions);
        return _folds[partition] = fold;
    }

    public PartitionHistory History(string partition)
    {
        if (_histories.TryGetValue(partition, out var known) && !known.IsSuperseded) return known;
        return _histories[partition] = new(partition, log, history, this, NullLogger<PartitionHistory>.Instance);
    }

    public async Task<long> ReachHistoryAsync(string partition, long sequence)
    {
        await History(partition).ReachAsync(sequence);
        return History(partition).Sequence;
    }

    /// <summary>History with everything the log has, as the grain's timer would see to after a fault.</summary>
    public async Task<PartitionHistory> SettledHistoryAsync(string partition)
    {
        for (var attempt = 0; attempt < 20; attempt++)
        {
            await History(partition).ReachAsync(long.MaxValue);
            if (History(partition).Halted is null) break;
        }

        Assert.Null(History(partition).Halted);
        return History(partition);
    }

    /// <summary>Hands announced batches to fold and history as the stream would.</summary>
    public async Task DeliverAsync(string partition)
    {
        if (!Announced.Remove(partition, out var batches)) return;
        await (await FoldAsync(partition)).ApplyAsync(batches);
        await History(partition).ApplyAsync(batches);
    }

    /// <summary>What the silo's death leaves: the stores.</summary>
    public void Kill()
    {
        _shard = null;
        _folds.Clear();
        _histories.Clear();
        Announced.Clear();
    }

    /// <summary>The values of an indicator as its grain would answer them, once everything in the log is folded.</summary>
    public async Task<IndicatorValue[]> ValuesAsync(IndicatorDefinition definition, AreaTree? areas, ValuesQuery query, DateTimeOffset now)
    {
        var range = ReadRange.Of(definition.Spec, query, now);
        var (target, fault) = CellRollUp.Aim(definition.Spec, areas, query);
        Assert.Null(fault);
        var (cells, openings) = (new List<IReadOnlyList<CellValue>>(), new List<IReadOnlyList<CellValue>>());
        foreach (var partition in Partitions)
        {
            var fold = await SettledFoldAsync(partition);
            var of = fold.Find(definition.Indicator, definition.Version)!;
            Assert.True(fold.HasJoined(of));
            var (from, to) = (range.From?.UtcTicks ?? long.MinValue, range.To?.UtcTicks ?? long.MaxValue);
            cells.Add(range.Latest ? await fold.ReadLatestAsync(of, from, to, range.Back, int.MaxValue - 1) : await fold.ReadAsync(of, from, to, int.MaxValue - 1));
            openings.Add(range.Opening ? await fold.ReadOpeningAsync(of, from, int.MaxValue - 1) : []);
        }

        return CellRollUp.Make(definition, areas, target!, query, cells, openings, now, only: null).Rows;
    }

    /// <summary>A fold with everything in the log and all its definitions joined.</summary>
    public async Task<PartitionFold> SettledFoldAsync(string partition)
    {
        for (var attempt = 0; ; attempt++)
        {
            var fold = await FoldAsync(partition);
            await fold.ReachHeadAsync();
            for (var failed = 0; fold is { Halted: null, IsCatchingUp: true, IsSuperseded: false } && failed < 20;)
            {
                await fold.CatchUpAsync();
                failed = fold.FillHalted is null ? 0 : failed + 1;
            }

            if (fold is { Halted: null, IsCatchingUp: false, IsSuperseded: false }) return fold;
            Assert.True(attempt < 20, fold.Halted ?? fold.FillHalted);
        }
    }

    /// <summary>All cells of an indicator, merged over the partitions, once everything in the log is folded.</summary>
    public async Task<Dictionary<(string Area, long Window, string Dimensions), CellState>> CellsAsync(IndicatorDefinition definition)
    {
        var merged = new Dictionary<(string, long, string), CellState>();
        foreach (var partition in Partitions)
        {
            var fold = await SettledFoldAsync(partition);
            foreach (var cell in await fold.ReadAsync(fold.Find(definition.Indicator, definition.Version)!, long.MinValue, long.MaxValue, int.MaxValue - 1))
            {
                var state = CellState.FromBytes(definition.Spec.Function, cell.State, definition.Spec.Coverage is true);
                if (merged.TryGetValue((cell.Area, cell.WindowFrom, cell.Dimensions), out var other)) other.Merge(state);
                else merged[(cell.Area, cell.WindowFrom, cell.Dimensions)] = state;
            }
        }

        return merged;
    }
}
