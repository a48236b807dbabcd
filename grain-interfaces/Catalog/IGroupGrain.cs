using Orleans.Concurrency;

namespace DataHub.Catalog;

/// <summary>People of an agency to whom roles are given together. Key: <c>{agency}/{group}</c>.</summary>
[GrainInterfaceType("datahub.group")]
public interface IGroupGrain : IGrainWithStringKey
{
    /// <summary>Creates or renames the group. Repeating is harmless.</summary>
    /// <param name="caller">An admin of the agency or of the platform.</param>
    [Alias("Put"), Repeatable]
    Task<GroupResult> PutAsync(Caller caller, LocalText name);

    /// <summary>The group with its members; for those who manage the agency.</summary>
    [Alias("Get"), AlwaysInterleave, Repeatable]
    Task<GroupResult> GetAsync(Caller caller);

    /// <summary>Whether there is such a group.</summary>
    [Alias("Exists"), AlwaysInterleave, Repeatable]
    Task<bool> ExistsAsync();

    /// <summary>Takes a person in, or changes reason and end of a membership.</summary>
    /// <param name="person">As <see cref="Subjects.Person"/> writes it.</param>
    /// <param name="until">When the membership ends by itself; null: it does not.</param>
    [Alias("AddMember"), Repeatable]
    Task<GroupResult> AddMemberAsync(Caller caller, string person, string why, DateTimeOffset? until);

    /// <summary>Ends a membership, with effect within a second everywhere. Repeating is harmless.</summary>
    [Alias("RemoveMember"), Repeatable]
    Task<GroupResult> RemoveMemberAsync(Caller caller, string person);

    /// <summary>Notes that the group may hold a role in a dataspace, before it does. Only for the hub.</summary>
    [Alias("NoteDataspace"), Repeatable]
    Task<bool> NoteDataspaceAsync(Caller caller, string dataspace);

    /// <summary>The roles that somebody holds through this group now. Only for the hub.</summary>
    /// <param name="person">Null: anybody who is in the group.</param>
    /// <param name="claimed">The person's issuer says that the person is in the group.</param>
    [Alias("Held"), AlwaysInterleave, Repeatable]
    Task<HeldGrant[]> HeldAsync(Caller caller, string? person, bool claimed);

    /// <summary>Whether somebody is in this group, and the roles that he holds through it. Only for the hub.</summary>
    /// <returns>As <see cref="HeldAsync"/>; null where he is not in it.</returns>
    [Alias("Membership"), AlwaysInterleave, Repeatable]
    Task<HeldGrant[]?> MembershipAsync(Caller caller, string person, bool claimed);
}

/// <param name="Person">Issuer and subject.</param>
[GenerateSerializer, Immutable, Alias("datahub.MemberInfo")]
public sealed record MemberInfo(
    [property: Id(0)] string Person, [property: Id(1)] string By, [property: Id(2)] DateTimeOffset At, [property: Id(3)] string Why, [property: Id(4)] DateTimeOffset? Until)
{
    public bool Holds(DateTimeOffset now) => Until is null || now < Until;
}

[GenerateSerializer, Immutable, Alias("datahub.GroupInfo")]
public sealed record GroupInfo([property: Id(0)] string Id, [property: Id(1)] LocalText Name, [property: Id(2)] MemberInfo[] Members);

[GenerateSerializer, Immutable, Alias("datahub.GroupResult")]
public sealed record GroupResult([property: Id(0)] CatalogRefusal Refusal, [property: Id(1)] GroupInfo? Group, [property: Id(2)] LocalText? Detail)
{
    [Id(3)] public bool Created { get; init; }
}
