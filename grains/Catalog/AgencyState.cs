using DataHub.Governance;

namespace DataHub.Catalog;

/// <summary>An agency as it is stored.</summary>
/// <param name="Name">Null: the agency does not exist.</param>
/// <param name="Keys">In the order of their making.</param>
[GenerateSerializer, Immutable, Alias("datahub.AgencyState")]
public sealed record AgencyState([property: Id(0)] LocalText? Name, [property: Id(1)] StoredKey[] Keys) : IKeepsEvents<AgencyState>
{
    public AgencyState()
        : this(null, [])
    {
    }

    /// <summary>Events that the audit log may not have yet.</summary>
    [Id(2)]
    public AuditEvent[] Pending { get; init; } = [];

    public AgencyState WithPending(AuditEvent[] pending) => this with { Pending = pending };
}

/// <param name="Hash">SHA-256 of the whole key; the key itself is nowhere.</param>
[GenerateSerializer, Immutable, Alias("datahub.StoredKey")]
public sealed record StoredKey(
    [property: Id(0)] string Id,
    [property: Id(1)] byte[] Hash,
    [property: Id(2)] KeyRole Role,
    [property: Id(3)] string? Label,
    [property: Id(4)] DateTimeOffset Created,
    [property: Id(5)] DateTimeOffset? Revoked)
{
    /// <summary>What the key is narrowed to; null: nothing.</summary>
    [Id(6)] public KeyScope? Scope { get; init; }

    /// <summary>The key is dead from here on; null: it lives until it is revoked.</summary>
    [Id(7)] public DateTimeOffset? Expires { get; init; }

    /// <summary>When it was used last, as far as that is stored.</summary>
    [Id(8)] public DateTimeOffset? LastUsed { get; init; }

    /// <summary>The key that took its place in a rotation.</summary>
    [Id(9)] public string? ReplacedBy { get; init; }

    /// <summary>Whether it opens anything at an instant.</summary>
    public bool Lives(DateTimeOffset now) => Revoked is null && (Expires is null || now < Expires);

    public KeyInfo Info => new(Id, Role, Label, Created, Revoked) { Scope = Scope, Expires = Expires, LastUsed = LastUsed, ReplacedBy = ReplacedBy };
}
