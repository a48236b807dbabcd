using System.ComponentModel.DataAnnotations;

namespace DataHub.Feeds;

/// <summary>Limits of reading. Section <c>DataHub:Read</c>.</summary>
internal sealed class ReadOptions
{
    public const string Section = "DataHub:Read";

    /// <summary>How long a query that names a watermark waits for it before it gets 503. 0 to 60 s, default 5 s (design I6).</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    [Setting("Wie lange eine Abfrage auf ihren Wasserstand wartet", "How long a query waits for its watermark")]
    public TimeSpan MaxWait { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Cells that one answer may touch; beyond it 422. 1,000 to 10,000,000, default 500,000.</summary>
    [Range(1_000, 10_000_000)]
    [Setting("Zellen, die eine Antwort berühren darf", "Cells that one answer may touch")]
    public int MaxCells { get; set; } = 500_000;

    /// <summary>Rows that a filter looks at for one page; the page then ends early with a link to the next. 1,000 to 10,000,000, default 100,000.</summary>
    [Range(1_000, 10_000_000)]
    [Setting("Zeilen, die ein Filter für eine Seite ansieht", "Rows that a filter looks at for one page")]
    public int MaxScannedRows { get; set; } = 100_000;

    /// <summary>
    /// Versions of rows that one answer about the past may read per partition (<c>asOf</c>, explanations, differences);
    /// beyond it 422. 1,000 to 100,000,000, default 1,000,000.
    /// </summary>
    [Range(1_000, 100_000_000)]
    [Setting("Zeilenfassungen, die eine Antwort über Früheres je Partition lesen darf", "Versions of rows that an answer about the past may read per partition")]
    public int MaxPastRows { get; set; } = 1_000_000;
}
