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
    /// <param name="basedOn">The version the areas were made from; another one now is <see cref="AreaRefusal.Outdated"/>. Null replaces whatever stands.</param>
    /// <param name="levelTitles">What the areas of each level are called, coarsest first; null keeps what stands.</param>
    [Alias("Put"), NotRepeatable("a repeat based on a version says that it is outdated")]
    Task<AreaSystemResult> PutAsync(Caller caller, LocalText? title, Area[] areas, int? basedOn, LocalText[]? levelTitles = null);

    /// <summary>Area systems are open to everybody.</summary>
    /// <param name="caller">Whoever asks.</param>
    /// <param name="version">Null for the present one.</param>
    /// <returns>Null where the system or the version does not exist.</returns>
    [Alias("Get"), AlwaysInterleave, Repeatable]
    Task<AreaSystem?> GetAsync(Caller caller, int? version);

    /// <summary>What the present version is, without its areas; null where the system does not exist.</summary>
    [Alias("Present"), AlwaysInterleave, Repeatable]
    Task<AreaSystemInfo?> PresentAsync(Caller caller);

    /// <summary>
    /// Called by a dataset's grain that resolves rows with this system: from now on it is told of new versions by
    /// <see cref="IDatasetGrain.AreaSystemChangedAsync"/>, at least once each. Repeating is harmless.
    /// </summary>
    /// <param name="caller">Must be the hub itself.</param>
    /// <param name="dataset">Id of the dataset.</param>
    /// <returns>The present version; 0 where the system does not exist, and then nothing is noted.</returns>
    [Alias("Attach"), AlwaysInterleave, Repeatable]
    Task<int> AttachAsync(Caller caller, string dataset);
}

/// <param name="Id">Id of the system.</param>
/// <param name="Title">For people.</param>
/// <param name="Version">1 for the first.</param>
/// <param name="Areas">How many areas it has.</param>
/// <param name="Levels">How many levels; 1 where all areas are at level 0.</param>
[GenerateSerializer, Immutable, Alias("datahub.AreaSystemInfo")]
public sealed record AreaSystemInfo(
    [property: Id(0)] string Id,
    [property: Id(1)] LocalText? Title,
    [property: Id(2)] int Version,
    [property: Id(3)] int Areas,
    [property: Id(4)] int Levels);

/// <param name="Version">The version that stands after the call; 0 where there is none.</param>
/// <param name="Areas">How many areas it has.</param>
/// <param name="Detail">What is wrong with which area, for the caller; null where nothing is.</param>
[GenerateSerializer, Immutable, Alias("datahub.AreaSystemResult")]
public sealed record AreaSystemResult(
    [property: Id(0)] AreaRefusal Refusal,
    [property: Id(1)] int Version,
    [property: Id(2)] int Areas,
    [property: Id(3)] LocalText? Detail)
{
    /// <summary>True where the call made a new version.</summary>
    [Id(4)] public bool Changed { get; init; }
}

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

    /// <summary>A name is missing or too long, or a population is negative.</summary>
    InvalidArea = 8,

    /// <summary>The areas were made from a version that is not the present one any more: read it and make them anew.</summary>
    Outdated = 9,
}
