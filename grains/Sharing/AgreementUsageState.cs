using DataHub.Governance;

namespace DataHub.Sharing;

/// <summary>A month of an agreement's use, as it is stored.</summary>
/// <param name="Entries">What was given.</param>
/// <param name="Out">Allowances of which nobody has told yet.</param>
[GenerateSerializer, Immutable, Alias("datahub.AgreementUsageState")]
public sealed record AgreementUsageState([property: Id(0)] UsageEntry[] Entries, [property: Id(1)] AllowanceOut[] Out) : IKeepsEvents<AgreementUsageState>
{
    public AgreementUsageState()
        : this([], [])
    {
    }

    /// <summary>Events that the audit log may not have yet.</summary>
    [Id(2)] public AuditEvent[] Events { get; init; } = [];

    AuditEvent[] IKeepsEvents<AgreementUsageState>.Pending => Events;

    public AgreementUsageState WithPending(AuditEvent[] pending) => this with { Events = pending };
}

/// <summary>An allowance that is out.</summary>
/// <param name="Until">After this nothing is given on it any more.</param>
[GenerateSerializer, Immutable, Alias("datahub.AllowanceOut")]
public sealed record AllowanceOut(
    [property: Id(0)] Guid Id, [property: Id(1)] DateOnly Day, [property: Id(2)] int Version, [property: Id(3)] string Subject, [property: Id(4)] string Purpose, [property: Id(5)] int Requests,
    [property: Id(6)] long Rows, [property: Id(7)] DateTimeOffset Until)
{
    /// <summary>What it is given by; null only in what was never stored.</summary>
    [Id(8)] public AllowanceSource? By { get; init; }
}
