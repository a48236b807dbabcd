using DataHub.Governance;

namespace DataHub.Catalog;

/// <summary>A dataspace as it is stored.</summary>
/// <param name="Info">Null: it does not exist.</param>
/// <param name="Grants">In the order of their making; those that are over are kept for a while.</param>
[GenerateSerializer, Immutable, Alias("datahub.DataspaceState")]
public sealed record DataspaceState([property: Id(0)] DataspaceInfo? Info, [property: Id(1)] GrantInfo[] Grants) : IKeepsEvents<DataspaceState>
{
    public DataspaceState()
        : this(null, [])
    {
    }

    /// <summary>Events that the audit log may not have yet.</summary>
    [Id(2)]
    public AuditEvent[] Pending { get; init; } = [];

    public DataspaceState WithPending(AuditEvent[] pending) => this with { Pending = pending };
}

/// <summary>A group as it is stored.</summary>
/// <param name="Name">Null: it does not exist.</param>
/// <param name="Dataspaces">Where it may hold a role: it names every one where it does.</param>
[GenerateSerializer, Immutable, Alias("datahub.GroupState")]
public sealed record GroupState([property: Id(0)] LocalText? Name, [property: Id(1)] MemberInfo[] Members, [property: Id(2)] string[] Dataspaces) : IKeepsEvents<GroupState>
{
    public GroupState()
        : this(null, [], [])
    {
    }

    /// <summary>Events that the audit log may not have yet.</summary>
    [Id(3)]
    public AuditEvent[] Pending { get; init; } = [];

    public GroupState WithPending(AuditEvent[] pending) => this with { Pending = pending };
}

/// <summary>A person as it is stored.</summary>
/// <param name="Groups">Of which the person may be a member: it names every one of which it is.</param>
/// <param name="Claimed">Groups that the issuer named at the last sign-in.</param>
[GenerateSerializer, Immutable, Alias("datahub.PersonState")]
public sealed record PersonState([property: Id(0)] string[] Groups, [property: Id(1)] string[] Claimed, [property: Id(2)] string? Name, [property: Id(3)] DateTimeOffset? LastSeen)
{
    public PersonState()
        : this([], [], null, null)
    {
    }
}
