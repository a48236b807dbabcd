using System.ComponentModel.DataAnnotations;

namespace DataHub.Storage.Sqlite;

/// <summary>Where and how the embedded hub stores. Section <c>DataHub:Storage</c>.</summary>
public sealed class SqliteStorageOptions
{
    public const string Section = "DataHub:Storage";

    /// <summary>Folder of the six database files; made where it is not there. Default <c>data</c>.</summary>
    [Setting("Ordner der Datenbanken; --data geht vor", "Folder of the databases; --data goes first")]
    public string Folder { get; set; } = "data";

    /// <summary>Read connections per file, 1 to 64; further readers wait. Default 4.</summary>
    [Range(1, 64)]
    [Setting("Lesende Verbindungen je Datei", "Read connections per file")]
    public int Readers { get; set; } = 4;

    /// <summary>Units of work that may wait for a file's writer, 16 to 65,536; further callers wait before they may queue. Default 1,024.</summary>
    [Range(16, 65_536)]
    [Setting("Arbeiten, die auf den Schreiber einer Datei warten dürfen", "Units of work that may wait for a file's writer")]
    public int WriterQueue { get; set; } = 1_024;

    /// <summary>Units of work that share one commit at most, 1 to 4,096. Default 256.</summary>
    [Range(1, 4_096)]
    [Setting("Arbeiten, die gemeinsam festgeschrieben werden", "Units of work that share one commit")]
    public int UnitsPerCommit { get; set; } = 256;

    /// <summary>Page cache of a file's writer in MiB, 1 to 4,096. Default 32.</summary>
    [Range(1, 4_096)]
    [Setting("Seitenspeicher des Schreibers einer Datei in MiB", "Page cache of a file's writer in MiB")]
    public int WriterCacheMiB { get; set; } = 32;

    /// <summary>Page cache of each read connection in MiB, 1 to 1,024. Default 4.</summary>
    [Range(1, 1_024)]
    [Setting("Seitenspeicher jeder lesenden Verbindung in MiB", "Page cache of each read connection in MiB")]
    public int ReaderCacheMiB { get; set; } = 4;

    /// <summary>Memory for segments of history in which keys were looked up, in MiB, 1 to 4,096. Default 16.</summary>
    [Range(1, 4_096)]
    [Setting("Speicher für Abschnitte der Historie, in denen nachgesehen wurde, in MiB", "Memory for segments of history in which keys were looked up, in MiB")]
    public int SegmentCacheMiB { get; set; } = 16;

    /// <summary>Pages in a write-ahead log after which it is written back, 100 to 1,000,000. Default 16,000 (64 MB).</summary>
    [Range(100, 1_000_000)]
    [Setting("Seiten im Write-Ahead-Log, nach denen zurückgeschrieben wird", "Pages in a write-ahead log after which it is written back")]
    public int CheckpointPages { get; set; } = 16_000;

    /// <summary>What is wrong with the settings: per problem the key, the value and what is allowed; empty where nothing is.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        if (string.IsNullOrWhiteSpace(Folder)) problems.Add($"{Section}:{nameof(Folder)} ist leer / is empty; erlaubt / allowed: ein Ordner / a folder");
        Check(nameof(Readers), Readers, 1, 64);
        Check(nameof(WriterQueue), WriterQueue, 16, 65_536);
        Check(nameof(UnitsPerCommit), UnitsPerCommit, 1, 4_096);
        Check(nameof(WriterCacheMiB), WriterCacheMiB, 1, 4_096);
        Check(nameof(ReaderCacheMiB), ReaderCacheMiB, 1, 1_024);
        Check(nameof(SegmentCacheMiB), SegmentCacheMiB, 1, 4_096);
        Check(nameof(CheckpointPages), CheckpointPages, 100, 1_000_000);
        return problems;

        void Check(string key, int value, int from, int to)
        {
            if (value < from || value > to) problems.Add($"{Section}:{key} = {value}; erlaubt / allowed: {from}–{to}");
        }
    }
}
