using DataHub.Catalog;

using Microsoft.Extensions.Logging;

namespace DataHub.Feeds;

/// <summary>
/// The one writer of a shard's log (design §2.2): decides what each row is, commits together what waits together, and
/// gives up for good at the first store call whose outcome it does not know. Not thread-safe: one activation's turns,
/// or one test.
/// </summary>
/// <remarks>
/// Life: <see cref="StartAsync"/>, any number of calls, and at the latest after a fault <see cref="IsRetired"/>; from then
/// on every call is refused and a new writer must read what stands.
/// </remarks>
internal sealed partial class LogShard(
    int shard,
    ILogStore log,
    IHistoryStore history,
    IContractSource contracts,
    ILogNotifier notifier,
    ShardOptions options,
    TimeProvider time,
    ILogger<LogShard> logger,
    LogMetrics? metrics = null)
{
    /// <summary>Feeds whose quotas are metered at once; beyond it all begin anew.</summary>
    private const int MaxMeters = 100_000;

    private readonly Dictionary<string, Partition> _partitions = [];
    private readonly Dictionary<PushKey, Waiting> _inFlight = [];
    private readonly FairQueue<Waiting> _queue = new();
    private readonly Dictionary<(string Dataset, string Feed), FeedMeter> _meters = [];
    private long _epoch;
    private long _position;
    private bool _pumping;

    /// <summary>Why the writer gave up; null while it has not.</summary>
    public string? RetiredBecause { get; private set; }

    public bool IsRetired => RetiredBecause is not null;

    /// <summary>Of the last batch committed.</summary>
    public long Position => _position;

    /// <summary>Claims the shard. Whoever wrote before cannot append any more.</summary>
    public async Task StartAsync()
    {
        var head = await log.ClaimAsync(shard, CancellationToken.None);
        (_epoch, _position) = (head.Epoch, head.Position);
        foreach (var partition in head.Partitions)
        {
            _partitions[partition.Partition] = new(partition.Partition, partition.Sequence, partition.ContractVersion, partition.AreaVersion);
        }
    }

    /// <inheritdoc cref="ILogShardGrain.AppendAsync"/>
    /// <param name="quota">What the part's feed may push.</param>
    /// <param name="publisher">The agency whose data it is: pushes of several take turns; null: the dataset's stand for themselves.</param>
    public Task<AppendResult> AppendAsync(PushPart part, Caller? caller, FeedQuota? quota = null, string? publisher = null)
    {
        if (IsRetired) return Task.FromResult(Unavailable());

        var rows = part.Rows.Count + part.Quarantined.Length + (part.Claim is { Kind: QuarantineActKind.Discard } given ? given.Rows.Length : 0);
        var key = part.IdempotencyKey is null || part.DryRun ? default(PushKey?) : new(part.Dataset, part.Feed, part.IdempotencyKey, part.Part);
        if (key is { } known && _inFlight.TryGetValue(known, out var first)) return AnswerAsync(first, part.BodyHash);

        var sender = publisher ?? part.Dataset;
        var (pushes, weight) = _queue.Of(sender);
        if (!FairShare.Allows(pushes, _queue.Count, 1, options.MaxWaitingPushes) || (weight > 0 && !FairShare.Allows(weight, _queue.Weight, rows, options.MaxWaitingRows)))
        {
            LogFull(shard, _queue.Count, _queue.Weight);
            return Task.FromResult(AppendResult.Refused(AppendRefusal.Full, $"shard {shard}: {_queue.Count} pushes with {_queue.Weight} rows wait, of {sender} {pushes} with {weight}"));
        }

        var waiting = new Waiting(part, caller, rows) { Key = key, Quota = quota, Sender = sender };
        if (key is { } own)
        {
            _inFlight[own] = waiting;
            // Asked beside the queue, so that waiting for the turn and looking up the key take one time, not two.
            waiting.Earlier = log.FindPushAsync(part.Dataset, part.Feed, part.IdempotencyKey!, part.Part, CancellationToken.None);
        }

        return EnqueueAsync(waiting);
    }

    /// <inheritdoc cref="ILogShardGrain.AppendControlAsync"/>
    public Task<AppendResult> AppendControlAsync(string partition, int contractVersion, int areaVersion) =>
        IsRetired ? Task.FromResult(Unavailable()) : EnqueueAsync(new(partition, contractVersion, areaVersion));

    private Task<AppendResult> EnqueueAsync(Waiting waiting)
    {
        _queue.Enqueue(waiting.Sender, waiting, waiting.Rows);
        if (!_pumping) _ = PumpAsync();
        return waiting.Answer.Task;
    }

    /// <summary>A repeat that met the first in flight: the first's answer, and it counts nothing.</summary>
    private static async Task<AppendResult> AnswerAsync(Waiting first, byte[] bodyHash)
    {
        var result = await first.Answer.Task;
        if (result.Receipt is not { } receipt) return result;
        return Replay(receipt, bodyHash);
    }

    private static AppendResult Replay(PartReceipt stored, byte[] bodyHash) => stored.Push.BodyHash.AsSpan().SequenceEqual(bodyHash)
        ? new(AppendRefusal.None, stored with { Replayed = true }, null)
        : AppendResult.Refused(AppendRefusal.KeyReused, $"receipt {stored.Push.Receipt} has this key with another body");

    private async Task PumpAsync()
    {
        _pumping = true;
        var taken = new List<Waiting>();
        try
        {
            while (_queue.Count > 0 && !IsRetired)
            {
                taken.Clear();
                await CommitNextAsync(taken);
            }
        }
        catch (Exception e)
        {
            // Refused or answer lost: nobody here can know. What was decided on top of it is worth nothing.
            Retire($"shard {shard} at position {_position}: {e.Message}");
            LogRetired(e, shard, _position);
        }
        finally
        {
            _pumping = false;
            if (IsRetired)
            {
                foreach (var waiting in taken) Finish(waiting, Unavailable());
                while (_queue.TryDequeue(out var waiting)) Finish(waiting, Unavailable());
            }
        }
    }

    private async Task CommitNextAsync(List<Waiting> taken)
    {
        var decided = new List<(Waiting Waiting, LogBatch Batch)>();
        var rows = 0;
        while (_queue.TryPeek(out var next) && (taken.Count == 0 || rows + next.Rows <= options.MaxRowsPerCommit))
        {
            _queue.TryDequeue(out _);
            taken.Add(next);
            rows += next.Rows;
            if (await DecideAsync(next, _position + decided.Count + 1) is { } batch) decided.Add((next, batch));
        }

        if (decided.Count == 0) return;

        var batches = decided.ConvertAll(d => d.Batch);
        if (!await log.AppendAsync(shard, _epoch, _position, batches, CancellationToken.None))
        {
            Retire($"shard {shard}: another writer has taken over after position {_position}");
            LogFenced(shard, _epoch, _position);
            metrics?.AppendSuperseded();
            return;
        }

        _position += batches.Count;
        notifier.Appended(shard, batches);
        foreach (var (waiting, batch) in decided)
        {
            var receipt = batch.Push is { } push ? new PartReceipt(push, batch.Partition, batch.Sequence, batch.ReceivedAt, Replayed: false) { Settled = batch.Act?.Rows ?? [] } : null;
            Finish(waiting, new(AppendRefusal.None, receipt, null) { Quotas = waiting.Quotas });
        }
    }

    /// <summary>Decides one waiting call; answers it at once where nothing is to be stored.</summary>
    private async Task<LogBatch?> DecideAsync(Waiting waiting, long position)
    {
        if (waiting.Part is not { } part) return DecideControl(waiting, position);

        if (waiting.Earlier is { } earlier && await earlier is { } stored)
        {
            Finish(waiting, Replay(stored, part.BodyHash));
            return null;
        }

        if (!_partitions.TryGetValue(part.Partition, out var partition))
        {
            Finish(waiting, AppendResult.Refused(AppendRefusal.NotFound, $"partition {part.Partition} is not in shard {shard}"));
            return null;
        }

        if (part.ContractVersion != partition.ContractVersion || part.AreaVersion != partition.AreaVersion)
        {
            Finish(waiting, AppendResult.Refused(AppendRefusal.Outdated,
                $"{part.Partition}: contract {partition.ContractVersion} and areas {partition.AreaVersion} hold, the batch was made with {part.ContractVersion} and {part.AreaVersion}"));
            return null;
        }

        if (part.Atomic && part.Quarantined.Length > 0)
        {
            Finish(waiting, AppendResult.Refused(AppendRefusal.NotAtomic, $"{part.Quarantined.Length} rows did not pass"));
            return null;
        }

        var contract = await contracts.GetAsync(part.Dataset, part.ContractVersion);
        var tail = await TailAsync(part.Dataset, partition);
        if (part.Load is { } load && !part.DryRun && waiting.Quota is { IsLimited: true } quota && await OverQuotaAsync(waiting, quota, load, partition.Key, tail) is { } over)
        {
            Finish(waiting, over);
            return null;
        }

        if (tail.Rows + part.Rows.Count > options.MaxTailRows && tail.Rows > 0)
        {
            tail.CutTo((await history.PositionAsync(part.Partition, CancellationToken.None)).Sequence);
            if (tail.Rows + part.Rows.Count > options.MaxTailRows && tail.Rows > 0)
            {
                Finish(waiting, AppendResult.Refused(AppendRefusal.Full, $"{part.Partition}: history is {tail.Rows} rows behind"));
                return null;
            }
        }

        if (part.Claim is { } claim)
        {
            // What somebody else has settled meanwhile is not settled again.
            part = await StillOpenAsync(part, claim, tail);
            if (part.Claim!.Rows.Length == 0)
            {
                Finish(waiting, new(AppendRefusal.None, new(Record(part, default, waiting), part.Partition, partition.Sequence, default, Replayed: false), null));
                return null;
            }
        }

        var newest = await NewestAsync(contract, partition, tail, part.Rows);
        var decision = newest is { AllGrow: true }
            ? FeedRules.AllNew(part.Rows)
            : await DecideByKeyAsync(contract, part, tail, newest?.Grows);

        var counts = part.Claim is null
            ? decision.Counts with { Received = part.Rows.Count + part.Quarantined.Length, Quarantined = part.Quarantined.Length }
            : decision.Counts with { Quarantined = -part.Rows.Count };
        var push = Record(part, counts, waiting);
        var act = part.Claim is null ? null : FeedRules.Settle(part, decision, waiting.Caller?.ActingKey);

        if (part.DryRun)
        {
            Finish(waiting, new(AppendRefusal.None, new(push, part.Partition, partition.Sequence, default, Replayed: false) { Settled = act?.Rows ?? [], Outcomes = FeedRules.Outcomes(part, decision) }, null));
            return null;
        }

        var batch = new LogBatch
        {
            Shard = shard,
            Position = position,
            Partition = part.Partition,
            Sequence = ++partition.Sequence,
            Kind = BatchKind.Rows,
            ContractVersion = part.ContractVersion,
            AreaVersion = part.AreaVersion,
            Rows = decision.Rows,
            Changes = decision.Changes,
            BeforeOf = decision.BeforeOf,
            Befores = decision.Befores,
            Push = push,
            Quarantined = part.Quarantined,
            Act = act,
        };
        tail.Add(batch, contract);
        newest?.Remember(partition.Newest);
        await CutNowAndThenAsync(partition, tail);
        return batch;
    }

    /// <summary>Weighs a push against its feed's quota. The first part of every push of a feed comes by the same shard, so one meter sees them all.</summary>
    /// <returns>Null where it is taken.</returns>
    private async Task<AppendResult?> OverQuotaAsync(Waiting waiting, FeedQuota quota, PushLoad load, string partition, PartitionTail tail)
    {
        var (dataset, feed) = (waiting.Part!.Dataset, waiting.Part.Feed);
        if (!_meters.TryGetValue((dataset, feed), out var meter))
        {
            if (_meters.Count > MaxMeters) _meters.Clear();
            _meters[(dataset, feed)] = meter = new();
            // A new activation goes on with the day as history and the log know it.
            var midnight = FeedMeter.Midnight(time.GetUtcNow());
            var stored = await history.PositionAsync(partition, CancellationToken.None);
            meter.BeginDay(time.GetUtcNow(), await history.ReceivedSinceAsync(dataset, feed, midnight, CancellationToken.None) + tail.Received(feed, stored.Sequence, midnight));
        }

        var now = time.GetUtcNow();
        var wait = meter.Take(quota, load, now);
        waiting.Quotas = meter.Read(quota, now);
        if (wait is not { } after) return null;
        LogOverQuota(shard, dataset, feed, after);
        return AppendResult.Refused(
            after == TimeSpan.MaxValue ? AppendRefusal.LargerThanQuota : AppendRefusal.OverQuota, $"{dataset}/{feed}: {quota}") with
        { Quotas = waiting.Quotas, RetryAfter = after };
    }

    private static PushRecord Record(PushPart part, PushCounts counts, Waiting waiting) => new(
        part.Receipt, part.Dataset, part.Feed, part.IdempotencyKey, part.BodyHash, part.Part, part.Parts, counts,
        [.. part.Quarantined.SelectMany(row => row.Errors).Take(Math.Clamp(part.ErrorLimit, 0, PushLimits.ErrorsInReceipt))])
    { Agency = waiting.Caller?.Agency, Run = part.Run };

    /// <summary>The part without the rows that are not in quarantine any more, or never were.</summary>
    private async Task<PushPart> StillOpenAsync(PushPart part, QuarantineClaim claim, PartitionTail tail)
    {
        // As with keys: what the tail has settled counts, for the rest history is at or beyond the tail's start.
        var settled = tail.Settled();
        var found = await history.QuarantineStatesAsync(part.Partition, [.. claim.Rows.Select(row => (row.Sequence, row.Index))], CancellationToken.None);
        var open = new List<int>(claim.Rows.Length);
        for (var i = 0; i < claim.Rows.Length; i++)
        {
            // Named twice, a row is settled once.
            if (found[i] == QuarantineState.Open && settled.Add((claim.Rows[i].Sequence, claim.Rows[i].Index))) open.Add(i);
        }

        if (open.Count == claim.Rows.Length) return part;
        return part with
        {
            Rows = claim.Kind == QuarantineActKind.Replay ? part.Rows.Take([.. open]) : part.Rows,
            Claim = claim with { Rows = [.. open.Select(i => claim.Rows[i])] },
        };
    }

    private LogBatch? DecideControl(Waiting waiting, long position)
    {
        var (key, contractVersion, areaVersion) = waiting.Control!.Value;
        if (!_partitions.TryGetValue(key, out var partition)) _partitions[key] = partition = new(key, 0, 0, 0);

        if (contractVersion <= partition.ContractVersion && areaVersion <= partition.AreaVersion)
        {
            Finish(waiting, new(AppendRefusal.None, null, null));
            return null;
        }

        partition.ContractVersion = Math.Max(contractVersion, partition.ContractVersion);
        partition.AreaVersion = Math.Max(areaVersion, partition.AreaVersion);
        return new()
        {
            Shard = shard,
            Position = position,
            Partition = key,
            Sequence = ++partition.Sequence,
            Kind = BatchKind.Control,
            ContractVersion = partition.ContractVersion,
            AreaVersion = partition.AreaVersion,
        };
    }

    /// <summary>The tail above history's position; a new writer reads it from the log before it decides anything.</summary>
    private async ValueTask<PartitionTail> TailAsync(string dataset, Partition partition)
    {
        if (partition.Tail is { } known) return known;

        var stored = await history.PositionAsync(partition.Key, CancellationToken.None);
        // History ahead of the log (files of different moments) is rebuilt by its own grain; until then it is not believed.
        if (stored.Sequence > partition.Sequence) throw new InvalidOperationException($"history of {partition.Key} stands at {stored.Sequence}, the log at {partition.Sequence}");

        var tail = new PartitionTail(stored.Sequence);
        for (var after = stored.Sequence; after < partition.Sequence;)
        {
            var batches = await log.ReadPartitionAsync(partition.Key, after, maxBatches: 1_000, maxBytes: 16 << 20, CancellationToken.None);
            if (batches.Count == 0) throw new InvalidOperationException($"the log of {partition.Key} ends at {after} instead of {partition.Sequence}");
            foreach (var batch in batches)
            {
                tail.Add(batch, await contracts.GetAsync(dataset, batch.ContractVersion));
                after = batch.Sequence;
            }
        }

        return partition.Tail = tail;
    }

    /// <summary>
    /// Whether every row is newer than everything its series ever stored (and than the rows before it): such rows are
    /// new without a look-up, where the primary key is exactly series and time. Null where it is not.
    /// </summary>
    private async ValueTask<NewestTimes?> NewestAsync(CompiledContract contract, Partition partition, PartitionTail tail, RowBlock rows)
    {
        if (!contract.KeyIsSeriesAndTime || rows.Count == 0) return null;
        if (partition.Newest.Count > options.MaxKnownSeries) partition.ForgetSeries();

        var series = new int[rows.Count];
        if (partition.Newest.Find(contract, rows, series) is { Count: > 0 } unknown)
        {
            // Whatever this writer stored since is known; the log holds what earlier ones did and history has not raised yet.
            var found = await history.FindSeriesAsync(partition.Key, unknown, CancellationToken.None);
            partition.NotRaised ??= await NotRaisedAsync(PartitionKeys.Dataset(partition.Key), partition, tail, found.Sequence);
            for (var i = 0; i < unknown.Count; i++) partition.Newest.Add(unknown[i], Math.Max(found.Newest[i] ?? long.MinValue, partition.NotRaised[unknown[i]]));

            partition.Newest.Find(contract, rows, series);
        }

        var times = new NewestTimes(rows.Count);
        for (var row = 0; row < rows.Count; row++)
        {
            if (rows.IsDelete(row))
            {
                times.AllGrow = false;
                continue;
            }

            var time = contract.TimeTicks(rows, row);
            if (!times.Risen.TryGetValue(series[row], out var newest)) newest = partition.Newest[series[row]];
            if (time > newest) times.Risen[series[row]] = time;
            else times.AllGrow = false;
            times.Grows[row] = time > newest;
        }

        return times;
    }

    /// <summary>The newest times of what the log has beyond a sequence.</summary>
    private async Task<NewestPerSeries> NotRaisedAsync(string dataset, Partition partition, PartitionTail tail, long raised)
    {
        var newest = new NewestPerSeries();
        for (var after = raised; after < tail.From;)
        {
            var batches = await log.ReadPartitionAsync(partition.Key, after, maxBatches: 1_000, maxBytes: 16 << 20, CancellationToken.None);
            if (batches.Count == 0) throw new InvalidOperationException($"the log of {partition.Key} ends at {after} instead of {tail.From}");
            foreach (var batch in batches)
            {
                if (batch.Rows.Count > 0) newest.Add(await contracts.GetAsync(dataset, batch.ContractVersion), batch);
            }

            after = batches[^1].Sequence;
        }

        tail.AddTo(newest);
        return newest;
    }

    /// <param name="grows">Rows under whose key nothing can stand; null where that is not known of any.</param>
    private async Task<RowDecision> DecideByKeyAsync(CompiledContract contract, PushPart part, PartitionTail tail, bool[]? grows)
    {
        var rows = part.Rows;
        if (rows.Count == 0) return FeedRules.AllNew(rows);

        var keys = new byte[rows.Count][];
        var standing = new Dictionary<byte[], StandingRow?>(rows.Count, ByteKeyComparer.Instance);
        var asked = new List<HistoryKey>();
        for (var row = 0; row < rows.Count; row++)
        {
            keys[row] = RowKeys.Key(contract, rows, row);
            if (standing.ContainsKey(keys[row])) continue;
            if (grows is not null && grows[row])
            {
                standing[keys[row]] = null;
                continue;
            }

            if (!tail.TryFind(keys[row], out var waiting)) asked.Add(new(keys[row], contract.KeyHasTime ? contract.TimeTicks(rows, row) : null));
            standing[keys[row]] = waiting;
        }

        if (asked.Count > 0)
        {
            // Nothing is cut from the tail between its answer above and history's: history is at or beyond the tail's start.
            var found = await history.FindKeysAsync(part.Partition, asked, CancellationToken.None);
            for (var i = 0; i < asked.Count; i++)
            {
                if (found.Rows[i] is { } row) standing[asked[i].Key] = new(row.Values, row.Area, row.ContractVersion);
            }
        }

        var versions = new Dictionary<int, CompiledContract>();
        foreach (var version in standing.Values.OfType<StandingRow>().Select(row => row.ContractVersion).Distinct())
        {
            versions[version] = await contracts.GetAsync(part.Dataset, version);
        }

        return FeedRules.Decide(contract, rows, keys, standing, version => versions[version]);
    }

    private async ValueTask CutNowAndThenAsync(Partition partition, PartitionTail tail)
    {
        if (tail.Rows < partition.CutAgainAt) return;
        tail.CutTo((await history.PositionAsync(partition.Key, CancellationToken.None)).Sequence);
        partition.CutAgainAt = Math.Max(20_000, tail.Rows * 2);
    }

    private void Finish(Waiting waiting, AppendResult result)
    {
        // A waiting call is answered once; a retiring pump may come by again.
        if (!waiting.Answer.TrySetResult(result)) return;
        if (waiting.Key is { } key) _inFlight.Remove(key);
    }

    private void Retire(string because) => RetiredBecause ??= because;

    private AppendResult Unavailable() => AppendResult.Refused(AppendRefusal.Unavailable, RetiredBecause ?? $"shard {shard}");

    private readonly record struct PushKey(string Dataset, string Feed, string IdempotencyKey, int Part);

    private sealed class Partition(string key, long sequence, int contractVersion, int areaVersion)
    {
        public string Key => key;

        public long Sequence { get; set; } = sequence;

        public int ContractVersion { get; set; } = contractVersion;

        public int AreaVersion { get; set; } = areaVersion;

        public PartitionTail? Tail { get; set; }

        /// <summary>Per series the newest time it ever stored; what is missing must be asked for.</summary>
        public KnownSeries Newest { get; } = new();

        /// <summary>The newest times that the log had beyond history's when it was first asked; null before.</summary>
        public NewestPerSeries? NotRaised { get; set; }

        public void ForgetSeries()
        {
            Newest.Clear();
            NotRaised = null;
        }

        public int CutAgainAt { get; set; } = 20_000;
    }

    private sealed class NewestTimes(int rows)
    {
        public bool AllGrow { get; set; } = true;

        /// <summary>Per row whether it is newer than everything of its series, stored or before it.</summary>
        public bool[] Grows { get; } = new bool[rows];

        /// <summary>By the number of the series.</summary>
        public Dictionary<int, long> Risen { get; } = new(rows);

        public void Remember(KnownSeries newest)
        {
            foreach (var (series, time) in Risen) newest[series] = time;
        }
    }

    private sealed class Waiting
    {
        public Waiting(PushPart part, Caller? caller, int rows) => (Part, Caller, Rows) = (part, caller, rows);

        public Waiting(string partition, int contractVersion, int areaVersion) => Control = (partition, contractVersion, areaVersion);

        public PushPart? Part { get; }

        public (string Partition, int ContractVersion, int AreaVersion)? Control { get; }

        /// <summary>Who pushes; null for nobody that is known, and for a control batch.</summary>
        public Caller? Caller { get; }

        public int Rows { get; }

        public PushKey? Key { get; init; }

        public FeedQuota? Quota { get; init; }

        /// <summary>Whose turn it waits for; what the hub itself changes has its own.</summary>
        public string Sender { get; init; } = "";

        public QuotaReading[] Quotas { get; set; } = [];

        public Task<PartReceipt?>? Earlier { get; set; }

        public TaskCompletionSource<AppendResult> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    [LoggerMessage(1100, LogLevel.Warning, "Shard {Shard} is full: {Pushes} pushes with {Rows} rows wait")]
    private partial void LogFull(int shard, int pushes, long rows);

    [LoggerMessage(1104, LogLevel.Information, "Shard {Shard}: {Dataset}/{Feed} is over its quota for {After}")]
    private partial void LogOverQuota(int shard, string dataset, string feed, TimeSpan after);

    [LoggerMessage(1101, LogLevel.Warning, "Shard {Shard} was taken over by another writer; this one had epoch {Epoch} and position {Position}")]
    private partial void LogFenced(int shard, long epoch, long position);

    [LoggerMessage(1102, LogLevel.Error, "Shard {Shard} gives up after position {Position}; the next activation reads what stands")]
    private partial void LogRetired(Exception exception, int shard, long position);
}
