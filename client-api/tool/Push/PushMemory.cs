using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace DataHub.Tool;

/// <summary>
/// What is known of the push of one file's content to one feed: how it is cut, and which batches were answered. One
/// file of JSON lines in the user's state folder, held while the push runs. Losing it costs time, never correctness:
/// the same keys are sent again, and the hub gives the receipts it gave before.
/// </summary>
internal sealed class PushMemory : IDisposable
{
    /// <summary>Memories not touched for so long are removed: the hub has forgotten their keys too.</summary>
    private static readonly TimeSpan s_kept = TimeSpan.FromDays(35);

    private readonly FileStream _file;
    private readonly Dictionary<int, Answered> _answered = [];

    private PushMemory(FileStream file, Cut cut) => (_file, HowCut) = (file, cut);

    /// <summary>How the file is cut, and what makes its keys its own.</summary>
    public Cut HowCut { get; private set; }

    /// <summary>Whether all batches were answered.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Batches answered earlier.</summary>
    public int Count => _answered.Count;

    /// <param name="Rows">Of a batch, at most.</param>
    /// <param name="Bytes">Of a batch, at most.</param>
    /// <param name="Round">0; raised where the same content is to be pushed anew.</param>
    internal sealed record Cut(int Rows, int Bytes, int Round);

    /// <summary>A batch that has its receipt.</summary>
    internal sealed record Answered(int Batch, string Key, string Receipt, long Received, long Accepted, long Duplicate, long Quarantined, long Length);

    private sealed record Line(Cut? Cut, Answered? Answered, bool Done, string? File);

    /// <summary>Folder of the memories.</summary>
    /// <param name="given">From the command line; null: DATAHUB_STATE, else the user's.</param>
    public static string Folder(string? given)
    {
        if ((given ?? Environment.GetEnvironmentVariable("DATAHUB_STATE")) is { Length: > 0 } named) return Path.GetFullPath(named);
        var root = OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
            : Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { Length: > 0 } state ? state
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state");
        return Path.Combine(root, "datahub");
    }

    /// <summary>Opens or begins the memory of a push.</summary>
    /// <param name="identity">Hub, dataset, feed, and hash of the file's content.</param>
    /// <param name="path">Of the file; for whoever looks into the memory.</param>
    /// <param name="wanted">How to cut where nothing is known yet; its round counts from 0.</param>
    /// <param name="again">To push what was pushed already.</param>
    /// <exception cref="UsageException">Another process pushes the same, or the folder cannot be written.</exception>
    public static PushMemory Open(string folder, string[] identity, string path, Cut wanted, bool again)
    {
        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', identity))))[..40] + ".push";
        FileStream file;
        try
        {
            Directory.CreateDirectory(folder);
            Forget(folder);
            file = new(Path.Combine(folder, name), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException(Words.Say(
                $"„{Path.Combine(folder, name)}“ ist nicht zu öffnen; wird dieselbe Datei gerade schon geliefert? (--state-folder) {e.Message}",
                $"“{Path.Combine(folder, name)}” cannot be opened; is the same file being pushed already? (--state-folder) {e.Message}"));
        }

        var memory = new PushMemory(file, wanted);
        if (!memory.Load()) memory.Begin(wanted, path);
        else if (again && memory.IsDone) memory.Begin(wanted with { Round = memory.HowCut.Round + 1 }, path);
        return memory;
    }

    /// <summary>What a batch was answered earlier; null: it was not, or was another.</summary>
    public Answered? Find(int batch, string key) => _answered.TryGetValue(batch, out var known) && known.Key == key ? known : null;

    public void Add(Answered answered)
    {
        _answered[answered.Batch] = answered;
        Append(new(null, answered, false, null));
    }

    /// <summary>All batches were answered.</summary>
    public void Finish()
    {
        if (IsDone) return;
        IsDone = true;
        Append(new(null, null, true, null));
    }

    public void Dispose() => _file.Dispose();

    private void Begin(Cut cut, string path)
    {
        (HowCut, IsDone) = (cut, false);
        _answered.Clear();
        _file.SetLength(0);
        Append(new(cut, null, false, path));
    }

    private bool Load()
    {
        using var reader = new StreamReader(_file, Encoding.UTF8, false, 4096, leaveOpen: true);
        var isKnown = false;
        long good = 0;
        while (reader.ReadLine() is { } text)
        {
            Line? line;
            try
            {
                line = JsonSerializer.Deserialize<Line>(text);
            }
            catch (JsonException)
            {
                // Killed while writing: what follows the last whole line is not known, and is asked for again.
                break;
            }

            good += Encoding.UTF8.GetByteCount(text) + 1;
            if (line?.Cut is { Rows: > 0, Bytes: > 0 } cut) (HowCut, isKnown) = (cut, true);
            if (line?.Answered is { } answered) _answered[answered.Batch] = answered;
            if (line?.Done == true) IsDone = true;
        }

        // A last line without its end is whole or was not read; either way the next one begins anew.
        _file.SetLength(Math.Min(good, _file.Length));
        _file.Seek(0, SeekOrigin.End);
        if (_file.Length > 0 && _file.Length < good) _file.WriteByte((byte)'\n');
        return isKnown;
    }

    private void Append(Line line)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(line);
        _file.Write([.. bytes, (byte)'\n']);
        _file.Flush();
    }

    private static void Forget(string folder)
    {
        foreach (var old in Directory.EnumerateFiles(folder, "*.push"))
        {
            if (DateTime.UtcNow - File.GetLastWriteTimeUtc(old) > s_kept) File.Delete(old);
        }
    }
}
