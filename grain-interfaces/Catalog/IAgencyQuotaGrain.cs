using DataHub.Feeds;

using Orleans.Concurrency;

namespace DataHub.Catalog;

/// <summary>What an agency may use of the hub, and what it has used. Key: the agency's id.</summary>
[GrainInterfaceType("datahub.agency-quota")]
public interface IAgencyQuotaGrain : IGrainWithStringKey
{
    /// <summary>Sets what the agency may use. Repeating is harmless.</summary>
    /// <param name="caller">Must be a platform administrator.</param>
    [Alias("Put"), Repeatable]
    Task<AgencyQuotaResult> PutAsync(Caller caller, AgencyQuota quota);

    /// <summary>What holds and what is used; only for admins of the agency or the platform.</summary>
    [Alias("Get"), Repeatable]
    Task<AgencyQuotaResult> GetAsync(Caller caller);

    /// <summary>Adds what was stored of the agency since the last report. Only for the hub.</summary>
    /// <param name="used">Rows and bytes of whole pushes.</param>
    [Alias("Used"), NotRepeatable("a repeat counts the rows twice")]
    Task<AgencyStanding> UsedAsync(Caller caller, PushLoad used);

    /// <summary>Takes a place for a dataset; one that has it keeps it. Only for the hub.</summary>
    /// <returns>Null, or why there is none.</returns>
    [Alias("AddDataset"), Repeatable]
    Task<LocalText?> AddDatasetAsync(Caller caller, string dataset);

    /// <summary>Gives the place of a dataset back. Only for the hub.</summary>
    [Alias("RemoveDataset"), Repeatable]
    Task RemoveDatasetAsync(Caller caller, string dataset);
}

/// <summary>What an agency may use; only the platform's administrators set it. For each member null: the hub's default, 0: no limit.</summary>
/// <param name="RowsPerSecond">Rows of all its feeds together, on average over ten seconds.</param>
/// <param name="BytesPerDay">Of bodies after decompression, from midnight to midnight in Europe/Berlin.</param>
/// <param name="Datasets">That it publishes and that are not retired.</param>
[GenerateSerializer, Immutable, Alias("datahub.AgencyQuota")]
public sealed record AgencyQuota([property: Id(0)] long? RowsPerSecond, [property: Id(1)] long? BytesPerDay, [property: Id(2)] long? Datasets)
{
    /// <summary>The hub's defaults.</summary>
    public static AgencyQuota Default { get; } = new(null, null, null);
}

/// <param name="Quota">As it was set.</param>
/// <param name="Holds">What holds: null for no limit.</param>
/// <param name="RowsToday">Since midnight in Europe/Berlin.</param>
/// <param name="BytesToday">Since midnight in Europe/Berlin.</param>
/// <param name="Datasets">That count.</param>
/// <param name="Quotas">How the limits of pushes stand.</param>
/// <param name="Detail">Why it was refused.</param>
[GenerateSerializer, Immutable, Alias("datahub.AgencyQuotaResult")]
public sealed record AgencyQuotaResult(
    [property: Id(0)] CatalogRefusal Refusal,
    [property: Id(1)] AgencyQuota Quota,
    [property: Id(2)] AgencyQuota Holds,
    [property: Id(3)] long RowsToday,
    [property: Id(4)] long BytesToday,
    [property: Id(5)] int Datasets,
    [property: Id(6)] QuotaReading[] Quotas,
    [property: Id(7)] LocalText? Detail)
{
    public static AgencyQuotaResult Refused(CatalogRefusal refusal, LocalText? detail) => new(refusal, AgencyQuota.Default, AgencyQuota.Default, 0, 0, 0, [], detail);
}

/// <summary>How an agency stands with its quotas.</summary>
/// <param name="IsLimited">Whether anything limits its pushes.</param>
/// <param name="Wait">Zero: it may push; else for how long it may not.</param>
/// <param name="Quotas">How the limits stand.</param>
[GenerateSerializer, Immutable, Alias("datahub.AgencyStanding")]
public sealed record AgencyStanding([property: Id(0)] bool IsLimited, [property: Id(1)] TimeSpan Wait, [property: Id(2)] QuotaReading[] Quotas)
{
    public static AgencyStanding Free { get; } = new(false, TimeSpan.Zero, []);
}
