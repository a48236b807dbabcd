using DataHub.Governance;

namespace DataHub.Pipelines;

/// <summary>The keys of a purpose as they are stored.</summary>
/// <param name="Versions">Oldest first.</param>
[GenerateSerializer, Immutable, Alias("datahub.PseudonymKeysState")]
public sealed record PseudonymKeysState([property: Id(0)] StoredPseudonymKey[] Versions) : IKeepsEvents<PseudonymKeysState>
{
    public PseudonymKeysState()
        : this([])
    {
    }

    [Id(1)] public AuditEvent[] Pending { get; init; } = [];

    public PseudonymKeysState WithPending(AuditEvent[] pending) => this with { Pending = pending };
}

/// <param name="Secret">256 bits; empty once it is destroyed.</param>
[GenerateSerializer, Immutable, Alias("datahub.StoredPseudonymKey")]
public sealed record StoredPseudonymKey([property: Id(0)] PseudonymKeyInfo Info, [property: Id(1)] byte[] Secret);
