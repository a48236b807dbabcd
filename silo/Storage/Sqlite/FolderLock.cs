using System.Globalization;

namespace DataHub.Storage.Sqlite;

/// <summary>Keeps a second process off a folder. The system lets go of it when the process ends, however it ends.</summary>
internal sealed class FolderLock : IDisposable
{
    private readonly FileStream _file;

    private FolderLock(FileStream file) => _file = file;

    /// <summary>Makes the folder where it is not there (for its owner only) and takes it.</summary>
    /// <exception cref="FolderInUseException">Another process has it.</exception>
    public static FolderLock Take(string folder)
    {
        var whole = Path.GetFullPath(folder);
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(whole);
        else if (!Directory.Exists(whole)) Directory.CreateDirectory(whole, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        FileStream file;
        try
        {
            file = new(Path.Combine(whole, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or PathTooLongException))
        {
            throw new FolderInUseException(
                $"Der Ordner {whole} gehört schon einem anderen laufenden DataHub. Bitte dieses beenden oder mit --data einen anderen Ordner nennen. " +
                $"The folder {whole} belongs to another DataHub that is running. Stop that one, or name another folder with --data.", e);
        }

        // Who has it, for people who look into the folder.
        file.SetLength(0);
        file.Write(System.Text.Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
        file.Flush();
        return new(file);
    }

    public void Dispose() => _file.Dispose();
}
