using System.Globalization;
using System.Security.Cryptography;
using System.Text;

using DataHub.Catalog;
using DataHub.Governance;
using DataHub.Indicators;
using DataHub.Pipelines;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DataHub.Feeds;

/// <summary>
/// Carries a dataset's erasures through, one after another. Every step can be repeated: what is found is stored before
/// anything is changed, retractions carry the erasure's key, and history is overwritten before the log, so that whoever
/// goes on finds in the log what is still to be done.
/// </summary>
[GrainType("datahub.erasures")]
internal sealed partial class ErasuresGrain(
    ILogStore log,
    IErasureStore store,
    IContractSource contracts,
    ErasureSweep sweep,
    IOptions<ErasureOptions> options,
    AuditTrail trail,
    TimeProvider time,
    ILogger<ErasuresGrain> logger) : Grain, IErasuresGrain
{
    private const int KeysPerRetraction = 1_000;

    private static readonly TimeSpan s_again = TimeSpan.FromSeconds(5);

    private IGrainTimer? _runner;
    private bool _running;

    private string Dataset => this.GetPrimaryKeyString();

    public async Task<ErasureResult> RequestAsync(Caller caller, ErasureRequest request)
    {
        var (dataset, refused) = await FindAsync(caller);
        if (refused is not null) return refused;
        var contract = await contracts.GetAsync(Dataset, dataset!.ContractVersion);
        if (ErasureRules.Read(request, contract, mayAll: caller == Caller.Hub).Fault is { } fault) return new(ReadRefusal.Invalid, null, fault);

        try
        {
            var upTo = await Task.WhenAll(dataset.Partitions.Select(partition => log.HeadAsync(partition.Key, CancellationToken.None)));
            var now = time.GetUtcNow();
            var info = new ErasureInfo(
                ReceiptIds.New(now), Dataset, ErasureStep.Searching, now, null, caller.Agency, caller.ActingKey, request.Reason, request.Authority, [.. request.Where.Select(w => w.Field)], 0, 0, 0, 0, null);

            // Its reason may name the person: it stands with the erasure, not in a log that forgets nothing.
            await trail.RecordAsync(AuditEvents.Of(
                now, caller, AuditEvents.ErasureRequested, dataset.Spec.Publisher, $"dataset:{Dataset}", AuditOutcome.Done, ("erasure", info.Id), ("fields", string.Join(", ", info.Fields))));
            await store.SaveAsync(new(info, new ErasureWork(request.Where, upTo, null, []).ToBytes()), CancellationToken.None);
            LogRequested(info.Id, Dataset, caller.Agency, caller.ActingKey);
            Run();
            return new(ReadRefusal.None, info, null);
        }
        catch (Exception e)
        {
            LogFailed(e, Dataset);
            return new(ReadRefusal.Unavailable, null, null);
        }
    }

    public async Task<ErasureResult> GetAsync(Caller caller, string id)
    {
        if ((await FindAsync(caller)).Refused is { } refused) return refused;
        try
        {
            return await store.FindAsync(id, CancellationToken.None) is { } found && found.Info.Dataset == Dataset
                ? new(ReadRefusal.None, found.Info with { Reach = await ReachAsync(caller, id) }, null)
                : new(ReadRefusal.NotFound, null, new($"Die Löschung „{id}“ gibt es nicht.", $"The erasure “{id}” does not exist."));
        }
        catch (Exception e)
        {
            LogFailed(e, Dataset);
            return new(ReadRefusal.Unavailable, null, null);
        }
    }

    public async Task<ErasureListResult> ListAsync(Caller caller, string? after, int limit)
    {
        if ((await FindAsync(caller)).Refused is { } refused) return new(refused.Refusal, [], null, refused.Detail);
        try
        {
            var found = await store.ListAsync(Dataset, after, limit + 1, CancellationToken.None);
            return new(ReadRefusal.None, [.. found.Take(limit)], found.Count > limit ? found[limit - 1].Id : null, null);
        }
        catch (Exception e)
        {
            LogFailed(e, Dataset);
            return new(ReadRefusal.Unavailable, [], null, null);
        }
    }

    public Task ResumeAsync()
    {
        Run();
        return Task.CompletedTask;
    }

    private async Task<(DatasetInfo? Dataset, ErasureResult? Refused)> FindAsync(Caller caller)
    {
        if (await GrainFactory.GetGrain<IDatasetGrain>(Dataset).GetAsync(caller) is not { } dataset)
            return (null, new(ReadRefusal.NotFound, null, new($"Den Datensatz „{Dataset}“ gibt es nicht.", $"The dataset “{Dataset}” does not exist.")));
        return AccessRules.Decide(caller, AccessRights.Erase, dataset.Holding).Missing is { } missing ? (null, new(ReadRefusal.Forbidden, null, missing)) : (dataset, null);
    }

    /// <summary>Works beside the calls, so that how it stands can be asked; and again after a while where something failed.</summary>
    private void Run() => _runner ??= this.RegisterGrainTimer(RunAsync, new GrainTimerCreationOptions(TimeSpan.Zero, s_again) { Interleave = true, KeepAlive = true });

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        if (_running) return;
        _running = true;
        try
        {
            while ((await store.PendingAsync(cancellationToken)).FirstOrDefault(pending => pending.Dataset == Dataset) is { Id: not null } next)
            {
                await CarryThroughAsync((await store.FindAsync(next.Id, cancellationToken))!, cancellationToken);
            }

            _runner?.Dispose();
            _runner = null;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            LogFailed(e, Dataset);
        }
        finally
        {
            _running = false;
        }
    }

    private async Task CarryThroughAsync(StoredErasure erasure, CancellationToken cancellationToken)
    {
        var info = erasure.Info;
        var work = ErasureWork.FromBytes(erasure.Work!);
        if (work.Where.Length == 0)
        {
            await FinishAsync(info, cancellationToken);
            return;
        }

        var dataset = await GrainFactory.GetGrain<IDatasetGrain>(Dataset).GetAsync(Caller.Hub) ?? throw new InvalidOperationException($"{Dataset} is gone");
        var contract = await contracts.GetAsync(Dataset, dataset.ContractVersion);
        var where = ErasureRules.Read(new(work.Where, "–", "–"), contract, mayAll: true).Where!;

        if (work.Keys is null)
        {
            work = await SearchAsync(dataset, work, where, cancellationToken);
            var found = work.Keys!.Sum(keys => keys.Length) + work.Quarantined.Sum(rows => rows.Length);
            if (found > options.Value.MaxRows)
            {
                await store.SaveAsync(new(info with { Step = ErasureStep.TooMany, Finished = time.GetUtcNow() }, null), CancellationToken.None);
                return;
            }

            info = info with { Step = ErasureStep.Retracting, Keys = work.Keys!.Sum(keys => keys.LongLength), Quarantined = work.Quarantined.Sum(rows => rows.LongLength) };
            await store.SaveAsync(new(info, work.ToBytes()), CancellationToken.None);
        }

        var retracted = await RetractAsync(dataset, info, work);
        if (work.Passed is null)
        {
            work = work with { Passed = await PassedAsync(dataset, work, retracted, cancellationToken) };
            info = info with { Step = ErasureStep.Overwriting };
            await store.SaveAsync(new(info, work.ToBytes()), CancellationToken.None);
        }

        var (versions, batches) = (0L, 0L);
        for (var p = 0; p < dataset.Partitions.Length; p++)
        {
            var done = await OverwriteAsync(dataset.Partitions[p].Key, retracted[p], work.Quarantined[p].ToHashSet(), where, work.UpTo[p], info.Id, cancellationToken);
            await DropSeriesAsync(dataset.Partitions[p].Key, contract, work.Keys![p], cancellationToken);
            (versions, batches) = (versions + done.Versions, batches + done.Batches);
            // A definition that began meanwhile may have seen a row and not its retraction: it begins anew with what is left.
            await GrainFactory.GetGrain<IAggregationGrain>(dataset.Partitions[p].Key).RefoldOthersAsync(work.Passed[p], Highest(retracted[p], work.UpTo[p]));
        }

        // History is overwritten: whatever begins to read now meets nothing of the rows. Where none was found no run has any.
        var reach = new ErasureReachState(0, [], 0, []);
        if (info.Keys + info.Quarantined > 0)
        {
            long[] passed = [.. dataset.Partitions.Select((_, p) => work.Keys![p].Length == 0 ? 0 : Highest(retracted[p], work.UpTo[p]))];
            reach = await sweep.SweepAsync(new(Dataset, await log.IncarnationAsync(cancellationToken), passed, info.Requested, []), cancellationToken);
        }

        await GrainFactory.GetGrain<IErasureReachGrain>(info.Id).NoteAsync(Caller.Hub, reach);

        // The values go with the work, before the files are cleaned of everything that was.
        info = info with { Versions = versions, Batches = batches };
        await store.SaveAsync(new(info, new ErasureWork([], work.UpTo, [], []).ToBytes()), CancellationToken.None);
        await FinishAsync(info, cancellationToken);
    }

    private async Task FinishAsync(ErasureInfo info, CancellationToken cancellationToken)
    {
        // The values are gone. Under the erasure's own id, so that a repeat after a kill notes it once; before the files are
        // cleaned, so that a log that takes nothing does not have them cleaned again and again.
        var dataset = await GrainFactory.GetGrain<IDatasetGrain>(Dataset).GetAsync(Caller.Hub);
        var done = AuditEvents.Of(
            time.GetUtcNow(), Caller.Hub, AuditEvents.ErasureDone, dataset?.Spec.Publisher, $"dataset:{Dataset}", AuditOutcome.Done,
            ("erasure", info.Id), ("keys", info.Keys.ToString(CultureInfo.InvariantCulture)), ("quarantined", info.Quarantined.ToString(CultureInfo.InvariantCulture)));
        await trail.RecordAsync(done with { Id = info.Id });
        var compacted = await store.CompactAsync(cancellationToken);
        await store.SaveAsync(new(info with { Step = ErasureStep.Done, Finished = time.GetUtcNow(), Compacted = compacted }, null), CancellationToken.None);
        LogDone(info.Id, Dataset, info.Keys, info.Quarantined, info.Batches);
    }

    /// <summary>As the caller may know it: of datasets whose existence is not for him only the number.</summary>
    private async Task<ErasureReach?> ReachAsync(Caller caller, string id)
    {
        if (await GrainFactory.GetGrain<IErasureReachGrain>(id).GetAsync(Caller.Hub) is not { } known) return null;
        var files = await Task.WhenAll(known.Files.Select(file => GrainFactory.GetGrain<IUploadedFileGrain>(file).GetAsync(Caller.Hub)));
        var derived = await Task.WhenAll(known.Derived.Select(async one => await GrainFactory.GetGrain<IDatasetGrain>(one).GetAsync(caller) is null ? null : one));
        return new(known.Runs, [.. files.OfType<UploadedFile>().Select(file => new ErasedFile(file.Id, file.Spec.Name))], known.AllFiles, [.. derived.OfType<string>()]) { AllDerived = known.Derived.Length };
    }

    /// <summary>Looks through the log, which alone has everything: also what came and went within one batch.</summary>
    private async Task<ErasureWork> SearchAsync(DatasetInfo dataset, ErasureWork work, ErasureCondition[] where, CancellationToken cancellationToken)
    {
        var keys = new byte[dataset.Partitions.Length][][];
        var quarantined = new (long, int)[dataset.Partitions.Length][];
        for (var p = 0; p < keys.Length; p++)
        {
            var found = new Dictionary<byte[], byte[]>(ByteKeyComparer.Instance);
            var rows = new List<(long, int)>();
            await foreach (var batch in ReadAsync(dataset.Partitions[p].Key, work.UpTo[p], cancellationToken))
            {
                var contract = batch.Rows.Count > 0 ? await contracts.GetAsync(Dataset, batch.ContractVersion) : null;
                foreach (var block in (RowBlock[])[batch.Rows, batch.Befores])
                {
                    for (var row = 0; row < block.Count; row++)
                    {
                        if (found.Count <= options.Value.MaxRows && ErasureRules.Matches(block, row, where)) found.TryAdd(RowKeys.Key(contract!, block, row), KeyOnly(contract!, block, row));
                    }
                }

                for (var i = 0; i < batch.Quarantined.Length; i++)
                {
                    if (rows.Count <= options.Value.MaxRows && ErasureRules.Matches(batch.Quarantined[i].Raw, where)) rows.Add((batch.Sequence, i));
                }

                if (batch.Act is not null) rows.AddRange(batch.Act.Rows.Where(row => row.Corrected is not null && ErasureRules.Matches(row.Corrected, where)).Select(row => (row.Sequence, row.Index)));
            }

            (keys[p], quarantined[p]) = ([.. found.Values], [.. rows.Distinct()]);
        }

        return work with { Keys = keys, Quarantined = quarantined };
    }

    private static byte[] KeyOnly(CompiledContract contract, RowBlock block, int row)
    {
        var one = block.Take([row]);
        var empty = RowPacking.Unpack(contract, [(RowPacking.Pack(RowBlock.Empty, 0), null)]);
        return RowPacking.Pack(new() { Count = 1, Columns = [.. contract.Fields.Select(field => (field.IsKey ? one : empty).Columns[field.Ordinal])] }, 0);
    }

    /// <summary>Retracts what stands under the keys, by the way of every row.</summary>
    /// <returns>Per partition the keys, each with the sequence at which it was surely retracted.</returns>
    private async Task<Dictionary<byte[], long>[]> RetractAsync(DatasetInfo dataset, ErasureInfo info, ErasureWork work)
    {
        var retracted = new Dictionary<byte[], long>[dataset.Partitions.Length];
        var (part, parts) = (0, work.Keys!.Sum(keys => (keys.Length + KeysPerRetraction - 1) / KeysPerRetraction));
        for (var p = 0; p < retracted.Length; p++)
        {
            retracted[p] = new(ByteKeyComparer.Instance);
            foreach (var keys in work.Keys![p].Chunk(KeysPerRetraction))
            {
                var (contract, sequence) = await RetractAsync(dataset, p, info, keys, part++, parts);
                var block = RowPacking.Unpack(contract, [.. keys.Select(key => (key, (string?)null))]);
                for (var row = 0; row < block.Count; row++) retracted[p][RowKeys.Key(contract, block, row)] = sequence;
            }
        }

        return retracted;
    }

    private async Task<(CompiledContract Contract, long Sequence)> RetractAsync(DatasetInfo dataset, int partition, ErasureInfo info, byte[][] keys, int part, int parts)
    {
        for (var attempt = 0; attempt < 10; attempt++)
        {
            if (attempt > 0) dataset = (await GrainFactory.GetGrain<IDatasetGrain>(Dataset).GetAsync(Caller.Hub))!;
            var contract = await contracts.GetAsync(Dataset, dataset.ContractVersion);
            var block = RowPacking.Unpack(contract, [.. keys.Select(key => (key, (string?)null))]);
            var deletes = new bool[block.Count];
            Array.Fill(deletes, true);
            var result = await GrainFactory.GetGrain<ILogShardGrain>(dataset.Partitions[partition].Shard).AppendAsync(Caller.Hub, new(
                Dataset, dataset.Partitions[partition].Key, "default", info.Id, $"@erasure/{info.Id}", SHA256.HashData(Encoding.UTF8.GetBytes(info.Id)), part, parts, contract.Version, dataset.AreaVersion,
                new() { Count = block.Count, Columns = block.Columns, Deletes = deletes }, []));
            if (result.Receipt is { } receipt) return (contract, receipt.Sequence);
            if (result.Refusal is not (AppendRefusal.Outdated or AppendRefusal.Unavailable or AppendRefusal.Full)) throw new InvalidOperationException($"{Dataset}: {result.Refusal}, {result.Detail}");
            await Task.Delay(TimeSpan.FromMilliseconds(100 * (attempt + 1)), CancellationToken.None);
        }

        throw new InvalidOperationException($"{Dataset}: the rows could not be retracted");
    }

    /// <summary>Waits until history and every definition have passed the retractions; before that they need what is to go.</summary>
    /// <returns>Per partition the definitions that have: any other begins with what is left.</returns>
    private async Task<string[][]> PassedAsync(DatasetInfo dataset, ErasureWork work, Dictionary<byte[], long>[] retracted, CancellationToken cancellationToken)
    {
        var passed = new string[retracted.Length][];
        for (var p = 0; p < passed.Length; p++)
        {
            var (partition, last) = (dataset.Partitions[p].Key, Highest(retracted[p], work.UpTo[p]));
            while (await GrainFactory.GetGrain<IHistoryGrain>(partition).ReachAsync(last) < last
                || await GrainFactory.GetGrain<IAggregationGrain>(partition).PassedAsync(last) is not { } definitions || (passed[p] = definitions) is null)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), cancellationToken);
            }
        }

        return passed;
    }

    private async Task<(long Versions, long Batches)> OverwriteAsync(
        string partition, Dictionary<byte[], long> keys, HashSet<(long, int)> quarantined, ErasureCondition[] where, long upTo, string erasure, CancellationToken cancellationToken)
    {
        var (versions, batches) = (0L, 0L);
        await foreach (var batch in ReadAsync(partition, Math.Max(Highest(keys, upTo), await log.HeadAsync(partition, cancellationToken)), cancellationToken))
        {
            var contract = await contracts.GetAsync(Dataset, Math.Max(1, batch.ContractVersion));
            if (ErasureRules.Erase(batch, contract, keys, quarantined, where, erasure) is not { } erased) continue;
            var act = erased.Batch.Act is { } left && left != batch.Act ? (batch.Sequence, left.Rule, left.Reason) : ((long, string?, string?)?)null;
            await store.EraseHistoryAsync(partition, new(erased.Versions, erased.Series, erased.Quarantined, act), CancellationToken.None);
            await store.OverwriteAsync(partition, [erased.Batch], CancellationToken.None);
            (versions, batches) = (versions + erased.Rows, batches + 1);
        }

        return (versions, batches);
    }

    /// <summary>Takes out the names of series of which the erasure has left no row; those with others are kept, because by them new rows are told from old ones.</summary>
    private async Task DropSeriesAsync(string partition, CompiledContract present, byte[][] keys, CancellationToken cancellationToken)
    {
        var series = ErasureRules.Series(present, RowPacking.Unpack(present, [.. keys.Select(key => (key, (string?)null))])).ToHashSet(ByteKeyComparer.Instance);
        for (var (after, attempt) = (0L, 0); series.Count > 0; attempt++)
        {
            var head = await log.HeadAsync(partition, cancellationToken);
            await foreach (var batch in ReadAsync(partition, head, cancellationToken, after))
            {
                if (batch.Rows.Count > 0) series.ExceptWith(ErasureRules.Series(await contracts.GetAsync(Dataset, batch.ContractVersion), batch.Rows));
            }

            await GrainFactory.GetGrain<IHistoryGrain>(partition).StoreSeriesAsync();
            if (await store.EraseSeriesAsync(partition, series, head, CancellationToken.None)) return;
            if (attempt == 100) throw new InvalidOperationException($"{Dataset}: history of {partition} does not come to rest");
            after = head;
        }
    }

    private async IAsyncEnumerable<LogBatch> ReadAsync(string partition, long upTo, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken, long after = 0)
    {
        while (after < upTo)
        {
            var batches = await log.ReadPartitionAsync(partition, after, maxBatches: 500, maxBytes: 8 << 20, cancellationToken);
            if (batches.Count == 0) yield break;
            foreach (var batch in batches)
            {
                if (batch.Sequence > upTo) yield break;
                yield return batch;
            }

            after = batches[^1].Sequence;
        }
    }

    private static long Highest(Dictionary<byte[], long> retracted, long upTo) => retracted.Count == 0 ? upTo : Math.Max(upTo, retracted.Values.Max());

    [LoggerMessage(1150, LogLevel.Warning, "Erasure {Id} of {Dataset} was requested by {Agency}, key {KeyId}")]
    private partial void LogRequested(string id, string dataset, string? agency, string? keyId);

    [LoggerMessage(1151, LogLevel.Warning, "Erasure {Id} of {Dataset} is done: {Keys} keys, {Quarantined} quarantined rows, {Batches} batches")]
    private partial void LogDone(string id, string dataset, long keys, long quarantined, long batches);

    [LoggerMessage(1152, LogLevel.Error, "Erasures of {Dataset} could not go on; they are tried again")]
    private partial void LogFailed(Exception exception, string dataset);
}
