namespace DataHub.Catalog;

/// <summary>How much a feed may push. Only the platform's administrators set it.</summary>
/// <param name="RowsPerSecond">On average over ten seconds; null: no limit.</param>
/// <param name="BytesPerSecond">Of bodies after decompression, on average over ten seconds; null: no limit.</param>
/// <param name="RowsPerDay">From midnight to midnight in Europe/Berlin; null: no limit.</param>
[GenerateSerializer, Immutable, Alias("datahub.FeedQuota")]
public sealed record FeedQuota([property: Id(0)] long? RowsPerSecond, [property: Id(1)] long? BytesPerSecond, [property: Id(2)] long? RowsPerDay)
{
    /// <summary>Greatest value of each member.</summary>
    public const long Most = 1_000_000_000_000;

    public static FeedQuota None { get; } = new(null, null, null);

    public bool IsLimited => RowsPerSecond is not null || BytesPerSecond is not null || RowsPerDay is not null;
}
