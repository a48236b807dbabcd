namespace DataHub.Feeds;

/// <summary>How one of a feed's or an agency's quotas stands, as the RateLimit fields tell it (draft-ietf-httpapi-ratelimit-headers-10).</summary>
/// <param name="Name"><c>rows</c>, <c>bytes</c>, <c>rows-per-day</c>; of an agency <c>agency-rows</c>, <c>agency-bytes-per-day</c>.</param>
/// <param name="Quota">Units in a window.</param>
/// <param name="Window">Seconds.</param>
/// <param name="Remaining">Units left; 0 where it is used up.</param>
/// <param name="Reset">Seconds until all of the quota is there again.</param>
[GenerateSerializer, Immutable, Alias("datahub.QuotaReading")]
public readonly record struct QuotaReading(
    [property: Id(0)] string Name, [property: Id(1)] long Quota, [property: Id(2)] int Window, [property: Id(3)] long Remaining, [property: Id(4)] int Reset);

/// <summary>What a whole push weighs against its feed's quota.</summary>
/// <param name="Bytes">Of the body after decompression.</param>
[GenerateSerializer, Immutable, Alias("datahub.PushLoad")]
public readonly record struct PushLoad([property: Id(0)] long Rows, [property: Id(1)] long Bytes);
