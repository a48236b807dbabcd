using DataHub.Catalog;

using Orleans.Concurrency;

namespace DataHub.Pipelines;

/// <summary>
/// The keys of one purpose with which an agency's jobs make pseudonyms, in all their versions; the bytes of a key leave it
/// for running steps only, never for people or programs. Key: <see cref="PseudonymPurposes.Key"/>.
/// </summary>
[GrainInterfaceType("datahub.pseudonym-keys")]
public interface IPseudonymKeysGrain : IGrainWithStringKey
{
    /// <summary>Makes a new version, the first one too; runs that are started from now on use it. Versions before stay for runs that pinned them.</summary>
    /// <param name="caller">Who manages the agency.</param>
    [Alias("Rotate"), NotRepeatable("a repeat makes one version more")]
    Task<PseudonymKeysResult> RotateAsync(Caller caller);

    /// <summary>The versions, without their bytes.</summary>
    /// <param name="caller">Who manages the agency.</param>
    [Alias("Get"), AlwaysInterleave, Repeatable]
    Task<PseudonymKeysResult> GetAsync(Caller caller);

    /// <summary>
    /// Destroys the bytes of a version, for ever: no run can use it any more, and nobody can find out whom a pseudonym made
    /// with it stands for by trying values. A version that was destroyed already stays as it is.
    /// </summary>
    /// <param name="caller">Who manages the agency.</param>
    /// <param name="reason">For the audit log, 1 to 1,000 characters.</param>
    [Alias("Destroy"), Repeatable]
    Task<PseudonymKeysResult> DestroyAsync(Caller caller, int version, string reason);
}

/// <summary>Keys of <see cref="IPseudonymKeysGrain"/>.</summary>
public static class PseudonymPurposes
{
    /// <summary>Versions of one key, destroyed ones too.</summary>
    public const int MaxVersions = 1_000;

    public static string Key(string agency, string purpose) => $"{agency}/{purpose}";
}

/// <param name="Purpose">Its id.</param>
/// <param name="Versions">Oldest first; the first is 1.</param>
[GenerateSerializer, Immutable, Alias("datahub.PseudonymKeysInfo")]
public sealed record PseudonymKeysInfo([property: Id(0)] string Purpose, [property: Id(1)] PseudonymKeyInfo[] Versions);

/// <param name="By">As <see cref="Caller.Subject"/>.</param>
[GenerateSerializer, Immutable, Alias("datahub.PseudonymKeyInfo")]
public sealed record PseudonymKeyInfo([property: Id(0)] int Version, [property: Id(1)] DateTimeOffset Created, [property: Id(2)] string By)
{
    /// <summary>When; null: it was not.</summary>
    [Id(3)] public DateTimeOffset? Destroyed { get; init; }

    [Id(4)] public string? DestroyedBy { get; init; }

    [Id(5)] public string? Reason { get; init; }
}

/// <param name="Keys">After the call; null where there are none or it was refused.</param>
[GenerateSerializer, Immutable, Alias("datahub.PseudonymKeysResult")]
public sealed record PseudonymKeysResult([property: Id(0)] CatalogRefusal Refusal, [property: Id(1)] PseudonymKeysInfo? Keys, [property: Id(2)] LocalText? Detail);
