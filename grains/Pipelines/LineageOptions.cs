using System.ComponentModel.DataAnnotations;

namespace DataHub.Pipelines;

/// <summary>Where the events of runs go beside the hub itself. Section <c>DataHub:Lineage</c>.</summary>
internal sealed class LineageOptions
{
    public const string Section = "DataHub:Lineage";

    /// <summary>A file to which events are appended, one a line (NDJSON), by the silo that delivers; empty: none.</summary>
    [Setting("Datei, an die Ereignisse von Läufen (OpenLineage) angehängt werden, eines je Zeile; leer: keine", "File that events of runs (OpenLineage) are appended to, one a line; empty: none")]
    public string File { get; set; } = "";

    /// <summary>MiB of that file before it is renamed to <c>.1</c>, in place of the one before, and begun anew. 1 to 100,000, default 256.</summary>
    [Range(1, 100_000)]
    [Setting("Größe dieser Datei in MiB, ab der sie zu „.1“ wird und neu beginnt", "Size of that file in MiB at which it becomes “.1” and is begun anew")]
    public int MaxFileMiB { get; set; } = 256;

    /// <summary>Where each event is posted, in order, such as a server of Marquez; empty: nowhere.</summary>
    [Setting("Adresse, an die Ereignisse von Läufen (OpenLineage) gesendet werden; leer: keine", "Address that events of runs (OpenLineage) are posted to; empty: none")]
    public string Url { get; set; } = "";

    /// <summary>Key that the receiver asks for (bearer); from the environment (DataHub__Lineage__Key), never from a file that others read.</summary>
    [Setting("Schlüssel, den dieser Empfänger verlangt; aus der Umgebung", "Key that this receiver asks for; from the environment")]
    public string Key { get; set; } = "";

    /// <summary>How long the receiver may take to answer. A second to 5 minutes, default 10 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    [Setting("Wie lange der Empfänger für eine Antwort brauchen darf", "How long the receiver may take to answer")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest pause before a receiver that did not answer is tried again. 100 ms to an hour, default a minute.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    [Setting("Längste Pause, bevor ein Empfänger, der nicht antwortete, wieder versucht wird", "Longest pause before a receiver that did not answer is tried again")]
    public TimeSpan MaxPause { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Runs whose events wait for a receiver; beyond that those of the oldest are dropped, and the log says so. 10 to 10,000, default 2,000.</summary>
    [Range(10, 10_000)]
    [Setting("Läufe, deren Ereignisse auf einen Empfänger warten; darüber hinaus entfallen die ältesten", "Runs whose events wait for a receiver; beyond that those of the oldest are dropped")]
    public int MaxWaiting { get; set; } = 2_000;

    /// <summary>How long runs of agencies' own tools are kept that were told of by events. A day to 10 years, default 400 days.</summary>
    [Range(typeof(TimeSpan), "1.00:00:00", "3652.00:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    [Setting("Wie lange Läufe fremder Werkzeuge, von denen Ereignisse berichteten, aufbewahrt werden", "How long runs of agencies' own tools are kept that events told of")]
    public TimeSpan KeepForeign { get; set; } = TimeSpan.FromDays(400);

    public bool IsOn => File.Length > 0 || Url.Length > 0;
}
