using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DataHub.Catalog;

[GrainType("datahub.area-system")]
internal sealed partial class AreaSystemGrain(
    [PersistentState("areas", "state")] IPersistentState<AreaSystemState> state,
    [PersistentState("area-dependents", "state")] IPersistentState<AreaDependents> dependents,
    IOptions<AreaSystemOptions> options,
    ILogger<AreaSystemGrain> logger) : Grain, IAreaSystemGrain
{
    /// <summary>How long a put waits for the datasets to move on before it answers; the rest follows by the timer.</summary>
    private static readonly TimeSpan s_tellWait = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan s_tellAgain = TimeSpan.FromSeconds(5);

    private StoredState<AreaSystemState> _systems = null!;
    private StoredState<AreaDependents> _dependents = null!;

    /// <summary>The last version each dataset is known to have taken.</summary>
    private readonly Dictionary<string, int> _told = new(StringComparer.Ordinal);

    private Task _attaching = Task.CompletedTask;
    private IGrainTimer? _teller;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _systems = new(state, DeactivateOnIdle);
        _dependents = new(dependents, DeactivateOnIdle);

        // A predecessor may have died between storing a version and telling of it. Telling twice is harmless.
        if (_systems.Value.Present is not null) TellLater(TimeSpan.Zero);
        return Task.CompletedTask;
    }

    public async Task<AreaSystemResult> PutAsync(Caller caller, LocalText? title, Area[] areas, int? basedOn, LocalText[]? levelTitles = null)
    {
        var system = this.GetPrimaryKeyString();
        var (next, result) = AreaSystemRules.Put(_systems.Value, system, caller, title, areas, basedOn, options.Value, levelTitles);
        if (result.Refusal != AreaRefusal.None) return result;

        // Noted before it is stored: a list may name what is not there yet, but never miss what is.
        try
        {
            await GrainFactory.GetGrain<ICatalogGrain>(CatalogKinds.AreaSystems).AddAsync(Caller.Hub, system);
        }
        catch (CatalogFullException e)
        {
            return new(AreaRefusal.TooMany, 0, 0, new(e.Message, e.Message));
        }

        await _systems.StoreAsync(next);
        if (result.Changed) LogPut(system, result.Version, result.Areas);
        var telling = TellAsync();
        await Task.WhenAny(telling, Task.Delay(s_tellWait, CancellationToken.None));
        if (!telling.IsCompleted || Untold().Length > 0) TellLater(s_tellAgain);
        return result;
    }

    public Task<AreaSystem?> GetAsync(Caller caller, int? version) =>
        Task.FromResult(version is null ? _systems.Value.Present : _systems.Value.Versions.FirstOrDefault(v => v.Version == version));

    public Task<AreaSystemInfo?> PresentAsync(Caller caller) => Task.FromResult(_systems.Value.Present is { } areas
        ? new AreaSystemInfo(areas.Id, areas.Title, areas.Version, areas.Areas.Length, areas.Areas.Max(a => a.Level) + 1)
        : null);

    public async Task<int> AttachAsync(Caller caller, string dataset)
    {
        if (!caller.IsPlatformAdmin) throw new UnauthorizedAccessException($"area system {this.GetPrimaryKeyString()}: only the hub itself attaches datasets");
        if (_systems.Value.Present is null) return 0;

        // Calls of several datasets interleave; their writes follow one another.
        var attaching = AttachAfterAsync(_attaching, dataset);
        _attaching = attaching;
        await attaching;

        // Read after the write: a put that stored its version before this saw no such dataset and did not tell it.
        var version = _systems.Value.Present!.Version;
        _told[dataset] = Math.Max(version, _told.GetValueOrDefault(dataset));
        return version;
    }

    private async Task AttachAfterAsync(Task before, string dataset)
    {
        // Whether the call before succeeded is the business of its caller.
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        await _dependents.StoreAsync(AreaSystemRules.Attach(_dependents.Value, dataset));
    }

    private string[] Untold() => [.. _dependents.Value.Datasets.Where(d => _told.GetValueOrDefault(d) < _systems.Value.Present?.Version)];

    private async Task TellAsync()
    {
        if (_systems.Value.Present is not { Version: var version }) return;
        await Task.WhenAll(Untold().Select(async dataset =>
        {
            try
            {
                await GrainFactory.GetGrain<IDatasetGrain>(dataset).AreaSystemChangedAsync(Caller.Hub, version);
                _told[dataset] = Math.Max(version, _told.GetValueOrDefault(dataset));
            }
            catch (Exception e)
            {
                // Its rows are resolved with the version before until the timer reaches it.
                LogNotTold(e, this.GetPrimaryKeyString(), version, dataset);
            }
        }));
    }

    private void TellLater(TimeSpan after)
    {
        if (_teller is not null) return;
        _teller = this.RegisterGrainTimer(
            async () =>
            {
                await TellAsync();
                if (Untold().Length > 0) return;
                _teller?.Dispose();
                _teller = null;
            },
            // Interleaving: a dataset that is just attaching must get its answer while it is being told.
            new GrainTimerCreationOptions(after, s_tellAgain) { Interleave = true });
    }

    [LoggerMessage(1020, LogLevel.Information, "Area system {System} has version {Version} with {Areas} areas.")]
    private partial void LogPut(string system, int version, int areas);

    [LoggerMessage(1021, LogLevel.Warning, "Dataset {Dataset} was not told of version {Version} of area system {System}; it is told again in a few seconds.")]
    private partial void LogNotTold(Exception e, string system, int version, string dataset);
}
