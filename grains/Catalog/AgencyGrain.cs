using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DataHub.Catalog;

[GrainType("datahub.agency")]
internal sealed partial class AgencyGrain(
    [PersistentState("agency", "state")] IPersistentState<AgencyState> state,
    IOptions<CatalogOptions> options,
    TimeProvider time,
    ILogger<AgencyGrain> logger) : Grain, IAgencyGrain
{
    private StoredState<AgencyState> _stored = null!;

    private string Id => this.GetPrimaryKeyString();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        return Task.CompletedTask;
    }

    public async Task<AgencyResult> PutAsync(Caller caller, LocalText name)
    {
        var (next, result) = AgencyRules.Put(_stored.Value, Id, caller, name);
        if (result.Refusal != CatalogRefusal.None) return result;

        // Noted before it is stored: a list may name what is not there yet, but never miss what is.
        try
        {
            await GrainFactory.GetGrain<ICatalogGrain>(CatalogKinds.Agencies).AddAsync(Caller.Hub, Id);
        }
        catch (CatalogFullException e)
        {
            return new(CatalogRefusal.TooMany, null, new(e.Message, e.Message));
        }

        await _stored.StoreAsync(next);
        return result;
    }

    public Task<AgencyInfo?> GetAsync(Caller caller) =>
        Task.FromResult(_stored.Value.Name is { } name ? new AgencyInfo(Id, name) : null);

    public async Task<KeyResult> CreateKeyAsync(Caller caller, KeyRole role, string? label)
    {
        var key = ApiKey.Create(Id, out var text);
        var stored = new StoredKey(key.KeyId, key.Hash, role, label, time.GetUtcNow(), null);
        var (next, refusal, detail) = AgencyRules.AddKey(_stored.Value, Id, caller, stored, options.Value.MaxKeys);
        if (refusal != CatalogRefusal.None) return new(refusal, null, null, detail);

        await _stored.StoreAsync(next);
        LogKeyCreated(Id, stored.Id, role, caller.KeyId);
        return new(CatalogRefusal.None, text, stored.Info, null);
    }

    public Task<KeyList> ListKeysAsync(Caller caller) => Task.FromResult(
        !AgencyRules.MayAdminister(caller, Id) ? new KeyList(CatalogRefusal.Forbidden, [])
        : _stored.Value.Name is null ? new KeyList(CatalogRefusal.NotFound, [])
        : new KeyList(CatalogRefusal.None, [.. _stored.Value.Keys.Select(key => key.Info)]));

    public async Task<AgencyResult> RevokeKeyAsync(Caller caller, string keyId)
    {
        var (next, result) = AgencyRules.Revoke(_stored.Value, Id, caller, keyId, time.GetUtcNow(), options.Value.MaxKeys);
        if (next == _stored.Value) return result;

        await _stored.StoreAsync(next);
        LogKeyRevoked(Id, keyId, caller.KeyId);
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
        await _stored.StoreAsync(next);
        LogKeyCreated(Id, keyId, KeyRole.Admin, caller.KeyId);
        return true;
    }

    public Task<Caller?> AuthenticateAsync(string keyId, byte[] secretHash)
    {
        // Invented agencies must not fill the memory.
        if (_stored.Value.Name is null) DeactivateOnIdle();
        return Task.FromResult(AgencyRules.Authenticate(_stored.Value, Id, keyId, secretHash));
    }

    [LoggerMessage(1001, LogLevel.Information, "Agency {Agency}: key {Key} created with role {Role} by key {By}")]
    private partial void LogKeyCreated(string agency, string key, KeyRole role, string? by);

    [LoggerMessage(1002, LogLevel.Information, "Agency {Agency}: key {Key} revoked by key {By}")]
    private partial void LogKeyRevoked(string agency, string key, string? by);
}
