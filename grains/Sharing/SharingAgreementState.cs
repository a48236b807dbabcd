using DataHub.Governance;

namespace DataHub.Sharing;

/// <summary>An agreement as it is stored: its events and nothing else.</summary>
/// <param name="Log">Oldest first.</param>
[GenerateSerializer, Immutable, Alias("datahub.SharingAgreementState")]
public sealed record SharingAgreementState([property: Id(0)] AgreementRecord[] Log) : IKeepsEvents<SharingAgreementState>
{
    public SharingAgreementState()
        : this([])
    {
    }

    /// <summary>Events that the audit log may not have yet.</summary>
    [Id(1)]
    public AuditEvent[] Pending { get; init; } = [];

    public SharingAgreementState WithPending(AuditEvent[] pending) => this with { Pending = pending };
}
