using DataHub.Pipelines;

namespace DataHub.Storage.Sqlite;

/// <summary>Content of files in <c>files.db</c>.</summary>
internal sealed class SqliteFileStore(SqliteFile file) : IFileStore
{
    public const string FileName = "files.db", Family = "Files";

    /// <summary>Pieces deleted in one transaction: others write in between.</summary>
    private const int Step = 64;

    private const string UpsertPiece = "INSERT INTO file_piece (file, number, content) VALUES (?1, ?2, ?3) ON CONFLICT (file, number) DO UPDATE SET content = excluded.content";

    public Task WriteAsync(string name, int number, ReadOnlyMemory<byte> piece, CancellationToken cancellationToken) =>
        file.WriteAsync(session => session.Statement(UpsertPiece).Bind(1, name).Bind(2, number).Bind(3, piece.Span).Run(), cancellationToken);

    private const string SelectPiece = "SELECT content FROM file_piece WHERE file = ?1 AND number = ?2";

    public Task<byte[]?> ReadAsync(string name, int number, CancellationToken cancellationToken) => file.ScanAsync(
        session =>
        {
            var row = session.Statement(SelectPiece).Bind(1, name).Bind(2, number);
            if (!row.Step()) return null;
            var content = row.Blob(0);
            row.Reset();
            return content;
        },
        cancellationToken);

    private const string SelectNames =
        "SELECT DISTINCT file FROM file_piece WHERE file >= ?1 AND file < ?1 || char(1114111) AND (?2 IS NULL OR file > ?2) ORDER BY file LIMIT ?3";

    public Task<IReadOnlyList<string>> ListAsync(string prefix, string? after, int limit, CancellationToken cancellationToken) => file.ScanAsync<IReadOnlyList<string>>(
        session =>
        {
            var names = new List<string>();
            var row = session.Statement(SelectNames).Bind(1, prefix).Bind(2, after).Bind(3, limit);
            while (row.Step()) names.Add(row.Text(0));
            return names;
        },
        cancellationToken);

    private const string DeletePieces = "DELETE FROM file_piece WHERE file = ?1 AND number IN (SELECT number FROM file_piece WHERE file = ?1 ORDER BY number DESC LIMIT ?2)";

    public async Task DeleteAsync(string name, CancellationToken cancellationToken)
    {
        while (await file.WriteAsync(session => session.Statement(DeletePieces).Bind(1, name).Bind(2, Step).Run(), cancellationToken) == Step)
        {
        }
    }
}
