using DataHub.Storage.Sqlite;

namespace DataHub.Support;

/// <summary>Database files of a test's own; closed and gone with it.</summary>
internal sealed class SqliteFolder : IAsyncDisposable
{
    private readonly List<TemporaryFolder> _folders = [new()];
    private readonly List<SqliteFile> _files = [];

    public string FullName => _folders[^1].FullName;

    public SqliteFile Open(string name, string family, SqliteStorageOptions? options = null)
    {
        var file = SqliteFile.Open(Path.Combine(FullName, name), family, options ?? new(), TimeProvider.System);
        _files.Add(file);
        return file;
    }

    /// <summary>Opens the file as a crash at this moment would leave it. The one open before stays open.</summary>
    public SqliteFile Crash(string name, string family)
    {
        _folders.Add(_folders[^1].AfterCrash());
        return Open(name, family);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var file in _files) await file.DisposeAsync();
        foreach (var folder in _folders) folder.Dispose();
    }
}
