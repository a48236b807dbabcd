using DataHub.Feeds;
using DataHub.Governance;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DataHub.Catalog;

[GrainType("datahub.dataspace")]
internal sealed partial class DataspaceGrain(
    [PersistentState("dataspace", "state")] IPersistentState<DataspaceState> state,
    IOptions<CatalogOptions> options,
    IOptions<AuditOptions> audit,
    AuditTrail trail,
    TimeProvider time,
    ILogger<DataspaceGrain> logger) : Grain, IDataspaceGrain, IOutboxGrain
{
    private StoredState<DataspaceState> _stored = null!;
    private Outbox<DataspaceState> _outbox = null!;

    private string Id => this.GetPrimaryKeyString();

    /// <summary>What stands; the platform does without being made.</summary>
    private DataspaceState Standing => Id == Dataspaces.Platform && _stored.Value.Info is null ? _stored.Value with { Info = DataspaceRules.Platform } : _stored.Value;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        _outbox = new(_stored, trail, audit.Value, this, logger);
        _outbox.Start();
        return Task.CompletedTask;
    }

    public async Task<DataspaceResult> PutAsync(Caller caller, DataspaceSpec spec)
    {
        var ownerExists = CatalogIds.IsValid(spec.Owner) && await GrainFactory.GetGrain<IAgencyGrain>(spec.Owner).GetAsync(Caller.Hub) is not null;
        var (next, result) = DataspaceRules.Put(Standing, Id, caller, spec, ownerExists, time.GetUtcNow());
        if (result.Refusal != CatalogRefusal.None) return result;

        if (result.Created)
        {
            // Noted before it is stored: a list may name what is not there yet, but never miss what is.
            try
            {
                await GrainFactory.GetGrain<ICatalogGrain>(CatalogKinds.Dataspaces).AddAsync(Caller.Hub, Id);
            }
            catch (CatalogFullException e)
            {
                return new(CatalogRefusal.TooMany, null, new(e.Message, e.Message));
            }
        }

        if (next == Standing) return result;
        if (_outbox.IsFull) return new(CatalogRefusal.Unavailable, null, OutboxText.Full);
        await _outbox.StoreAsync(next, Happened(caller, spec.Owner, result.Created ? AuditEvents.DataspaceCreated : AuditEvents.DataspaceChanged, ("title", spec.Title.De)));
        return result;
    }

    public Task<DataspaceInfo?> GetAsync(Caller caller) => Task.FromResult(Standing.Info);

    public async Task<GrantResult> GrantAsync(Caller caller, GrantRequest wanted)
    {
        var group = Subjects.IsGroup(wanted.Group) ? GrainFactory.GetGrain<IGroupGrain>(wanted.Group) : null;
        var exists = group is not null && await group.ExistsAsync();
        var now = time.GetUtcNow();
        var (next, result) = DataspaceRules.Grant(Standing, Id, caller, wanted, ReceiptIds.New(now), exists, options.Value, now);
        if (!result.Created) return result;
        if (_outbox.IsFull) return new(CatalogRefusal.Unavailable, null, OutboxText.Full);

        // The group must know where to look before there is anything to find.
        if (!await group!.NoteDataspaceAsync(Caller.Hub, Id))
        {
            return new(CatalogRefusal.TooMany, null, new(
                $"Die Gruppe „{wanted.Group}“ hat Rollen in {options.Value.MaxGroupDataspaces} Datenräumen, so vielen, wie DataHub:Catalog:MaxGroupDataspaces erlaubt.",
                $"The group “{wanted.Group}” holds roles in {options.Value.MaxGroupDataspaces} dataspaces, as many as DataHub:Catalog:MaxGroupDataspaces allows."));
        }

        await _outbox.StoreAsync(next, Happened(caller, Standing.Info!.Spec.Owner, AuditEvents.GrantGiven, Details(result.Grant!)));
        LogGranted(Id, wanted.Role, wanted.Group, wanted.Dataset, result.Grant!.Id, caller.Subject);
        return result;
    }

    public async Task<GrantResult> RevokeGrantAsync(Caller caller, string grant, string why)
    {
        var (next, result) = DataspaceRules.Revoke(Standing, Id, caller, grant, why, options.Value, time.GetUtcNow());
        if (next == Standing || result.Refusal != CatalogRefusal.None) return result;

        // A role is taken away however many events wait.
        await _outbox.StoreAsync(next, Happened(caller, Standing.Info!.Spec.Owner, AuditEvents.GrantRevoked, [.. Details(result.Grant!), ("revokedWhy", why)]));
        LogRevoked(Id, grant, result.Grant!.Role, result.Grant.Group, caller.Subject);
        return result;
    }

    public Task<GrantList> ListGrantsAsync(Caller caller)
    {
        var standing = Standing;
        if (standing.Info is not { } info) return Task.FromResult(new GrantList(CatalogRefusal.NotFound, [], DataspaceRules.NoDataspace(Id)));
        return Task.FromResult(AccessRules.Decide(caller, AccessRights.Grant, info.Holding).Missing is { } missing
            ? new GrantList(CatalogRefusal.Forbidden, [], missing)
            : new GrantList(CatalogRefusal.None, standing.Grants, null));
    }

    public Task<HeldGrant[]> HeldByAsync(Caller caller, string group) =>
        caller == Caller.Hub ? Task.FromResult(DataspaceRules.HeldBy(Standing, group, time.GetUtcNow())) : throw new UnauthorizedAccessException("only the hub asks what a group holds");

    public async Task<bool> NoteDatasetAsync(Caller caller, string dataset)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the hub notes datasets");
        if (_stored.Value.Info is not { } info) return false;
        if (!info.Datasets.Contains(dataset, StringComparer.Ordinal))
            await _stored.StoreAsync(_stored.Value with { Info = info with { Datasets = [.. info.Datasets.Append(dataset).Order(StringComparer.Ordinal)] } });
        return true;
    }

    public Task<AccessExplanation?> AccessAsync(Caller caller, Caller subject) =>
        Task.FromResult(Standing.Info is { } info ? AccessRules.Explain(caller, subject, info.Holding) : null);

    private AuditEvent Happened(Caller caller, string owner, string action, params (string Name, string? Text)[] detail) =>
        AuditEvents.Of(time.GetUtcNow(), caller, action, owner, $"dataspace:{Id}", AuditOutcome.Done, detail);

    private static (string, string?)[] Details(GrantInfo grant) =>
        [("grant", grant.Id), ("group", grant.Group), ("role", ContractWords.Of(grant.Role)), ("dataset", grant.Dataset), ("why", grant.Why), ("until", grant.Until?.ToString("u"))];

    public Task FlushAsync(Caller caller) => _outbox.FlushAsync(caller);

    [LoggerMessage(1020, LogLevel.Information, "Dataspace {Dataspace}: role {Role} given to {Group}, dataset {Dataset}, as {Grant} by {By}")]
    private partial void LogGranted(string dataspace, DataspaceRole role, string group, string? dataset, string grant, string by);

    [LoggerMessage(1021, LogLevel.Information, "Dataspace {Dataspace}: grant {Grant} (role {Role} of {Group}) revoked by {By}")]
    private partial void LogRevoked(string dataspace, string grant, DataspaceRole role, string group, string by);
}
