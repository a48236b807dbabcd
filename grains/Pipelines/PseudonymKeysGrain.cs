using System.Globalization;
using System.Security.Cryptography;

using DataHub.Catalog;
using DataHub.Governance;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DataHub.Pipelines;

[GrainType("datahub.pseudonym-keys")]
internal sealed partial class PseudonymKeysGrain(
    [PersistentState("pseudonym-keys", "state")] IPersistentState<PseudonymKeysState> state,
    IOptions<AuditOptions> audit,
    AuditTrail trail,
    TimeProvider time,
    ILogger<PseudonymKeysGrain> logger) : Grain, IPseudonymKeysGrain, IPseudonymSecretGrain, IOutboxGrain
{
    private StoredState<PseudonymKeysState> _stored = null!;
    private Outbox<PseudonymKeysState> _outbox = null!;

    private string Id => this.GetPrimaryKeyString();

    private string Agency => Id.Split('/')[0];

    private string Purpose => Id.Split('/')[1];

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, DeactivateOnIdle);
        _outbox = new(_stored, trail, audit.Value, this, logger);
        _outbox.Start();
        return Task.CompletedTask;
    }

    public async Task<PseudonymKeysResult> RotateAsync(Caller caller)
    {
        if (Refused(caller) is { } refused) return refused;
        if (await GrainFactory.GetGrain<IAgencyGrain>(Agency).GetAsync(Caller.Hub) is null)
            return new(CatalogRefusal.NotFound, null, new($"Eine Behörde „{Agency}“ gibt es nicht.", $"There is no agency “{Agency}”."));
        if (PseudonymRules.Full(_stored.Value) is { } full) return new(CatalogRefusal.TooMany, null, full);
        if (_outbox.IsFull) return new(CatalogRefusal.Unavailable, null, OutboxText.Full);
        try
        {
            // Noted before it is stored: the list may name a purpose without a key, but never miss one that has.
            await GrainFactory.GetGrain<ICatalogGrain>(CatalogKinds.PseudonymKeysOf(Agency)).AddAsync(Caller.Hub, Purpose);
        }
        catch (CatalogFullException e)
        {
            return new(CatalogRefusal.TooMany, null, new(e.Message, e.Message));
        }

        var next = PseudonymRules.Rotate(_stored.Value, RandomNumberGenerator.GetBytes(PseudonymRules.KeyBytes), caller.Subject, time.GetUtcNow());
        await _outbox.StoreAsync(next, Happened(caller, AuditEvents.PseudonymKeyCreated, ("version", Text(next.Versions.Length))));
        LogCreated(Id, next.Versions.Length, caller.Subject);
        return Found();
    }

    public Task<PseudonymKeysResult> GetAsync(Caller caller) => Task.FromResult(Refused(caller) ?? Found());

    public async Task<PseudonymKeysResult> DestroyAsync(Caller caller, int version, string reason)
    {
        if (Refused(caller) is { } refused) return refused;
        if (version < 1 || version > _stored.Value.Versions.Length)
            return new(CatalogRefusal.NotFound, null, new($"Für „{Purpose}“ gibt es keine Fassung {version} des Schlüssels.", $"There is no version {version} of the key for “{Purpose}”."));
        if (string.IsNullOrWhiteSpace(reason) || reason.Length > AuditEvents.MaxReasonLength)
            return new(CatalogRefusal.Invalid, null, new($"reason: Ein Grund hat 1 bis {AuditEvents.MaxReasonLength} Zeichen.", $"reason: A reason has 1 to {AuditEvents.MaxReasonLength} characters."));
        var secret = _stored.Value.Versions[version - 1].Secret;
        if (secret.Length == 0) return Found();

        // A key is destroyed however many events wait.
        await _outbox.StoreAsync(
            PseudonymRules.Destroy(_stored.Value, version, caller.Subject, reason, time.GetUtcNow()), Happened(caller, AuditEvents.PseudonymKeyDestroyed, ("version", Text(version)), ("reason", reason)));
        CryptographicOperations.ZeroMemory(secret);
        LogDestroyed(Id, version, caller.Subject);
        return Found();
    }

    public Task<byte[]?> SecretAsync(Caller caller, int version)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only steps of runs use keys");
        return Task.FromResult(version >= 1 && version <= _stored.Value.Versions.Length && _stored.Value.Versions[version - 1].Secret is { Length: > 0 } secret ? secret.ToArray() : null);
    }

    public Task FlushAsync(Caller caller) => _outbox.FlushAsync(caller);

    private PseudonymKeysResult? Refused(Caller caller) => AccessRules.May(caller, AccessRights.ManageAgency, Holding.OfAgency(Agency))
        ? null
        : new(CatalogRefusal.Forbidden, null, AccessRules.Missing(AccessRights.ManageAgency, Holding.OfAgency(Agency)));

    private PseudonymKeysResult Found()
    {
        if (_stored.Value.Versions.Length > 0) return new(CatalogRefusal.None, new(Purpose, Array.ConvertAll(_stored.Value.Versions, version => version.Info)), null);
        // Invented purposes must not fill the memory.
        DeactivateOnIdle();
        return new(CatalogRefusal.NotFound, null, new($"Für „{Purpose}“ hat „{Agency}“ keinen Schlüssel.", $"“{Agency}” has no key for “{Purpose}”."));
    }

    private AuditEvent Happened(Caller caller, string action, params (string Name, string? Text)[] detail) =>
        AuditEvents.Of(time.GetUtcNow(), caller, action, Agency, $"pseudonym-key:{Id}", AuditOutcome.Done, detail);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    [LoggerMessage(4080, LogLevel.Information, "Pseudonym key {Key}: version {Version} was made by {By}")]
    private partial void LogCreated(string key, int version, string by);

    [LoggerMessage(4081, LogLevel.Information, "Pseudonym key {Key}: version {Version} was destroyed by {By}")]
    private partial void LogDestroyed(string key, int version, string by);
}
