using System.ComponentModel.DataAnnotations;

namespace DataHub.Indicators;

/// <summary>Limits of the folds. Section <c>DataHub:Fold</c>.</summary>
internal sealed class FoldOptions
{
    public const string Section = "DataHub:Fold";

    /// <summary>Changed cells and positions are stored at least this often. 10 ms to 10 s, default 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:00:10", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    [Setting("Längste Zeit, bis geänderte Zellen gespeichert werden", "Longest time until changed cells are stored")]
    public TimeSpan FlushPeriod { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>… and after this many rows. 100 to 10,000,000, default 50,000.</summary>
    [Range(100, 10_000_000)]
    [Setting("Zeilen, nach denen spätestens gespeichert wird", "Rows after which cells are stored at the latest")]
    public int FlushRows { get; set; } = 50_000;

    /// <summary>Cells that one fold keeps in memory beyond those not yet stored. 1,000 to 100,000,000, default 500,000.</summary>
    [Range(1_000, 100_000_000)]
    [Setting("Zellen, die eine Auswertung im Speicher hält", "Cells that one fold keeps in memory")]
    public int MaxHotCells { get; set; } = 500_000;

    /// <summary>Rows that a new definition reads between two turns of the live fold. 100 to 1,000,000, default 2,000.</summary>
    [Range(100, 1_000_000)]
    [Setting("Zeilen, die eine neue Definition auf einmal nachholt", "Rows that a new definition catches up on at once")]
    public int CatchUpRows { get; set; } = 2_000;
}
