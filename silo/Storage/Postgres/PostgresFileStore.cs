using DataHub.Pipelines;

namespace DataHub.Storage.Postgres;

/// <summary>Content of files in PostgreSQL.</summary>
internal sealed class PostgresFileStore(PostgresDatabase database) : IFileStore
{
    /// <summary>Pieces deleted in one transaction.</summary>
    private const int Step = 256;

    private const string UpsertPiece = "INSERT INTO file_piece (file, number, content) VALUES ($1, $2, $3) ON CONFLICT (file, number) DO UPDATE SET content = excluded.content";

    public Task WriteAsync(string name, int number, ReadOnlyMemory<byte> piece, CancellationToken cancellationToken) =>
        database.WriteAsync([new PostgresStatement(UpsertPiece).Bind(name).Bind(number).Bind(piece.ToArray())], cancellationToken);

    private const string SelectPiece = "SELECT content FROM file_piece WHERE file = $1 AND number = $2";

    public async Task<byte[]?> ReadAsync(string name, int number, CancellationToken cancellationToken) => (await database.ReadAsync(
        new PostgresStatement(SelectPiece).Bind(name).Bind(number), static row => row.Blob(0), cancellationToken)).FirstOrDefault();

    private const string SelectNames = "SELECT DISTINCT file FROM file_piece WHERE file >= $1 AND file < $1 || chr(1114111) AND ($2::text IS NULL OR file > $2) ORDER BY file LIMIT $3";

    public async Task<IReadOnlyList<string>> ListAsync(string prefix, string? after, int limit, CancellationToken cancellationToken) => await database.ReadAsync(
        new PostgresStatement(SelectNames).Bind(prefix).BindNullable(after).Bind(limit), static row => row.GetString(0), cancellationToken);

    private const string DeletePieces =
        """
        WITH gone AS (DELETE FROM file_piece WHERE file = $1 AND number IN (SELECT number FROM file_piece WHERE file = $1 ORDER BY number DESC LIMIT $2) RETURNING 1)
        SELECT count(*) FROM gone
        """;

    public async Task DeleteAsync(string name, CancellationToken cancellationToken)
    {
        while ((await database.WriteAsync([new PostgresStatement(DeletePieces).Bind(name).Bind(Step)], static row => row.GetInt64(0), cancellationToken)).First == Step)
        {
        }
    }
}
