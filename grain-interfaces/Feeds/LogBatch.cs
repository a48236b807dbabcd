namespace DataHub.Feeds;

/// <summary>What the shard decided a stored row is. A repeat is counted and not stored.</summary>
public enum RowChange : byte
{
    /// <summary>Its key did not stand before.</summary>
    New = 0,

    /// <summary>It replaces other values under its key; those are kept in <see cref="LogBatch.Befores"/>.</summary>
    Correction = 1,

    /// <summary>It takes its key away; what stood there is kept in <see cref="LogBatch.Befores"/>.</summary>
    Retraction = 2,
}

public enum BatchKind : byte
{
    /// <summary>One push, or a part of one.</summary>
    Rows = 0,

    /// <summary>A new version of the contract or the area system holds from here on.</summary>
    Control = 1,
}

/// <summary>
/// One row of the log: what one push (or a part of it) changed in one partition, with everything that consumers,
/// receipts and explanations need, so that one commit holds all of it (design §2.2, §2.3).
/// </summary>
[GenerateSerializer, Immutable, Alias("datahub.LogBatch")]
public sealed class LogBatch
{
    [Id(0)] public required int Shard { get; init; }

    /// <summary>Place in the shard's log, from 1, without holes, in the order of commits.</summary>
    [Id(1)] public required long Position { get; init; }

    /// <summary>The partition's (and the stream's) key, <c>{dataset}/{number}</c>.</summary>
    [Id(2)] public required string Partition { get; init; }

    /// <summary>Place in the partition, from 1, without holes.</summary>
    [Id(3)] public required long Sequence { get; init; }

    [Id(4)] public BatchKind Kind { get; init; }

    /// <summary>The contract the rows were checked against; for a control batch, the version that holds from here on.</summary>
    [Id(5)] public required int ContractVersion { get; init; }

    /// <summary>The area system's version the rows were resolved with; 0 without one.</summary>
    [Id(6)] public required int AreaVersion { get; init; }

    /// <summary>By the log's clock at the commit; never runs backwards within a shard. Set by the store.</summary>
    [Id(7)] public DateTimeOffset ReceivedAt { get; set; }

    /// <summary>New, corrected and retracted rows, in the order in which they count. A retraction has its key's fields only.</summary>
    [Id(8)] public RowBlock Rows { get; init; } = RowBlock.Empty;

    /// <summary>Per row what it is.</summary>
    [Id(9)] public RowChange[] Changes { get; init; } = [];

    /// <summary>Per row an index into <see cref="Befores"/>, or −1 for new rows.</summary>
    [Id(10)] public int[] BeforeOf { get; init; } = [];

    /// <summary>The rows that were replaced or taken away, in the layout of this batch's contract version, with the area each was resolved to then.</summary>
    [Id(11)] public RowBlock Befores { get; init; } = RowBlock.Empty;

    /// <summary>The push behind the batch; null for a control batch.</summary>
    [Id(12)] public PushRecord? Push { get; init; }

    /// <summary>Rows of the push that did not pass.</summary>
    [Id(13)] public QuarantinedRow[] Quarantined { get; init; } = [];

    /// <summary>What the batch does to rows that earlier pushes left in quarantine; null for a push.</summary>
    [Id(14)] public QuarantineAct? Act { get; init; }

    /// <summary>What was taken out of the batch after it was stored; null where nothing was.</summary>
    [Id(15)] public ErasedContent? Erased { get; init; }

    /// <summary>Accepted rows that the batch stood for when it was stored, erased ones among them.</summary>
    public int Accepted => Changes.Length + (Erased?.Rows ?? 0);
}

/// <summary>What the log keeps of a push beside its rows.</summary>
/// <param name="Receipt">A ULID; the same for all parts of a push.</param>
/// <param name="IdempotencyKey">Stands for the one that the client sent; null where it sent none.</param>
/// <param name="BodyHash">SHA-256 of the body after decompression.</param>
/// <param name="Part">From 0.</param>
/// <param name="Parts">How many parts the push has: one for each partition it touches; of a large body, chunks times partitions.</param>
[GenerateSerializer, Immutable, Alias("datahub.PushRecord")]
public sealed record PushRecord(
    [property: Id(0)] string Receipt,
    [property: Id(1)] string Dataset,
    [property: Id(2)] string Feed,
    [property: Id(3)] string? IdempotencyKey,
    [property: Id(4)] byte[] BodyHash,
    [property: Id(5)] int Part,
    [property: Id(6)] int Parts,
    [property: Id(7)] PushCounts Counts,
    [property: Id(8)] RowError[] Errors)
{
    /// <summary>Agency whose key pushed it.</summary>
    [Id(9)] public string? Agency { get; init; }

    /// <summary>The step of a run that pushed it; null: no run did.</summary>
    [Id(10)] public Pipelines.RunStep? Run { get; init; }
}

/// <summary>
/// received = accepted + duplicate + quarantined; accepted = new + corrected + retracted (design I2). A replay of n
/// quarantined rows receives nothing: it counts −n quarantined, so that sums over all batches stay equal.
/// </summary>
[GenerateSerializer, Immutable, Alias("datahub.PushCounts")]
public readonly record struct PushCounts(
    [property: Id(0)] int Received,
    [property: Id(1)] int New,
    [property: Id(2)] int Corrected,
    [property: Id(3)] int Retracted,
    [property: Id(4)] int Duplicate,
    [property: Id(5)] int Quarantined)
{
    public int Accepted => New + Corrected + Retracted;

    public static PushCounts operator +(PushCounts a, PushCounts b) => new(
        a.Received + b.Received, a.New + b.New, a.Corrected + b.Corrected,
        a.Retracted + b.Retracted, a.Duplicate + b.Duplicate, a.Quarantined + b.Quarantined);
}
