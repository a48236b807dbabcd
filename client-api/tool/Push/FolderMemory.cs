using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace DataHub.Tool;

/// <summary>Which contents of a watched folder were dealt with. One file of JSON lines in the state folder, held while the folder is watched.</summary>
internal sealed class FolderMemory : IDisposable
{
    /// <summary>Contents remembered at a start; older ones are forgotten.</summary>
    private const int Most = 100_000;

    private readonly FileStream _file;
    private readonly Dictionary<string, Seen> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _byHash = new(StringComparer.Ordinal);

    private FolderMemory(FileStream file) => _file = file;

    /// <param name="Hash">Of the content.</param>
    /// <param name="Code">How its push ended.</param>
    private sealed record Seen(string Name, long Length, DateTime Written, string Hash, int Code);

    /// <exception cref="UsageException">Another process watches the same, or the state folder cannot be written.</exception>
    public static FolderMemory Open(string state, string[] identity)
    {
        var path = Path.Combine(state, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', identity))))[..40] + ".watch");
        FileStream file;
        try
        {
            Directory.CreateDirectory(state);
            file = new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException(Words.Say(
                $"„{path}“ ist nicht zu öffnen; wird der Ordner schon beobachtet? (--state-folder) {e.Message}",
                $"“{path}” cannot be opened; is the folder being watched already? (--state-folder) {e.Message}"));
        }

        var memory = new FolderMemory(file);
        memory.Load();
        return memory;
    }

    /// <summary>Whether the file was dealt with as it lies there.</summary>
    public bool Knows(FileInfo file) => _byName.TryGetValue(file.Name, out var seen) && seen.Length == file.Length && seen.Written == file.LastWriteTimeUtc;

    /// <summary>How the push of a content ended, under whatever name; null: it was not pushed.</summary>
    public int? CodeOf(string hash) => _byHash.TryGetValue(hash, out var code) ? code : null;

    public void Add(FileInfo file, string hash, int code)
    {
        var seen = new Seen(file.Name, file.Length, file.LastWriteTimeUtc, hash, code);
        Take(seen);
        _file.Write([.. JsonSerializer.SerializeToUtf8Bytes(seen), (byte)'\n']);
        _file.Flush();
    }

    public void Dispose() => _file.Dispose();

    private void Take(Seen seen) => (_byName[seen.Name], _byHash[seen.Hash]) = (seen, seen.Code);

    private void Load()
    {
        var all = new List<Seen>();
        using (var reader = new StreamReader(_file, Encoding.UTF8, false, 4096, leaveOpen: true))
        {
            while (reader.ReadLine() is { } line)
            {
                try
                {
                    if (JsonSerializer.Deserialize<Seen>(line) is { Name: not null, Hash: not null } seen) all.Add(seen);
                }
                catch (JsonException)
                {
                    // Killed while writing: that file is pushed again, with the same keys.
                    break;
                }
            }
        }

        var kept = all.Skip(Math.Max(0, all.Count - Most)).ToArray();
        kept.ToList().ForEach(Take);
        _file.SetLength(0);
        foreach (var seen in kept) _file.Write([.. JsonSerializer.SerializeToUtf8Bytes(seen), (byte)'\n']);
        _file.Flush();
    }
}
