using DataHub.Catalog;
using DataHub.Indicators;
using DataHub.Sharing;

using Orleans.Concurrency;

namespace DataHub.Feeds;

/// <summary>The queryable rows of one partition in all their versions. Key: the stream's key, <c>{dataset}/{number}</c>.</summary>
[GrainInterfaceType("datahub.history")]
public interface IHistoryGrain : IGrainWithStringKey
{
    /// <summary>Returns once history is stored up to the sequence.</summary>
    /// <returns>The stored sequence; lower than asked only where the log has no more or history stands still.</returns>
    [Alias("Reach"), Repeatable]
    Task<long> ReachAsync(long sequence);

    /// <summary>Stores what history otherwise stores seldom: the newest times of series.</summary>
    /// <returns>Whether they are stored.</returns>
    [Alias("StoreSeries"), Repeatable]
    Task<bool> StoreSeriesAsync();

    [Alias("Status"), Repeatable]
    Task<FoldStatus> StatusAsync();

    /// <summary>Cells of a definition as of a sequence, folded anew from the rows that stood then: the bytes that the fold had there.</summary>
    /// <param name="definition">Any version of any indicator of the dataset.</param>
    /// <param name="query">As for the fold; its definition, sequence and single windows are not regarded, and nothing is told as touched.</param>
    /// <param name="sequence">Where it is not stored yet, the answer is <see cref="ReadRefusal.NotYet"/>: see <see cref="ReachAsync"/>.</param>
    /// <param name="maxRows">Refuse rather than read more rows.</param>
    [Alias("CellsAsOf"), AlwaysInterleave, Repeatable]
    Task<CellSet> CellsAsOfAsync(IndicatorDefinition definition, CellQuery query, long sequence, int maxRows);
}

/// <summary>The rows of a dataset, its receipts and its quarantine. Key: the dataset's id.</summary>
[GrainInterfaceType("datahub.dataset-rows")]
public interface IDatasetRowsGrain : IGrainWithStringKey
{
    /// <summary>Rows that stand, by time then key. Open data for everybody, else the publisher's readers.</summary>
    [Alias("Rows"), Repeatable]
    Task<RowsResult> RowsAsync(Caller caller, RowsQuery query);

    /// <summary>
    /// One record for one procedure, through an agreement of form evidence, or by right. The question stands in the log (<see cref="IEvidenceLogGrain"/>)
    /// before it is answered, also where there is no such record; one that an agreement does not give is as if it were not there.
    /// </summary>
    [Alias("Evidence"), NotRepeatable("a repeat is another question, logged and counted again")]
    Task<EvidenceResult> EvidenceAsync(Caller caller, EvidenceRequest request);

    /// <summary>Quarantined rows, newest push first. Only the publisher's keys.</summary>
    [Alias("Quarantine"), Repeatable]
    Task<QuarantineResult> QuarantineAsync(Caller caller, QuarantineQuery query);

    /// <summary>Quarantined rows by their cause, most rows first, at most 1,000 causes. Only the publisher's keys.</summary>
    /// <param name="feed">Only this feed; null: all.</param>
    /// <param name="state">Only rows in this state.</param>
    [Alias("QuarantineGroups"), Repeatable]
    Task<QuarantineGroupsResult> QuarantineGroupsAsync(Caller caller, string? feed, QuarantineState state);

    /// <summary>What was done to quarantined rows, newest first. Only the publisher's keys.</summary>
    /// <param name="after">Continue with acts that stand behind this one.</param>
    /// <param name="limit">1 to 1,000.</param>
    [Alias("QuarantineActs"), Repeatable]
    Task<QuarantineActsResult> QuarantineActsAsync(Caller caller, QuarantineId? after, int limit);

    /// <summary>Per feed what was received and what became of it, with where each consumer stands (design I2). Only the publisher's keys.</summary>
    [Alias("Conservation"), Repeatable]
    Task<ConservationResult> ConservationAsync(Caller caller);

    /// <summary>Receipts of a feed, newest first; those of acts on its quarantine among them. Only the publisher's keys.</summary>
    [Alias("Receipts"), Repeatable]
    Task<ReceiptsResult> ReceiptsAsync(Caller caller, ReceiptsQuery query);

    /// <summary>How the feeds are. Only the publisher's keys.</summary>
    /// <param name="feed">Only this one; null: all.</param>
    [Alias("FeedStates"), Repeatable]
    Task<FeedStatesResult> FeedStatesAsync(Caller caller, string? feed);
}

/// <summary>Receipts. Key: the receipt's id, a ULID.</summary>
[GrainInterfaceType("datahub.receipt")]
public interface IReceiptGrain : IGrainWithStringKey
{
    /// <summary>All parts of the push, in order. Only for the keys of the agency that pushed or that publishes the dataset.</summary>
    [Alias("Get"), Repeatable]
    Task<ReceiptResult> GetAsync(Caller caller);
}

