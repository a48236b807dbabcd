using DataHub.Governance;

using Npgsql;

namespace DataHub.Storage.Postgres;

/// <summary>The audit log in PostgreSQL.</summary>
internal sealed class PostgresAuditStore(PostgresDatabase database) : IAuditStore
{
    private const string SelectHead = "SELECT sequence, link FROM audit_head WHERE chain = $1";

    public async Task<AuditHead> HeadAsync(string chain, CancellationToken cancellationToken) => (await database.ReadAsync(
        new PostgresStatement(SelectHead).Bind(chain), static row => new AuditHead(row.GetInt64(0), row.Blob(1)), cancellationToken)).FirstOrDefault(AuditHead.Empty);

    private const string SelectKnown = "SELECT id FROM audit_entry WHERE chain = $1 AND id = ANY ($2)";

    public async Task<IReadOnlySet<string>> KnownAsync(string chain, IReadOnlyCollection<string> ids, CancellationToken cancellationToken) => (await database.ReadAsync(
        new PostgresStatement(SelectKnown).Bind(chain).Bind((string?[])[.. ids]), static row => row.GetString(0), cancellationToken)).ToHashSet(StringComparer.Ordinal);

    /// <summary>The head's row is locked until the end, so the next writer sees what this one leaves. A chain's first entry makes it.</summary>
    private const string MoveHead =
        """
        WITH moved AS (UPDATE audit_head SET sequence = $4, link = $5 WHERE chain = $1 AND sequence = $2 AND link = $3 RETURNING 1),
          made AS (INSERT INTO audit_head (chain, sequence, link) SELECT $1, $4, $5 WHERE $2 = 0 AND NOT EXISTS (SELECT FROM audit_head WHERE chain = $1) ON CONFLICT DO NOTHING RETURNING 1)
        SELECT require((SELECT count(*) FROM moved) + (SELECT count(*) FROM made) = 1, 'DH001')
        """;

    private const string InsertEntries =
        """
        INSERT INTO audit_entry (chain, sequence, link, leaf, salt, content, id, at, action, agency, actor, object, outcome)
        SELECT $1, e.* FROM unnest($2::bigint[], $3::bytea[], $4::bytea[], $5::bytea[], $6::bytea[], $7::text[], $8::bigint[], $9::text[], $10::text[], $11::text[], $12::text[], $13::int[]) AS e
        """;

    public Task<bool> AppendAsync(string chain, AuditHead head, IReadOnlyList<AuditEntry> entries, CancellationToken cancellationToken) =>
        WriteAsync(chain, Statements(chain, head, entries), cancellationToken);

    private static List<PostgresStatement> Statements(string chain, AuditHead head, IReadOnlyList<AuditEntry> entries) =>
    [
        new PostgresStatement(MoveHead).Bind(chain).Bind(head.Sequence).Bind(head.Link).Bind(entries[^1].Sequence).Bind(entries[^1].Link),
        new PostgresStatement(InsertEntries).Bind(chain)
            .Bind((long[])[.. entries.Select(e => e.Sequence)]).Bind((byte[]?[])[.. entries.Select(e => e.Link)]).Bind((byte[]?[])[.. entries.Select(e => e.Leaf)])
            .Bind((byte[]?[])[.. entries.Select(e => e.Salt)]).Bind((byte[]?[])[.. entries.Select(e => e.Content)])
            .Bind((string?[])[.. entries.Select(e => e.Columns.Id)]).Bind((long?[])[.. entries.Select(e => e.Columns.At)]).Bind((string?[])[.. entries.Select(e => e.Columns.Action)])
            .Bind((string?[])[.. entries.Select(e => e.Columns.Agency)]).Bind((string?[])[.. entries.Select(e => e.Columns.Actor)]).Bind((string?[])[.. entries.Select(e => e.Columns.Object)])
            .Bind((int[])[.. entries.Select(e => e.Columns.Outcome!.Value)]),
    ];

    private async Task<bool> WriteAsync(string chain, List<PostgresStatement> statements, CancellationToken cancellationToken)
    {
        try
        {
            return await database.WriteAsync(statements, cancellationToken);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            throw new InvalidOperationException($"The audit log {chain} has an event already that was to be noted.", e);
        }
    }

    private const string DropContent =
        """
        WITH dropped AS (
          UPDATE audit_entry SET salt = NULL, content = NULL, id = NULL, at = NULL, action = NULL, agency = NULL, actor = NULL, object = NULL, outcome = NULL
          WHERE chain = $1 AND sequence = ANY ($2) RETURNING 1)
        SELECT require(count(*) = cardinality($2), 'DH002') FROM dropped
        """;

    public Task<bool> DeleteContentAsync(string chain, AuditHead head, IReadOnlyList<long> sequences, AuditEntry entry, CancellationToken cancellationToken) =>
        WriteAsync(chain, [.. Statements(chain, head, [entry]), new PostgresStatement(DropContent).Bind(chain).Bind((long[])[.. sequences])], cancellationToken);

    /// <summary>Takes dead versions of rows out of their pages, where the silo's role may; else PostgreSQL's own vacuum does it in time.</summary>
    public async Task CompactAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.Source.OpenConnectionAsync(cancellationToken);
        await using var vacuum = new NpgsqlCommand("VACUUM audit_entry", connection) { CommandTimeout = 0 };
        await vacuum.ExecuteNonQueryAsync(cancellationToken);
    }

    private static readonly AuditFilterSql s_select = new('$');

    public async Task<IReadOnlyList<AuditEntry>> ReadAsync(string chain, AuditQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        return await database.ReadAsync(
            new PostgresStatement(s_select.Of(query))
                .Bind(chain).BindNullable(query.From?.UtcTicks).BindNullable(query.Until?.UtcTicks).BindNullable(query.Action).BindNullable(query.Action is null ? null : AuditRules.EndOf(query.Action))
                .BindNullable(query.Agency).BindNullable(query.Actor).BindNullable(query.Object).BindNullable((int?)query.Outcome).Bind(query.After ?? (query.OldestFirst ? 0 : long.MaxValue)).Bind((long)query.Limit),
            static row => new AuditEntry(row.GetInt64(0), row.Blob(1), row.Blob(2), row.IsDBNull(3) ? null : row.Blob(3), row.IsDBNull(4) ? null : row.Blob(4),
                new(row.TextOrNull(5), row.IsDBNull(6) ? null : row.GetInt64(6), row.TextOrNull(7), row.TextOrNull(8), row.TextOrNull(9), row.TextOrNull(10), row.IsDBNull(11) ? null : row.GetInt32(11))),
            cancellationToken);
    }
}
