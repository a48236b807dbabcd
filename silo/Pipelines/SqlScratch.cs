using System.Globalization;

namespace DataHub.Pipelines;

/// <summary>
/// A private folder of one worker, gone with it. A lock in it says that its silo lives, so that what a silo left behind that was
/// killed can be told from what is in use.
/// </summary>
internal sealed class SqlScratch : IDisposable
{
    private const string Prefix = "datahub-sql-", Lock = "silo.lock";

    /// <summary>So old is a folder whose lock must have been taken, were its silo alive.</summary>
    private static readonly TimeSpan s_young = TimeSpan.FromMinutes(1);

    private readonly FileStream _lock;

    private SqlScratch(string path)
    {
        Path = path;
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _lock = new(System.IO.Path.Combine(path, Lock), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
    }

    public string Path { get; }

    /// <summary>How the names of folders of this silo's workers begin.</summary>
    private static string Mine { get; } = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Environment.ProcessId}-");

    /// <param name="parent">Where the folder is made; by default where the system keeps what is temporary.</param>
    public static SqlScratch Create(string? parent = null) => new(System.IO.Path.Combine(parent ?? System.IO.Path.GetTempPath(), $"{Mine}{Guid.NewGuid():N}"));

    /// <summary>Deletes what silos left behind that live no more.</summary>
    /// <returns>How many folders.</returns>
    public static int Sweep()
    {
        var swept = 0;
        foreach (var folder in new DirectoryInfo(System.IO.Path.GetTempPath()).EnumerateDirectories(Prefix + "*"))
        {
            try
            {
                if (DateTime.UtcNow - folder.CreationTimeUtc < s_young) continue;
                using (new FileStream(System.IO.Path.Combine(folder.FullName, Lock), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None))
                {
                    folder.Delete(recursive: true);
                }

                swept++;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // In use, or somebody else's.
            }
        }

        return swept;
    }

    /// <summary>Bytes of the files in it.</summary>
    public long Size()
    {
        try
        {
            return new DirectoryInfo(Path).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Exists ? file.Length : 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A file or folder went while it was counted; the next look counts again.
            return 0;
        }
    }

    public void Dispose()
    {
        _lock.Dispose();
        Directory.Delete(Path, recursive: true);
    }
}
