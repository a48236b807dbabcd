using DataHub.Governance;

namespace DataHub.Catalog;

/// <summary>What an agency may use, as it is stored.</summary>
/// <param name="Quota">As the platform set it.</param>
/// <param name="Datasets">That it publishes and that are not retired, in ordinal order.</param>
[GenerateSerializer, Immutable, Alias("datahub.AgencyQuotaState")]
public sealed record AgencyQuotaState([property: Id(0)] AgencyQuota Quota, [property: Id(1)] string[] Datasets) : IKeepsEvents<AgencyQuotaState>
{
    public AgencyQuotaState()
        : this(AgencyQuota.Default, [])
    {
    }

    /// <summary>Events that the audit log may not have yet.</summary>
    [Id(2)]
    public AuditEvent[] Pending { get; init; } = [];

    public AgencyQuotaState WithPending(AuditEvent[] pending) => this with { Pending = pending };
}

/// <summary>What an agency has used of a day, as far as it is stored.</summary>
/// <param name="DayEnds">The midnight at which it counts no more.</param>
[GenerateSerializer, Immutable, Alias("datahub.AgencyUseState")]
public sealed record AgencyUseState([property: Id(0)] DateTimeOffset DayEnds, [property: Id(1)] long Rows, [property: Id(2)] long Bytes)
{
    public AgencyUseState()
        : this(default, 0, 0)
    {
    }
}
