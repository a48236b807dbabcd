using System.Globalization;
using System.Security.Cryptography;
using System.Text;

using DataHub.Catalog;
using DataHub.Governance;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DataHub.Pipelines;

[GrainType("datahub.pull-key")]
internal sealed partial class PullKeyGrain(
    [PersistentState("pull-key", "state")] IPersistentState<PullKeyState> state,
    IOptions<AuditOptions> audit,
    AuditTrail trail,
    TimeProvider time,
    ILogger<PullKeyGrain> logger) : Grain, IPullKeyGrain, IPullSecretGrain, IOutboxGrain
{
    private StoredState<PullKeyState> _stored = null!;
    private Outbox<PullKeyState> _outbox = null!;

    private string Id => this.GetPrimaryKeyString();

    private string Agency => Id.Split('/')[0];

    private string Name => Id.Split('/')[1];

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        _outbox = new(_stored, trail, audit.Value, this, logger);
        _outbox.Start();
        return Task.CompletedTask;
    }

    public async Task<PullKeyResult> PutAsync(Caller caller, string host, PullSecret secret)
    {
        if (Refused(caller) is { } refused) return refused;
        if (PullRules.KeyFault(host, secret.Text) is { } fault) return new(CatalogRefusal.Invalid, null, fault);
        if (await GrainFactory.GetGrain<IAgencyGrain>(Agency).GetAsync(Caller.Hub) is null)
            return new(CatalogRefusal.NotFound, null, new($"Eine Behörde „{Agency}“ gibt es nicht.", $"There is no agency “{Agency}”."));
        var bytes = Encoding.UTF8.GetBytes(secret.Text);
        if (_stored.Value.Info is { } stands && stands.Host == PullRules.Host(host) && CryptographicOperations.FixedTimeEquals(_stored.Value.Secret, bytes)) return Found();
        if (_outbox.IsFull) return new(CatalogRefusal.Unavailable, null, OutboxText.Full);
        try
        {
            // Noted before it is stored: the list may name a key that is not there, but never miss one that is.
            await GrainFactory.GetGrain<ICatalogGrain>(CatalogKinds.PullKeysOf(Agency)).AddAsync(Caller.Hub, Name);
        }
        catch (CatalogFullException e)
        {
            return new(CatalogRefusal.TooMany, null, new(e.Message, e.Message));
        }

        var next = PullRules.Put(_stored.Value, Name, host, bytes, caller.Subject, time.GetUtcNow());
        await _outbox.StoreAsync(next, Happened(caller, AuditEvents.PullKeySet, ("host", next.Info!.Host), ("version", next.Versions.ToString(CultureInfo.InvariantCulture))));
        LogSet(Id, next.Info.Host, next.Versions, caller.Subject);
        return Found();
    }

    public Task<PullKeyResult> GetAsync(Caller caller) => Task.FromResult(Refused(caller) ?? Found());

    public async Task<PullKeyResult> DeleteAsync(Caller caller)
    {
        if (Refused(caller) is { } refused) return refused;
        if (_stored.Value.Info is not { } stands) return Found();
        var secret = _stored.Value.Secret;
        // A key is deleted however many events wait.
        await _outbox.StoreAsync(_stored.Value with { Info = null, Secret = [] }, Happened(caller, AuditEvents.PullKeyDeleted, ("host", stands.Host)));
        CryptographicOperations.ZeroMemory(secret);
        LogDeleted(Id, caller.Subject);
        return new(CatalogRefusal.None, stands, null);
    }

    public Task<PullKey?> SecretAsync(Caller caller)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only runs use keys");
        return Task.FromResult(_stored.Value.Info is { } stands ? new PullKey(Name, stands.Host, [.. _stored.Value.Secret]) : null);
    }

    public Task FlushAsync(Caller caller) => _outbox.FlushAsync(caller);

    private PullKeyResult? Refused(Caller caller) => AccessRules.May(caller, AccessRights.ManageAgency, Holding.OfAgency(Agency))
        ? null
        : new(CatalogRefusal.Forbidden, null, AccessRules.Missing(AccessRights.ManageAgency, Holding.OfAgency(Agency)));

    private PullKeyResult Found()
    {
        if (_stored.Value.Info is { } stands) return new(CatalogRefusal.None, stands, null);
        // Invented names must not fill the memory.
        DeactivateOnIdle();
        return new(CatalogRefusal.NotFound, null, new($"Einen Schlüssel „{Name}“ für andere Server hat „{Agency}“ nicht.", $"“{Agency}” has no key “{Name}” for other hosts."));
    }

    private AuditEvent Happened(Caller caller, string action, params (string Name, string? Text)[] detail) =>
        AuditEvents.Of(time.GetUtcNow(), caller, action, Agency, $"pull-key:{Id}", AuditOutcome.Done, detail);

    [LoggerMessage(4082, LogLevel.Information, "Key {Key} for {Host}: version {Version} was put by {By}")]
    private partial void LogSet(string key, string host, int version, string by);

    [LoggerMessage(4083, LogLevel.Information, "Key {Key} for another host was deleted by {By}")]
    private partial void LogDeleted(string key, string by);
}
