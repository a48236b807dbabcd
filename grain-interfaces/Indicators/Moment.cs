using DataHub.Feeds;

namespace DataHub.Indicators;

/// <summary>A moment of the past. One of the three is given.</summary>
/// <param name="Instant">What had been received at this instant or before; not in the future.</param>
/// <param name="Day">The same for the begin of this day in the indicator's zone.</param>
/// <param name="Watermark">Exactly what this watermark includes.</param>
[GenerateSerializer, Immutable, Alias("datahub.Moment")]
public sealed record Moment([property: Id(0)] DateTimeOffset? Instant, [property: Id(1)] DateOnly? Day, [property: Id(2)] Watermark? Watermark);
