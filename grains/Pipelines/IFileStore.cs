namespace DataHub.Pipelines;

/// <summary>
/// Where the content of uploaded files and of the tables between steps is kept: in numbered pieces. Whatever the store
/// promises is tested for every adapter by one suite.
/// </summary>
internal interface IFileStore
{
    /// <summary>Longest name of a file, in characters of <c>[A-Za-z0-9/_.-]</c>.</summary>
    const int LongestName = 200;

    /// <summary>Stores a piece durably; one of this number that is there already is replaced.</summary>
    /// <param name="number">From 0.</param>
    Task WriteAsync(string file, int number, ReadOnlyMemory<byte> piece, CancellationToken cancellationToken);

    /// <summary>A piece, or null where there is none.</summary>
    Task<byte[]?> ReadAsync(string file, int number, CancellationToken cancellationToken);

    /// <summary>Names of files that begin with a prefix, after one of them, in ordinal order.</summary>
    /// <param name="after">Null: from the beginning.</param>
    Task<IReadOnlyList<string>> ListAsync(string prefix, string? after, int limit, CancellationToken cancellationToken);

    /// <summary>Deletes all pieces of a file. Repeating is harmless; what a crash leaves is deleted by the repeat.</summary>
    Task DeleteAsync(string file, CancellationToken cancellationToken);
}
