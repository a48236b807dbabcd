using System.Text.Json;

namespace DataHub.Hosting;

/// <summary>What an embedded hub keeps in its folder beside the databases.</summary>
/// <remarks><c>installation.json</c> says what was fixed at the first start; <c>admin.key</c> holds the first administrator's key.</remarks>
internal sealed class DataFolder
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private DataFolder(string path) => Path = path;

    /// <summary>Absolute path.</summary>
    public string Path { get; }

    public string AdminKeyFile => System.IO.Path.Combine(Path, "admin.key");

    /// <summary>Makes the folder where it is missing.</summary>
    /// <exception cref="StartException">It cannot be made or written.</exception>
    public static DataFolder Open(string path)
    {
        path = System.IO.Path.GetFullPath(path);
        try
        {
            // Keys and rows that are not open lie here: nobody but the hub's own user.
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
            else Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var probe = System.IO.Path.Combine(path, ".writable");
            File.WriteAllBytes(probe, []);
            File.Delete(probe);
            return new(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new StartException(new(
                $"Der Ordner {path} lässt sich nicht anlegen oder beschreiben ({e.Message}). Rechte prüfen oder mit --data einen anderen Ordner angeben.",
                $"The folder {path} cannot be made or written ({e.Message}). Check its rights or name another folder with --data."), e);
        }
    }

    /// <summary>Notes at the first start what is fixed for ever, and refuses a later start with other values.</summary>
    /// <param name="shards">Configured number of shards.</param>
    public void Fix(int shards)
    {
        var file = System.IO.Path.Combine(Path, "installation.json");
        Installation? stands = null;
        try
        {
            if (File.Exists(file)) stands = JsonSerializer.Deserialize<Installation>(File.ReadAllText(file), s_json);
        }
        catch (JsonException e)
        {
            throw new StartException(new(
                $"Die Datei {file} ist beschädigt; sie muss aus der Sicherung wiederhergestellt werden.",
                $"The file {file} is damaged; restore it from the backup."), e);
        }

        if (stands is null)
        {
            Write(file, JsonSerializer.Serialize(new Installation(1, shards), s_json));
        }
        else if (stands.Shards != shards)
        {
            throw new StartException(new(
                $"Die Einstellung DataHub:Log:Shards hat den Wert „{shards}“; erlaubt ist in diesem Ordner nur {stands.Shards}, die Zahl seines ersten Starts ({file}).",
                $"The setting DataHub:Log:Shards has the value “{shards}”; allowed in this folder is only {stands.Shards}, the number of its first start ({file})."));
        }
    }

    /// <summary>Writes a file that only the hub's user may read, so that it is there whole or not at all, even after a power cut.</summary>
    public static void Write(string file, string content)
    {
        var draft = file + ".new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var stream = new FileStream(draft, options))
        {
            stream.Write(System.Text.Encoding.UTF8.GetBytes(content));
            stream.Flush(flushToDisk: true);
        }

        File.Move(draft, file, overwrite: true);
    }

    /// <param name="Format">Of this file.</param>
    private sealed record Installation(int Format, int Shards);
}
