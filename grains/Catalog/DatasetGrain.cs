using System.Globalization;

using DataHub.Feeds;
using DataHub.Governance;
using DataHub.Indicators;
using DataHub.Sharing;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DataHub.Catalog;

[GrainType("datahub.dataset")]
internal sealed partial class DatasetGrain(
    [PersistentState("dataset", "state")] IPersistentState<DatasetState> state,
    IOptions<CatalogOptions> options,
    IOptions<LogOptions> log,
    IOptions<AuditOptions> audit,
    AuditTrail trail,
    TimeProvider time,
    ILogger<DatasetGrain> logger) : Grain, IDatasetGrain, IOutboxGrain
{
    private static readonly TimeSpan s_catchUpPeriod = TimeSpan.FromSeconds(2);

    /// <summary>By then an indicator that was not reached has asked by itself, and the leases of front-ends have ended.</summary>
    private static readonly TimeSpan s_tellLimit = TimeSpan.FromSeconds(1);

    private StoredState<DatasetState> _stored = null!;
    private Outbox<DatasetState> _outbox = null!;
    private IGrainTimer? _catchUp;

    private string Id => this.GetPrimaryKeyString();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        _outbox = new(_stored, trail, audit.Value, this, logger);
        _outbox.Start();

        // What an earlier activation began is completed after this one answers: shards ask the dataset back.
        if (_stored.Value.Info is not null) CatchUpSoon();
        return Task.CompletedTask;
    }

    public async Task<DatasetResult> PutAsync(Caller caller, DatasetSpec spec)
    {
        var publisherExists = CatalogIds.IsValid(spec.Publisher)
            && await GrainFactory.GetGrain<IAgencyGrain>(spec.Publisher).GetAsync(caller) is not null;
        var dataspace = CatalogIds.IsValid(spec.Dataspace ?? "") ? await GrainFactory.GetGrain<IDataspaceGrain>(spec.Dataspace!).GetAsync(Caller.Hub) : null;
        var before = _stored.Value.Info;
        var (next, result) = DatasetRules.Put(
            _stored.Value, Id, caller, spec, publisherExists, await AreaVersionAsync(spec.AreaSystem), log.Value.Shards, options.Value, time.GetUtcNow(), dataspace);
        if (result.Refusal != CatalogRefusal.None) return Seen(caller, result);
        if (dataspace is not null && before?.Spec.Dataspace != dataspace.Id) await GrainFactory.GetGrain<IDataspaceGrain>(dataspace.Id).NoteDatasetAsync(Caller.Hub, Id);

        if (await TakePlaceAsync(before, next.Info!) is { } noPlace) return noPlace;
        if (result.Created)
        {
            // Noted before it is stored: a list may name what is not there yet, but never miss what is.
            try
            {
                await GrainFactory.GetGrain<ICatalogGrain>(CatalogKinds.Datasets).AddAsync(Caller.Hub, Id);
            }
            catch (CatalogFullException e)
            {
                await GrainFactory.GetGrain<IAgencyQuotaGrain>(spec.Publisher).RemoveDatasetAsync(Caller.Hub, Id);
                return new(CatalogRefusal.TooMany, null, new(e.Message, e.Message));
            }
        }

        if (await StoreAsync(caller, next) is { } full) return full;
        await GiveBackPlaceAsync();
        if (result.Created) LogCreated(Id, spec.Publisher);
        await TellAsync(before);

        // A system that changed while the dataset was being made found no dataset to tell.
        await NoteAreaVersionAsync();
        return await AnnounceAsync() is { } trouble
            ? new(CatalogRefusal.Unavailable, _stored.Value.Info, trouble) { Created = result.Created }
            : result with { Dataset = _stored.Value.Info };
    }

    public Task<DatasetInfo?> GetAsync(Caller caller) => Task.FromResult(Known(caller));

    public Task<TableSchema?> GetContractAsync(Caller caller, int version) =>
        Task.FromResult(Known(caller) is null ? null : Array.Find(_stored.Value.Contracts, contract => contract.Version == version));

    public async Task<DatasetResult> MoveAsync(Caller caller, ReleaseState to)
    {
        var before = _stored.Value.Info;
        var (next, result) = DatasetRules.Move(_stored.Value, Id, caller, to, time.GetUtcNow());
        if (result.Refusal != CatalogRefusal.None) return Seen(caller, result);
        if (next != _stored.Value)
        {
            if (await TakePlaceAsync(before, next.Info!) is { } noPlace) return noPlace;
            if (await StoreAsync(caller, next) is { } full) return full;
            LogMoved(Id, before!.State, to, caller.Subject);
        }

        // A repeat tells again: the first may have ended between the write and the telling.
        await GiveBackPlaceAsync();
        await TellAsync(null);
        return result;
    }

    public async Task<AccessExplanation?> AccessAsync(Caller caller, Caller subject)
    {
        if (_stored.Value.Info is not { } info || AccessRules.Explain(caller, subject, info.Holding) is not { } explained) return null;
        var rows = Array.FindIndex(explained.Decisions, decision => decision.Right == AccessRights.ReadRows);
        if (rows < 0 || explained.Decisions[rows].IsAllowed || subject.IsPublic || info.State != ReleaseState.Available) return explained;

        // For a purpose that it names and from a network that it names, an agreement lets somebody in whom nothing else does.
        var inForce = await new AgreementsInForce(GrainFactory, Id, time, logger).GetAsync();
        var contract = CompiledContract.Compile(info.Spec.Schema, info.Spec.Kind);
        foreach (var agreement in inForce.With(subject))
        {
            var (through, missing) = DoorRules.Rows(subject with { Use = new(agreement.Terms.Purposes[0].Id, null) }, info.Holding, contract, [agreement]);
            if (through is null && missing is null) continue;
            AccessDecision decision = through is null ? explained.Decisions[rows] with { Missing = missing } : new(AccessRights.ReadRows, AccessReason.Agreement, $"{agreement.Id} v{agreement.Version}", null);
            explained = explained with { Decisions = [.. explained.Decisions[..rows], decision, .. explained.Decisions[(rows + 1)..]] };
            if (through is not null) break;
        }

        return explained;
    }

    /// <summary>Takes a place among those that the publisher's quota allows. A dataset that has one keeps it, also where the quota was made smaller.</summary>
    /// <returns>Null, or why there is none.</returns>
    private async Task<DatasetResult?> TakePlaceAsync(DatasetInfo? before, DatasetInfo after)
    {
        if (after.State == ReleaseState.Retired) return null;
        var none = await GrainFactory.GetGrain<IAgencyQuotaGrain>(after.Spec.Publisher).AddDatasetAsync(Caller.Hub, Id);
        return none is not null && (before is null || before.State == ReleaseState.Retired) ? new(CatalogRefusal.TooMany, before, none) : null;
    }

    /// <summary>The place of a dataset that takes no rows any more is another's.</summary>
    private Task GiveBackPlaceAsync() => _stored.Value.Info is { State: ReleaseState.Retired } retired
        ? GrainFactory.GetGrain<IAgencyQuotaGrain>(retired.Spec.Publisher).RemoveDatasetAsync(Caller.Hub, Id)
        : Task.CompletedTask;

    /// <summary>Stores a change; what decides who may see the dataset is noted with it.</summary>
    /// <returns>Null, or why nothing is changed now.</returns>
    private async Task<DatasetResult?> StoreAsync(Caller caller, DatasetState next)
    {
        var (before, after) = (_stored.Value.Info, next.Info!);
        if (_outbox.IsFull && next != _stored.Value) return new(CatalogRefusal.Unavailable, Known(caller), OutboxText.Full);
        if (before is not null && before.Holding == after.Holding)
        {
            var (was, has) = (before.Spec, after.Spec);
            await _outbox.StoreAsync(next, Happened(
                caller, AuditEvents.DatasetChanged, after,
                ("contractFrom", before.ContractVersion == after.ContractVersion ? null : Number(before.ContractVersion)), ("contract", before.ContractVersion == after.ContractVersion ? null : Number(after.ContractVersion)),
                ("licenseFrom", was.License == has.License ? null : was.License), ("license", was.License == has.License ? null : has.License),
                ("title", was.Title == has.Title ? null : has.Title.De), ("legalBasis", was.LegalBasis == has.LegalBasis ? null : has.LegalBasis)));
            return null;
        }

        await _outbox.StoreAsync(next, Happened(
            caller, before is null ? AuditEvents.DatasetCreated : AuditEvents.DatasetReleased, after,
            ("stateFrom", before is null ? null : AccessWords.Of(before.State)), ("state", AccessWords.Of(after.State)),
            ("accessFrom", before is null ? null : ContractWords.Of(before.Spec.Access)), ("access", ContractWords.Of(after.Spec.Access)),
            ("dataspaceFrom", before?.Spec.Dataspace), ("dataspace", after.Spec.Dataspace), ("legalBasis", after.Spec.LegalBasis)));
        return null;
    }

    private AuditEvent Happened(Caller caller, string action, DatasetInfo dataset, params (string Name, string? Text)[] detail) =>
        AuditEvents.Of(time.GetUtcNow(), caller, action, dataset.Spec.Publisher, $"dataset:{Id}", AuditOutcome.Done, detail);

    private static string? Number(long? number) => number?.ToString(CultureInfo.InvariantCulture);

    /// <summary>The dataset, where the caller may know of it.</summary>
    private DatasetInfo? Known(Caller caller) => _stored.Value.Info is { } info && AccessRules.May(caller, AccessRights.ReadMetadata, info.Holding) ? info : null;

    /// <summary>A refusal as the caller may see it: whoever may not know of a dataset is not told of it.</summary>
    private DatasetResult Seen(Caller caller, DatasetResult result) => Known(caller) is null ? result with { Dataset = null } : result;

    /// <summary>
    /// Lets the indicators know what the dataset is now; once this returns none answers by what it was. One that does not
    /// hear of it asks by itself before that is believed for too long.
    /// </summary>
    /// <param name="before">What they knew; where it decides the same, nothing need be told.</param>
    private async Task TellAsync(DatasetInfo? before)
    {
        if (_stored.Value.Info is not { } info || info.Indicators.Length == 0 || (before is not null && before.Holding == info.Holding && before.Spec.License == info.Spec.License)) return;
        try
        {
            await Task.WhenAll(info.Indicators.Select(indicator => GrainFactory.GetGrain<IIndicatorGrain>(indicator).SourceChangedAsync(Caller.Hub, info))).WaitAsync(s_tellLimit);
        }
        catch (Exception e)
        {
            LogNotTold(e, Id);
            await Task.Delay(s_tellLimit);
        }
    }

    public async Task FreezeAsync(Caller caller, DatasetFreeze freeze)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the hub itself freezes a dataset, as an agreement says");
        if (_stored.Value.Info is not { Frozen: null } info) return;
        await _outbox.StoreAsync(
            _stored.Value with { Info = info with { Frozen = freeze, Modified = time.GetUtcNow() } }, Happened(caller, AuditEvents.DatasetFrozen, info, ("agreement", freeze.Agreement)));
    }

    public async Task<DatasetResult> PutFeedAsync(Caller caller, FeedInfo feed)
    {
        var (next, result) = DatasetRules.PutFeed(_stored.Value, Id, caller, feed, options.Value, time.GetUtcNow());
        if (result.Refusal != CatalogRefusal.None || next == _stored.Value) return result;
        if (_outbox.IsFull) return new(CatalogRefusal.Unavailable, Known(caller), OutboxText.Full);
        var quota = Array.Find(next.Info!.Feeds, one => one.Id == feed.Id)?.Quota;
        await _outbox.StoreAsync(next, Happened(
            caller, AuditEvents.FeedChanged, next.Info!, ("feed", feed.Id),
            ("rowsPerSecond", Number(quota?.RowsPerSecond)), ("bytesPerSecond", Number(quota?.BytesPerSecond)), ("rowsPerDay", Number(quota?.RowsPerDay))));
        return result;
    }

    public async Task<DatasetResult> AttachIndicatorAsync(Caller caller, string indicator)
    {
        var (next, result) = DatasetRules.AttachIndicator(_stored.Value, Id, caller, indicator, options.Value);
        if (result.Refusal != CatalogRefusal.None) return result;

        await _stored.StoreAsync(next);
        await Task.WhenAll(next.Info!.Partitions.Select(partition => GrainFactory.GetGrain<IAggregationGrain>(partition.Key).DefinitionsChangedAsync()));
        return result;
    }

    public async Task AreaSystemChangedAsync(Caller caller, int version)
    {
        if (!caller.IsPlatformAdmin) throw new UnauthorizedAccessException($"dataset {Id}: only the hub itself tells of a new area system");
        await _stored.StoreAsync(DatasetRules.AreaSystemChanged(_stored.Value, version, time.GetUtcNow()));
        if (await AnnounceAsync() is not null) CatchUpSoon();
    }

    /// <summary>Present version of an area system; 0 for none, null where it does not exist.</summary>
    private async Task<int?> AreaVersionAsync(string? system) =>
        system is null ? 0
        : CatalogIds.IsValid(system) ? (await GrainFactory.GetGrain<IAreaSystemGrain>(system).PresentAsync(Caller.Hub))?.Version
        : null;

    /// <summary>Takes the present version of the area system and is told of those that follow.</summary>
    private async Task NoteAreaVersionAsync()
    {
        if (_stored.Value.Info?.Spec.AreaSystem is { } system && await GrainFactory.GetGrain<IAreaSystemGrain>(system).AttachAsync(Caller.Hub, Id) is > 0 and var version)
        {
            await _stored.StoreAsync(DatasetRules.AreaSystemChanged(_stored.Value, version, time.GetUtcNow()));
        }
    }

    /// <summary>Lets the present versions enter every partition that may not know them.</summary>
    /// <returns>What stood in the way, or null.</returns>
    private async Task<LocalText?> AnnounceAsync()
    {
        if (_stored.Value is not { IsAnnounced: false, Info: { } info }) return null;
        var answers = await Task.WhenAll(info.Partitions.Select(partition =>
            GrainFactory.GetGrain<ILogShardGrain>(partition.Shard).AppendControlAsync(Caller.Hub, partition.Key, info.ContractVersion, info.AreaVersion)));
        if (Array.Find(answers, answer => answer.Refusal != AppendRefusal.None) is { } refused)
        {
            LogNotAnnounced(Id, info.ContractVersion, info.AreaVersion, refused.Refusal, refused.Detail);
            CatchUpSoon();
            return new(
                $"Der Datensatz „{Id}“ ist gespeichert, aber noch nicht in allen Logs angekommen ({refused.Detail}); bitte dieselbe Anfrage wiederholen.",
                $"The dataset “{Id}” is stored but has not entered all logs yet ({refused.Detail}); repeat the same request.");
        }

        await _stored.StoreAsync(_stored.Value with { AnnouncedContract = info.ContractVersion, AnnouncedArea = info.AreaVersion });
        return null;
    }

    private void CatchUpSoon() => _catchUp ??= this.RegisterGrainTimer(CatchUpAsync, new() { DueTime = TimeSpan.Zero, Period = s_catchUpPeriod });

    private async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        try
        {
            await NoteAreaVersionAsync();
            if (await AnnounceAsync() is not null) return;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The timer comes again; until then pushes that name the new versions are told to come back.
            LogCatchUpFailed(e, Id);
            return;
        }

        _catchUp?.Dispose();
        _catchUp = null;
    }

    public Task FlushAsync(Caller caller) => _outbox.FlushAsync(caller);

    [LoggerMessage(1010, LogLevel.Information, "Dataset {Dataset} created by {Publisher}")]
    private partial void LogCreated(string dataset, string publisher);

    [LoggerMessage(1011, LogLevel.Warning, "Dataset {Dataset}: contract {Contract}, areas {Areas} have not entered every partition yet: {Refusal} {Detail}; will be repeated")]
    private partial void LogNotAnnounced(string dataset, int contract, int areas, AppendRefusal refusal, string? detail);

    [LoggerMessage(1013, LogLevel.Information, "Dataset {Dataset}: {From} → {To} by {By}")]
    private partial void LogMoved(string dataset, ReleaseState from, ReleaseState to, string by);

    [LoggerMessage(1014, LogLevel.Warning, "Dataset {Dataset}: not every indicator could be told what it is now; they ask by themselves")]
    private partial void LogNotTold(Exception exception, string dataset);

    [LoggerMessage(1012, LogLevel.Warning, "Dataset {Dataset}: versions could not be announced; will be repeated")]
    private partial void LogCatchUpFailed(Exception exception, string dataset);
}
