using Orleans.Concurrency;

namespace DataHub.Catalog;

/// <summary>Somebody who signs in, or a machine with a token: which roles are held through which groups. Key: issuer and subject.</summary>
[GrainInterfaceType("datahub.person")]
public interface IPersonGrain : IGrainWithStringKey
{
    /// <summary>The caller that the person is now. Only for the hub, which has checked the token.</summary>
    /// <param name="claimed">Groups of which the issuer says that the person is in them; null: those of the last sign-in.</param>
    /// <param name="name">For people, as the issuer gives it.</param>
    [Alias("Resolve"), AlwaysInterleave, Repeatable]
    Task<Caller> ResolveAsync(Caller caller, string[]? claimed, string? name);

    /// <summary>Notes that the person may be a member of a group, before it is so. Only for the hub.</summary>
    [Alias("NoteGroup"), Repeatable]
    Task NoteGroupAsync(Caller caller, string group);
}
