using System.ComponentModel.DataAnnotations;

namespace DataHub.Indicators;

/// <summary>Limits of the folds. Section <c>DataHub:Fold</c>.</summary>
internal sealed class FoldOptions
{
    public const string Section = "DataHub:Fold";

    /// <summary>Changed cells and positions are stored at least this often. 10 ms to 10 s, default 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:00:10", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    public TimeSpan FlushPeriod { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>… and after this many rows. 100 to 10,000,000, default 50,000.</summary>
    [Range(100, 10_000_000)]
    public int FlushRows { get; set; } = 50_000;

    /// <summary>Cells that one fold keeps in memory beyond those not yet stored. 1,000 to 100,000,000, default 500,000.</summary>
    [Range(1_000, 100_000_000)]
    public int MaxHotCells { get; set; } = 500_000;

    /// <summary>Rows that a new definition reads from the log between two turns of the live fold. 100 to 1,000,000, default 20,000.</summary>
    [Range(100, 1_000_000)]
    public int CatchUpRows { get; set; } = 20_000;
}
