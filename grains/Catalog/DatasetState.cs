using DataHub.Governance;

namespace DataHub.Catalog;

/// <summary>A dataset as it is stored.</summary>
/// <param name="Info">Null: the dataset does not exist.</param>
/// <param name="Contracts">Every version of the contract, the present one last.</param>
/// <param name="AnnouncedContract">Contract version that surely stands in every partition as a control batch.</param>
/// <param name="AnnouncedArea">Area version that surely stands there.</param>
[GenerateSerializer, Immutable, Alias("datahub.DatasetState")]
public sealed record DatasetState(
    [property: Id(0)] DatasetInfo? Info,
    [property: Id(1)] TableSchema[] Contracts,
    [property: Id(2)] int AnnouncedContract,
    [property: Id(3)] int AnnouncedArea) : IKeepsEvents<DatasetState>
{
    public DatasetState()
        : this(null, [], 0, 0)
    {
    }

    /// <summary>Events that the audit log may not have yet.</summary>
    [Id(4)]
    public AuditEvent[] Pending { get; init; } = [];

    public DatasetState WithPending(AuditEvent[] pending) => this with { Pending = pending };

    /// <summary>Whether every partition surely knows the present versions.</summary>
    public bool IsAnnounced => Info is null || (AnnouncedContract == Info.ContractVersion && AnnouncedArea == Info.AreaVersion);
}
