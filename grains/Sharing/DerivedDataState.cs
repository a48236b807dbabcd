using DataHub.Governance;

namespace DataHub.Sharing;

/// <summary>What is derived from what an agreement gives, as it is stored.</summary>
/// <param name="Rule">What is done with it, once the agreement is over; null: it is not.</param>
[GenerateSerializer, Immutable, Alias("datahub.DerivedDataState")]
public sealed record DerivedDataState([property: Id(0)] DerivedStanding[] Datasets, [property: Id(1)] DerivedRule? Rule) : IKeepsEvents<DerivedDataState>
{
    public DerivedDataState()
        : this([], null)
    {
    }

    /// <summary>Events that the audit log may not have yet.</summary>
    [Id(2)] public AuditEvent[] Events { get; init; } = [];

    AuditEvent[] IKeepsEvents<DerivedDataState>.Pending => Events;

    public DerivedDataState WithPending(AuditEvent[] pending) => this with { Events = pending };
}