[GenerateSerializer, Immutable, Alias("datahub.ReceiptResult")]
public sealed record ReceiptResult([property: Id(0)] ReadRefusal Refusal, [property: Id(1)] PartReceipt[] Parts, [property: Id(2)] string? Detail)
{
    /// <summary>Includes every part of the push; null where refused.</summary>
    [Id(3)] public string? Watermark { get; init; }
}

/// <param name="From">Rows at or after; null: from the beginning.</param>
/// <param name="To">Rows before; null: to the end.</param>
/// <param name="Area">Only rows in this area or below it; null: all.</param>
/// <param name="AtLeast">A watermark the answer must include.</param>
/// <param name="After">Continue after this row.</param>
/// <param name="Limit">1 to 10,000.</param>
[GenerateSerializer, Immutable, Alias("datahub.RowsQuery")]
public sealed record RowsQuery(
    [property: Id(0)] DateTimeOffset? From,
    [property: Id(1)] DateTimeOffset? To,
    [property: Id(2)] string? Area,
    [property: Id(3)] Watermark? AtLeast,
    [property: Id(4)] RowCursor? After,
    [property: Id(5)] int Limit)
{
    /// <summary>
    /// Only rows that have all these values. They are looked for in rows of the time range and area, so many at most as
    /// <c>DataHub:Read:MaxScannedRows</c> says; then the page ends early with a cursor.
    /// </summary>
    [Id(6)] public RowFilter[] Filters { get; init; } = [];
}

/// <summary>A value that a field must have.</summary>
/// <param name="Field">Not a personal one; of type string, integer, year or boolean.</param>
/// <param name="Value">As it stands in answers; empty: null.</param>
[GenerateSerializer, Immutable, Alias("datahub.RowFilter")]
public sealed record RowFilter([property: Id(0)] string Field, [property: Id(1)] string Value);

/// <param name="Time">Ticks of the last row's time; <see cref="long.MinValue"/> for rows without one.</param>
/// <param name="Key">The last row's key in its canonical bytes.</param>
[GenerateSerializer, Immutable, Alias("datahub.RowCursor")]
public sealed record RowCursor([property: Id(0)] long Time, [property: Id(1)] byte[] Key);

/// <param name="Schema">The contract in whose layout <paramref name="Rows"/> lie.</param>
[GenerateSerializer, Immutable, Alias("datahub.RowsResult")]
public sealed record RowsResult(
    [property: Id(0)] ReadRefusal Refusal,
    [property: Id(1)] TableSchema? Schema,
    [property: Id(2)] RowBlock? Rows,
    [property: Id(3)] RowCursor? Next,
    [property: Id(4)] string? Watermark,
    [property: Id(5)] string? Detail)
{
    [Id(6)] public DatasetInfo? Dataset { get; init; }

    /// <summary>With <see cref="ReadRefusal.Invalid"/>: the filter's field that is not allowed, and why.</summary>
    [Id(7)] public LocalText? Fault { get; init; }

    /// <summary>
    /// With <see cref="ReadRefusal.Forbidden"/>: what an agreement does not allow; null: there is none with the caller. With
    /// <see cref="ReadRefusal.TooOften"/> and <see cref="ReadRefusal.TooMany"/>: why.
    /// </summary>
    [Id(8)] public LocalText? Missing { get; init; }

    /// <summary>With <see cref="ReadRefusal.TooOften"/>: how long to wait.</summary>
    [Id(9)] public TimeSpan RetryAfter { get; init; }

    /// <summary>The fetch that began with these rows, where the agreement names a rhythm.</summary>
    [Id(10)] public Sharing.BegunFetch? Begun { get; init; }
}

/// <param name="Feed">Only this feed; null: all.</param>
/// <param name="After">Continue with rows that stand behind this one.</param>
/// <param name="Limit">1 to 10,000.</param>
[GenerateSerializer, Immutable, Alias("datahub.QuarantineQuery")]
public sealed record QuarantineQuery([property: Id(0)] string? Feed, [property: Id(1)] QuarantineId? After, [property: Id(2)] int Limit, [property: Id(3)] Watermark? AtLeast)
{
    /// <summary>Only rows with exactly this cause (<see cref="QuarantineCause"/>); null: all.</summary>
    [Id(4)] public string? Cause { get; init; }

    /// <summary>Only rows whose one error tells this value; null: all.</summary>
    [Id(5)] public string? Value { get; init; }

    /// <summary>Only rows of this push; null: all.</summary>
    [Id(6)] public string? Receipt { get; init; }

    /// <summary>Only rows in this state; null: all.</summary>
    [Id(7)] public QuarantineState? State { get; init; }

    /// <summary>Only these rows, at most 10,000; null: all. No other filter holds then but the state.</summary>
    [Id(8)] public QuarantineId[]? Ids { get; init; }

    /// <summary>In the order of the log, which for one push is that of its rows within each partition; otherwise newest first.</summary>
    [Id(9)] public bool OldestFirst { get; init; }
}

