using System.Text;

namespace DataHub.Pipelines;

/// <summary>
/// Events of runs in a file, one a line, each on the disk before it counts. When it has reached its size it becomes
/// <c>.1</c> in place of the one before. For one writer.
/// </summary>
internal sealed class LineageFile(string path, long maxBytes)
{
    private bool _isWhole;

    /// <exception cref="IOException">The file could not be written; what was written of the lines may be there.</exception>
    public void Append(IEnumerable<string> lines)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder) Directory.CreateDirectory(folder);
        if (File.Exists(path) && new FileInfo(path).Length >= maxBytes) File.Move(path, path + ".1", overwrite: true);
        using var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        if (!_isWhole) CutOff(file);
        // Until all is on the disk the last line may be half.
        _isWhole = false;
        file.Seek(0, SeekOrigin.End);
        foreach (var line in lines) file.Write(Encoding.UTF8.GetBytes(line + "\n"));
        file.Flush(flushToDisk: true);
        _isWhole = true;
    }

    /// <summary>What a death left of a line goes: its event was not taken yet.</summary>
    private static void CutOff(FileStream file)
    {
        var end = file.Length;
        while (end > 0)
        {
            file.Position = end - 1;
            if (file.ReadByte() == '\n') break;
            end--;
        }

        if (end < file.Length) file.SetLength(end);
    }
}
