using DataHub.Governance;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DataHub.Catalog;

[GrainType("datahub.agency")]
internal sealed partial class AgencyGrain(
    [PersistentState("agency", "state")] IPersistentState<AgencyState> state,
    IOptions<CatalogOptions> options,
    IOptions<AuditOptions> audit,
    AuditTrail trail,
    TimeProvider time,
    ILogger<AgencyGrain> logger) : Grain, IAgencyGrain, IOutboxGrain
{
    /// <summary>How often it is stored when keys were used last: a key that is used all the time must not write all the time.</summary>
    private static readonly TimeSpan s_usesPeriod = TimeSpan.FromMinutes(5);

    private readonly Dictionary<string, DateTimeOffset> _uses = [];
    private StoredState<AgencyState> _stored = null!;
    private Outbox<AgencyState> _outbox = null!;

    private string Id => this.GetPrimaryKeyString();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        this.RegisterGrainTimer(StoreUsesAsync, new GrainTimerCreationOptions(s_usesPeriod, s_usesPeriod));
        _outbox = new(_stored, trail, audit.Value, this, logger);
        _outbox.Start();
        return Task.CompletedTask;
    }

    public async Task<AgencyResult> PutAsync(Caller caller, LocalText name)
    {
        var (next, result) = AgencyRules.Put(_stored.Value, Id, caller, name);
        if (result.Refusal != CatalogRefusal.None) return result;
        if (_outbox.IsFull) return new(CatalogRefusal.Unavailable, null, OutboxText.Full);

        // Noted before it is stored: a list may name what is not there yet, but never miss what is.
        try
        {
            await GrainFactory.GetGrain<ICatalogGrain>(CatalogKinds.Agencies).AddAsync(Caller.Hub, Id);
        }
        catch (CatalogFullException e)
        {
            return new(CatalogRefusal.TooMany, null, new(e.Message, e.Message));
        }

        await _outbox.StoreAsync(next, Happened(caller, _stored.Value.Name is null ? AuditEvents.AgencyCreated : AuditEvents.AgencyRenamed, ("name", name.De)));
        return result;
    }

    public Task<AgencyInfo?> GetAsync(Caller caller) =>
        Task.FromResult(_stored.Value.Name is { } name ? new AgencyInfo(Id, name) : null);

    public async Task<KeyResult> MakeKeyAsync(Caller caller, KeyRequest wanted)
    {
        var key = ApiKey.Create(Id, out var text);
        var stored = new StoredKey(key.KeyId, key.Hash, wanted.Role, wanted.Label, time.GetUtcNow(), null) { Scope = wanted.Scope, Expires = wanted.Expires };
        var (next, refusal, detail) = AgencyRules.AddKey(WithUses(), Id, caller, stored, options.Value.MaxKeys);
        if (refusal != CatalogRefusal.None) return new(refusal, null, null, detail);
        if (_outbox.IsFull) return new(CatalogRefusal.Unavailable, null, null, OutboxText.Full);

        await _outbox.StoreAsync(next, KeyCreated(caller, stored));
        LogKeyCreated(Id, stored.Id, wanted.Role, caller.Subject);
        return new(CatalogRefusal.None, text, stored.Info, null);
    }

    public Task<KeyResult> CreateKeyAsync(Caller caller, KeyRole role, string? label) => MakeKeyAsync(caller, new(role, label, null, null));

    public async Task<KeyResult> RotateKeyAsync(Caller caller, string keyId, TimeSpan overlap, DateTimeOffset? expires)
    {
        var key = ApiKey.Create(Id, out var text);
        var stored = new StoredKey(key.KeyId, key.Hash, KeyRole.None, null, time.GetUtcNow(), null) { Expires = expires };
        var (next, refusal, detail, made) = AgencyRules.Rotate(WithUses(), Id, caller, keyId, stored, overlap, options.Value.MaxKeys);
        if (refusal != CatalogRefusal.None) return new(refusal, null, null, detail);
        if (_outbox.IsFull) return new(CatalogRefusal.Unavailable, null, null, OutboxText.Full);

        await _outbox.StoreAsync(next, Happened(caller, AuditEvents.KeyRotated, ("key", keyId), ("by", made!.Id)));
        LogKeyRotated(Id, keyId, made!.Id, caller.Subject);
        return new(CatalogRefusal.None, text, made.Info, null);
    }

    public Task<KeyList> ListKeysAsync(Caller caller) => Task.FromResult(
        !AgencyRules.MayManage(caller, Id) ? new KeyList(CatalogRefusal.Forbidden, []) { Detail = AccessRules.Missing(AccessRights.ManageAgency, Holding.OfAgency(Id)) }
        : _stored.Value.Name is null ? new KeyList(CatalogRefusal.NotFound, [])
        : new KeyList(CatalogRefusal.None, [.. WithUses().Keys.Select(key => key.Info)]));

    public async Task<AgencyResult> RevokeKeyAsync(Caller caller, string keyId)
    {
        var (next, result) = AgencyRules.Revoke(WithUses(), Id, caller, keyId, time.GetUtcNow(), options.Value.MaxKeys);
        if (result.Refusal != CatalogRefusal.None || next.Keys.AsSpan().SequenceEqual(_stored.Value.Keys)) return result;

        // A key is ended however many events wait.
        await _outbox.StoreAsync(next, Happened(caller, AuditEvents.KeyRevoked, ("key", keyId)));
        LogKeyRevoked(Id, keyId, caller.Subject);
        return result;
    }

    public async Task<bool> BootstrapAsync(Caller caller, LocalText name, string keyId, byte[] secretHash)
    {
        if (_stored.Value.Name is null)
        {
            var put = await PutAsync(caller, name);
            if (put.Refusal != CatalogRefusal.None) throw new InvalidOperationException($"agency {Id} could not be created: {put.Detail?.En}");
        }

        if (_stored.Value.Keys.Length > 0) return false;
        var key = new StoredKey(keyId, secretHash, KeyRole.Admin, "first start", time.GetUtcNow(), null);
        var (next, refusal, detail) = AgencyRules.AddKey(_stored.Value, Id, caller, key, options.Value.MaxKeys);
        if (refusal != CatalogRefusal.None) throw new InvalidOperationException($"no first key for agency {Id}: {detail?.En}");
        await _outbox.StoreAsync(next, KeyCreated(caller, key));
        LogKeyCreated(Id, keyId, KeyRole.Admin, caller.Subject);
        return true;
    }

    public Task<Caller?> AuthenticateAsync(string keyId, byte[] secretHash)
    {
        // Invented agencies must not fill the memory.
        if (_stored.Value.Name is null) DeactivateOnIdle();
        var now = time.GetUtcNow();
        var caller = AgencyRules.Authenticate(_stored.Value, Id, keyId, secretHash, now);
        if (caller is not null) _uses[keyId] = now;
        return Task.FromResult(caller);
    }

    public Task<Caller?> CallerOfAsync(Caller caller, string keyId)
    {
        if (_stored.Value.Name is null) DeactivateOnIdle();
        return Task.FromResult(
            caller == Caller.Hub && Array.Find(_stored.Value.Keys, key => key.Id == keyId) is { } key && key.Lives(time.GetUtcNow())
                ? new Caller(Id, key.Role, key.Id) { Scope = key.Scope }
                : null);
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => StoreUsesAsync(cancellationToken);

    /// <summary>The keys with when they were used last, which is stored now and then only.</summary>
    private AgencyState WithUses()
    {
        if (_uses.Count == 0) return _stored.Value;
        return _stored.Value with { Keys = Array.ConvertAll(_stored.Value.Keys, key => _uses.TryGetValue(key.Id, out var used) && !(key.LastUsed >= used) ? key with { LastUsed = used } : key) };
    }

    private async Task StoreUsesAsync(CancellationToken cancellationToken)
    {
        var next = WithUses();
        if (next.Keys.AsSpan().SequenceEqual(_stored.Value.Keys)) return;
        try
        {
            await _stored.StoreAsync(next);
        }
        catch (Exception e)
        {
            // For people only; the next time writes it again.
            LogUsesNotStored(e, Id);
        }
    }

    private AuditEvent KeyCreated(Caller caller, StoredKey key) =>
        Happened(caller, AuditEvents.KeyCreated, ("key", key.Id), ("role", key.Role.ToString().ToLowerInvariant()), ("label", key.Label));

    private AuditEvent Happened(Caller caller, string action, params (string Name, string? Text)[] detail) =>
        AuditEvents.Of(time.GetUtcNow(), caller, action, Id, $"agency:{Id}", AuditOutcome.Done, detail);

    public Task FlushAsync(Caller caller) => _outbox.FlushAsync(caller);

    [LoggerMessage(1001, LogLevel.Information, "Agency {Agency}: key {Key} created with role {Role} by {By}")]
    private partial void LogKeyCreated(string agency, string key, KeyRole role, string? by);

    [LoggerMessage(1003, LogLevel.Information, "Agency {Agency}: key {Key} is being replaced by {By} ({Caller})")]
    private partial void LogKeyRotated(string agency, string key, string by, string caller);

    [LoggerMessage(1004, LogLevel.Warning, "Agency {Agency}: when its keys were used last could not be stored; will be repeated")]
    private partial void LogUsesNotStored(Exception exception, string agency);

    [LoggerMessage(1002, LogLevel.Information, "Agency {Agency}: key {Key} revoked by {By}")]
    private partial void LogKeyRevoked(string agency, string key, string? by);
}
