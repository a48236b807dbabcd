using DataHub.Catalog;

using Orleans.Concurrency;

namespace DataHub.Pipelines;

/// <summary>A key for another host, for a run that fetches; known to silos only, so that no front-end can ask. Key: as of <see cref="IPullKeyGrain"/>.</summary>
[GrainInterfaceType("datahub.pull-secret")]
internal interface IPullSecretGrain : IGrainWithStringKey
{
    /// <summary>Only for the hub.</summary>
    /// <returns>Null where there is none.</returns>
    [Alias("Secret"), AlwaysInterleave, Repeatable]
    Task<PullKey?> SecretAsync(Caller caller);
}

/// <param name="Name">Its id.</param>
/// <param name="Host">To which alone it is sent.</param>
/// <param name="Secret">In UTF-8.</param>
[GenerateSerializer, Immutable, Alias("datahub.PullKey")]
internal sealed record PullKey([property: Id(0)] string Name, [property: Id(1)] string Host, [property: Id(2)] byte[] Secret)
{
    /// <summary>Its place in a log has no key in it.</summary>
    public override string ToString() => $"{Name} for {Host}";
}
