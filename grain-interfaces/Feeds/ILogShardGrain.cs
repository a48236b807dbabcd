using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>One log with one writer, holding many partitions. Key: the shard's number, from 0.</summary>
[GrainInterfaceType("datahub.log-shard")]
public interface ILogShardGrain : IGrainWithIntegerKey
{
    /// <summary>
    /// Decides what each row is and stores the part. The answer comes after the commit. Repeating with the same
    /// idempotency key gives the first answer again and stores nothing; without one it would count the rows again, as duplicates.
    /// </summary>
    [Alias("Append"), Repeatable(IfArgumentSays = true)]
    Task<AppendResult> AppendAsync(Caller caller, PushPart part);

    /// <summary>Lets a new contract or area-system version enter a partition; a version that already holds changes nothing.</summary>
    [Alias("AppendControl"), Repeatable]
    Task<AppendResult> AppendControlAsync(Caller caller, string partition, int contractVersion, int areaVersion);
}

/// <summary>The rows of one push that belong to one partition, decoded and checked.</summary>
/// <param name="Rows">Rows that passed the contract, in the order in which they count.</param>
/// <param name="Quarantined">Rows that did not.</param>
[GenerateSerializer, Immutable, Alias("datahub.PushPart")]
public sealed record PushPart(
    [property: Id(0)] string Dataset,
    [property: Id(1)] string Partition,
    [property: Id(2)] string Feed,
    [property: Id(3)] string Receipt,
    [property: Id(4)] string? IdempotencyKey,
    [property: Id(5)] byte[] BodyHash,
    [property: Id(6)] int Part,
    [property: Id(7)] int Parts,
    [property: Id(8)] int ContractVersion,
    [property: Id(9)] int AreaVersion,
    [property: Id(10)] RowBlock Rows,
    [property: Id(11)] QuarantinedRow[] Quarantined) : IRepeatable
{
    /// <summary>With a key a repeat finds what the first has stored, or waits for it; a dry run stores nothing.</summary>
    public bool MayBeRepeated => IdempotencyKey is not null || DryRun;


    /// <summary>Decide and answer, store nothing.</summary>
    [Id(12)] public bool DryRun { get; init; }

    /// <summary>Store nothing unless every row of the push passed.</summary>
    [Id(13)] public bool Atomic { get; init; }

    /// <summary>The part's rows come out of quarantine, or quarantined rows are given up; null for a push.</summary>
    [Id(14)] public QuarantineClaim? Claim { get; init; }

    /// <summary>What the whole push weighs against the feed's quota; on its first part only.</summary>
    [Id(15)] public PushLoad? Load { get; init; }

    /// <summary>
    /// Most row errors that the receipt of this part keeps: the parts of a large push share
    /// <see cref="PushLimits.ErrorsInReceipt"/>. The quarantined rows keep all of theirs.
    /// </summary>
    [Id(16)] public int ErrorLimit { get; init; } = PushLimits.ErrorsInReceipt;

    /// <summary>The step of a run that pushes; null: no run does.</summary>
    [Id(17)] public Pipelines.RunStep? Run { get; init; }
}

/// <param name="Detail">For logs and problems: which shard, which limit, which versions hold.</param>
[GenerateSerializer, Immutable, Alias("datahub.AppendResult")]
public sealed record AppendResult([property: Id(0)] AppendRefusal Refusal, [property: Id(1)] PartReceipt? Receipt, [property: Id(2)] string? Detail)
{
    /// <summary>The log's incarnation, for the push's watermark; empty where nothing was stored.</summary>
    [Id(3)] public Guid Incarnation { get; init; }

    /// <summary>How the feed's quotas stand; empty where it has none, or the part was not weighed.</summary>
    [Id(4)] public QuotaReading[] Quotas { get; init; } = [];

    /// <summary>For <see cref="AppendRefusal.OverQuota"/>: when to come again.</summary>
    [Id(5)] public TimeSpan RetryAfter { get; init; }

    public static AppendResult Refused(AppendRefusal refusal, string detail) => new(refusal, null, detail);
}

/// <summary>What became of a part.</summary>
/// <param name="Replayed">The answer is that of an earlier push with the same idempotency key.</param>
[GenerateSerializer, Immutable, Alias("datahub.PartReceipt")]
public sealed record PartReceipt(
    [property: Id(0)] PushRecord Push,
    [property: Id(1)] string Partition,
    [property: Id(2)] long Sequence,
    [property: Id(3)] DateTimeOffset ReceivedAt,
    [property: Id(4)] bool Replayed)
{
    /// <summary>For an act on quarantined rows: what became of each. Rows settled before, or unknown, are not among them.</summary>
    [Id(5)] public SettledRow[] Settled { get; init; } = [];

    /// <summary>Of a dry run: what would become of the part's first <see cref="PushLimits.OutcomesInDryRun"/> rows, by row. Else empty.</summary>
    [Id(6)] public RowOutcome[] Outcomes { get; init; } = [];
}

/// <summary>What would become of a row.</summary>
/// <param name="Row">Number in the push, counted from 1.</param>
[GenerateSerializer, Immutable, Alias("datahub.RowOutcome")]
public readonly record struct RowOutcome([property: Id(0)] int Row, [property: Id(1)] RowFate Fate);

/// <summary>What becomes of a row that is pushed.</summary>
public enum RowFate : byte
{
    /// <summary>Its key does not stand yet.</summary>
    New = 0,

    /// <summary>It replaces other values under its key.</summary>
    Correction = 1,

    /// <summary>It takes its key away.</summary>
    Retraction = 2,

    /// <summary>It says what stands already, or nothing of it counts any more.</summary>
    Duplicate = 3,

    /// <summary>It does not pass the contract.</summary>
    Quarantined = 4,
}

public enum AppendRefusal
{
    None = 0,

    /// <summary>The shard's queue is full: try again after a moment. 503.</summary>
    Full = 1,

    /// <summary>The store refused, did not answer, or another activation took over: the outcome may be unknown; repeat with the same key. 503.</summary>
    Unavailable = 2,

    /// <summary>The batch was made with an outdated contract or area-system version: make it again.</summary>
    Outdated = 3,

    /// <summary>The idempotency key was used for another body. 409.</summary>
    KeyReused = 4,

    /// <summary>The caller may not push into this dataset. 403.</summary>
    Forbidden = 5,

    /// <summary>No such dataset, partition or feed. 404.</summary>
    NotFound = 6,

    /// <summary><c>atomic</c> was asked for and rows were quarantined; nothing was stored. 422.</summary>
    NotAtomic = 7,

    /// <summary>The feed has used up its quota; nothing was stored. 429.</summary>
    OverQuota = 8,

    /// <summary>The push alone is larger than what its feed may bring in a day; nothing was stored. 422.</summary>
    LargerThanQuota = 9,

    /// <summary>The dataset is retired and takes no rows; nothing was stored. 409.</summary>
    Retired = 10,

    /// <summary>The dataset is derived from what an agreement gave that is over, and takes no rows; nothing was stored. The detail names the agreement. 409.</summary>
    Frozen = 11,
}
