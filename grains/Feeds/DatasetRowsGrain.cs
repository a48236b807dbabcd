using DataHub.Catalog;
using DataHub.Governance;
using DataHub.Indicators;
using DataHub.Sharing;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

using Orleans.Concurrency;

namespace DataHub.Feeds;

/// <summary>Rows, quarantine and counts of a dataset, read from history; decides who may see them.</summary>
[GrainType("datahub.dataset-rows"), Reentrant]
internal sealed partial class DatasetRowsGrain(
    ILogStore log,
    IHistoryStore history,
    IContractSource contracts,
    IOptions<ReadOptions> options,
    AuditTrail trail,
    TimeProvider time,
    ILogger<DatasetRowsGrain> logger) : Grain, IDatasetRowsGrain
{
    private const int MaxGroups = 1_000;

    /// <summary>How often it is asked whether rows may still be given that take long.</summary>
    private const int MaxAsked = 3;

    /// <summary>Rows that a filter looks at in one go.</summary>
    private const int ChunkRows = 5_000;

    /// <summary>How long a decision is believed while what it is about is being read.</summary>
    private static readonly TimeSpan s_holds = TimeSpan.FromMilliseconds(250);

    private AreaTree? _areas;
    private (string System, int Version) _areasOf;
    private AgreementsInForce? _inForce;
    private Allowances? _allowances;

    private string Dataset => this.GetPrimaryKeyString();

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => _allowances?.EndAsync() ?? Task.CompletedTask;

    public async Task<RowsResult> RowsAsync(Caller caller, RowsQuery query)
    {
        var asked = time.GetTimestamp();
        if (await GrainFactory.GetGrain<IDatasetGrain>(Dataset).GetAsync(caller) is not { } dataset) return Refused(ReadRefusal.NotFound, Dataset);

        BegunFetch? begun = null;
        try
        {
            var contract = await contracts.GetAsync(Dataset, dataset.ContractVersion);
            var (decision, agreement, missing) = await DecideAsync(caller, dataset, contract);
            if (!decision.IsAllowed) return Refused(ReadRefusal.Forbidden, dataset.Spec.Publisher) with { Missing = missing };

            IReadOnlySet<string>? areas = null;
            if (query.Area is { } area)
            {
                areas = (await AreasAsync(dataset))?.WithDescendants(area);
                if (areas is null or { Count: 0 }) return Refused(ReadRefusal.Invalid, area);
            }

            var incarnation = await log.IncarnationAsync(CancellationToken.None);
            if (await ReachAsync(dataset, query.AtLeast, incarnation) is { } notYet) return Refused(notYet.Refusal, notYet.Detail);

            var (filters, field, fault) = RowFilters.Compile(contract, query.Filters);
            if (filters is null) return Refused(ReadRefusal.Invalid, field!) with { Fault = fault };

            var narrowed = query;
            if (agreement is not null)
            {
                (narrowed, filters, areas, fault) = await NarrowAsync(agreement, query, contract, filters, areas, dataset);
                if (fault is not null) return Refused(ReadRefusal.Forbidden, dataset.Spec.Publisher) with { Missing = fault };
            }

            (List<(byte[] Values, string? Area)> Rows, RowCursor? Next, long[] Sequences)? page = narrowed is null
                ? ([], null, [.. (await Task.WhenAll(dataset.Partitions.Select(partition => history.PositionAsync(partition.Key, CancellationToken.None)))).Select(position => position.Sequence)])
                : await FindAsync(dataset, contract, narrowed, areas, filters, onlyFound: agreement is not null);
            if (page is not var (rows, next, sequences))
            {
                return Refused(ReadRefusal.TooMany, Dataset) with
                {
                    Missing = new(
                        $"Unter {options.Value.MaxScannedRows} Zeilen (DataHub:Read:MaxScannedRows) ist keine, die passt und die die Vereinbarung gibt; from, to oder area enger fassen.",
                        $"Among {options.Value.MaxScannedRows} rows (DataHub:Read:MaxScannedRows) there is none that fits and that the agreement gives; narrow from, to or area."),
                };
            }

            if (agreement is { Terms.Delivery.Rhythm: not null } && query.After is null)
            {
                (begun, var tooOften, var wait) = await FetchRhythm.BeginAsync(GrainFactory, agreement, caller, UsageOperations.Rows, $"dataset:{Dataset}", logger);
                if (tooOften is not null) return Refused(ReadRefusal.TooOften, Dataset) with { Missing = tooOften, RetryAfter = wait };
            }

            var watermark = new Watermark(incarnation, Dataset, sequences).ToString();
            if (agreement is not null && await (_allowances ??= new(GrainFactory, this, time, logger)).TakeAsync(new(agreement, caller), UsageOperations.Rows, rows.Count, watermark) is { } left)
            {
                return Refused(ReadRefusal.Forbidden, dataset.Spec.Publisher) with
                {
                    Missing = DoorRules.UsedUp(agreement, left, rows.Count),
                };
            }

            // Durable before the first row is given.
            if (AuditEvents.RowsGiven(time.GetUtcNow(), caller, decision, dataset, rows.Count, watermark, null, agreement is null ? null : caller.Use?.Purpose) is { } noted)
                await trail.RecordAsync(agreement is null ? [noted] : [noted, noted with { Id = ReceiptIds.New(time.GetUtcNow()), Agency = agreement.Terms.Recipient }]);

            // They are given by what holds now, however long they took to find and to note.
            for (var tries = 0; agreement is not null || time.GetElapsedTime(asked) >= s_holds; tries++)
            {
                if (tries == MaxAsked) return Refused(ReadRefusal.Unavailable, Dataset);
                asked = time.GetTimestamp();
                if (await GrainFactory.GetGrain<IDatasetGrain>(Dataset).GetAsync(caller) is not { } present) return Refused(ReadRefusal.NotFound, Dataset);
                if (present.ContractVersion != dataset.ContractVersion) return Refused(ReadRefusal.Unavailable, Dataset);
                var now = AccessRules.Decide(caller, AccessRights.ReadRows, present.Holding);
                dataset = present;
                if (agreement is null && !now.IsAllowed) return Refused(ReadRefusal.Forbidden, present.Spec.Publisher);
                if (agreement is not null && !now.IsAllowed)
                {
                    if (present.State != ReleaseState.Available || await _inForce!.AskAsync(agreement.Id) is not { } still) return Refused(ReadRefusal.Forbidden, present.Spec.Publisher);
                    if (still.Version != agreement.Version) return Refused(ReadRefusal.Unavailable, Dataset);
                }

                if (time.GetElapsedTime(asked) < s_holds) break;
            }

            var unpacked = RowPacking.Unpack(contract, rows);
            var given = new RowsResult(
                ReadRefusal.None,
                dataset.Spec.Schema,
                agreement is null ? WithoutPersonal(contract, unpacked, caller, dataset) : RowFields.Only(contract, unpacked, DoorRules.Fields(agreement.Terms, contract)),
                next,
                watermark,
                null)
            { Dataset = dataset, Begun = begun };
            begun = null;
            return given;
        }
        catch (Exception e)
        {
            LogUnreadable(e, Dataset);
            return Refused(ReadRefusal.Unavailable, Dataset);
        }
        finally
        {
            // Nothing was given.
            if (begun is not null) await FetchRhythm.GiveBackAsync(GrainFactory, begun, logger);
        }

        static RowsResult Refused(ReadRefusal refusal, string detail) => new(refusal, null, null, null, null, detail);
    }

    /// <summary>By right, or through an agreement.</summary>
    /// <returns>The agreement where it is through one; where it is not allowed, what an agreement with the caller does not say.</returns>
    private async Task<(AccessDecision Decision, AgreementInForce? Through, LocalText? Missing)> DecideAsync(Caller caller, DatasetInfo dataset, CompiledContract contract)
    {
        var decision = AccessRules.Decide(caller, AccessRights.ReadRows, dataset.Holding);
        if (decision.IsAllowed || caller.IsPublic || dataset.State != ReleaseState.Available) return (decision, null, null);
        var inForce = await (_inForce ??= new(GrainFactory, Dataset, time, logger)).GetAsync();
        var (through, missing) = DoorRules.Rows(caller, dataset.Holding, contract, inForce.With(caller));
        if (through is null && inForce.IsPartial) throw new TimeoutException($"an agreement about {Dataset} does not say what it allows");
        return through is null ? (decision, null, missing) : (new(AccessRights.ReadRows, AccessReason.Agreement, $"{through.Id} v{through.Version}", null), through, null);
    }

    /// <summary>What a question asks of what an agreement gives.</summary>
    /// <returns>The query; null where the agreement gives nothing of it. A fault where it asks for what must not be told.</returns>
    private async Task<(RowsQuery? Query, RowFilters Filters, IReadOnlySet<string>? Areas, LocalText? Fault)> NarrowAsync(
        AgreementInForce agreement, RowsQuery query, CompiledContract contract, RowFilters filters, IReadOnlySet<string>? areas, DatasetInfo dataset)
    {
        var (terms, fields) = (agreement.Terms, DoorRules.Fields(agreement.Terms, contract));
        if (Array.Find(query.Filters, filter => !fields.Contains(filter.Field)) is { } hidden)
        {
            return (null, filters, areas, new(
                $"Die Vereinbarung „{agreement.Id}“ gibt das Feld „{hidden.Field}“ nicht; danach wird auch nicht gesucht.", $"The agreement “{agreement.Id}” does not give the field “{hidden.Field}”; it is not searched by either."));
        }

        // What is not given is not asked about either.
        if (query.Area is not null && !DoorRules.HasAll(contract, fields, FieldRole.Area, FieldRole.Longitude, FieldRole.Latitude))
            return (null, filters, areas, new($"Die Vereinbarung „{agreement.Id}“ gibt nicht, wo etwas war; area ist nicht möglich.", $"The agreement “{agreement.Id}” does not give where something was; area is not possible."));

        if (terms.Data.Filter is { } filter) filters = filters.And(RowPredicates.For(contract, filter));
        if (terms.Data.Areas is { } given)
        {
            var tree = await AreasAsync(dataset);
            var all = given.SelectMany(area => (IEnumerable<string>?)tree?.WithDescendants(area) ?? []).ToHashSet(StringComparer.Ordinal);
            if (areas is not null) all.IntersectWith(areas);
            areas = all;
        }

        var (from, to, isEmpty) = DoorRules.Range(terms, query.From, query.To);
        return (isEmpty || areas is { Count: 0 } ? null : query with { From = from, To = to }, filters, areas, null);
    }

    public async Task<QuarantineResult> QuarantineAsync(Caller caller, QuarantineQuery query)
    {
        if (await GrainFactory.GetGrain<IDatasetGrain>(Dataset).GetAsync(caller) is not { } dataset) return Refused(ReadRefusal.NotFound, Dataset);
        if (!AccessRules.May(caller, AccessRights.ReadReceipts, dataset.Holding)) return Refused(ReadRefusal.Forbidden, dataset.Spec.Publisher);

        try
        {
            var incarnation = await log.IncarnationAsync(CancellationToken.None);
            // A quarantined row is looked for right after the push that left it there: read what is committed.
            var heads = await HeadsAsync(dataset);
            if (await ReachAsync(dataset, query.AtLeast ?? new(incarnation, Dataset, heads), incarnation) is { } notYet) return Refused(notYet.Refusal, notYet.Detail);
            var entries = await history.QuarantineAsync(Dataset, query with { Limit = query.Limit + 1 }, CancellationToken.None);
            var page = entries.Take(query.Limit).ToArray();

            // Durable before the first row is given.
            if (page.Length > 0 && AuditEvents.RowsGiven(time.GetUtcNow(), caller, AccessRules.Decide(caller, AccessRights.ReadReceipts, dataset.Holding), dataset, page.Length, null, "quarantine") is { } given)
                await trail.RecordAsync(given);
            return new(ReadRefusal.None, page, entries.Count > query.Limit ? page[^1].Id : null, null);
        }
        catch (Exception e)
        {
            LogUnreadable(e, Dataset);
            return Refused(ReadRefusal.Unavailable, Dataset);
        }

        static QuarantineResult Refused(ReadRefusal refusal, string detail) => new(refusal, [], null, detail);
    }

    public async Task<QuarantineGroupsResult> QuarantineGroupsAsync(Caller caller, string? feed, QuarantineState state)
    {
        if (await SeeQuarantineAsync(caller) is { } refused) return new(refused.Refusal, [], refused.Detail);
        try
        {
            return new(ReadRefusal.None, [.. await history.QuarantineGroupsAsync(Dataset, feed, state, MaxGroups, CancellationToken.None)], null);
        }
        catch (Exception e)
        {
            LogUnreadable(e, Dataset);
            return new(ReadRefusal.Unavailable, [], Dataset);
        }
    }

    public async Task<QuarantineActsResult> QuarantineActsAsync(Caller caller, QuarantineId? after, int limit)
    {
        if (await SeeQuarantineAsync(caller) is { } refused) return new(refused.Refusal, [], null, refused.Detail);
        try
        {
            var acts = await history.QuarantineActsAsync(Dataset, after, limit + 1, CancellationToken.None);
            var page = acts.Take(limit).ToArray();
            return new(ReadRefusal.None, page, acts.Count > limit ? page[^1].Place : null, null);
        }
        catch (Exception e)
        {
            LogUnreadable(e, Dataset);
            return new(ReadRefusal.Unavailable, [], null, Dataset);
        }
    }

    /// <summary>Whether the caller may see the quarantine, and waits for what is committed; else why not.</summary>
    private async Task<(ReadRefusal Refusal, string Detail)?> SeeQuarantineAsync(Caller caller)
    {
        if (await GrainFactory.GetGrain<IDatasetGrain>(Dataset).GetAsync(caller) is not { } dataset) return (ReadRefusal.NotFound, Dataset);
        if (!AccessRules.May(caller, AccessRights.ReadReceipts, dataset.Holding)) return (ReadRefusal.Forbidden, dataset.Spec.Publisher);
        try
        {
            return await ReachAsync(dataset, new(await log.IncarnationAsync(CancellationToken.None), Dataset, await HeadsAsync(dataset)), null);
        }
        catch (Exception e)
        {
            LogUnreadable(e, Dataset);
            return (ReadRefusal.Unavailable, Dataset);
        }
    }

    public async Task<ConservationResult> ConservationAsync(Caller caller)
    {
        if (await GrainFactory.GetGrain<IDatasetGrain>(Dataset).GetAsync(caller) is not { } dataset) return Refused(ReadRefusal.NotFound, Dataset);
        if (!AccessRules.May(caller, AccessRights.ReadReceipts, dataset.Holding)) return Refused(ReadRefusal.Forbidden, dataset.Spec.Publisher);

        try
        {
            var heads = await HeadsAsync(dataset);
            await ReachAsync(dataset, new(await log.IncarnationAsync(CancellationToken.None), Dataset, heads), null);
            return new(
                ReadRefusal.None,
                [.. await history.CountsAsync(Dataset, CancellationToken.None)],
                await Task.WhenAll(dataset.Partitions.Select(p => GrainFactory.GetGrain<IAggregationGrain>(p.Key).StatusAsync())),
                await Task.WhenAll(dataset.Partitions.Select(p => GrainFactory.GetGrain<IHistoryGrain>(p.Key).StatusAsync())),
                heads,
                null);
        }
        catch (Exception e)
        {
            LogUnreadable(e, Dataset);
            return Refused(ReadRefusal.Unavailable, Dataset);
        }

        static ConservationResult Refused(ReadRefusal refusal, string detail) => new(refusal, [], [], [], [], detail);
    }

    public async Task<ReceiptsResult> ReceiptsAsync(Caller caller, ReceiptsQuery query)
    {
        if (await GrainFactory.GetGrain<IDatasetGrain>(Dataset).GetAsync(caller) is not { } dataset) return Refused(ReadRefusal.NotFound, Dataset);
        if (!AccessRules.May(caller, AccessRights.ReadReceipts, dataset.Holding)) return Refused(ReadRefusal.Forbidden, dataset.Spec.Publisher);
        if (!Array.Exists(dataset.Feeds, feed => feed.Id == query.Feed)) return Refused(ReadRefusal.NotFound, query.Feed) with { NoFeed = true };

        try
        {
            // Looked for right after the push: read what is committed.
            var heads = new Watermark(await log.IncarnationAsync(CancellationToken.None), Dataset, await HeadsAsync(dataset));
            if (await ReachAsync(dataset, heads, null) is { } notYet) return Refused(notYet.Refusal, notYet.Detail);
            var perPartition = await Task.WhenAll(dataset.Partitions.Select(partition =>
                history.ReceiptsAsync(partition.Key, query.Feed, query.From, query.Before, query.Limit + 1, CancellationToken.None)));
            var ids = perPartition.SelectMany(receipts => receipts).Distinct(StringComparer.Ordinal).OrderDescending(StringComparer.Ordinal).Take(query.Limit + 1).ToArray();

            var found = new List<PartReceipt[]>(ids.Length);
            foreach (var id in ids.Take(query.Limit)) found.Add([.. await log.FindReceiptAsync(id, CancellationToken.None)]);
            return new(ReadRefusal.None, [.. found.Where(parts => parts.Length > 0)], ids.Length > query.Limit ? ids[query.Limit - 1] : null, null);
        }
        catch (Exception e)
        {
            LogUnreadable(e, Dataset);
            return Refused(ReadRefusal.Unavailable, Dataset);
        }

        static ReceiptsResult Refused(ReadRefusal refusal, string detail) => new(refusal, [], null, detail);
    }

    public async Task<FeedStatesResult> FeedStatesAsync(Caller caller, string? feed)
    {
        if (await GrainFactory.GetGrain<IDatasetGrain>(Dataset).GetAsync(caller) is not { } dataset) return Refused(ReadRefusal.NotFound, Dataset);
        if (!AccessRules.May(caller, AccessRights.ReadReceipts, dataset.Holding)) return Refused(ReadRefusal.Forbidden, dataset.Spec.Publisher);
        var feeds = feed is null ? dataset.Feeds : Array.FindAll(dataset.Feeds, one => one.Id == feed);
        if (feed is not null && feeds.Length == 0) return Refused(ReadRefusal.NotFound, feed) with { NoFeed = true };

        try
        {
            // Counts lag where history does; the answer says by how much, so it need not wait for long.
            await ReachAsync(dataset, new(await log.IncarnationAsync(CancellationToken.None), Dataset, await HeadsAsync(dataset)), null);
            var now = time.GetUtcNow();
            var (all, day) = (await history.CountsAsync(Dataset, CancellationToken.None), await history.CountsSinceAsync(Dataset, FeedStates.DaySince(now), CancellationToken.None));
            var fold = await Task.WhenAll(dataset.Partitions.Select(async partition =>
                await LagAsync(partition.Key, (await GrainFactory.GetGrain<IAggregationGrain>(partition.Key).StatusAsync()).Sequence, now)));
            var stored = await Task.WhenAll(dataset.Partitions.Select(async partition =>
                await LagAsync(partition.Key, (await history.PositionAsync(partition.Key, CancellationToken.None)).Sequence, now)));
            return new(
                ReadRefusal.None,
                Array.ConvertAll(feeds, one => FeedStates.Of(one, all.FirstOrDefault(counts => counts.Feed == one.Id), day.FirstOrDefault(counts => counts.Feed == one.Id), now)),
                now, fold.Max(), stored.Max(), null);
        }
        catch (Exception e)
        {
            LogUnreadable(e, Dataset);
            return Refused(ReadRefusal.Unavailable, Dataset);
        }

        static FeedStatesResult Refused(ReadRefusal refusal, string detail) => new(refusal, [], default, default, default, detail);
    }

    /// <summary>How long the batch after a sequence has waited; zero where there is none.</summary>
    private async Task<TimeSpan> LagAsync(string partition, long sequence, DateTimeOffset now)
    {
        if (await log.HeadAsync(partition, CancellationToken.None) <= sequence) return TimeSpan.Zero;
        var waiting = await log.ReadPartitionAsync(partition, sequence, maxBatches: 1, maxBytes: 1, CancellationToken.None);
        return waiting.Count > 0 && now > waiting[0].ReceivedAt ? now - waiting[0].ReceivedAt : TimeSpan.Zero;
    }

    /// <summary>
    /// A page of rows, merged over the partitions. With filters, what is found among so many rows as may be looked at: the
    /// page then ends at the last of these, however few fit.
    /// </summary>
    /// <param name="onlyFound">A page ends at a row that fits, and never names another.</param>
    /// <returns>With how far each partition was read: rows looked at later may be newer, never older. Null where so many rows were looked at and none fits that it could only go on at one that does not.</returns>
    private async Task<(List<(byte[] Values, string? Area)> Rows, RowCursor? Next, long[] Sequences)?> FindAsync(
        DatasetInfo dataset, CompiledContract contract, RowsQuery query, IReadOnlySet<string>? areas, RowFilters filters, bool onlyFound)
    {
        var (from, to) = (query.From?.UtcTicks, query.To?.UtcTicks);
        var found = new List<(byte[], string?)>();
        long[]? sequences = null;
        var cursor = query.After;
        RowCursor? last = null;
        for (var looked = 0; ;)
        {
            var take = filters.IsEmpty ? query.Limit : Math.Min(ChunkRows, options.Value.MaxScannedRows - looked);
            var pages = await Task.WhenAll(dataset.Partitions.Select(partition =>
                history.QueryAsync(partition.Key, from, to, areas, cursor, take, CancellationToken.None)));
            sequences ??= [.. pages.Select(page => page.Sequence)];
            var rows = pages.SelectMany(page => page.Rows)
                .OrderBy(row => row.Time).ThenBy(row => row.Key, ByteKeyComparer.Instance).Take(take).ToArray();
            var more = pages.Any(page => page.More) || pages.Sum(page => page.Rows.Count) > rows.Length;
            var block = filters.IsEmpty ? null : RowPacking.Unpack(contract, [.. rows.Select(row => (row.Values, row.Area))]);
            for (var i = 0; i < rows.Length; i++)
            {
                if (block is not null && !filters.Match(block, i)) continue;
                found.Add((rows[i].Values, rows[i].Area));
                last = Cursor(rows[i]);
                if (found.Count == query.Limit) return (found, more || i < rows.Length - 1 ? Cursor(rows[i]) : null, sequences);
            }

            if (!more || rows.Length == 0) return (found, null, sequences);
            cursor = Cursor(rows[^1]);
            looked += rows.Length;
            if (looked < options.Value.MaxScannedRows) continue;
            if (!onlyFound) return (found, cursor, sequences);
            return last is null ? null : (found, last, sequences);
        }

        static RowCursor Cursor(HistoryRow row) => new(row.Time, row.Key);
    }

    /// <summary>Personal fields are empty for everybody but the publisher, however open the dataset is.</summary>
    private static RowBlock WithoutPersonal(CompiledContract contract, RowBlock rows, Caller caller, DatasetInfo dataset) =>
        AccessRules.May(caller, AccessRights.ReadReceipts, dataset.Holding) ? rows : RowFields.Only(contract, rows, contract.Fields.Where(field => field.Role != FieldRole.Personal).Select(field => field.Name).ToHashSet(StringComparer.Ordinal));

    private Task<long[]> HeadsAsync(DatasetInfo dataset) =>
        Task.WhenAll(dataset.Partitions.Select(partition => log.HeadAsync(partition.Key, CancellationToken.None)));

    /// <summary>Waits, as long as is allowed, until history includes the watermark.</summary>
    /// <param name="incarnation">The log's present one; null: the watermark is the hub's own.</param>
    private async Task<(ReadRefusal Refusal, string Detail)?> ReachAsync(DatasetInfo dataset, Watermark? atLeast, Guid? incarnation)
    {
        if (atLeast is null) return null;
        if (incarnation is { } present && atLeast.Incarnation != present) return (ReadRefusal.Gone, "incarnation");
        if (atLeast.Dataset != Dataset || atLeast.Sequences.Length != dataset.Partitions.Length) return (ReadRefusal.Invalid, "watermark");

        var reached = Task.WhenAll(dataset.Partitions.Select((partition, i) => ReachAsync(partition.Key, atLeast.Sequences[i])));
        if (await Task.WhenAny(reached, Task.Delay(options.Value.MaxWait)) != reached || (await reached).Contains(false))
        {
            return (ReadRefusal.NotYet, $"history of {Dataset}");
        }

        return null;
    }

    private async Task<bool> ReachAsync(string partition, long sequence) =>
        (await history.PositionAsync(partition, CancellationToken.None)).Sequence >= sequence
        || await GrainFactory.GetGrain<IHistoryGrain>(partition).ReachAsync(sequence) >= sequence;

    private async Task<AreaTree?> AreasAsync(DatasetInfo dataset)
    {
        if (dataset.Spec.AreaSystem is not { } system) return null;
        if (_areas is not null && _areasOf == (system, dataset.AreaVersion)) return _areas;
        var areas = await GrainFactory.GetGrain<IAreaSystemGrain>(system).GetAsync(Caller.Hub, dataset.AreaVersion);
        if (areas is null) return null;
        _areasOf = (system, dataset.AreaVersion);
        return _areas = new AreaTree(areas);
    }

    [LoggerMessage(1131, LogLevel.Error, "Rows of {Dataset} could not be read")]
    private partial void LogUnreadable(Exception exception, string dataset);
}
