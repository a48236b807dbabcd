using System.ComponentModel.DataAnnotations;

namespace DataHub;

/// <summary>Limits of requests. Section <c>DataHub:Request</c>.</summary>
internal sealed class RequestOptions
{
    public const string Section = "DataHub:Request";

    /// <summary>Bytes of a JSON document that describes something (agency, dataset, feed, indicator). 1 KiB to 64 MiB, default 1 MiB.</summary>
    [Range(1_024, 67_108_864)]
    [Setting("Größte Beschreibung (Behörde, Datensatz, Indikator) in Byte", "Largest description (agency, dataset, indicator) in bytes")]
    public int MaxDocumentBytes { get; set; } = 1_048_576;

    /// <summary>Entries of one page of a list where the caller names no limit. 1 to 1,000, default 100.</summary>
    [Range(1, 1_000)]
    [Setting("Einträge einer Seite, wenn die Anfrage kein limit nennt", "Entries of a page where the request names no limit")]
    public int PageSize { get; set; } = 100;
}
