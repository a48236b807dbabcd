using System.ComponentModel.DataAnnotations;

namespace DataHub.Feeds;

/// <summary>Limits of a log shard. Section <c>DataHub:Shard</c>.</summary>
internal sealed class ShardOptions
{
    public const string Section = "DataHub:Shard";

    /// <summary>Pushes of one agency that may wait for one shard, of several together twice as many; beyond it pushes get 503 with Retry-After. 1 to 1,000,000, default 4,096.</summary>
    [Range(1, 1_000_000)]
    [Setting("Lieferungen einer Behörde, die auf ein Log warten dürfen; aller zusammen doppelt so viele", "Pushes of one agency that may wait for one log; of all together twice as many")]
    public int MaxWaitingPushes { get; set; } = 4_096;

    /// <summary>Rows of one agency that may wait for one shard, of several together twice as many; the first push of each may always wait. 1 to 10,000,000, default 400,000.</summary>
    [Range(1, 10_000_000)]
    [Setting("Zeilen einer Behörde, die auf ein Log warten dürfen; aller zusammen doppelt so viele", "Rows of one agency that may wait for one log; of all together twice as many")]
    public int MaxWaitingRows { get; set; } = 400_000;

    /// <summary>Rows that one commit takes at most; a larger push is committed alone. 1 to 1,000,000, default 50,000.</summary>
    [Range(1, 1_000_000)]
    [Setting("Zeilen, die gemeinsam festgeschrieben werden", "Rows that are committed together")]
    public int MaxRowsPerCommit { get; set; } = 50_000;

    /// <summary>Rows that history may lag behind a partition before its pushes get 503. 1,000 to 100,000,000, default 1,000,000.</summary>
    [Range(1_000, 100_000_000)]
    [Setting("Zeilen, um die die Historie zurückliegen darf, ehe Lieferungen abgewiesen werden", "Rows that history may lag behind before pushes are refused")]
    public int MaxTailRows { get; set; } = 1_000_000;

    /// <summary>Series whose newest time a partition remembers; beyond it all are forgotten and asked for again. 1,000 to 100,000,000, default 2,000,000.</summary>
    [Range(1_000, 100_000_000)]
    [Setting("Reihen, deren neueste Zeit ein Log im Speicher hält", "Series whose newest time a log keeps in memory")]
    public int MaxKnownSeries { get; set; } = 2_000_000;
}
