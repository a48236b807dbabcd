using DataHub.Governance;

namespace DataHub.Support;

/// <summary>A store of the audit log with faults before it.</summary>
internal sealed class FaultyAuditStore(Func<IAuditStore> inner, StoreFaults? faults = null) : IAuditStore
{
    public StoreFaults Faults { get; } = faults ?? new();

    public IAuditStore Inner => inner();

    public Task<AuditHead> HeadAsync(string chain, CancellationToken cancellationToken) => Faults.RunAsync(nameof(HeadAsync), () => inner().HeadAsync(chain, cancellationToken));

    public Task<IReadOnlySet<string>> KnownAsync(string chain, IReadOnlyCollection<string> ids, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(KnownAsync), () => inner().KnownAsync(chain, ids, cancellationToken));

    public Task<bool> AppendAsync(string chain, AuditHead head, IReadOnlyList<AuditEntry> entries, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(AppendAsync), () => inner().AppendAsync(chain, head, entries, cancellationToken));

    public Task<bool> DeleteContentAsync(string chain, AuditHead head, IReadOnlyList<long> sequences, AuditEntry entry, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(DeleteContentAsync), () => inner().DeleteContentAsync(chain, head, sequences, entry, cancellationToken));

    public Task CompactAsync(CancellationToken cancellationToken) => Faults.RunAsync(nameof(CompactAsync), () => inner().CompactAsync(cancellationToken));

    public Task<IReadOnlyList<AuditEntry>> ReadAsync(string chain, AuditQuery query, CancellationToken cancellationToken) =>
        Faults.RunAsync(nameof(ReadAsync), () => inner().ReadAsync(chain, query, cancellationToken));
}
