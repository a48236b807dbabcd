using DataHub.Governance;

namespace DataHub.Pipelines;

/// <summary>A key for another host as it is stored.</summary>
/// <param name="Info">Null: there is none.</param>
/// <param name="Secret">In UTF-8; empty where there is none.</param>
/// <param name="Versions">How often one was put, deleted ones too.</param>
[GenerateSerializer, Immutable, Alias("datahub.PullKeyState")]
public sealed record PullKeyState([property: Id(0)] PullKeyInfo? Info, [property: Id(1)] byte[] Secret, [property: Id(2)] int Versions) : IKeepsEvents<PullKeyState>
{
    public PullKeyState()
        : this(null, [], 0)
    {
    }

    [Id(3)] public AuditEvent[] Pending { get; init; } = [];

    public PullKeyState WithPending(AuditEvent[] pending) => this with { Pending = pending };
}
