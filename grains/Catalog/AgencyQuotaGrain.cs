using System.Globalization;

using DataHub.Feeds;
using DataHub.Governance;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DataHub.Catalog;

/// <remarks>What was used today is stored now and then: a kill forgets some seconds of it, to the agency's favour.</remarks>
[GrainType("datahub.agency-quota")]
internal sealed partial class AgencyQuotaGrain(
    [PersistentState("agency-quota", "state")] IPersistentState<AgencyQuotaState> state,
    [PersistentState("agency-use", "state")] IPersistentState<AgencyUseState> use,
    IOptions<QuotaOptions> options,
    IOptions<AuditOptions> audit,
    AuditTrail trail,
    TimeProvider time,
    ILogger<AgencyQuotaGrain> logger) : Grain, IAgencyQuotaGrain, IOutboxGrain
{
    private static readonly TimeSpan s_storePeriod = TimeSpan.FromSeconds(10);

    private readonly AgencyMeter _meter = new();
    private StoredState<AgencyQuotaState> _stored = null!;
    private StoredState<AgencyUseState> _use = null!;
    private Outbox<AgencyQuotaState> _outbox = null!;

    private string Id => this.GetPrimaryKeyString();

    private AgencyQuota Holds => AgencyQuotaRules.Holds(_stored.Value.Quota, options.Value.Agency);

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        _use = new(use, DeactivateOnIdle);
        _outbox = new(_stored, trail, audit.Value, this, logger);
        _outbox.Start();
        _meter.GoOn(_use.Value, time.GetUtcNow());
        this.RegisterGrainTimer(StoreUseAsync, new GrainTimerCreationOptions(s_storePeriod, s_storePeriod));
        return Task.CompletedTask;
    }

    public async Task<AgencyQuotaResult> PutAsync(Caller caller, AgencyQuota quota)
    {
        var (next, refusal, detail) = AgencyQuotaRules.Put(_stored.Value, Id, caller, await ExistsAsync(), quota);
        if (refusal != CatalogRefusal.None) return AgencyQuotaResult.Refused(refusal, detail);
        if (_outbox.IsFull) return AgencyQuotaResult.Refused(CatalogRefusal.Unavailable, OutboxText.Full);
        await _outbox.StoreAsync(next, AuditEvents.Of(
            time.GetUtcNow(), caller, AuditEvents.QuotaSet, Id, $"agency:{Id}", AuditOutcome.Done,
            ("rowsPerSecond", Text(quota.RowsPerSecond)), ("bytesPerDay", Text(quota.BytesPerDay)), ("datasets", Text(quota.Datasets))));
        return Result();

        static string Text(long? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "default";
    }

    public async Task<AgencyQuotaResult> GetAsync(Caller caller)
    {
        if (AccessRules.Decide(caller, AccessRights.ManageAgency, Holding.OfAgency(Id)).Missing is { } missing) return AgencyQuotaResult.Refused(CatalogRefusal.Forbidden, missing);
        return await ExistsAsync() ? Result() : AgencyQuotaResult.Refused(CatalogRefusal.NotFound, AgencyQuotaRules.NoAgency(Id));
    }

    public Task<AgencyStanding> UsedAsync(Caller caller, PushLoad used)
    {
        OnlyTheHub(caller);
        var now = time.GetUtcNow();
        _meter.Add(Holds, used, now);
        return Task.FromResult(_meter.Read(Holds, now));
    }

    public async Task<LocalText?> AddDatasetAsync(Caller caller, string dataset)
    {
        OnlyTheHub(caller);
        var (next, detail) = AgencyQuotaRules.AddDataset(_stored.Value, Id, Holds, dataset);
        await _stored.StoreAsync(next);
        return detail;
    }

    public Task RemoveDatasetAsync(Caller caller, string dataset)
    {
        OnlyTheHub(caller);
        return _stored.StoreAsync(AgencyQuotaRules.RemoveDataset(_stored.Value, dataset));
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => StoreUseAsync(cancellationToken);

    /// <summary>Invented agencies must not fill the memory.</summary>
    private async Task<bool> ExistsAsync()
    {
        if (await GrainFactory.GetGrain<IAgencyGrain>(Id).GetAsync(Caller.Hub) is not null) return true;
        DeactivateOnIdle();
        return false;
    }

    private AgencyQuotaResult Result()
    {
        var standing = _meter.Read(Holds, time.GetUtcNow());
        return new(CatalogRefusal.None, _stored.Value.Quota, Holds, _meter.RowsToday, _meter.BytesToday, _stored.Value.Datasets.Length, standing.Quotas, null);
    }

    private async Task StoreUseAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (_meter.RowsToday > 0 || _use.Value.Rows > 0) await _use.StoreAsync(new(_meter.DayEnds, _meter.RowsToday, _meter.BytesToday));
        }
        catch (Exception e)
        {
            LogNotStored(e, Id);
        }
    }

    private static void OnlyTheHub(Caller caller)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the hub itself counts what an agency uses");
    }

    public Task FlushAsync(Caller caller) => _outbox.FlushAsync(caller);

    [LoggerMessage(1015, LogLevel.Warning, "Agency {Agency}: what it used today could not be stored; will be repeated")]
    private partial void LogNotStored(Exception exception, string agency);
}
