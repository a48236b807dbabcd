using DataHub.Indicators;

namespace DataHub.Feeds;

/// <param name="From">The least receipt, or the beginning of it: receipts are ULIDs and begin with the time. Empty: from the first.</param>
/// <param name="Before">Only receipts less than this.</param>
/// <param name="Limit">1 to 1,000.</param>
[GenerateSerializer, Immutable, Alias("datahub.ReceiptsQuery")]
public sealed record ReceiptsQuery([property: Id(0)] string Feed, [property: Id(1)] string From, [property: Id(2)] string Before, [property: Id(3)] int Limit);

/// <param name="Receipts">Each with its parts in order, newest first.</param>
/// <param name="Next">Continue with receipts less than this; null at the end.</param>
[GenerateSerializer, Immutable, Alias("datahub.ReceiptsResult")]
public sealed record ReceiptsResult([property: Id(0)] ReadRefusal Refusal, [property: Id(1)] PartReceipt[][] Receipts, [property: Id(2)] string? Next, [property: Id(3)] string? Detail)
{
    /// <summary>With <see cref="ReadRefusal.NotFound"/>: it is the feed that is not there.</summary>
    [Id(4)] public bool NoFeed { get; init; }
}

/// <summary>Whether a feed brings what its rhythm promises.</summary>
public enum FeedSilence
{
    /// <summary>It has no rhythm: nothing is expected.</summary>
    NotExpected = 0,

    /// <summary>A push came within the rhythm.</summary>
    Active = 1,

    /// <summary>No push for longer than the rhythm allows.</summary>
    Silent = 2,

    /// <summary>Nothing ever came.</summary>
    Waiting = 3,
}

/// <summary>How a feed is.</summary>
/// <param name="Rhythm">A push is expected at least this often; null: no expectation.</param>
/// <param name="SilentFrom">When it fell silent, or will if nothing comes; null where nothing is expected or ever came.</param>
/// <param name="All">Since the feed is there.</param>
/// <param name="Day">Since <paramref name="DaySince"/>.</param>
/// <param name="DaySince">Beginning of the hour (of UTC) a day ago.</param>
/// <param name="RowLag">From the newest row's time to now; negative where it lies ahead; null where no row has a time.</param>
[GenerateSerializer, Immutable, Alias("datahub.FeedState")]
public sealed record FeedState(
    [property: Id(0)] string Feed,
    [property: Id(1)] TimeSpan? Rhythm,
    [property: Id(2)] FeedSilence Silence,
    [property: Id(3)] DateTimeOffset? SilentFrom,
    [property: Id(4)] FeedCounts All,
    [property: Id(5)] FeedCounts Day,
    [property: Id(6)] DateTimeOffset DaySince,
    [property: Id(7)] TimeSpan? RowLag);

/// <param name="At">When it was looked at.</param>
/// <param name="FoldLag">How long the oldest batch has waited that indicators do not include yet; zero where they include all.</param>
/// <param name="HistoryLag">The same for rows, quarantine and counts.</param>
[GenerateSerializer, Immutable, Alias("datahub.FeedStatesResult")]
public sealed record FeedStatesResult(
    [property: Id(0)] ReadRefusal Refusal,
    [property: Id(1)] FeedState[] Feeds,
    [property: Id(2)] DateTimeOffset At,
    [property: Id(3)] TimeSpan FoldLag,
    [property: Id(4)] TimeSpan HistoryLag,
    [property: Id(5)] string? Detail)
{
    /// <inheritdoc cref="ReceiptsResult.NoFeed"/>
    [Id(6)] public bool NoFeed { get; init; }
}
