using System.ComponentModel.DataAnnotations;

namespace DataHub.Feeds;

/// <summary>Section <c>DataHub:Ingest</c>: what one push may hold.</summary>
public sealed class IngestOptions
{
    public const string Section = "DataHub:Ingest";

    /// <summary>
    /// Largest body after decompression, in bytes, 1 KiB to 2 GB; default 512 MiB. Beyond it 413. Memory does not depend on
    /// it: what is larger than <see cref="PushLimits.WholeBytes"/> goes through a file in <see cref="SpoolFolder"/>.
    /// </summary>
    [Range(1 << 10, 2_000_000_000L)]
    [Setting("Größter Inhalt einer Lieferung nach dem Entpacken in Byte", "Largest body of a push after decompression in bytes")]
    public long MaxBodyBytes { get; set; } = 512L << 20;

    /// <summary>Most rows of one push, 1 to 100,000,000; default 1,000,000. Beyond it 413.</summary>
    [Range(1, 100_000_000)]
    [Setting("Zeilen einer Lieferung", "Rows of one push")]
    public int MaxRows { get; set; } = 1_000_000;

    /// <summary>
    /// Folder for large bodies while they are read; empty: <c>spool</c> in the data folder. It belongs to this process
    /// alone: what an earlier one left there is deleted at start.
    /// </summary>
    [Setting("Ordner, in dem große Lieferungen zwischenlagern; leer: spool im Datenordner", "Folder in which large pushes are kept while they are read; empty: spool in the data folder")]
    public string SpoolFolder { get; set; } = "";

    /// <summary>Bytes that large bodies may take on disk at once, one agency's half of them, 16 MiB to 1 TiB; default 8 GiB. Beyond it 503.</summary>
    [Range(16L << 20, 1L << 40)]
    [Setting("Große Lieferungen, die gleichzeitig auf der Platte liegen, in Byte; einer Behörde die Hälfte", "Large pushes that lie on disk at once, in bytes; of one agency half")]
    public long MaxSpoolBytes { get; set; } = 8L << 30;

    /// <summary>Largest single row in bytes, 1 KiB to 16 MiB; default 1 MiB. A larger one is quarantined, of its content only the beginning is kept.</summary>
    [Range(1 << 10, 16 << 20)]
    [Setting("Größte einzelne Zeile in Byte", "Largest single row in bytes")]
    public int MaxRowBytes { get; set; } = 1 << 20;

    /// <summary>Longest value in characters, 256 to 1,048,576; default 65,536. A longer one is quarantined.</summary>
    [Range(256, 1 << 20)]
    [Setting("Längster einzelner Wert in Zeichen", "Longest single value in characters")]
    public int MaxFieldLength { get; set; } = 64 << 10;

    /// <summary>Most columns of a body, and most members of a row, 1 to 10,000; default 512. A table with more is refused (422), a row with more is quarantined.</summary>
    [Range(1, 10_000)]
    [Setting("Spalten einer Lieferung", "Columns of a push")]
    public int MaxColumns { get; set; } = 2 * Catalog.ContractLimits.Fields;

    /// <summary>How deep objects and arrays may lie within one another in a value, 1 to 32; default 32. A deeper body is refused.</summary>
    [Range(1, Catalog.ContractLimits.JsonDepth)]
    [Setting("Wie tief Objekte und Listen ineinander liegen dürfen", "How deep objects and arrays may lie within one another")]
    public int MaxDepth { get; set; } = Catalog.ContractLimits.JsonDepth;

    /// <summary>Most errors told of one row, 1 to 1,000; default 100.</summary>
    [Range(1, 1_000)]
    [Setting("Fehler, die zu einer Zeile genannt werden", "Errors told of one row")]
    public int MaxErrorsPerRow { get; set; } = 100;

    /// <summary>Most errors in the answer to a push, 1 to 1,000; default 1,000. Quarantine holds all of them.</summary>
    [Range(1, PushLimits.ErrorsInReceipt)]
    [Setting("Fehler in der Antwort auf eine Lieferung", "Errors in the answer to a push")]
    public int MaxErrors { get; set; } = PushLimits.ErrorsInReceipt;

    /// <summary>Bytes of bodies of one agency that this front-end holds at once, of several together twice as many, 1 MiB to 64 GiB; default 256 MiB. Beyond it 503; one push alone is always taken.</summary>
    [Range(1L << 20, 64L << 30)]
    [Setting("Inhalte einer Behörde, die gleichzeitig im Speicher liegen, in Byte; aller zusammen doppelt so viele", "Bodies of one agency that are held in memory at once, in bytes; of all together twice as many")]
    public long MaxWaitingBytes { get; set; } = 256L << 20;

    /// <summary>Descriptions of datasets with their compiled contracts that this front-end keeps, 1 to 1,000,000; default 10,000.</summary>
    [Range(1, 1_000_000)]
    [Setting("Beschreibungen von Datensätzen, die bereitgehalten werden", "Descriptions of datasets that are kept ready")]
    public int CachedDatasets { get; set; } = 10_000;

    /// <summary>What a caller is told to wait in Retry-After, 1 s to 5 min; default 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    [Setting("Wartezeit, die in Retry-After genannt wird", "Time named in Retry-After")]
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(1);
}
