using System.ComponentModel.DataAnnotations;

namespace DataHub.Indicators;

/// <summary>The pages for people. Section <c>DataHub:Pages</c>.</summary>
public sealed class PageOptions
{
    public const string Section = "DataHub:Pages";

    /// <summary>Indicators on one page of the overview. 1 to 200, default 24.</summary>
    [Range(1, 200)]
    [Setting("Indikatoren auf einer Seite der Übersicht", "Indicators on one page of the overview")]
    public int IndicatorsPerPage { get; set; } = 24;

    /// <summary>Windows that the course of an indicator shows. 5 to 500, default 45.</summary>
    [Range(5, 500)]
    [Setting("Zeitfenster im Verlauf eines Indikators", "Windows in the course of an indicator")]
    public int ChartWindows { get; set; } = 45;

    /// <summary>Versions of area systems whose outlines are kept ready. 1 to 1,000, default 16.</summary>
    [Range(1, 1_000)]
    [Setting("Stände von Gebietssystemen, deren Umrisse bereitgehalten werden", "Versions of area systems whose outlines are kept ready")]
    public int CachedMaps { get; set; } = 16;

    /// <summary>Rendered pages, and the answers they were made of, that a front-end keeps for those who poll. 0 to 10,000, default 200.</summary>
    [Range(0, 10_000)]
    [Setting("Fertige Seiten, die für Wiederholungen behalten werden", "Rendered pages kept for those who poll")]
    public int CachedPages { get; set; } = 200;

    /// <summary>How often an open page looks for news. 0.5 s to 1 h, default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.500", "01:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    [Setting("Abstand, in dem eine offene Seite nach Neuem fragt", "Period in which an open page looks for news")]
    public TimeSpan Refresh { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How often a page without JavaScript is loaded anew. 5 s to 1 h, default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:05", "01:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    [Setting("Abstand, in dem eine Seite ohne JavaScript neu geladen wird", "Period in which a page without JavaScript is loaded anew")]
    public TimeSpan Reload { get; set; } = TimeSpan.FromSeconds(30);
}
