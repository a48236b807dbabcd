namespace DataHub.Support;

/// <summary>A folder of a test's own; gone with it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string FullName { get; } = Directory.CreateTempSubdirectory("datahub-").FullName;

    /// <summary>
    /// A copy as a crash would leave it: the files as they lie, none of them closed. The index of the write-ahead log
    /// (<c>-shm</c>) is memory of processes and not copied.
    /// </summary>
    public TemporaryFolder AfterCrash()
    {
        var copy = new TemporaryFolder();
        foreach (var file in Directory.EnumerateFiles(FullName))
        {
            if (file.EndsWith("-shm", StringComparison.Ordinal) || Path.GetFileName(file) == "lock") continue;
            File.Copy(file, Path.Combine(copy.FullName, Path.GetFileName(file)));
        }

        return copy;
    }

    public void Dispose()
    {
        if (Directory.Exists(FullName)) Directory.Delete(FullName, recursive: true);
    }
}
