using DataHub.Governance;

using Microsoft.Data.Sqlite;

namespace DataHub.Storage.Sqlite;

/// <summary>The audit log in <c>audit.db</c>.</summary>
internal sealed class SqliteAuditStore(SqliteFile file) : IAuditStore
{
    public const string FileName = "audit.db", Family = "Audit";

    private const int ConstraintUnique = 2067;

    private const string SelectHead = "SELECT sequence, link FROM audit_head WHERE chain = ?1";

    public Task<AuditHead> HeadAsync(string chain, CancellationToken cancellationToken) => file.LookUpAsync(session => Head(session, chain), cancellationToken);

    private static AuditHead Head(SqliteSession session, string chain)
    {
        var row = session.Statement(SelectHead).Bind(1, chain);
        if (!row.Step()) return AuditHead.Empty;
        var head = new AuditHead(row.Int64(0), row.Blob(1));
        row.Reset();
        return head;
    }

    private const string SelectId = "SELECT 1 FROM audit_entry WHERE chain = ?1 AND id = ?2";

    public Task<IReadOnlySet<string>> KnownAsync(string chain, IReadOnlyCollection<string> ids, CancellationToken cancellationToken) => file.LookUpAsync<IReadOnlySet<string>>(
        session =>
        {
            var known = new HashSet<string>(StringComparer.Ordinal);
            foreach (var id in ids)
            {
                var row = session.Statement(SelectId).Bind(1, chain).Bind(2, id);
                if (!row.Step()) continue;
                row.Reset();
                known.Add(id);
            }

            return known;
        },
        cancellationToken);

    public Task<bool> AppendAsync(string chain, AuditHead head, IReadOnlyList<AuditEntry> entries, CancellationToken cancellationToken) =>
        file.WriteAsync(session => Append(session, chain, head, entries), cancellationToken);

    private const string InsertEntry =
        "INSERT INTO audit_entry (chain, sequence, link, leaf, salt, content, id, at, action, agency, actor, object, outcome) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";

    private const string UpsertHead = "INSERT INTO audit_head (chain, sequence, link) VALUES (?1, ?2, ?3) ON CONFLICT (chain) DO UPDATE SET sequence = excluded.sequence, link = excluded.link";

    private static bool Append(SqliteSession session, string chain, AuditHead head, IReadOnlyList<AuditEntry> entries)
    {
        if (Head(session, chain) != head) return false;
        try
        {
            foreach (var entry in entries)
            {
                var columns = entry.Columns;
                session.Statement(InsertEntry)
                    .Bind(1, chain).Bind(2, entry.Sequence).Bind(3, entry.Link).Bind(4, entry.Leaf).Bind(5, entry.Salt!).Bind(6, entry.Content!)
                    .Bind(7, columns.Id).Bind(8, columns.At).Bind(9, columns.Action).Bind(10, columns.Agency).Bind(11, columns.Actor).Bind(12, columns.Object).Bind(13, columns.Outcome).Run();
            }
        }
        catch (SqliteException e) when (e.SqliteExtendedErrorCode == ConstraintUnique)
        {
            throw new InvalidOperationException($"The audit log {chain} has an event already that was to be noted.", e);
        }

        return session.Statement(UpsertHead).Bind(1, chain).Bind(2, entries[^1].Sequence).Bind(3, entries[^1].Link).Run() == 1;
    }

    private const string DropContent =
        """
        UPDATE audit_entry SET salt = NULL, content = NULL, id = NULL, at = NULL, action = NULL, agency = NULL, actor = NULL, object = NULL, outcome = NULL
        WHERE chain = ?1 AND sequence = ?2
        """;

    public Task<bool> DeleteContentAsync(string chain, AuditHead head, IReadOnlyList<long> sequences, AuditEntry entry, CancellationToken cancellationToken) => file.WriteAsync(
        session =>
        {
            if (!Append(session, chain, head, [entry])) return false;
            foreach (var sequence in sequences)
            {
                if (session.Statement(DropContent).Bind(1, chain).Bind(2, sequence).Run() != 1) throw new InvalidOperationException($"The audit log {chain} has no entry {sequence}.");
            }

            return true;
        },
        cancellationToken);

    /// <summary>What is overwritten becomes zeros at once (<c>secure_delete</c>); earlier versions of its pages go with the write-ahead log.</summary>
    public Task CompactAsync(CancellationToken cancellationToken) => file.CompactAsync(0, cancellationToken);

    private static readonly AuditFilterSql s_select = new('?');

    public Task<IReadOnlyList<AuditEntry>> ReadAsync(string chain, AuditQuery query, CancellationToken cancellationToken) => file.ScanAsync<IReadOnlyList<AuditEntry>>(
        session =>
        {
            var found = new List<AuditEntry>();
            var row = session.Statement(s_select.Of(query))
                .Bind(1, chain).Bind(2, query.From?.UtcTicks).Bind(3, query.Until?.UtcTicks).Bind(4, query.Action).Bind(5, query.Action is null ? null : AuditRules.EndOf(query.Action))
                .Bind(6, query.Agency).Bind(7, query.Actor).Bind(8, query.Object).Bind(9, (long?)query.Outcome).Bind(10, query.After ?? (query.OldestFirst ? 0 : long.MaxValue)).Bind(11, query.Limit);
            while (row.Step())
            {
                found.Add(new(row.Int64(0), row.Blob(1), row.Blob(2), BlobOrNull(3), BlobOrNull(4),
                    new(TextOrNull(5), row.IsNull(6) ? null : row.Int64(6), TextOrNull(7), TextOrNull(8), TextOrNull(9), TextOrNull(10), row.IsNull(11) ? null : row.Int32(11))));
            }

            return found;

            byte[]? BlobOrNull(int column) => row.IsNull(column) ? null : row.Blob(column);
            string? TextOrNull(int column) => row.IsNull(column) ? null : row.Text(column);
        },
        cancellationToken);
}
