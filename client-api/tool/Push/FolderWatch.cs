using System.IO.Enumeration;
using System.Text.Json.Nodes;

namespace DataHub.Tool;

/// <summary>What is watched, and how.</summary>
/// <param name="Settle">A file that did not change for so long is complete.</param>
/// <param name="Done">Where files go that were pushed; null: they stay.</param>
/// <param name="Failed">Where files go that the hub refused; null: they stay.</param>
internal sealed record WatchSettings(string Folder, string Pattern, TimeSpan Period, TimeSpan Settle, string? Done, string? Failed);

/// <summary>
/// Pushes each file of a folder once it is complete, oldest first, and goes on until it is interrupted. It looks instead
/// of being told, which works on network shares too.
/// </summary>
internal sealed class FolderWatch(WatchSettings settings, FilePush push, FolderMemory memory, Report report, TimeProvider time)
{
    private static readonly string[] s_unfinished = [".tmp", ".part", ".partial", ".filepart", ".crdownload", ".swp"];

    private readonly Dictionary<string, (long Length, DateTime Written, long Since)> _growing = new(StringComparer.Ordinal);

    /// <returns>Only where every further file would be refused too: the key or the dataset is wrong.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        report.Result(Words.Say($"Beobachtet {settings.Folder}", $"Watching {settings.Folder}"), "watching", new() { ["folder"] = settings.Folder });
        using var timer = new PeriodicTimer(settings.Period, time);
        do
        {
            foreach (var file in Complete())
            {
                if (await TakeAsync(file, cancellationToken) is { } end) return end;
            }
        }
        while (await timer.WaitForNextTickAsync(cancellationToken));
        return ExitCode.Done;
    }

    private async Task<int?> TakeAsync(FileInfo file, CancellationToken cancellationToken)
    {
        try
        {
            var hash = await FilePush.HashAsync(file.FullName, cancellationToken);
            var code = memory.CodeOf(hash);
            if (code is null)
            {
                var outcome = await push.RunAsync(file.FullName, _ => { }, cancellationToken);
                if (outcome.ForAll) return outcome.ExitCode;
                code = outcome.ExitCode;
            }
            else
            {
                report.Note(Words.Say($"{file.Name}: derselbe Inhalt wurde schon geliefert.", $"{file.Name}: the same content was pushed already."));
            }

            memory.Add(file, hash, code.Value);
            Move(file, code.Value is ExitCode.Done or ExitCode.Quarantined ? settings.Done : settings.Failed);
        }
        catch (GaveUpException e)
        {
            // The hub may be away for a night; the file is still there afterwards.
            report.Error(e.Message);
        }
        catch (Exception e) when (e is UsageException or IOException or UnauthorizedAccessException)
        {
            // Removed or written to meanwhile, or not for us to read: looked at again when it is at rest.
            _growing[file.FullName] = (-1, default, time.GetTimestamp());
            report.Error($"{file.Name}: {e.Message}");
        }

        return null;
    }

    private List<FileInfo> Complete()
    {
        FileInfo[] files;
        try
        {
            files = [.. new DirectoryInfo(settings.Folder).EnumerateFiles().Where(IsMeant)];
        }
        catch (IOException e)
        {
            // A share that is away comes back.
            report.Error($"{settings.Folder}: {e.Message}");
            return [];
        }

        var complete = new List<FileInfo>();
        foreach (var file in files)
        {
            if (memory.Knows(file)) continue;
            var now = time.GetTimestamp();
            if (!_growing.TryGetValue(file.FullName, out var seen) && time.GetUtcNow().UtcDateTime - file.LastWriteTimeUtc >= settings.Settle) complete.Add(file);
            else if (seen.Length != file.Length || seen.Written != file.LastWriteTimeUtc) _growing[file.FullName] = (file.Length, file.LastWriteTimeUtc, now);
            else if (time.GetElapsedTime(seen.Since, now) >= settings.Settle) complete.Add(file);
        }

        var present = files.Select(file => file.FullName).ToHashSet(StringComparer.Ordinal);
        foreach (var gone in _growing.Keys.Where(path => !present.Contains(path)).ToArray()) _growing.Remove(gone);
        // What was written first goes first: later files correct earlier ones.
        return [.. complete.OrderBy(file => file.LastWriteTimeUtc).ThenBy(file => file.Name, StringComparer.Ordinal)];
    }

    private bool IsMeant(FileInfo file) =>
        file.Name[0] is not ('.' or '~') && !s_unfinished.Contains(file.Extension, StringComparer.OrdinalIgnoreCase) && FileSystemName.MatchesSimpleExpression(settings.Pattern, file.Name);

    private static void Move(FileInfo file, string? folder)
    {
        if (folder is null) return;
        Directory.CreateDirectory(folder);
        var target = Path.Combine(folder, file.Name);
        for (var n = 2; File.Exists(target); n++) target = Path.Combine(folder, $"{Path.GetFileNameWithoutExtension(file.Name)}-{n}{file.Extension}");
        File.Move(file.FullName, target);
    }
}
