namespace DataHub.Storage.Sqlite;

/// <summary>Where and how the embedded hub stores. Section <c>DataHub:Storage</c>.</summary>
public sealed class SqliteStorageOptions
{
    public const string Section = "DataHub:Storage";

    /// <summary>Folder of the four database files; made where it is not there. Default <c>data</c>.</summary>
    public string Folder { get; set; } = "data";

    /// <summary>Read connections per file, 1 to 64; further readers wait. Default 4.</summary>
    public int Readers { get; set; } = 4;

    /// <summary>Units of work that may wait for a file's writer, 16 to 65,536; further callers wait before they may queue. Default 1,024.</summary>
    public int WriterQueue { get; set; } = 1_024;

    /// <summary>Units of work that share one commit at most, 1 to 4,096. Default 256.</summary>
    public int UnitsPerCommit { get; set; } = 256;

    /// <summary>Page cache of a file's writer in MiB, 1 to 4,096. Default 32.</summary>
    public int WriterCacheMiB { get; set; } = 32;

    /// <summary>Page cache of each read connection in MiB, 1 to 1,024. Default 4.</summary>
    public int ReaderCacheMiB { get; set; } = 4;

    /// <summary>Pages in a write-ahead log after which it is written back, 100 to 1,000,000. Default 4,000 (16 MB).</summary>
    public int CheckpointPages { get; set; } = 4_000;

    /// <summary>What is wrong with the settings: per problem the key, the value and what is allowed; empty where nothing is.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        if (string.IsNullOrWhiteSpace(Folder)) problems.Add($"{Section}:{nameof(Folder)} ist leer / is empty; erlaubt / allowed: ein Ordner / a folder");
        Range(nameof(Readers), Readers, 1, 64);
        Range(nameof(WriterQueue), WriterQueue, 16, 65_536);
        Range(nameof(UnitsPerCommit), UnitsPerCommit, 1, 4_096);
        Range(nameof(WriterCacheMiB), WriterCacheMiB, 1, 4_096);
        Range(nameof(ReaderCacheMiB), ReaderCacheMiB, 1, 1_024);
        Range(nameof(CheckpointPages), CheckpointPages, 100, 1_000_000);
        return problems;

        void Range(string key, int value, int from, int to)
        {
            if (value < from || value > to) problems.Add($"{Section}:{key} = {value}; erlaubt / allowed: {from}–{to}");
        }
    }
}
