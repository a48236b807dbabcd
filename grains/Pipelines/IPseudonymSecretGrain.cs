using DataHub.Catalog;

using Orleans.Concurrency;

namespace DataHub.Pipelines;

/// <summary>The bytes of a key for a step that runs; known to silos only, so that no front-end can ask. Key: as of <see cref="IPseudonymKeysGrain"/>.</summary>
[GrainInterfaceType("datahub.pseudonym-secret")]
internal interface IPseudonymSecretGrain : IGrainWithStringKey
{
    /// <summary>Only for the hub.</summary>
    /// <returns>A copy; null where there is no such version, or it was destroyed.</returns>
    [Alias("Secret"), AlwaysInterleave, Repeatable]
    Task<byte[]?> SecretAsync(Caller caller, int version);
}
