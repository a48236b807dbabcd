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

    /// <summary>Where more cells than this change in that time, they are stored less often. 1 to 10,000,000, default 1,000.</summary>
    [Range(1, 10_000_000)]
    [Setting("Geänderte Zellen, ab denen seltener gespeichert wird", "Changed cells beyond which they are stored less often")]
    public int BusyCells { get; set; } = 1_000;

    /// <summary>… at least this often. 10 ms to 1 min, default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    [Setting("Längste Zeit, bis viele geänderte Zellen gespeichert werden", "Longest time until many changed cells are stored")]
    public TimeSpan BusyFlushPeriod { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>… and after this many rows. 100 to 10,000,000, default 50,000.</summary>
    [Range(100, 10_000_000)]
    [Setting("Zeilen, nach denen spätestens gespeichert wird", "Rows after which cells are stored at the latest")]
    public int FlushRows { get; set; } = 50_000;

    /// <summary>Memory that the cells of all definitions of a silo take, about, beyond those not yet stored; the longest untouched go first. 16 MiB to 1 TiB, default 256 MiB.</summary>
    [Range(16L << 20, 1L << 40)]
    [Setting("Bytes, die die Zellen aller Definitionen eines Silos im Speicher belegen", "Bytes that the cells of all definitions of a silo take in memory")]
    public long MaxHotBytes { get; set; } = 256L << 20;

    /// <summary>Cells that one definition keeps in memory per partition beyond those not yet stored. 1,000 to 100,000,000, default 500,000.</summary>
    [Range(1_000, 100_000_000)]
    [Setting("Zellen, die eine Definition je Partition im Speicher hält", "Cells that one definition keeps in memory per partition")]
    public int MaxHotCells { get; set; } = 500_000;

    /// <summary>Rows that a new definition reads between two turns of the live fold. 100 to 1,000,000, default 2,000.</summary>
    [Range(100, 1_000_000)]
    [Setting("Zeilen, die eine neue Definition auf einmal nachholt", "Rows that a new definition catches up on at once")]
    public int CatchUpRows { get; set; } = 2_000;
}
