using DataHub.Catalog;

using Orleans.Concurrency;

namespace DataHub.Sharing;

/// <summary>
/// Knows which agreements about a dataset are in force, for all of the hub's grains that decide by them: they ask one, not
/// every agreement. What it says is an eighth of a second old at most. Key: the dataset's id.
/// </summary>
[GrainInterfaceType("datahub.dataset-agreements")]
public interface IDatasetAgreementsGrain : IGrainWithStringKey
{
    /// <param name="known">The number of what the caller has; 0: nothing.</param>
    /// <returns>What is in force; no list where it is what the caller has. Only for the hub.</returns>
    [Alias("InForce"), AlwaysInterleave, Repeatable]
    Task<DatasetAgreements> InForceAsync(Caller caller, long known);
}

/// <param name="Number">Another one whenever something else is in force.</param>
/// <param name="InForce">In the order of their ids; null: what the caller has.</param>
[GenerateSerializer, Immutable, Alias("datahub.DatasetAgreements")]
public sealed record DatasetAgreements([property: Id(0)] long Number, [property: Id(1)] AgreementInForce[]? InForce)
{
    /// <summary>An agreement did not say whether it is in force: it lets nobody in meanwhile.</summary>
    [Id(2)] public bool IsPartial { get; init; }
}
