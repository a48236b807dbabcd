using Orleans.Concurrency;

namespace DataHub.Catalog;

/// <summary>A dataspace: what belongs together and is decided about together, with the roles that hold in it. Key: its id.</summary>
[GrainInterfaceType("datahub.dataspace")]
public interface IDataspaceGrain : IGrainWithStringKey
{
    /// <summary>Creates or changes the dataspace. Repeating is harmless.</summary>
    /// <param name="caller">An admin of the owner or of the platform.</param>
    [Alias("Put"), Repeatable]
    Task<DataspaceResult> PutAsync(Caller caller, DataspaceSpec spec);

    /// <summary>The dataspace as it stands, or null. Its name and owner are open, its roles are not.</summary>
    [Alias("Get"), AlwaysInterleave, Repeatable]
    Task<DataspaceInfo?> GetAsync(Caller caller);

    /// <summary>Gives a role to a group. A grant equal to one that stands is that one.</summary>
    /// <param name="caller">Who may give roles here.</param>
    [Alias("Grant"), NotRepeatable("a repeat after a revocation would give the role again")]
    Task<GrantResult> GrantAsync(Caller caller, GrantRequest wanted);

    /// <summary>Takes a role away, with effect within a second everywhere. Repeating is harmless.</summary>
    /// <param name="why">For whoever asks later.</param>
    [Alias("RevokeGrant"), Repeatable]
    Task<GrantResult> RevokeGrantAsync(Caller caller, string grant, string why);

    /// <summary>All grants, those that are over too, by id; for those who may give roles here.</summary>
    [Alias("ListGrants"), AlwaysInterleave, Repeatable]
    Task<GrantList> ListGrantsAsync(Caller caller);

    /// <summary>The roles that a group holds here now. Only for the hub.</summary>
    [Alias("HeldBy"), AlwaysInterleave, Repeatable]
    Task<HeldGrant[]> HeldByAsync(Caller caller, string group);

    /// <summary>Notes that a dataset belongs here, before it says so itself. Only for the hub.</summary>
    /// <returns>False where the dataspace does not exist.</returns>
    [Alias("NoteDataset"), Repeatable]
    Task<bool> NoteDatasetAsync(Caller caller, string dataset);

    /// <summary>Every right on the dataspace itself, decided for a subject, for a caller who may know: the subject itself, or whoever gives roles here.</summary>
    /// <returns>Null where the caller may not know.</returns>
    [Alias("Access"), AlwaysInterleave, Repeatable]
    Task<AccessExplanation?> AccessAsync(Caller caller, Caller subject);
}

/// <param name="Title">For people.</param>
/// <param name="Description">What belongs here.</param>
/// <param name="Owner">The agency whose admin keys act for it; fixed.</param>
[GenerateSerializer, Immutable, Alias("datahub.DataspaceSpec")]
public sealed record DataspaceSpec([property: Id(0)] LocalText Title, [property: Id(1)] LocalText? Description, [property: Id(2)] string Owner);

/// <param name="Datasets">Ids of datasets that belong here or did once.</param>
[GenerateSerializer, Immutable, Alias("datahub.DataspaceInfo")]
public sealed record DataspaceInfo(
    [property: Id(0)] string Id, [property: Id(1)] DataspaceSpec Spec, [property: Id(2)] DateTimeOffset Issued, [property: Id(3)] DateTimeOffset Modified, [property: Id(4)] string[] Datasets)
{
    public Holding Holding => new(null, Id, Spec.Owner, AccessClass.Internal);
}

[GenerateSerializer, Immutable, Alias("datahub.DataspaceResult")]
public sealed record DataspaceResult([property: Id(0)] CatalogRefusal Refusal, [property: Id(1)] DataspaceInfo? Dataspace, [property: Id(2)] LocalText? Detail)
{
    /// <summary>True where the call made something that was not there before.</summary>
    [Id(3)] public bool Created { get; init; }
}

/// <summary>A role that is to be given.</summary>
/// <param name="Group"><c>{agency}/{group}</c>.</param>
/// <param name="Dataset">Narrows it to one dataset of the dataspace; null: all of them, present and to come.</param>
/// <param name="Why">For whoever asks later.</param>
/// <param name="Until">When it ends by itself; null: it holds until it is revoked.</param>
[GenerateSerializer, Immutable, Alias("datahub.GrantRequest")]
public sealed record GrantRequest(
    [property: Id(0)] string Group, [property: Id(1)] DataspaceRole Role, [property: Id(2)] string? Dataset, [property: Id(3)] string Why, [property: Id(4)] DateTimeOffset? Until);

/// <summary>A role as it was given: who, when, why, until when.</summary>
[GenerateSerializer, Immutable, Alias("datahub.GrantInfo")]
public sealed record GrantInfo(
    [property: Id(0)] string Id,
    [property: Id(1)] string Group,
    [property: Id(2)] DataspaceRole Role,
    [property: Id(3)] string? Dataset,
    [property: Id(4)] string By,
    [property: Id(5)] DateTimeOffset At,
    [property: Id(6)] string Why,
    [property: Id(7)] DateTimeOffset? Until)
{
    [Id(8)] public string? RevokedBy { get; init; }

    [Id(9)] public DateTimeOffset? RevokedAt { get; init; }

    [Id(10)] public string? RevokedWhy { get; init; }

    public bool Holds(DateTimeOffset now) => RevokedAt is null && (Until is null || now < Until);
}

[GenerateSerializer, Immutable, Alias("datahub.GrantResult")]
public sealed record GrantResult([property: Id(0)] CatalogRefusal Refusal, [property: Id(1)] GrantInfo? Grant, [property: Id(2)] LocalText? Detail)
{
    [Id(3)] public bool Created { get; init; }
}

[GenerateSerializer, Immutable, Alias("datahub.GrantList")]
public sealed record GrantList([property: Id(0)] CatalogRefusal Refusal, [property: Id(1)] GrantInfo[] Grants, [property: Id(2)] LocalText? Detail);

/// <summary>What somebody may do with an object, right by right.</summary>
[GenerateSerializer, Immutable, Alias("datahub.AccessExplanation")]
public sealed record AccessExplanation([property: Id(0)] Holding Object, [property: Id(1)] AccessDecision[] Decisions);
