using System.ComponentModel.DataAnnotations;

namespace DataHub.Pipelines;

/// <summary>Limits of pipelines. Section <c>DataHub:Pipelines</c>.</summary>
internal sealed class PipelineOptions
{
    public const string Section = "DataHub:Pipelines";

    /// <summary>Steps that one silo runs at the same time; others wait, agencies in turn. 1 to 64, default 2.</summary>
    [Range(1, 64)]
    [Setting("Schritte, die ein Silo zugleich ausführt", "Steps that one silo runs at the same time")]
    public int StepsAtOnce { get; set; } = 2;

    /// <summary>How long one step may take. A second to a day, default an hour.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    [Setting("Wie lange ein Schritt dauern darf", "How long one step may take")]
    public TimeSpan StepTime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Rows of one table. 1,000 to 1,000,000,000, default 50,000,000.</summary>
    [Range(1_000L, 1_000_000_000L)]
    [Setting("Zeilen einer Tabelle zwischen zwei Schritten", "Rows of one table between two steps")]
    public long MaxRows { get; set; } = 50_000_000;

    /// <summary>Bytes of one uploaded file in MiB. 1 to 100,000, default 4,096.</summary>
    [Range(1, 100_000)]
    [Setting("Größe einer hochgeladenen Datei in MiB", "Size of one uploaded file in MiB")]
    public int MaxFileMiB { get; set; } = 4_096;

    /// <summary>Bytes of all parts of an XLSX file, unpacked, in MiB. 1 to 100,000, default 1,024.</summary>
    [Range(1, 100_000)]
    [Setting("Größe einer XLSX-Datei, entpackt, in MiB", "Size of an XLSX file, unpacked, in MiB")]
    public int MaxInflatedMiB { get; set; } = 1_024;

    /// <summary>Files of one agency that are kept at the same time. 1 to 100,000, default 1,000.</summary>
    [Range(1, 100_000)]
    [Setting("Aufbewahrte Dateien je Behörde", "Files of one agency that are kept")]
    public int MaxFiles { get; set; } = 1_000;

    /// <summary>
    /// Hosts from which runs fetch files, apart by semicolons: names or addresses, with a port where it is not the scheme's.
    /// A name that leads to an address inside is refused unless that address is listed too. Default none.
    /// </summary>
    [Setting("Server, von denen Läufe Dateien holen, mit Semikolon getrennt; keine: es wird nichts geholt", "Hosts from which runs fetch files, apart by semicolons; none: nothing is fetched")]
    public string PullHosts { get; set; } = "";

    /// <summary>How long fetching one file may take. A second to a day, default 10 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    [Setting("Wie lange das Holen einer Datei dauern darf", "How long fetching one file may take")]
    public TimeSpan PullTime { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long an uploaded file is kept after it was used last. An hour to 10 years, default 90 days.</summary>
    [Range(typeof(TimeSpan), "01:00:00", "3652.00:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    [Setting("Wie lange eine hochgeladene Datei nach ihrer letzten Verwendung aufbewahrt wird", "How long an uploaded file is kept after it was used last")]
    public TimeSpan KeepFiles { get; set; } = TimeSpan.FromDays(90);

    /// <summary>How long the tables of a run are kept after it has ended. An hour to 10 years, default 90 days.</summary>
    [Range(typeof(TimeSpan), "01:00:00", "3652.00:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    [Setting("Wie lange die Tabellen eines Laufs nach seinem Ende aufbewahrt werden", "How long the tables of a run are kept after it has ended")]
    public TimeSpan KeepTables { get; set; } = TimeSpan.FromDays(90);

    /// <summary>How long an upload may pause before it is given up. A minute to 30 days, default a day.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "30.00:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    [Setting("Wie lange ein Hochladen ruhen darf, bevor es aufgegeben wird", "How long an upload may pause before it is given up")]
    public TimeSpan KeepUnfinished { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Memory of the process that runs SQL, in MiB. 64 to 65,536, default 256; what does not fit goes to disk.</summary>
    [Range(64, 65_536)]
    [Setting("Arbeitsspeicher des Prozesses, der SQL ausführt, in MiB", "Memory of the process that runs SQL, in MiB")]
    public int SqlMemoryMiB { get; set; } = 256;

    /// <summary>Disk of that process, in MiB. 64 to 1,000,000, default 8,192.</summary>
    [Range(64, 1_000_000)]
    [Setting("Platz dieses Prozesses auf der Platte, in MiB", "Disk of that process, in MiB")]
    public int SqlDiskMiB { get; set; } = 8_192;

    /// <summary>How long the SQL of one step may run. A second to a day, default 10 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    [Setting("Wie lange das SQL eines Schritts laufen darf", "How long the SQL of one step may run")]
    public TimeSpan SqlTime { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How often a step may be begun again because its silo died while it ran. 1 to 100, default 5.</summary>
    [Range(1, 100)]
    [Setting("Wie oft ein Schritt neu beginnt, weil sein Silo starb", "How often a step is begun again because its silo died")]
    public int MaxDeaths { get; set; } = 5;
}
