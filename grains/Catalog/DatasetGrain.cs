using DataHub.Feeds;
using DataHub.Indicators;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DataHub.Catalog;

[GrainType("datahub.dataset")]
internal sealed partial class DatasetGrain(
    [PersistentState("dataset", "state")] IPersistentState<DatasetState> state,
    IOptions<CatalogOptions> options,
    IOptions<LogOptions> log,
    TimeProvider time,
    ILogger<DatasetGrain> logger) : Grain, IDatasetGrain
{
    private static readonly TimeSpan s_catchUpPeriod = TimeSpan.FromSeconds(2);

    private StoredState<DatasetState> _stored = null!;
    private IGrainTimer? _catchUp;

    private string Id => this.GetPrimaryKeyString();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);

        // What an earlier activation began is completed after this one answers: shards ask the dataset back.
        if (_stored.Value.Info is not null) CatchUpSoon();
        return Task.CompletedTask;
    }

    public async Task<DatasetResult> PutAsync(Caller caller, DatasetSpec spec)
    {
        var publisherExists = CatalogIds.IsValid(spec.Publisher)
            && await GrainFactory.GetGrain<IAgencyGrain>(spec.Publisher).GetAsync(caller) is not null;
        var (next, result) = DatasetRules.Put(
            _stored.Value, Id, caller, spec, publisherExists, await AreaVersionAsync(spec.AreaSystem), log.Value.Shards, options.Value, time.GetUtcNow());
        if (result.Refusal != CatalogRefusal.None) return result;

        if (result.Created)
        {
            // Noted before it is stored: a list may name what is not there yet, but never miss what is.
            try
            {
                await GrainFactory.GetGrain<ICatalogGrain>(CatalogKinds.Datasets).AddAsync(Caller.Hub, Id);
            }
            catch (CatalogFullException e)
            {
                return new(CatalogRefusal.TooMany, null, new(e.Message, e.Message));
            }
        }

        await _stored.StoreAsync(next);
        if (result.Created) LogCreated(Id, spec.Publisher);

        // A system that changed while the dataset was being made found no dataset to tell.
        await NoteAreaVersionAsync();
        return await AnnounceAsync() is { } trouble
            ? new(CatalogRefusal.Unavailable, _stored.Value.Info, trouble) { Created = result.Created }
            : result with { Dataset = _stored.Value.Info };
    }

    public Task<DatasetInfo?> GetAsync(Caller caller) => Task.FromResult(_stored.Value.Info);

    public Task<TableSchema?> GetContractAsync(Caller caller, int version) =>
        Task.FromResult(Array.Find(_stored.Value.Contracts, contract => contract.Version == version));

    public async Task<DatasetResult> PutFeedAsync(Caller caller, FeedInfo feed)
    {
        var (next, result) = DatasetRules.PutFeed(_stored.Value, Id, caller, feed, options.Value, time.GetUtcNow());
        await _stored.StoreAsync(next);
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

    [LoggerMessage(1010, LogLevel.Information, "Dataset {Dataset} created by {Publisher}")]
    private partial void LogCreated(string dataset, string publisher);

    [LoggerMessage(1011, LogLevel.Warning, "Dataset {Dataset}: contract {Contract}, areas {Areas} have not entered every partition yet: {Refusal} {Detail}; will be repeated")]
    private partial void LogNotAnnounced(string dataset, int contract, int areas, AppendRefusal refusal, string? detail);

    [LoggerMessage(1012, LogLevel.Warning, "Dataset {Dataset}: versions could not be announced; will be repeated")]
    private partial void LogCatchUpFailed(Exception exception, string dataset);
}