/// <summary>A quarantined row and what became of it.</summary>
[GenerateSerializer, Immutable, Alias("datahub.QuarantineEntry")]
public sealed record QuarantineEntry(
    [property: Id(0)] QuarantineId Id,
    [property: Id(1)] string Feed,
    [property: Id(2)] string Receipt,
    [property: Id(3)] DateTimeOffset ReceivedAt,
    [property: Id(4)] QuarantinedRow Row)
{
    /// <summary>See <see cref="QuarantineCause"/>.</summary>
    [Id(5)] public string Cause { get; init; } = "";

    [Id(6)] public QuarantineState State { get; init; }

    /// <summary>Receipt of the act that settled it; null while it is open.</summary>
    [Id(7)] public string? Act { get; init; }

    /// <summary>As it was replayed, as JSON text; null where it went as it came.</summary>
    [Id(8)] public string? Corrected { get; init; }
}

/// <param name="Next">The last row of the page where there are more.</param>
[GenerateSerializer, Immutable, Alias("datahub.QuarantineResult")]
public sealed record QuarantineResult([property: Id(0)] ReadRefusal Refusal, [property: Id(1)] QuarantineEntry[] Entries, [property: Id(2)] QuarantineId? Next, [property: Id(3)] string? Detail);

/// <summary>Quarantined rows with one cause.</summary>
/// <param name="Values">What stood in the field, most frequent first, at most 10; empty where the errors do not tell.</param>
[GenerateSerializer, Immutable, Alias("datahub.QuarantineGroup")]
public sealed record QuarantineGroup(
    [property: Id(0)] string Cause,
    [property: Id(1)] long Rows,
    [property: Id(2)] DateTimeOffset Oldest,
    [property: Id(3)] DateTimeOffset Newest,
    [property: Id(4)] QuarantineValue[] Values);

[GenerateSerializer, Immutable, Alias("datahub.QuarantineValue")]
public readonly record struct QuarantineValue([property: Id(0)] string Value, [property: Id(1)] long Rows);

[GenerateSerializer, Immutable, Alias("datahub.QuarantineGroupsResult")]
public sealed record QuarantineGroupsResult([property: Id(0)] ReadRefusal Refusal, [property: Id(1)] QuarantineGroup[] Groups, [property: Id(2)] string? Detail);

/// <summary>What was done to quarantined rows of one partition and feed.</summary>
/// <param name="Receipt">Names the act; parts of one act share it.</param>
[GenerateSerializer, Immutable, Alias("datahub.QuarantineActEntry")]
public sealed record QuarantineActEntry(
    [property: Id(0)] string Receipt,
    [property: Id(1)] string Feed,
    [property: Id(2)] DateTimeOffset At,
    [property: Id(3)] QuarantineActKind Kind,
    [property: Id(4)] string? Agency,
    [property: Id(5)] string? KeyId,
    [property: Id(6)] string? Reason,
    [property: Id(7)] string? Rule,
    [property: Id(8)] long Accepted,
    [property: Id(9)] long Duplicate,
    [property: Id(10)] long Discarded,
    [property: Id(11)] QuarantineId Place);

/// <param name="Next">Place of the page's last act where there are more.</param>
[GenerateSerializer, Immutable, Alias("datahub.QuarantineActsResult")]
public sealed record QuarantineActsResult([property: Id(0)] ReadRefusal Refusal, [property: Id(1)] QuarantineActEntry[] Acts, [property: Id(2)] QuarantineId? Next, [property: Id(3)] string? Detail);

/// <param name="LastReceived">When the feed's last push was stored; null: never.</param>
[GenerateSerializer, Immutable, Alias("datahub.FeedCounts")]
public sealed record FeedCounts([property: Id(0)] string Feed, [property: Id(1)] long Received, [property: Id(2)] long Accepted, [property: Id(3)] long Duplicate, [property: Id(4)] long Quarantined, [property: Id(5)] DateTimeOffset? LastReceived)
{
    [Id(6)] public long Pushes { get; init; }

    /// <summary>Of the quarantined those that were given up or erased; the others are open.</summary>
    [Id(7)] public long Discarded { get; init; }

    /// <summary>The newest time that a row of the feed ever had; null where none has one, or it was not asked for.</summary>
    [Id(8)] public DateTimeOffset? NewestRow { get; init; }
}

/// <param name="Fold">Per partition.</param>
/// <param name="History">Per partition.</param>
/// <param name="Heads">Last sequence of each partition in the log.</param>
[GenerateSerializer, Immutable, Alias("datahub.ConservationResult")]
public sealed record ConservationResult(
    [property: Id(0)] ReadRefusal Refusal,
    [property: Id(1)] FeedCounts[] Feeds,
    [property: Id(2)] FoldStatus[] Fold,
    [property: Id(3)] FoldStatus[] History,
    [property: Id(4)] long[] Heads,
    [property: Id(5)] string? Detail);
