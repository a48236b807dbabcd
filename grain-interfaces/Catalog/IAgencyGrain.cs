using Orleans.Concurrency;

namespace DataHub.Catalog;

/// <summary>An agency and its API keys. Key: the agency's id.</summary>
[GrainInterfaceType("datahub.agency")]
public interface IAgencyGrain : IGrainWithStringKey
{
    /// <summary>Creates or renames the agency. Repeating is harmless.</summary>
    /// <param name="caller">Must be a platform administrator.</param>
    /// <param name="name">For people.</param>
    [Alias("Put"), Repeatable]
    Task<AgencyResult> PutAsync(Caller caller, LocalText name);

    /// <summary>Null where the agency does not exist. Names of agencies are open.</summary>
    [Alias("Get"), AlwaysInterleave, Repeatable]
    Task<AgencyInfo?> GetAsync(Caller caller);

    /// <summary>Makes a new key. The secret is in this answer only; the hub keeps its hash.</summary>
    /// <param name="caller">An admin of the agency or of the platform.</param>
    /// <param name="wanted">What the key is to be.</param>
    [Alias("MakeKey"), NotRepeatable("a repeat makes another key")]
    Task<KeyResult> MakeKeyAsync(Caller caller, KeyRequest wanted);

    /// <summary>The same without scope and end; kept for front-ends of before there were these, during a rolling replacement.</summary>
    [Alias("CreateKey"), NotRepeatable("a repeat makes another key")]
    Task<KeyResult> CreateKeyAsync(Caller caller, KeyRole role, string? label);

    /// <summary>Makes a key that takes the place of another: same role, scope and label. Both are valid until the old one ends.</summary>
    /// <param name="caller">An admin of the agency or of the platform.</param>
    /// <param name="keyId">A living key that is not being replaced already.</param>
    /// <param name="overlap">How long the old key lives on; it never lives longer than it would have.</param>
    /// <param name="expires">When the new key ends; null: it lives until it is revoked.</param>
    [Alias("RotateKey"), NotRepeatable("a repeat finds the key being replaced already")]
    Task<KeyResult> RotateKeyAsync(Caller caller, string keyId, TimeSpan overlap, DateTimeOffset? expires);

    /// <summary>The keys without their secrets; only for admins of the agency or the platform.</summary>
    [Alias("ListKeys"), Repeatable]
    Task<KeyList> ListKeysAsync(Caller caller);

    /// <summary>Ends a key. Repeating is harmless.</summary>
    [Alias("RevokeKey"), Repeatable]
    Task<AgencyResult> RevokeKeyAsync(Caller caller, string keyId);

    /// <summary>
    /// The hub's own call at every start: creates the agency where it is missing and, where it never had a key, adopts
    /// this one as its first admin key. The host has written the key to its file before it calls, so a crash between
    /// the two leaves a key that the next start adopts.
    /// </summary>
    /// <param name="caller">The hub.</param>
    /// <param name="name">For people.</param>
    /// <param name="keyId">Public part of the key.</param>
    /// <param name="secretHash">SHA-256 of the whole key.</param>
    /// <returns>Whether the key is the first now; false where the agency has or had keys.</returns>
    [Alias("Bootstrap"), NotRepeatable("a repeat says that the key is not the first")]
    Task<bool> BootstrapAsync(Caller caller, LocalText name, string keyId, byte[] secretHash);

    /// <summary>Says whether a presented secret is a living key of this agency. Not for callers outside the hub.</summary>
    /// <returns>The caller it stands for, or null.</returns>
    [Alias("Authenticate"), AlwaysInterleave, Repeatable]
    Task<Caller?> AuthenticateAsync(string keyId, byte[] secretHash);

    /// <summary>Whom a key stands for, without its secret: for explaining what it may do. Only for the hub.</summary>
    /// <returns>Null where there is no such key or it is over.</returns>
    [Alias("CallerOf"), AlwaysInterleave, Repeatable]
    Task<Caller?> CallerOfAsync(Caller caller, string keyId);
}

[GenerateSerializer, Immutable, Alias("datahub.AgencyInfo")]
public sealed record AgencyInfo([property: Id(0)] string Id, [property: Id(1)] LocalText Name);

[GenerateSerializer, Immutable, Alias("datahub.AgencyResult")]
public sealed record AgencyResult([property: Id(0)] CatalogRefusal Refusal, [property: Id(1)] AgencyInfo? Agency, [property: Id(2)] LocalText? Detail);

/// <param name="Secret">The whole key, <c>dh_…</c>, shown once.</param>
[GenerateSerializer, Immutable, Alias("datahub.KeyResult")]
public sealed record KeyResult([property: Id(0)] CatalogRefusal Refusal, [property: Id(1)] string? Secret, [property: Id(2)] KeyInfo? Key, [property: Id(3)] LocalText? Detail);

[GenerateSerializer, Immutable, Alias("datahub.KeyInfo")]
public sealed record KeyInfo(
    [property: Id(0)] string Id,
    [property: Id(1)] KeyRole Role,
    [property: Id(2)] string? Label,
    [property: Id(3)] DateTimeOffset Created,
    [property: Id(4)] DateTimeOffset? Revoked)
{
    /// <summary>What the key is narrowed to; null: nothing.</summary>
    [Id(5)] public KeyScope? Scope { get; init; }

    /// <summary>When it ends by itself; null: never.</summary>
    [Id(6)] public DateTimeOffset? Expires { get; init; }

    /// <summary>When it was used last; some minutes of use are forgotten where the hub is killed. Null: never.</summary>
    [Id(7)] public DateTimeOffset? LastUsed { get; init; }

    /// <summary>The key that takes its place; until <see cref="Expires"/> both are valid.</summary>
    [Id(8)] public string? ReplacedBy { get; init; }
}

/// <summary>A key that is wanted.</summary>
/// <param name="Role">What it may do.</param>
/// <param name="Label">What it is for, for people.</param>
/// <param name="Scope">What it is narrowed to; null: nothing.</param>
/// <param name="Expires">When it ends by itself; null: never.</param>
[GenerateSerializer, Immutable, Alias("datahub.KeyRequest")]
public sealed record KeyRequest(
    [property: Id(0)] KeyRole Role,
    [property: Id(1)] string? Label,
    [property: Id(2)] KeyScope? Scope,
    [property: Id(3)] DateTimeOffset? Expires);

[GenerateSerializer, Immutable, Alias("datahub.KeyList")]
public sealed record KeyList([property: Id(0)] CatalogRefusal Refusal, [property: Id(1)] KeyInfo[] Keys)
{
    /// <summary>What is missing; null where the keys are told.</summary>
    [Id(2)] public LocalText? Detail { get; init; }
}

/// <summary>Why a change of the catalogue was not made. A refusal changes nothing.</summary>
public enum CatalogRefusal
{
    None = 0,
    Forbidden = 1,
    NotFound = 2,

    /// <summary>The id or a value is malformed; the detail says which.</summary>
    Invalid = 3,

    /// <summary>Allowed in itself, but not against what stands; the detail says what stands.</summary>
    Conflict = 4,

    /// <summary>A limit is reached; the detail names it.</summary>
    TooMany = 5,

    /// <summary>Not completed because a part of the hub did not answer; what was begun is completed by repeating the call, or by itself later.</summary>
    Unavailable = 6,
}
