using Orleans.Concurrency;

namespace DataHub.Catalog;

/// <summary>One area system in all its versions. Key: the system's id.</summary>
[GrainInterfaceType("datahub.area-system")]
public interface IAreaSystemGrain : IGrainWithStringKey
{
    /// <summary>Puts a new version; areas equal to the present version's change nothing.</summary>
    /// <param name="caller">Must be a platform administrator.</param>
    /// <param name="title">For people; null keeps what stands.</param>
    /// <param name="areas">The whole tree, checked: see <see cref="AreaRefusal"/>.</param>
    [Alias("Put")]
    Task<AreaSystemResult> PutAsync(Caller caller, LocalText? title, Area[] areas);

    /// <summary>Area systems are open to everybody.</summary>
    /// <param name="caller">Whoever asks.</param>
    /// <param name="version">Null for the present one.</param>
    /// <returns>Null where the system or the version does not exist.</returns>
    [Alias("Get"), AlwaysInterleave]
    Task<AreaSystem?> GetAsync(Caller caller, int? version);
}

/// <param name="Detail">What is wrong with which area, for the caller.</param>
[GenerateSerializer, Immutable, Alias("datahub.AreaSystemResult")]
public sealed record AreaSystemResult(
    [property: Id(0)] AreaRefusal Refusal,
    [property: Id(1)] int Version,
    [property: Id(2)] int Areas,
    [property: Id(3)] string? Detail);

public enum AreaRefusal
{
    None = 0,
    Forbidden = 1,
    InvalidId = 2,
    Empty = 3,
    DuplicateId = 4,
    UnknownParent = 5,
    WrongLevel = 6,
    TooMany = 7,
}
